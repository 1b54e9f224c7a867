"""Copies every partition of a source: readers feed bounded writers, settled pages are journaled.

The engine knows no service. It ends in one of three ways: everything is accounted for; it was
asked to stop (Incomplete); or something failed for good (the error). In each of them the journal
holds only what the target has acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dataware.core.errors import Incomplete
from dataware.core.events import event
from dataware.core.kind import Copier, Outcome, Page, Unit
from dataware.core.ports import Clock, Emit, Journal
from dataware.migrate.gate import Budget, Gate
from dataware.migrate.meter import Meter
from dataware.migrate.pages import OpenPage, Pages
from dataware.migrate.progress import Counts, Progress, left_json

GRACE_SECONDS = 1.5
POLL_SECONDS = 0.1
PUBLISH_SECONDS = 1.0


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
        self._journal = journal
        self._progress = progress
        self._clock = clock
        self._emit = emit
        self._meter = meter
        self._stop = stop
        self._publish = publish
        self._settings = settings
        self._budget = Budget(settings.writers, settings.bytes_in_flight)
        self._rate = Gate(clock, settings.max_rate)
        self._read_share = Gate(clock)
        self._write_share = Gate(clock)
        self._writing: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._halted = False

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
        readers = {asyncio.create_task(self._drain(queue)) for _ in range(self._settings.readers)}
        try:
            await self._join(readers)
            await self._join(self._writing)
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        if self._failure is not None:
            raise self._failure
        if not self._progress.finished:
            raise Incomplete("the copy was stopped before its end; run the same command again")
        self._meter.finish()
        return self._progress.counts

    async def _prepare(self) -> None:
        if not self._progress.partitions:
            partitions = list(await self._copier.partitions())
            self._record({"type": "partitions", "partitions": partitions})
        share = self._settings.max_share
        if share is not None:
            rates = await self._copier.rates()
            self._read_share = Gate(self._clock, rates.read * share if rates.read else None)
            self._write_share = Gate(self._clock, rates.write * share if rates.write else None)

    async def _drain(self, queue: deque[tuple[str, str | None]]) -> None:
        while queue and not self._halted:
            partition, after = queue.popleft()
            try:
                await self._copy_partition(Pages(partition), after)
            except Exception as error:
                self._fail(error)

    async def _copy_partition(self, pages: Pages, after: str | None) -> None:
        async for page in self._copier.read(pages.partition, after):
            if self._halted:
                return
            await self._read_share.take(page.read_units)
            await self._take_page(pages, page)

    async def _take_page(self, pages: Pages, page: Page) -> None:
        opened = pages.opened(page.cursor, len(page.units))
        self._count(opened, Outcome(same=page.same, left=page.left))
        for index, unit in enumerate(page.units):
            await self._budget.acquire(unit.bytes)
            if self._halted:
                await self._budget.give_back(unit.bytes)
                opened.pending += len(page.units) - index  # never settles: it is read again
                return
            task = asyncio.create_task(self._write(pages, opened, unit))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        self._checkpoint(pages)

    async def _write(self, pages: Pages, page: OpenPage, unit: Unit) -> None:
        try:
            await self._rate.take(unit.count)
            await self._write_share.take(unit.write_units)
            outcome = await self._copier.write(unit)
            self._count(page, outcome)
            page.pending -= 1
            self._checkpoint(pages)
        except Exception as error:
            self._fail(error)
        finally:
            await self._budget.give_back(unit.bytes)

    def _count(self, page: OpenPage, outcome: Outcome) -> None:
        counts = Counts(outcome.copied, outcome.same, outcome.bytes, len(outcome.left))
        page.counts.add(counts)
        page.left.extend(outcome.left)
        for left in outcome.left:
            words = {"key": left.key, "trouble": left.trouble.value, "why": left.why}
            self._emit(event("left-behind", **words))
        self._meter.count(counts)

    def _checkpoint(self, pages: Pages) -> None:
        settled = list(pages.settled())
        if not settled:
            return
        counts = Counts()
        for page in settled:
            counts.add(page.counts)
        self._record(
            {
                "type": "checkpoint",
                "partition": pages.partition,
                "cursor": settled[-1].cursor,
                "kept_back": [left_json(left) for page in settled for left in page.left],
                **counts.to_json(),
            }
        )

    def _record(self, record: dict[str, object]) -> None:
        self._journal.append(record)
        self._progress.take(record)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._halted = True

    async def _join(self, tasks: set[asyncio.Task[None]]) -> None:
        """Wait for tasks to end; once the copy is halted, only for a moment."""
        deadline: float | None = None
        while pending := {task for task in tasks if not task.done()}:
            await asyncio.wait(pending, timeout=POLL_SECONDS)
            if self._halted and deadline is None:
                deadline = self._clock.monotonic() + GRACE_SECONDS
            if deadline is not None and self._clock.monotonic() >= deadline:
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
                self._halted = True
            self._meter.tick()
            if self._clock.monotonic() - published >= PUBLISH_SECONDS:
                published = self._clock.monotonic()
                self._publish({**self._meter.detail, "checkpoint": self._progress.compact()})
