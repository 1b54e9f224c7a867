"""What was written into a virtual target: every number once, with the content that it must have.

A virtual source holds the items 0 … n-1, made on demand, so a migration of a million of them costs
one byte an item here. The target serves only what was really written, so a lost item is missed by
dataware's own verification, and `CheckpointWriter.report` shows what came twice or came wrong.
"""

from __future__ import annotations

import time


class Ledger:
    """Which of `size` numbers were written, and when the first and the last write came."""

    def __init__(self, size: int, *, filled: bool = False) -> None:
        self.size = size
        self._marks = bytearray(b"\1" * size if filled else size)
        self._twice = 0
        self._wrong = 0
        self._reread = 0
        self._first: float | None = None
        self._last: float | None = None

    def has(self, number: int) -> bool:
        """Whether a number was written."""
        return bool(self._marks[number])

    def write(self, number: int) -> None:
        """A number was written, with its right content."""
        self._twice += self._marks[number]
        self._marks[number] = 1
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last

    def write_wrong(self) -> None:
        """Something was written that the source does not hold."""
        self._wrong += 1

    def reread(self) -> None:
        """A write was not byte for byte what the source holds, so it had to be parsed."""
        self._reread += 1

    def present(self, start: int, end: int, limit: int) -> list[int]:
        """The first `limit` numbers from `start` to before `end` that were written."""
        stop = min(start + limit, end)
        if stop > start and self._marks.find(0, start, stop) < 0:
            return list(range(start, stop))
        found: list[int] = []
        number = self._marks.find(1, start, end)
        while number >= 0 and len(found) < limit:
            found.append(number)
            number = self._marks.find(1, number + 1, end)
        return found

    def report(self) -> dict[str, float | None]:
        """How many were written, again, and otherwise; the moments are of the system's clock."""
        return {
            "written": self._marks.count(1),
            "twice": self._twice,
            "wrong": self._wrong,
            "reread": self._reread,
            "first": self._first,
            "last": self._last,
        }
