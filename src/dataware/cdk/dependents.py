"""Lets everything in a stack that uses a migrated resource wait until its data is there.

CDK runs this when the app is whole: all references are resolved and all dependencies known. A
resource uses another one if its properties refer to it or hold its name. What the migration itself
needs cannot wait for it. Other stacks of the app that hold the name come after this one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jsii
from aws_cdk import CfnResource, Stack, Stage
from constructs import Construct, IValidation

from dataware.cdk.migration_sides import MigrationSide
from dataware.cdk.order import Node, Order, is_named
from dataware.cdk.request import is_token
from dataware.cdk.stack_scope import number_of, stack_of
from dataware.core.destructive_change import DELETES_RULE
from dataware.kinds import CATALOGUE, load


@jsii.implements(IValidation)
class Dependents:
    """The migrations of one stack, and who waits for them; `of` gives the one of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._migrations: list[tuple[CfnResource, MigrationSide]] = []
        stack.node.add_validation(self)

    @staticmethod
    def of(scope: Construct) -> Dependents:
        """Who waits in the stack of a scope."""
        stack = stack_of(scope)
        key = number_of(stack)
        if key not in _BY_STACK:
            _BY_STACK[key] = Dependents(stack)
        return _BY_STACK[key]

    def add(self, migration: CfnResource, target: MigrationSide) -> None:
        """Let whatever uses a target wait for the migration into it."""
        self._migrations.append((migration, target))

    def validate(self) -> list[str]:
        """Add the dependencies; what is wrong is what another resource does to what is copied."""
        elements, nested = self._elements()
        order = Order(
            {id: self._node(one, elements, nested.get(id, ())) for id, one in elements.items()}
        )
        for migration, target in self._migrations:
            # What protects data should be in force before there is any, if it can.
            before = frozenset(target.kind.template.policies)
            for first, later in order.wait_for(self._id(migration), self._name(target), before):
                _depend(elements[later], elements[first])
        names = [target.name for _, target in self._migrations if not is_token(target.name)]
        for stack in _stacks_beside(self._stack):
            text = "\n".join(line for one in _resources(stack) for line in _text_of(one))
            if any(is_named(name, text) for name in names):
                stack.add_dependency(self._stack, "it names what a migration fills")
        return [one for _, target in self._migrations for one in self._losses(target, elements)]

    def _losses(self, target: MigrationSide, elements: Mapping[str, CfnResource]) -> Iterator[str]:
        """What of the copied data another resource of the stack would delete after the copy."""
        names = {self._name(target), target.name}
        for id, element in elements.items():
            if _declared_name(element.cfn_resource_type, _properties(element)) == target.name:
                names.add(id)
        for id, element in elements.items():
            find_effect = target.kind.template.effects.get(element.cfn_resource_type)
            effect = find_effect(_properties(element)) if find_effect else None
            if effect is None:
                continue
            references, texts = set[str](), list[str]()
            _read(effect[0], references, texts)
            if names & {*references, *texts}:
                yield (
                    f"{target.name} would lose what is copied into it (rule {DELETES_RULE}): {id} "
                    f"{effect[1]}"
                )

    def _elements(self) -> tuple[dict[str, CfnResource], dict[str, list[str]]]:
        """The resources of the stack, and the texts inside of its nested stacks, by logical id."""
        here, elements = number_of(self._stack), dict[str, CfnResource]()
        nested: dict[str, list[str]] = {}
        for element in _resources(self._stack):
            owner: CfnResource | None = element
            while owner is not None and number_of(stack_of(owner)) != here:
                owner = stack_of(owner).nested_stack_resource
            if owner is element:
                elements[self._id(element)] = element
            elif owner is not None:
                nested.setdefault(self._id(owner), []).extend(_text_of(element))
        return elements, nested

    def _node(self, element: CfnResource, known: Collection[str], nested: Collection[str]) -> Node:
        properties = _properties(element)
        name = _declared_name(element.cfn_resource_type, properties)
        references, texts = set[str](), [*nested]
        _read(properties, references, texts)
        before = {self._id(one) for one in element.obtain_dependencies()}
        return Node(
            element.cfn_resource_type,
            frozenset(references.intersection(known)),
            frozenset(before.intersection(known)),
            "\n".join(text for text in texts if text != name),
            name,
        )

    def _name(self, target: MigrationSide) -> str:
        """The physical name of a target, or its logical id where the deployment names it."""
        if not is_token(target.name):
            return target.name
        references = set[str]()
        _read(self._stack.resolve(target.name), references, [])
        return next(iter(references), target.name)

    def _id(self, element: CfnResource) -> str:
        return str(self._stack.resolve(element.logical_id))


def _depend(later: CfnResource, first: CfnResource) -> None:
    """Make one resource wait for another, by the name that this version of CDK has for it."""
    add = getattr(later, "add_resource_dependency", None) or later.add_dependency
    add(first)


def _stacks_beside(stack: Stack) -> Iterator[Stack]:
    """The other stacks of the same stage and environment that may come after a stack."""
    before = _closure(stack)
    for other in Stage.of(stack).node.find_all():
        if (
            Stack.is_stack(other)
            and other.nested_stack_parent is None
            and number_of(other) not in before
            and (other.account, other.region) == (stack.account, stack.region)
        ):
            yield other


def _closure(stack: Stack) -> set[str]:
    """A stack and all on which it depends, by their numbers."""
    closure, waiting = set[str](), [stack]
    while waiting:
        one = waiting.pop()
        if number_of(one) not in closure:
            closure.add(number_of(one))
            waiting += one.dependencies
    return closure


def _resources(scope: Construct) -> Iterator[CfnResource]:
    return (one for one in scope.node.find_all() if CfnResource.is_cfn_resource(one))


def _properties(element: CfnResource) -> Any:
    return stack_of(element).resolve(element._cfn_properties)


def _text_of(element: CfnResource) -> list[str]:
    texts: list[str] = []
    _read(_properties(element), set(), texts)
    return texts


def _declared_name(cfn_type: str, properties: Mapping[str, Any]) -> str | None:
    """The literal name that a resource gives itself."""
    if cfn_type not in CATALOGUE:
        return None
    word = load(cfn_type).template.identifier
    # CDK's own constructs begin the names of properties with a small letter.
    name = properties.get(word, properties.get(word[0].lower() + word[1:]))
    return name if isinstance(name, str) else None


def _read(value: Any, references: set[str], texts: list[str]) -> None:
    """Collect the logical ids that a resolved value refers to, and all of its text."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            references.update(_referenced_ids(key, inner))
            _read(inner, references, texts)
    elif isinstance(value, list):
        for inner in value:
            _read(inner, references, texts)


def _referenced_ids(key: str, value: Any) -> list[str]:
    if key == "Ref" and isinstance(value, str):
        return [value]
    if key == "Fn::GetAtt":
        first = value[0] if isinstance(value, list) else str(value).partition(".")[0]
        return [first] if isinstance(first, str) else []
    if key == "Fn::Sub":
        text = value[0] if isinstance(value, list) else value
        return re.findall(r"\$\{(\w+)", text) if isinstance(text, str) else []
    return []


_BY_STACK: dict[str, Dependents] = {}
