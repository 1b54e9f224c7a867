"""Makes the least IAM policy of some resources, with what every run needs beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from dataware.aws import HOLDING_PERMISSIONS, OWNERSHIP_PERMISSIONS, STACK_PERMISSIONS
from dataware.aws.holding_stack import HOLDING_PREFIX
from dataware.core.model import Wanted
from dataware.core.names import place_of
from dataware.core.ports import Aws
from dataware.kinds import load
from dataware.ops.change_set import PERMISSIONS as CHANGE_SET_PERMISSIONS
from dataware.ops.name_conflicts import PERMISSION as CONFLICT_PERMISSION
from dataware.ops.policy import iam_policy
from dataware.state import PERMISSIONS as MARKER_PERMISSIONS
from dataware.state.marker_value import ROOT


def policy_of(
    aws: Aws,
    wanted: Sequence[Wanted],
    *,
    all_versions: bool = False,
    informing: bool = True,
    asked: Mapping[str, Set[str]] | None = None,
) -> Any:
    """The policy document for some resources, with what every run needs beside them.

    Without `informing` it leaves out what no decision rests on. `asked` are the permissions, by
    ARN, with which the names were computed.
    """
    account, region, partition = aws.account, aws.region, aws.partition
    records = "arn:{}:ssm:{}:{}:parameter{}*"
    holding = f"arn:{partition}:cloudformation:{region}:{account}:stack/{HOLDING_PREFIX}*/*"
    shared: dict[str, tuple[str, ...]] = {
        records.format(partition, where, account, ROOT): MARKER_PERMISSIONS
        for where in sorted(_regions_of(aws, wanted))
    }
    looks = (*OWNERSHIP_PERMISSIONS, *STACK_PERMISSIONS)
    # Without a change set the guard compares templates, and says so.
    further = (*CHANGE_SET_PERMISSIONS, CONFLICT_PERMISSION) if informing else ()
    shared |= {holding: HOLDING_PERMISSIONS, "*": (*looks, *further)}
    for arn, actions in (asked or {}).items():
        shared[arn] = (*shared.get(arn, ()), *sorted(actions))
    return iam_policy(
        wanted,
        account=account,
        region=region,
        partition=partition,
        shared=shared,
        all_versions=all_versions,
        informing=informing,
    )


def _regions_of(aws: Aws, wanted: Sequence[Wanted]) -> set[str]:
    """The regions in which resources of a plan are, where the records of migrations lie, too."""
    regions = {aws.region}
    for one in wanted:
        kind = load(one.type)
        for name in (one.preferred, *one.fallbacks):
            place = place_of(kind, name, aws.account, aws.region)
            regions.add((kind.locate(aws, place) if kind.locate else None) or place.region)
    return regions
