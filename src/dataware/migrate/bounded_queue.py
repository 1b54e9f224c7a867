"""What has been read and waits to be written: bounded, first in first out; for one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

ROOM = 0.75
"""How full the backlog may be when readers are woken; waking them for each place costs more."""


class BoundedQueue(Generic[T]):
    """Jobs between readers and writers, with a bound on all that are not done yet.

    At most `units` jobs, and `size` bytes of them, are held at once, those under way included. A
    job that is larger than the whole bound is held alone.
    """

    def __init__(self, units: int, size: int) -> None:
        self._most_units, self._most_bytes = units, size
        self._few_units = ROOM * units
        self._jobs: deque[T] = deque()
        self._units = 0
        self._bytes = 0
        self._idle: deque[asyncio.Future[None]] = deque()
        self._blocked: list[asyncio.Future[None]] = []
        self._ended = False

    def resize(self, units: int, size: int) -> None:
        """Hold another number of jobs and bytes at most from now on; those held already stay."""
        self._most_units, self._most_bytes = units, size
        self._few_units = ROOM * units
        self._wake_blocked()

    async def put(self, jobs: Iterable[tuple[T, int]]) -> None:
        """Hold jobs with their sizes, each as soon as it fits; none once the backlog has ended."""
        for job, size in jobs:
            while not self._ended and self._units and not self._fits(size):
                await self._turn(self._blocked)
            if self._ended:
                return
            self._units += 1
            self._bytes += size
            self._jobs.append(job)
            if self._idle:
                _wake(self._idle.popleft())

    def next(self) -> T | None:
        """The next job, if there is one already."""
        return self._jobs.popleft() if self._jobs else None

    async def get(self) -> T | None:
        """The next job; None once there will be no more."""
        while not self._jobs:
            if self._ended:
                return None
            await self._turn(self._idle)
        return self._jobs.popleft()

    async def get_within(
        self, share: float, reach: Callable[[T], int | None] = lambda _job: None
    ) -> T | None:
        """As `get`, but the job that stands at a share (0 to 1) of those that wait.

        `reach` answers, by the first of them, how many count at most.
        """
        job = await self.get()
        if job is None:
            return None
        most = reach(job)
        at = int(share * min(len(self._jobs), len(self._jobs) if most is None else most))
        if not at:
            return job
        other, self._jobs[at] = self._jobs[at], job
        return other

    def done(self, size: int) -> None:
        """A job of `size` bytes is no longer held."""
        self._units -= 1
        self._bytes -= size
        # Looked at here, too, because it is asked for each job while readers wait.
        if self._blocked and self._units <= self._few_units:
            self._wake_blocked()

    def _wake_blocked(self) -> None:
        if not self._units or self._has_room():
            blocked, self._blocked = self._blocked, []
            for future in blocked:
                _wake(future)

    def close(self) -> None:
        """No more jobs come; those that are held are still to be done."""
        self._ended = True
        for future in (*self._idle, *self._blocked):
            _wake(future)

    def drop(self) -> None:
        """Close, and forget the jobs that nobody has begun."""
        self._jobs.clear()
        self.close()

    def _fits(self, size: int) -> bool:
        return self._units < self._most_units and self._bytes + size <= self._most_bytes

    def _has_room(self) -> bool:
        return self._units <= self._few_units and self._bytes <= ROOM * self._most_bytes

    @staticmethod
    async def _turn(queue: deque[asyncio.Future[None]] | list[asyncio.Future[None]]) -> None:
        future = asyncio.get_running_loop().create_future()
        queue.append(future)
        await future


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
