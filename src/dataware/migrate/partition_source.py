"""Where readers get their partitions: from what remains, or from another process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from dataware.migrate.copy_state import CopyState, PartitionLease


class PartitionSource(Protocol):
    """Hands out each partition once."""

    async def take(self) -> PartitionLease | None:
        """The next partition; None once there will be no more."""
        ...

    def close(self) -> None:
        """Hand out nothing more, also to those who wait."""
        ...


class LocalPartitions:
    """The partitions that are not finished yet, of a copy by one process."""

    def __init__(self, partitions: Iterable[PartitionLease]) -> None:
        self._rest = deque(partitions)

    async def take(self) -> PartitionLease | None:
        """The next partition; None once there will be no more."""
        return self.next()

    def next(self) -> PartitionLease | None:
        """The next partition, at once."""
        return self._rest.popleft() if self._rest else None

    def close(self) -> None:
        """Hand out nothing more."""
        self._rest.clear()


class RemotePartitions:
    """Partitions that another process hands out; `ask` tells it that one more is wanted.

    `progress` learns of every partition that was handed out. For one event loop.
    """

    def __init__(self, progress: CopyState, ask: Callable[[], None]) -> None:
        self._progress = progress
        self._ask = ask
        self._waiting: deque[asyncio.Future[PartitionLease | None]] = deque()
        self._closed = False

    async def take(self) -> PartitionLease | None:
        """The next partition; None once there will be no more."""
        if self._closed:
            return None
        future: asyncio.Future[PartitionLease | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._ask()
        return await future

    def give(self, partition: str, cursor: str | None) -> None:
        """The other process answered with a partition; every one of them belongs to a wish."""
        if self._closed:
            return  # nobody reads it any more, and the other process knows what is unfinished
        self._progress.partitions.append(partition)
        if cursor is not None:
            self._progress.cursors[partition] = cursor
        self._waiting.popleft().set_result(PartitionLease(partition, cursor))

    def close(self) -> None:
        """Hand out nothing more, also to those who wait."""
        self._closed = True
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
