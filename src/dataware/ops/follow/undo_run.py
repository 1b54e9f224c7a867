"""The undo of a cut-over under the lock of its migration: the follow with its sides reversed.

What was written to the target since the switch is carried to the source, then the target's writers
are stopped, the rest is carried and compared, and "following" opens the source again. Whatever
fails before that lets the writers go on with the target, and the record says complete again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from dataware.core.copier import CopyOrder
from dataware.core.errors import DatawareError, IncompleteError, RefusedError
from dataware.core.events import event, format_count
from dataware.core.follow.cutover import CutoverRecord, CutoverState, CutoverStep
from dataware.core.follow.cutover_ports import KeyComparison, UncertainOutcomes
from dataware.core.follow.feed import ChangeFeed, FollowState, Gap, GapCause, find_refused
from dataware.core.follow.following import Following
from dataware.core.follow.loop import FollowLoop, FollowPorts
from dataware.core.follow.steady_time import SteadyTime
from dataware.core.follow.undo_ports import (
    BothSidesFeed,
    OldSide,
    SettledComparison,
    StrayWait,
    UndoCarrier,
    UndoWritten,
    list_equal,
)
from dataware.core.model import Facts, Marker, MarkerState
from dataware.core.ports import Journal
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import ComparisonSpec, Context, aws_of
from dataware.ops.follow.cutover_run import (
    CutoverRun,
    CutoverSettings,
    StrayKeyReporter,
    switched_event,
)
from dataware.ops.follow.difference import DifferenceTools, SettledDifference
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.follow.follow_run import FollowReporter
from dataware.ops.follow.freeze_warning import GivenUpError
from dataware.ops.follow.key_comparison import find_gone
from dataware.ops.follow.source_feed import SourceFeed, choose_feed
from dataware.ops.follow.sync_carrier import SyncCarrier
from dataware.ops.follow.undo_window import (
    KnownStrays,
    UndecidedKeys,
    find_old_feed,
    list_changes,
    open_undo_window,
    switch_off,
)
from dataware.ops.lease_keeper import LeaseKeeper, await_settled
from dataware.ops.marker_names import on_record
from dataware.ops.migration_policy import UNDO_FEED, Migration
from dataware.ops.verify import sides_of
from dataware.state.cutover_records import read_cutover
from dataware.state.marker_value import ACCEPTS, ASKED, CUTOVER, HOOK, OUTCOME
from dataware.verify.verdict import Verdict

DROPPED = ("failure", ASKED, HOOK, OUTCOME, ACCEPTS)
"""What of a record belongs to the run before."""


class UndoConflict(StrEnum):
    """What a person decides about keys that were written on both sides since the switch."""

    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class UndoMigration(Migration):
    """The migration whose cut-over is undone; its record stays its own."""

    def begin_marker(self, new_run: str) -> Marker:
        """The record as it is, with the undo begun."""
        record = read_cutover(self.marker.detail)
        if self.marker.state is MarkerState.COMPLETE:
            record = replace(record, state=CutoverState.UNDOING)
        detail = {name: part for name, part in self.marker.detail.items() if name not in DROPPED}
        return Marker(
            MarkerState.RUNNING,
            source=self.marker.source,
            run=self.marker.run or new_run,
            identity=self.marker.identity,
            created=self.marker.created,
            detail={**detail, CUTOVER: record.to_json()},
        )


class UndoRun(CutoverRun):
    """The steps of an undo."""

    def __init__(
        self,
        settings: CutoverSettings,
        on_conflict: UndoConflict | None,
        context: Context,
        migration: Migration,
        run: str,
        keeper: LeaseKeeper,
    ) -> None:
        order = replace(
            migration.order, source=migration.order.target, target=migration.order.source
        )
        super().__init__(settings, context, replace(migration, order=order), run, keeper)
        self._forth = migration
        self._on_conflict = on_conflict
        self._old: OldSide
        self._states: tuple[FollowState, FollowState]

    @property
    def _target_on_record(self) -> str:
        return on_record(self._forth.kind, self._forth.order)[1]

    def _create_target(self) -> Facts:
        return self._migration.target

    def _open(self, journal: Journal, target: Facts) -> None:
        """Keep the journal, which names who wrote after the switch."""

    def _fill(self, target: Facts) -> Verdict:
        del target
        kind = self._forth.kind
        journal = self._context.journals.open(kind.names.slug, self._target_on_record)
        try:
            return self._rounds(journal, self._migration.order)
        finally:
            journal.close()

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Carry back, and open the source. Raises IncompleteError where that was given up."""
        with self._warn_of_freeze():
            return self._carry_back(journal, order)

    def _carry_back(self, journal: Journal, order: CopyOrder) -> Verdict:
        following = require_following(self._migration.kind).guard()
        tools = replace(self._difference_tools(order), choose=self._leave_kept)
        wait = StrayWait(lambda: self._old, lambda: self._cutover.settle_seconds, since_boot)
        difference = SettledDifference(tools, wait)
        chosen = choose_feed(
            self._context, self._migration, following, difference, self._publish_now
        )
        self._states = forth, window = self._open_states(chosen)
        if (by_record := self._list_changes(journal, following, forth)) is not None:
            chosen = replace(chosen, feed=by_record)
        written = UndoWritten(window, replaces=self._on_conflict is UndoConflict.REPLACE)
        self._old = self._make_old_side(journal, following, forth, written)
        carrier = SyncCarrier(
            self._context, following, order, written, self._keeper.term, self._context.stop
        )
        try:
            ports = self._make_ports(chosen, carrier, journal)
            loop = self._make_loop(ports, order, journal)
            self._time = SteadyTime(self._context.clock.now, since_boot)
            loop.open(self._time.now())
            await_settled(self._context, self._keeper, self._migration.words())
            loop.allow_carrying(self._time.now())
            return self._go_on(loop, chosen)
        finally:
            difference.close()
            with suppress(RuntimeError):
                carrier.close()
            forth.close()
            window.close()

    def _list_changes(
        self, journal: Journal, following: Following, forth: FollowState
    ) -> ChangeFeed | None:
        """What tells, by its record, which keys of the new side have changed since the switch.

        A deep comparison sees what listings do not show, so that takes its place.
        """
        is_seen = KnownStrays.read(journal.records(), self._witness).is_seen
        if not is_seen or self._migration.settings.deep:
            return None
        place = self._migration.order.source
        return list_changes(self._context, following, place, forth, is_target=True)

    def _make_ports(
        self, chosen: SourceFeed, carrier: SyncCarrier, journal: Journal
    ) -> FollowPorts:
        """What the follow of the new side works with."""
        _, window = self._states
        undecided = UndecidedKeys(journal, self._witness)
        # The feeds have reported them to an earlier run, and do not again.
        window.add(undecided.keys, self._context.clock.now())
        telling = UncertainOutcomes(carrier, self._keeper.delay_next_run)
        replaces = self._on_conflict is UndoConflict.REPLACE
        back = UndoCarrier(
            telling,
            self._old,
            replaces=replaces,
            keep=undecided.keep,
            find_gone=self._find_gone,
        )
        feed = BothSidesFeed(chosen.feed, self._old)
        return FollowPorts(feed, back, window, window, chosen.difference)

    def _make_comparison(self) -> KeyComparison:
        return SettledComparison(
            self._comparison,
            self._old,
            self._choose,
            lambda: self._cutover.settle_seconds,
            since_boot,
        )

    def _find_gone(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of `keys` that neither side has. Raises LookupFailedError."""
        pair = ComparisonSpec.of(self._migration.kind, self._migration.order)
        readers = sides_of(self._migration.kind, pair, partial(aws_of, self._context))
        return find_gone((readers.source, readers.target), keys)

    def _open_states(self, chosen: SourceFeed) -> tuple[FollowState, FollowState]:
        """What the follow knew, and what is known of the target since the switch."""
        forth = self._open_state(replace(chosen, difference=None))
        lost = (Gap(GapCause.STATE_LOST),) if chosen.difference is not None else ()
        window = open_undo_window(self._context, self._forth, self._run, self._witness, lost)
        if window.position() is None:
            window.add_gaps(lost)
        return forth, window

    def _make_old_side(
        self, journal: Journal, following: Following, forth: FollowState, written: UndoWritten
    ) -> OldSide:
        place, words = self._migration.order.target, dict(self._forth.words())
        strays = KnownStrays.read(journal.records(), self._witness)
        # Elsewhere it would tell of what was written before the switch, too.
        feed = find_old_feed(self._context, following, place, forth) if strays.is_seen else None
        reporter = StrayKeyReporter(self._context, journal, words)
        if feed is None:
            why = "what was written to it since the switch is not known here"
            self._context.emit(event("stray-gap", why=why, **words))
        return OldSide(feed, forth, written, reporter, strays.keys, is_known=strays.are_all)

    @property
    def _witness(self) -> str:
        """Who made the switch."""
        return read_cutover(self._forth.marker.detail).witness

    def _make_watched(self, order: CopyOrder) -> ChangeFeed | None:
        """Nothing is watched after the undo."""
        return None

    def _difference_tools(self, order: CopyOrder) -> DifferenceTools:
        return replace(super()._difference_tools(order), choose=self._choose)

    def _choose(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of `keys` that have to be equal in the end."""
        return self._leave_kept(self._old.choose(keys))

    def _leave_kept(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of `keys` that no person has decided to leave as they are.

        Of what differs on the old side alone and what differs on both a comparison knows nothing,
        so all of that is listed.
        """
        if self._on_conflict is UndoConflict.KEEP:
            conflicts = self._cutover.loop.conflicts.values()
            return frozenset(keys) - {one.key for one in conflicts if not one.is_refused}
        return frozenset(keys)

    def _go_on(self, loop: FollowLoop, chosen: SourceFeed) -> Verdict:
        """Carry back and open the source. Raises where the undo was given up."""
        self._cutover.copied = True
        self._enter("undoing")
        reporter = FollowReporter(self, loop, chosen)
        try:
            while self._cutover.record.state not in (
                CutoverState.FOLLOWING,
                CutoverState.REVERSIBLE,
            ):
                self._check_conflicts(loop)
                if self._cutover.record.state is CutoverState.UNDO_VERIFIED:
                    self._record_equal(loop)
                self._step(reporter)
        finally:
            self._comparison.close()
        self.is_on_record = True
        if self._cutover.record.state is CutoverState.REVERSIBLE:
            raise self._describe_end(loop)
        self._finish()
        return Verdict()

    def _record_equal(self, loop: FollowLoop) -> None:
        """Let the next follow know that what was carried back is on both sides.

        Otherwise a follow that replaces only what it wrote would take it for somebody else's.
        """
        forth, window = self._states
        # Without it such keys are conflicts of the next follow, which loses nothing.
        with suppress(DatawareError):
            for versions, gone in list_equal(window.list_written(), loop.conflicts):
                forth.save_written(versions)
                forth.forget_written(gone)

    def _check_conflicts(self, loop: FollowLoop) -> None:
        """What was written on both sides is for a person to decide; what is refused to cure."""
        if not self._cutover.failure:
            self._cutover.failure = find_refused(loop.conflicts.values())
        if loop.conflicts and self._on_conflict is None and not self._cutover.failure:
            number = format_count(len(loop.conflicts), "key")
            were = "was" if len(loop.conflicts) == 1 else "were"
            self._cutover.failure = f"{number} {were} written on both sides since the switch"

    def _describe_end(self, loop: FollowLoop) -> DatawareError:
        old, new = self._migration.order.target.name, self._migration.order.source.name
        why = self._cutover.given_up or self._cutover.failure or "a person asked to stop"
        after = f"{new} is open to its writers, so nothing is lost"
        if self._cutover_settings.by_hand and self._cutover.given_up:
            after = f"nothing is lost, but the writers of {new} are stopped: restart them by hand"
        is_refused = find_refused(loop.conflicts.values())
        if loop.conflicts and self._on_conflict is None and not is_refused:
            return RefusedError(
                f"gave up the undo, because {why}; {after}; look at the keys above, then run again "
                f"with --on-conflict keep ({old} wins) or --on-conflict replace ({new} wins)"
            )
        return GivenUpError(f"gave up the undo, because {why}; {after}; run the same command again")

    def _finish(self) -> None:
        """Switch off what the cut-over has switched on, and let the lock go."""
        old, new = self._migration.order.target.name, self._target_on_record
        detail: Mapping[str, object] = {**self._forth.marker.detail, **self._keeper.detail}
        with suppress(DatawareError):
            switch_off(self._context, self._forth.kind.names.slug, new, detail.get(UNDO_FEED))
            self._keeper.publish({UNDO_FEED: ""})
        reason = f"the cut-over was undone, and {old} holds the data again"
        self._keeper.publish(
            {"failure": {"exit_code": IncompleteError.exit_code, "reason": reason}}
        )
        self._keeper.lease.release(self._keeper.detail)

    def _report_state(self, step: CutoverStep, before: CutoverState) -> None:
        """Tell what people wait for."""
        cutover, words = self._cutover, self._migration.words()
        record: CutoverRecord = cutover.record
        tell = self._context.emit
        if record.state is before:
            return
        if record.state is CutoverState.UNDO_DRAINED:
            self._enter("verifying")
        elif record.state is CutoverState.UNDO_FROZEN and before is CutoverState.UNDOING:
            tell(event("freezing", **words))
        elif record.state is CutoverState.UNDOING and cutover.given_up:
            tell(event("thawed", reason=cutover.given_up, **words))
        elif record.state is CutoverState.FOLLOWING:
            tell(switched_event(cutover.frozen_seconds, words))
