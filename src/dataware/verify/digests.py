"""Digests of a side whose keys have no order, added up in slots that can be compared.

A digest is 16 bytes. Its last bits choose a slot, and a slot is the sum of its digests. Sums do not
depend on the order of adding, so parts that several processes read add up to the whole. Two sides
are equal if all slots are; else only records in slots that differ have to be looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dataware.calc.multiset_digest import MODULUS, MultisetDigest

SLOTS = 4096
"""Slots of one side by default: about 250 kB of sums in memory."""

_WIDTH = 16


class DigestSlots:
    """The sums of a side's 16-byte digests, by slot; the number of slots is a power of two."""

    def __init__(self, slot_count: int = SLOTS) -> None:
        if slot_count < 1 or slot_count & (slot_count - 1):
            raise ValueError(f"{slot_count} is not a power of two")
        self._sums = [0] * slot_count
        self.count = 0

    def add(self, digests: Iterable[bytes]) -> None:
        """Take digests in."""
        sums, mask = self._sums, len(self._sums) - 1
        values = list(map(int.from_bytes, digests))  # big-endian
        for value in values:
            sums[value & mask] += value
        self.count += len(values)

    def join(self, other: DigestSlots) -> None:
        """Take in everything that `other` has taken in."""
        pairs = zip(self._sums, other._sums, strict=True)
        self._sums = [(mine + theirs) % MODULUS for mine, theirs in pairs]
        self.count += other.count

    @property
    def tally(self) -> MultisetDigest:
        """All slots together."""
        return MultisetDigest(self.count, sum(self._sums) % MODULUS)

    def differing(self, other: DigestSlots) -> MismatchedSlots:
        """The slots whose sums differ between two sides."""
        pairs = enumerate(zip(self._sums, other._sums, strict=True))
        differing = (slot for slot, (a, b) in pairs if (a - b) % MODULUS)
        return MismatchedSlots(len(self._sums), frozenset(differing))

    def to_bytes(self) -> bytes:
        """Serialise: the count in 8 bytes, then the sums in 16 bytes each."""
        sums = (value % MODULUS for value in self._sums)
        return b"".join(
            (self.count.to_bytes(8, "big"), *(value.to_bytes(_WIDTH, "big") for value in sums))
        )

    @staticmethod
    def from_bytes(data: bytes) -> DigestSlots:
        """Read what `to_bytes` wrote. Raises ValueError for anything else."""
        slot_count, rest = divmod(len(data) - 8, _WIDTH)
        if rest:
            raise ValueError("these are no digest slots")
        slots = DigestSlots(slot_count)
        slots.count = int.from_bytes(data[:8], "big")
        slots._sums = [
            int.from_bytes(data[at : at + _WIDTH], "big") for at in range(8, len(data), _WIDTH)
        ]
        return slots


@dataclass(frozen=True, slots=True)
class MismatchedSlots:
    """The slots, of `slot_count`, whose records may differ; empty if both sides are equal."""

    slot_count: int
    differing: frozenset[int]

    @property
    def share(self) -> float:
        """The share of slots that differ, about that of the records to look up."""
        return len(self.differing) / self.slot_count

    def holds(self, digest: bytes) -> bool:
        """Whether the record of a digest lies in a mismatched slot."""
        return int.from_bytes(digest, "big") & (self.slot_count - 1) in self.differing

    def to_text(self) -> str:
        """Serialise: how many slots there are, and a bit for each in hexadecimal."""
        bits = sum(1 << slot for slot in self.differing)
        return f"{self.slot_count}:{bits:x}"

    @staticmethod
    def from_text(text: str) -> MismatchedSlots:
        """Read what `to_text` wrote."""
        slot_count, _, bits = text.partition(":")
        number, count = int(bits, 16), int(slot_count)
        return MismatchedSlots(count, frozenset(at for at in range(count) if number >> at & 1))


ALL_SLOTS = MismatchedSlots(1, frozenset({0}))
"""Every record is looked up."""


class DigestForm(StrEnum):
    """What is digested: the bytes as they were sent, or what they mean whatever their spelling."""

    RAW = "raw"
    CANONICAL = "canonical"
