"""Fakes for the copy engine: a source and target in memory, a journal in memory, a clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from dataware.core.copier import CopyOutcome, PageBound, Rates, Unit, UnitPage, no_page_bound
from dataware.core.errors import LookupFailedError
from dataware.core.events import Event
from dataware.core.model import Size


class MemoryJournal:
    """A journal that keeps its records in a list; `full` makes the disk full at a record."""

    def __init__(self) -> None:
        self.kept: list[Mapping[str, Any]] = []

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Every record."""
        return iter(list(self.kept))

    def append(self, *records: Mapping[str, Any]) -> None:
        """Keep records."""
        self.kept.extend(records)

    def restart(self) -> None:
        """Forget every record."""
        self.kept.clear()

    def close(self) -> None:
        """Nothing to release."""


class LoopClock:
    """The event loop's own time, so that a test waits no longer than it must."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        return self.monotonic()

    def monotonic(self) -> float:
        """Seconds of the loop, or zero outside of one."""
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Killed(BaseException):
    """The process is gone: nothing that handles errors may see this as one."""


class MemoryCopier:
    """Copies keys between two dictionaries, partition by partition, two keys a unit.

    `before_write` runs before each write and may raise; `pages` counts what was read.
    """

    def __init__(
        self,
        source: Mapping[str, Sequence[str]],
        target: dict[str, int],
        before_write: Callable[[Unit], None] = lambda _unit: None,
    ) -> None:
        self.source = source
        self.target = target
        self.before_write = before_write
        self.pages: list[tuple[str, str | None]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.capacity = Rates()

    async def size(self) -> Size:
        """Everything, exactly."""
        return Size(sum(len(keys) for keys in self.source.values()), 0)

    async def rates(self) -> Rates:
        """The capacity that the test has set."""
        return self.capacity

    async def partitions(self) -> Sequence[str]:
        """The keys of the source."""
        return list(self.source)

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage]:
        """Pages of four keys; the cursor is the number of keys before it."""
        keys = self.source[partition]
        start = int(after or 0)
        while True:
            self.pages.append((partition, str(start)))
            await asyncio.sleep(0)
            chunk, start = keys[start : start + 4], start + 4
            units = tuple(
                Unit(chunk[i : i + 2], len(chunk[i : i + 2]), 10) for i in (0, 2) if chunk[i:]
            )
            last = start >= len(keys)
            yield UnitPage(units, None if last else str(start))
            if last:
                return

    async def write(self, unit: Unit) -> CopyOutcome:
        """Count every write of a key in the target."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            self.before_write(unit)
            for key in unit.payload:
                self.target[key] = self.target.get(key, 0) + 1
            return CopyOutcome(copied=unit.items, bytes=unit.bytes)
        finally:
            self.in_flight -= 1


def failing_after(writes: int, error: BaseException) -> Callable[[Unit], None]:
    """A hook that lets `writes` writes through and then always raises."""
    seen = iter(range(writes))

    def hook(_unit: Unit) -> None:
        if next(seen, None) is None:
            raise error

    return hook


def cannot_see() -> LookupFailedError:
    """A service that failed for good."""
    return LookupFailedError("the service is gone")


class Events(list[Event]):
    """Collects events; `codes` and `texts` are what tests ask for."""

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self.append(event)

    @property
    def codes(self) -> list[str]:
        """The codes, in order."""
        return [event.code for event in self]

    def texts(self, code: str) -> list[str]:
        """The lines of one code, in order."""
        return [event.text() for event in self if event.code == code]
