"""Reading by ranges of keys: everything once, in order, from wherever a run goes on."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.key_range import KeyRange, ranges
from dataware.core.copier import CopyTools, UnitPage
from dataware.core.model import Size
from dataware.kinds.s3_bucket.copy.copier import BucketCopier, VersionCopier
from dataware.kinds.s3_bucket.copy.partitions import COUNTED_PAGES
from support.listings import ORDER, SIZE, Listings

OURS, THEIRS = ORDER.source.prefix.encode(), ORDER.target.prefix.encode()
UNRELATED = [b"in/", "in/\u00e8/x".encode(), "in/\u00ea".encode(), b"zz"]
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
starts = st.sampled_from(["a" * 9, "ab/" * 3, "\u6f22" * 4, "a b+", "%2F"])
related = st.builds(lambda start, end: start + end, starts, texts | st.just(""))
names = st.lists((texts | related).map(str.encode), unique=True, max_size=30)


def copier(kind: type[BucketCopier], wire: Listings) -> BucketCopier:
    """A copier of listings only."""
    unused: Any = None
    return kind(CopyTools(unused, wire, unused), ORDER)


def read(one: BucketCopier, partition: str, after: str | None = None) -> list[UnitPage]:
    """The pages of a partition."""

    async def run() -> list[UnitPage]:
        return [page async for page in one.read(partition, after)]

    return asyncio.run(run())


def keys_of(pages: list[UnitPage]) -> Iterator[bytes]:
    """The keys that are to be written, relative to the prefix."""
    for page in pages:
        for unit in page.units:
            yield unit.payload.key[len(OURS) :]


def wire_of(here: list[bytes], there: list[bytes], page: int) -> Listings:
    """Both sides under their prefixes, among keys that are none of the copy's business."""
    source = [*UNRELATED, *(OURS + name for name in here)]
    target = [*UNRELATED, *(THEIRS + name for name in there)]
    return Listings({"old-bucket": source, "new-bucket": target}, page)


@given(names, names, names, st.integers(1, 7))
def test_ranges_hold_everything_once_whatever_the_cuts(
    here: list[bytes], there: list[bytes], cuts: list[bytes], page: int
) -> None:
    """Read range by range, a bucket shows what the target lacks, in order, each key once."""
    there = [*there, *here[::3]]
    one = copier(BucketCopier, wire_of(here, there, page))
    parts = [read(one, part.text) for part in ranges(cuts)]
    wanted = [key for pages in parts for key in keys_of(pages)]
    assert wanted == sorted(set(here) - set(there))
    assert sum(page.same for pages in parts for page in pages) == len(set(here) & set(there))
    assert all(pages[-1].cursor is None for pages in parts)


@given(names, names, st.integers(1, 7))
def test_a_range_goes_on_after_its_cursor(here: list[bytes], cuts: list[bytes], page: int) -> None:
    """From every cursor of every range, exactly the rest of that range is read."""
    one = copier(BucketCopier, wire_of(here, [], page))
    for part in ranges(cuts):
        pages = read(one, part.text)
        for index, done in enumerate(pages[:-1]):
            rest = read(one, part.text, done.cursor)
            assert list(keys_of(rest)) == list(keys_of(pages[index + 1 :]))


@given(names, names, st.integers(1, 7))
def test_histories_are_never_cut(here: list[bytes], cuts: list[bytes], page: int) -> None:
    """Every key comes once, with all its versions, wherever ranges and pages end."""
    one = copier(VersionCopier, wire_of(here, [], page))
    histories = [
        unit.payload
        for part in ranges(cuts)
        for page in read(one, part.text)
        for unit in page.units
    ]
    assert [[found.version for found in history] for history in histories] == [["2", "1"]] * len(
        here
    )
    assert [history[0].key for history in histories] == sorted(OURS + name for name in here)


@pytest.mark.parametrize("kind", [BucketCopier, VersionCopier])
def test_one_page_is_one_request_and_one_part(kind: type[BucketCopier]) -> None:
    """A small bucket is counted exactly, and nothing is looked for twice."""
    wire = wire_of([b"%03d" % number for number in range(400)], [], 1000)

    async def run(one: BucketCopier) -> tuple[Size, list[str]]:
        return await one.size(), list(await one.partitions())

    bytes_ = 400 * SIZE * (2 if kind is VersionCopier else 1)
    assert asyncio.run(run(copier(kind, wire))) == (Size(400, bytes_), [""])
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("kind", "total"),
    [(BucketCopier, 1001), (BucketCopier, 10_000), (VersionCopier, 1001), (VersionCopier, 4900)],
)
def test_what_ten_pages_hold_is_counted(kind: type[BucketCopier], total: int) -> None:
    """However unevenly the keys stand, so that no estimate is told of what is soon known."""
    keys = [b"%d/%d" % (number % 7, number**3) for number in range(total)]
    wire = wire_of(keys, [], 1000)
    assert asyncio.run(copier(kind, wire).size()).items == total
    assert asyncio.run(copier(kind, wire).size()).exact


def test_more_than_ten_pages_are_an_estimate_of_at_least_that() -> None:
    """What was counted is there, whatever a guess from a few looks says."""
    keys = [b"%d/%d" % (number % 7, number**3) for number in range(10_500)]
    size = asyncio.run(copier(BucketCopier, wire_of(keys, [], 1000)).size())
    assert not size.exact
    assert size.items >= 10_000


@pytest.mark.parametrize("kind", [BucketCopier, VersionCopier])
def test_a_flat_prefix_is_split_by_few_requests(kind: type[BucketCopier]) -> None:
    """Many keys under one prefix become many ranges of about the same size."""
    total = 40_000
    keys = [b"data/%09d.bin" % number for number in range(total)]
    wire = wire_of(keys, [], 1000)

    async def run(one: BucketCopier) -> tuple[Size, list[str]]:
        return await one.size(), list(await one.partitions())

    size, parts = asyncio.run(run(copier(kind, wire)))
    assert len(wire.requests) <= 193 + COUNTED_PAGES
    assert not size.exact
    assert total / 4 <= size.items <= total * 4
    bounds = [KeyRange.of(part) for part in parts]
    assert list(ranges([one.end or b"" for one in bounds])) == bounds
    places = [bisect_right(keys, one.end) for one in bounds if one.end is not None]
    sizes = [b - a for a, b in zip([0, *places], [*places, total], strict=True)]
    assert len(sizes) >= 16
    assert max(sizes) <= total / 8
