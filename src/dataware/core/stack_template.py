"""A stack as a template declares it: its resources, and what becomes of them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dataware.core.expand import ExpandedTemplate
from dataware.core.values import (
    Scope,
    as_texts,
    find_function,
    is_function,
    mapping_of,
    text_of,
)

if TYPE_CHECKING:
    # What runs in Lambda evaluates nothing.
    from dataware.core.evaluation import Evaluator

OWN = "dataware:own"
"""Metadata of what dataware puts into a stack for its own use: nobody's data, and free to go."""

RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True, slots=True)
class DeclaredResource:
    """A resource of a template; the policies are None where the template says nothing.

    Any value may be a function, which `scope` binds to the definitions of the template; `type` is
    empty where it is no literal. `condition` names the condition under which the resource exists,
    and `update_policy` holds switches that say how it is updated.
    `evaluator` knows the values of functions; without one only literals are known. `is_own` says
    that dataware itself put it there.
    """

    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    deletion_policy: Any = None
    replace_policy: Any = None
    condition: Any = None
    scope: Scope = field(default=Scope({}), compare=False)
    update_policy: Any = None
    evaluator: Evaluator | None = field(default=None, compare=False, repr=False)
    is_own: bool = field(default=False, compare=False)

    def value(self, name: str) -> Any:
        """A property, `Computed` where it is not literal."""
        if name not in self.properties and is_function(self.properties):
            return self.scope.evaluate(self.properties)
        return self.scope.evaluate(self.properties.get(name))

    def values(self) -> dict[str, Any]:
        """Every property, `Computed` where it is not literal."""
        return {name: self.value(name) for name in self.properties}

    def known_value(self, name: str) -> Any:
        """A property evaluated, `Computed` in the place of each part that stays unknown."""
        if name not in self.properties and is_function(self.properties):
            whole = self.evaluate(self.properties)
            return whole.get(name) if isinstance(whole, Mapping) else whole
        return self.evaluate(self.properties.get(name))

    def known_values(self) -> dict[str, Any]:
        """Every property evaluated, `Computed` in the place of each part that stays unknown."""
        if is_function(self.properties):
            whole = self.evaluate(self.properties)
            return dict(whole) if isinstance(whole, Mapping) else self.values()
        return {name: self.known_value(name) for name in self.properties}

    def write_properties(self) -> Mapping[str, Any]:
        """The properties with the values of their functions, as they are where one is unknown."""
        values = self.evaluator.write(self.properties) if self.evaluator else self.properties
        return values if isinstance(values, Mapping) else self.properties

    def evaluate(self, expression: Any) -> Any:
        """The value of an expression of the resource, `Computed` where it is unknown."""
        if self.evaluator is None:
            return self.scope.evaluate(expression)
        return self.evaluator.evaluate(expression)

    def allows_update(self, switch: str) -> bool:
        """Whether a switch of the update policy is on for certain."""
        policy = self.evaluate(self.update_policy)
        value = policy.get(switch) if isinstance(policy, Mapping) else None
        return text_of(value) == "true"

    def exists(self) -> bool | None:
        """Whether the resource is created under its condition; None where that is unknown."""
        if self.condition is None:
            return True
        holds = self.evaluator.holds(self.condition) if self.evaluator else None
        return holds if isinstance(holds, bool) else None


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """A stack as the app declares it.

    `id` is what tells it from other stacks of the app (the artifact id; empty: its name), since
    two stacks of one name may go to two regions. `nested` holds the templates of nested stacks
    by logical id, as far as they are available; `account` and `region` are None where the app
    leaves them open; `path` is the template's file, and `text` its content. `unseen` holds, by
    name, what may declare unseen resources. `document` is the template, loops written out.
    `uploaded_to` is the address in S3 that the app gives its template, whether it is there or not.
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
    uploaded_to: str = ""
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

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
            mapping_of(resource if is_function(resource) else resource.get("Properties")),
            resource.get("DeletionPolicy"),
            resource.get("UpdateReplacePolicy"),
            resource.get("Condition"),
            scope,
            update_policy=resource.get("UpdatePolicy"),
            is_own=OWN in mapping_of(resource.get("Metadata")),
        )
        for logical_id, resource in template.resources.items()
    }
    return StackTemplate(
        name, resources, path=path, unseen=template.unseen, document=template.document
    )


def with_evaluator(template: StackTemplate, evaluator: Evaluator) -> StackTemplate:
    """The template, whose resources know the values that an evaluator knows."""
    resources = {
        logical_id: replace(one, evaluator=evaluator)
        for logical_id, one in template.resources.items()
    }
    return replace(template, resources=resources)


def may_be_left_out(was: DeclaredResource | None, now: DeclaredResource) -> bool:
    """Whether a resource is left out for its condition, or may be, since that is another one."""
    if (exists := now.exists()) is not None:
        return not exists
    if was is None:
        return False
    return was.scope.condition(was.condition) != now.scope.condition(now.condition)


def is_changed(was: DeclaredResource, now: DeclaredResource, name: str) -> bool:
    """Whether a property gets another value, or may: what is unknown is compared as it is written.

    An unknown value is the same where its expression is, and all that the expression rests on.
    """
    before, after = was.known_value(name), now.known_value(name)
    if find_function(before) or find_function(after):
        before, after = was.value(name), now.value(name)
    return bool(as_texts(before) != as_texts(after))


def is_retained(policy: object) -> bool:
    """Whether a policy keeps the resource for certain: a function may say anything."""
    return isinstance(policy, str) and policy in RETAINED
