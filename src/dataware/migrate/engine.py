"""Copies every partition of a source: readers fill a backlog, writers empty it.

The engine knows no service. It ends in one of three ways: everything is accounted for; it was
asked to stop (Incomplete); or something failed for good (the error). In each of them the journal
holds only what the target has acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

from dataware.core.copier import Copier, CopyOutcome, Unit, UnitPage
from dataware.core.ports import Journal
from dataware.core.run_control import NO_CONTROL
from dataware.migrate.bounded_queue import BoundedQueue
from dataware.migrate.checkpoint_writer import CheckpointWriter
from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.first_writes import FEW, PATIENCE_SECONDS, FirstWrites
from dataware.migrate.page_window import PageWindow, PendingPage
from dataware.migrate.partition_source import LocalPartitions, PartitionSource
from dataware.migrate.pausable_wire import LOOK_SECONDS
from dataware.migrate.rate_limiter import RateLimiter
from dataware.migrate.resizable_semaphore import ResizableSemaphore
from dataware.migrate.run_tools import RunTools
from dataware.migrate.supervisor import CopySupervisor, tasks_of

GRACE_SECONDS = 1.0

REPEATED_SECONDS = 1.0
"""Of a copy whose rate is bounded, how much the next run may have to read and compare again."""

BACKLOG = 2
"""Units held for each writer: one under way, and one that is read and waits for it."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Bounds of one copy; rates are in units a second, `max_share` is a fraction of capacity.

    Where several processes share the bounds of a whole, these are one's, and `parts` is their
    number. `trial` ends a copy of which the first writes are all denied. Memory is about
    `bytes_in_flight` plus one page for each of `readers`.
    """

    readers: int = 4
    writers: int = 32
    bytes_in_flight: int = 64 * 1024**2
    max_rate: float | None = None
    max_share: float | None = None
    parts: int = 1
    trial: bool = True


class QueuedUnit(NamedTuple):
    """A unit to write, with the page that it settles and the window of that page.

    A named tuple costs 0.15 µs more than a plain one: 0.3 % of the CPU time for an object.
    """

    window: PageWindow
    page: PendingPage
    unit: Unit[Any]


class Engine:
    """One migration's copy, or one process's part of it; `run` may be called once.

    `leases` hands out the partitions; without it they are those that remain. `sharers` tells how
    many copies share the bounds of a run right now; without it this one has them alone.
    """

    def __init__(
        self,
        copier: Copier[Any],
        tools: RunTools,
        settings: EngineSettings,
        leases: PartitionSource | None = None,
        sharers: Callable[[], int] | None = None,
    ) -> None:
        self._sharers = sharers
        self._sharing = 1
        self._control = NO_CONTROL
        self._reading = ResizableSemaphore(settings.readers)
        self._writing = ResizableSemaphore(settings.writers)
        self._copier = copier
        # A coroutine around that of the copier would count for each object.
        self._write = copier.write if sharers is None else self._write_in_turn
        self._tools = tools
        self._settings = settings
        self._leases = leases
        self._ledger = CheckpointWriter(tools)
        self._backlog: BoundedQueue[QueuedUnit] = BoundedQueue(
            BACKLOG * settings.writers, settings.bytes_in_flight
        )
        self._rate = RateLimiter(tools.clock, settings.max_rate, upfront=True)
        self._read_share = RateLimiter(tools.clock)
        self._write_share = RateLimiter(tools.clock)
        self._trial = FirstWrites() if settings.trial else None
        tools.progress.ceiling = self._binding_limit
        self._watch = CopySupervisor(
            tools, tick=self._tick, on_halt=self._drop, grace=GRACE_SECONDS
        )
        self.adapt()

    @property
    def limit(self) -> float | None:
        """Items or objects a second that may be written now; None without a limit."""
        return self._rate.limit

    def slow_down(self, reason: str) -> None:
        """Slow down, because the service asked for it; safe to call from the event loop."""
        self._tools.progress.count_throttle(reason)
        self._rate.slow_down()

    def _binding_limit(self) -> str:
        """Which bound that a person has set holds the copy back; empty if none does."""
        bounds, control = self._settings, self._control
        if control.is_paused:
            return "paused by `dataware pause`"
        if self._rate.holds() and control.max_rate is not None:
            return f"held at {control.max_rate:,.10g}/s by `dataware throttle`"
        if self._rate.holds():
            rate = (bounds.max_rate or 0) * bounds.parts / self._sharing
            by = "by --max-rate" if self._sharing == 1 else "as its share of --max-rate"
            return f"held at {rate:,.10g}/s {by}"
        for gate, capacity in ((self._read_share, "read"), (self._write_share, "write")):
            if gate.holds():
                share = 100 * (bounds.max_share or 0) * bounds.parts
                return f"held at {share:.3g} % of the {capacity} capacity by --max-share"
        return ""

    def _tick(self) -> None:
        self._ledger.tick()
        self.adapt()

    def adapt(self) -> None:
        """Take an even share of what all copies of the run may take together, or as was asked."""
        sharing, control = self._sharers() if self._sharers else 1, self._tools.read_control()
        if sharing != self._sharing:
            self._sharing = sharing
            self._share_out(sharing)
        elif control == self._control:
            return
        self._control, whole = control, self._settings
        if control.max_rate is not None:
            self._rate.bound(control.max_rate / whole.parts)
        else:
            self._rate.bound(None if whole.max_rate is None else whole.max_rate / sharing)

    def _share_out(self, sharing: int) -> None:
        whole = self._settings
        writers = max(1, whole.writers // sharing)
        self._backlog.resize(BACKLOG * writers, whole.bytes_in_flight // sharing)
        self._reading.resize(max(1, whole.readers // sharing))
        self._writing.resize(writers)

    async def run(self) -> Counts:
        """Copy what is not yet accounted for. Raises Incomplete when asked to stop."""
        leases = await self._prepare()
        writers = self._settings.writers
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._let_in)
        async with self._watch as watch:
            reading = tasks_of(self._drain(leases) for _ in range(self._settings.readers))
            trying = tasks_of(self._try(number / FEW) for number in range(min(FEW, writers)))
            writing = tasks_of(self._work(trial=self._trial) for _ in range(len(trying), writers))
            await watch.join(reading)
            self._backlog.close()
            await watch.join(trying | writing)
            self._end_trial()
        watch.keep(self._ledger.flush)
        return watch.conclude()

    async def _prepare(self) -> PartitionSource:
        if self._leases is None:
            await split(self._copier, self._tools.journal, self._tools.state)
            self._leases = LocalPartitions(self._tools.state.remaining())
        share = self._settings.max_share
        if share is not None:
            rates = await self._copier.rates()
            self._read_share = RateLimiter(
                self._tools.clock, rates.read * share if rates.read else None
            )
            self._write_share = RateLimiter(
                self._tools.clock, rates.write * share if rates.write else None
            )
        return self._leases

    async def _drain(self, leases: PartitionSource) -> None:
        try:
            while (lease := await leases.take()) is not None:
                partition, after = lease
                pages = PageWindow(partition)
                async with aclosing(self._pages(partition, after)) as read:
                    async for page in read:
                        if self._watch.halted:
                            return
                        await self._read_share.take(page.read_units)
                        await self._take_page(pages, page)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._watch.fail(error)

    async def _pages(self, partition: str, after: str | None) -> AsyncGenerator[UnitPage[Any]]:
        """The pages of a partition; a turn lasts until what was read of one is taken."""
        pages = aiter(self._copier.read(partition, after, self._bound_page))
        more = True
        while more and not self._watch.halted:
            async with self._reading:
                await self._await_resumption()
                if (page := await anext(pages, None)) is not None:
                    yield page
                more = page is not None

    async def _await_resumption(self) -> None:
        """Wait for the end of a pause, or of the copy; not every copier sends by the wire alone."""
        while self._control.is_paused and not self._watch.halted:  # noqa: ASYNC110 - polled
            await asyncio.sleep(LOOK_SECONDS)

    def _bound_page(self) -> int | None:
        """So few that all open pages together are written in a second, where the rate is bounded.

        A stopped run goes on after the last page that was written whole.
        """
        limit = self._rate.limit
        return (
            None
            if limit is None
            else max(1, int(limit * REPEATED_SECONDS / self._settings.readers))
        )

    async def _take_page(self, pages: PageWindow, page: UnitPage[Any]) -> None:
        outcome = CopyOutcome(same=page.same, skipped=page.skipped)
        opened = self._ledger.open_page(pages, page.cursor, len(page.units), outcome)
        # A unit that is refused never settles its page, so the page is read again.
        await self._backlog.put(
            (QueuedUnit(pages, opened, unit), unit.bytes) for unit in page.units
        )

    async def _try(self, share: float) -> None:
        """Be one of the first writers, which begin with units from all over what was read."""
        try:
            await self._work(await self._backlog.get_within(share, self._reach))
        finally:
            self._let_in()

    def _reach(self, job: QueuedUnit) -> int | None:
        """How many jobs at most may wait for one that is written first: a second's work."""
        limit = self._rate.limit
        return None if limit is None else int(limit * REPEATED_SECONDS / max(1, job.unit.items))

    def _let_in(self) -> None:
        if self._trial is not None:
            self._trial.over.set()

    async def _work(
        self, first: QueuedUnit | None = None, *, trial: FirstWrites | None = None
    ) -> None:
        """Be a writer, which begins with `first`, or once the `trial` has shown a write allowed."""
        if trial is not None:
            await trial.over.wait()
        backlog = self._backlog
        while (job := first or backlog.next() or await backlog.get()) is not None:
            first = None
            try:
                if self._holds_back(job.unit):
                    await self._await_turn(job.unit)
                outcome = await self._write(job.unit)
                if self._trial is None:
                    self._ledger.count_written(job.window, job.page, outcome)
                else:
                    self._admit(self._trial, job, outcome)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._watch.fail(error)
            finally:
                backlog.done(job.unit.bytes)
                del job  # who waits for the next one holds none

    def _holds_back(self, unit: Unit[Any]) -> bool:
        """Whether a unit has to `_await_turn`; else it is counted as passed."""
        return (
            self._control.is_paused
            or self._write_share.limit is not None
            or not self._rate.passed(unit.items)
        )

    async def _await_turn(self, unit: Unit[Any]) -> None:
        """Wait for the end of a pause, and until the rate and the share of capacity allow it."""
        await self._await_resumption()
        await self._rate.take(unit.items)
        await self._write_share.take(unit.write_units)

    async def _write_in_turn(self, unit: Unit[Any]) -> CopyOutcome:
        """Write a unit as one of the writers that this copy may have of those of the run."""
        if not self._writing.pass_through():
            await self._writing.enter()
        try:
            return await self._copier.write(unit)
        finally:
            self._writing.leave()

    def _admit(self, trial: FirstWrites, job: QueuedUnit, outcome: CopyOutcome) -> None:
        """Count what became of one of the first units, as soon as a write was allowed."""
        for settled in trial.admit(job.window, job.page, outcome):
            self._ledger.count_written(*settled)
        if outcome.copied:
            self._trial = None

    def _end_trial(self) -> None:
        """A copy that ends without a single write that was allowed has failed, or was done before.

        What was denied is a failure where the target holds nothing, else it is skipped.
        """
        if self._trial is None or not self._trial.held or self._watch.halted:
            return
        if self._tools.progress.done == 0:
            self._watch.fail(self._trial.denial_error())
            return
        for settled in self._trial.release():
            self._ledger.count_written(*settled)

    def _drop(self) -> None:
        """Nothing more is begun."""
        if self._leases is not None:
            self._leases.close()
        self._backlog.drop()
        self._let_in()


@dataclass(slots=True)
class ThrottleRelay:
    """Passes a request to slow down on to the engine, which is made after the transport.

    Until there is an `engine` nothing is written, so there is nothing to slow down.
    """

    engine: Engine | None = None

    def __call__(self, reason: str) -> None:
        """The service asked to slow down."""
        if self.engine is not None:
            self.engine.slow_down(reason)


async def split(copier: Copier[Any], journal: Journal, progress: CopyState) -> None:
    """Put the partitions of the source on record, unless they are."""
    if not progress.partitions:
        record = {"type": "partitions", "partitions": list(await copier.partitions())}
        journal.append(record)
        progress.take(record)
