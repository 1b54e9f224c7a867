"""A crew in one event loop: workers that are tasks, with JSON between them and their leader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataware.core.copier import Copier
from dataware.core.ports import Journal
from dataware.core.run_control import RunControl, read_no_control
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import EngineSettings, split
from dataware.migrate.run_tools import RunTools
from dataware.migrate.worker import Message, Worker
from dataware.migrate.worker_group import WorkerGroup
from dataware.migrate.worker_task import WorkerTask
from dataware.verify.run import TaskRunner
from support.copying import Events, LoopClock, MemoryCopier
from support.virtual import run_virtually

SUBJECT = CopySubject("old", "new", "item", 25)


class MemoryMember:
    """A worker that copies with `copier`; a `deaf` one does not hear the wish to stop."""

    def __init__(self, copier: Copier, settings: EngineSettings, *, deaf: bool = False) -> None:
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._deaf = deaf
        self.worker = Worker(lambda message: self._inbox.put_nowait(_sent(message)), LoopClock())
        self._task = asyncio.create_task(self._work(copier, settings))
        self.leases: list[str] = []
        self.ended = False

    async def _work(self, copier: Copier, settings: EngineSettings) -> None:
        try:
            await self.worker.run(copier, settings)
        except Exception as error:
            self.worker.report_failure(error)
        else:
            self.worker.done()

    def send(self, message: Message) -> None:
        """Tell it something, a moment later."""
        if message["type"] == "lease" and message["partition"] is not None:
            self.leases.append(message["partition"])
        if not (self._deaf and message["type"] == "stop"):
            asyncio.get_running_loop().call_soon(self.worker.handle_message, _sent(message))

    async def receive(self) -> Message | None:
        """What it tells next; None once it is gone."""
        return await self._inbox.get()

    def end(self) -> str:
        """End it at once."""
        self._task.cancel()
        self.ended = True
        return "signal 9"

    def die(self) -> None:
        """Be gone without a word."""
        self._task.cancel()
        self._inbox.put_nowait(None)


def _sent(message: Message) -> Any:
    return json.loads(json.dumps(message))


@dataclass
class Team:
    """A copy by several workers over one journal, in virtual time; `run` may be called again."""

    copiers: Sequence[MemoryCopier]
    journal: Any
    events: Events = field(default_factory=Events)
    settings: EngineSettings = field(default_factory=lambda: EngineSettings(readers=1))
    stop: Callable[[], bool] = lambda: False
    deaf: bool = False
    sharers: Callable[[], int] = lambda: 1
    read_control: Callable[[], RunControl] = read_no_control
    members: list[MemoryMember] = field(default_factory=list)
    seconds: float = 0.0

    def run(self) -> CopyState:
        """Copy what is left."""
        progress = CopyState.of(self.journal.records())
        run_virtually(self._run(progress))
        return progress

    async def _run(self, progress: CopyState) -> None:
        clock, copiers = LoopClock(), iter(self.copiers)
        self.members = []
        await split(self.copiers[0], self.journal, progress)
        size = await self.copiers[0].size()

        def start() -> MemoryMember:
            self.members.append(MemoryMember(next(copiers), self.settings, deaf=self.deaf))
            return self.members[-1]

        meter = CopyProgress(SUBJECT, size, progress.counts, clock, self.events)
        crew = WorkerGroup(
            start,
            len(self.copiers),
            RunTools(
                self.journal,
                progress,
                clock,
                self.events,
                meter,
                self.stop,
                read_control=self.read_control,
            ),
            sharers=self.sharers,
        )
        started = clock.monotonic()
        try:
            await crew.run()
        finally:
            self.seconds = clock.monotonic() - started


@dataclass
class MemoryWorkers:
    """The Workers port over tasks: `make` gives each worker its copier."""

    make: Callable[[WorkerTask], Copier]
    cores: int = 2
    started: list[WorkerTask] = field(default_factory=list)

    def start(
        self, assignment: WorkerTask, _journal: Journal, _term: object = None
    ) -> MemoryMember:
        """Start one."""
        told = WorkerTask.from_json(_sent(assignment.to_json()))
        self.started.append(told)
        return MemoryMember(self.make(told), told.settings)

    def task_runner(self, _pair: object, threads: TaskRunner) -> TaskRunner:
        """Nobody else than the threads."""
        return threads
