"""Where a construct stands: its stack, its app, and what the context says.

Every question to CDK crosses into another process. Constructs of one scope share the answers,
which cannot change: CDK fixes names, environments and context before the first child is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from aws_cdk import Stack
from constructs import Construct

LOOKUP, IMPORT = "dataware:lookup", "dataware:import"
"""Context keys: how to find a missing decision, and how an app imports by default."""


@dataclass(frozen=True, slots=True)
class StackScope:
    """What is known of a scope; `app` is the number that the app has in this process.

    `account` and `region` are tokens for a stack that leaves them open.
    """

    path: str
    app: str
    stack: str
    nested: bool
    account: str
    region: str
    lookup: object
    import_mode: object


# By the number of the scope; strings and weak references only: nothing of an app is kept alive.
_HOMES: dict[str, StackScope] = {}
_STACKS: WeakValueDictionary[str, Stack] = WeakValueDictionary()


def home_of(scope: Construct) -> StackScope:
    """Where the children of `scope` stand."""
    key = number_of(scope)
    if key not in _HOMES:
        stack, node = stack_of(scope), scope.node
        _HOMES[key] = StackScope(
            path=node.path,
            app=number_of(node.root),
            stack=stack.stack_name,
            nested=bool(stack.nested),
            account=stack.account,
            region=stack.region,
            lookup=node.try_get_context(LOOKUP),
            import_mode=node.try_get_context(IMPORT),
        )
    return _HOMES[key]


def stack_of(scope: Construct) -> Stack:
    """The stack of a scope."""
    key = number_of(scope)
    stack = _STACKS.get(key)
    if stack is None:
        stack = _STACKS[key] = Stack.of(scope)
    return stack


def path_in(home: StackScope, id: str) -> str:
    """The path of a child; CDK replaces the separator of paths in ids."""
    name = id.replace("/", "--")
    return f"{home.path}/{name}" if home.path else name


def number_of(construct: Any) -> str:
    """An object's number in the kernel, unique in a process; Python objects come and go."""
    return str(construct.__jsii_ref__.ref)
