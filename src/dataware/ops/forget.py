"""The use case "forget": delete the record of one migration, and keep a copy of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dataware.core.engines.unfinished_work import COMPARISON, describe_change
from dataware.core.errors import (
    InputError,
    LookupFailedError,
    NotRecordedError,
    RefusedError,
)
from dataware.core.events import event
from dataware.core.follow.cutover import may_be_frozen
from dataware.core.model import Marker, MarkerState
from dataware.kinds import kinds
from dataware.ops.context import Context
from dataware.ops.engine_leftovers import explain_leftovers, remove_leftovers
from dataware.ops.migration_policy import FEED_ENABLED
from dataware.ops.status import (
    MigrationStatus,
    report_migration,
    runs_on_record,
    with_journal,
)
from dataware.state.marker_value import is_undone

Keep = Callable[[Mapping[str, Any]], None]


class RemovableMarkers(Protocol):
    """The records, of which one may be deleted."""

    def remove(self, kind: str, target: str, expected: Marker, keep: Keep) -> None:
        """Delete the record that was `expected`, after `keep` has it. Raises RefusedError."""
        ...


@dataclass(frozen=True, slots=True)
class ForgettableRecord:
    """The record of one migration as it was read, and its state for people."""

    status: MigrationStatus
    marker: Marker


def find_record(context: Context, name: str) -> ForgettableRecord:
    """The one record of a migration into `name`, a name or an address.

    Raises InputError for none or several, LookupFailedError, and RefusedError while its run is
    alive.
    """
    status, marker = _find_one(context, name)
    if marker.alive:
        raise RefusedError(
            f"{status.subject} is running ({_holder(marker)}): stop it or wait "
            "until it ends, then forget it"
        )
    return ForgettableRecord(status, marker)


def report_forgotten(context: Context, name: str, error: NotRecordedError, *, kept: bool) -> None:
    """Tell that no record is left to delete; `kept` says that this machine has a copy of it.

    Raises the error where another name was meant, perhaps.
    """
    if error.similar is not None and not kept:
        raise NotRecordedError(f"{error}; did you mean {error.similar}?", error.similar) from error
    reason = (
        f"no migration into {name} is recorded in account {context.aws.account}, "
        f"{context.aws.region}"
    )
    context.emit(event("nothing-to-do", reason=reason))


def find_migration(context: Context, name: str) -> tuple[MigrationStatus, Marker]:
    """The one migration into `name`, a name or an address, and its record.

    Raises InputError for none or several, and LookupFailedError, also for a record that cannot be
    read: what it says must not be guessed.
    """
    status, marker = _find_one(context, name)
    if marker.state is MarkerState.UNKNOWN:
        raise LookupFailedError(status.why, marker.problem)
    return status, marker


def _find_one(context: Context, name: str) -> tuple[MigrationStatus, Marker]:
    """The one migration into `name`, and its record, which may be one that cannot be read.

    Raises what `find_migration` does, but for such a record.
    """
    scheme, separator, _ = name.partition("://")
    slugs = {one.names.slug for one in kinds() if one.copying and one.copying.scheme == scheme}
    matches = [
        run
        for run in runs_on_record(context, name)
        if not separator or not slugs or run.kind in slugs
    ]
    if not matches:
        raise NotRecordedError(f"no migration into {name} is recorded; `dataware status` lists all")
    if len(matches) > 1:
        raise InputError(
            f"{name} stands for {len(matches)} records: name one of {_choices(matches)}"
        )
    status = with_journal(context, matches[0])
    records = {(kind, target): marker for kind, target, marker in context.markers.all()}
    marker = records.get(status.key)
    if marker is None:
        raise NotRecordedError(f"the record of the migration into {name} was just deleted")
    return status, marker


def report_record(context: Context, record: ForgettableRecord) -> None:
    """Tell what the record says, and what follows once it is gone."""
    report_migration(context, record.status)
    context.emit(event("warning", text=_consequence(record)))
    leftovers = explain_leftovers(record.status.kind, record.status.target, record.marker, context)
    if leftovers:
        context.emit(event("warning", text=leftovers))
    if may_be_frozen(record.marker.detail):
        undone = is_undone(record.marker.detail)
        stopped = record.status.target if undone else record.status.source
        text = (
            f"a cut-over may have stopped the writers of {stopped}: without the "
            "record nothing restarts them, so do it by hand"
        )
        context.emit(event("warning", text=text))
    if FEED_ENABLED in record.marker.detail:
        text = f"what the follow enabled on {record.status.source} to hear of its changes is "
        context.emit(event("warning", text=f"{text}switched off again"))


def give_up_work(context: Context, record: ForgettableRecord) -> None:
    """End and remove what an engine left, if the record is still what was shown.

    Raises RefusedError where a run is alive or the record says something else by now, because what
    is removed would be in use, and LookupFailedError.
    """
    status, marker = record.status, record.marker
    if marker.state is MarkerState.UNKNOWN:
        return  # nothing is known of any engine
    now = context.markers.get(status.kind, status.target)
    if now.alive:
        raise RefusedError(
            f"{status.subject} is running ({_holder(now)}): stop it or wait "
            "until it ends, then forget it"
        )
    if change := describe_change(marker, now):
        raise RefusedError(
            f"nothing was removed, because the record of {status.subject} has "
            f"changed meanwhile ({change}): run the same command again"
        )
    remove_leftovers(status.kind, marker, context)


def forget(
    context: Context, markers: RemovableMarkers, record: ForgettableRecord, keep: Keep
) -> None:
    """Delete a record. Raises RefusedError if it has changed since or its run is alive."""
    status = record.status
    markers.remove(status.kind, status.target, record.marker, keep)
    text = f"Deleted the record of {status.subject}"
    if status.kind != COMPARISON:
        text = f"{text}; `dataware plan` shows what follows"
    context.emit(event("done", text=text, name=status.target, run=status.run))


def _consequence(record: ForgettableRecord) -> str:
    """What the next plan makes of the target without the record."""
    target, source = record.status.target, record.status.source or "its source"
    if record.status.kind == COMPARISON:
        return f"without the record, the same `dataware verify` compares {source} from the start"
    if record.marker.state is MarkerState.COMPLETE:
        return (
            f"without the record, rule 9 does not protect {target}: if it is missing or empty, the "
            f"next run copies {source} again, deleted data included"
        )
    return (
        f"without the record, a partial copy counts as complete: the next plan imports {target} if "
        f"it holds anything, else copies {source} again"
    )


def _holder(marker: Marker) -> str:
    return f"run {marker.shown_run} on {marker.detail.get('holder', 'another machine')}"


def _choices(runs: list[MigrationStatus]) -> str:
    """Addresses, or names where the name alone is another one."""
    schemes = {one.names.slug: one.copying.scheme for one in kinds() if one.copying}
    return ", ".join(
        f"{schemes[run.kind]}://{run.target}" if run.kind in schemes else run.target for run in runs
    )
