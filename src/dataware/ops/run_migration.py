"""Carries one migration from its marker to its verdict: lock, copy, verify, record.

Whatever kills it, the record and the journal let the next run go on: the record is written before
the first change, a checkpoint only after the target's acknowledgement, and "complete" only after
both sides were read again and compared.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

from dataware.calc.highest_counts import HighestCounts
from dataware.core.copier import CopyOrder
from dataware.core.errors import (
    DatawareError,
    HalfMadeError,
    IncompleteError,
    InputError,
    RefusedError,
    ServiceError,
    SidesDifferError,
    WriteDeniedError,
    to_go_on,
)
from dataware.core.events import event
from dataware.core.model import Existence, Facts, Marker
from dataware.core.ports import Journal
from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import ComparisonSpec, Context, MadeTarget
from dataware.ops.control_reporter import ControlReporter
from dataware.ops.copy_run import CopyRun
from dataware.ops.failure_summary import ending
from dataware.ops.lease_keeper import LeaseKeeper, await_settled, keep_alive
from dataware.ops.marker_names import on_record
from dataware.ops.migration_checks import check_record, check_visible, may_be_held, record_held
from dataware.ops.migration_outcome import report_decision
from dataware.ops.migration_policy import (
    COMMAND,
    COMPLETING,
    HALF_MADE,
    ROUNDS,
    CompletedCopy,
    Migration,
    MigrationDecision,
    MigrationPolicy,
    MigrationStep,
    SkippedKeys,
    must_retry_skipped,
    restore_snapshot,
)
from dataware.ops.partial_copy import record_end
from dataware.ops.probe import look
from dataware.ops.verify import report_differences, run_comparison
from dataware.verify.pausable_stop import PausableStop
from dataware.verify.progress import VerifyProgress
from dataware.verify.verdict import Verdict

QUIET = 1000
"""Up to how many items or objects a verification is over before a line about it is read."""


class MakeRun(Protocol):
    """How the steps of a migration are made."""

    def __call__(
        self, context: Context, migration: Migration, run: str, keeper: LeaseKeeper
    ) -> MigrationRun:
        """The steps of the migration `run` under a held lease."""
        ...


def run_migration(
    context: Context,
    migration: Migration,
    on_locked: Callable[[], None] = lambda: None,
    make_run: MakeRun | None = None,
) -> Verdict:
    """Carry a migration out; `on_locked` is called once the lock is held.

    `make_run` makes its steps, where they are not the usual ones.

    Raises Refused while another run is alive. Once the record says "running", whatever goes wrong
    raises Incomplete, because the next run continues from the journal; what the target cannot be
    created for stays a ServiceError or InputError. Raises WriteDeniedError where writing is denied
    and nothing was copied.
    """
    check_visible(migration)
    migration.check_whole()
    check_record(context, migration)
    _, target = on_record(migration.kind, migration.order)
    record = _begin_record(context, migration)
    asked_at = since_boot()
    lease = context.markers.begin(migration.kind.names.slug, target, record, migration.marker)
    reporter = ControlReporter(context.emit, {**migration.words(), "unit": migration.kind.unit})
    with keep_alive(lease, asked_at, reporter, at_once=context.bounds.at_once) as keeper:
        keeper.publish(record.detail)
        carrier = (make_run or MigrationRun)(context, migration, str(record.run), keeper)
        reporter.describe_effect = carrier.describe_pause_effect
        try:
            with _resumable(carrier):
                on_locked()
                verdict = carrier.run_migration()
        except BaseException as error:
            keeper.publish({"failure": ending(error)})
            _release(lease.release, keeper)
            raise
        if carrier.is_on_record:
            return verdict
        with _resumable(carrier):
            lease.complete(record_end(migration.kind, verdict.compared) | _command_run(context))
    return verdict


def _begin_record(context: Context, migration: Migration) -> Marker:
    """The record to begin with; it also names the command's run, by which people ask for it.

    The id of the migration stays that of the run that began it, unique among machines.
    """
    record = migration.begin_marker(uuid4().hex[:12])
    detail = {**record.detail, **record_held(migration), **_command_run(context)}
    return replace(record, detail=detail)


def _command_run(context: Context) -> dict[str, str]:
    return {"command_run": context.command_run} if context.command_run else {}


@contextmanager
def _resumable(carrier: MigrationRun) -> Iterator[None]:
    """What ends a run that is on record loses nothing: once the cause is fixed, it goes on.

    Only what CloudFormation does not create stays as it is, because no repetition cures it.
    """
    try:
        yield
    except (IncompleteError, RefusedError, SidesDifferError, WriteDeniedError):
        raise
    except Exception as error:
        if not carrier.stands and type(error) in (ServiceError, HalfMadeError, InputError):
            raise
        raise IncompleteError(to_go_on(error)) from error


def _release(release: Callable[[Mapping[str, Any]], None], keeper: LeaseKeeper) -> None:
    """Let the next run in at once; without an answer it gets in when the heartbeat is old."""
    if not keeper.lost:
        with suppress(DatawareError):
            release(keeper.detail)


class MigrationRun:
    """The steps of one migration under a held lease; `stands` says that the target is there.

    `is_on_record` says that these steps have written "complete" themselves, `is_guarded` that each
    write has a condition also where they make the target.
    """

    is_on_record = is_guarded = False

    def __init__(
        self, context: Context, migration: Migration, run: str, keeper: LeaseKeeper
    ) -> None:
        self.stands = migration.create is None
        self._held: MadeTarget | None = None
        self._highest = HighestCounts()
        self._context = context
        self._migration = migration
        self._run = run
        self._keeper = keeper
        words = migration.words()
        self._policy = MigrationPolicy.of(words, migration.kind, migration.settings, COMMAND)

    def run_migration(self) -> Verdict:
        """Create the target if need be, and fill it. Raises what ends the run."""
        self._await_resumption()
        if not self.stands:  # nothing is made for a copy of which no progress could be kept
            self._open_journal().close()
        target = self._create_target()
        self.stands = True
        self._keeper.publish({"identity": target.identity})
        self._keeper.send_heartbeat()
        if self._held is not None:
            self._held.let_go()
        with self._take_turn():
            verdict = self._fill(target)
        if self._held is not None:
            # Whatever is complete belongs to no stack, so that the app's own may adopt it.
            self._held.await_end()
        return verdict

    def _take_turn(self) -> AbstractContextManager[None]:
        """Be one of those that copy or verify at the same time."""
        return self._context.bounds.slot(self._stop)

    def _fill(self, target: Facts) -> Verdict:
        migration = self._migration
        # What an earlier run began may be in use by now, or that run may write to it yet.
        is_new = migration.create is not None and not self.is_guarded
        order = replace(migration.order, exclusive=is_new, made_here=migration.made_here)
        journal = self._open_journal()
        try:
            self._open(journal, target)
            return self._rounds(journal, order)
        except IncompleteError:
            self._keeper.check()  # a lost lock stops the work like a person does, and says more
            raise
        finally:
            journal.close()

    def _open_journal(self) -> Journal:
        kind, order = self._migration.kind, self._migration.order
        return self._context.journals.open(kind.names.slug, on_record(kind, order)[1])

    def _create_target(self) -> Facts:
        migration = self._migration
        if migration.create is not None:
            self._enter("creating")
            with self._half_made_recorded():
                self._held = migration.create()
        elif may_be_held(migration):
            # The creation that a killed run began may roll back yet, so it has to end first.
            with self._half_made_recorded():
                self._context.hold.release(migration.kind, migration.order.target.name)
        else:
            return migration.target
        target = look(self._context, migration.kind, migration.order.target.name)
        if target.existence is Existence.ABSENT:
            raise IncompleteError(
                f"{target.name} disappeared while it was being created; run the same command again"
            )
        return target

    @contextmanager
    def _half_made_recorded(self) -> Iterator[None]:
        """Keep on record which target is not whole, so that no run takes it for one that is."""
        try:
            yield
        except HalfMadeError:
            facts = look(self._context, self._migration.kind, self._migration.order.target.name)
            if facts.identity is not None:
                self._keeper.publish({HALF_MADE: facts.identity})
            raise

    def _open(self, journal: Journal, target: Facts) -> None:
        """Keep the journal if it is about this run into this very target; else begin it."""
        progress = CopyState.of(journal.records())
        fits = progress.run == self._run and progress.identity == target.identity
        if fits and self._may_go_on(progress):
            return
        journal.restart()
        journal.append(self._run_record(target.identity))
        checkpoint = self._migration.checkpoint_into(target.identity)
        if not fits and (snapshot := restore_snapshot(checkpoint)) is not None:
            journal.append(snapshot)

    def _may_go_on(self, state: CopyState) -> bool:
        """Whether a journal is gone on with, or its copy starts again."""
        return not must_retry_skipped(state)

    def _run_record(self, identity: str | None) -> dict[str, object]:
        words = self._migration.words()
        return {"type": "run", "run": self._run, "identity": identity, **words}

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Copy and verify, up to `ROUNDS` times. Raises what the policy does not let pass."""
        for number in range(1, ROUNDS + 1):
            progress = CopyState.of(journal.records())
            self._enter("looking")
            self._copy(journal, progress, order)
            self._keeper.check()
            await_settled(self._context, self._keeper, self._migration.words())
            if progress.counts.done > QUIET:
                self._context.emit(event("verifying", **self._migration.words()))
            verdict = self._verify(order, progress.counts.done)
            copy = CompletedCopy(number, progress, read_skipped(journal))
            decision = self._policy.judge(copy, verdict)
            self._report(decision, verdict)
            if decision.step in COMPLETING:
                return verdict
            if decision.step is MigrationStep.SKIPPED:
                break  # the journal stays: the next run tries again what was skipped
            self._restart(journal, progress)
            if decision.step is not MigrationStep.COPY_AGAIN:
                break
        if decision.step is MigrationStep.DENIED:
            raise WriteDeniedError(decision.why)
        raise IncompleteError(decision.why)

    def _report(self, decision: MigrationDecision, verdict: Verdict) -> None:
        """Report a decision, and with the last one the differences, for the record of the run."""
        context, words = self._context, self._migration.words()
        if decision.step is not MigrationStep.COPY_AGAIN:
            report_differences(context, verdict, words)
        report_decision(context, self._migration.kind, decision, verdict, words)

    def _restart(self, journal: Journal, progress: CopyState) -> None:
        """Start the journal from scratch, so that every key is read and tried again."""
        journal.restart()
        journal.append(self._run_record(progress.identity))

    def _copy(self, journal: Journal, progress: CopyState, order: CopyOrder) -> None:
        """Copy once, and leave to the record of the run what it came to, however it ends."""
        unit, words = self._migration.kind.unit, self._migration.words()
        try:
            asyncio.run(self._copying(journal, progress, order).run())
        except WriteDeniedError as error:
            raise self._denial_error(journal, progress, error) from error
        finally:
            counts, skip_reasons = progress.counts.to_json(), dict(progress.skip_reasons)
            self._context.emit(
                event("copy-totals", unit=unit, skip_reasons=skip_reasons, **counts, **words)
            )

    def _denial_error(
        self, journal: Journal, progress: CopyState, error: WriteDeniedError
    ) -> WriteDeniedError | IncompleteError:
        """The error that says what was denied, and what was copied before that.

        Where nothing was, the journal is cleared, so that the next run tries every key again.
        """
        text = self._policy.describe_denied(error)
        if error.copied:
            return IncompleteError(text)
        self._restart(journal, progress)
        progress.counts, progress.skip_reasons = Counts(), Counter()
        return WriteDeniedError(text, error.problem)

    def _copying(self, journal: Journal, progress: CopyState, order: CopyOrder) -> CopyRun:
        migration = self._migration
        return CopyRun(
            self._context,
            migration.kind,
            order,
            migration.settings,
            journal,
            progress,
            self._stop,
            self._keeper.publish,
            self._keeper.term,
            self._highest,
            self._keeper.read_control,
        )

    def _enter(self, phase: str) -> None:
        """Tell that the migration is now in `phase`, here and in the record."""
        words = self._migration.words()
        self._context.emit(event("phase", phase=phase, migration=self._run, **words))
        self._keeper.publish({"phase": phase})

    def _verify(self, order: CopyOrder, items: int) -> Verdict:
        self._enter("verifying")
        context, migration = self._context, self._migration
        pair = ComparisonSpec.of(migration.kind, order, deep=migration.settings.deep)
        words, unit = migration.words(), migration.kind.unit
        clock, emit, publish = context.clock, context.emit, self._keeper.publish
        measure = VerifyProgress(
            words, unit, items, clock, emit, publish=publish, highest=self._highest
        )
        return run_comparison(context, migration.kind, pair, self._held_stop, measure)

    def _await_resumption(self) -> None:
        """Wait while the migration is paused. Raises IncompleteError when asked to stop."""
        if self._is_paused() and self._held_stop():
            self._keeper.check()
            name = self._migration.order.target.name
            raise IncompleteError(
                f"stopped during the pause of {name}; continue it with `dataware resume "
                f"{name}`, and run the same command again"
            )

    @property
    def _held_stop(self) -> PausableStop:
        """The stop request, for threads that must not go on during a pause."""
        return PausableStop(self._stop, self._is_paused)

    def _is_paused(self) -> bool:
        return self._keeper.read_control().is_paused

    def describe_pause_effect(self) -> str:
        """What a pause does now, in a clause; empty where nothing more is written."""
        return ""

    def _stop(self) -> bool:
        """Whether a person asked to stop, or another run may have begun."""
        return self._context.stop() or self._keeper.lost


def read_skipped(journal: Journal) -> SkippedKeys:
    """What this machine's journal says was skipped; of what workers skipped it names only some."""
    skipped = [one for record in journal.records() for one in record.get("skipped_keys", ())]
    named = {one["key"]: one["detail"] for one in skipped if "key" in one}
    unnamed, reason = sum("key" not in one for one in skipped), next(iter(named.values()), "")
    return SkippedKeys(len(skipped), frozenset(named), unnamed, reason=reason)
