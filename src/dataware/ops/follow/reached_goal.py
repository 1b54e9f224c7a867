"""What a command that is run again finds reached: the switch of a cut-over, or its way back.

The record says that it was reached. Whether that still holds is looked at in the account, so that a
script does not go on with data that has been lost since.
"""

from __future__ import annotations

from dataclasses import dataclass

from dataware.calc.words import with_article
from dataware.core.errors import LookupFailedError, RefusedError, SidesDifferError
from dataware.core.events import event, format_count
from dataware.core.follow.cutover import STATES, CutoverRecord, CutoverState
from dataware.core.kind import Kind
from dataware.core.model import Existence, Location, Marker, MarkerState
from dataware.core.names import place_of
from dataware.kinds import kind_of_record
from dataware.ops.context import Context, aws_of
from dataware.ops.forget import find_migration
from dataware.ops.migration_policy import Migration
from dataware.ops.probe import probe_name
from dataware.state.cutover_records import read_cutover
from dataware.state.marker_value import was_switched


@dataclass(frozen=True, slots=True)
class UndoneCutover:
    """A cut-over that was undone: its source is in use again."""

    kind: Kind
    source: str
    target: str


def report_switched(context: Context, name: str) -> bool:
    """Whether the cut-over to `name` is done already, which is told then.

    Raises InputError where nothing is on record, RefusedError where its target is gone or another
    one by now, LookupFailedError, and SidesDifferError where its source was written to since.
    """
    status, marker = find_migration(context, name)
    if marker.state is not MarkerState.COMPLETE or not was_switched(marker.detail):
        return False
    kind = kind_of_record(status.kind, status.target)
    place = place_of(kind, status.target, context.aws.account, context.aws.region)
    check_target(context, kind, place, marker)
    record = read_cutover(marker.detail)
    source = str(status.source)
    check_strays(record, source, status.target)
    reason = f"{status.target} has been in use since the cut-over from {source}"
    if record.state is not CutoverState.CLOSED:
        reason += f"; `dataware watch {status.target}` names whoever still writes to {source}"
    context.emit(event("nothing-to-do", reason=reason))
    return True


def report_in_use(context: Context, migration: Migration) -> None:
    """Tell that nothing is left to follow. Raises RefusedError where the target is gone since."""
    order, marker = migration.order, migration.marker
    check_target(context, migration.kind, order.target, marker)
    check_strays(read_cutover(marker.detail), order.source.name, order.target.name)
    name = order.target.name
    reason = (
        f"{name} has been in use since the cut-over from {order.source.name}; to start over: "
        f"`dataware forget {name}`"
    )
    context.emit(event("nothing-to-do", reason=reason))


def find_undone(context: Context, name: str) -> UndoneCutover | None:
    """The cut-over to `name` if it was undone and none has followed since. Raises InputError."""
    status, marker = find_migration(context, name)
    record = read_cutover(marker.detail)
    is_open = marker.state is MarkerState.RUNNING and STATES[record.state].source_open
    if status.source is None or not record.witness or not is_open:
        return None
    return UndoneCutover(kind_of_record(status.kind, status.target), status.source, status.target)


def report_undone(context: Context, undone: UndoneCutover, source: Location) -> None:
    """Tell that an undo is done already. Raises RefusedError where `source` is gone by now."""
    check_exists(context, undone.kind, source, "which the cut-over was undone to")
    reason = (
        f"the cut-over to {undone.target} was undone, and {undone.source} has been in use since; "
        f"`dataware migrate --follow` begins a new one"
    )
    context.emit(event("nothing-to-do", reason=reason))


def check_target(context: Context, kind: Kind, place: Location, marker: Marker) -> None:
    """Raise RefusedError where the target of a complete migration is gone, or another by now."""
    identity = check_exists(context, kind, place, "which was complete")
    recorded = marker.detail.get("identity", marker.identity)
    if isinstance(recorded, str) and identity is not None and recorded != identity:
        raise RefusedError(
            f"{place.name} is another {kind.noun} than the one that was filled, so its data may be "
            "lost; nothing was changed: see `dataware explain lost-data`"
        )


def check_exists(context: Context, kind: Kind, place: Location, which: str) -> str | None:
    """The identity of what stands at a place.

    Raises RefusedError where nothing does any more, and LookupFailedError where that is not seen.
    """
    facts = probe_name(aws_of(context, place), kind, place.name)
    if facts.existence is Existence.ABSENT:
        raise RefusedError(
            f"{with_article(kind.noun)} {place.name}, {which}, does not exist any more, so its "
            "data may be lost; nothing was changed: see `dataware explain lost-data`"
        )
    if facts.existence is Existence.UNKNOWN:
        why = "; ".join(map(str, facts.problems))
        raise LookupFailedError(f"whether {place.name} still exists is unknown: {why}")
    return facts.identity


def check_strays(record: CutoverRecord, source: str, target: str) -> None:
    """Raise SidesDifferError where somebody wrote behind a switch that is not closed yet."""
    if record.strays and record.state is not CutoverState.CLOSED:
        raise SidesDifferError(
            f"{format_count(record.strays, 'key')} of {source} changed after the switch, and "
            f"{target} does not have those changes; `dataware close {target}` ends the watch"
        )
