"""The use case "status": every migration on record, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataware.core.events import counted, event
from dataware.core.model import Marker, MarkerState
from dataware.ops.context import Context


@dataclass(frozen=True, slots=True)
class Run:
    """One migration on record; `state` is running, interrupted or complete."""

    kind: str
    target: str
    source: str | None
    state: str
    run: str | None
    detail: Mapping[str, object]


def status(context: Context) -> list[Run]:
    """Read every marker and tell of it; changes nothing. Raises CannotSee."""
    runs = [_run(kind, target, marker) for kind, target, marker in context.markers.all()]
    if not runs:
        context.emit(event("nothing-to-do", why="no migration is on record here"))
    for run in runs:
        words = {"kind": run.kind, "source": run.source, "name": run.target, "run": run.run}
        context.emit(event("run", state=run.state, far=_far(run.detail), **words))
    return runs


def _run(kind: str, target: str, marker: Marker) -> Run:
    state = marker.state.value
    if marker.state is MarkerState.RUNNING and not marker.alive:
        state = "interrupted"
    return Run(kind, target, marker.source, state, marker.run, marker.detail)


def _far(detail: Mapping[str, object]) -> str:
    unit = str(detail.get("unit", "unit"))
    verified = detail.get("verified")
    if isinstance(verified, int):
        return f": {counted(verified, unit)} verified"
    done, total = detail.get("done"), detail.get("total")
    if isinstance(done, int) and isinstance(total, int):
        return f": {done:,} of {counted(total, unit)}"
    return ""
