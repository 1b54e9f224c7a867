"""Carries one migration from its marker to its verdict: lock, copy, verify, record.

Whatever kills it, the record and the journal let the next run go on: the record is written before
the first change, a checkpoint only after the target's acknowledgement, and "complete" only after
both sides were read afresh and compared.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    RefusedError,
    ServiceError,
    WriteDeniedError,
    to_go_on,
)
from dataware.core.events import event
from dataware.core.kind import CopyOrder, Kind, SkipReason
from dataware.core.model import Content, Existence, Facts, Marker, MarkerState, OnConflict
from dataware.core.names import full_name
from dataware.core.ports import Journal
from dataware.http.auth_errors import cure
from dataware.migrate import CopyState, Counts, since_boot
from dataware.ops.context import ComparisonSpec, Context, CopySettings
from dataware.ops.copy_run import CopyRun
from dataware.ops.failure_summary import carry_over, ending
from dataware.ops.lease_keeper import LeaseKeeper, await_settled
from dataware.ops.marker_names import on_record
from dataware.ops.migration_outcome import (
    describe_denied,
    describe_skipped,
    is_unexplained,
    report_nothing_copied,
    report_verdict,
)
from dataware.ops.probe import look
from dataware.ops.verify import report_differences, run_comparison, why_different
from dataware.verify.progress import VerifyProgress
from dataware.verify.verdict import Verdict

QUIET = 1000
"""Up to how many items or objects a verification is over before a line about it is read."""

ROUNDS = 3
"""Copies of what a verification found missing, or of what changed after it was listed, before the
run gives up as incomplete."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration to carry out.

    `marker` is the record as it was probed; `create` makes the target, None if it exists, and only
    into what it made itself a run writes without conditions; `nothing_to_copy` says that the source
    was seen to be empty.
    """

    kind: Kind
    order: CopyOrder
    settings: CopySettings
    marker: Marker
    target: Facts
    create: Callable[[], None] | None = None
    nothing_to_copy: bool = False

    @property
    def resumes(self) -> bool:
        """Whether an earlier run has begun."""
        return self.marker.state is MarkerState.RUNNING

    @property
    def same_target(self) -> bool:
        """Whether the target is the very one of which the record tells."""
        known = _known_identity(self.marker)
        return self.resumes and known is not None and known == self.target.identity

    @property
    def made_here(self) -> bool:
        """Whether the target is the very one that this migration made in an earlier run."""
        return self.marker.created and self.same_target

    def words(self) -> dict[str, object]:
        """The fields that the events of this migration carry."""
        order = self.order
        source = full_name(self.kind, order.source, order.target)
        return {"source": source, "name": order.target.name}


def run_migration(
    context: Context, migration: Migration, on_locked: Callable[[], None] = lambda: None
) -> Verdict:
    """Carry a migration out; `on_locked` is called once the lock is held.

    Raises Refused while another run is alive. Once the record says "running", whatever goes wrong
    raises Incomplete, because the next run continues from the journal; what the target cannot be
    created for stays a ServiceError or InputError. Raises WriteDeniedError where writing is denied
    and nothing was copied.
    """
    _check_visible(migration)
    _check_record(context, migration)
    source, target = on_record(migration.kind, migration.order)
    run = (migration.marker.run if migration.resumes else None) or uuid4().hex[:12]
    record = Marker(
        MarkerState.RUNNING,
        source=source,
        run=run,
        identity=migration.target.identity,
        created=migration.create is not None or migration.made_here,
        batches=migration.create is not None,
    )
    asked = since_boot()
    lease = context.markers.begin(migration.kind.name, target, record, migration.marker)
    with LeaseKeeper(lease, asked=asked) as heart:
        heart.publish(carry_over(migration.marker.detail) if migration.same_target else {})
        carrier = _MigrationRun(context, migration, run, heart)
        try:
            with _resumable(carrier):
                on_locked()
                verdict = carrier.run_migration()
        except BaseException as error:
            heart.publish({"ended": ending(error)})
            _release(lease.release, heart)
            raise
        with _resumable(carrier):
            lease.complete({"verified": verdict.compared, "unit": migration.kind.unit})
    return verdict


@contextmanager
def _resumable(carrier: _MigrationRun) -> Iterator[None]:
    """What ends a run that is on record loses nothing: once the cause is cured, it goes on.

    Only what CloudFormation does not create stays as it is, because no repetition cures it.
    """
    try:
        yield
    except (IncompleteError, RefusedError, WriteDeniedError):
        raise
    except Exception as error:
        if not carrier.stands and type(error) in (ServiceError, InputError):
            raise
        raise IncompleteError(auth_sentence(error) or to_go_on(error)) from error


def auth_sentence(error: Exception) -> str | None:
    """The sentence for who is not let in any more, from the words of any service."""
    problem = error.problem if isinstance(error, ServiceError) else None
    cured_by = cure(problem.code) if problem else None
    return f"{problem}: {cured_by}" if cured_by else None


def _release(release: Callable[[Mapping[str, Any]], None], heart: LeaseKeeper) -> None:
    """Let the next run in at once; without an answer it gets in when the heartbeat is old."""
    if not heart.lost:
        try:
            release(heart.detail)
        except DatawareError:
            return


def _check_visible(migration: Migration) -> None:
    """What cannot be read cannot be verified, so nothing is written into it."""
    target = migration.target
    if migration.create is None and target.content is Content.UNKNOWN:
        problems = "; ".join(str(problem) for problem in target.problems) or "no answer"
        raise IncompleteError(
            f"nothing was copied to {target.name}, because it cannot be read and so not be "
            f"verified ({problems}); allow the calls and run the same command again"
        )


def _check_record(context: Context, migration: Migration) -> None:
    """What was decided rests on the record, so it has to be the same still."""
    source, target = on_record(migration.kind, migration.order)
    seen, now = migration.marker, context.markers.get(migration.kind.name, target)
    if not now.alive and (now.state, now.run) != (seen.state, seen.run):
        raise RefusedError(
            f"the record of the migration from {source} into {target} has changed since the plan "
            f"was made: it was {seen.state} and is {now.state}; nothing was changed, so run the "
            "same command again"
        )


def _known_identity(marker: Marker) -> str | None:
    known = marker.detail.get("identity", marker.identity)
    return known if isinstance(known, str) else None


class _MigrationRun:
    """The steps of one migration under a held lease; `stands` says that the target is there."""

    def __init__(
        self, context: Context, migration: Migration, run: str, heart: LeaseKeeper
    ) -> None:
        self.stands = migration.create is None
        self._context = context
        self._migration = migration
        self._run = run
        self._heart = heart

    def run_migration(self) -> Verdict:
        kind, order = self._migration.kind, self._migration.order
        target = self._create_target()
        self.stands = True
        self._heart.publish({"identity": target.identity})
        self._heart.send_heartbeat()
        # What an earlier run began may be in use by now, or that run may write to it yet.
        order = replace(order, exclusive=self._migration.create is not None)
        journal = self._context.journal(kind.name, on_record(kind, order)[1])
        try:
            self._open(journal, target)
            return self._rounds(journal, order)
        except IncompleteError:
            self._heart.check()  # a lost lock stops the work like a person does, and says more
            raise
        finally:
            journal.close()

    def _create_target(self) -> Facts:
        migration = self._migration
        if migration.create is not None:
            self._enter("creating")
            migration.create()
        elif migration.resumes and migration.marker.created:
            # The creation that a killed run began may roll back yet, so it has to end first.
            self._context.hold.release(migration.kind, migration.order.target.name)
        else:
            return migration.target
        target = look(self._context, migration.kind, migration.order.target.name)
        if target.existence is Existence.ABSENT:
            raise IncompleteError(
                f"{target.name} went away while it was being created; run the same command again"
            )
        return target

    def _open(self, journal: Journal, target: Facts) -> None:
        """Keep the journal if it tells of this run into this very target; else begin it."""
        progress = CopyState.of(journal.records())
        fits = progress.run == self._run and progress.identity == target.identity
        retry_left = progress.finished and progress.counts.left > 0
        if fits and not retry_left:
            return
        journal.restart()
        journal.append(self._run_record(target.identity))
        marker = self._migration.marker
        text = marker.detail.get("checkpoint")
        travels = self._migration.resumes and _known_identity(marker) == target.identity
        if isinstance(text, str) and travels and not fits:
            try:
                journal.append(CopyState.snapshot_of(text))
            except ValueError:
                return  # without a checkpoint the copy begins anew and finds what is there

    def _run_record(self, identity: str | None) -> dict[str, object]:
        words = self._migration.words()
        return {"type": "run", "run": self._run, "identity": identity, **words}

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        for rounds_left in reversed(range(ROUNDS)):
            progress = CopyState.of(journal.records())
            self._enter("looking")
            self._copy(journal, progress, order)
            self._heart.check()
            await_settled(self._context, self._heart, self._migration.words())
            if progress.counts.done > QUIET:
                self._context.emit(event("verifying", **self._migration.words()))
            verdict = self._verify(order, progress.counts.done)
            changed = progress.troubles[SkipReason.CHANGED] > 0
            if not is_unexplained(verdict, journal) and not (changed and rounds_left):
                self._accept(journal, progress, verdict)
                return verdict
            if rounds_left:
                self._report_again(verdict, progress)
            journal.restart()
            journal.append(self._run_record(progress.identity))
        name = order.target.name
        report_differences(self._context, verdict, self._migration.words())
        raise IncompleteError(
            f"{order.source.name} and {name} still differ after {ROUNDS} copies "
            f"({verdict.summary()}): {why_different(verdict, progress.counts.tally)} and run the "
            "same command again"
        )

    def _report_again(self, verdict: Verdict, progress: CopyState) -> None:
        """Say why there is another round."""
        words = self._migration.words()
        text = f"{words['source']} changed while it was copied; copying again"
        if verdict.may_hide_differences or verdict.missing_or_different:
            why = why_different(verdict, progress.counts.tally)
            both = f"{words['source']} and {words['name']} differ after the copy"
            text = f"{both} ({verdict.summary()}): {why}; copying again"
        self._context.emit(event("warning", text=text, **words))

    def _copy(self, journal: Journal, progress: CopyState, order: CopyOrder) -> None:
        """Copy once, and leave to the record of the run what it came to, however it ends."""
        unit, words = self._migration.kind.unit, self._migration.words()
        try:
            asyncio.run(self._copying(journal, progress, order).run())
        except WriteDeniedError as error:
            raise self._denial_error(journal, progress, error) from error
        finally:
            counts, troubles = progress.counts.to_json(), dict(progress.troubles)
            self._context.emit(event("counted", unit=unit, troubles=troubles, **counts, **words))

    def _denial_error(
        self, journal: Journal, progress: CopyState, error: WriteDeniedError
    ) -> WriteDeniedError | IncompleteError:
        """The error that says what was denied, and what was copied before that.

        Where nothing was, the record begins anew, so that the next run tries every key again.
        """
        text = describe_denied(self._migration.kind.unit, self._migration.order.target.name, error)
        if error.copied:
            return IncompleteError(text)
        journal.restart()
        journal.append(self._run_record(progress.identity))
        progress.counts, progress.troubles = Counts(), Counter()
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
            self._heart.publish,
            self._heart.term,
        )

    def _enter(self, phase: str) -> None:
        """Tell that the migration is now in `phase`, here and in the record."""
        words = self._migration.words()
        self._context.emit(event("phase", phase=phase, migration=self._run, **words))
        self._heart.publish({"phase": phase})

    def _verify(self, order: CopyOrder, items: int) -> Verdict:
        self._enter("verifying")
        context, migration = self._context, self._migration
        pair = ComparisonSpec(
            migration.kind.cfn_type,
            order.source,
            order.target,
            order.all_versions,
            migration.settings.deep,
        )
        words, unit = migration.words(), migration.kind.unit
        clock, emit, publish = context.clock, context.emit, self._heart.publish
        measure = VerifyProgress(words, unit, items, clock, emit, publish=publish)
        return run_comparison(context, migration.kind, pair, self._stop, measure)

    def _stop(self) -> bool:
        """Whether a person asked to stop, or another run may have begun."""
        return self._context.stop() or self._heart.lost

    def _accept(self, journal: Journal, progress: CopyState, verdict: Verdict) -> None:
        """Complete, unless keys were left behind and nobody said that this is all right."""
        settings, kind = self._migration.settings, self._migration.kind
        troubles = dict(progress.troubles)
        report_differences(self._context, verdict, self._migration.words())
        if settings.on_conflict is OnConflict.TARGET:
            troubles.pop(SkipReason.CONFLICT, None)
        if set(troubles) == {SkipReason.DENIED} and not progress.counts.in_target:
            why = next(
                left["why"] for one in journal.records() for left in one.get("kept_back", ())
            )
            raise self._denial_error(journal, progress, WriteDeniedError(why))
        if troubles and not settings.accept_left:
            equal = {"count": verdict.compared - verdict.missing_or_different, "unit": kind.unit}
            self._context.emit(event("equal", **equal, **self._migration.words()))
            raise IncompleteError(
                describe_skipped(
                    kind.unit, self._migration.order.target.name, troubles, progress.counts
                )
            )
        if not progress.counts.in_target:
            report_nothing_copied(
                self._context, kind.unit, self._migration.words(), progress, troubles
            )
        else:
            self._context.emit(event("migrated", **self._migration.words()))
        report_verdict(self._context, kind, verdict, self._migration.words())
