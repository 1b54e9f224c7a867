"""The matrix of a fleet as lines of text: a column for each resource, if they have room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataware.core.fleet.matrix import UNKNOWN, FleetMatrix, MatrixRow
from dataware.core.printable import escape_unprintable
from dataware.report.fit import Fit
from dataware.report.summary import effort_in_words

MOST_NAME = 24
"""Columns that the name of a target or of a resource gets at most."""

WIDTH = 80
"""What the table is laid out for in a pipe."""

BETWEEN = "  "
NARROWEST = 10


def fleet_lines(matrix: Mapping[str, Any], fit: Fit) -> Iterator[str]:
    """The matrix in an event as lines; where resources have no room, they are counted."""
    fleet = FleetMatrix.from_json(matrix)
    fit = Fit(fit.width or WIDTH, ascii=fit.ascii)
    table = [_heading(fleet), *(_cells(fleet, row) for row in fleet.rows)]
    widths = _widths(table, fit)
    if sum(widths) + len(BETWEEN) * (len(widths) - 1) > (fit.width or WIDTH):
        table = [_short_heading(), *map(_short_cells, fleet.rows)]
        widths = _widths(table, fit)
        # What the counts cannot give is taken from the names.
        for at in (3, 0):
            widths[at] = max(min(NARROWEST, widths[at]), widths[at] - _excess(widths, fit))
    for line in table:
        yield from _lines(line, widths, fit)


def _heading(matrix: FleetMatrix) -> list[str]:
    return ["Target", "Account", "Region", *matrix.resources, "Estimate", "State"]


def _cells(matrix: FleetMatrix, row: MatrixRow) -> list[str]:
    without = UNKNOWN if row.state == UNKNOWN else "-"
    actions = [row.actions.get(one, without) for one in matrix.resources]
    return [row.target, row.account, row.region, *actions, _estimate(row), row.state]


def _short_heading() -> list[str]:
    return ["Target", "Account", "Region", "Resources", "State"]


def _short_cells(row: MatrixRow) -> list[str]:
    return [row.target, row.account, row.region, row.counts, row.state]


def _estimate(row: MatrixRow) -> str:
    return effort_in_words(row.seconds, row.usd)


def _widths(table: Sequence[Sequence[str]], fit: Fit) -> list[int]:
    columns = list(zip(*table, strict=True))
    return [
        min(
            MOST_NAME if at < len(columns) - 2 else (fit.width or WIDTH),
            max(map(fit.measure, column)),
        )
        for at, column in enumerate(columns)
    ]


def _excess(widths: Sequence[int], fit: Fit) -> int:
    """By how much the columns are wider than the output."""
    return max(0, sum(widths) + len(BETWEEN) * (len(widths) - 1) - (fit.width or WIDTH))


def _lines(cells: Sequence[str], widths: Sequence[int], fit: Fit) -> Iterator[str]:
    """A row, in which what is too wide for its column goes on below."""
    shown = [escape_unprintable(cell) for cell in cells]
    parts = [
        [fit.shorten(cell, width)] if at < 3 else Fit(width).fold(cell, 0)
        for at, (cell, width) in enumerate(zip(shown, widths, strict=True))
    ]
    for number in range(max(map(len, parts))):
        row = [part[number] if number < len(part) else "" for part in parts]
        padded = [fit.pad(text, width) for text, width in zip(row, widths, strict=True)]
        yield BETWEEN.join(padded).rstrip()
