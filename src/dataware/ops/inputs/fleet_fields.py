"""The fields of a `fleet.toml`: what the reader takes, and what an editor completes.

Each field stands here once, with its JSON Schema. The reader knows the fields by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.fleet.waves import MAX_CONCURRENT

_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
_TEXTS: Mapping[str, Any] = {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}
_TABLE: Mapping[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}


def _field(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, **schema}


_SHARED: Mapping[str, Mapping[str, Any]] = {
    "region": _field("Region of the target.", **_TEXT),
    "regions": _field("Regions of the target, which is one for each of them.", **_TEXTS),
    "profile": _field("Profile of the AWS configuration, in place of the command's.", **_TEXT),
    "external_id": _field("External id that the trust policy of the role asks for.", **_TEXT),
    "parameters": _field("Parameters of the app's template.", **_TABLE),
    "stack": _field("Stack of the app, or the stack that the template describes.", **_TEXT),
}

TARGET: Mapping[str, Mapping[str, Any]] = {
    "name": _field("Name in messages, matrix and --target.", **_TEXT),
    "account": _field(
        "The account, which the credentials have to be of.", pattern=r"^\d{12}$", **_TEXT
    ),
    **_SHARED,
    "role": _field("Role to assume there, by name or ARN.", **_TEXT),
    "tags": _field("Tags for --tag.", **_TABLE),
}
"""The fields of a `[[target]]`."""

ORGANIZATION: Mapping[str, Mapping[str, Any]] = {
    **_SHARED,
    "profile": _field("Profile that may list the accounts, in place of the command's.", **_TEXT),
    "role": _field("Role to assume in every account, by name.", **_TEXT),
    "tags": _field("Tags that an account has to have.", **_TABLE),
    "exclude": _field("Accounts that are left out.", **_TEXTS),
}
"""The fields of `[organization]`."""

WAVES: Mapping[str, Mapping[str, Any]] = {
    "canary": _field("Target that is applied first and alone; by default the first one.", **_TEXT),
    "max_concurrent": _field(
        "Targets that are applied at once.", type="integer", minimum=1, default=MAX_CONCURRENT
    ),
    "tolerance": _field(
        "Targets that may fail before no further wave begins.", type="integer", minimum=0, default=0
    ),
}
"""The fields of `[waves]`."""


def fleet_schema() -> dict[str, Any]:
    """A `fleet.toml` as a JSON Schema."""
    where = [{"required": ["region"]}, {"required": ["regions"]}]
    return {
        "type": "object",
        "properties": {
            "waves": _table(WAVES),
            "target": {
                "type": "array",
                "minItems": 1,
                "items": {**_table(TARGET, "name", "account"), "oneOf": where},
            },
            "organization": {**_table(ORGANIZATION, "role"), "oneOf": where},
        },
        "anyOf": [{"required": ["target"]}, {"required": ["organization"]}],
        "additionalProperties": False,
    }


def _table(fields: Mapping[str, Mapping[str, Any]], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in fields.items()},
        **({"required": list(required)} if required else {}),
        "additionalProperties": False,
    }
