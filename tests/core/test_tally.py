"""Tallies as laws: order-free, additive, and the same after a way as text."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.diff import Fold
from dataware.core.tally import MODULUS, NO_TALLY, Tally

digests = st.lists(st.binary(min_size=16, max_size=16), max_size=12)
few = st.lists(st.sampled_from([sha256(bytes([n])).digest()[:16] for n in range(3)]), max_size=6)


@given(digests, digests, st.randoms())
def test_parts_in_any_order_add_up_to_the_whole(
    one: list[bytes], two: list[bytes], random: object
) -> None:
    """Whoever reads which part, in whatever order."""
    both = [*one, *two]
    random.shuffle(both)  # type: ignore[attr-defined]  # Hypothesis has no type for it
    assert Tally.of(one).plus(Tally.of(two)) == Tally.of(both)
    assert Tally.of(both).plus(NO_TALLY) == Tally.of(both)
    assert 0 <= Tally.of(both).sum < MODULUS


@given(few, few)
def test_equal_tallies_are_equal_records(one: list[bytes], two: list[bytes]) -> None:
    """Also if a record comes twice."""
    assert (Tally.of(one) == Tally.of(two)) == (Counter(one) == Counter(two))


@given(digests, st.sampled_from([1, 4, 64]))
def test_a_fold_has_the_tally_of_its_records(records: list[bytes], buckets: int) -> None:
    """However many buckets, and also after it has travelled."""
    fold = Fold(buckets)
    fold.add(records)
    assert fold.tally == Fold.from_bytes(fold.to_bytes()).tally == Tally.of(records)


@given(digests)
def test_a_tally_travels_as_text(records: list[bytes]) -> None:
    """Nothing is lost on the way, and the text has a bound."""
    tally = Tally.of(records)
    assert Tally.from_text(tally.text) == tally
    assert len(tally.text.partition(":")[2]) == 32


@pytest.mark.parametrize("text", ["", "7", "x:ff", "7:xyz"])
def test_another_text_is_no_tally(text: str) -> None:
    """It is recognised, never half used."""
    with pytest.raises(ValueError, match="invalid literal"):
        Tally.from_text(text)
