"""What holds a copy back: a rate that follows throttling."""

from __future__ import annotations

import asyncio

from dataware.core.pace import Pace
from dataware.core.ports import Clock

BURST_SECONDS = 0.1
WINDOW_SECONDS = 1.0

UNSEEN_RATE = 100.0
"""Units a second from which a gate slows down that has let nothing through yet."""


class Gate:
    """Lets units through no faster than its pace allows; used from one event loop."""

    def __init__(self, clock: Clock, ceiling: float | None = None) -> None:
        self._clock = clock
        self._pace = Pace(ceiling=ceiling)
        self.limit = ceiling
        """Units a second that pass now; None without a limit."""
        self._next = float("-inf")
        self._window_start = clock.monotonic()
        self._window_units = 0.0
        self._observed = 0.0
        self._turn = asyncio.Lock()

    def passed(self, units: float) -> bool:
        """Let `units` pass if nothing holds them back now; False where they have to `take`."""
        if self.limit is not None or self._turn.locked():
            return False
        self._observe(units, self._clock.monotonic())
        return True

    async def take(self, units: float) -> None:
        """Wait until `units` may pass, by the rate that holds when their turn comes."""
        if self.passed(units):
            return
        async with self._turn:
            if (delay := self._delay(units)) > 0:
                await self._clock.sleep(delay)

    def _delay(self, units: float) -> float:
        """Count `units` in, and tell for how many seconds they have to wait."""
        now = self._clock.monotonic()
        self._observe(units, now)
        limit = self.limit
        if limit is None or units <= 0:
            return 0.0
        start = max(self._next, now - BURST_SECONDS)
        self._next = start + units / limit
        return start - now

    def throttled(self) -> None:
        """Slow down after a throttled answer."""
        now = self._clock.monotonic()
        elapsed = max(now - self._window_start, BURST_SECONDS)
        seen = max(self._observed, self._window_units / elapsed)
        self._go_at(self._pace.throttled(seen or UNSEEN_RATE, now))

    def _observe(self, units: float, now: float) -> None:
        elapsed = now - self._window_start
        if elapsed >= WINDOW_SECONDS:
            self._observed = self._window_units / elapsed
            self._window_start, self._window_units = now, 0.0
            self._go_at(self._pace.calm(self._observed, now))
        self._window_units += units

    def _go_at(self, pace: Pace) -> None:
        self._pace, self.limit = pace, pace.limit
