"""The migrations on record, for a terminal: a table where it is wide enough, else paragraphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dataware.calc.rate import rough
from dataware.core.printable import escape_unprintable
from dataware.ops.control_reporter import describe_control
from dataware.ops.status import (
    COMPLETE,
    ENDED,
    PARTIAL,
    RUNNING,
    WATCHED,
    MigrationStatus,
    amount,
    describe_switch,
    format_age,
    journal_words,
    life,
    pace,
)
from dataware.ops.work_words import describe_leftovers
from dataware.report.wrapping import wrap_text

STYLES = {
    RUNNING: "cyan",
    COMPLETE: "green",
    PARTIAL: "yellow",
    "failed": "bold red",
    "stopped": "bold red",
}
HEADER = ("RESOURCE", "SOURCE", "STATE", "HOW FAR", "RATE", "LEFT", "SEEN", "RUN")
GAP = "  "
INDENT = "  "


def show_runs(runs: Sequence[MigrationStatus], stream: TextIO, *, color: bool = True) -> None:
    """Write the runs to a terminal."""
    console = Console(file=stream, no_color=not color, highlight=False, emoji=False, markup=False)
    for text in runs_text(runs, console.width):
        console.print(text, soft_wrap=True)


def runs_text(runs: Sequence[MigrationStatus], width: int) -> Iterator[Text]:
    """The lines about some runs, none wider than the window unless a name is."""
    columns = zip(HEADER, *(_cells(run) for run in runs), strict=True)
    header, *rows = zip(*(column for column in columns if any(column[1:]) or not runs), strict=True)
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    fits = runs and sum(widths) + len(GAP) * (len(header) - 1) <= width
    yield from _table(runs, [header, *rows], widths, width) if fits else _paragraphs(runs, width)


def _table(
    runs: Sequence[MigrationStatus],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    width: int,
) -> Iterator[Text]:
    yield Text(_row(rows[0], widths), style="bold")
    for run, row in zip(runs, rows[1:], strict=True):
        yield Text(_row(row, widths), style=_style(run))
        yield from _remarks(run, width)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(cells, widths, strict=True)
    return GAP.join(cell + " " * (width - cell_len(cell)) for cell, width in pairs).rstrip()


def _paragraphs(runs: Sequence[MigrationStatus], width: int) -> Iterator[Text]:
    for run in runs:
        target, source, *_ = _cells(run)
        yield Text(wrap_text(f"{source} → {target}", width), style="bold")
        far = _join_nonempty(", ", _state(run), amount(run), *pace(run))
        if run.state in ENDED:
            yield _indent_text(
                _join_nonempty(" · ", far, life(run), f"run {run.shown_run}"), width, _style(run)
            )
        else:
            last = _join_nonempty(" · ", life(run), _since(run), _run(run))
            yield _indent_text(far, width, _style(run))
            yield _indent_text(last, width, "dim")
        yield from _remarks(run, width)


def _join_nonempty(separator: str, *parts: str) -> str:
    return separator.join(part for part in parts if part)


def _cells(run: MigrationStatus) -> tuple[str, ...]:
    rate, time_left = "", ""
    if run.state == RUNNING and "rate" in run.detail and not run.control.is_paused:
        rate = f"{run.number('rate'):,.0f}/s"
        time_left = (
            rough(run.number("seconds_left")) if run.detail.get("seconds_left") is not None else ""
        )
    source, target = escape_unprintable(run.source or "unknown"), escape_unprintable(run.title)
    return target, source, _state(run), amount(run), rate, time_left, format_age(run), run.shown_run


def _state(run: MigrationStatus) -> str:
    phase = run.detail.get("phase") if run.state == RUNNING else None
    return f"{run.state}: {phase}" if phase else run.state


def _since(run: MigrationStatus) -> str:
    started = str(run.detail.get("started") or "")
    return f"started {started[:16].replace('T', ' ')} UTC" if started else ""


def _run(run: MigrationStatus) -> str:
    holder = run.detail.get("holder")
    if not run.shown_run:
        return ""
    named = f"run {run.shown_run}"
    return f"{named} on {escape_unprintable(str(holder))}" if holder else named


def _remarks(run: MigrationStatus, width: int) -> Iterator[Text]:
    """What does not fit into a row: the way back, what is asked, why it ended."""
    if switched := describe_switch(run):
        yield _indent_text(switched, width, "dim")
    unwatched = run.state not in WATCHED
    if leftovers := describe_leftovers(run.detail, run.target, unwatched=unwatched):
        yield _indent_text(escape_unprintable(leftovers), width, "yellow")
    if control := describe_control(run.control, run.target):
        yield _indent_text(escape_unprintable(control), width, "yellow")
    if run.why:
        yield _indent_text(f"why: {escape_unprintable(run.why)}", width, "yellow")
    if words := journal_words(run):
        yield _indent_text(words, width, "dim")


def _indent_text(text: str, width: int, style: str) -> Text:
    lines = wrap_text(text, max(1, width - len(INDENT))).split("\n")
    return Text("\n".join(f"{INDENT}{line}" for line in lines), style=style)


def _style(run: MigrationStatus) -> str:
    return STYLES.get(run.state, "yellow")
