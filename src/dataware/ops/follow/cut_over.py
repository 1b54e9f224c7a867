"""The use case "cutover": freeze the source of a followed migration, carry the rest, and switch."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from dataware.core.errors import DatawareError, InputError, RefusedError
from dataware.core.events import event
from dataware.core.follow.cutover import CutoverRecord
from dataware.core.follow.cutover_request import TOPIC
from dataware.core.kind import Kind
from dataware.core.model import Location, MarkerState
from dataware.kinds import kind_of_record, load
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow.cutover_run import CutoverRun, CutoverSettings
from dataware.ops.follow.follow_checks import check_exclusive
from dataware.ops.follow.freeze_warning import warn_of_freeze
from dataware.ops.forget import find_migration
from dataware.ops.migrate import prepare_migration, refuse_after_switch, report_target
from dataware.ops.migration_policy import FOLLOWED
from dataware.ops.run_migration import run_migration
from dataware.ops.run_summary import RunSummary
from dataware.state.cutover_records import read_cutover
from dataware.state.marker_value import ACCEPTS


@dataclass(frozen=True, slots=True)
class FollowedMigration:
    """A followed migration on record: its type, both names, and whether its run is alive."""

    kind: Kind
    source: str
    target: str
    is_alive: bool = False

    @property
    def type_name(self) -> str:
        """The type as CloudFormation has it."""
        return self.kind.cfn_type


def find_followed(context: Context, name: str) -> FollowedMigration:
    """The followed migration into `name`.

    Raises InputError where there is none, and RefusedError where it is complete, or where another
    process works on it that takes no requests.
    """
    status, marker = find_migration(context, name)
    if marker.state is MarkerState.COMPLETE:
        raise RefusedError(
            f"the migration into {status.target} is complete, so nothing is left to cut over; "
            "see `dataware status`"
        )
    if not marker.detail.get(FOLLOWED) or status.source is None:
        raise InputError(
            f"the migration into {status.target} is not followed; begin with `dataware migrate "
            "--follow`"
        )
    kind = kind_of_record(status.kind, status.target)
    if marker.alive and TOPIC not in marker.detail.get(ACCEPTS, ()):
        holder = marker.detail.get("holder", "another machine")
        raise RefusedError(
            f"run {marker.shown_run} on {holder} works on the migration into {status.target} and "
            "takes no requests: stop it with Ctrl-C, then run this again"
        )
    return FollowedMigration(kind, status.source, status.target, marker.alive)


def cut_over(
    context: Context,
    type_name: str,
    places: tuple[Location, Location],
    settings: CopySettings,
    cutover: CutoverSettings,
) -> None:
    """Follow `places` on, source and target, and cut over as `cutover` says.

    Raises IncompleteError where the cut-over was given up, SidesDifferError where somebody wrote to
    the source after the switch, RefusedError where both are switched already, and what `follow`
    raises.
    """
    source, target = places

    def find_record() -> CutoverRecord:
        with suppress(DatawareError):
            return read_cutover(context.markers.get(load(type_name).names.slug, target.name).detail)
        return CutoverRecord()

    with warn_of_freeze(context, source.name, target.name, find_record):
        migration = prepare_migration(context, type_name, source, target, settings)
        # Another process may have switched since the record was looked at first.
        refuse_after_switch(migration)
        migration = check_exclusive(context, migration)
    words = {"kind": migration.kind.names.slug, "source": source.name, "name": target.name}
    report_target(context, migration)
    summary = RunSummary(context.emit, context.clock.now())
    summed = replace(context, emit=summary)
    make_run = partial(CutoverRun, cutover)
    run_migration(summed, migration, lambda: summary(event("resuming", **words)), make_run)
