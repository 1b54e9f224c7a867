"""The real clock behind the Clock port."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Time as the machine tells it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    monotonic = staticmethod(time.monotonic)
    """Seconds that never go back; asked so often that a call in between would count."""

    async def sleep(self, seconds: float) -> None:
        """Wait without holding a thread."""
        await asyncio.sleep(seconds)
