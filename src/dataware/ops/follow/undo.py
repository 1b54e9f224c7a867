"""The use case "undo": go back to the source of a cut-over with what was written since."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dataware.calc.rate import rough
from dataware.core.errors import InputError, RefusedError
from dataware.core.events import event, format_count
from dataware.core.follow.cutover import CutoverRecord, CutoverState
from dataware.core.kind import Kind
from dataware.core.model import Location, Marker, MarkerState
from dataware.kinds import kind_of_record
from dataware.ops.context import Context, CopySettings, aws_of
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.follow.freeze_warning import warn_of_freeze
from dataware.ops.follow.undo_run import UndoConflict, UndoMigration, UndoRun
from dataware.ops.follow.undo_window import KnownStrays
from dataware.ops.forget import find_migration
from dataware.ops.marker_names import on_record
from dataware.ops.migrate import prepare_migration
from dataware.ops.run_migration import run_migration
from dataware.ops.run_summary import RunSummary
from dataware.state.cutover_records import read_cutover
from dataware.state.marker_value import is_undone

WAY = (CutoverState.SWITCHED, CutoverState.REVERSIBLE)


@dataclass(frozen=True, slots=True)
class UndoableCutover:
    """A cut-over that can be undone: `source` is the old side, `target` the one in use."""

    kind: Kind
    source: str
    target: str
    record: CutoverRecord
    marker: Marker

    @property
    def words(self) -> Mapping[str, object]:
        """The fields that its events carry."""
        return {"kind": self.kind.names.slug, "source": self.target, "name": self.source}


def find_undoable(context: Context, name: str) -> UndoableCutover:
    """The cut-over to `name` that can be undone.

    Raises InputError where nothing was cut over, and RefusedError where the undo is closed, its
    time is over, or another process works on it.
    """
    status, marker = find_migration(context, name)
    record = check_undoable(context, marker, status.source, status.target)
    kind = kind_of_record(status.kind, status.target)
    return UndoableCutover(kind, str(status.source), status.target, record, marker)


def check_undoable(
    context: Context, marker: Marker, source: str | None, target: str
) -> CutoverRecord:
    """What the record says of a cut-over that can be undone. Raises what `find_undoable` does."""
    record = read_cutover(marker.detail)
    if marker.alive:
        holder = marker.detail.get("holder", "another machine")
        raise RefusedError(
            f"run {marker.shown_run} on {holder} works on the migration into {target}: stop it or "
            "wait until it ends"
        )
    if source is None or not (
        is_undone(marker.detail)
        or (marker.state is MarkerState.COMPLETE and record.state is not CutoverState.COPYING)
    ):
        raise InputError(
            f"the migration into {target} is not cut over, so {source or 'its source'} is in use "
            "and there is nothing to undo; see `dataware status`"
        )
    again = f"`dataware migrate` copies from {target} into {source} what is missing there"
    if record.state is CutoverState.CLOSED:
        raise RefusedError(f"the cut-over to {target} is closed and cannot be undone; {again}")
    until, now = record.reversible_until, context.clock.now()
    if record.state in WAY and until is not None and now >= until:
        raise RefusedError(
            f"the cut-over to {target} could be undone until {rough(now - until)} ago, while its "
            f"changes were surely kept; {again}"
        )
    return record


def report_undo(
    context: Context, undoable: UndoableCutover, places: tuple[Location, Location]
) -> None:
    """Tell what an undo would do; changes nothing. Raises LookupFailedError."""
    with _warn_of_freeze(context, undoable):
        texts = _list_texts(context, undoable, places)
    for text in texts:
        context.emit(event("note", text=f"{text[0].upper()}{text[1:]}", **undoable.words))


def _warn_of_freeze(context: Context, undoable: UndoableCutover) -> AbstractContextManager[None]:
    """What ends an undo before it has the lock names the side that an earlier one has stopped."""
    return warn_of_freeze(context, undoable.target, undoable.target, lambda: undoable.record)


def _list_texts(
    context: Context, undoable: UndoableCutover, places: tuple[Location, Location]
) -> list[str]:
    """What an undo would do, in sentences. Raises LookupFailedError."""
    old, new = places
    following = require_following(undoable.kind)
    check_old_side(context, undoable, old)
    noun = following.feed_noun
    has_feed = noun and following.find_feed(aws_of(context, new), new.name)
    has_old_feed = following.list_tags or following.find_feed(aws_of(context, old), old.name)
    by = f"by its {noun}" if has_feed else "by comparing both sides"
    texts = [f"what was written to {new.name} since the switch is carried back {by}"]
    texts.append(f"this writes to {old.name}, which holds the data again afterwards")
    if undoable.record.reversible_until is not None and undoable.record.state in WAY:
        seconds = undoable.record.reversible_until - context.clock.now()
        texts.append(f"it can be undone for another {rough(seconds)}")
    journal: Any = context.journals.read(undoable.kind.names.slug, undoable.target)
    strays = KnownStrays.read(journal, undoable.record.witness)
    if strays.keys:
        texts.append(
            f"{format_count(len(strays.keys), 'key')} of {old.name} changed after the switch"
        )
    if not strays.are_all or not has_old_feed:
        texts.append(f"some writes to {old.name} since the switch may be unknown")
    return texts


def check_old_side(context: Context, undoable: UndoableCutover, old: Location) -> None:
    """Raise RefusedError where what an undo replaces would be gone."""
    check = require_following(undoable.kind).check_undo
    if check is not None:
        check(aws_of(context, old), old)


def undo(
    context: Context,
    undoable: UndoableCutover,
    places: tuple[Location, Location],
    cutover: CutoverSettings,
    settings: CopySettings,
    on_conflict: UndoConflict | None,
) -> None:
    """Carry back from the second of `places` to the first, and open that again.

    Raises InputError where a side is gone, RefusedError for one that is another by now, for a
    process that still watches, or for conflicts that nobody has decided, and IncompleteError where
    it was given up.
    """
    with _warn_of_freeze(context, undoable):
        migration = _prepare(context, undoable, places, settings)
    summary = RunSummary(context.emit, context.clock.now())
    summed = replace(context, emit=summary)
    make_run = partial(UndoRun, cutover, on_conflict)
    run_migration(summed, migration, lambda: summary(event("undoing", **undoable.words)), make_run)


def _prepare(
    context: Context,
    undoable: UndoableCutover,
    places: tuple[Location, Location],
    settings: CopySettings,
) -> UndoMigration:
    """The migration to undo, of which all was looked at again: a person was asked meanwhile."""
    old, new = places
    check_old_side(context, undoable, old)
    prepared = prepare_migration(context, undoable.kind.cfn_type, old, new, settings)
    check_undoable(context, prepared.marker, undoable.source, undoable.target)
    recorded = prepared.marker.detail.get("identity", prepared.marker.identity)
    identity = prepared.target.identity
    if isinstance(recorded, str) and identity is not None and recorded != identity:
        raise RefusedError(
            f"{new.name} is another {undoable.kind.noun} than the one that was cut over to; "
            "nothing was changed"
        )
    # A process that still watches holds it; later the record would say that an undo has begun.
    _, on_this_record = on_record(prepared.kind, prepared.order)
    context.journals.open(undoable.kind.names.slug, on_this_record).close()
    return UndoMigration(
        prepared.kind,
        prepared.order,
        prepared.settings,
        prepared.marker,
        prepared.target,
        guarded=True,
    )
