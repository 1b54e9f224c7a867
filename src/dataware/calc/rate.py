"""How fast something goes and how long it takes yet: a calculator that has no clock.

The rate is a mean in which a moment counts the less the longer it is past. So it follows a service
that slows down, and the time that is left does not jump with every page.
"""

from __future__ import annotations

import math

MEMORY_SECONDS = 20.0
"""Seconds after which a moment counts about a third of what it counted."""


class RateEstimator:
    """Takes in how much was done when; moments are in seconds and never go back."""

    def __init__(self, at: float, done: int = 0) -> None:
        self._at = at
        self._done = done
        self._mean = self._weight = 0.0

    def observe(self, at: float, done: int) -> None:
        """So much was `done` by the moment `at`."""
        elapsed = at - self._at
        if elapsed <= 0:
            return
        weight = math.exp(-elapsed / MEMORY_SECONDS)
        self._mean = self._mean * weight + (done - self._done) / elapsed * (1 - weight)
        self._weight = self._weight * weight + (1 - weight)
        self._at, self._done = at, done

    @property
    def rate(self) -> float:
        """How much is done in a second; zero before anything was seen."""
        return self._mean / self._weight if self._weight else 0.0

    def seconds_left(self, remaining: int) -> float | None:
        """How many seconds the rest takes at this rate; None where that cannot be told."""
        return remaining / self.rate if self.rate > 0 else None


UNKNOWN = "unknown time"


def rough(seconds: float | None) -> str:
    """A span of time no finer than it can be foretold, such as "40 s", "3 min 20 s", "5 h 10 min".

    Without one it is "unknown time".
    """
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 60:
        return f"{max(0, math.ceil(seconds))} s"
    if seconds < 595:
        return _two(round(seconds / 10) * 10, 60, "min", "s")
    if seconds < 3570:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return _two(round(seconds / 600) * 10, 60, "h", "min")
    return f"{round(seconds / 86400):,} days"


def format_tenths(seconds: float) -> str:
    """A span of time that was measured, to a tenth of a second: "12.3 s", "2 min 05.1 s"."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    if not minutes:
        return f"{rest / 10:.1f} s"
    hours, minutes = divmod(minutes, 60)
    whole = f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"
    return f"{whole} {rest / 10:04.1f} s"


def _two(amount: int, each: int, large: str, small: str) -> str:
    whole, rest = divmod(amount, each)
    return f"{whole} {large} {rest:02} {small}" if rest else f"{whole} {large}"
