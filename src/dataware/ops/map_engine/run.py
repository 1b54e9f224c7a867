"""The steps of a migration that workers in the account carry.

    attempt on record ── shards listed ── workers deployed ── execution started ── watched
                                                                                     │
                workers removed ── verified by workers ── results in the journal ────┘

The attempt, which names its execution, is on record before anything is made, and workers go on only
while it is: so whoever goes on after a kill finds the same execution, and a stop ends all of them.
The journal is rebuilt from what was done before an execution and what it brought, so that reading
the results twice counts nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.map_card import MAP_WORKERS
from dataware.core.engines.port import WORK, JobProgress
from dataware.core.errors import DatawareError, IncompleteError, NotFoundError, RefusedError
from dataware.core.events import format_count
from dataware.core.model import Facts
from dataware.core.ports import Journal
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import ThrottleRelay, split
from dataware.migrate.shard import Shard
from dataware.ops.context import ComparisonSpec, Context, CopySettings, aws_of
from dataware.ops.engine_run import EngineRun
from dataware.ops.engine_steps import EngineOrder
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.map_engine.execution import MapExecution, WorkOrder
from dataware.ops.map_engine.leftovers import place_of_workers
from dataware.ops.map_engine.results import MapResults
from dataware.ops.map_engine.stack import WorkersStack
from dataware.ops.map_engine.state_machine import LONGEST_DAYS
from dataware.ops.map_engine.template import make_template
from dataware.ops.map_engine.verification import MapVerification, VerificationDesk
from dataware.ops.migration_job import MigrationJob
from dataware.ops.migration_policy import Migration
from dataware.ops.object_headers import record_headers
from dataware.ops.run_migration import MakeRun, MigrationRun
from dataware.ops.stopping import unless_stopped
from dataware.ops.verify import sides_of
from dataware.verify.verdict import Verdict

VERIFICATION = "verification"
"""How many executions have compared what the newest attempt has copied, in the record."""

PART = "part"

UNSEEN_LOOKS = 20
"""How often an execution that was begun may be looked for in vain (AWS Step Functions API
Reference, DescribeExecution: "This operation is eventually consistent")."""


def make_run(_order: EngineOrder) -> MakeRun:
    """How the steps of a migration by workers are made."""
    return make_map_run


def make_map_run(
    context: Context, migration: Migration, run: str, keeper: LeaseKeeper
) -> MigrationRun:
    """The steps of a migration by workers. Raises RefusedError for what they cannot carry."""
    _check_carried(migration.order, migration.settings)
    return MapRun(context, migration, run, keeper)


def _check_carried(order: CopyOrder, settings: CopySettings) -> None:
    if order.source.profile or record_headers(settings) or settings.requester_pays:
        raise RefusedError(
            "nothing was copied, because workers in the account take no --source-profile, --sse, "
            "--acl or --request-payer: leave these out, or leave out --engine"
        )


class MapRun(EngineRun):
    """The steps of one migration by workers, whose every write has a condition."""

    is_guarded = True
    _engine = EngineName.MAP

    def __init__(
        self, context: Context, migration: Migration, run: str, keeper: LeaseKeeper
    ) -> None:
        super().__init__(context, migration, run, keeper)
        self._place = place_of_workers(context, run)
        self._stack = WorkersStack(context.aws, self._place)
        self._record = self._begun

    def _create_target(self) -> Facts:
        self._keep(self._record)
        return super()._create_target()

    def _fill(self, target: Facts) -> Verdict:
        verdict = super()._fill(target)
        self._stack.remove()
        self._note(f"removed the workers {self._place.stack}")
        return verdict

    def _copy(self, journal: Journal, progress: CopyState, order: CopyOrder) -> None:
        """Have the workers copy; what an earlier command began comes first."""
        try:
            if not progress.finished:
                self._take_over(journal, progress, order)
        finally:
            skipped, counts = dict(progress.skip_reasons), progress.counts.to_json()
            unit = self._migration.kind.unit
            self._emit("copy-totals", unit=unit, skip_reasons=skipped, **counts)

    def _take_over(self, journal: Journal, progress: CopyState, order: CopyOrder) -> None:
        """Go on with the attempt of an earlier run, and make another one if that is not enough."""
        if self._record.get("attempt") and not self._record.get("read"):
            execution = self._execution()
            if execution.look() is not None:
                self._finish(execution, journal, progress)
            if progress.finished:
                return
        self._keep_attempt(int(self._record.get("attempt", 0)) + 1)
        results = self._run_execution(journal, progress, order)
        if not progress.finished:
            raise self._unfinished_error(progress, results)

    def _run_execution(self, journal: Journal, progress: CopyState, order: CopyOrder) -> MapResults:
        """List what is left, and have it copied by one execution."""
        self._await_resumption()
        shards = asyncio.run(self._list_shards(journal, progress, order))
        # What a part holds is not counted before it is done, so items are told by parts.
        self._keep({**self._record, "items": sum(shard.items for shard in shards)})
        self._deploy(order)
        execution = self._execution()
        job = self._describe_job(order, len(shards))
        execution.start(WorkOrder(progress.snapshot(), shards, job.to_json()))
        self._emit("job-begun", job=job.execution, count=len(shards), unit=PART)
        return self._finish(execution, journal, progress)

    def _deploy(self, order: CopyOrder) -> None:
        """Have the workers, which an earlier run may have made."""
        if self._stack.deploy(make_template(self._migration.kind, order, self._place)):
            self._note(f"deployed the workers {self._place.stack}")

    def _verify(self, order: CopyOrder, items: int) -> Verdict:
        """Have the workers compare both sides, unless every byte is read: that takes too long."""
        kind, words = self._migration.kind, self._migration.words()
        if self._migration.settings.deep:
            return super()._verify(order, items)
        self._enter("verifying")
        self._deploy(order)
        context, pair = self._context, ComparisonSpec.of(kind, order)
        sides = sides_of(kind, pair, partial(aws_of, context))
        desk = VerificationDesk(
            find_earlier=self._find_verification,
            begin=self._begin_verification,
            open=self._open_execution,
            describe=partial(self._describe_job, order),
            watch=self._watch,
        )
        ordered = kind.require_copying().ordered
        return MapVerification(context, sides, desk, words).compare(ordered=ordered)

    def _find_verification(self) -> MapExecution | None:
        return self._open_verification() if self._record.get(VERIFICATION) else None

    def _begin_verification(self) -> MapExecution:
        """The next execution that compares, on record before it begins; no two share a name."""
        self._await_resumption()
        number = int(self._record.get(VERIFICATION, 0)) + 1
        self._record = {**self._record, VERIFICATION: number}
        execution = self._open_verification()
        self._keep({**self._record, "execution": execution.name})
        return execution

    def _open_verification(self) -> MapExecution:
        """The newest execution that compares what the newest attempt has copied."""
        number = self._record[VERIFICATION]
        return self._open_execution(f"{self._run}-{self._record.get('attempt', 0)}-v{number}")

    def _finish(self, execution: MapExecution, journal: Journal, progress: CopyState) -> MapResults:
        """Watch an execution until it has ended, and take its results."""
        self._enter("copying")
        problem = self._watch(execution)
        results = execution.read_results()
        try:
            before = execution.read_before()
        except NotFoundError:
            # Without the bucket nothing is known of it: what was done is found equal once more.
            before, results = progress.snapshot(), MapResults(failures=["its results are gone"])
        results.failures += [problem] if problem else []
        self._take_results(journal, progress, before, results)
        self._keep({**self._record, "read": True})
        return results

    async def _list_shards(
        self, journal: Journal, progress: CopyState, order: CopyOrder
    ) -> list[Shard]:
        context, kind = self._context, self._migration.kind
        wire = context.aws.wire(ThrottleRelay())
        try:
            tools = CopyTools(aws_of(context, order.target), wire, context.clock)
            copier = kind.require_copying().copier(tools, order)
            size = await unless_stopped(copier.size(), self._stop)
            code = "found" if size.exact else "found-about"
            self._emit(code, count=size.items, unit=kind.unit)
            await split(copier, journal, progress)
        finally:
            await wire.close()
        each = -(-size.items // max(len(progress.partitions), 1))
        return [Shard(partition, cursor, each) for partition, cursor in progress.remaining()]

    def _describe_job(self, order: CopyOrder, shards: int) -> MigrationJob:
        return MigrationJob(
            self._migration.kind.cfn_type,
            order.source,
            order.target,
            self._migration.settings,
            str(self._record["execution"]),
            self._context.clock.now() + LONGEST_DAYS * 24 * 3600,
            workers=max(1, min(MAP_WORKERS, shards)),
            by_command=True,
        )

    def _watch(self, execution: MapExecution) -> str:
        """Wait until an execution has ended; why it ended early, in a clause, empty if it did not.

        Raises IncompleteError once a person asks to stop.
        """
        with self._explain_stop(lambda: self._stop_workers(execution)):
            looks = self._watch_work(
                lambda: self._look(execution),
                PART,
                lambda progress: self._report_job(progress, PART),
            )
            progress = next(one for one in looks if one.ended)
        self._keeper.publish({WORK: None})
        # What an earlier command stopped itself is off the record, and no news.
        if not progress.problem or not self._record.get("execution"):
            return ""
        problem = f"the execution {execution.name} ended early ({progress.problem})"
        self._warn(problem)
        return problem

    def _look(self, execution: MapExecution) -> JobProgress:
        """How far an execution is that was begun. Raises IncompleteError where it is not seen."""
        for number, progress in enumerate(self._observe(execution.look), 1):
            if progress is not None:
                is_copy = execution.name == self._execution().name
                return progress._replace(of=int(self._record.get("items", 0)) * is_copy)
            if number == UNSEEN_LOOKS:
                break
        raise IncompleteError(
            f"the execution {execution.name} was begun and is not seen; run the same command again "
            "to resume"
        )

    def _stop_workers(self, execution: MapExecution) -> IncompleteError:
        """Stop the execution, and take it off the record, which its workers look at.

        The record is written as the run ends.
        """
        name, why = execution.name, ""
        self._record = {**self._record, "execution": None}
        self._keeper.publish({ENGINE: self._record})
        try:
            execution.stop()
        except DatawareError as error:
            why = f" (they end within a minute, because StopExecution failed: {error})"
        else:
            self._keeper.publish({WORK: None})
        return IncompleteError(
            f"stopped the workers of the execution {name}{why}; what they copied stays: run the "
            "same command again to resume, or `dataware forget "
            f"{self._migration.order.target.name}` to give up"
        )

    def _take_results(
        self,
        journal: Journal,
        progress: CopyState,
        before: Mapping[str, Any],
        results: MapResults,
    ) -> None:
        """Make the journal of what was done before and of what came back."""
        shards = [(shard, shard.record()) for shard in results.shards]
        records = [_name_keys(shard, record) for shard, record in shards if record is not None]
        journal.restart()
        journal.append(self._run_record(self._identity), before, *records)
        state = CopyState.of(journal.records())
        progress.partitions, progress.cursors = state.partitions, state.cursors
        progress.counts, progress.skip_reasons = state.counts, state.skip_reasons
        self._keeper.publish({"checkpoint": progress.compact()})
        for shard in results.shards:
            for one in shard.kept:
                self._emit("skipped", **one)
        ended = format_count(sum(shard.done for shard in results.shards), PART)
        self._note(f"the workers report {ended} done")

    @property
    def _identity(self) -> str | None:
        identity = self._keeper.detail.get("identity")
        return identity if isinstance(identity, str) else None

    def _unfinished_error(self, progress: CopyState, results: MapResults) -> IncompleteError:
        left = format_count(len(progress.remaining()), PART)
        why = "; ".join(results.reasons[:2]) or "a worker ended without a reason"
        return IncompleteError(
            f"{left} of {self._migration.words()['source']} not copied: {why}; run the same "
            "command again to resume"
        )

    def _execution(self) -> MapExecution:
        return self._open_execution(f"{self._run}-{self._record['attempt']}")

    def _open_execution(self, name: str) -> MapExecution:
        return MapExecution(self._context.aws, self._place, name)

    def _keep_attempt(self, number: int) -> None:
        self._keep({"attempt": number, "execution": f"{self._run}-{number}"})


def _name_keys(shard: Shard, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The checkpoint of a shard, which names the keys that it kept of those that it skipped."""
    rest = shard.skip_reasons.copy()
    rest.subtract(one["reason"] for one in shard.kept)
    unnamed = [{"reason": reason} for reason in rest.elements()]
    return {**record, "skipped_keys": [*shard.kept, *unnamed]}
