"""Comparing two sides: merging sorted streams, folding unsorted ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.reader import FingerprintPage
from dataware.verify.merge import merge

contents = st.dictionaries(st.binary(max_size=6), st.binary(max_size=3), max_size=30)
sizes = st.integers(1, 7)
digests = st.binary(min_size=16, max_size=16)
powers = st.sampled_from([1, 2, 8, 64])

Record = tuple[bytes, bytes]


def pages(content: dict[bytes, bytes], size: int) -> Iterator[FingerprintPage]:
    """A side as sorted records, so many a page, with an empty page between."""
    records = sorted(content.items())
    for at in range(0, len(records), size):
        yield FingerprintPage(records[at : at + size])
        yield FingerprintPage(())


@given(contents, contents, sizes, sizes)
def test_merging_goes_through_every_key_once(
    left: dict[bytes, bytes], right: dict[bytes, bytes], mine: int, theirs: int
) -> None:
    """Whatever the pages: equal keys are counted, each other one comes with what either has."""
    same, pairs, last = 0, {}, b""
    for merged in merge(pages(left, mine), pages(right, theirs)):
        assert merged.key >= last
        last = merged.key
        same += merged.same
        if not merged.same:
            assert merged.key not in pairs
            pairs[merged.key] = (merged.mine, merged.theirs)
    both = left.items() & right.items()
    assert same == len(both)
    assert pairs.keys() == (left.keys() | right.keys()) - {key for key, _ in both}
    for key, found in pairs.items():
        assert found == tuple((key, side[key]) if key in side else None for side in (left, right))


@given(contents, contents, sizes, sizes, st.integers(0, 40))
def test_a_merge_goes_on_after_any_key(
    left: dict[bytes, bytes], right: dict[bytes, bytes], mine: int, theirs: int, stop: int
) -> None:
    """What was gone through up to a key, and what comes after it, is the whole."""

    def from_(after: bytes | None) -> list[tuple[int, object, object, bytes]]:
        sides = (
            {key: value for key, value in side.items() if after is None or key > after}
            for side in (left, right)
        )
        streams = (pages(side, size) for side, size in zip(sides, (mine, theirs), strict=True))
        return [(each.same, each.mine, each.theirs, each.key) for each in merge(*streams)]

    whole = from_(None)
    begun = whole[:stop]
    rest = from_(begun[-1][3] if begun else None)
    assert sum(each[0] for each in begun + rest) == sum(each[0] for each in whole)
    assert [each[1:3] for each in begun + rest if not each[0]] == [
        each[1:3] for each in whole if not each[0]
    ]


@pytest.mark.parametrize("size", [1, 2])
def test_a_listing_out_of_order_is_an_error(size: int) -> None:
    """A merge of an unsorted stream would be wrong, so it is refused, within and across pages."""
    records = [(b"b", b""), (b"a", b"")]
    side = [FingerprintPage(records[at : at + size]) for at in range(0, 2, size)]
    with pytest.raises(ValueError, match="out of order at b'a'"):
        list(merge(side, []))
