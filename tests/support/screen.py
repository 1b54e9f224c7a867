"""The screen of a terminal: what a person sees of the characters that a program writes.

It knows what rich and click write (ECMA-48): colours, carriage returns, moves of the cursor and
erasures. Anything else is an error, so that no test passes by passing over what it does not know.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

SEQUENCE = re.compile(r"\x1b\[(?P<private>\?)?(?P<numbers>[\d;]*)(?P<final>[A-Za-z])")

WITHOUT_WIDTH = "\ufe0f\u200d"
"""A selector of a sign's look, and what joins signs."""


class Screen:
    """A window of so many columns, with everything that scrolled out at its top.

    A row is a list of cells; a wide character fills one, and the next is empty.
    """

    def __init__(self, columns: int = 80) -> None:
        self._columns = columns
        self._rows: list[list[str]] = [[]]
        self._row = self._column = 0
        self.widest = 0

    @property
    def lines(self) -> list[str]:
        """The lines from the first one on, without what is blank at their ends."""
        return ["".join(row).rstrip() for row in self._rows]

    def feed(self, text: str) -> Screen:
        """Take what a program wrote."""
        at = 0
        while at < len(text):
            if sequence := SEQUENCE.match(text, at):
                self._obey(sequence)
                at = sequence.end()
            else:
                self._put(text[at])
                at += 1
        return self

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._move_down()
        elif character in WITHOUT_WIDTH and self._column:
            self._rows[self._row][self._column - 1] += character
        elif character.isprintable():
            self._write(character)
        else:
            raise AssertionError(f"this screen does not know {character!r}")

    def _write(self, character: str) -> None:
        width = cell_len(character)
        if self._column + width > self._columns:
            self._column = 0
            self._move_down()
        row = self._rows[self._row]
        row += [" "] * (self._column + width - len(row))
        row[self._column : self._column + width] = [character, *[""] * (width - 1)]
        self._column += width
        self.widest = max(self.widest, self._column)

    def _move_down(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append([])

    def _obey(self, sequence: re.Match[str]) -> None:
        numbers = [int(each) for each in sequence["numbers"].split(";") if each]
        count = numbers[0] if numbers else 1
        match sequence["final"]:
            case "m" | "h" | "l":
                return
            case "A":
                self._row = max(0, self._row - count)
            case "K" if numbers in ([], [0], [2]):
                del self._rows[self._row][0 if numbers == [2] else self._column :]
            case "J" if numbers in ([], [0]):
                del self._rows[self._row][self._column :]
                del self._rows[self._row + 1 :]
            case "G":
                self._column = count - 1
            case _:
                raise AssertionError(f"this screen does not know {sequence[0]!r}")
