"""The fields of a `dataware.toml`: what the reader takes, and what an editor completes.

Each field stands here once, with its JSON Schema. The reader knows the fields by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dataware.core.model import ImportMode, OnConflict, OnError, OnFallbackData
from dataware.kinds import CATALOGUE
from dataware.ops.inputs.wanted import FieldNames

WORDS = FieldNames("fallback", "on_error", "on_fallback_data", "import")

_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}


def _field(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, **schema}


def _word(description: str, words: type[StrEnum], default: StrEnum) -> dict[str, Any]:
    return _field(description, enum=[word.value for word in words], default=default.value)


RESOURCE: Mapping[str, Mapping[str, Any]] = {
    "type": _field("CloudFormation type.", enum=list(CATALOGUE)),
    "preferred": _field("Name under which the resource should hold its data.", **_TEXT),
    "id": _field("Name in messages and plans; by default the preferred name.", **_TEXT),
    "stack": _field("Stack that declares the resource, by name or ARN.", **_TEXT),
    "logical_id": _field("Logical id of the resource in its stack.", **_TEXT),
    "properties": _field(
        "CloudFormation properties with which a missing resource is created.", type="object"
    ),
    WORDS.fallback: _field(
        "Names under which the data may be, in the order of preference.",
        anyOf=[_TEXT, {"type": "array", "items": _TEXT, "uniqueItems": True}],
    ),
    WORDS.on_error: _word("What to make of what cannot be seen.", OnError, OnError.SAFE),
    WORDS.on_fallback_data: _word(
        "What happens when only a fallback has data.", OnFallbackData, OnFallbackData.MIGRATE
    ),
    WORDS.import_mode: _word("How a stack takes in what exists.", ImportMode, ImportMode.ADOPT),
}
"""The fields of a `[[resource]]`."""


APP: Mapping[str, Mapping[str, Any]] = {
    "account": _field("The only account in which this file is used.", pattern=r"^\d{12}$", **_TEXT),
    "region": _field("The only region in which this file is used.", **_TEXT),
}
"""The fields of `[app]`."""


_FLAG: Mapping[str, Any] = {"type": "boolean"}
_WHOLE: Mapping[str, Any] = {"type": "integer", "minimum": 1}

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "profile": _field("Named profile of the AWS configuration.", **_TEXT),
    "region": _field("AWS region.", **_TEXT),
    "endpoint_url": _field("Use this endpoint instead of AWS, such as LocalStack.", **_TEXT),
    "strict": _field("Stop when anything is uncertain.", **_FLAG),
    "on_conflict": _field(
        "Which side wins when both hold different data under the same key.",
        enum=[word.value for word in OnConflict],
    ),
    "versions": _field("Object versions that are copied.", enum=["current", "all"]),
    "max_rate": _field("Limit of items or objects per second.", type="number", exclusiveMinimum=0),
    "max_share": _field("Share of provisioned capacity to use, such as 50%.", **_TEXT),
    "processes": _field("Number of processes that copy.", **_WHOLE),
    "max_parallel": _field("Resources that are migrated at the same time.", **_WHOLE),
    "deep": _field("Verify objects by reading every byte of both sides.", **_FLAG),
    "plain": _field("Plain text: no color, emoji or progress bar.", **_FLAG),
}
"""The fields of `[defaults]`: options of the command line, by their names there."""


def _table(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    properties = {name: dict(schema) for name, schema in fields.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def toml_schema() -> dict[str, Any]:
    """A `dataware.toml` as a JSON Schema."""
    resource = {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in RESOURCE.items()},
        "required": ["type", "preferred"],
        "dependentRequired": {"stack": ["logical_id"], "logical_id": ["stack"]},
        "additionalProperties": False,
    }
    text = {"type": "string"}
    texts = {"type": "array", "items": text}
    return {
        "type": "object",
        "properties": {
            "app": _table(APP),
            "defaults": _table(DEFAULTS),
            "fallbacks": {"type": "object", "additionalProperties": {"anyOf": [text, texts]}},
            "resource": {"type": "array", "minItems": 1, "items": resource},
        },
        "required": ["resource"],
        "additionalProperties": False,
    }
