"""What holds a copy back: a rate that follows throttling, and a budget of what is in flight."""

from __future__ import annotations

import asyncio

from dataware.core.pace import Pace
from dataware.core.ports import Clock

BURST_SECONDS = 0.1
WINDOW_SECONDS = 1.0


class Gate:
    """Lets units through no faster than its pace allows; used from one event loop."""

    def __init__(self, clock: Clock, ceiling: float | None = None) -> None:
        self._clock = clock
        self._pace = Pace(ceiling=ceiling)
        self._next = float("-inf")
        self._window_start = clock.monotonic()
        self._window_units = 0.0
        self._observed = 0.0

    @property
    def limit(self) -> float | None:
        """Units a second that pass now; None without a limit."""
        return self._pace.limit

    async def take(self, units: float) -> None:
        """Wait until `units` may pass."""
        now = self._clock.monotonic()
        self._observe(units, now)
        limit = self._pace.limit
        if limit is None or units <= 0:
            return
        start = max(self._next, now - BURST_SECONDS)
        self._next = start + units / limit
        if start > now:
            await self._clock.sleep(start - now)

    def throttled(self) -> None:
        """Slow down after a throttled answer."""
        now = self._clock.monotonic()
        elapsed = max(now - self._window_start, BURST_SECONDS)
        self._pace = self._pace.throttled(
            max(self._observed, self._window_units / elapsed, 1.0), now
        )

    def _observe(self, units: float, now: float) -> None:
        elapsed = now - self._window_start
        if elapsed >= WINDOW_SECONDS:
            self._observed = self._window_units / elapsed
            self._window_start, self._window_units = now, 0.0
            self._pace = self._pace.calm(self._observed, now)
        self._window_units += units


class Budget:
    """Bounds how many units, and how many bytes of them, are in flight at once.

    A unit that is larger than the whole budget passes alone.
    """

    def __init__(self, units: int, size: int) -> None:
        self._units = units
        self._bytes = size
        self._in_flight = 0
        self._held = 0
        self._changed = asyncio.Condition()

    async def acquire(self, size: int) -> None:
        """Wait for a place for a unit of `size` bytes."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._fits(size))
            self._in_flight += 1
            self._held += size

    async def give_back(self, size: int) -> None:
        """Free the place of a unit of `size` bytes."""
        async with self._changed:
            self._in_flight -= 1
            self._held -= size
            self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        alone = self._in_flight == 0
        return alone or (self._in_flight < self._units and self._held + size <= self._bytes)
