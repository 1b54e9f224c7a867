"""Makes the least IAM policy for one use of some resources, with what it needs beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final

from dataware.aws import HOLDING_PERMISSIONS, OWNERSHIP_PERMISSIONS, STACK_PERMISSIONS
from dataware.aws.holding_stack import HOLDING_PREFIX
from dataware.aws.template_upload import PERMISSIONS as TEMPLATE_PERMISSIONS
from dataware.aws.template_upload import list_arns
from dataware.core.engines.card import EngineName, Grant, GrantPlace
from dataware.core.model import Wanted
from dataware.core.names import place_of
from dataware.core.object_headers import NO_HEADERS, ObjectHeaders
from dataware.core.passed_roles import PassedRole
from dataware.core.phases import PolicySide, PolicyUse
from dataware.core.ports import Aws
from dataware.kinds import load
from dataware.ops.change_set import PERMISSIONS as CHANGE_SET_PERMISSIONS
from dataware.ops.import_by_id import PERMISSIONS as IMPORT_PERMISSIONS
from dataware.ops.map_engine.permissions import (
    find_passed_roles,
    list_caller_permissions,
    list_record_permissions,
)
from dataware.ops.name_conflicts import PERMISSION as CONFLICT_PERMISSION
from dataware.ops.policy import (
    check_side,
    elsewhere_permissions,
    iam_policy,
    imports_by_id,
    job_permissions,
    job_roles,
    object_permissions,
    scope_permissions,
)
from dataware.state.marker_value import ROOT
from dataware.state.parameter_store import LIST, READ, WRITE

RECORDS = f"arn:{{partition}}:ssm:{{region}}:{{account}}:parameter{ROOT}*"
HOLDING_STACKS = (
    f"arn:{{partition}}:cloudformation:{{region}}:{{account}}:stack/{HOLDING_PREFIX}*/*"
)

MARKER_ACTIONS: Final[Mapping[PolicyUse, tuple[str, ...]]] = {
    PolicyUse.ALL: (READ, LIST, WRITE),
    PolicyUse.PLAN: (READ, LIST),
    PolicyUse.APPLY: (READ, LIST, WRITE),
    PolicyUse.DEPLOY: (READ, LIST, WRITE),
    PolicyUse.MIGRATE: (READ, WRITE),
    PolicyUse.FOLLOW: (READ, LIST, WRITE),
    PolicyUse.UNDO: (READ, LIST, WRITE),
    PolicyUse.VERIFY: (),
}
"""What each use does with the records of migrations."""

CREATING = frozenset({PolicyUse.ALL, PolicyUse.APPLY, PolicyUse.DEPLOY})
PLANNING = CREATING | {PolicyUse.PLAN}
OWNING = PLANNING | {PolicyUse.FOLLOW}
GUARDING = frozenset({PolicyUse.ALL, PolicyUse.PLAN, PolicyUse.DEPLOY})
COPYING = CREATING | {PolicyUse.MIGRATE}
COMPARING = frozenset({PolicyUse.ALL, PolicyUse.VERIFY})
"""The uses of which a comparison by workers, with a record of its own, is one."""

JOB_USES = frozenset({PolicyUse.ALL, PolicyUse.APPLY})
"""The uses that take a role for jobs of S3."""

DEPLOYING = frozenset({PolicyUse.ALL, PolicyUse.DEPLOY})


CDK_ROLES = "arn:{partition}:iam::{account}:role/cdk-*-role-{account}-{region}"
"""The roles that `cdk bootstrap` makes (AWS CDK Developer Guide, "Customize AWS CDK bootstrapping":
``cdk-QUALIFIER-deploy-role-ACCOUNT-REGION``, and those for lookup, files and images)."""


def policy_of(  # noqa: PLR0913 - each is asked for by an option
    aws: Aws,
    wanted: Sequence[Wanted],
    *,
    use: PolicyUse = PolicyUse.ALL,
    all_versions: bool = False,
    informing: bool = True,
    lookups: Mapping[str, Set[str]] | None = None,
    headers: ObjectHeaders = NO_HEADERS,
    side: PolicySide = PolicySide.BOTH,
    batch_role: str | None = None,
    engine: EngineName | None = None,
) -> Any:
    """The policy document for one use of some resources, with what the use needs beside them.

    Without `informing` it leaves out what no decision rests on. `lookups` are the permissions, by
    ARN, with which the names were computed; `headers` go with the objects that are written.
    `side` is one of a copy with a profile of its source; S3 assumes a `batch_role` for its jobs.
    """
    place = GrantPlace(aws.account, aws.region, aws.partition)
    beside = list(_engine_grants(engine, wanted, place, side, use))
    beside += _source_looks(aws, wanted, use, side)
    has_job = batch_role is not None and use in JOB_USES and side is not PolicySide.SOURCE
    if side is not PolicySide.SOURCE:
        beside += _shared_by(aws, wanted, use, informing=informing)
        if use in COPYING:
            beside += object_permissions(wanted, headers, *place)
        if has_job:
            beside += job_permissions(wanted, place)
    beside += ((arn, tuple(sorted(names))) for arn, names in (lookups or {}).items())
    return iam_policy(
        wanted,
        **place._asdict(),
        shared=_join_grants(beside),
        use=use,
        all_versions=all_versions,
        informing=informing,
        side=side,
        passed=_list_passed_roles(place, wanted, engine, batch_role if has_job else None),
    )


def _list_passed_roles(
    place: GrantPlace,
    wanted: Sequence[Wanted],
    engine: EngineName | None,
    batch_role: str | None,
) -> Iterator[PassedRole]:
    """The roles that a caller hands to services, beside those of the resources."""
    if engine is EngineName.MAP:
        yield find_passed_roles(place.account, place.partition)
    if batch_role is not None:
        yield from job_roles(wanted, batch_role)


def _join_grants(grants: Iterable[Grant]) -> Mapping[str, Sequence[str]]:
    """The actions on each resource."""
    joined: dict[str, list[str]] = {}
    for arn, actions in grants:
        joined.setdefault(arn, []).extend(actions)
    return joined


def _engine_grants(
    engine: EngineName | None,
    wanted: Sequence[Wanted],
    place: GrantPlace,
    side: PolicySide,
    use: PolicyUse,
) -> Iterator[Grant]:
    """What an engine needs beside the copy: resources by ARN, with the actions on each.

    Raises InputError for one side of an engine that carries no such copy.
    """
    check_side(wanted, engine, side)
    if engine is EngineName.MAP:
        yield from list_caller_permissions(*place)
        if use in COMPARING:
            yield list_record_permissions(*place)
    elif engine is not None:
        yield from scope_permissions(wanted, engine, place, side)


def _source_looks(
    aws: Aws, wanted: Sequence[Wanted], use: PolicyUse, side: PolicySide
) -> Iterator[Grant]:
    """What a plan asks where its sources are: whose they are, and whether they are whole."""
    if side is not PolicySide.SOURCE or use not in PLANNING:
        return
    place = {"account": aws.account, "region": aws.region, "partition": aws.partition}
    for region in sorted(_regions_of(aws, wanted, side)):
        yield RECORDS.format(**{**place, "region": region}), (READ,)
    yield "*", OWNERSHIP_PERMISSIONS


def _shared_by(
    aws: Aws, wanted: Sequence[Wanted], use: PolicyUse, *, informing: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a use needs beside the resources: resources by ARN, with the actions on each."""
    place = {"account": aws.account, "region": aws.region, "partition": aws.partition}
    if marker_actions := MARKER_ACTIONS[use]:
        for region in sorted(_regions_of(aws, wanted)):
            yield RECORDS.format(**{**place, "region": region}), marker_actions
    if use in CREATING:
        yield HOLDING_STACKS.format(**place), HOLDING_PERMISSIONS
        yield from elsewhere_permissions(wanted, GrantPlace(**place))
    if use in CREATING and any(map(imports_by_id, wanted)):
        yield "*", IMPORT_PERMISSIONS
        for arn in list_arns(**place):
            yield arn, TEMPLATE_PERMISSIONS
    if use in OWNING:
        yield "*", OWNERSHIP_PERMISSIONS
    if use in GUARDING:
        yield "*", STACK_PERMISSIONS
    # Without a change set the guard compares templates, and says so.
    if use in DEPLOYING and informing:
        yield "*", (*CHANGE_SET_PERMISSIONS, CONFLICT_PERMISSION)
    if use is PolicyUse.DEPLOY:
        yield CDK_ROLES.format(**place), ("sts:AssumeRole",)


def _regions_of(aws: Aws, wanted: Sequence[Wanted], side: PolicySide = PolicySide.BOTH) -> set[str]:
    """The regions in which resources of a plan are, where the records of migrations lie, too."""
    regions = {aws.region}
    for one in wanted:
        kind = load(one.type)
        for name in side.names_of(one.preferred, one.fallbacks):
            place = place_of(kind, name, aws.account, aws.region)
            regions.add((kind.locate(aws, place) if kind.locate else None) or place.region)
    return regions
