"""The copier of buckets: two listings merged by ranges, and one server-side copy per object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias, TypeVar

from dataware.calc.key_range import KeyRange
from dataware.core.copier import (
    CopyOrder,
    CopyOutcome,
    CopyTools,
    PageBound,
    Rates,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import InputError
from dataware.core.model import Size
from dataware.kinds.s3_bucket.copy.client import S3Client
from dataware.kinds.s3_bucket.copy.conflicts import place
from dataware.kinds.s3_bucket.copy.listing import (
    OBJECTS,
    VERSIONS,
    ListOperation,
    TargetPageCursor,
    ahead,
    pages,
)
from dataware.kinds.s3_bucket.copy.objects import BucketPair
from dataware.kinds.s3_bucket.copy.partitions import ListingSurvey, overview
from dataware.kinds.s3_bucket.copy.requests import cursor_of, key_of
from dataware.kinds.s3_bucket.copy.versions import (
    History,
    HistoryReplay,
    histories,
    require_versioning,
)
from dataware.kinds.s3_bucket.copy.xml import ListedObject

T = TypeVar("T")

# The service copies by itself; what is in flight here is the request and its answer.
REQUEST_BYTES = 4096


class MismatchedObject(NamedTuple):
    """An object under whose key the target shows something else."""

    entry: ListedObject


OneObject: TypeAlias = ListedObject | MismatchedObject


class _ListedBucket:
    """What is the same for current objects and for all versions: how much, in which parts."""

    _listing: ListOperation

    def __init__(self, tools: CopyTools, order: CopyOrder) -> None:
        self._pair = BucketPair.of(S3Client(tools.wire, tools.reading), order)
        self._overview: ListingSurvey | None = None
        _check_distinct(self._pair)

    async def size(self) -> Size:
        """How much one page shows if it shows everything, else an estimate from short looks."""
        return (await self._load_overview()).size

    async def rates(self) -> Rates:
        """Nothing: buckets have no provisioned capacity."""
        return Rates()

    async def partitions(self) -> Sequence[str]:
        """Ranges of keys relative to the prefix; ``""`` is all of them."""
        return [part.text for part in (await self._load_overview()).parts]

    async def _load_overview(self) -> ListingSurvey:
        if self._overview is None:
            pair = self._pair
            self._overview = await overview(pair.calls, pair.source, self._listing)
        return self._overview

    def _span(self, partition: str, after: str | None) -> KeyRange:
        span = KeyRange.of(partition)
        if after is None:
            return span
        return replace(span, start=self._pair.source.relative(key_of(after)))


class BucketCopier(_ListedBucket):
    """Copies the current objects of a bucket, or of a prefix, into another one."""

    _listing = OBJECTS

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[OneObject]]:
        """The source's objects that the target lacks or holds differently, page by page.

        Both sides are listed within the range only. Holds two pages of either listing at most. A
        listing goes on after any key, so a bound takes no more requests.
        """
        pair, span = self._pair, self._span(partition, after)
        here = pages(pair.calls, pair.source, OBJECTS, span)
        there = pages(pair.calls, pair.target, OBJECTS, span)
        async with aclosing(ahead(here)) as source, aclosing(ahead(there)) as target:
            beside = TargetPageCursor(target, pair.target)
            async for entry in source:
                for some in _split_page(entry, bound):
                    yield await self._page(some, beside)
        yield UnitPage((), None)

    async def _page(
        self, entries: Sequence[ListedObject], beside: TargetPageCursor
    ) -> UnitPage[OneObject]:
        keys = self._pair.source.relatives(one.key for one in entries)
        there = await beside.among(keys)
        in_memory = self._pair.bytes_in_memory if self._pair.source.own_credentials else None
        units: tuple[Unit[OneObject], ...] = tuple(
            Unit(
                one if other is None else MismatchedObject(one),
                1,
                REQUEST_BYTES + (in_memory(one.size) if in_memory else 0),
            )
            for one, other in zip(entries, map(there.get, keys), strict=True)
            if other is None or not _same(one, other)
        )
        return UnitPage(units, cursor_of(entries[-1].key), same=len(entries) - len(units))

    def write(self, unit: Unit[OneObject]) -> Coroutine[Any, Any, CopyOutcome]:
        """Bring one object over."""
        if isinstance(unit.payload, MismatchedObject):
            return place(self._pair, unit.payload.entry, mismatched=True)
        return place(self._pair, unit.payload)


class VersionCopier(_ListedBucket):
    """Copies every version and delete marker, in order, key by key."""

    _listing = VERSIONS

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[History]]:
        """The histories of the source's keys, page by page; raises Refused for a plain target."""
        pair, span = self._pair, self._span(partition, after)
        await require_versioning(pair)
        here = pages(pair.calls, pair.source, VERSIONS, span)
        async with aclosing(ahead(here)) as source:
            async for histories_of_page in histories(source):
                for keys in _split_page(histories_of_page, bound):
                    units = tuple(Unit(each, 1, self._bytes_of(each)) for each in keys)
                    yield UnitPage(units, cursor_of(keys[-1][0].key))
        yield UnitPage((), None)

    def _bytes_of(self, history: History) -> int:
        largest = max(self._pair.bytes_in_memory(one.size) for one in history)
        return REQUEST_BYTES + 256 * len(history) + largest

    async def write(self, unit: Unit[History]) -> CopyOutcome:
        """Bring the history of one key over."""
        return await HistoryReplay(self._pair, unit.payload).run()


def make(tools: CopyTools, order: CopyOrder) -> BucketCopier | VersionCopier:
    """The copier for an order; does no I/O. Raises InputError for a copy into itself."""
    return (VersionCopier if order.all_versions else BucketCopier)(tools, order)


def _split_page(listed: Sequence[T], bound: PageBound) -> Iterator[Sequence[T]]:
    """What was listed, in parts of which none is larger than the bound of its time."""
    at = 0
    while at < len(listed):
        size = bound() or len(listed)
        yield listed[at : at + size]
        at += size


def _same(one: ListedObject, other: ListedObject) -> bool:
    # Equal ETags mean equal content whatever they are made of; unequal ones settle nothing.
    return (one.size, one.etag, one.storage_class) == (other.size, other.etag, other.storage_class)


def _check_distinct(pair: BucketPair) -> None:
    here, there = pair.source, pair.target
    # The same name is another bucket in another partition, and so in another account.
    if (here.name, here.owner) != (there.name, there.owner):
        return
    one, other = here.prefix, there.prefix
    if one.startswith(other) or other.startswith(one):
        raise InputError(
            f"source and target overlap in bucket {pair.source.name}: choose prefixes of which "
            "neither contains the other"
        )
