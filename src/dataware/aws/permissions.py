"""Which permissions are needed and which are missing, from a policy and IAM's answers; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class IamDecision(StrEnum):
    """What IAM says about one action on one resource, as a clause for people."""

    ALLOWED = "allowed"
    MISSING = "no policy allows it"
    DENIED = "a policy denies it"
    BOUNDED = "the permissions boundary does not allow it"
    ORGANIZATION = "a policy of the organization does not allow it"
    CONDITIONAL = "a policy allows it under a condition that is not known here"


@dataclass(frozen=True, slots=True)
class NeededActions:
    """Actions that a run makes on each of some resources (ARNs, or ``*``)."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every action with every resource."""
        return ((action, resource) for action in self.actions for resource in self.resources)


@dataclass(frozen=True, slots=True)
class DeniedActions:
    """One action that is not allowed, with the resources that it is needed on."""

    action: str
    access: IamDecision
    resources: tuple[str, ...]

    def __str__(self) -> str:
        """The lack in one clause."""
        shown = ", ".join(self.resources[:3])
        more = f" and {len(self.resources) - 3} more" if len(self.resources) > 3 else ""
        return f"{self.action} on {shown}{more}: {self.access}"


def needed_permissions(policy: Mapping[str, Any]) -> tuple[NeededActions, ...]:
    """What a policy document, as `iam-policy` prints it, grants."""
    return tuple(
        NeededActions(tuple(statement["Action"]), tuple(statement["Resource"]))
        for statement in policy["Statement"]
    )


def lacks(answers: Mapping[tuple[str, str], IamDecision]) -> tuple[DeniedActions, ...]:
    """What is not allowed, by (action, resource); one entry for each action and reason."""
    refused_on: dict[tuple[str, IamDecision], list[str]] = defaultdict(list)
    for (action, resource), access in answers.items():
        if access is not IamDecision.ALLOWED:
            refused_on[action, access].append(resource)
    return tuple(
        DeniedActions(action, access, tuple(sorted(resources)))
        for (action, access), resources in sorted(refused_on.items())
    )


def statements_for(gaps: Iterable[DeniedActions]) -> list[dict[str, Any]]:
    """The statements of a policy that allow what no policy allows yet, one for each resources.

    What a policy denies, or a boundary or an organization does not allow, no statement allows.
    """
    actions: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for gap in gaps:
        if gap.access is IamDecision.MISSING:
            actions[gap.resources].append(gap.action)
    return [
        {"Effect": "Allow", "Action": sorted(names), "Resource": list(resources)}
        for resources, names in sorted(actions.items())
    ]


def access_of(result: Mapping[str, Any]) -> IamDecision:
    """One result of IAM's simulation, of an action as a whole or on one resource."""
    decision = result.get("EvalResourceDecision") or result.get("EvalDecision")
    if decision == "allowed":
        return IamDecision.ALLOWED
    organization = result.get("OrganizationsDecisionDetail") or {}
    if organization.get("AllowedByOrganizations") is False:
        return IamDecision.ORGANIZATION
    boundary = result.get("PermissionsBoundaryDecisionDetail") or {}
    if boundary.get("AllowedByPermissionsBoundary") is False:
        return IamDecision.BOUNDED
    if decision == "explicitDeny":
        return IamDecision.DENIED
    return IamDecision.CONDITIONAL if result.get("MissingContextValues") else IamDecision.MISSING


def answers_in(
    results: Iterable[Mapping[str, Any]], resources: Iterable[str]
) -> dict[tuple[str, str], IamDecision]:
    """What the results of one simulation say about the resources that it was about.

    A result without results of its own for each resource counts only for the one that it names,
    or if there was only one: it would be a guess for all others.
    """
    arns = set(resources)
    decisions: dict[tuple[str, str], IamDecision] = {}
    for result in results:
        action = result["EvalActionName"]
        of_each = result.get("ResourceSpecificResults") or ()
        for one in of_each:
            merged = {**result, "EvalResourceDecision": None, **one}
            decisions[action, one["EvalResourceName"]] = access_of(merged)
        named = arns & {str(result.get("EvalResourceName"))} or (arns if len(arns) == 1 else set())
        if not of_each:
            decisions.update({(action, resource): access_of(result) for resource in named})
    return decisions


def role_of(arn: str) -> str | None:
    """The role whose session a caller is: of ``arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION``."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "sts":
        return None
    kind, _, rest = parts[5].partition("/")
    return rest.partition("/")[0] if kind == "assumed-role" else None
