"""Watches over one copy: progress, the stop request, the first failure, the time for an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Self

from dataware.core.errors import IncompleteError, WriteDeniedError
from dataware.migrate.copy_state import Counts
from dataware.migrate.run_tools import RunTools

POLL_SECONDS = 0.1
PUBLISH_SECONDS = 1.0


class CopySupervisor:
    """Looks at a copy while it is entered; `failure` is the first one, `halted` that it ends early.

    At every look `tick` is called. `on_halt` is called once, when the copy has to end before it
    is done; from then on `grace` seconds are left for what is under way.
    """

    def __init__(
        self,
        tools: RunTools,
        *,
        tick: Callable[[], None],
        on_halt: Callable[[], None],
        grace: float,
    ) -> None:
        self._tools = tools
        self._tick = tick
        self._on_halt = on_halt
        self._grace = grace
        self._deadline: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._copied_beside_denials = 0
        self.failure: BaseException | None = None
        self.halted = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def fail(self, error: BaseException) -> None:
        """Something failed for good: the copy ends, and the first failure is what is told."""
        self.failure = self.failure or error
        if isinstance(error, WriteDeniedError):
            self._copied_beside_denials += error.beside
        self.halt()

    def halt(self) -> None:
        """End the copy before it is done."""
        if not self.halted:
            self.halted = True
            self._on_halt()

    async def join(self, tasks: set[asyncio.Task[None]]) -> None:
        """Wait for tasks to end; once the copy is halted, only for a moment for all of them."""
        while pending := {task for task in tasks if not task.done()}:
            await asyncio.wait(pending, timeout=POLL_SECONDS)
            if self.halted and self._deadline is None:
                self._deadline = self._tools.clock.monotonic() + self._grace
            if self._deadline is not None and self._tools.clock.monotonic() >= self._deadline:
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)

    def keep(self, flush: Callable[[], None]) -> None:
        """Write and publish what is settled; a process that is gone writes nothing more."""
        if self.failure is None or isinstance(self.failure, Exception):
            try:
                flush()
            except Exception as error:
                self.fail(error)
            # What is in no checkpoint is read again by the next run, so it is not told as done.
            counts = self._tools.state.counts
            self._report_record(done=counts.in_target, skipped=counts.skipped)

    def conclude(self) -> Counts:
        """What the copy came to. Raises its first failure, and Incomplete if it is not done."""
        if isinstance(self.failure, WriteDeniedError):
            self.failure.beside = self._copied_beside_denials
            self.failure.copied = self._tools.progress.done + self.failure.beside
        if self.failure is not None:
            raise self.failure
        if self._tools.state.remaining():
            raise IncompleteError(
                "the copy was stopped before it finished; run the same command again"
            )
        self._tools.progress.finish()
        return self._tools.state.counts

    async def _look(self) -> None:
        """Without it a lost lock would go unseen, so whatever ends it ends the copy."""
        try:
            await self._poll()
        except Exception as error:
            self.fail(error)

    async def _poll(self) -> None:
        published = self._tools.clock.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self._tools.stop():
                self.halt()
            self._tick()
            self._tools.progress.tick()
            if self._tools.clock.monotonic() - published >= PUBLISH_SECONDS:
                published = self._tools.clock.monotonic()
                self._report_record()

    def _report_record(self, **figures: object) -> None:
        checkpoint = self._tools.state.compact()
        self._tools.publish({**self._tools.progress.detail, **figures, "checkpoint": checkpoint})


def tasks_of(jobs: Iterable[Coroutine[object, object, None]]) -> set[asyncio.Task[None]]:
    """A task for each job."""
    return {asyncio.create_task(job) for job in jobs}
