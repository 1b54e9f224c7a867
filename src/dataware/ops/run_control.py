"""The use cases "pause", "resume" and "throttle": what is asked of a migration while it runs."""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote
from typing import Protocol

from dataware.core.engines.unfinished_work import COMPARISON
from dataware.core.errors import RefusedError
from dataware.core.events import event
from dataware.core.follow.cutover import may_be_frozen
from dataware.core.model import Marker, MarkerState
from dataware.core.run_control import RunControl
from dataware.ops.context import Context
from dataware.ops.engine_leftovers import describe_pause_of_work
from dataware.ops.forget import find_migration
from dataware.ops.lease_keeper import BEAT_SECONDS
from dataware.ops.status import MigrationStatus

Change = Callable[[RunControl, float], RunControl]


class RunControls(Protocol):
    """The controls in the records of migrations."""

    def change(self, kind: str, target: str, change: Change) -> RunControl:
        """Let `change` hold for a migration; the control that holds now. Raises RefusedError."""
        ...


def pause(context: Context, controls: RunControls, name: str, by: str) -> None:
    """Pause the migration into `name`; one that is paused stays so.

    What a service of AWS does for it meanwhile is said, because some go on. Raises RefusedError for
    a complete one, and while a cut-over may have stopped the writers.
    """
    status, marker = _find_controlled(context, name)
    if may_be_frozen(marker.detail):
        raise RefusedError(
            f"a cut-over may have stopped the writers of {status.source}, which a pause would not "
            "start again; let it end, or stop it with Ctrl-C"
        )

    is_new = True

    def change(now: RunControl, at: float) -> RunControl:
        nonlocal is_new
        is_new = not now.is_paused
        return RunControl(at if now.paused_at is None else now.paused_at, now.max_rate, by)

    controls.change(status.kind, status.target, change)
    effect = describe_pause_of_work(status.kind, marker) or _when(marker, "stops", "waits")
    command = f"`dataware resume {quote(status.target)}` continues it"
    if is_new:
        text = f"Paused the migration into {status.target}: {effect}; {command}"
        _report(context, status, text)
        return
    reason = f"the migration into {status.target} is paused already: {effect}; {command}"
    context.emit(event("nothing-to-do", reason=reason))


def resume(context: Context, controls: RunControls, name: str, by: str) -> None:
    """End the pause of the migration into `name`; a complete one has none any more."""
    status, marker = _find_controlled(context, name)
    paused = False
    if marker.state is MarkerState.COMPLETE:
        report_complete(context, status)
        return

    def change(now: RunControl, _at: float) -> RunControl:
        nonlocal paused
        paused = now.is_paused
        return RunControl(None, now.max_rate, by)

    controls.change(status.kind, status.target, change)
    if not paused:
        reason = f"the migration into {status.target} is not paused"
        context.emit(event("nothing-to-do", reason=reason))
        return
    text = f"Ended the pause of the migration into {status.target}"
    if not marker.alive:
        _report(context, status, f"{text}: no run is alive, so run its command again")
        return
    _report(context, status, f"{text}: {_when(marker, 'goes on', '')}")


def report_complete(context: Context, status: MigrationStatus) -> None:
    """Tell that nothing of a complete migration waits."""
    reason = f"the migration into {status.target} is complete, so nothing of it waits"
    context.emit(event("nothing-to-do", reason=reason))


def throttle(
    context: Context, controls: RunControls, name: str, rate: float | None, by: str
) -> None:
    """Hold the migration into `name` at a rate, whatever it was started with; None ends that.

    A complete one has no rate to end. Raises RefusedError for one that is to be held.
    """
    status, marker = _find_controlled(context, name)
    if rate is None and marker.state is MarkerState.COMPLETE:
        report_complete(context, status)
        return
    controls.change(
        status.kind, status.target, lambda now, _at: RunControl(now.paused_at, rate, by)
    )
    if rate is None:
        text = f"The migration into {status.target} has the rate it was started with"
    else:
        text = f"Held the migration into {status.target} at {rate:,.10g} {status.unit}s a second"
    _report(context, status, f"{text}: {_when(marker, 'takes it', 'takes it')}")


def _find_controlled(context: Context, name: str) -> tuple[MigrationStatus, Marker]:
    """A migration that is asked for something. Raises RefusedError for a comparison."""
    status, marker = find_migration(context, name)
    if status.kind == COMPARISON:
        raise RefusedError(
            f"{status.subject} writes nothing, so it is neither paused nor throttled; Ctrl-C stops "
            "it where it runs"
        )
    return status, marker


def _report(context: Context, status: MigrationStatus, text: str) -> None:
    context.emit(event("done", text=text, name=status.target, run=status.run))


def _when(marker: Marker, alive: str, dead: str) -> str:
    """When the run does what is asked: with its next heartbeat, or once there is one."""
    if marker.alive:
        return f"the run {alive} within {BEAT_SECONDS:.0f} s"
    return f"no run is alive, and the next one {dead}"
