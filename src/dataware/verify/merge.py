"""Comparing two sides in bounded memory.

Sorted sides are merged, page by page. Sides without order are folded: the digests of their
records are added up in buckets, and only records in buckets whose sums differ are suspect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from operator import itemgetter, lt
from typing import Any

from dataware.calc.multiset_digest import MODULUS, MultisetDigest
from dataware.core.kind import FingerprintPage


class DifferenceKind(StrEnum):
    """How a key differs, seen from the target; the value stands in reports."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """One key that is not the same on both sides; `label` is the key as people write it."""

    side: DifferenceKind
    label: str


_key = itemgetter(0)


@dataclass(frozen=True, slots=True)
class MergeStep:
    """What a merge went through: so many equal records, or one key that is not the same.

    `mine` and `theirs` are the records of that key; a side that lacks it has None. Everything up
    to `key`, the last one, was gone through on both sides.
    """

    key: bytes
    same: int = 0
    mine: Any = None
    theirs: Any = None


def merge(
    source: Iterable[FingerprintPage], target: Iterable[FingerprintPage]
) -> Iterator[MergeStep]:
    """Merge two streams of records that are tuples sorted by their first element, the key.

    Equal stretches are compared as a whole. Raises ValueError when a stream is out of order,
    because the pairs would then be wrong.
    """
    mine, theirs = _Stream(source), _Stream(target)
    while mine.more() and theirs.more():
        length = min(len(mine.records) - mine.at, len(theirs.records) - theirs.at)
        stretch = mine.records[mine.at : mine.at + length]
        if stretch == theirs.records[theirs.at : theirs.at + length]:
            mine.at += length
            theirs.at += length
            yield MergeStep(stretch[-1][0], length)
        else:
            yield from _one_by_one(mine, theirs)
    while mine.more():
        yield from (MergeStep(record[0], mine=record) for record in mine.rest())
    while theirs.more():
        yield from (MergeStep(record[0], theirs=record) for record in theirs.rest())


class _Stream:
    """The records of the current page from `at` on, and the pages behind it."""

    def __init__(self, pages: Iterable[FingerprintPage]) -> None:
        self._pages = iter(pages)
        self._last: bytes | None = None
        self.records: Sequence[Any] = ()
        self.at = 0

    def more(self) -> bool:
        """Whether there is a record; fetches the next page if need be."""
        while self.at >= len(self.records):
            page = next(self._pages, None)
            if page is None:
                return False
            self._check(page.records)
            self.records, self.at = page.records, 0
        return True

    def rest(self) -> Iterator[Any]:
        """What is left of the current page."""
        for record in self.records[self.at :]:
            self.at += 1
            yield record

    def _check(self, records: Sequence[Any]) -> None:
        keys = list(map(_key, records))
        if not keys:
            return
        if self._last is not None:
            keys.insert(0, self._last)
        if not all(map(lt, keys, keys[1:])):
            wrong = next(b for a, b in pairwise(keys) if a >= b)
            raise ValueError(f"the listing is out of order at {wrong!r}")
        self._last = keys[-1]


def _one_by_one(mine: _Stream, theirs: _Stream) -> Iterator[MergeStep]:
    """Merge two pages until one of them is used up."""
    same = 0
    left, right = mine.records, theirs.records
    while mine.at < len(left) and theirs.at < len(right):
        one, two = left[mine.at], right[theirs.at]
        key, other = one[0], two[0]
        mine.at += key <= other
        theirs.at += other <= key
        if one == two:
            same += 1
            last = key
            continue
        if same:
            yield MergeStep(last, same)
            same = 0
        yield MergeStep(
            min(key, other),
            mine=one if key <= other else None,
            theirs=two if other <= key else None,
        )
    if same:
        yield MergeStep(last, same)


BUCKETS = 4096
"""Buckets of a fold, unless somebody chooses: about 250 kB of sums in memory."""

_WIDTH = 16


class DigestSlots:
    """An order-free fingerprint of a multiset of 16-byte digests, in buckets by digest.

    Adding the same digests in any order, or in parts that are joined, gives equal folds. The
    number of buckets is a power of two.
    """

    def __init__(self, buckets: int = BUCKETS) -> None:
        if buckets < 1 or buckets & (buckets - 1):
            raise ValueError(f"{buckets} is not a power of two")
        self._sums = [0] * buckets
        self.count = 0

    def add(self, digests: Iterable[bytes]) -> None:
        """Take digests in."""
        sums, mask = self._sums, len(self._sums) - 1
        number, count = int.from_bytes, 0
        for digest in digests:
            value = number(digest, "big")
            sums[value & mask] += value
            count += 1
        self.count += count

    def join(self, other: DigestSlots) -> None:
        """Take in everything that `other` has taken in."""
        pairs = zip(self._sums, other._sums, strict=True)
        self._sums = [(mine + theirs) % MODULUS for mine, theirs in pairs]
        self.count += other.count

    @property
    def tally(self) -> MultisetDigest:
        """All buckets together."""
        return MultisetDigest(self.count, sum(self._sums) % MODULUS)

    def differing(self, other: DigestSlots) -> MismatchedSlots:
        """The buckets in which the two multisets are not the same."""
        pairs = enumerate(zip(self._sums, other._sums, strict=True))
        differing = (bucket for bucket, (a, b) in pairs if (a - b) % MODULUS)
        return MismatchedSlots(len(self._sums), frozenset(differing))

    def to_bytes(self) -> bytes:
        """The fold as it travels: the count in 8 bytes, then the sums in 16 bytes each."""
        sums = (value % MODULUS for value in self._sums)
        return b"".join(
            (self.count.to_bytes(8, "big"), *(value.to_bytes(_WIDTH, "big") for value in sums))
        )

    @staticmethod
    def from_bytes(data: bytes) -> DigestSlots:
        """The fold that `to_bytes` wrote. Raises ValueError for anything else."""
        buckets, rest = divmod(len(data) - 8, _WIDTH)
        if rest:
            raise ValueError("not a fold")
        fold = DigestSlots(buckets)
        fold.count = int.from_bytes(data[:8], "big")
        fold._sums = [
            int.from_bytes(data[at : at + _WIDTH], "big") for at in range(8, len(data), _WIDTH)
        ]
        return fold


@dataclass(frozen=True, slots=True)
class MismatchedSlots:
    """The buckets, of so many, whose records may differ; empty if both sides are the same."""

    buckets: int
    differing: frozenset[int]

    @property
    def share(self) -> float:
        """The share of all records that is suspect, about."""
        return len(self.differing) / self.buckets

    def holds(self, digest: bytes) -> bool:
        """Whether the record of a digest is suspect."""
        return int.from_bytes(digest, "big") & (self.buckets - 1) in self.differing

    def to_text(self) -> str:
        """The buckets as it travels: how many there are, and a bit for each in hexadecimal."""
        bits = sum(1 << bucket for bucket in self.differing)
        return f"{self.buckets}:{bits:x}"

    @staticmethod
    def from_text(text: str) -> MismatchedSlots:
        """The suspicion that `to_text` wrote."""
        buckets, _, bits = text.partition(":")
        number, count = int(bits, 16), int(buckets)
        return MismatchedSlots(count, frozenset(at for at in range(count) if number >> at & 1))


EVERYTHING = MismatchedSlots(1, frozenset({0}))
"""Before anything is known every record is suspect."""


class DigestForm(StrEnum):
    """What of a record is digested: the bytes that were sent, or what they mean."""

    SENT = "sent"
    MEANT = "meant"
