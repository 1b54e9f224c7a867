"""The functions of templates, by their names; pure.

Each takes the evaluator and its unevaluated arguments, answers with the value, and raises
NotKnownError where that is unknown or the arguments are none that CloudFormation takes. Source: AWS
CloudFormation Template Reference, "Intrinsic function reference".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from dataware.core.evaluation.value_lookups import NotKnownError
from dataware.core.values import NO_VALUE, is_function, own_name, text_of

if TYPE_CHECKING:
    from dataware.core.evaluation.evaluator import Evaluator

__all__ = ["FUNCTIONS", "NO_VALUE", "REMOVED", "fill_in"]

REMOVED: Final = object()
"""Stands for what `AWS::NoValue` leaves out."""

LONGEST = 1_000_000
"""No template is longer (AWS CloudFormation User Guide, "Quotas"), nor is a value of one."""

SECRETS = ("secretsmanager", "ssm-secure")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:([^:}]+):([^}]*)\}\}")

Function = Callable[["Evaluator", Any], Any]


def fill_in(evaluator: Evaluator, text: str) -> str:
    """A text with its dynamic references filled in. Raises NotKnownError for a secret.

    Source: AWS CloudFormation User Guide, "Get values stored in other services using dynamic
    references".
    """

    def look_up(match: re.Match[str]) -> str:
        service, name = match.groups()
        if service in SECRETS:
            raise NotKnownError(
                f"{{{{resolve:{service}}}}} names a secret, which is never read: write it out"
            )
        if service != "ssm":
            raise NotKnownError(f"only CloudFormation resolves {{{{resolve:{service}}}}}")
        if evaluator.conditions.testing:
            raise NotKnownError(
                f"no condition resolves {match[0]} for certain: give it by a parameter of an SSM "
                "parameter type"
            )
        if not evaluator.refers:
            raise NotKnownError("it is looked up when the resource is created")
        return evaluator.lookups.stored(name.strip())

    return _DYNAMIC.sub(look_up, text)


def _ref(evaluator: Evaluator, argument: Any) -> Any:
    value = evaluator.references.ref(argument)
    # "To use a ssm dynamic reference in the Parameters section …" (User Guide, "Get a plaintext
    # value from Systems Manager Parameter Store").
    return evaluator.resolve(value) if isinstance(value, str | list) else value


def _get_att(evaluator: Evaluator, argument: Any) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
        raise NotKnownError("Fn::GetAtt takes a logical id and an attribute: correct it")
    return evaluator.references.attribute(parts[0], _text(evaluator, "Fn::GetAtt", parts[1]))


def _sub(evaluator: Evaluator, argument: Any) -> str:
    text, variables = (argument, {}) if isinstance(argument, str) else _pair("Fn::Sub", argument)
    if not isinstance(text, str) or not isinstance(variables, Mapping):
        raise NotKnownError("Fn::Sub takes a text, or a text and a map: correct it")
    size = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal size
        name = match[1].strip()
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in variables:
            value = _text(evaluator, "Fn::Sub", variables[name])
        elif "." in name:
            value = _text(evaluator, "Fn::Sub", {"Fn::GetAtt": name})
        else:
            value = _text(evaluator, "Fn::Sub", {"Ref": name})
        size += len(value)
        _check_length(size)
        return value

    return fill_in(evaluator, _VARIABLE.sub(replace, text))


def _join(evaluator: Evaluator, argument: Any) -> str:
    between, parts = _pair("Fn::Join", argument)
    between = _text(evaluator, "Fn::Join", between)
    texts = [_as_text("Fn::Join", one) for one in _list(evaluator, "Fn::Join", parts)]
    _check_length(sum(map(len, texts)) + len(between) * len(texts))
    return fill_in(evaluator, between.join(texts))


def _split(evaluator: Evaluator, argument: Any) -> list[str]:
    between, text = _pair("Fn::Split", argument)
    between = _text(evaluator, "Fn::Split", between)
    if not between:
        raise NotKnownError("Fn::Split takes a delimiter: correct it")
    return _text(evaluator, "Fn::Split", text).split(between)


def _select(evaluator: Evaluator, argument: Any) -> Any:
    position, values = _pair("Fn::Select", argument)
    at = _text(evaluator, "Fn::Select", position)
    if not at.isdecimal():
        raise NotKnownError(f"Fn::Select takes a number, not {at!r}: correct it")
    # An unknown value beside the chosen one does not matter; one that may be left out does.
    plain = isinstance(values, list) and not any(map(_may_be_removed, values))
    items = values if plain else _list(evaluator, "Fn::Select", values)
    if int(at) >= len(items):
        raise NotKnownError(f"Fn::Select takes number {at} of a list of {len(items)}: correct it")
    return evaluator.resolve(items[int(at)])


def _may_be_removed(value: Any) -> bool:
    return value == NO_VALUE or (isinstance(value, Mapping) and "Fn::If" in value)


def _if(evaluator: Evaluator, argument: Any) -> Any:
    return evaluator.resolve(evaluator.conditions.choose(argument))


def _find_in_map(evaluator: Evaluator, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) not in {3, 4}:
        raise NotKnownError("Fn::FindInMap takes a mapping and two keys: correct it")
    keys = [_text(evaluator, "Fn::FindInMap", one) for one in argument[:3]]
    value: Any = evaluator.document.get("Mappings")
    for key in keys:
        if isinstance(value, Mapping) and is_function(value) and _entry(value, key) is None:
            raise NotKnownError(f"only CloudFormation resolves {own_name(value)} in Mappings")
        value = _entry(value, key)
    if value is not None:
        return evaluator.resolve(value)
    otherwise = argument[3] if len(argument) == 4 else None
    if isinstance(otherwise, Mapping) and "DefaultValue" in otherwise:
        return evaluator.resolve(otherwise["DefaultValue"])
    raise NotKnownError(f"Mappings has no {'.'.join(keys)}: add it, or pass other parameters")


def _entry(mapping: Any, key: str) -> Any:
    if not isinstance(mapping, Mapping):
        return None
    return next((one for name, one in mapping.items() if text_of(name) == key), None)


def _length(evaluator: Evaluator, argument: Any) -> int:
    return len(_list(evaluator, "Fn::Length", argument))


def _to_json(evaluator: Evaluator, argument: Any) -> str:
    value = evaluator.resolve(argument)
    if not isinstance(value, list | Mapping):
        raise NotKnownError("Fn::ToJsonString takes an object or a list: correct it")
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _base64(evaluator: Evaluator, argument: Any) -> str:
    return base64.b64encode(_text(evaluator, "Fn::Base64", argument).encode()).decode()


def _import(evaluator: Evaluator, argument: Any) -> str:
    return evaluator.lookups.exported(_text(evaluator, "Fn::ImportValue", argument))


def _pair(name: str, argument: Any) -> tuple[Any, Any]:
    if not isinstance(argument, list) or len(argument) != 2:
        raise NotKnownError(f"{name} takes two arguments: correct it")
    return argument[0], argument[1]


def _list(evaluator: Evaluator, name: str, argument: Any) -> list[Any]:
    elements = evaluator.resolve(argument)
    if not isinstance(elements, list):
        raise NotKnownError(f"{name} takes a list: correct it")
    return elements


def _text(evaluator: Evaluator, name: str, argument: Any) -> str:
    return _as_text(name, evaluator.resolve(argument))


def _as_text(name: str, value: Any) -> str:
    text = text_of(value)
    if text is None:
        raise NotKnownError(f"{name} takes texts alone: correct it")
    return text


def _check_length(length: int) -> None:
    if length > LONGEST:
        raise NotKnownError(f"it would have more than {LONGEST:,} characters")


FUNCTIONS: Mapping[str, Function] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::Length": _length,
    "Fn::ToJsonString": _to_json,
    "Fn::Base64": _base64,
    "Fn::ImportValue": _import,
}
