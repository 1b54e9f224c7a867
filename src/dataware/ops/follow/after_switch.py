"""What follows a switch: the source is watched for stray writers, until the undo is closed."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import replace

from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    RefusedError,
    ServiceError,
    SidesDifferError,
)
from dataware.core.events import event, format_count
from dataware.core.follow.cutover import STATES, CutoverRecord, CutoverState
from dataware.core.follow.cutover_loop import CutoverLoop
from dataware.core.follow.cutover_ports import CutoverPorts
from dataware.core.follow.feed import CarryOutcome, DifferenceResult, FollowState, Gap, GapCause
from dataware.core.follow.following import Following
from dataware.core.follow.loop import FollowPorts
from dataware.core.model import Location, MarkerState
from dataware.core.ports import Journal
from dataware.kinds import kind_of_record
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import Context
from dataware.ops.follow import follow_run
from dataware.ops.follow.cutover_run import StrayKeyReporter
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.follow.undo import UndoableCutover
from dataware.ops.follow.undo_window import KnownStrays, find_old_feed, switch_off
from dataware.ops.forget import find_migration
from dataware.ops.migration_policy import FEED_ENABLED, UNDO_FEED
from dataware.state import ParameterMarkers
from dataware.state.cutover_records import CompleteCutoverRecords, read_cutover


class _NothingElse:
    """The ports of a cut-over that a watch has no use for."""

    def freeze(self) -> None:
        """Nobody is stopped."""
        raise ServiceError("no writer is stopped after the switch")

    thaw = freeze

    def is_requested(self) -> bool:
        """Nobody asks."""
        return False

    def is_open(self, _now: float) -> bool:
        """Nothing follows."""
        return False

    def start(self, _keys: Collection[bytes] | None) -> None:
        """Nothing is compared."""

    def collect(self) -> DifferenceResult | None:
        """Nothing was compared."""
        return None

    def carry(self, _keys: Collection[bytes], _now: float) -> CarryOutcome:
        """Nothing is carried."""
        return CarryOutcome()


def find_switched(context: Context, name: str) -> UndoableCutover:
    """The cut-over to `name`, after its switch.

    Raises InputError where there is none, and RefusedError while it is being undone.
    """
    status, marker = find_migration(context, name)
    record = read_cutover(marker.detail)
    if marker.state is not MarkerState.COMPLETE and STATES[record.state].target_open:
        raise RefusedError(
            f"the cut-over to {status.target} is being undone; finish that with `dataware undo "
            f"{status.target}`"
        )
    if marker.state is not MarkerState.COMPLETE or not STATES[record.state].target_open:
        raise InputError(
            f"the migration into {status.target} is not cut over; see `dataware status`"
        )
    kind = kind_of_record(status.kind, status.target)
    return UndoableCutover(kind, str(status.source), status.target, record, marker)


class SourceWatch:
    """Watches the source of a cut-over; a context manager that has the lock of this machine."""

    def __init__(
        self, context: Context, undoable: UndoableCutover, places: tuple[Location, Location]
    ) -> None:
        self._context = context
        self._undoable = undoable
        self._source = places[0]
        self._journal: Journal
        self._state: FollowState | None = None
        self._loop: CutoverLoop

    def __enter__(self) -> SourceWatch:
        """Open what the follow knew. Raises InputError for a source without a feed."""
        context, undoable = self._context, self._undoable
        slug, target = undoable.kind.names.slug, undoable.target
        following = require_following(undoable.kind)
        if context.follow_states is None:
            raise IncompleteError("what was read cannot be kept here, so nothing is watched")
        self._journal = context.journals.open(slug, target)
        lost = (Gap(GapCause.STATE_LOST),)
        try:
            state = context.follow_states.open(slug, target, str(undoable.marker.run), lost)
            self._state = state
            self._loop = self._make_loop(following, state)
        except BaseException:
            self._close()
            raise
        return self

    def _make_loop(self, following: Following, state: FollowState) -> CutoverLoop:
        context, undoable, place = self._context, self._undoable, self._source
        slug, target = undoable.kind.names.slug, undoable.target
        lost = (Gap(GapCause.STATE_LOST),)
        feed = find_old_feed(context, following, place, state)
        if feed is None:
            what = following.feed_noun or "record on this machine of what was copied"
            raise InputError(f"{place.name} has no {what}, so whoever writes to it is not seen")
        words: dict[str, object] = {"kind": slug, "source": undoable.source, "name": target}
        self._strays = StrayKeyReporter(context, self._journal, words)
        now = context.clock.now()
        if not KnownStrays.read(self._journal.records(), undoable.record.witness).is_seen:
            if following.list_tags is not None:
                raise InputError(
                    f"{place.name} has no record on this machine of what was copied, so whoever "
                    "writes to it is not seen"
                )
            # Where the feed was left here is from before the switch, or nowhere.
            self._strays.report_gaps(lost, now)
            state.save_position(feed.open(None, now))
        records = CompleteCutoverRecords(ParameterMarkers(context.aws, context.clock), slug, target)
        nothing = _NothingElse()
        loop = CutoverLoop(
            CutoverPorts(records, nothing, nothing, nothing, self._strays),
            FollowPorts(feed, nothing, state, state),
            seconds=since_boot,
        )
        loop.open(now)
        return loop

    def __exit__(self, *_error: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._state is not None:
            self._state.close()
        self._journal.close()

    def watch(self, seconds: float | None) -> CutoverRecord:
        """Watch for so long, or until the undo is closed or a person asks to stop.

        Raises SidesDifferError where somebody wrote to the source.
        """
        end = None if seconds is None else since_boot() + seconds
        while self._step() is not CutoverState.CLOSED and not self._context.stop():
            if end is not None and since_boot() >= end:
                break
            threading.Event().wait(follow_run.POLL_SECONDS)
        self._check_strays()
        return self._loop.record

    def read_to_end(self) -> CutoverRecord:
        """Read what there is, and give the record. Raises IncompleteError where that fails."""
        for _ in range(READS):
            self._step()
            if self._loop.is_source_read or self._context.stop():
                break
            threading.Event().wait(follow_run.POLL_SECONDS)
        self._check_strays()
        if not self._loop.is_source_read:
            raise IncompleteError(
                f"the changes of {self._undoable.source} could not be read to their end; run the "
                "same command again"
            )
        return self._loop.record

    def _check_strays(self) -> None:
        if self._strays.keys:
            raise SidesDifferError(
                f"{format_count(len(self._strays.keys), 'key')} of {self._undoable.source} changed "
                f"after the switch, and {self._undoable.target} lacks those changes: stop that "
                "writer, look at the keys above, and run the same command again"
            )

    def _step(self) -> CutoverState:
        self._loop.step(self._context.clock.now())
        return self._loop.record.state


READS = 60
"""How often the feed is read before it is said that it cannot be read to its end."""


def watch(
    context: Context,
    undoable: UndoableCutover,
    places: tuple[Location, Location],
    seconds: float | None,
) -> None:
    """Name whoever writes to the source, for so long or as long as the undo is open.

    Where that is closed nothing is watched. Raises InputError where nothing can be seen, and
    SidesDifferError where somebody wrote.
    """
    if undoable.record.state is CutoverState.CLOSED:
        reason = f"the cut-over to {undoable.target} is closed, so nothing is watched"
        context.emit(event("nothing-to-do", reason=reason))
        return
    words = {"kind": undoable.kind.names.slug, "source": undoable.source, "name": undoable.target}
    context.emit(event("watching", **words))
    with SourceWatch(context, undoable, places) as source:
        record = source.watch(seconds)
    if record.state is CutoverState.CLOSED:
        _switch_feeds_off(context, undoable)
        context.emit(event("closed", **words))


def close(context: Context, undoable: UndoableCutover, places: tuple[Location, Location]) -> None:
    """End the watch and the undo, and switch off what the migration has switched on.

    Raises IncompleteError where the source could not be read to its end, and SidesDifferError where
    somebody has written to it.
    """
    slug = undoable.kind.names.slug
    words = {"kind": slug, "source": undoable.source, "name": undoable.target}
    if undoable.record.state is CutoverState.CLOSED:
        # An earlier one may have been stopped before it had switched everything off.
        _switch_feeds_off(context, undoable)
        reason = f"the cut-over to {undoable.target} is closed already"
        context.emit(event("nothing-to-do", reason=reason))
    else:
        record = undoable.record
        try:
            with SourceWatch(context, undoable, places) as source:
                record = source.read_to_end()
        except InputError as error:
            context.emit(event("stray-gap", why=str(error), **words))
        records = CompleteCutoverRecords(
            ParameterMarkers(context.aws, context.clock), slug, undoable.target
        )
        records.write(replace(record, state=CutoverState.CLOSED))
        _switch_feeds_off(context, undoable)
        context.emit(event("closed", **words))


def _switch_feeds_off(context: Context, undoable: UndoableCutover) -> None:
    """Switch off the feeds that the migration has switched on; warn of one that stays on."""
    slug, detail = undoable.kind.names.slug, undoable.marker.detail
    for name, part in ((undoable.source, FEED_ENABLED), (undoable.target, UNDO_FEED)):
        try:
            switch_off(context, slug, name, detail.get(part))
        except DatawareError as error:
            text = f"cannot switch off what the follow had enabled on {name}: {error}"
            context.emit(event("warning", text=text, name=name))
