"""How many may be at something at once; the others wait in line. For one event loop.

asyncio's semaphore cannot be closed: who waits would begin when those under way are given up.
"""

from __future__ import annotations

import asyncio
from collections import deque


class ClosableSemaphore:
    """A number of slots; who has one gives it back."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._waiting: deque[asyncio.Future[None]] = deque()

    def taken(self) -> bool:
        """Take a slot if there is one that nobody waits for; whether that was so."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def take(self) -> None:
        """Wait for a slot, behind those who wait already."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Let the first who waits have the slot."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self._free += 1

    def close(self) -> None:
        """Cancel everyone who waits."""
        while self._waiting:
            self._waiting.popleft().cancel()
