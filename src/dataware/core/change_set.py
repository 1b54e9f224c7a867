"""What CloudFormation itself says that an update of a stack would do to what holds data; pure.

A change set sees what a comparison of templates cannot: values that only CloudFormation resolves,
and properties whose change means replacement. Of its verdict and that of the guard the stricter one
holds. Source: AWS CloudFormation API Reference, ResourceChange.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.guard import KEEP_IT, AppIndex
from dataware.core.kind import Kind
from dataware.core.model import Deployed
from dataware.core.stack_template import (
    DeclaredResource,
    StackTemplate,
    is_retained,
    may_be_left_out,
)

REMOVE, MODIFY = "Remove", "Modify"
REPLACES = frozenset({"True", "Conditional"})
RETAINS = frozenset({"Retain", "ReplaceAndRetain"})


STORED = ("::Parameter::Value<", "{{resolve:")
TRANSFORMS = "Fn::Transform"
SURROUNDINGS = (*STORED, "Fn::ImportValue")
"""Marks of values that CloudFormation looks up at each update, outside of the stack."""


class ChangeSetUse(Enum):
    """Of which stacks with data CloudFormation is asked for a change set."""

    NEVER = auto()
    WHERE_CHANGED = auto()
    ALWAYS = auto()


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What a change set says of one resource.

    `replacement` is ``True``, ``False`` or ``Conditional``; `policy` is what becomes of the
    resource that leaves, empty where that is not said, and `recreating` are the properties whose
    change may replace it. `nested` is what the change set of a nested
    stack says, None where none was seen.
    """

    logical_id: str
    action: str
    replacement: str = "False"
    policy: str = ""
    recreating: tuple[str, ...] = ()
    nested: tuple[PlannedChange, ...] | None = None

    @property
    def is_destructive(self) -> bool:
        """Whether the stack lets go of the resource, or may."""
        replaces = self.action == MODIFY and self.replacement in REPLACES
        return self.action == REMOVE or replaces

    def stays_in_place(self, kind: Kind) -> bool:
        """Whether CloudFormation only may replace it, for properties that never replace it.

        CloudFormation says "Conditional" of what a schema lists so, whatever the condition is.
        """
        in_place = set(self.recreating) <= set(kind.template.updated_in_place)
        return self.replacement == "Conditional" and bool(self.recreating) and in_place


def find_further_threats(
    outlook: AppIndex,
    stack: StackTemplate,
    deployed: Mapping[str, Deployed],
    changes: Iterable[PlannedChange],
    threats: Iterable[DestructiveChange],
) -> Iterator[DestructiveChange]:
    """The resources that a change set loses and the guard does not know to be threatened.

    What leaves, is retained, and is somebody's fallback is not lost: its data is copied.
    """
    logical_ids = {one.logical_id for one in threats}
    for change in changes:
        resource = deployed.get(change.logical_id)
        kind = outlook.kinds.get(resource.type) if resource else None
        if resource is None or kind is None or not kind.template.stateful:
            continue
        if not change.is_destructive or change.logical_id in logical_ids:
            continue
        if change.action == MODIFY and change.stays_in_place(kind):
            continue
        name = kind.template.name_of(resource.physical_id) or resource.physical_id
        copied = (kind.names.slug, name) in outlook.copied
        if change.action == REMOVE and change.policy in RETAINS and copied:
            continue
        logical_ids.add(change.logical_id)
        yield _threat(stack, kind, resource, change)


def remove_all(
    deployed: Mapping[str, Deployed], before: Mapping[str, DeclaredResource] | None
) -> list[PlannedChange]:
    """What a stack loses that is removed or replaced itself: all, each by its own policy."""
    return [
        PlannedChange(logical_id, REMOVE, policy="Retain" if _is_kept(before, logical_id) else "")
        for logical_id in deployed
    ]


def _is_kept(before: Mapping[str, DeclaredResource] | None, logical_id: str) -> bool:
    was = (before or {}).get(logical_id)
    return was is not None and is_retained(was.evaluate(was.deletion_policy))


def _threat(
    stack: StackTemplate, kind: Kind, resource: Deployed, change: PlannedChange
) -> DestructiveChange:
    lets_go = "leave {} unmanaged" if change.policy in RETAINS else "delete {}"
    if change.action == REMOVE:
        loss, recipe = Loss.LEAVES, f"{KEEP_IT}; or pass --allow-loss {change.logical_id}"
        outcome = f"leave the stack: a change set says that CloudFormation would {lets_go}"
        outcome = outcome.format("it")
    else:
        loss, recipe = Loss.REPLACED, f"leave it as it is, and declare a new {kind.short} beside it"
        word = "would" if change.replacement == "True" else "may"
        outcome = (
            f"be replaced by an empty {kind.short}: a change set says that CloudFormation {word} "
            f"replace it, and {lets_go.format('the old one')}"
        )
    return DestructiveChange(
        stack.name,
        change.logical_id,
        resource.type,
        kind.noun,
        resource.physical_id,
        loss,
        outcome,
        recipe,
    )


def changes_data(
    outlook: AppIndex,
    now: StackTemplate,
    before: Mapping[str, DeclaredResource] | None,
    deployed: Mapping[str, Deployed],
) -> bool:
    """Whether a template declares a deployed resource that may hold data otherwise than before.

    What a macro, or a file that is included, makes of the same text may be another one each time,
    and the template of a deployment that failed is not what the stack has.
    """
    unsettled = any(one.is_unsettled for one in deployed.values())
    if (now.unseen or unsettled) and holds_data(outlook, deployed):
        return True
    for logical_id, resource in deployed.items():
        kind = outlook.kinds.get(resource.type)
        if kind is None or not kind.template.stateful:
            continue
        was, then = (before or {}).get(logical_id), now.resources.get(logical_id)
        if was is None or then is None or was != then or may_be_left_out(was, then):
            return True
        if was.values() != then.values() or _rests_on_lookups(kind, then):
            return True
        if TRANSFORMS in repr(then.properties):
            return True
    return False


def _rests_on_lookups(kind: Kind, resource: DeclaredResource) -> bool:
    """Whether the resource may be another one although no template and no parameter changes."""
    return any(map(mentions_lookups, _deciding(kind, resource)))


def _deciding(kind: Kind, resource: DeclaredResource) -> list[Any]:
    """What decides whether a resource stays the one that it is."""
    named = (kind.template.identifier, *kind.template.replacing)
    return [resource.scope.condition(resource.condition), *map(resource.value, named)]


def list_looked_up(
    outlook: AppIndex, now: StackTemplate, deployed: Mapping[str, Deployed]
) -> list[str]:
    """The deployed resources that may become others because Parameter Store has other values.

    An import is not among them: CloudFormation refuses to change an export that is in use.
    """
    names = []
    for logical_id, resource in deployed.items():
        kind, declared = outlook.kinds.get(resource.type), now.resources.get(logical_id)
        if kind is None or declared is None or not kind.template.stateful:
            continue
        if any(word in repr(_deciding(kind, declared)) for word in STORED):
            names.append(logical_id)
    return names


def mentions_lookups(value: object) -> bool:
    """Whether a value, with the definitions it rests on, holds what is looked up again."""
    text = repr(value)
    return any(word in text for word in SURROUNDINGS)


def holds_data(outlook: AppIndex, deployed: Mapping[str, Deployed]) -> bool:
    """Whether a stack has a resource that may hold data."""
    kinds = [outlook.kinds.get(resource.type) for resource in deployed.values()]
    return any(kind is not None and kind.template.stateful for kind in kinds)
