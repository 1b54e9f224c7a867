"""What the caller needs to make, start, watch, stop and remove workers; pure.

Every name begins with the same words, so nothing else of the account is granted. Sources: Service
Authorization Reference, the pages of the services named here.
"""

from __future__ import annotations

from collections.abc import Iterator

from dataware.core.engines.map_card import MAP, MAP_PERMISSIONS
from dataware.core.engines.unfinished_work import COMPARISON
from dataware.core.passed_roles import PASS_ROLE, PassedRole
from dataware.ops.map_engine.template import PREFIX
from dataware.state.marker_value import ROOT
from dataware.state.parameter_store import DELETE, READ, WRITE

RESOURCES = {
    "cloudformation": ("arn:{partition}:cloudformation:{region}:{account}:stack/{prefix}*/*",),
    "iam": ("arn:{partition}:iam::{account}:role/{prefix}*",),
    "lambda": ("arn:{partition}:lambda:{region}:{account}:function:{prefix}*",),
    "logs": (
        "arn:{partition}:logs:{region}:{account}:log-group:/dataware/{prefix}*",
        "arn:{partition}:logs:{region}:{account}:log-group::log-stream:*",
    ),
    "s3": (
        "arn:{partition}:s3:::{prefix}{account}-*",
        "arn:{partition}:s3:::{prefix}{account}-*/*",
    ),
    "states": (
        "arn:{partition}:states:{region}:{account}:stateMachine:{prefix}*",
        "arn:{partition}:states:{region}:{account}:execution:{prefix}*",
        "arn:{partition}:states:{region}:{account}:mapRun:{prefix}*",
    ),
}
"""On what the actions of each service are granted."""


def list_caller_permissions(
    account: str, region: str, partition: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Resources by ARN, with the actions on each; not what passes a role."""
    place = {"account": account, "region": region, "partition": partition, "prefix": PREFIX}
    for service, patterns in RESOURCES.items():
        mine = (one for one in MAP_PERMISSIONS if one.startswith(f"{service}:"))
        actions = tuple(one for one in mine if one != PASS_ROLE)
        for pattern in patterns:
            yield pattern.format(**place), actions


def list_record_permissions(
    account: str, region: str, partition: str
) -> tuple[str, tuple[str, ...]]:
    """The records of comparisons, with the actions on them; `verify` deletes its own."""
    place = f"arn:{partition}:ssm:{region}:{account}:parameter"
    return f"{place}{ROOT}/{COMPARISON}/*", (READ, WRITE, DELETE)


def find_passed_roles(account: str, partition: str) -> PassedRole:
    """The roles of the workers, which CloudFormation hands to them in the caller's name.

    Sources: AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution
    role"; AWS Step Functions Developer Guide, "How AWS Step Functions works with IAM".
    """
    (pattern,) = RESOURCES["iam"]
    return PassedRole(
        pattern.format(partition=partition, account=account, prefix=PREFIX), MAP.passes_to
    )
