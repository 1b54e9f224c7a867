"""A table of a page, however long: its first rows as HTML, all of them as JSON beside it.

A cell is a text, or lines of text that each have a style. Nothing in it is markup: the template
escapes the first rows, and the page's script sets the others as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

PAGE_ROWS = 50
"""Rows that are shown at once; the page's script has the same number."""

Line = tuple[str, str]
"""A style (a class of the style sheet, or nothing) and a text."""

Cell = str | tuple[Line, ...]
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, the style of its texts, and whether few texts repeat in it.

    A column whose texts repeat can be chosen from.
    """

    title: str
    style: str = ""
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table under an id of its own on the page; the first column heads its rows."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    note: str = ""

    @property
    def head(self) -> Sequence[Row]:
        """The rows that stand in the page as HTML."""
        return self.rows[:PAGE_ROWS]

    @property
    def is_long(self) -> bool:
        """Whether the page's script has to show the rest."""
        return len(self.rows) > PAGE_ROWS

    @property
    def facets(self) -> list[tuple[int, str, list[str]]]:
        """What rows can be chosen by: column, heading, and the texts that occur in it."""
        texts = [
            (position, column.title, sorted({str(row[position]) for row in self.rows}))
            for position, column in enumerate(self.columns)
            if column.repeats and self.is_long
        ]
        return [facet for facet in texts if len(facet[2]) > 1]

    @property
    def styles(self) -> str:
        """The style of each column, as JSON."""
        return json.dumps([column.style for column in self.columns])

    def json(self) -> Markup:
        """Every row, as text that may stand in a script element of the page."""
        terms = _Terms()
        repeats = [column.repeats for column in self.columns]
        rows = [
            [
                terms.number(cell) if repeated and isinstance(cell, str) else cell
                for cell, repeated in zip(row, repeats, strict=True)
            ]
            for row in self.rows
        ]
        return to_script_json({"terms": terms.texts, "rows": rows})


@dataclass(slots=True)
class _Terms:
    """Texts that occur again and again, by number."""

    texts: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        if text not in self.numbers:
            self.numbers[text] = len(self.texts)
            self.texts.append(text)
        return self.numbers[text]


def to_script_json(data: object) -> Markup:
    """JSON that ends no script element and begins no comment in it, whatever is in it."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - without these characters JSON is not markup


def lines(cell: Cell, style: str = "") -> Iterator[Line]:
    """The lines of a cell in a column of a style; none for an empty text."""
    if isinstance(cell, str):
        if cell:
            yield style, cell
    else:
        yield from cell


def cell(lines: Iterable[Line]) -> Cell:
    """The cell of some lines, those without a text left out."""
    return tuple((style, text) for style, text in lines if text)
