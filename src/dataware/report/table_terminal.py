"""The plan as a table on a terminal: columns where there is room, else one block a resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from dataware.core.model import Action
from dataware.report.table import EVERYWHERE, WARNING, PlanTable, PlanTableRow, TableSide, fields

WIDE = 100
"""Columns of a terminal from which on the table has columns of its own."""

NARROWEST = 40
"""What a table is laid out for at least: with less room rich leaves out what does not fit."""

LOOKS = {
    Action.KEEP: ("✅", ""),
    Action.IMPORT: ("✅", "green"),
    Action.MIGRATE: ("🔄", "cyan"),
    Action.RESUME: ("🔄", "cyan"),
    Action.CREATE: ("🆕", "cyan"),
    Action.STOP: ("❌", "bold red"),
}
ATTENTION = ("⚠️ ", "yellow")
"""Sign and style of each action; the word always stands beside them."""

COLUMNS = {"resource": 5, "action": 3, "preferred": 6, "fallback": 6, "why": 7, "estimate": 5}
"""The columns, and the parts of the width that each of them gets."""

BETWEEN = 3
"""Columns that stand between two columns of the table."""

_PIECES = re.compile(r"\d[\d.]* [kMGTP]?B\b[; ]*|[^ /._-]*[ /._-]?")


def plan_table(table: PlanTable, *, width: int, signs: bool, lines: bool) -> RenderableType:
    """The table for a terminal of `width` columns.

    `signs` says whether signs are wanted, `lines` whether the terminal can draw lines.
    """
    laid = _columns(table, width, signs, lines) if width >= WIDE else _blocks(table, signs)
    rest = [Text(f"\n  {table.rest}; {EVERYWHERE}", style="yellow")] if table.rest else []
    return _UnpaddedLines(Group(laid, *rest))


class _UnpaddedLines:
    """What it holds, without the blanks that rich puts at the end of lines to fill the width."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segments in console.render_lines(self._inner, options, pad=False):
            yield from _without_end_blanks(segments)
            yield Segment.line()


def _without_end_blanks(segments: list[Segment]) -> list[Segment]:
    kept = list(segments)
    while kept:
        last = kept.pop()
        if text := last.text.rstrip(" "):
            return [*kept, Segment(text, last.style)]
    return []


def laid_out(
    table: PlanTable, *, width: int, signs: bool, lines: bool, color: bool
) -> Iterator[str]:
    """The table as lines of text for an output that is no terminal, or is not to be treated so."""
    stream = StringIO()
    width = max(width, NARROWEST)
    console = Console(
        file=stream,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
    )
    console.print(plan_table(table, width=width, signs=signs, lines=lines))
    yield from stream.getvalue().splitlines()


def color_lines(lines: Iterable[Sequence[tuple[str, str]]]) -> Iterator[str]:
    """Lines of styled pieces with the codes of their colours."""
    stream = StringIO()
    console = Console(file=stream, force_terminal=True, color_system="standard")
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)
    yield from (text.rstrip() for text in stream.getvalue().splitlines())


def _columns(table: PlanTable, width: int, signs: bool, lines: bool) -> RenderableType:
    copies = any(row.estimate for row in table.rows)
    names = [name for name in COLUMNS if name != "estimate" or copies]
    room = (width - BETWEEN * len(names)) / sum(COLUMNS[name] for name in names)
    widths = [int(room * COLUMNS[name]) for name in names]
    laid = Table(box=SIMPLE_HEAD if lines else None, leading=1, pad_edge=False, show_edge=False)
    for name, wide in zip(names, widths, strict=True):
        laid.add_column(name, width=wide, overflow="fold")
    for row in table.rows:
        cells = _cells(row)
        laid.add_row(
            *(
                _action(row, signs, "\n") if name == "action" else fold_lines(cells[name], wide)
                for name, wide in zip(names, widths, strict=True)
            )
        )
    return laid


def _cells(row: PlanTableRow) -> dict[str, Sequence[str]]:
    return {
        "resource": [row.id, row.noun],
        "preferred": _lines(row.preferred),
        "fallback": [line for side in row.fallbacks for line in _lines(side)],
        "why": [
            row.why,
            *(f"{WARNING}: {each}" for each in row.warnings),
            *(f"engine {each}" for each in row.engines),
        ],
        "estimate": row.estimate,
    }


def _lines(side: TableSide) -> list[str]:
    return [side.name, *side.held]


def fold_lines(lines: Sequence[str], width: int) -> Text:
    """The lines, each broken after spaces and the separators of names to fit into `width`."""
    return Text("\n".join(part for line in lines for part in _broken(line, width)))


def _broken(line: str, width: int) -> Iterator[str]:
    current = ""
    for piece in _PIECES.findall(line):
        if current and cell_len(current + piece.rstrip()) > width:
            yield current.rstrip()
            current = ""
        current += piece
    yield current


def _blocks(table: PlanTable, signs: bool) -> RenderableType:
    parts: list[RenderableType] = []
    for row in table.rows:
        parts += [Text("")] if parts else []
        parts += _block(row, signs)
    return Group(*parts)


def _block(row: PlanTableRow, signs: bool) -> Iterator[RenderableType]:
    head = Text(f"{row.id} ({row.noun}): ", overflow="fold")
    yield Padding(head + _action(row, signs, ", "), (0, 0, 0, 2))
    laid = Table.grid(padding=(0, 2, 0, 0))
    laid.add_column(no_wrap=True, style="dim")
    laid.add_column(overflow="fold")
    for label, value in fields(row):
        laid.add_row(label, Text(value, style=ATTENTION[1] if label == WARNING else ""))
    yield Padding(laid, (0, 0, 0, 6))


def _action(row: PlanTableRow, signs: bool, between: str) -> Text:
    sign, style = ATTENTION if row.needs_attention else LOOKS[row.action]
    word = Text(f"{sign} {row.action.value}" if signs else row.action.value, style=style)
    return word + Text("".join(f"{between}{each}" for each in row.how))
