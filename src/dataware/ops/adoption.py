"""Compares what a stack is about to adopt with its template, and stops where that does harm.

CloudFormation's import compares nothing and changes nothing (see `dataware.core.comparison`): what
the template says otherwise is true only after a later update, which may then delete data, or which
no update but a replacement can bring about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dataware.core.comparison import (
    PropertyDifference,
    PropertyVerdict,
    compare_configuration,
    join,
    list_of,
    list_uncompared,
)
from dataware.core.errors import InputError, LookupFailedError, NotFoundError
from dataware.core.model import (
    Action,
    Content,
    Existence,
    ImportMode,
    OnError,
    Ownership,
    Wanted,
)
from dataware.core.names import place_of
from dataware.core.plan import COPYING, Planned
from dataware.kinds import load
from dataware.ops.context import Context

AT_ONCE = 16
NOT_SEEN, FIXED_RULE, DELETES_RULE = 14, 23, 24


def compare_adopted(context: Context, planned: Sequence[Planned]) -> tuple[Planned, ...]:
    """The same resources, compared with their templates where a stack is about to adopt them."""
    if any(map(_is_adopted, planned)):
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="compare") as pool:
            planned = tuple(
                pool.map(lambda one: _compare(context, one) if _is_adopted(one) else one, planned)
            )
    return tuple(map(_stop_at_effects, planned))


def mark_allowed_losses(wanted: Sequence[Wanted], names: Collection[str]) -> list[Wanted]:
    """The resources, those marked of which a person said that adoption may delete data.

    A name is a logical id, or STACK/LOGICAL_ID.
    """
    return [
        replace(one, allow_loss=True)
        if {one.logical_id, f"{one.stack}/{one.logical_id}"} & {*names}
        else one
        for one in wanted
    ]


def check_allowed_losses(planned: Iterable[Planned], names: Collection[str]) -> None:
    """Raise InputError where a bare logical id allows losses in several stacks."""
    losing = [one.wanted for one in planned if find_allowed(one)]
    for name in names:
        stacks = sorted({str(one.stack) for one in losing if one.logical_id == name})
        if len(stacks) > 1:
            choices = ", ".join(f"{stack}/{name}" for stack in stacks)
            raise InputError(f"{name} is in several stacks: name one of {choices}")


def find_allowed(planned: Planned) -> list[str]:
    """What adoption deletes because a person allowed it."""
    if not planned.wanted.allow_loss:
        return []
    deletes = list_of(planned.differences, PropertyVerdict.DELETES)
    return [*(one.effect for one in deletes), *planned.wanted.effects]


def find_remaining(context: Context, planned: Planned) -> list[PropertyDifference]:
    """What an adopted resource has otherwise than its template declares.

    Raises LookupFailedError and NotFoundError where it is not seen.
    """
    differences = _differences(context, planned)
    return list_of(
        differences, PropertyVerdict.CHANGES, PropertyVerdict.DELETES, PropertyVerdict.FIXED
    )


def _is_adopted(planned: Planned) -> bool:
    """Whether a stack is about to take in a resource that stands, whatever its key schema is."""
    wanted, decision, preferred = planned.wanted, planned.decision, planned.preferred
    another = decision.action is Action.IMPORT and decision.source is not None
    stands = preferred.existence is Existence.EXISTS and not another
    if wanted.logical_id is None or decision.action is Action.STOP or not stands:
        return False
    return decision.import_mode is ImportMode.ADOPT or _has_other_keys(planned)


def _stop_at_effects(planned: Planned) -> Planned:
    """Stop where other resources of the template would change the data of what comes in."""
    effects, decision = planned.wanted.effects, planned.decision
    comes_in = decision.action in COPYING or (
        decision.import_mode is ImportMode.ADOPT and planned.preferred.existence is Existence.EXISTS
    )
    if not effects or decision.action is Action.STOP or not comes_in or not _may_lose(planned):
        return planned
    return _delete(planned, effects)


def _has_other_keys(planned: Planned) -> bool:
    """Whether only its key schema keeps a resource from being adopted."""
    wanted, decision = planned.wanted, planned.decision
    schema = load(wanted.type).template.declared_schema(wanted.properties)
    unmanaged = planned.preferred.owner.ownership is Ownership.UNMANAGED
    return (
        wanted.import_mode is ImportMode.ADOPT
        and decision.action is Action.IMPORT
        and unmanaged
        and schema is not None
        and schema != planned.preferred.schema
    )


def _compare(context: Context, planned: Planned) -> Planned:
    try:
        differences = _differences(context, planned)
    except (LookupFailedError, NotFoundError) as error:
        text = f"{planned.preferred.name} is not compared with its template: {error}"
        return _unread(planned, text)
    planned = replace(planned, differences=differences)
    if fixed := list_of(differences, PropertyVerdict.FIXED):
        return _stop(planned, FIXED_RULE, _explain_fixed(planned, fixed))
    deletes = list_of(differences, PropertyVerdict.DELETES)
    if deletes and _may_lose(planned):
        planned = _delete(planned, [one.effect for one in deletes])
    if planned.decision.action is Action.STOP:
        return planned
    if unread := list_of(differences, PropertyVerdict.UNREAD):
        whole = "; ".join(f"{one.name} ({one.effect})" for one in unread)
        name = planned.preferred.name
        return _unread(planned, f"{name} is not compared with its template in {whole}")
    return planned


def _differences(context: Context, planned: Planned) -> tuple[PropertyDifference, ...]:
    """The differences, with how much would be deleted. Raises LookupFailed and NotFoundError."""
    kind, wanted = load(planned.wanted.type), planned.wanted
    template = kind.template
    named = (template.identifier, *template.name_parts)
    uncompared = tuple(list_uncompared(kind.comparison, wanted.properties, named))
    if kind.comparison is None:
        return uncompared
    there = context.in_region(planned.preferred.region or context.aws.region)
    name = place_of(kind, wanted.preferred, context.aws.account, context.aws.region).name
    live = kind.comparison.read(there.aws, name)
    counted = []
    declared = kind.comparison.in_region(wanted.properties, there.aws.region)
    for one in compare_configuration(kind.comparison, live, declared):
        if one.verdict is PropertyVerdict.DELETES:
            has, wants = live.properties.get(one.name), declared.get(one.name)
            amount = kind.comparison.count_deleted(there.aws, name, one.name, has, wants)
            effect = f"{one.effect} ({amount})" if amount else one.effect
            counted.append(replace(one, effect=effect))
        else:
            counted.append(one)
    return (*counted, *uncompared)


def _may_lose(planned: Planned) -> bool:
    """Whether there is data by now, or will be once it is copied."""
    return planned.preferred.content is not Content.EMPTY or planned.decision.action in COPYING


def _explain_fixed(planned: Planned, fixed: Sequence[PropertyDifference]) -> str:
    name, short = planned.wanted.preferred, load(planned.wanted.type).short
    return (
        f"{name} would have to be replaced by an empty {short} to become what the app declares "
        f"({join(fixed)}): declare what it has, or make it the fallback of another name"
    )


def _delete(planned: Planned, deleting: Sequence[str]) -> Planned:
    """Stop before an adoption after which data is deleted, unless a person said yes to that."""
    wanted = planned.wanted
    effects = "; ".join(deleting)
    if wanted.allow_loss:
        text = f"{wanted.preferred} loses data once its stack is updated: {effects}"
        warnings = (*planned.decision.warnings, text)
        return replace(planned, decision=replace(planned.decision, warnings=warnings))
    reason = (
        f"adopting {wanted.preferred} would delete data that it keeps now: {effects}; declare what "
        f"it has, or allow it with --allow-loss {wanted.logical_id}"
    )
    return _stop(planned, DELETES_RULE, reason)


def _unread(planned: Planned, text: str) -> Planned:
    """A warning, or a stop where any doubt is one."""
    if planned.wanted.on_error is OnError.STOP:
        return _stop(planned, NOT_SEEN, f"{text}, and on_error is stop")
    decision = planned.decision
    return replace(planned, decision=replace(decision, warnings=(*decision.warnings, text)))


def _stop(planned: Planned, rule: int, reason: str) -> Planned:
    return replace(planned, decision=planned.decision.stop(rule, reason), estimate=None)
