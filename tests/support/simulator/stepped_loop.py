"""An event loop that takes no step by itself, so that a seed decides what happens between two.

It has the time of a world, and no thread and no socket: whoever drives it lets everything run that
can, and then answers a request or lets time pass. Loops of several processes may be driven in turn,
also one in the middle of a step of another.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import count
from typing import Any


class SteppedLoop:
    """What tasks, futures and timers of asyncio ask of their loop."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._ready: deque[Any] = deque()
        self._timers: list[tuple[float, int, Any]] = []
        self._numbers = count()
        self._self: Any = self

    def time(self) -> float:
        """Seconds of the world."""
        return self._seconds()

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """As far as those are concerned who ask."""
        return True

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call it in the next step."""
        handle = asyncio.Handle(callback, args, self._self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it after some seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it at a time."""
        handle = asyncio.TimerHandle(when, callback, args, self._self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        """It stays where it is, and is passed over."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self._self)

    def create_task(
        self,
        work: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        """A task of this loop."""
        return asyncio.Task(work, loop=self._self, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody waited for is that of a process that was killed."""

    @property
    def next_due(self) -> float | None:
        """When the next timer is due."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def take_steps(self) -> None:
        """Let everything run that can, until all of it waits."""
        around, hooks = asyncio._get_running_loop(), sys.get_asyncgen_hooks()
        asyncio._set_running_loop(self._self)
        # What a killed process was reading ends where it is.
        sys.set_asyncgen_hooks(firstiter=None, finalizer=lambda _generator: None)
        try:
            while True:
                while (due := self.next_due) is not None and due <= self.time():
                    self._ready.append(heapq.heappop(self._timers)[2])
                if not self._ready:
                    return
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(around)
            sys.set_asyncgen_hooks(*hooks)
