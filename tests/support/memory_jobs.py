"""A whole copy by the engine between two resources of `MemoryAws`, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.model import Location, OnConflict, Size
from dataware.core.run_control import RunControl, read_no_control
from dataware.kinds.dynamodb_table.copy.copier import TableCopier
from dataware.kinds.s3_bucket.copy.copier import make as bucket_copier
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.engine import Engine, EngineSettings, ThrottleRelay
from dataware.migrate.pausable_wire import PausableWire
from dataware.migrate.run_tools import RunTools
from dataware.ops.stopping import unless_stopped
from dataware.wire import RetryBudget, RetryingWire
from support.accounting import check_identity, check_tally
from support.copying import Events, LoopClock, MemoryJournal
from support.memory_aws import MemoryAws
from support.memory_buckets import Stored, stored
from support.memory_tables import as_sent
from support.virtual import run_virtually

KINDS = ("table", "bucket")
COPIERS: Mapping[str, Callable[..., Any]] = {"table": TableCopier, "bucket": bucket_copier}
WRITES = {"table": ("BatchWriteItem", "PutItem"), "bucket": ("CopyObject",)}
READS = {"table": ("Scan",), "bucket": ("ListObjectsV2",)}


@dataclass
class Job:
    """A copy from ``old`` to ``new``; `run` may be called again, and goes on from the journal.

    `seconds` is how long the last run took, in virtual time; `throttled` are the reasons of
    throttled answers.
    """

    kind: str
    aws: MemoryAws = field(default_factory=MemoryAws)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    events: Events = field(default_factory=Events)
    throttled: list[str] = field(default_factory=list)
    budget: RetryBudget = field(default_factory=RetryBudget)
    engine: EngineSettings = field(default_factory=EngineSettings)
    exclusive: bool = True
    on_conflict: OnConflict | None = None
    multipart_threshold: int = 5 * 1024**3
    part_size: int = 512 * 1024**2
    seed: int = 1
    seconds: float = 0.0
    stop: Callable[[], bool] = lambda: False
    read_control: Callable[[], RunControl] = read_no_control

    def fill(self, count: int, size: int = 6) -> None:
        """A source of so many items, or objects of a size, and an empty target."""
        if self.kind == "table":
            self.aws.tables.fill("old", [item(number) for number in range(count)])
            self.aws.tables.fill("new")
        else:
            self.aws.buckets.fill("old", dict(thing(number, size) for number in range(count)))
            self.aws.buckets.fill("new")

    def content(self, name: str) -> Mapping[Any, Any]:
        """What a side holds, by key."""
        if self.kind == "table":
            return self.aws.tables.content[name]
        return {key: one.body for key, one in self.aws.buckets.content[name].items()}

    @property
    def written(self) -> Mapping[Any, int]:
        """How often each key was written."""
        return self.aws.tables.written if self.kind == "table" else self.aws.buckets.written

    def run(self) -> CopyState:
        """Copy what is left, as one process would."""
        progress = CopyState.of(self.journal.records())
        run_virtually(self._run(progress))
        return progress

    def check_whole(self) -> CopyState:
        """The target holds exactly what the source holds, and the journal accounts for it."""
        assert self.content("old"), "a test without data proves nothing"
        assert self.content("new") == self.content("old")
        progress = check_identity(self.journal.kept, len(self.content("old")))
        assert progress.counts.skipped == 0
        if self.kind == "table":
            check_tally(progress, map(as_sent, self.content("old").values()))
        return progress

    async def _run(self, progress: CopyState) -> None:
        clock = LoopClock()
        relay = ThrottleRelay()

        def throttled(reason: str) -> None:
            self.throttled.append(reason)
            relay(reason)

        chance = random.Random(self.seed).random
        wire = RetryingWire(self.aws, clock, chance, throttled, self.budget)
        pausable = PausableWire(wire, self.read_control)
        copier = COPIERS[self.kind](CopyTools(None, pausable, clock), self._order())  # type: ignore[arg-type]  # no Aws
        started = clock.monotonic()
        try:
            size = await unless_stopped(copier.size(), self.stop)
            relay.engine = self._engine(copier, progress, size, clock)
            await relay.engine.run()
        finally:
            self.seconds = clock.monotonic() - started

    def _engine(self, copier: Copier, progress: CopyState, size: Size, clock: LoopClock) -> Engine:
        subject = CopySubject("old", "new", "unit", 25)
        meter = CopyProgress(subject, size, Counts(), clock, self.events)
        tools = RunTools(
            self.journal,
            progress,
            clock,
            self.events,
            meter,
            self.stop,
            read_control=self.read_control,
        )
        return Engine(copier, tools, self.engine)

    def _order(self) -> CopyOrder:
        old, new = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
        return CopyOrder(
            old,
            new,
            on_conflict=self.on_conflict,
            exclusive=self.exclusive,
            multipart_threshold=self.multipart_threshold,
            part_size=self.part_size,
        )


def filled(kind: str, count: int, size: int = 6, **settings: Any) -> Job:
    """A job with so much to copy."""
    job = Job(kind, **settings)
    job.fill(count, size)
    return job


def item(number: int, value: str = "v") -> Mapping[str, Any]:
    """A small item, as it goes over the wire."""
    return {"pk": {"S": f"k{number:04}"}, "n": {"N": str(number)}, "v": {"S": value}}


def thing(number: int, size: int) -> tuple[bytes, Stored]:
    """An object of `size` bytes under its key."""
    body = (b"%d." % number * size)[:size]
    return f"k{number:04} +é".encode(), stored(body, content_type="text/x")
