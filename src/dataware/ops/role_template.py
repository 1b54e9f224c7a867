"""A CloudFormation template of the role that plans: it reads, and a given account may assume it.

One template serves every account, as the instances of a StackSet do. So no account and no region
stands in it: what was computed for the caller's own is written as pseudo parameters and wildcards.

Sources: IAM User Guide, "IAM and AWS STS quotas" (characters of the inline policies of a role);
AWS CloudFormation User Guide, "Get AWS values using pseudo parameters"; AWS KMS Developer Guide,
"kms:ViaService".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from dataware.core.errors import InputError

ROLE_NAME = "dataware-plan"
MOST_CHARACTERS = 10_240
"""Characters that the inline policies of a role have at most; white space does not count."""

WITHOUT_DATA = frozenset({"cloudformation", "iam", "ssm", "sts"})
"""Services that read no data of a resource with its key."""


@dataclass(frozen=True, slots=True)
class KnownEnvironments:
    """What a policy was computed for: the caller's `account`, and all accounts and regions."""

    account: str
    accounts: Set[str]
    regions: Set[str]


def make_role_template(
    policy: Mapping[str, Any], places: KnownEnvironments, trusted: str
) -> dict[str, Any]:
    """The template, whose role the account `trusted` may assume.

    Raises InputError for a policy that no role can hold.
    """
    statements = [_statement(one, places) for one in policy["Statement"]]
    document = {"Version": policy["Version"], "Statement": [*statements, *_decrypt(statements)]}
    size = len(json.dumps(document, separators=(",", ":")))
    if size > MOST_CHARACTERS:
        raise InputError(
            f"the policy has {size:,} characters, and a role takes {MOST_CHARACTERS:,}: choose "
            "part of the app with --stack, and another RoleName for each role"
        )
    role = {
        "RoleName": {"Ref": "RoleName"},
        "Description": "dataware plans with it: it reads, and changes nothing",
        "AssumeRolePolicyDocument": _trust(),
        "Policies": [{"PolicyName": "reads", "PolicyDocument": document}],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role with which dataware plans; it reads, and changes nothing.",
        "Parameters": {
            "TrustedAccount": {
                "Type": "String",
                "Default": trusted,
                "AllowedPattern": "[0-9]{12}",
                "Description": "The account that may assume the role.",
            },
            "RoleName": {"Type": "String", "Default": ROLE_NAME},
        },
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }


def _trust() -> dict[str, Any]:
    principal = {"Fn::Sub": "arn:${AWS::Partition}:iam::${TrustedAccount}:root"}
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _statement(statement: Mapping[str, Any], places: KnownEnvironments) -> dict[str, Any]:
    resources = [_anywhere(arn, places) for arn in statement["Resource"]]
    unique = {json.dumps(one, sort_keys=True): one for one in resources}
    return {**statement, "Resource": list(unique.values())}


def _anywhere(arn: str, places: KnownEnvironments) -> Any:
    """An ARN as it is in every account; that of an account which no stack goes to stays."""
    if not arn.startswith("arn:"):
        return arn
    _, _, service, region, account, resource = arn.split(":", 5)
    if account not in {"", places.account}:
        return arn
    resource = resource.replace("${", "${!")
    for part in sorted(places.regions):
        resource = resource.replace(part, "*")
    for part in sorted(places.accounts):
        resource = resource.replace(part, "${AWS::AccountId}")
    owner = "${AWS::AccountId}" if account else ""
    text = f"arn:${{AWS::Partition}}:{service}:{'*' if region else ''}:{owner}:{resource}"
    return {"Fn::Sub": text}


def _decrypt(statements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Permission to read under keys of the customer, through the services of the data alone."""
    actions = (action for one in statements for action in one["Action"])
    services = sorted({action.partition(":")[0] for action in actions} - WITHOUT_DATA)
    if not services:
        return []
    via = [f"{one}.*.amazonaws.com*" for one in services]
    return [
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": ["*"],
            "Condition": {"StringLike": {"kms:ViaService": via}},
        }
    ]
