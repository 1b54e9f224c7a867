"""Comparing two sides in bounded memory.

Sorted sides are merged, entry by entry. Sides without order are folded into buckets of
order-free digests; only entries of buckets that differ are looked up by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from dataware.core.kind import Entry


class Side(StrEnum):
    """How a key differs, seen from the target; the value stands in reports."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that is not the same on both sides; `label` is the key as people write it."""

    side: Side
    label: str


def merge(
    source: Iterable[Entry], target: Iterable[Entry]
) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Pair the entries of two streams that are sorted by key; None where a side lacks the key.

    Raises ValueError when a stream is out of order, because the pairs would then be wrong.
    """
    left, right = _sorted(source), _sorted(target)
    mine, theirs = next(left, None), next(right, None)
    while mine is not None or theirs is not None:
        if theirs is None or (mine is not None and mine.key < theirs.key):
            yield mine, None
            mine = next(left, None)
        elif mine is None or theirs.key < mine.key:
            yield None, theirs
            theirs = next(right, None)
        else:
            yield mine, theirs
            mine, theirs = next(left, None), next(right, None)


def _sorted(entries: Iterable[Entry]) -> Iterator[Entry]:
    last: bytes | None = None
    for entry in entries:
        if last is not None and entry.key <= last:
            raise ValueError(f"the listing is out of order at {entry.label}")
        last = entry.key
        yield entry


BUCKETS = 4096
"""Buckets of an order-free comparison: 4,096 x (a count and a 128-bit sum), about 300 kB."""

_MODULUS = 1 << 128


class Fold:
    """An order-free fingerprint of a set of entries, in buckets by key.

    Adding the same entries in any order, or in parts that are joined, gives equal folds.
    """

    def __init__(self, buckets: int = BUCKETS) -> None:
        self._counts = [0] * buckets
        self._sums = [0] * buckets

    def add(self, entry: Entry) -> None:
        """Take one entry in."""
        bucket = self.bucket_of(entry)
        self._counts[bucket] += 1
        self._sums[bucket] = (self._sums[bucket] + _fingerprint(entry)) % _MODULUS

    def join(self, other: Fold) -> None:
        """Take in everything that `other` has taken in."""
        for bucket, (count, total) in enumerate(zip(other._counts, other._sums, strict=True)):
            self._counts[bucket] += count
            self._sums[bucket] = (self._sums[bucket] + total) % _MODULUS

    def bucket_of(self, entry: Entry) -> int:
        """The bucket of an entry; depends on its key alone."""
        digest = blake2b(entry.key, digest_size=8).digest()
        return int.from_bytes(digest, "big") % len(self._counts)

    def differing(self, other: Fold) -> frozenset[int]:
        """The buckets in which the two sets are not the same."""
        mine = zip(self._counts, self._sums, strict=True)
        theirs = zip(other._counts, other._sums, strict=True)
        return frozenset(
            bucket for bucket, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b
        )

    @property
    def count(self) -> int:
        """How many entries were taken in."""
        return sum(self._counts)


def _fingerprint(entry: Entry) -> int:
    length = len(entry.key).to_bytes(4, "big")
    digest = blake2b(length + entry.key + entry.digest, digest_size=16).digest()
    return int.from_bytes(digest, "big")
