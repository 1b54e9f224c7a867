"""What custom resources of a stack delete in another resource that stays as it is; pure.

CDK has custom resources that act on the data of another one: they empty a bucket or a repository
when they are removed, or delete what a deployment of files does not bring. The resource itself
does not change then, so that neither a comparison of it nor a change set tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.guard import AppIndex
from dataware.core.kind import ActingResources, Kind
from dataware.core.model import Deployed
from dataware.core.stack_template import DeclaredResource, StackTemplate


def find_custom_deletions(
    outlook: AppIndex,
    now: StackTemplate,
    before: Mapping[str, DeclaredResource],
    deployed: Mapping[str, Deployed],
) -> Iterator[DestructiveChange]:
    """The deployed resources of which a custom resource of their stack would delete data."""
    was = {one: before[one] for one in before.keys() & deployed.keys()}
    for logical_id, resource in deployed.items():
        kind = outlook.kinds.get(resource.type)
        if kind is None:
            continue
        name = kind.template.name_of(resource.physical_id) or resource.physical_id
        had = was.get(logical_id)
        has = now.resources.get(logical_id) or had
        deletions = [
            each
            for type_name, rule in kind.template.custom_deletions.items()
            for each in rule.find(
                _list_acting(was, type_name, rule.target, logical_id, name),
                _list_acting(now.resources, type_name, rule.target, logical_id, name),
                had.known_values() if had else {},
                has.known_values() if has else {},
            )
        ]
        if deletions:
            yield _threat(now, kind, logical_id, resource, deletions)


def join_threats(
    threats: Iterable[DestructiveChange], deletions: Iterable[DestructiveChange]
) -> list[DestructiveChange]:
    """One threat for each resource; what is emptied as it leaves would be retained in vain."""
    joined = {one.logical_id: one for one in threats}
    for one in deletions:
        known = joined.get(one.logical_id)
        if known is None or known.loss is Loss.LEAVES:
            joined[one.logical_id] = one
    return list(joined.values())


def _threat(
    stack: StackTemplate,
    kind: Kind,
    logical_id: str,
    resource: Deployed,
    deletions: Sequence[tuple[str, str]],
) -> DestructiveChange:
    effects = "; ".join(effect for effect, _ in deletions)
    ways = ", ".join(dict.fromkeys(way for _, way in deletions))
    return DestructiveChange(
        stack.name,
        logical_id,
        resource.type,
        kind.noun,
        resource.physical_id,
        Loss.DELETES,
        f"lose data to another resource of its stack: {effects}",
        f"{ways}; or, if that data may go, pass --allow-loss {logical_id}",
    )


def _list_acting(
    resources: Mapping[str, DeclaredResource],
    type_name: str,
    target: str,
    logical_id: str,
    name: str,
) -> ActingResources:
    """The custom resources of a type that act on a resource, by logical id."""
    return {
        one: {**each.properties, **each.known_values()}
        for one, each in resources.items()
        if each.type == type_name
        and each.exists() is not False
        and _means(each, target, logical_id, name)
    }


def _means(acting: DeclaredResource, target: str, logical_id: str, name: str) -> bool:
    """Whether a property of a custom resource stands for a resource of its stack."""
    written: Any = acting.properties.get(target)
    if isinstance(written, Mapping) and len(written) == 1:
        ((_, argument),) = written.items()
        first = argument[0] if isinstance(argument, list) and argument else argument
        if isinstance(first, str) and first.partition(".")[0] == logical_id:
            return True
    return bool(acting.known_value(target) == name)
