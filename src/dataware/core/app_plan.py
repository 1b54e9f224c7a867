"""The plans of all environments of an app, as one; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dataware.core.destructive_change import DestructiveChange
from dataware.core.model import Wanted
from dataware.core.plan import Plan

Place = tuple[str, str]
"""An account and a region."""


@dataclass(frozen=True, slots=True)
class AppPlan:
    """A plan for each account and region to which stacks of an app go; at least one.

    `guard` holds what a deployment of all stacks would lose, and `warnings` are about the whole.
    """

    plans: tuple[Plan, ...]
    guard: tuple[DestructiveChange, ...] = ()
    warnings: tuple[str, ...] = ()

    def join(self) -> Plan:
        """All of it as one plan; account and region are those of the first."""
        first, *others = self.plans
        return replace(
            first,
            resources=tuple(one for plan in self.plans for one in plan.resources),
            warnings=(
                *self.warnings,
                *first.warnings,
                *(f"{_name_place(plan)}: {text}" for plan in others for text in plan.warnings),
            ),
            guard=self.guard,
        )

    @property
    def places(self) -> list[str]:
        """The environments, as the lock file names them."""
        return [f"{plan.account}/{plan.region}" for plan in self.plans]


def group_by_place(wanted: Iterable[Wanted], home: Place) -> dict[Place, list[Wanted]]:
    """The resources by where they go, in their order; `home` stands for what an app leaves open.

    Without a resource it is `home` alone.
    """
    groups: dict[Place, list[Wanted]] = {}
    for one in wanted:
        groups.setdefault((one.account or home[0], one.region or home[1]), []).append(one)
    return groups or {home: []}


def _name_place(plan: Plan) -> str:
    return f"account {plan.account}, {plan.region}"
