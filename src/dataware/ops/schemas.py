"""The JSON Schemas of what dataware reads and writes, made of the tables that its readers use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dataware.core.events import MESSAGES, Level
from dataware.core.plan_shape import lock_schema, plan_schema
from dataware.ops.inputs.fleet_fields import fleet_schema
from dataware.ops.inputs.toml_fields import toml_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def events_schema() -> dict[str, Any]:
    """One line of `--format json`: an event, with the fields that its line shows."""
    variants = [
        {
            "if": {"properties": {"code": {"const": message.code}}},
            "then": {
                "properties": {
                    "level": {"const": message.level.value},
                    "data": {"required": sorted(message.fields)},
                }
            },
        }
        for message in MESSAGES.values()
    ]
    properties = {
        "time": {"type": "string", "format": "date-time"},
        "code": {"enum": list(MESSAGES)},
        "level": {"enum": [level.value for level in Level]},
        "text": {"type": "string"},
        "data": {"type": "object"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "allOf": variants,
    }


_SCHEMAS: Mapping[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "toml": ("dataware.toml", toml_schema),
    "fleet": ("fleet.toml", fleet_schema),
    "plan": ("plan file of dataware, version 1", plan_schema),
    "lock": ("dataware.lock.json, version 1", lock_schema),
    "events": ("one line of dataware --format json", events_schema),
}

NAMES = tuple(_SCHEMAS)
"""What has a schema."""


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of one of `NAMES`."""
    title, make = _SCHEMAS[name]
    return {"$schema": DRAFT, "title": title, **make()}


def schema_text(name: str) -> str:
    """The JSON Schema of one of `NAMES`, as its file holds it."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"
