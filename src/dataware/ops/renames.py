"""What a stack has is not what the app now declares of it: renamed in place, or moved.

CloudFormation replaces what is renamed by an empty resource, and lets go of what is declared in
another stack. `dataware plan` and `dataware deploy` see that with the guard; a plain `cdk deploy`
runs none, so synth asks here (rule 19). The look at names costs one listing for each stack that
does not own all that it declares yet; that at moves costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

from dataware.core.destructive_change import RULE
from dataware.core.errors import LookupFailedError
from dataware.core.kind import Kind
from dataware.core.model import Action, Content, Deployed, Existence, Ownership
from dataware.core.plan import Plan, Planned
from dataware.core.ports import Aws
from dataware.kinds import load
from dataware.ops.probe import probe_name


def stop_renames(aws: Aws, plan: Plan, allow: Set[str] = frozenset()) -> Plan:
    """The plan, with a stop where a resource that holds data would be replaced by a new name.

    `allow` names what may be lost, by logical id or STACK/LOGICAL_ID.
    """
    stacks = {one.wanted.stack for one in plan.resources if _may_be_renamed(one)}
    deployed = {stack: _list_resources(aws, stack) for stack in stacks if stack is not None}
    return replace(
        plan,
        resources=tuple(
            one if _is_allowed(one, allow) else _check_rename(aws, one, deployed)
            for one in plan.resources
        ),
    )


def _is_allowed(planned: Planned, allow: Set[str]) -> bool:
    wanted = planned.wanted
    return not allow.isdisjoint({str(wanted.logical_id), f"{wanted.stack}/{wanted.logical_id}"})


def _may_be_renamed(planned: Planned) -> bool:
    """Whether the declared name is not what the stack has under that logical id."""
    wanted, owner = planned.wanted, planned.preferred.owner
    placed = wanted.stack is not None and wanted.logical_id is not None
    stopped = planned.decision.action is Action.STOP
    return placed and not stopped and owner.ownership is not Ownership.THIS_STACK


def _list_resources(aws: Aws, stack: str) -> Mapping[str, Deployed] | LookupFailedError:
    try:
        return aws.stack_resources(stack)
    except LookupFailedError as error:
        return error


def _check_rename(
    aws: Aws, planned: Planned, deployed: Mapping[str, Mapping[str, Deployed] | LookupFailedError]
) -> Planned:
    resources = deployed.get(planned.wanted.stack or "")
    if resources is None or not _may_be_renamed(planned):
        return planned
    if isinstance(resources, LookupFailedError):
        text = (
            f"cannot check whether {planned.wanted.preferred} renames a resource of stack "
            f"{planned.wanted.stack}: {resources}"
        )
        decision = replace(planned.decision, warnings=(*planned.decision.warnings, text))
        return replace(planned, decision=decision)
    kind, had = load(planned.wanted.type), resources.get(planned.wanted.logical_id or "")
    if had is None or kind.template.renamed_in_place or not _is_replaced(kind, planned, had):
        return planned
    return _stop_where_data_is(aws, kind, planned, had)


def _is_replaced(kind: Kind, planned: Planned, had: Deployed) -> bool:
    """Whether the logical id stands for another resource of the same kind now."""
    declared = planned.preferred.physical_id or planned.wanted.preferred
    return had.type in kind.all_types and had.physical_id != declared


def _stop_where_data_is(aws: Aws, kind: Kind, planned: Planned, had: Deployed) -> Planned:
    old, wanted = had.physical_id, planned.wanted
    facts = probe_name(aws, kind, old)
    if facts.existence is Existence.ABSENT or facts.content is Content.EMPTY:
        return planned
    holds = "holds data" if facts.content is Content.DATA else "may hold data (not readable)"
    reason = (
        f"CloudFormation would replace {old} ({wanted.logical_id} of stack {wanted.stack}), which "
        f"{holds}, by {wanted.preferred}: keep the name, or "
        f"declare {wanted.preferred} under a new construct id with {old} as its fallback"
    )
    return replace(planned, decision=planned.decision.stop(RULE, reason))


def stop_moves(plan: Plan, declared: Mapping[str, Set[str]], allow: Set[str] = frozenset()) -> Plan:
    """The plan, with a stop where a stack of the app would let go of what another one declares.

    `declared` has the logical ids in each stack of the app, by its name; `allow` names what may be
    lost.
    """
    return replace(
        plan, resources=tuple(_check_move(one, declared, allow) for one in plan.resources)
    )


def _check_move(planned: Planned, declared: Mapping[str, Set[str]], allow: Set[str]) -> Planned:
    owner, wanted = planned.preferred.owner, planned.wanted
    stack, logical_id = owner.stack or "", owner.logical_id or ""
    if owner.ownership is not Ownership.OTHER_STACK or stack not in declared:
        return planned
    stays = logical_id in declared[stack] or planned.preferred.content is Content.EMPTY
    if stays or not allow.isdisjoint({logical_id, f"{stack}/{logical_id}"}):
        return planned
    reason = (
        f"stack {stack} owns {wanted.preferred} as {logical_id} and would let it go, because stack "
        f"{wanted.stack} declares it now: move it with `cdk refactor`, or move the construct back"
    )
    return replace(planned, decision=planned.decision.stop(RULE, reason))
