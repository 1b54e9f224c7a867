"""Comparing two sides: merging sorted streams, folding unsorted ones."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.kind import FingerprintPage
from dataware.verify.merge import EVERYTHING, DigestSlots, MismatchedSlots, merge

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


def digest(record: object) -> bytes:
    """Sixteen bytes of a record."""
    return blake2b(repr(record).encode(), digest_size=16).digest()


def folded(records: list[Record], buckets: int = 8) -> DigestSlots:
    """Records as a fold."""
    fold = DigestSlots(buckets)
    fold.add(map(digest, records))
    return fold


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


@given(st.lists(digests, max_size=30), st.randoms(), powers)
def test_a_fold_does_not_depend_on_order_or_parts(
    some: list[bytes], random: Random, buckets: int
) -> None:
    """Any order and any division into parts, some of which travelled, gives the same fold."""
    shuffled = some[:]
    random.shuffle(shuffled)
    half = len(shuffled) // 2
    whole, joined, other = DigestSlots(buckets), DigestSlots(buckets), DigestSlots(buckets)
    whole.add(some)
    joined.add(shuffled[:half])
    other.add(shuffled[half:])
    joined = DigestSlots.from_bytes(joined.to_bytes())
    joined.join(DigestSlots.from_bytes(other.to_bytes()))
    assert not joined.differing(whole).differing
    assert joined.to_bytes() == whole.to_bytes()
    assert joined.count == len(some)


@pytest.mark.parametrize("data", [b"", b"12345678", b"x" * 30, b"x" * (8 + 48)])
def test_what_is_no_fold_is_refused(data: bytes) -> None:
    """A fold that lost bytes on its way is never taken for a smaller one."""
    with pytest.raises(ValueError, match=r"fold|power"):
        DigestSlots.from_bytes(data)


@given(contents, contents, powers)
def test_what_is_not_suspect_is_the_same_on_both_sides(
    left: dict[bytes, bytes], right: dict[bytes, bytes], buckets: int
) -> None:
    """Every record that only one side has is held, and the same is let go of both sides."""
    mine, theirs = (sorted(side.items()) for side in (left, right))
    suspicion = folded(mine, buckets).differing(folded(theirs, buckets))
    assert MismatchedSlots.from_text(suspicion.to_text()) == suspicion
    held = [{one for one in side if suspicion.holds(digest(one))} for side in (mine, theirs)]
    assert set(mine) ^ set(theirs) == held[0] ^ held[1]
    assert set(mine) - held[0] == set(theirs) - held[1]
    assert bool(suspicion.differing) == (left != right)


@given(st.binary(min_size=16, max_size=16))
def test_before_a_fold_everything_is_suspect(any_digest: bytes) -> None:
    """Nothing is known, so nothing is let go."""
    assert EVERYTHING.holds(any_digest)


def test_the_share_of_suspects_is_that_of_their_buckets() -> None:
    """Digests are spread evenly, so buckets tell how much there is to look at."""
    assert MismatchedSlots(8, frozenset({1, 2})).share == 0.25
