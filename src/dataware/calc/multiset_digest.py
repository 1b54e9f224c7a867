"""How much of which data: an order-free fingerprint small enough to stand in every checkpoint.

Tallies of parts add up to that of the whole, whatever the order, so what was read by several
processes in several runs can be held against what a reader finds later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MODULUS = 1 << 128
"""Sums of digests are kept in 16 bytes."""


class MultisetDigest(NamedTuple):
    """A number of records, and the sum of their 16-byte digests.

    Two tallies are equal exactly for equal multisets of records, as far as 128 bits can tell.
    """

    records: int = 0
    sum: int = 0

    @staticmethod
    def of(digests: Iterable[bytes]) -> MultisetDigest:
        """The tally of digests."""
        numbers = list(map(int.from_bytes, digests))  # big-endian
        return MultisetDigest(len(numbers), sum(numbers) % MODULUS)

    def plus(self, other: MultisetDigest) -> MultisetDigest:
        """The tally of what both were made of."""
        return MultisetDigest(self.records + other.records, (self.sum + other.sum) % MODULUS)

    @property
    def text(self) -> str:
        """The tally as it stands in records: how many, and the sum in hexadecimal."""
        return f"{self.records}:{self.sum:032x}"

    @staticmethod
    def from_text(text: str) -> MultisetDigest:
        """The tally of a `text`. Raises ValueError for anything else."""
        records, _, digits = text.partition(":")
        return MultisetDigest(int(records), int(digits, 16))


NO_RECORDS = MultisetDigest()
"""What nobody has digested."""
