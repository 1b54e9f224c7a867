"""Limits how fast a copy writes: below a ceiling, and slower after throttling.

How it works. Time is handed out: `_next` is the moment from which the next units may pass, and N
units at a limit of L a second move it by N / L. Who takes units waits until their moment.

    limit 100 a second, three batches of 25 units arrive together at t = 0
    batch      passes at     _next afterwards
    first      0.00 s        0.25 s
    second     0.25 s        0.50 s
    third      0.50 s        0.75 s

Unused time is kept for a tenth of a second only, so that a pause is not followed by a burst. What
passed is counted in windows of a second: a throttled answer cuts the limit to 70 % of what really
passed (`calc.adaptive_rate`), a calm window raises it again. Without a limit nobody waits, and
`passed` answers at once, for the hot path.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from dataware.calc.adaptive_rate import AdaptiveRate
from dataware.core.ports import Clock

BURST_SECONDS = 0.1
WINDOW_SECONDS = 1.0

HELD_SHARE = 0.5
"""The share of a time in which somebody has to wait for a gate to be what holds a copy back."""

UNSEEN_RATE = 100.0
"""Units a second from which a gate slows down that has let nothing through yet."""


class RateLimiter:
    """Lets units through no faster than its pace allows; used from one event loop.

    `upfront` makes units wait for their own time and not only for that of those before them, so
    that the pace is kept from the first moment on.
    """

    def __init__(
        self, clock: Clock, ceiling: float | None = None, *, upfront: bool = False
    ) -> None:
        self._clock = clock
        self._pace = AdaptiveRate(ceiling=ceiling)
        self.limit = ceiling
        """Units a second that pass now; None without a limit."""
        self._upfront = upfront
        self._next: float | None = None
        self._window_start = clock.monotonic()
        self._window_units = 0.0
        self._observed = 0.0
        self._turn = asyncio.Lock()
        self._takers = 0
        self._waited = 0.0
        self._waiting_until = float("-inf")
        self._looked = self._window_start, 0.0
        self._holds = False

    def passed(self, units: float) -> bool:
        """Let `units` pass if nothing holds them back now; False where they have to `take`."""
        if self.limit is not None or self._takers:
            return False
        self._observe(units, self._clock.monotonic())
        return True

    async def take(self, units: float) -> None:
        """Wait until `units` may pass, by the rate that holds when their turn comes."""
        if self.passed(units):
            return
        self._takers += 1
        try:
            async with self._turn:
                if (delay := self._delay(units)) > 0:
                    self._waited += delay
                    self._waiting_until = self._clock.monotonic() + delay
                    await self._clock.sleep(delay)
        finally:
            self._takers -= 1

    def holds(self) -> bool:
        """Whether the ceiling is what holds the takers back, by the time between two looks.

        They wait one after another, so the time of their waits is a share of all time. A gate that
        throttling keeps below its ceiling holds by no will of the user's.
        """
        now = self._clock.monotonic()
        since, before = self._looked
        if (elapsed := now - since) >= WINDOW_SECONDS:
            waited = self._waited - max(0.0, self._waiting_until - now)
            at_ceiling = self.limit is not None and self.limit == self._pace.ceiling
            self._holds = at_ceiling and waited - before >= HELD_SHARE * elapsed
            self._looked = now, waited
        return self._holds

    def _delay(self, units: float) -> float:
        """Count `units` in, and tell for how many seconds they have to wait."""
        now = self._clock.monotonic()
        self._observe(units, now)
        limit = self.limit
        if limit is None or units <= 0:
            return 0.0
        start = now if self._next is None else max(self._next, now - BURST_SECONDS)
        self._next = start + units / limit
        return (self._next if self._upfront else start) - now

    def bound(self, ceiling: float | None) -> None:
        """Let another ceiling hold from now on."""
        self._go_at(replace(self._pace, ceiling=ceiling))

    def slow_down(self) -> None:
        """Slow down after a throttled answer."""
        now = self._clock.monotonic()
        elapsed = max(now - self._window_start, BURST_SECONDS)
        rate = max(self._observed, self._window_units / elapsed)
        self._go_at(self._pace.after_throttle(rate or UNSEEN_RATE, now))

    def _observe(self, units: float, now: float) -> None:
        elapsed = now - self._window_start
        if elapsed >= WINDOW_SECONDS:
            self._observed = self._window_units / elapsed
            self._window_start, self._window_units = now, 0.0
            self._go_at(self._pace.calm(self._observed, now))
        self._window_units += units

    def _go_at(self, pace: AdaptiveRate) -> None:
        self._pace, self.limit = pace, pace.limit
