"""Plain lines: for pipes, for CI, and for people who ask for them.

Nothing here moves the cursor. Lines of progress come at a bounded rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import RLock
from typing import Self, TextIO

from dataware.core.events import Event
from dataware.report.bounded import Bounded
from dataware.report.line import can_show_signs, line
from dataware.report.output import Output

PERIOD = 10.0
SAMPLE = 100


class PlainRenderer:
    """One line for each event that deserves one; with signs unless they are unwanted."""

    def __init__(
        self, stream: TextIO, *, signs: bool = True, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._output = Output(stream)
        self._signs = signs and can_show_signs(stream)
        self._bounded = Bounded(now, period=PERIOD, sample=SAMPLE)
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Render an event; may be called from any thread."""
        with self._lock:
            for shown in self._bounded.admit(event):
                if shown.code == "plan":
                    self._write_table(shown)
                self._output.write(line(shown, signs=self._signs))

    def _write_table(self, event: Event) -> None:
        from dataware.report.table import (  # noqa: PLC0415 - a plan alone has a table
            PlanTable,
            plan_of,
            stacked,
        )

        for text in stacked(PlanTable.of(plan_of(event))):
            self._output.write(text)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Say what was left out."""
        for shown in self._bounded.rest():
            self._output.write(line(shown, signs=self._signs))
