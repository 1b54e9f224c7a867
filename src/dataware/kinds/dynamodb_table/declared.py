"""What CloudFormation properties declare of a table: its keys, and what is wrong with them; pure.

Sources: CloudFormation Template Reference, AWS::DynamoDB::Table and AWS::DynamoDB::GlobalTable;
Amazon DynamoDB API Reference, CreateTable (its ValidationException for attributes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from dataware.core.allowed_values import list_wrong_words
from dataware.core.model import Facts
from dataware.core.values import find_function, is_function

INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
_ROLES, _TYPES = ("HASH", "RANGE"), ("S", "N", "B")
_PROJECTIONS = ("ALL", "INCLUDE", "KEYS_ONLY")

CHOICES = {
    "BillingMode": ("PAY_PER_REQUEST", "PROVISIONED"),
    "KeySchema.*.KeyType": _ROLES,
    "AttributeDefinitions.*.AttributeType": _TYPES,
    "TableClass": ("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
    "StreamSpecification.StreamViewType": (
        "KEYS_ONLY",
        "NEW_AND_OLD_IMAGES",
        "NEW_IMAGE",
        "OLD_IMAGE",
    ),
    **{f"{index}.*.KeySchema.*.KeyType": _ROLES for index in INDEXES},
    **{f"{index}.*.Projection.ProjectionType": _PROJECTIONS for index in INDEXES},
}

_KEY = re.compile(r"(.+?) \(([SNB])\)(?:, |$)")


def schema_text(keys: Sequence[Mapping[str, Any]], attributes: Sequence[Mapping[str, Any]]) -> str:
    """A key schema in words; raises KeyError where an attribute of it is not defined."""
    types = {each["AttributeName"]: each["AttributeType"] for each in attributes}
    ordered = sorted(keys, key=lambda key: key["KeyType"] != "HASH")
    return ", ".join(f"{key['AttributeName']} ({types[key['AttributeName']]})" for key in ordered)


def declared_schema(properties: Mapping[str, Any]) -> str | None:
    """The key schema that CloudFormation properties declare; None when it is not literal."""
    keys, attributes = properties.get("KeySchema"), properties.get("AttributeDefinitions")
    if not (_is_literal(keys, "KeyType") and _is_literal(attributes, "AttributeType")):
        return None
    try:
        return schema_text(keys, attributes) or None
    except KeyError:
        return None


def fixed_parts(properties: Mapping[str, Any]) -> Any:
    """The definitions of attributes by name, or the whole value where a name is not literal.

    CloudFormation Template Reference, AWS::DynamoDB::Table, AttributeDefinitions: "Replacement if
    you edit an existing AttributeDefinition"; definitions come and go with their indexes.
    """
    rows = properties.get("AttributeDefinitions")
    if not isinstance(rows, list):
        return [rows]
    named = {
        row["AttributeName"]: row
        for row in rows
        if isinstance(row, Mapping) and isinstance(row.get("AttributeName"), str)
    }
    return named if len(named) == len(rows) else rows


def list_problems(properties: Mapping[str, Any]) -> Iterator[str]:
    """What DynamoDB would refuse of literal properties."""
    yield from list_wrong_words(properties, CHOICES)
    attributes = properties.get("AttributeDefinitions")
    keys = list(_key_rows(properties))
    if not _is_literal(attributes, "AttributeType") or None in keys:
        return
    defined = {row["AttributeName"] for row in attributes}
    used = {name: where for where, name in filter(None, keys)}
    for name, where in used.items():
        if name not in defined:
            yield (
                f"{where} names the attribute {name}, which AttributeDefinitions does not define: "
                "add it there"
            )
    unused = sorted(defined - used.keys()) if "KeySchema" in properties else []
    for name in unused:
        yield (
            f"AttributeDefinitions defines {name}, which is not a key of the table or of an "
            "index: remove it, because DynamoDB takes keys only"
        )


def list_missing(properties: Mapping[str, Any]) -> Iterator[str]:
    """What a table cannot be created without, and is not declared."""
    if is_function(properties):
        return
    for name in ("KeySchema", "AttributeDefinitions"):
        if name not in properties:
            yield f"{name} is missing, without which a table cannot be created: add it"
    # CreateTable: "BillingMode … PROVISIONED" is the default, and takes ProvisionedThroughput.
    mode = properties.get("BillingMode", "PROVISIONED")
    if mode == "PROVISIONED" and "ProvisionedThroughput" not in properties:
        yield "BillingMode is PROVISIONED by default: add ProvisionedThroughput, or PAY_PER_REQUEST"


def list_missing_globally(properties: Mapping[str, Any]) -> Iterator[str]:
    """The same for a global table, whose capacity is declared in other words."""
    for missing in list_missing({"BillingMode": "PAY_PER_REQUEST", **properties}):
        if not missing.startswith("BillingMode"):
            yield missing
    if "Replicas" not in properties and not is_function(properties):
        yield "Replicas is missing, without which a global table cannot be created: add it"


def _key_rows(properties: Mapping[str, Any]) -> Iterator[tuple[str, str] | None]:
    """Where an attribute is a key, and its name; None for what is not literal."""
    if "KeySchema" in properties:
        yield from _names_in("KeySchema", properties["KeySchema"])
    for index in INDEXES:
        rows = properties.get(index, [])
        for row in rows if isinstance(rows, list) else [None]:
            keys = row.get("KeySchema") if isinstance(row, Mapping) else None
            yield from _names_in(f"{index}.KeySchema", keys)


def _names_in(where: str, keys: object) -> Iterator[tuple[str, str] | None]:
    if not _is_literal(keys, "KeyType"):
        yield None
        return
    for key in keys:
        yield where, key["AttributeName"]


def properties_like(facts: Facts) -> dict[str, Any]:
    """The properties of a table with the keys of one that was seen; empty if they were not."""
    keys = _KEY.findall(facts.schema or "")
    if not keys:
        return {}
    roles = zip(keys, _ROLES, strict=False)
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": letter} for name, letter in keys
        ],
        "KeySchema": [{"AttributeName": name, "KeyType": role} for (name, _), role in roles],
    }


def _is_literal(rows: object, field: str) -> TypeGuard[list[dict[str, str]]]:
    """Whether rows name an attribute and its `field` in literal texts."""
    return isinstance(rows, list) and all(
        isinstance(row, Mapping)
        and isinstance(row.get("AttributeName"), str)
        and isinstance(row.get(field), str)
        and find_function([row["AttributeName"], row[field]]) is None
        for row in rows
    )
