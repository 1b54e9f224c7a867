"""Looks at what a deployment adopts, before and after: import leaves it as it was.

A later deployment may bring it in line with its template, which is told then.

Source: AWS CloudFormation User Guide, "Import AWS resources into a CloudFormation stack
automatically" (drift detection is recommended after an import), and "Using drift-aware change
sets", which bring a resource in line with a template that has not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from dataware.core.comparison import PropertyDifference, join
from dataware.core.errors import DatawareError, LookupFailedError, NotFoundError
from dataware.core.events import event
from dataware.core.lock_file import LockedDecisions, lock_key
from dataware.core.model import Existence, ImportMode, Ownership
from dataware.core.plan import Plan, Planned
from dataware.ops.adoption import find_remaining
from dataware.ops.context import Context


def list_adopted(locked: object) -> frozenset[str]:
    """The keys of the resources that a deployment of these locked decisions adopts."""
    entries: Mapping[str, Any] = locked if isinstance(locked, Mapping) else {}
    return frozenset(
        key
        for key, entry in entries.items()
        if entry.get("import") == ImportMode.ADOPT and entry.get("exists") == Existence.EXISTS
    )


class EarlierDifferences:
    """What stacks had adopted before a deployment, and had otherwise than their templates then.

    `locked` are the decisions by which it was adopted, of each environment.
    """

    def __init__(self, locked: LockedDecisions) -> None:
        self._locked = locked
        self._differences: dict[tuple[str, str], Sequence[PropertyDifference]] = {}

    def list_adopted(self, place: str) -> frozenset[str]:
        """The keys of what was adopted in an environment."""
        return list_adopted(self._locked.get(place))

    def look(self, context: Context, plans: Sequence[Plan]) -> None:
        """Remember what differs; what cannot be seen is told after the deployment, if at all."""
        for plan in plans:
            for planned in _list_owned(plan, self.list_adopted(place_of_plan(plan))):
                try:
                    there = context.in_environment(plan.account, plan.region)
                    differences = find_remaining(there, planned)
                except DatawareError:
                    continue
                if differences:
                    self._differences[place_of_plan(plan), _key(planned)] = differences

    def report_changes(
        self, context: Context, plan: Plan, planned: Planned, now: Sequence[PropertyDifference]
    ) -> None:
        """Tell what of it the deployment has changed, by what still differs `now`."""
        before = self._differences.get((place_of_plan(plan), _key(planned)), ())
        left = {one.name for one in now}
        if changed := [one for one in before if one.name not in left]:
            name = planned.wanted.preferred
            text = f"The deployment brought {name} in line with the app ({join(changed)})"
            context.emit(event("done", text=text, name=name))


def report_remaining(
    context: Context, plan: Plan, adopted: Set[str], earlier: EarlierDifferences
) -> list[str]:
    """Tell what of the adopted is not as the template says, and what has become so.

    Answers with the names of the former.
    """
    names = []
    for planned in _list_owned(plan, adopted):
        wanted = planned.wanted
        try:
            remaining = find_remaining(context, planned)
        except (LookupFailedError, NotFoundError) as error:
            text = f"whether {wanted.preferred} is as the app declares it is unknown: {error}"
        else:
            earlier.report_changes(context, plan, planned, remaining)
            if not remaining:
                continue
            text = (
                f"{wanted.preferred} was adopted and still differs from the app "
                f"({join(remaining)}): run `cdk deploy {wanted.cdk_stack or wanted.stack} "
                "--revert-drift`"
            )
        names.append(wanted.preferred)
        context.emit(event("warning", text=text, name=wanted.preferred))
    return names


def place_of_plan(plan: Plan) -> str:
    """The environment of a plan, as the lock file names it."""
    return f"{plan.account}/{plan.region}"


def _list_owned(plan: Plan, adopted: Set[str]) -> Iterator[Planned]:
    """What of the adopted belongs to its stack by now."""
    for planned in plan.resources:
        ours = planned.preferred.owner.ownership is Ownership.THIS_STACK
        if ours and _key(planned) in adopted:
            yield planned


def _key(planned: Planned) -> str:
    return lock_key(planned.wanted.type, planned.wanted.preferred)
