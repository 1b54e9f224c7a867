"""What a plan file and a lock file look like, field by field, and their JSON Schemas; pure.

Fields that are not named here are passed over: a plan file only gains fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

from dataware.core.comparison import PropertyVerdict
from dataware.core.destructive_change import Loss
from dataware.core.engines.card import EngineName
from dataware.core.errors import InputError
from dataware.core.model import (
    Action,
    Content,
    Creator,
    Existence,
    ImportMode,
    MarkerState,
    OnError,
    OnFallbackData,
    Ownership,
)

Check = Callable[[object], bool]


def _text(value: object) -> bool:
    return isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: object) -> bool:
    return _count(value) or (isinstance(value, float) and isfinite(value) and value >= 0)


def _document(value: object) -> bool:
    return isinstance(value, dict)


def _labels(value: object) -> bool:
    return isinstance(value, dict) and all(map(_text, value.values()))


@dataclass(frozen=True, slots=True)
class _WordOf:
    """One of a few words."""

    words: type[StrEnum]

    def __call__(self, value: object) -> bool:
        return isinstance(value, str) and value in set(self.words)


@dataclass(frozen=True, slots=True)
class _Maybe:
    """A value that may be null."""

    shape: Any


_FACTS: Mapping[str, Any] = {
    "name": _text,
    "exists": _WordOf(Existence),
    "content": _WordOf(Content),
    "owner": _WordOf(Ownership),
    "stack": _Maybe(_text),
    "logical_id": _Maybe(_text),
    "stack_id": _Maybe(_text),
    "account": _Maybe(_text),
    "region": _Maybe(_text),
    "marker": _WordOf(MarkerState),
    "migrating_from": _Maybe(_text),
    "schema": _Maybe(_text),
    "identity": _Maybe(_text),
    "size": _Maybe({"items": _count, "bytes": _count, "exact": _flag}),
    "notes": [_text],
}

_WANTED: Mapping[str, Any] = {
    "fallbacks": [_text],
    "properties": _document,
    "stack": _Maybe(_text),
    "logical_id": _Maybe(_text),
    "on_error": _WordOf(OnError),
    "on_fallback_data": _WordOf(OnFallbackData),
    "import": _WordOf(ImportMode),
    "creator": _WordOf(Creator),
    "unresolved": [_text],
    "account": _Maybe(_text),
    "region": _Maybe(_text),
    "retained": _flag,
    "computed_by": _text,
}

_ESTIMATE: Mapping[str, Any] = {
    "items": _count,
    "bytes": _count,
    "seconds": _count,
    "usd": _number,
    "exact": _flag,
}

_RESOURCE: Mapping[str, Any] = {
    "id": _text,
    "type": _text,
    "preferred": _FACTS,
    "fallbacks": [_FACTS],
    "action": _WordOf(Action),
    "rule": _count,
    "reason": _text,
    "source": _Maybe(_text),
    "import": _Maybe(_WordOf(ImportMode)),
    "no_overwrite": _flag,
    "warnings": [_text],
    "estimate": _Maybe(_ESTIMATE),
    "wanted": _WANTED,
}

PLAN: Mapping[str, Any] = {
    "version": _count,
    "account": _text,
    "region": _text,
    "created": _text,
    "resources": [_RESOURCE],
    "warnings": [_text],
}

PRICES: Mapping[str, Any] = {
    "name": _text,
    "date": _text,
    "region": _text,
    "source": _text,
    "usd": _document,
    "filled": [_text],
}

_DIFFERENCE: Mapping[str, Any] = {
    "property": _text,
    "verdict": _WordOf(PropertyVerdict),
    "live": _text,
    "declared": _text,
    "effect": _text,
}

_ENGINE_LINE: Mapping[str, Any] = {
    "engine": _WordOf(EngineName),
    "state": _text,
    "why": _text,
    "seconds": _Maybe(_count),
    "usd": _Maybe(_number),
    "at_least": _flag,
    "time": _text,
    "limits": [_text],
    "permissions": [_text],
    "proven": _text,
}

_VERIFICATION: Mapping[str, Any] = {"seconds": _count, "usd": _number}
"""The part of an engine's line that only engines have which verify as well."""

_FOLLOW: Mapping[str, Any] = {
    "source": _text,
    "feed": _text,
    "enables": _flag,
    "consent": _text,
    "retention_seconds": _Maybe(_count),
    "blind_spots": [_text],
    "problem": _text,
}

_SHOWN_FACTS: Mapping[str, Any] = {
    "settings": _labels,
    "problems": [_text],
}

_LOSS: Mapping[str, Any] = {
    "stack": _text,
    "logical_id": _text,
    "type": _text,
    "name": _text,
    "loss": _WordOf(Loss),
    "content": _WordOf(Content),
    "rule": _count,
    "reason": _text,
    "recipe": _text,
    "allowed": _flag,
}

_LOCK_ENTRY: Mapping[str, Any] = {
    "action": _WordOf(Action),
    "rule": _count,
    "reason": _text,
    "import": _Maybe(_WordOf(ImportMode)),
    "source": _Maybe(_text),
    "fallbacks": [_text],
    "exists": _WordOf(Existence),
    "owner": _WordOf(Ownership),
    "stack": _Maybe(_text),
    "logical_id": _Maybe(_text),
    "warnings": [_text],
}

