"""The steps of a migration into whose new target a service of AWS copies most of the data.

    target made ── what it lacks listed ── job asked for ── confirmed ── watched ── report read
                          ↑                                     │                       │
                          └───── the target has changed ────────┘                       │
                                       the rest copied by this machine ── verified ── complete

Each step is on record before the next one begins, so whoever goes on after a kill goes on with the
same job. A service may replace what it finds, so the job begins only if the target is what it was
when it was listed, however long ago that is. What the job left, for whatever reason, is found by
the copy that follows, which compares both listings; its report is kept for people.
"""

from __future__ import annotations

from enum import Enum, auto
from itertools import islice

from dataware.calc.pauses import FIRST_PAUSE
from dataware.core.copier import CopyOrder
from dataware.core.engines.card import EngineName
from dataware.core.engines.port import WORK, CopyJob, JobProgress, Record
from dataware.core.errors import IncompleteError, NotFoundError, RefusedError, ServiceError
from dataware.core.events import format_count
from dataware.core.model import Facts
from dataware.core.ports import Journal
from dataware.migrate.copy_state import CopyState
from dataware.ops.context import Context
from dataware.ops.engine_failures import describe_failures
from dataware.ops.engine_run import EngineRun
from dataware.ops.engine_steps import EngineOrder
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.migration_policy import Migration, MigrationDecision, MigrationStep
from dataware.ops.run_migration import MakeRun
from dataware.verify.merge import DifferenceKind
from dataware.verify.verdict import Verdict

LOOKS = 3
"""How often the target may have changed before this machine copies instead of a job."""

REPORT_LOOKS = 11
"""How often a report is looked for, which a service may write after its job has ended."""

CANCELLED = "cancelled"
"""What a record calls that this migration has ended its job, so that another one is begun."""


UNKNOWN_LOOKS = 8
"""How often a job may be looked for in vain, for half a minute, before it counts as gone."""


class JobEnd(Enum):
    """How a job ended: with a result, without one while it was not watched, by a pause, or because
    its target has changed."""

    DONE = auto()
    FAILED = auto()
    PAUSED = auto()
    MISFIT = auto()


def make_run(order: EngineOrder) -> MakeRun:
    """How the steps of a migration are made whose data a service copies.

    Raises RefusedError without the role that the service has to assume.
    """
    card, role = order.card, order.settings.service_role
    if card.copy_job is None:
        raise ValueError(f"{card.name} copies by no job")
    if role is None:
        raise RefusedError(
            f"nothing was changed, because {card.name} needs a role that its service may assume; "
            "run the same command with --batch-role ARN"
        )
    return make_copy_job_run(card.name, card.copy_job(order.context.aws, role))


def make_copy_job_run(engine: EngineName, copy_job: CopyJob) -> MakeRun:
    """How the steps of a migration by this engine are made."""

    def make(context: Context, migration: Migration, run: str, keeper: LeaseKeeper) -> CopyJobRun:
        return CopyJobRun(context, migration, run, keeper).use(engine, copy_job)

    return make


