"""A stack as a template declares it: its resources, and what becomes of them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.expand import ExpandedTemplate
from dataware.core.values import Scope, is_function

RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True, slots=True)
class DeclaredResource:
    """A resource of a template; the policies are None where the template says nothing.

    Any value may be a function, which `scope` binds to the definitions of the template; `type` is
    empty where it is no literal. `condition` names the condition under which the resource exists.
    """

    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    deletion_policy: Any = None
    replace_policy: Any = None
    condition: Any = None
    scope: Scope = field(default=Scope({}), compare=False)

    def value(self, name: str) -> Any:
        """A property, `Computed` where it is not literal."""
        if name not in self.properties and is_function(self.properties):
            return self.scope.evaluate(self.properties)
        return self.scope.evaluate(self.properties.get(name))

    def values(self) -> dict[str, Any]:
        """Every property, `Computed` where it is not literal."""
        return {name: self.value(name) for name in self.properties}


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """A stack as the app declares it.

    `id` is what tells it from other stacks of the app (the artifact id; empty: its name), since
    two stacks of one name may go to two regions. `nested` holds the templates of nested stacks
    by logical id, as far as they are at hand; `account` and `region` are None where the app leaves
    them open; `path` is the template's file, and `text` its content. `unseen` holds, by name, what
    may declare resources nobody sees.
    """

    name: str
    resources: Mapping[str, DeclaredResource]
    nested: Mapping[str, StackTemplate] = field(default_factory=dict)
    account: str | None = None
    region: str | None = None
    path: str = ""
    text: str = field(default="", compare=False, repr=False)
    unseen: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    @property
    def key(self) -> str:
        """What tells it from the other stacks of the app."""
        return self.id or self.name


def read_declared(name: str, template: ExpandedTemplate, path: str = "") -> StackTemplate:
    """The stack that a template declares, without its nested ones."""
    scope = Scope(template.document)
    resources = {
        str(logical_id): DeclaredResource(
            named if isinstance(named := resource.get("Type"), str) else "",
            _mapping(resource if is_function(resource) else resource.get("Properties")),
            resource.get("DeletionPolicy"),
            resource.get("UpdateReplacePolicy"),
            resource.get("Condition"),
            scope,
        )
        for logical_id, resource in template.resources.items()
    }
    return StackTemplate(name, resources, path=path, unseen=template.unseen)


def may_be_left_out(was: DeclaredResource | None, now: DeclaredResource) -> bool:
    """Whether the condition under which a resource exists is another than it was."""
    if was is None or now.condition is None:
        return False
    return was.scope.condition(was.condition) != now.scope.condition(now.condition)


def is_retained(policy: object) -> bool:
    """Whether a policy keeps the resource for certain: a function may say anything."""
    return isinstance(policy, str) and policy in RETAINED


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
