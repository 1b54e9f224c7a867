"""A terminal: coloured lines, and below them one live bar for each migration.

Lines are wrapped between words, so that a name is never broken unless it is wider than the window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock
from typing import Self, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from dataware.core.events import Event, Level
from dataware.report.event_sampler import (
    BARS,
    LOOK,
    PHASE,
    EventSampler,
    is_one_of_few,
)
from dataware.report.fit import Fit
from dataware.report.line import can_show_signs, line
from dataware.report.output import Output
from dataware.report.plain import PERIOD, SAMPLE
from dataware.report.plan_digest import plan_digest
from dataware.report.run_progress import RunProgress
from dataware.report.table import PlanTable, plan_of
from dataware.report.table_terminal import plan_table
from dataware.report.wrapping import wrap_text

STYLES = {
    Level.INFO: "",
    Level.SUCCESS: "green",
    Level.CHANGE: "cyan",
    Level.PROGRESS: "dim",
    Level.WARNING: "yellow",
    Level.FAILURE: "bold red",
    Level.DETAIL: "dim",
}

MOST_BARS = 10
"""Bars at a time; how many more there are is told below them."""


class ProgressBars:
    """What the live area shows: the progress of every migration that has not ended, and of all."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._progress = RunProgress()
        self.drawn: Sequence[str] = ()

    def take(self, happened: Event) -> None:
        """Progress, the beginning of a phase, or an end."""
        self._progress.take(happened, self._seconds())

    def clear(self) -> None:
        """All have ended."""
        self._progress.clear()

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return bool(self._progress)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One line for each bar, never wider or, all together, higher than the window."""
        most = max(1, min(MOST_BARS, console.height - 2))
        lines = list(self._progress.lines(self._seconds(), options.max_width - 1, most))
        self.drawn = [text for text, _ in lines]
        for text, waits in lines:
            yield Text(text, style="dim" if waits else "cyan", no_wrap=True, overflow="crop")


class ReflowingLive(Live):
    """A live area that is erased as a whole also after the window has become narrower.

    Terminals wrap what stands there already, so that it takes more lines than were drawn.
    """

    def __init__(self, bars: ProgressBars, console: Console) -> None:
        super().__init__(bars, console=console, transient=True, refresh_per_second=4)
        self._bars = bars
        bars.drawn = ()

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Put the area below what is printed, and first erase where it stands."""
        width = max(1, self.console.width)
        wrapped = sum((cell_len(text) - 1) // width for text in self._bars.drawn if text)
        # rich erases as many lines as it drew; those that wrapping added come on top.
        added = Control(*((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)) * wrapped)
        return [added, *super().process_renderables(renderables)]


class TerminalRenderer:
    """Lines above, bars below; `color=False` leaves out colour and signs, but keeps the bars."""

    def __init__(self, stream: TextIO, *, color: bool = True, full: bool = False) -> None:
        """Write to `stream`; a `full` plan shows the facts of every resource."""
        self._full = full
        self._console = Console(
            file=stream, no_color=not color, highlight=False, emoji=False, markup=False
        )
        self._output = Output(stream)
        self._unicode = can_show_signs(stream)
        self._signs = color and self._unicode
        self._bars = ProgressBars(self._console.get_time)
        self._bounded = EventSampler(self._console.get_time, period=PERIOD, sample=SAMPLE)
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
        self._bars.take(event)
        if event.code in BARS or event.code in (PHASE, LOOK):
            self._show_bars()
            return
        self._hide_idle_bars()
        if event.code == "batch" and not is_one_of_few(event):
            return
        for each in self._bounded.admit(event):
            self._print(each)

    def _print(self, event: Event) -> None:
        if event.code == "plan":
            self._print_table(event)
        text = wrap_text(line(event, signs=self._signs), self._console.width)
        self._console.print(Text(text, style=STYLES[event.message.level]), soft_wrap=True)

    def _print_table(self, event: Event) -> None:
        width = self._console.width
        if self._full:
            table = PlanTable.of(plan_of(event))
            laid = plan_table(table, width=width, signs=self._signs, lines=self._unicode)
            parts = [laid] if table.rows else []
        else:
            digest = plan_digest(plan_of(event), Fit(width, ascii=not self._unicode))
            parts = [Text("\n").join(Text.assemble(*line) for line in digest)]
            parts = [part for part in parts if part]
        for part in parts:
            self._console.print()
            self._console.print(part, soft_wrap=not self._full)
            self._console.print()

    def _show_bars(self) -> None:
        if self._live is None:
            self._live = ReflowingLive(self._bars, self._console)
            self._live.start()

    def _hide_idle_bars(self) -> None:
        if self._live is not None and not self._bars:
            self._live.stop()
            self._live = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Take the bars away and say what was left out."""
        with self._lock:
            self._bars.clear()
            self._hide_idle_bars()
            for each in self._bounded.rest():
                self._print(each)
