"""The copier of a followed bucket: it keeps on record, by key, what it writes.

Before a page is written, the ETags that are meant to be copied are on disk, in one transaction. An
ETag that turned out otherwise is put on record before the write counts as done (`write_recorder`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, Unit, UnitPage
from dataware.core.follow.written import NOT_WRITTEN, WrittenKeys, WrittenVersion
from dataware.kinds.s3_bucket.copy.copier import (
    BucketCopier,
    MismatchedObject,
    OneObject,
)
from dataware.kinds.s3_bucket.copy.listing import TargetPageCursor
from dataware.kinds.s3_bucket.copy.xml import ListedObject
from dataware.kinds.s3_bucket.follow.write_recorder import WriteRecorder


class RecordingCopier(BucketCopier):
    """Copies the current objects of a bucket, and records what stands in the target then."""

    def __init__(self, tools: CopyTools, order: CopyOrder, written: WrittenKeys) -> None:
        super().__init__(tools, order)
        self._tags: dict[bytes, str] = {}
        self._pair = replace(self._pair, tags=self._tags)
        self._written = written
        self._recorder = WriteRecorder(written)

    async def _page(
        self, entries: Sequence[ListedObject], beside: TargetPageCursor
    ) -> UnitPage[OneObject]:
        page = await super()._page(entries, beside)
        units = {_object_of(unit).key for unit in page.units}
        relative = self._pair.source.relative
        before = self._written.find_written([relative(entry.key) for entry in entries])
        versions = {}
        for entry in entries:
            key = relative(entry.key)
            if entry.key in units:
                versions[key] = before.get(key, NOT_WRITTEN)._replace(intended=entry.etag)
            else:
                versions[key] = WrittenVersion(entry.etag, entry.etag)
        self._written.save_written(versions)
        return page

    async def write(self, unit: Unit[OneObject]) -> CopyOutcome:
        """Bring one object over; its ETag in the target is on disk when this returns."""
        outcome = await super().write(unit)
        entry = _object_of(unit)
        tag = self._tags.pop(entry.key, entry.etag)
        if tag != entry.etag:
            key = self._pair.source.relative(entry.key)
            await self._recorder.save(key, WrittenVersion(entry.etag, tag))
        return outcome


def _object_of(unit: Unit[OneObject]) -> ListedObject:
    payload = unit.payload
    return payload.entry if isinstance(payload, MismatchedObject) else payload
