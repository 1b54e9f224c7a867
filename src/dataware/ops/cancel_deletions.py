"""Cancels the deletions of what a plan stops at, where a person allows that.

Nothing is changed unless that cures every stop of the plan, since another one would end the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dataware.core.errors import IncompleteError
from dataware.core.events import event
from dataware.core.kind import DeletionCancellation, Kind
from dataware.core.plan import Plan, Planned
from dataware.kinds import load
from dataware.ops.adoption_check import NOT_USABLE, explain_obstacle
from dataware.ops.context import Context

LOOKS = 30
PAUSE_SECONDS = 1.0


class DueDeletion(NamedTuple):
    """What waits for its deletion, and how that is cancelled."""

    kind: Kind
    name: str
    cancellation: DeletionCancellation


def cancel_deletions(context: Context, plans: Sequence[Plan]) -> bool:
    """Cancel every deletion at which plans stop; whether nothing else is in their way.

    Raises LookupFailedError where that is denied, and IncompleteError where it does not become so.
    """
    due: list[tuple[Context, DueDeletion]] = []
    for plan in plans:
        there = context.in_environment(plan.account, plan.region) if plan.stops else context
        for planned in plan.stops:
            if not (found := list(_find_due(there, planned))):
                return False
            due += ((there, one) for one in found)
    for there, one in due:
        one.cancellation.run(there.aws, one.name)
        _await(there, one)
        text = f"Cancelled the deletion of {one.kind.noun} {one.name}"
        context.emit(event("note", text=text, name=one.name))
    return bool(due)


def _find_due(context: Context, planned: Planned) -> Iterator[DueDeletion]:
    """What stops a plan because it waits for its deletion; not what only waits beside that."""
    kind, decision = load(planned.wanted.type), planned.decision
    if kind.cancellation is None or decision.rule != NOT_USABLE:
        return
    for facts in (planned.preferred, *planned.fallbacks):
        stops = bool(facts.obstacle) and decision.reason == explain_obstacle(facts)
        if stops and kind.cancellation.is_due(context.aws, facts.name):
            yield DueDeletion(kind, facts.name, kind.cancellation)


def _await(context: Context, one: DueDeletion) -> None:
    """Wait until it shows."""
    for _ in range(LOOKS):
        if not one.cancellation.is_due(context.aws, one.name):
            return
        context.aws.pause(PAUSE_SECONDS)
    raise IncompleteError(
        f"{one.name} is still marked for deletion after {LOOKS * PAUSE_SECONDS:.0f} s; run the "
        "same command again"
    )
