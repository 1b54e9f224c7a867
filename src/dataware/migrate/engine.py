"""Copies every partition of a source: readers fill a backlog, writers empty it.

The engine knows no service. It ends in one of three ways: everything is accounted for; it was
asked to stop (Incomplete); or something failed for good (the error). In each of them the journal
holds only what the target has acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass

from dataware.core.errors import Incomplete
from dataware.core.kind import Copier, Outcome, Page, Unit
from dataware.core.ports import Clock, Emit, Journal
from dataware.migrate.backlog import Backlog
from dataware.migrate.gate import Gate
from dataware.migrate.ledger import Ledger
from dataware.migrate.meter import Meter
from dataware.migrate.pages import OpenPage, Pages
from dataware.migrate.progress import Counts, Progress

GRACE_SECONDS = 1.5
POLL_SECONDS = 0.1
PUBLISH_SECONDS = 1.0

BACKLOG = 2
"""Units held for each writer: one under way, and one that is read and waits for it."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Bounds of one copy; rates are in units a second, `max_share` is a fraction of capacity.

    Memory is about `bytes_in_flight` plus one page for each of `readers`.
    """

    readers: int = 4
    writers: int = 32
    bytes_in_flight: int = 64 * 1024**2
    max_rate: float | None = None
    max_share: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A unit to write, with the page that it settles."""

    pages: Pages
    page: OpenPage
    unit: Unit


class Engine:
    """One migration's copy; `run` may be called once.

    `publish` is given how far the copy is, about once a second, for the marker.
    """

    def __init__(
        self,
        copier: Copier,
        journal: Journal,
        progress: Progress,
        *,
        clock: Clock,
        emit: Emit,
        meter: Meter,
        stop: Callable[[], bool],
        publish: Callable[[Mapping[str, object]], None],
        settings: EngineSettings,
    ) -> None:
        self._copier = copier
        self._progress = progress
        self._clock = clock
        self._meter = meter
        self._stop = stop
        self._publish = publish
        self._settings = settings
        self._ledger = Ledger(journal, progress, meter, clock, emit)
        self._backlog: Backlog[Job] = Backlog(BACKLOG * settings.writers, settings.bytes_in_flight)
        self._rate = Gate(clock, settings.max_rate)
        self._read_share = Gate(clock)
        self._write_share = Gate(clock)
        self._failure: BaseException | None = None
        self._halted = False
        self._deadline: float | None = None

    @property
    def limit(self) -> float | None:
        """Items or objects a second that may be written now; None without a limit."""
        return self._rate.limit

    def throttled(self, reason: str) -> None:
        """Slow down, because the service asked for it; safe to call from the event loop."""
        self._meter.throttled(reason)
        self._rate.throttled()

    async def run(self) -> Counts:
        """Copy what is not yet accounted for. Raises Incomplete when asked to stop."""
        await self._prepare()
        watcher = asyncio.create_task(self._watch())
        queue = deque(self._progress.remaining())
        readers = _tasks(self._drain(queue) for _ in range(self._settings.readers))
        writers = _tasks(self._work() for _ in range(self._settings.writers))
        try:
            await self._join(readers)
            self._backlog.close()
            await self._join(writers)
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        self._keep()
        if self._failure is not None:
            raise self._failure
        if not self._progress.finished:
            raise Incomplete("the copy was stopped before its end; run the same command again")
        self._meter.finish()
        return self._progress.counts

    async def _prepare(self) -> None:
        if not self._progress.partitions:
            partitions = list(await self._copier.partitions())
            self._ledger.record({"type": "partitions", "partitions": partitions})
        share = self._settings.max_share
        if share is not None:
            rates = await self._copier.rates()
            self._read_share = Gate(self._clock, rates.read * share if rates.read else None)
            self._write_share = Gate(self._clock, rates.write * share if rates.write else None)

    async def _drain(self, queue: deque[tuple[str, str | None]]) -> None:
        try:
            while queue and not self._halted:
                partition, after = queue.popleft()
                pages = Pages(partition)
                async for page in self._copier.read(partition, after):
                    if self._halted:
                        return
                    await self._read_share.take(page.read_units)
                    await self._take_page(pages, page)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._fail(error)

    async def _take_page(self, pages: Pages, page: Page) -> None:
        known = Outcome(same=page.same, left=page.left)
        opened = self._ledger.opened(pages, page.cursor, len(page.units), known)
        for unit in page.units:
            # A unit that is refused never settles its page, so the page is read again.
            if not await self._backlog.put(Job(pages, opened, unit), unit.bytes):
                return

    async def _work(self) -> None:
        while (job := await self._backlog.get()) is not None:
            try:
                await self._write(job)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._fail(error)
            finally:
                self._backlog.done(job.unit.bytes)

    async def _write(self, job: Job) -> None:
        unit = job.unit
        await self._rate.take(unit.count)
        await self._write_share.take(unit.write_units)
        outcome = await self._copier.write(unit)
        self._ledger.written(job.pages, job.page, outcome)

    def _keep(self) -> None:
        """Write what is settled; a process that is gone writes nothing more."""
        if self._failure is None or isinstance(self._failure, Exception):
            try:
                self._ledger.flush()
            except Exception as error:
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._halt()

    def _halt(self) -> None:
        self._halted = True
        self._backlog.drop()

    async def _join(self, tasks: set[asyncio.Task[None]]) -> None:
        """Wait for tasks to end; once the copy is halted, only for a moment for all of them."""
        while pending := {task for task in tasks if not task.done()}:
            await asyncio.wait(pending, timeout=POLL_SECONDS)
            if self._halted and self._deadline is None:
                self._deadline = self._clock.monotonic() + GRACE_SECONDS
            if self._deadline is not None and self._clock.monotonic() >= self._deadline:
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)

    async def _watch(self) -> None:
        """Progress, and the wish to stop; without it a lost lock would go unseen."""
        try:
            await self._poll()
        except Exception as error:
            self._fail(error)

    async def _poll(self) -> None:
        published = self._clock.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self._stop():
                self._halt()
            self._ledger.tick()
            self._meter.tick()
            if self._clock.monotonic() - published >= PUBLISH_SECONDS:
                published = self._clock.monotonic()
                self._publish({**self._meter.detail, "checkpoint": self._progress.compact()})


def _tasks(jobs: Iterable[Coroutine[object, object, None]]) -> set[asyncio.Task[None]]:
    return {asyncio.create_task(job) for job in jobs}
