"""Tallies as laws: order-free, additive, and the same after a way as text."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.multiset_digest import MODULUS, NO_RECORDS, MultisetDigest
from dataware.verify.digests import DigestSlots

digests = st.lists(st.binary(min_size=16, max_size=16), max_size=12)
few = st.lists(st.sampled_from([sha256(bytes([n])).digest()[:16] for n in range(3)]), max_size=6)


@given(digests, digests, st.randoms())
def test_parts_in_any_order_add_up_to_the_whole(
    one: list[bytes], two: list[bytes], random: object
) -> None:
    """Whoever reads which part, in whatever order."""
    both = [*one, *two]
    random.shuffle(both)  # type: ignore[attr-defined]  # Hypothesis has no type for it
    assert MultisetDigest.of(one).plus(MultisetDigest.of(two)) == MultisetDigest.of(both)
    assert MultisetDigest.of(both).plus(NO_RECORDS) == MultisetDigest.of(both)
    assert 0 <= MultisetDigest.of(both).sum < MODULUS


@given(few, few)
def test_equal_tallies_are_equal_records(one: list[bytes], two: list[bytes]) -> None:
    """Also if a record comes twice."""
    assert (MultisetDigest.of(one) == MultisetDigest.of(two)) == (Counter(one) == Counter(two))


@given(digests, st.sampled_from([1, 4, 64]))
def test_a_fold_has_the_tally_of_its_records(records: list[bytes], buckets: int) -> None:
    """However many buckets, and also after it has travelled."""
    fold = DigestSlots(buckets)
    fold.add(records)
    assert fold.tally == DigestSlots.from_bytes(fold.to_bytes()).tally == MultisetDigest.of(records)


@given(digests)
def test_a_tally_travels_as_text(records: list[bytes]) -> None:
    """Nothing is lost on the way, and the text has a bound."""
    tally = MultisetDigest.of(records)
    assert MultisetDigest.from_text(tally.text) == tally
    assert len(tally.text.partition(":")[2]) == 32


@pytest.mark.parametrize("text", ["", "7", "x:ff", "7:xyz"])
def test_another_text_is_no_tally(text: str) -> None:
    """It is recognised, never half used."""
    with pytest.raises(ValueError, match="invalid literal"):
        MultisetDigest.from_text(text)
