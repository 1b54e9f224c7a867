"""Lets everything in a stack that uses a migrated resource wait until its data is there.

CDK runs this when the app is whole: all references are resolved and all dependencies known. A
resource uses another one if its properties refer to it or hold its name. What the migration itself
needs cannot wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jsii
from aws_cdk import CfnResource, Stack
from constructs import Construct, IValidation

from dataware.cdk.asked import is_token
from dataware.cdk.home import number_of, stack_of
from dataware.cdk.order import Node, Order
from dataware.cdk.sides import Side
from dataware.kinds import CATALOGUE, load

PROTECTING = frozenset({"AWS::S3::BucketPolicy"})
"""What should be in force before there is data, and so comes before the copy if it can."""


@jsii.implements(IValidation)
class Waiting:
    """The migrations of one stack, and who waits for them; `of` gives the one of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._migrations: list[tuple[CfnResource, Side]] = []
        stack.node.add_validation(self)

    @staticmethod
    def of(scope: Construct) -> Waiting:
        """Who waits in the stack of a scope."""
        stack = stack_of(scope)
        key = number_of(stack)
        if key not in _BY_STACK:
            _BY_STACK[key] = Waiting(stack)
        return _BY_STACK[key]

    def add(self, migration: CfnResource, target: Side) -> None:
        """Let whatever uses a target wait for the migration into it."""
        self._migrations.append((migration, target))

    def validate(self) -> list[str]:
        """Add the dependencies; nothing is wrong with any app."""
        elements = dict(self._elements())
        order = Order({id: self._node(element, elements) for id, element in elements.items()})
        for migration, target in self._migrations:
            for first, later in order.wait_for(self._id(migration), self._name(target), PROTECTING):
                _depend(elements[later], elements[first])
        return []

    def _elements(self) -> Iterator[tuple[str, CfnResource]]:
        """The resources of the stack by logical id, those of nested stacks left out."""
        here = number_of(self._stack)
        for construct in self._stack.node.find_all():
            if CfnResource.is_cfn_resource(construct) and number_of(stack_of(construct)) == here:
                yield self._id(construct), construct

    def _node(self, element: CfnResource, known: Collection[str]) -> Node:
        properties = self._stack.resolve(element._cfn_properties)
        name = _declared_name(element.cfn_resource_type, properties)
        references, texts = set[str](), list[str]()
        _read(properties, references, texts)
        before = {self._id(one) for one in element.obtain_dependencies()}
        return Node(
            element.cfn_resource_type,
            frozenset(references.intersection(known)),
            frozenset(before.intersection(known)),
            "\n".join(text for text in texts if text != name),
            name,
        )

    def _name(self, target: Side) -> str:
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


def _declared_name(cfn_type: str, properties: Mapping[str, Any]) -> str | None:
    """The literal name that a resource gives itself."""
    if cfn_type not in CATALOGUE:
        return None
    word = load(cfn_type).identifier
    # CDK's own constructs begin the names of properties with a small letter.
    name = properties.get(word, properties.get(word[0].lower() + word[1:]))
    return name if isinstance(name, str) else None


def _read(value: Any, references: set[str], texts: list[str]) -> None:
    """Collect the logical ids that a resolved value refers to, and all of its text."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            references.update(_referenced(key, inner))
            _read(inner, references, texts)
    elif isinstance(value, list):
        for inner in value:
            _read(inner, references, texts)


def _referenced(key: str, value: Any) -> list[str]:
    if key == "Ref" and isinstance(value, str):
        return [value]
    if key == "Fn::GetAtt":
        first = value[0] if isinstance(value, list) else str(value).partition(".")[0]
        return [first] if isinstance(first, str) else []
    if key == "Fn::Sub":
        text = value[0] if isinstance(value, list) else value
        return re.findall(r"\$\{(\w+)", text) if isinstance(text, str) else []
    return []


_BY_STACK: dict[str, Waiting] = {}
