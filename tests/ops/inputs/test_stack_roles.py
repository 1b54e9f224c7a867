"""The roles of a stack, as CDK's synth writes them."""

from __future__ import annotations

import pytest

from dataware.ops.inputs.stack_roles import NO_ROLES, StackRole, StackRoles, read_roles
from dataware.ops.inputs.wanted import StackEnvironment

THERE = StackEnvironment("222222222222", "cn-north-1")
DEPLOY = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/deploy-${AWS::Region}"
LOOKUP = "arn:aws-cn:iam::222222222222:role/lookup"


def test_placeholders_are_those_of_the_environment() -> None:
    """As CDK replaces them when it assumes the role; each role has an external id of its own."""
    found = read_roles(
        {
            "assumeRoleArn": DEPLOY,
            "assumeRoleExternalId": "shared",
            "lookupRole": {"arn": LOOKUP},
        },
        THERE,
    )
    deploy = StackRole("arn:aws-cn:iam::222222222222:role/deploy-cn-north-1", "shared")
    assert found == StackRoles(StackRole(LOOKUP), deploy)


@pytest.mark.parametrize(
    ("properties", "meant"),
    [
        ({}, THERE),
        ({"assumeRoleArn": None, "lookupRole": "no mapping"}, THERE),
        ({"assumeRoleArn": DEPLOY}, StackEnvironment(None, "us-east-1")),
        ({"assumeRoleArn": DEPLOY}, StackEnvironment("222222222222")),
    ],
)
def test_what_names_no_role_has_none(properties: object, meant: StackEnvironment) -> None:
    """Another synthesizer names none, and an open environment is that of the command."""
    assert read_roles(properties, meant) == NO_ROLES  # type: ignore[arg-type]  # damaged on purpose
