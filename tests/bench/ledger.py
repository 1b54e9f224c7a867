"""What was written into a virtual target: every number once, with the content that it must have.

A virtual source holds the items 0 … n-1, made on demand, so a migration of a million of them costs
one byte an item here. The target serves only what was really written, so a lost item is missed by
dataware's own verification, and `Ledger.report` shows what came twice or came wrong.
"""

from __future__ import annotations


class Ledger:
    """Which of `size` numbers were written."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._marks = bytearray(size)
        self._twice = 0
        self._wrong = 0

    def has(self, number: int) -> bool:
        """Whether a number was written."""
        return bool(self._marks[number])

    def write(self, number: int) -> None:
        """A number was written, with its right content."""
        self._twice += self._marks[number]
        self._marks[number] = 1

    def write_wrong(self) -> None:
        """Something was written that the source does not hold."""
        self._wrong += 1

    def present(self, start: int, end: int, limit: int) -> list[int]:
        """The first `limit` numbers from `start` to before `end` that were written."""
        if self._marks.count(1, start, min(start + limit, end)) == limit:
            return list(range(start, start + limit))
        found: list[int] = []
        number = self._marks.find(1, start, end)
        while number >= 0 and len(found) < limit:
            found.append(number)
            number = self._marks.find(1, number + 1, end)
        return found

    def report(self) -> dict[str, int]:
        """How many were written, written again, and written with other content."""
        return {"written": self._marks.count(1), "twice": self._twice, "wrong": self._wrong}
