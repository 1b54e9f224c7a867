"""Comparing two sides: merging sorted streams, folding unsorted ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.diff import Fold, merge
from dataware.core.kind import Entry

contents = st.dictionaries(st.binary(max_size=6), st.binary(max_size=3), max_size=30)


def entries(content: dict[bytes, bytes]) -> list[Entry]:
    """A side as sorted entries."""
    return [Entry(key, digest, repr(key)) for key, digest in sorted(content.items())]


def folded(side: list[Entry], buckets: int = 8) -> Fold:
    """A side as a fold."""
    fold = Fold(buckets)
    for entry in side:
        fold.add(entry)
    return fold


@given(contents, contents)
def test_merging_pairs_every_key_once(left: dict[bytes, bytes], right: dict[bytes, bytes]) -> None:
    """A merge is the union of keys, each with what either side has under it."""
    pairs = list(merge(entries(left), entries(right)))
    keys = [(mine or theirs).key for mine, theirs in pairs if mine or theirs]
    assert keys == sorted(left.keys() | right.keys())
    assert {m.key: m.digest for m, _ in pairs if m} == left
    assert {t.key: t.digest for _, t in pairs if t} == right
    assert all(m.key == t.key for m, t in pairs if m and t)


def test_a_listing_out_of_order_is_an_error() -> None:
    """A merge of an unsorted stream would be wrong, so it is refused."""
    side = [Entry(b"b", b"", "b"), Entry(b"a", b"", "a")]
    with pytest.raises(ValueError, match="out of order at a"):
        list(merge(side, []))


@given(contents, st.randoms())
def test_a_fold_does_not_depend_on_order_or_parts(
    content: dict[bytes, bytes], random: object
) -> None:
    """Any order and any division into parts gives the same fold."""
    side = entries(content)
    shuffled = side[:]
    random.shuffle(shuffled)
    half = len(shuffled) // 2
    joined = folded(shuffled[:half])
    joined.join(folded(shuffled[half:]))
    assert joined.differing(folded(side)) == frozenset()
    assert joined.count == len(content)


@given(contents, contents)
def test_folds_differ_exactly_in_the_buckets_of_differences(
    left: dict[bytes, bytes], right: dict[bytes, bytes]
) -> None:
    """Every key that is missing, extra or changed lies in a bucket that differs, and no other."""
    mine, theirs = folded(entries(left)), folded(entries(right))
    changed = [
        Entry(key, b"", "") for key in left.keys() | right.keys() if left.get(key) != right.get(key)
    ]
    assert mine.differing(theirs) == {mine.bucket_of(entry) for entry in changed}
