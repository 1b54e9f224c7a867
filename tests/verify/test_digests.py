"""Digest slots: equal exactly for equal sides, whatever the order and the parts."""

from __future__ import annotations

from hashlib import blake2b
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.verify.digests import ALL_SLOTS, DigestSlots, MismatchedSlots

contents = st.dictionaries(st.binary(max_size=6), st.binary(max_size=3), max_size=30)
sizes = st.integers(1, 7)
digests = st.binary(min_size=16, max_size=16)
powers = st.sampled_from([1, 2, 8, 64])

Record = tuple[bytes, bytes]


def digest(record: object) -> bytes:
    """Sixteen bytes of a record."""
    return blake2b(repr(record).encode(), digest_size=16).digest()


def slots_of(records: list[Record], slot_count: int = 8) -> DigestSlots:
    """Records as a fold."""
    slots = DigestSlots(slot_count)
    slots.add(map(digest, records))
    return slots


@given(st.lists(digests, max_size=30), st.randoms(), powers)
def test_a_fold_does_not_depend_on_order_or_parts(
    some: list[bytes], random: Random, slot_count: int
) -> None:
    """Any order and any division into parts, some of which travelled, gives the same fold."""
    shuffled = some[:]
    random.shuffle(shuffled)
    half = len(shuffled) // 2
    whole, joined, other = DigestSlots(slot_count), DigestSlots(slot_count), DigestSlots(slot_count)
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
    with pytest.raises(ValueError, match=r"slots|power"):
        DigestSlots.from_bytes(data)


@given(contents, contents, powers)
def test_what_is_not_suspect_is_the_same_on_both_sides(
    left: dict[bytes, bytes], right: dict[bytes, bytes], slot_count: int
) -> None:
    """Every record that only one side has is held, and the same is let go of both sides."""
    mine, theirs = (sorted(side.items()) for side in (left, right))
    mismatched = slots_of(mine, slot_count).differing(slots_of(theirs, slot_count))
    assert MismatchedSlots.from_text(mismatched.to_text()) == mismatched
    held = [{one for one in side if mismatched.holds(digest(one))} for side in (mine, theirs)]
    assert set(mine) ^ set(theirs) == held[0] ^ held[1]
    assert set(mine) - held[0] == set(theirs) - held[1]
    assert bool(mismatched.differing) == (left != right)


@given(st.binary(min_size=16, max_size=16))
def test_before_a_fold_everything_is_suspect(any_digest: bytes) -> None:
    """Nothing is known, so nothing is let go."""
    assert ALL_SLOTS.holds(any_digest)


def test_the_share_of_suspects_is_that_of_their_buckets() -> None:
    """Digests are spread evenly, so buckets tell how much there is to look at."""
    assert MismatchedSlots(8, frozenset({1, 2})).share == 0.25
