"""Asks IAM what a user or role may do, without doing it.

Source: AWS IAM API Reference, SimulatePrincipalPolicy. The simulation sees policies of the user or
role, its boundary and those of the organization; it does not see policies of resources, sessions
and VPC endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dataware.aws.errors import translate_errors
from dataware.aws.permissions import IamDecision, NeededActions, answers_in
from dataware.core.ports import Aws

PERMISSION = "iam:SimulatePrincipalPolicy"

RESOURCES_AT_ONCE = 20
"""Resources of one question; its answer has a result for each of them and each action."""


def simulate(
    aws: Aws, owner: str, needs: Iterable[NeededActions]
) -> dict[tuple[str, str], IamDecision]:
    """What IAM says about every action on every resource, for the policies of `owner`.

    Raises LookupFailedError where the simulation is not allowed or not offered, and NotFoundError
    without the user or role.
    """
    decisions: dict[tuple[str, str], IamDecision] = {}
    for need in needs:
        for resources in _in_parts(need.resources):
            decisions |= _simulate_actions(aws, owner, need.actions, resources)
    return decisions


def _in_parts(resources: Sequence[str]) -> Iterable[tuple[str, ...]]:
    starts = range(0, len(resources), RESOURCES_AT_ONCE)
    return [tuple(resources[at : at + RESOURCES_AT_ONCE]) for at in starts]


def _simulate_actions(
    aws: Aws, owner: str, actions: tuple[str, ...], resources: tuple[str, ...]
) -> dict[tuple[str, str], IamDecision]:
    """The answers for some resources, one by one where they are not told apart."""
    decisions = answers_in(_results(aws, owner, actions, resources), resources)
    pairs = set(NeededActions(actions, resources).pairs())
    if len(resources) > 1 and pairs - decisions.keys():
        for resource in resources:
            decisions |= answers_in(_results(aws, owner, actions, (resource,)), (resource,))
    return {pair: access for pair, access in decisions.items() if pair in pairs}


def _results(
    aws: Aws, owner: str, actions: Sequence[str], resources: Sequence[str]
) -> list[dict[str, Any]]:
    pages = aws.client("iam").get_paginator("simulate_principal_policy")
    with translate_errors(f"the permissions of {owner}", PERMISSION):
        return [
            result
            for page in pages.paginate(
                PolicySourceArn=owner, ActionNames=list(actions), ResourceArns=list(resources)
            )
            for result in page["EvaluationResults"]
        ]
