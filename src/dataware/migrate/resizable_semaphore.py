"""How many may be at something at once, where that number changes meanwhile. For one event loop."""

from __future__ import annotations

import asyncio
from collections import deque


class ResizableSemaphore:
    """Lets at most `most` through at once, in the order in which they came.

    Where it becomes smaller, those inside stay, and nobody follows until there are few enough.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def pass_through(self) -> bool:
        """Go in if there is room and nobody waits; whether that was so."""
        if self._inside < self._most and not self._waiting:
            self._inside += 1
            return True
        return False

    async def enter(self) -> None:
        """Wait for a turn, behind those who wait already."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    async def __aenter__(self) -> None:
        """Go in, or wait for a turn."""
        if not self.pass_through():
            await self.enter()

    async def __aexit__(self, *_error: object) -> None:
        """Let the next one in."""
        self.leave()

    def leave(self) -> None:
        """Let the next one in."""
        self._inside -= 1
        self._admit()

    def resize(self, most: int) -> None:
        """Let another number in from now on."""
        self._most = most
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._inside < self._most:
            turn = self._waiting.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)
