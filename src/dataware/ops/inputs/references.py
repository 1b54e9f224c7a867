"""Finds what of a template CloudFormation can resolve outside of the template.

A missing resource is created in a short-lived stack of its own. Pseudo parameters that mean the
same there, and functions over literal values, may stay; anything that refers to another resource,
a parameter, a mapping or a condition cannot be created beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from dataware.core.values import FUNCTION

SAME_EVERYWHERE = frozenset(
    {"AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix", "AWS::NoValue"}
)

OVER_THEIR_ARGUMENTS = frozenset(
    f"Fn::{name}" for name in ("Base64", "Cidr", "GetAZs", "ImportValue", "Join", "Select", "Split")
)

_VARIABLE = re.compile(r"\$\{(?!!)([^}]+)\}")


def unresolved_properties(properties: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the properties that refer to something else in the template."""
    return tuple(
        name for name, value in properties.items() if name.startswith(FUNCTION) or refers(value)
    )


def refers(value: Any) -> bool:
    """Whether a value depends on anything but itself and its environment."""
    if isinstance(value, list):
        return any(map(refers, value))
    if not isinstance(value, dict):
        return False
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return not (isinstance(argument, str) and argument in SAME_EVERYWHERE)
        if name == "Fn::Sub":
            return _sub_refers(argument)
        if name.startswith("Fn::") and name not in OVER_THEIR_ARGUMENTS:
            return True
    return any(map(refers, value.values()))


def _sub_refers(argument: Any) -> bool:
    text, variables = (argument, {}) if isinstance(argument, str) else _pair(argument)
    if not isinstance(text, str):
        return True
    return refers(variables) or not _covered(_VARIABLE.findall(text), variables)


def _pair(argument: Any) -> tuple[Any, dict[str, Any]]:
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
        return argument[0], argument[1]
    return None, {}


def _covered(variables: list[str], covered: Collection[str]) -> bool:
    return all(name.strip() in SAME_EVERYWHERE or name.strip() in covered for name in variables)
