"""The plans of all environments of an app, as one; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dataware.core.destructive_change import DestructiveChange
from dataware.core.errors import RefusedError
from dataware.core.fleet.waves import worst_exit_code
from dataware.core.model import Wanted
from dataware.core.plan import Plan

Place = tuple[str, str]
"""An account and a region."""


@dataclass(frozen=True, slots=True)
class UnseenEnvironment:
    """An account and region that could not be looked into, why, and the exit code of that.

    Nothing is known of it, least of all that it is empty.
    """

    account: str
    region: str
    problem: str
    exit_code: int

    @property
    def name(self) -> str:
        """The environment, as the lock file names it."""
        return name_environment(self.account, self.region)


@dataclass(frozen=True, slots=True)
class AppPlan:
    """A plan for each account and region to which stacks of an app go; at least one.

    Each of them holds what a deployment of the stacks that go there would lose. `warnings` are
    about the whole, `unseen` are the environments without a plan, and `conflicts` are sentences on
    what environments would do to each other, for which nothing is applied.
    """

    plans: tuple[Plan, ...]
    warnings: tuple[str, ...] = ()
    unseen: tuple[UnseenEnvironment, ...] = ()
    conflicts: tuple[str, ...] = ()

    def join(self) -> Plan:
        """All of it as one plan; account and region are those of the first."""
        first, *others = self.plans
        return replace(
            first,
            resources=tuple(one for plan in self.plans for one in plan.resources),
            warnings=(
                *(f"environment {one.name} is unknown: {one.problem}" for one in self.unseen),
                *self.warnings,
                *first.warnings,
                *(f"{_name_place(plan)}: {text}" for plan in others for text in plan.warnings),
            ),
            guard=tuple(one for plan in self.plans for one in plan.guard),
        )

    @property
    def has_several(self) -> bool:
        """Whether the app goes to more than one environment."""
        return len(self.plans) + len(self.unseen) > 1

    @property
    def places(self) -> list[str]:
        """The environments that have a plan, as the lock file names them."""
        return [name_environment(plan.account, plan.region) for plan in self.plans]

    @property
    def stops(self) -> bool:
        """Whether a stop, a loss or a conflict ends the run."""
        return bool(self.conflicts) or any(plan.stops or plan.losses for plan in self.plans)

    @property
    def exit_code(self) -> int:
        """The worst of all environments."""
        refused = [RefusedError.exit_code] if self.stops else []
        return worst_exit_code([*refused, *(one.exit_code for one in self.unseen)])


def group_by_place(wanted: Iterable[Wanted], home: Place) -> dict[Place, list[Wanted]]:
    """The resources by where they go, in their order; `home` stands for what an app leaves open.

    Without a resource it is `home` alone.
    """
    groups: dict[Place, list[Wanted]] = {}
    for one in wanted:
        groups.setdefault((one.account or home[0], one.region or home[1]), []).append(one)
    return groups or {home: []}


def add_losses(
    plans: Iterable[Plan], losses: Iterable[tuple[Place, DestructiveChange]]
) -> tuple[Plan, ...]:
    """The plans, each with the losses of the stacks that go there.

    An environment in which nothing is planned gets a plan without resources for its losses.
    """
    made = list(plans)
    created = max(plan.created for plan in made)
    threats: dict[Place, list[DestructiveChange]] = {}
    for place, loss in losses:
        threats.setdefault(place, []).append(loss)
    environments = {(plan.account, plan.region) for plan in made}
    made += [Plan(*place, created, ()) for place in threats if place not in environments]
    return tuple(
        replace(plan, guard=tuple(threats.get((plan.account, plan.region), ()))) for plan in made
    )


def name_environment(account: str, region: str) -> str:
    """An account and a region as one word, which is that of the lock file."""
    return f"{account}/{region}"


def _name_place(plan: Plan) -> str:
    return f"account {plan.account}, {plan.region}"
