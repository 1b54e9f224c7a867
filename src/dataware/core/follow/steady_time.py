"""The time of day without what was set since it was first asked for.

By it keys wait for what may arrive yet: a clock that is set forward must not shorten that.
"""

from __future__ import annotations

from collections.abc import Callable


class SteadyTime:
    """`now` tells the time of day once, and `seconds`, a clock that is never set, what went by."""

    def __init__(self, now: Callable[[], float], seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._began = now(), seconds()

    def now(self) -> float:
        """Seconds since the epoch, as the clock had them at first, and what went by since."""
        began, at = self._began
        return began + self._seconds() - at