class CopyJobRun(EngineRun):
    """The steps of one migration whose data a service copies."""

    _copy_job: CopyJob

    def use(self, engine: EngineName, copy_job: CopyJob) -> CopyJobRun:
        """The same steps, with what copies."""
        self._engine, self._copy_job = engine, copy_job
        return self

    def _create_target(self) -> Facts:
        self._record = self._plan()
        return super()._create_target()

    def _plan(self) -> Record:
        """The record of an earlier run, or a new one; on record before anything is made."""
        begun = self._begun
        if begun.get(CANCELLED):
            self._end_job(begun)
        elif begun.get("token") and not begun.get("failed"):
            return begun
        return self._keep(self._copy_job.plan(self._run, self._migration.order.target, begun))

    def _fill(self, target: Facts) -> Verdict:
        verdict = super()._fill(target)
        self._copy_job.clean(self._record)
        return verdict

    def _copy(self, journal: Journal, progress: CopyState, order: CopyOrder) -> None:
        """Have the service copy, unless it has; then copy what it left."""
        if self._has_other_target():
            self._warn_of_target(
                "is not the one that this run made, so this machine copies instead"
            )
            self._keep({**self._record, "reported": True})
        if not self._record.get("reported"):
            self._run_job(journal, order)
        self._enter("looking")
        super()._copy(journal, progress, order)

    def _has_other_target(self) -> bool:
        """Whether somebody has put another target in the place of the one that was made."""
        marker, now = self._migration.marker, self._migration.target.identity
        recorded = marker.detail.get("identity", marker.identity)
        was_there = self._migration.create is None and self._migration.resumes
        return was_there and isinstance(recorded, str) and recorded != now

    def _run_job(self, journal: Journal, order: CopyOrder) -> None:
        """Have a job copy, another one after a pause, or where others write to the target."""
        misfits, is_earlier = 0, "job" in self._record
        while misfits < LOOKS:
            self._list_work(order)
            if not self._record["manifest"]:
                break
            self._begin(order)
            end, is_earlier = self._watch(order, is_earlier=is_earlier), False
            if end is JobEnd.DONE:
                self._read_result(journal)
                break
            misfits += end is JobEnd.MISFIT
            self._keep(self._copy_job.plan(self._run, order.target, self._record))
        else:
            self._warn_of_target(
                "keeps changing, so this machine copies instead and replaces nothing"
            )
        self._keep({**self._record, "reported": True})

    def _list_work(self, order: CopyOrder) -> None:
        if "manifest" not in self._record:
            clock = self._context.clock
            self._keep(self._copy_job.list_work(self._record, order, clock, self._check))

    def _begin(self, order: CopyOrder) -> None:
        """Ask for a job of what was listed, which an earlier run may have done already."""
        if "job" in self._record:
            return
        record = self._keep(self._copy_job.begin(self._record, order))
        count = record["manifest"]["count"]
        self._emit("job-begun", job=record["job"], count=count, unit=self._unit)

    def _read_result(self, journal: Journal) -> None:
        """Keep the report of a job; without one both listings decide, as they do with it."""
        looks, job = self._observe(lambda: self._find_result(journal)), self._record["job"]
        try:
            result = next((one for one in islice(looks, REPORT_LOOKS) if one is not None), None)
        except ServiceError as error:
            # It explains what a comparison finds, so a form of it that is new here ends no run.
            text = f"the report of the job {job} cannot be read ({error})"
            self._warn(f"{text}; this machine compares both sides")
            return
        if result is None:
            self._warn(f"the job {job} left no report; this machine compares both sides")
            return
        copied, failed = result
        self._emit("job-ended", count=copied, failed=failed, unit=self._unit)
        if named := describe_failures(journal):
            self._warn(f"the job did not copy {named}; this machine copies what it can")

    def _find_result(self, journal: Journal) -> tuple[int, int] | None:
        """How many were copied, and how many not; None while there is no report."""
        try:
            return self._copy_job.read_result(self._record, journal, self._check)
        except NotFoundError:
            self._check()
            return None

    @property
    def _unit(self) -> str:
        return self._migration.kind.unit

    def _watch(self, order: CopyOrder, *, is_earlier: bool) -> JobEnd:
        """Confirm the job, and wait for its end. Raises IncompleteError if it fails, or on a stop.

        A pause ends the job, because a service knows none; the next one copies what is left. So
        does the one after a job that an earlier run began, and that failed unwatched.
        """
        self._enter("copying")
        with self._explain_stop(self._stopped_error):
            end, progress = self._await_end(order)
        if end is JobEnd.PAUSED:
            self._cancel()
            self._await_resumption()
        elif end is JobEnd.MISFIT:
            self._warn_of_target("has changed since it was listed; listing it again")
            self._cancel()
        elif progress.problem:
            self._end_failed(progress.problem, is_earlier=is_earlier)
            return JobEnd.FAILED
        return end

    def _end_failed(self, problem: str, *, is_earlier: bool) -> None:
        """Have on record that a job failed. Raises IncompleteError for one that this run began."""
        self._keep({**self._record, "failed": True})
        job = f"the job {self._record['job']}"
        if not is_earlier:
            raise IncompleteError(
                f"{job} ended early ({problem}); fix that, and run the same command again, which "
                "begins another job with what is left"
            )
        self._warn(f"{job} of an earlier run ended early ({problem}); beginning another one")

    def _await_end(self, order: CopyOrder) -> tuple[JobEnd, JobProgress]:
        """How a job ends, or has to be ended, with what is seen of it then."""
        looks = self._watch_work(
            lambda: self._copy_job.look(self._record),
            self._unit,
            lambda state: self._report_job(state, self._unit),
        )
        unseen = 0
        for progress in looks:
            unseen = unseen + 1 if progress.unknown else 0
            if progress.ended and not 0 < unseen < UNKNOWN_LOOKS:
                break
            self._keeper.check()
            if self._is_paused():
                return JobEnd.PAUSED, progress
            if progress.waits:
                if not self._copy_job.still_fits(self._record, order, self._keeper.check):
                    return JobEnd.MISFIT, progress
                self._confirm()
        return JobEnd.DONE, progress

    def _confirm(self) -> None:
        """Let a job begin whose target is as it was listed."""
        self._keeper.check()
        self._copy_job.confirm(self._record)
        if not self._record.get("confirmed"):
            self._keep({**self._record, "confirmed": True})
            name = self._migration.order.target.name
            self._note(f"do not write to {name} until the job has ended: it replaces what it finds")

    def _cancel(self) -> None:
        """End the job, and have on record first that it is no result."""
        self._keep({**self._record, CANCELLED: True})
        self._end_job(self._record)
        self._keeper.publish({WORK: None})

    def _end_job(self, record: Record) -> None:
        """End a job, and wait until it writes nothing any more."""
        while not self._copy_job.cancel(record):
            self._keeper.check()
            self._context.aws.pause(FIRST_PAUSE)

    def _warn_of_target(self, what: str) -> None:
        self._warn(f"{self._migration.order.target.name} {what}")

    def _report(self, decision: MigrationDecision, verdict: Verdict) -> None:
        super()._report(decision, verdict)
        strange = verdict.counts[DifferenceKind.EXTRA] + verdict.counts[DifferenceKind.DIFFERENT]
        if "job" in self._record and strange and decision.step is not MigrationStep.COPY_AGAIN:
            self._warn_of_target(
                f"holds {format_count(strange, self._unit)} of somebody else; a job replaces what "
                "it finds, so check whether it replaced others during its run"
            )

    def _stopped_error(self) -> IncompleteError:
        job, name = self._record["job"], self._migration.order.target.name
        return IncompleteError(
            f"stopped watching the job {job}, which goes on in AWS: run the same command again to "
            f"resume, or end it with `dataware forget {name}`"
        )

    def _check(self) -> None:
        self._keeper.check()
        self._await_resumption()
        if self._context.stop():
            raise IncompleteError("stopped before the job was begun; run the same command again")
