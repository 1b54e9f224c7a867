"""Cancels the deletions of what a plan would else stop at, where a person allows that.

A plan is made as if they were cancelled, and says so; they are cancelled when it is carried out,
before anything else, and only if nothing stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.events import event
from dataware.core.kind import DeletionCancellation, Kind
from dataware.core.model import Action, Facts
from dataware.core.plan import Plan, Planned
from dataware.kinds import load
from dataware.ops.adoption_check import NOT_USABLE, explain_obstacle
from dataware.ops.context import Context

LOOKS = 30
PAUSE_SECONDS = 1.0
NOTE = "its deletion is cancelled first"


class _AnyName:
    """Holds every name."""

    def __contains__(self, _name: object) -> bool:
        return True


ANY_NAME: Final[Container[str]] = _AnyName()
"""What may be restored where a person allows it for all there is."""


class DueDeletion(NamedTuple):
    """What waits for its deletion, and how that is cancelled."""

    kind: Kind
    name: str
    cancellation: DeletionCancellation


def plan_as_restored(
    context: Context,
    names: tuple[Facts, tuple[Facts, ...]],
    decide: Callable[[Facts, tuple[Facts, ...]], Planned],
    restores: Container[str],
) -> Planned:
    """What is decided once the deletions in its way are cancelled, of names that `restores` holds.

    It is what is decided without that where something else stops it. Raises LookupFailedError.
    """
    preferred, fallbacks = names
    first = planned = decide(preferred, fallbacks)
    done: list[str] = []
    # A stop may hide another one.
    while due := {one.name for one in _find_due(context, planned) if one.name in restores}:
        done += due
        preferred, *rest = (_as_restored(one, due) for one in (preferred, *fallbacks))
        fallbacks = tuple(rest)
        planned = decide(preferred, fallbacks)
    if not done or planned.decision.action is Action.STOP:
        return first
    return replace(planned, restores=tuple(sorted(done)))


def _as_restored(facts: Facts, names: Container[str]) -> Facts:
    if facts.name not in names:
        return facts
    return replace(facts, obstacle="", notes=(*facts.notes, NOTE))


def list_restored(plan: Plan) -> frozenset[str]:
    """The names whose deletion a plan cancels."""
    return frozenset(name for planned in plan.resources for name in planned.restores)


def cancel_planned(context: Context, plan: Plan) -> None:
    """Cancel every deletion that a plan cancels, if it is not yet.

    Raises LookupFailedError where that is denied, and IncompleteError where it does not become so.
    """
    for planned in plan.resources:
        kind = load(planned.wanted.type)
        for name in planned.restores:
            if kind.cancellation is None or not kind.cancellation.is_due(context.aws, name):
                continue
            one = DueDeletion(kind, name, kind.cancellation)
            one.cancellation.run(context.aws, name)
            _await(context, one)
            text = f"Cancelled the deletion of {kind.noun} {name}"
            context.emit(event("note", text=text, name=name))


def refuse_unplanned(plans: Sequence[Plan]) -> None:
    """Raise RefusedError where a saved plan stops at a deletion that it does not cancel.

    What would follow was never shown to anybody.
    """
    stopped = [
        one.wanted.preferred
        for plan in plans
        for one in plan.stops
        if one.decision.rule == NOT_USABLE
    ]
    if stopped:
        raise RefusedError(
            f"nothing was changed, because the plan stops at {', '.join(stopped)} and was made "
            "without --restore-secrets: make another with `dataware plan --restore-secrets --out "
            "FILE`"
        )


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
