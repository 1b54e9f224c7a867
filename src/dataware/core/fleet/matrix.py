"""The matrix of a fleet: a row for each target, a column for each resource; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dataware.core.events import format_count
from dataware.core.fleet.cross_checks import label_of
from dataware.core.fleet.plan import FleetPlan, TargetPlan
from dataware.core.model import Action

UNKNOWN, STOPPED = "unknown", "stopped"


class TargetState(StrEnum):
    """How far a target is, after a run; the value stands in JSON."""

    DONE = "done"
    NOTHING_TO_DO = "nothing to do"
    FAILED = "failed"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A target: the action on each resource (empty without such a resource), and its state."""

    target: str
    account: str
    region: str
    actions: Mapping[str, str]
    state: str
    seconds: int = 0
    usd: float = 0.0

    @property
    def counts(self) -> str:
        """How many resources there are of each action: "2 import, 1 migrate"."""
        counts = Counter(self.actions.values())
        words = [f"{counts[action.value]:,} {action.value}" for action in _ORDER if counts[action]]
        return ", ".join(words) or (
            self.state if self.state in {UNKNOWN, STOPPED} else "no resources"
        )


_ORDER = (Action.STOP, Action.RESUME, Action.MIGRATE, Action.CREATE, Action.IMPORT, Action.KEEP)


@dataclass(frozen=True, slots=True)
class FleetMatrix:
    """All targets and all resources; a resource is a column under its logical id."""

    resources: tuple[str, ...]
    rows: tuple[MatrixRow, ...]

    def to_json(self) -> dict[str, Any]:
        """The matrix as in an event."""
        return {
            "resources": list(self.resources),
            "rows": [
                {
                    "target": row.target,
                    "account": row.account,
                    "region": row.region,
                    "actions": dict(row.actions),
                    "state": row.state,
                    "seconds": row.seconds,
                    "usd": row.usd,
                }
                for row in self.rows
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> FleetMatrix:
        """The matrix of an event."""
        return FleetMatrix(
            tuple(data["resources"]), tuple(MatrixRow(**row) for row in data["rows"])
        )


def matrix_of(plan: FleetPlan, states: Mapping[str, TargetState] | None = None) -> FleetMatrix:
    """The matrix of a plan; `states` are those of a run, by the name of the target."""
    columns: dict[str, None] = {}
    rows = []
    for one in plan.targets:
        actions = {label_of(each): each.shown_action.value for each in _resources_of(one)}
        columns |= dict.fromkeys(actions)
        taken = [each.estimate for each in _resources_of(one) if each.estimate]
        name = one.target.name
        rows.append(
            MatrixRow(
                name,
                one.target.account,
                one.target.region,
                actions,
                str(states[name]) if states and name in states else _planned_state(one),
                sum(each.seconds for each in taken),
                round(sum(each.usd for each in taken), 6),
            )
        )
    return FleetMatrix(tuple(columns), tuple(rows))


def _resources_of(one: TargetPlan) -> Any:
    return one.plan.resources if one.plan else ()


def _planned_state(one: TargetPlan) -> str:
    """What a plan makes of a target, in two or three words."""
    if one.plan is None:
        return STOPPED if one.is_refused else UNKNOWN
    stops = len(one.plan.stops) + len(one.plan.losses)
    if stops:
        return format_count(stops, "stop")
    if one.plan.attention:
        return format_count(one.plan.attention, "warning")
    return "ready" if one.changes else "nothing to do"
