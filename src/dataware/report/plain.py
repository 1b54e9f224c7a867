"""Plain lines: for pipes, for CI, and for people who ask for them.

Nothing here moves the cursor. Lines of progress come at a bounded rate. On a terminal lines are
broken between words; in a pipe an event is one line, however long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from threading import RLock
from typing import Any, Self, TextIO

from dataware.core.events import Event, Level
from dataware.report.event_sampler import BARS, PHASE, EventSampler
from dataware.report.line import can_show_signs, line
from dataware.report.output import Output

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
        self._names: set[object] = set()
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Render an event; may be called from any thread."""
        with self._lock:
            if event.code == PHASE or event.code in BARS:
                self._names.add(event.data.get("name"))
            for each in self._bounded.admit(event):
                if each.code == "plan":
                    self._write_plan(_plan_of(each))
                if each.code == "fleet":
                    self._write_matrix(each)
                self._write(each)

    def _write(self, event: Event) -> None:
        text = line(event, signs=self._signs)
        if event.code in NAMELESS and len(self._names) > 1:
            text = line(_with_name(event), signs=self._signs)
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


def _with_name(happened: Event) -> Event:
    """Progress with the name of its resource, which a run of several has to tell."""
    message = happened.message
    return replace(happened, message=replace(message, template=f"{{name}}: {message.template}"))


def _plan_of(event: Event) -> Mapping[str, Any]:
    from dataware.report.table import plan_of  # noqa: PLC0415 - a plan alone needs it

    return plan_of(event)
