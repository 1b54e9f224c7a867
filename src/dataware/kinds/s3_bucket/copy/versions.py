"""Every version of a key, written again in the order in which the source got them.

The target keeps its own version ids and times. What it holds of a key must be the beginning of
the source's history, so that a run that was cut off resumes where it stopped; anything else
under the key is a conflict.

A delete marker is set only behind a version that this copy wrote, and only while that is the
current one (``If-Match``; Amazon S3 User Guide, "How to perform conditional deletes"). There is no
such condition where nothing stands, so a marker that deletes nothing is not carried: one with
which a history begins, or one behind another. Whoever writes the key meanwhile is never hidden.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from dataware.core.copier import CopyOutcome, SkippedKey, SkipReason
from dataware.core.errors import ConflictError, RefusedError
from dataware.core.model import OnConflict
from dataware.core.page_cursor import PageCursor
from dataware.core.printable import escape_key
from dataware.http.error_answer import RequestRefusedError
from dataware.kinds.s3_bucket.copy.conflicts import ObjectRef, alike, copy
from dataware.kinds.s3_bucket.copy.objects import BucketPair, left_by, only_if, skip_if_archived
from dataware.kinds.s3_bucket.copy.requests import S3Request
from dataware.kinds.s3_bucket.copy.xml import ListedObject, read_versioning, read_versions

History = tuple[ListedObject, ...]


async def require_versioning(pair: BucketPair) -> None:
    """Raise Refused unless the target keeps versions."""
    ask = S3Request(None, {"versioning": ""})
    try:
        status = await pair.calls.document(pair.target, "GetBucketVersioning", ask, read_versioning)
    except RequestRefusedError as rejected:
        what = f"bucket {pair.target.name}"
        raise rejected.answer.to_error(what, "s3:GetBucketVersioning") from rejected
    if status != "Enabled":
        raise RefusedError(
            f"bucket {pair.target.name} does not keep versions, so --versions all would lose them: "
            "enable versioning on it first"
        )


async def histories(
    pages: AsyncIterator[Sequence[ListedObject]],
) -> AsyncGenerator[list[History], None]:
    """The histories, newest first, that each page completes; holds one page and one history."""
    history: list[ListedObject] = []
    async for page in pages:
        whole: list[History] = []
        for entry in page:
            if history and history[-1].key != entry.key:
                whole.append(tuple(history))
                history = []
            history.append(entry)
        if whole:
            yield whole
    if history:
        yield [tuple(history)]


def _effective(oldest_first: Sequence[ListedObject], *, leading: bool = True) -> History:
    """A history without its markers that delete nothing; with `leading`, also at its beginning.

    A request to delete that is sent once more, because its answer was lost, leaves such markers.
    """
    versions: list[ListedObject] = []
    for version in oldest_first:
        before_is_marker = versions[-1].marker if versions else leading
        if not (version.marker and before_is_marker):
            versions.append(version)
    return tuple(versions)


class HistoryReplay:
    """Brings one key's history over; `history` is newest first, as listings give it."""

    def __init__(self, pair: BucketPair, history: History) -> None:
        self._pair = pair
        self._name = history[0].key
        self._begins_deleted = history[-1].marker
        self._wanted = _effective(history[::-1])
        self._key = pair.target_key(self._name)
        self._ours: set[int] = set()
        self._bytes = 0

    async def run(self) -> CopyOutcome:
        """Write what the target lacks, until it shows the same history or cannot be made to."""
        if not self._wanted:
            return CopyOutcome(same=1)
        reached = -1
        while True:
            present = await self._present()
            if not await self._begins(present):
                return self._conflict()
            if len(present) == len(self._wanted):
                return self._done()
            if len(present) <= reached:
                return self._skip_key(
                    SkipReason.FAILED, "the target does not keep what is written to it"
                )
            reached = len(present)
            if skip := await self._write(present):
                return CopyOutcome(bytes=self._bytes, skipped=(skip,))

    async def _present(self) -> tuple[ListedObject, ...]:
        query: dict[str, str | bytes] = {
            "versions": "",
            "encoding-type": "url",
            "prefix": self._key,
        }
        more: dict[str, str | bytes] | None = {}
        newest_first: list[ListedObject] = []
        cursor = PageCursor("ListObjectVersions", f"bucket {self._pair.target.name}")
        while more is not None:
            ask = S3Request(None, {**query, **more})
            try:
                page = await self._pair.calls.document(
                    self._pair.target, "ListObjectVersions", ask, read_versions
                )
            except RequestRefusedError as rejected:
                what = f"bucket {self._pair.target.name}"
                raise rejected.answer.to_error(what, "s3:ListBucketVersions") from rejected
            newest_first += [version for version in page.entries if version.key == self._key]
            beyond = bool(page.entries) and page.entries[-1].key > self._key
            more = None if beyond else page.more
            if more is not None:
                cursor.advance(more, entries=len(page.entries))
        # A marker at the beginning is somebody else's, unless the source has one, too: an older
        # version of this copy carried it.
        return _effective(newest_first[::-1], leading=self._begins_deleted)

    async def _begins(self, present: Sequence[ListedObject]) -> bool:
        if len(present) > len(self._wanted):
            return False
        for index, (mine, theirs) in enumerate(zip(self._wanted, present, strict=False)):
            if index not in self._ours and not await self._same(mine, theirs):
                return False
        return True

    async def _same(self, mine: ListedObject, theirs: ListedObject) -> bool:
        if mine.marker or theirs.marker:
            return mine.marker and theirs.marker
        if (mine.size, mine.storage_class) != (theirs.size, theirs.storage_class):
            return False
        if mine.etag == theirs.etag:
            return True
        pair = self._pair
        one = await pair.calls.head(pair.source, mine.key, mine.version)
        other = await pair.calls.head(pair.target, theirs.key, theirs.version)
        if one is None or other is None:
            return False
        return await alike(
            pair,
            ObjectRef(pair.source, mine.key, one, mine.version),
            ObjectRef(pair.target, theirs.key, other, theirs.version),
        )

    async def _write(self, present: Sequence[ListedObject]) -> SkippedKey | None:
        latest = present[-1] if present else None
        etag = None if latest is None or latest.marker else latest.etag
        for index, version in enumerate(self._wanted[len(present) :], len(present)):
            try:
                if version.marker and etag is not None:
                    await self._delete(etag)
                    etag = None
                else:
                    if skip := await skip_if_archived(self._pair, version):
                        return skip
                    etag = await copy(self._pair, version, expected=etag)
            except RequestRefusedError as rejected:
                if _overtaken(rejected, version):
                    # Another look at the target tells whether this very write got through.
                    return None
                return await left_by(self._pair, version, rejected.answer)
            self._ours.add(index)
            self._bytes += version.size
        return None

    async def _delete(self, etag: str) -> None:
        ask = S3Request(self._key, headers=only_if(etag))
        await self._pair.calls.plain(self._pair.target, "DeleteObject", "DELETE", ask)

    def _done(self) -> CopyOutcome:
        return CopyOutcome(copied=1, bytes=self._bytes) if self._ours else CopyOutcome(same=1)

    def _conflict(self) -> CopyOutcome:
        if self._pair.order.on_conflict is OnConflict.STOP:
            raise ConflictError(
                f"bucket {self._pair.target.name} holds other versions under the key "
                f"{escape_key(self._key)}; nothing was overwritten, and the run stops because "
                "of --on-conflict stop"
            )
        return self._skip_key(
            SkipReason.CONFLICT,
            "the target's versions are not the beginning of the source's; they were left alone",
        )

    def _skip_key(self, reason: SkipReason, detail: str) -> CopyOutcome:
        skip = SkippedKey(escape_key(self._name), reason, detail)
        return CopyOutcome(bytes=self._bytes, skipped=(skip,))


def _overtaken(rejected: RequestRefusedError, version: ListedObject) -> bool:
    fault = rejected.answer
    if version.marker:
        return fault.status in {409, 412} or fault.is_gone
    return fault.status == 412 and "copy-source" not in fault.condition.lower()
