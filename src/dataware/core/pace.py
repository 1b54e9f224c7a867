"""Holds calls back to so many a second, for services whose quotas other people need, too; pure."""

from __future__ import annotations

from dataware.core.ports import Clock

BURST_SECONDS = 1.0
"""What may be sent at once after a pause: as much as in this time."""


class Pace:
    """At most `per_second` calls a second on the whole, for any number of callers of one loop."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._interval = 1 / per_second
        self._free_at = clock.monotonic() - BURST_SECONDS

    async def wait(self) -> None:
        """Wait until the next call may be sent."""
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now - BURST_SECONDS) + self._interval
        if (ahead := self._free_at - now) > 0:
            await self._clock.sleep(ahead)
