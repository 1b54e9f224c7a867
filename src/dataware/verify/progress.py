"""Tells how far a verification is, so that a large one does not look hung."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from dataware.calc.highest_counts import HighestCounts
from dataware.calc.rate import RateEstimator, rough
from dataware.core.events import event, format_count
from dataware.core.ports import Clock, Emit

QUIET_SECONDS = 1.0
"""A verification that is over sooner reports no progress."""

TICK_SECONDS = 0.25


class VerifyProgress:
    """The progress of one verification, as events; `read` may be called from any thread.

    `total` is how many records one side has, None if that is not known; `words` are fields that
    every event carries. `publish` is given how far it is, for the marker. `highest` is what earlier
    rounds of the same migration have reported.
    """

    def __init__(
        self,
        words: Mapping[str, object],
        unit: str,
        total: int | None,
        clock: Clock,
        emit: Emit,
        *,
        publish: Callable[[Mapping[str, object]], None] = lambda _detail: None,
        highest: HighestCounts | None = None,
    ) -> None:
        self._words = words
        self._unit = unit
        self._total = total
        self._clock = clock
        self._emit = emit
        self._publish = publish
        self._highest = highest or HighestCounts()
        self._lock = threading.Lock()
        self.begin(1)

    def begin(self, sides: int) -> None:
        """Another reading begins, which counts the records of one side or of both."""
        with self._lock:
            self._sides = sides
            self._read = 0
            now = self._clock.monotonic()
            self._speed = RateEstimator(now)
            self._ticked = now + QUIET_SECONDS - TICK_SECONDS

    def read(self, count: int) -> None:
        """Count records that were read, and report progress if it is time to."""
        with self._lock:
            self._read += count
            now = self._clock.monotonic()
            if now - self._ticked < TICK_SECONDS:
                return
            self._ticked = now
            self._speed.observe(now, self._read)
            figures = self._far()
        self._publish({"phase": "verifying", "throttled": 0, "retries": 0, "reason": "", **figures})
        seconds_left = figures["seconds_left"]
        self._emit(
            event(
                "verify-progress",
                phase="verifying",
                progress=self._in_words(figures),
                eta=rough(seconds_left),
                seconds_left=seconds_left,
                **{name: figures[name] for name in ("done", "total", "exact", "rate", "unit")},
                **self._words,
            )
        )

    def _far(self) -> dict[str, Any]:
        """How far it is, in records of one side; a total of zero is none.

        Another reading counts again, but what was told does not go down.
        """
        done = max(self._highest.compared, self._read // self._sides)
        self._highest.compared, rate = done, self._speed.rate
        total = self._total if self._total and done <= self._total else 0
        seconds_left = self._speed.seconds_left(total * self._sides - self._read) if total else None
        return {
            "done": done,
            "total": total,
            "exact": bool(total),
            "unit": self._unit,
            "rate": round(rate / self._sides, 1),
            "seconds_left": None if seconds_left is None else round(seconds_left),
        }

    def _in_words(self, figures: Mapping[str, Any]) -> str:
        of = f"{figures['done']:,} of " if figures["total"] else ""
        amount = format_count(figures["total"] or figures["done"], self._unit)
        remaining = f", {rough(figures['seconds_left'])} left" if figures["total"] else ""
        return f"{of}{amount}, {figures['rate']:,.0f}/s{remaining}"
