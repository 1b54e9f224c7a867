"""A terminal: coloured lines, and below them one live bar for each running migration.

Lines are wrapped between words, so that a name is never broken unless it is wider than the window.
"""

from __future__ import annotations

from threading import RLock
from typing import Self, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from dataware.core.events import Event, Level
from dataware.report.bar import bar_line
from dataware.report.bounded import ENDS, Bounded, is_one_of_few, migration_of
from dataware.report.line import can_show_signs, line, printable
from dataware.report.output import Output
from dataware.report.plain import PERIOD, SAMPLE
from dataware.report.table import PlanTable, plan_of
from dataware.report.table_terminal import plan_table

STYLES = {
    Level.INFO: "",
    Level.SUCCESS: "green",
    Level.CHANGE: "cyan",
    Level.PROGRESS: "dim",
    Level.WARNING: "yellow",
    Level.FAILURE: "bold red",
    Level.DETAIL: "dim",
}


class Bars:
    """What the live area shows: the latest progress of every running migration."""

    def __init__(self) -> None:
        self.running: dict[str, dict[str, object]] = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One line for each bar, never wider than the window."""
        for data in list(self.running.values()):
            text = printable(bar_line(data, options.max_width - 1))
            yield Text(text, style="cyan", no_wrap=True, overflow="crop", end="\n")


class TerminalRenderer:
    """Lines above, bars below; `color=False` leaves out colour and signs, but keeps the bars."""

    def __init__(self, stream: TextIO, *, color: bool = True) -> None:
        self._console = Console(
            file=stream, no_color=not color, highlight=False, emoji=False, markup=False
        )
        self._output = Output(stream)
        self._unicode = can_show_signs(stream)
        self._signs = color and self._unicode
        self._bars = Bars()
        self._bounded = Bounded(self._console.get_time, period=PERIOD, sample=SAMPLE)
        self._live: Live | None = None
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Render an event; may be called from any thread."""
        with self._lock:
            if self._output.broken:
                return
            try:
                self._render(event)
            except BrokenPipeError:
                self._output.give_up()

    def _render(self, event: Event) -> None:
        if event.code == "progress":
            self._bars.running[migration_of(event)] = dict(event.data)
            self._show_bars()
            return
        if event.code in ENDS:
            self._bars.running.pop(migration_of(event), None)
            self._hide_idle_bars()
        if event.code == "batch" and not is_one_of_few(event):
            return
        for shown in self._bounded.admit(event):
            self._print(shown)

    def _print(self, event: Event) -> None:
        if event.code == "plan":
            self._print_table(event)
        text = wrapped(line(event, signs=self._signs), self._console.width)
        self._console.print(Text(text, style=STYLES[event.message.level]), soft_wrap=True)

    def _print_table(self, event: Event) -> None:
        table = PlanTable.of(plan_of(event))
        if table.rows:
            width = self._console.width
            laid = plan_table(table, width=width, signs=self._signs, lines=self._unicode)
            self._console.print()
            self._console.print(laid)
            self._console.print()

    def _show_bars(self) -> None:
        if self._live is None:
            self._live = Live(
                self._bars, console=self._console, transient=True, refresh_per_second=4
            )
            self._live.start()

    def _hide_idle_bars(self) -> None:
        if self._live is not None and not self._bars.running:
            self._live.stop()
            self._live = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Take the bars away and say what was left out."""
        with self._lock:
            self._bars.running.clear()
            self._hide_idle_bars()
            for shown in self._bounded.rest():
                self._print(shown)


def wrapped(text: str, width: int) -> str:
    """The text with line ends before the words that would cross the edge of the window."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}"
        if lines[-1] and cell_len(longer) > width and cell_len(word) <= width:
            lines.append(word)
        else:
            lines[-1] = longer if lines[-1] else word
    return "\n".join(lines)
