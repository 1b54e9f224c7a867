"""One copy within a migration: by this process, or by a crew of several if there is much to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from dataware.calc.highest_counts import HighestCounts
from dataware.core.copier import CopyOrder
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Size
from dataware.core.ports import Journal
from dataware.core.run_control import RunControl, read_no_control
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import Engine, EngineSettings, ThrottleRelay, split
from dataware.migrate.lease_term import LeaseTerm
from dataware.migrate.run_tools import RunTools
from dataware.migrate.worker_group import WorkerGroup
from dataware.migrate.worker_task import WorkerTask
from dataware.ops.context import Context, CopySettings, Workers, aws_of
from dataware.ops.copy_wires import CopyWires
from dataware.ops.stopping import unless_stopped

SMALL = 200_000
"""Items or objects that one process copies before others have got going."""

PARTITIONS_EACH = 2
"""Partitions for each process, at least; with fewer of them the processes end far apart."""

ENOUGH = 8
"""Processes that nobody has to ask for; what they send together is more than AWS lets one table
or bucket take by default, and each of them needs memory."""

LEAST_IN_FLIGHT = 8 * 1024**2
"""Bytes that a process may have in flight, however many of them there are."""


@dataclass(frozen=True, slots=True)
class CopyRun:
    """One copy to make; `stop` and `publish` are those of the engine.

    Nothing is sent beyond the `term` of the lock. `highest` is what earlier rounds reported, and
    `read_control` tells what people ask of the run.
    """

    context: Context
    kind: Kind
    order: CopyOrder
    settings: CopySettings
    journal: Journal
    progress: CopyState
    stop: Callable[[], bool]
    publish: Callable[[Mapping[str, object]], None]
    term: LeaseTerm | None = None
    highest: HighestCounts = field(default_factory=HighestCounts)
    read_control: Callable[[], RunControl] = read_no_control

    async def run(self) -> None:
        """Copy what is not yet accounted for. Raises Incomplete when asked to stop."""
        throttle = ThrottleRelay()
        context, order = self.context, self.order
        source = aws_of(context, order.source) if order.source.profile else None
        wires = CopyWires.open(context.aws, source, throttle, self.term)
        try:
            aws = aws_of(context, order.target)
            copy_tools = wires.tools(aws, context.clock, throttle, self.read_control)
            copier = self.kind.require_copying().copier(copy_tools, order)
            size = await unless_stopped(copier.size(), self.stop)
            self._report_size(size)
            await split(copier, self.journal, self.progress)
            tools = self._tools(size, wires)
            with (
                self._borrow_processes(size) as processes,
                self.context.bounds.copying() as sharers,
            ):
                workers = self.context.workers
                if workers is not None and processes > 1:
                    await self._group(workers, processes, tools, sharers).run()
                else:
                    bounds = _engine_settings(self.kind, self.settings)
                    shared = sharers if self.context.bounds.shared else None
                    throttle.engine = Engine(copier, tools, bounds, sharers=shared)
                    await throttle.engine.run()
        finally:
            await wires.close()

    def _report_size(self, size: Size) -> None:
        emit, done = self.context.emit, self.progress.counts.in_target
        words = {**self._subject.words(), "unit": self.kind.unit}
        emit(event("found" if size.exact else "found-about", count=size.items, **words))
        if self.order.source.profile:
            # Few runs relay anything, and a deployment never does.
            from dataware.ops.relay_estimate import relay_event  # noqa: PLC0415 - see above

            emit(relay_event(size, self.progress.counts.done, words))
        if done:
            emit(event("resumed-at", count=done, **words))

    @contextmanager
    def _borrow_processes(self, size: Size) -> Iterator[int]:
        """As many processes as there is use for, and as other migrations of the run leave."""
        workers, wanted = self.context.workers, self.settings.processes
        if workers is None:
            yield 1
            return
        items, partitions = size.items - self.progress.counts.done, len(self.progress.remaining())
        count = processes(wanted, workers.cores, items, partitions)
        most = wanted or min(workers.cores, ENOUGH)
        if count == 1:
            yield 1
            return
        with self.context.bounds.processes(count, most) as borrowed:
            yield borrowed

    def _group(
        self, workers: Workers, count: int, tools: RunTools, sharers: Callable[[], int]
    ) -> WorkerGroup:
        partitions = len(self.progress.remaining())
        part = share_of(_engine_settings(self.kind, self.settings), count, partitions)
        assignment = WorkerTask(self.kind.cfn_type, self.order, part)
        self.context.emit(event("parallel", processes=count, **self._subject.words()))
        return WorkerGroup(
            partial(workers.start, assignment, self.journal, self.term),
            count,
            tools,
            trial=not self.settings.allow_skipped,
            sharers=sharers,
        )

    @property
    def _subject(self) -> CopySubject:
        kind, order = self.kind, self.order
        batch = kind.require_copying().batch
        names = order.source.name, order.target.name
        return CopySubject(*names, kind.unit, batch, kind.names.slug)

    def _tools(self, size: Size, wires: CopyWires) -> RunTools:
        clock, emit = self.context.clock, self.context.emit
        progress = CopyProgress(
            self._subject,
            size,
            self.progress.counts,
            clock,
            emit,
            retries=lambda: wires.retries,
            highest=self.highest,
        )
        return RunTools(
            self.journal,
            self.progress,
            clock,
            emit,
            progress,
            self.stop,
            self.publish,
            self.read_control,
        )


def processes(wanted: int | None, cores: int, items: int, partitions: int) -> int:
    """How many processes copy: as many as a person `wanted`, else as many as there is use for.

    `items` and `partitions` are those that are left to copy.
    """
    if wanted is not None:
        return max(1, min(wanted, partitions))
    if items < SMALL:
        return 1
    return max(1, min(cores, ENOUGH, partitions // PARTITIONS_EACH))


def share_of(whole: EngineSettings, processes: int, partitions: int) -> EngineSettings:
    """The bounds of one of several processes, which together keep those of the whole copy.

    Each of them reads so few partitions at once that there are some left for whoever is done.
    """
    rate, share = whole.max_rate, whole.max_share
    return replace(
        whole,
        readers=max(1, min(whole.readers, partitions // (PARTITIONS_EACH * processes))),
        bytes_in_flight=max(whole.bytes_in_flight // processes, LEAST_IN_FLIGHT),
        max_rate=None if rate is None else rate / processes,
        max_share=None if share is None else share / processes,
        parts=processes,
        trial=False,
    )


def _engine_settings(kind: Kind, settings: CopySettings) -> EngineSettings:
    """The bounds of a copy, where nothing else is said those of the kind."""
    copying = kind.require_copying()
    return EngineSettings(
        readers=settings.readers or copying.readers,
        writers=settings.writers or copying.writers,
        bytes_in_flight=settings.bytes_in_flight,
        max_rate=settings.max_rate,
        max_share=settings.max_share,
        trial=not settings.allow_skipped,
    )
