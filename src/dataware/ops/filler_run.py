"""The steps of a migration into whose new target a service of AWS copies most of the data.

    target made ── what it lacks listed ── job asked for ── watched ── its report read
                                                                         │
                        the rest copied by this machine ── verified ── complete

Each step is on record before the next one begins, so whoever goes on after a kill goes on with the
same job. What the job left, for whatever reason, is found by the copy that follows, which compares
both listings; its report is kept for people.
"""

from __future__ import annotations

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.port import Record, TargetFiller
from dataware.core.errors import IncompleteError
from dataware.core.events import event
from dataware.core.model import Facts
from dataware.core.ports import Journal
from dataware.migrate import CopyState
from dataware.ops.context import Context
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import MakeRun, MigrationRun
from dataware.verify.verdict import Verdict

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two looks at the job; they grow."""

TELL_SECONDS = 10.0


def make_filler_run(engine: EngineName, filler: TargetFiller) -> MakeRun:
    """How the steps of a migration by this engine are made."""

    def make(context: Context, migration: Migration, run: str, keeper: LeaseKeeper) -> FillerRun:
        return FillerRun(context, migration, run, keeper).use(engine, filler)

    return make


class FillerRun(MigrationRun):
    """The steps of one migration whose data a service copies."""

    _engine: EngineName
    _filler: TargetFiller
    _record: Record

    def use(self, engine: EngineName, filler: TargetFiller) -> FillerRun:
        """The same steps, with what copies."""
        self._engine, self._filler = engine, filler
        return self

    def _create_target(self) -> Facts:
        self._record = self._plan()
        return super()._create_target()

    def _plan(self) -> Record:
        """The record of an earlier run, or a new one; on record before anything is made."""
        before = self._keeper.detail.get(ENGINE)
        begun: Record = before if isinstance(before, dict) else {}
        if begun.get("token") and not begun.get("failed"):
            return begun
        return self._keep(self._filler.plan(self._run, self._migration.order.target, begun))

    def _keep(self, record: Record) -> Record:
        self._record = {"name": self._engine.value, **record}
        self._keeper.publish({ENGINE: self._record})
        self._keeper.send_heartbeat()
        return self._record

    def _fill(self, target: Facts) -> Verdict:
        verdict = super()._fill(target)
        self._filler.clean(self._record)
        return verdict

    def _copy(self, journal: Journal, progress: CopyState, order: CopyOrder) -> None:
        """Have the service copy, unless it has; then copy what it left."""
        if not self._record.get("reported"):
            self._run_job(journal, order)
        self._enter("looking")
        super()._copy(journal, progress, order)

    def _run_job(self, journal: Journal, order: CopyOrder) -> None:
        context, words = self._context, self._migration.words()
        if "manifest" not in self._record:
            clock = context.clock
            self._keep(self._filler.list_work(self._record, order, clock, self._check))
        if self._record["manifest"]:
            if "job" not in self._record:
                self._keep(self._filler.begin(self._record, order))
                count = self._record["manifest"]["count"]
                context.emit(
                    event(
                        "job-begun", job=self._record["job"], count=count, unit=self._unit, **words
                    )
                )
            self._watch()
            copied, failed = self._filler.read_result(self._record, journal, self._check)
            context.emit(event("job-ended", count=copied, failed=failed, unit=self._unit, **words))
        self._keep({**self._record, "reported": True})

    @property
    def _unit(self) -> str:
        return self._migration.kind.unit

    def _watch(self) -> None:
        """Wait until the job has ended. Raises IncompleteError where it failed, or on a stop."""
        context, words, pause = self._context, self._migration.words(), FIRST_PAUSE
        self._enter("copying")
        told = context.clock.monotonic()
        try:
            while not (progress := self._filler.look(self._record)).ended:
                self._keeper.check()
                if context.clock.monotonic() - told >= TELL_SECONDS:
                    told = context.clock.monotonic()
                    numbers = {"done": progress.done, "total": progress.total, "unit": self._unit}
                    context.emit(event("job-progress", state=progress.state, **numbers, **words))
                context.aws.pause(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE)
        except IncompleteError as error:
            if context.stop():
                raise self._stopped_error() from error
            raise
        if progress.problem:
            self._keep({**self._record, "failed": True})
            raise IncompleteError(
                f"the job {self._record['job']} ended early ({progress.problem}); cure that, "
                "and run the same command again, which begins another job with what is left"
            )

    def _stopped_error(self) -> IncompleteError:
        job = self._record["job"]
        return IncompleteError(
            f"stopped watching; the job {job} goes on in AWS, until it ends or `aws s3control "
            f"update-job-status --job-id {job} --requested-job-status Cancelled` ends it; run the "
            "same command again to go on"
        )

    def _check(self) -> None:
        self._keeper.check()
        if self._context.stop():
            raise IncompleteError("stopped before the job was begun; run the same command again")
