"""Plain lines: for pipes, for CI, and for people who ask for them.

Nothing here moves the cursor. Lines of progress come at a bounded rate, and so does the one about
all resources of a run. On a terminal lines are broken between words; in a pipe an event is one
line, however long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any, Self, TextIO

from dataware.core.events import Event, Level, event
from dataware.report.event_sampler import BARS, PHASE, EventSampler
from dataware.report.line import can_show_signs, line
from dataware.report.output import Output
from dataware.report.resource_labels import ResourceLabels

if TYPE_CHECKING:
    from dataware.report.run_progress import RunProgress

PERIOD = 10.0
SAMPLE = 100
NAMELESS = BARS - {"watch-progress"}
"""Codes of progress whose lines do not name the resource."""

COLORS = {
    Level.INFO: "",
    Level.SUCCESS: "32",
    Level.CHANGE: "36",
    Level.PROGRESS: "2",
    Level.WARNING: "33",
    Level.FAILURE: "1;31",
    Level.DETAIL: "2",
}
"""Codes of "select graphic rendition" (ECMA-48) for each level, as on a terminal."""


class PlainRenderer:
    """One line for each event that deserves one; with signs unless they are unwanted."""

    def __init__(
        self,
        stream: TextIO,
        *,
        signs: bool = True,
        color: bool = False,
        columns: int | None = None,
        full: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write to `stream`; a plan is laid out for `columns`, or in lines of any length without.

        A `full` plan shows the facts of every resource.
        """
        self._full = full
        self._output = Output(stream)
        self._color = color
        self._columns = columns
        self._wraps = columns is not None and stream.isatty()
        self._unicode = can_show_signs(stream)
        self._signs = signs and self._unicode
        self._bounded = EventSampler(now, period=PERIOD, sample=SAMPLE)
        self._labels = ResourceLabels()
        self._now = now
        self._progress: RunProgress | None = None
        self._reported_all_at: float | None = None
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Render an event; may be called from any thread."""
        with self._lock:
            self._follow(event)
            for each in self._bounded.admit(event):
                if each.code == "plan":
                    self._write_plan(_plan_of(each))
                if each.code == "fleet":
                    self._write_matrix(each)
                self._write(each)
            self._write_whole()

    def _follow(self, happened: Event) -> None:
        """Keep count of what makes progress; what a plan or a refusal reports does not."""
        moves = happened.code == PHASE or happened.code in BARS
        if moves:
            self._labels.note(happened.data)
        if moves and self._progress is None:
            # Only a run that copies needs what counts it, and that needs rich.
            from dataware.report.run_progress import RunProgress  # noqa: PLC0415 - see above

            self._progress = RunProgress()
        if self._progress is not None:
            self._progress.take(happened, 0.0)  # how long a phase lasts has no line here

    def _write_whole(self) -> None:
        """Tell how far the whole run is, if it has several resources, and it is time to."""
        if self._progress is None or not (text := self._progress.sum_up()):
            return
        now = self._now()
        self._reported_all_at = now if self._reported_all_at is None else self._reported_all_at
        if now - self._reported_all_at >= PERIOD:
            self._reported_all_at = now
            self._write(event("run-progress", progress=text))

    def _write(self, event: Event) -> None:
        text = line(event, signs=self._signs)
        if event.code in NAMELESS and self._labels.several:
            text = line(_with_label(event, self._labels.label(event.data)), signs=self._signs)
        if self._wraps and self._columns is not None:
            from dataware.report.wrapping import wrap_text  # noqa: PLC0415 - for a terminal only

            text = wrap_text(text, self._columns)
        code = COLORS[event.message.level] if self._color else ""
        self._output.write(f"\x1b[{code}m{text}\x1b[0m" if code else text)

    def _write_matrix(self, event: Event) -> None:
        from dataware.report.fit import Fit  # noqa: PLC0415 - a fleet alone has a matrix
        from dataware.report.fleet_table import fleet_lines  # noqa: PLC0415 - see above

        matrix: Any = event.data["matrix"]
        for text in fleet_lines(matrix, Fit(self._columns, ascii=not self._signs)):
            self._output.write(text)

    def _write_plan(self, plan: Mapping[str, Any]) -> None:
        for text in self._full_plan(plan) if self._full else self._short_plan(plan):
            self._output.write(text)

    def _short_plan(self, plan: Mapping[str, Any]) -> Iterator[str]:
        # A plan alone needs what lays it out.
        from dataware.report.fit import Fit  # noqa: PLC0415 - see above
        from dataware.report.plan_digest import plan_digest  # noqa: PLC0415 - see above

        digest = plan_digest(plan, Fit(self._columns, ascii=not self._signs))
        if self._color:
            from dataware.report.table_terminal import color_lines  # noqa: PLC0415 - see above

            return color_lines(digest)
        return ("".join(text for text, _ in line).rstrip() for line in digest)

    def _full_plan(self, plan: Mapping[str, Any]) -> Iterator[str]:
        from dataware.report.table import (  # noqa: PLC0415 - a plan alone has a table
            PlanTable,
            stack_rows,
        )

        table = PlanTable.of(plan)
        if self._columns is None:
            return stack_rows(table)
        if not table.rows:
            return iter(())
        # rich is only worth its start-up time where the width is known.
        from dataware.report.table_terminal import laid_out  # noqa: PLC0415 - see above

        return laid_out(
            table,
            width=self._columns,
            signs=self._signs,
            lines=self._unicode and self._signs,
            color=self._color,
        )

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Say what was left out."""
        for each in self._bounded.rest():
            self._write(each)


def _with_label(happened: Event, label: str) -> Event:
    """Progress with what its resource is called, which a run of several has to tell."""
    message = replace(happened.message, template=f"{{label}}: {happened.message.template}")
    return replace(happened, message=message, data={**happened.data, "label": label})


def _plan_of(event: Event) -> Mapping[str, Any]:
    from dataware.report.table import plan_of  # noqa: PLC0415 - a plan alone needs it

    return plan_of(event)
