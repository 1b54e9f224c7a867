"""The copier of a followed table that others may write to: it keeps on record what it writes.

The digests of a page's items are on disk, in one transaction, before the first of them is written.
So what a later carry finds in the target is known for the copy's, also after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from dataware.core.copier import CopyOrder, CopyTools, UnitPage
from dataware.core.follow.written import NOT_WRITTEN, WrittenKeys
from dataware.kinds.dynamodb_table.copy.copier import TableCopier
from dataware.kinds.dynamodb_table.follow.item_digest import digest_item
from dataware.kinds.dynamodb_table.follow.keys import encode_key


class RecordingTableCopier(TableCopier):
    """Copies a table, and records what is meant to stand in the target then."""

    def __init__(self, tools: CopyTools, order: CopyOrder, written: WrittenKeys) -> None:
        super().__init__(tools, order)
        self._written = written

    async def _page(
        self, partition: str, after: str | None, bound: int | None
    ) -> UnitPage[Sequence[bytes]]:
        page = await super()._page(partition, after, bound)
        names = await self._key_names()
        digests = {}
        for unit in page.units:
            for text in unit.payload:
                item = json.loads(text)
                digests[encode_key(item, names)] = digest_item(item)
        before = self._written.find_written(list(digests))
        self._written.save_written(
            {
                key: before.get(key, NOT_WRITTEN)._replace(intended=digest)
                for key, digest in digests.items()
            }
        )
        return page