_SCHEMAS: Mapping[Check, Mapping[str, Any]] = {
    _text: {"type": "string"},
    _flag: {"type": "boolean"},
    _count: {"type": "integer", "minimum": 0},
    _number: {"type": "number", "minimum": 0},
    _document: {"type": "object"},
    _labels: {"type": "object", "additionalProperties": {"type": "string"}},
}


def plan_schema() -> dict[str, Any]:
    """What `check_plan` checks, as a JSON Schema, with what not every plan has."""
    schema = _schema_of(PLAN)
    schema["properties"] |= {
        "version": {"const": 1},
        "guard": _schema_of([_LOSS]),
        "prices": _schema_of(_Maybe(PRICES)),
        "source_profile": _schema_of(
            {"profile": _text, "account": _text, "region": _text},
        ),
    }
    resource = schema["properties"]["resources"]["items"]["properties"]
    resource["differences"] = _schema_of([_DIFFERENCE])
    resource["engine"] = _schema_of(_WordOf(EngineName))
    resource["engines"] = _schema_of([_ENGINE_LINE])
    resource["engines"]["items"]["properties"]["verification"] = _schema_of(_VERIFICATION)
    resource["follow"] = _schema_of(_FOLLOW)
    resource["wanted"]["properties"] |= {
        name: _schema_of(_flag) for name in ("allow_loss", "names_id")
    }
    resource["wanted"]["properties"]["hidden"] = _schema_of([_text])
    resource["by_id"] = _schema_of(_flag)
    resource["restores"] = _schema_of([_text])
    return schema


def lock_schema() -> dict[str, Any]:
    """The lock file as a JSON Schema: entries by type and name, by account and region."""
    entries = {"type": "object", "additionalProperties": _schema_of(_LOCK_ENTRY)}
    environments = {
        "type": "object",
        "propertyNames": {"pattern": "^[^/]+/[^/]+$"},
        "additionalProperties": entries,
    }
    return {
        "type": "object",
        "properties": {"version": {"const": 1}, "environments": environments},
        "required": ["version", "environments"],
    }


def _schema_of(shape: Any) -> dict[str, Any]:
    if isinstance(shape, _Maybe):
        return {"anyOf": [_schema_of(shape.shape), {"type": "null"}]}
    if isinstance(shape, _WordOf):
        return {"enum": [word.value for word in shape.words]}
    if isinstance(shape, list):
        return {"type": "array", "items": _schema_of(shape[0])}
    if isinstance(shape, Mapping):
        properties = {name: _schema_of(inner) for name, inner in shape.items()}
        return {"type": "object", "properties": properties, "required": list(shape)}
    return dict(_SCHEMAS[shape])


def check_plan(data: Mapping[str, Any]) -> None:
    """Raise InputError, with the field, for a plan that is not as dataware writes it."""
    _check(data, PLAN, "")
    if data.get("prices") is not None:
        _check(data["prices"], PRICES, "prices")
        for name, price in data["prices"]["usd"].items():
            _check(price, _number, f"prices.usd.{name}")


def check_shown_parts(data: Mapping[str, Any]) -> None:
    """The same for what is shown of a plan and rests on nothing, as far as it is there."""
    _check(data.get("guard", []), [_LOSS], "guard")
    for at, resource in enumerate(data["resources"], 1):
        _check(resource.get("differences", []), [_DIFFERENCE], f"resources {at}, differences")
        _check(resource.get("engines", []), [_ENGINE_LINE], f"resources {at}, engines")
        for line in resource.get("engines", []):
            _check(line.get("verification"), _Maybe(_VERIFICATION), f"resources {at}, engines")
        _check(resource.get("follow"), _Maybe(_FOLLOW), f"resources {at}, follow")
        for facts in (resource["preferred"], *resource["fallbacks"]):
            shapes = {name: shape for name, shape in _SHOWN_FACTS.items() if name in facts}
            _check(facts, shapes, f"resources {at}, {facts['name']}")


def _check(value: object, shape: Any, where: str) -> None:
    if isinstance(shape, _Maybe):
        if value is not None:
            _check(value, shape.shape, where)
    elif isinstance(shape, Mapping):
        _check_fields(value, shape, where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise _damage_error(where)
        for at, one in enumerate(value, 1):
            _check(one, shape[0], f"{where} {at}")
    elif not shape(value):
        raise _damage_error(where)


def _check_fields(value: object, shape: Mapping[str, Any], where: str) -> None:
    if not isinstance(value, Mapping):
        raise _damage_error(where)
    for name, inner in shape.items():
        path = f"{where}, {name}" if where else name
        if name not in value:
            raise _damage_error(path, "is missing")
        _check(value[name], inner, path)


def _damage_error(where: str, what: str = "is not as dataware writes it") -> InputError:
    return InputError(
        f"the plan is damaged ({where} {what}); make it again with `dataware plan --out FILE`"
    )
