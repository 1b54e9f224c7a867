"""How a table as it is compares with its template before a stack adopts it.

Sources: CloudFormation Template Reference, AWS::DynamoDB::Table and AWS::DynamoDB::GlobalTable
("Update requires" of their properties; for LocalSecondaryIndex "Updates are not supported");
Amazon DynamoDB Developer Guide, "Using time to live (TTL) in DynamoDB".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataware.core.comparison import ConfigurationComparison, is_on, number_of, rules_of, tags_form
from dataware.core.errors import ServiceError
from dataware.core.ports import Aws
from dataware.core.values import find_function, is_function
from dataware.kinds.dynamodb_table.describe import read_configuration

EXPIRY = "TimeToLiveSpecification"
FIXED = ("KeySchema", "LocalSecondaryIndexes")
_PAGE = 1000
_FIVE_YEARS = 5 * 365 * 24 * 3600
"""DynamoDB leaves items whose time is longer ago than that (Developer Guide, "Using time to live
(TTL) in DynamoDB")."""


def _keys(value: Any) -> list[list[Any]]:
    rows = [[row["AttributeName"], row["KeyType"]] for row in rules_of(value or [])]
    return sorted(rows, key=lambda row: bool(row[1] != "HASH"))


def _attributes(value: Any) -> dict[str, Any]:
    return {row["AttributeName"]: row["AttributeType"] for row in rules_of(value or [])}


def _indexes(value: Any) -> list[list[Any]]:
    """Indexes by name; their throughput follows that of the table, or scales by itself."""
    rows = [
        [row["IndexName"], _keys(row.get("KeySchema")), _projection(row.get("Projection") or {})]
        for row in rules_of(value or [])
    ]
    return sorted(rows, key=str)


def _projection(value: Mapping[str, Any]) -> list[Any]:
    names = value.get("NonKeyAttributes") or []
    return [value.get("ProjectionType"), names if is_function(names) else sorted(names, key=str)]


def _capacity(value: Any) -> list[Any]:
    value = value or {}
    return [number_of(value.get(name)) for name in ("ReadCapacityUnits", "WriteCapacityUnits")]


def _stream(value: Any) -> Any:
    return (value or {}).get("StreamViewType") or "off"


def _encryption(value: Any) -> Any:
    """Whether a KMS key is used; which one, an alias does not tell."""
    return _switch((value or {}).get("SSEEnabled"))


def _recovery(value: Any) -> Any:
    return _switch((value or {}).get("PointInTimeRecoveryEnabled"))


def _switch(value: Any) -> Any:
    return value if is_function(value) else is_on(value)


def _expiry(value: Any) -> Any:
    """The attribute by which items expire."""
    value = value or {}
    on = _switch(value.get("Enabled"))
    if is_function(value) or is_function(on):
        raise TypeError(value)
    return value.get("AttributeName") if on else "off"


def find_expiry(name: str, live: Any, declared: Any) -> str | None:
    """The items that a declared time to live would delete and the live one does not."""
    if name != EXPIRY or declared is None or live == declared:
        return None
    try:
        wants = _expiry(declared)
        if wants == "off" or wants == _expiry(live):
            return None
    except (AttributeError, TypeError, ValueError):
        return "its declared time to live cannot be read, and may expire items"
    function = find_function(wants)
    return f"items expire by {function or wants}, without a date that keeps them"


def count_expired(aws: Aws, table: str, name: str, _live: Any, declared: Any) -> str:
    """How many of the first items have expired already, if that can be seen."""
    if name != EXPIRY:
        return ""
    now = int(time.time())
    try:
        attribute = _expiry(declared)
        if not isinstance(attribute, str):
            return ""
        with aws.translate_errors(f"table {table}", "dynamodb:Scan"):
            page = aws.client("dynamodb").scan(
                TableName=table,
                Limit=_PAGE,
                ProjectionExpression="#expires",
                FilterExpression="#expires BETWEEN :then AND :now",
                ExpressionAttributeNames={"#expires": attribute},
                ExpressionAttributeValues={
                    ":then": {"N": str(now - _FIVE_YEARS)},
                    ":now": {"N": str(now)},
                },
            )
    except (ServiceError, AttributeError, TypeError, ValueError):
        return ""
    among = (
        f"the first {page['ScannedCount']:,}"
        if "LastEvaluatedKey" in page
        else (f"its {page['ScannedCount']:,}")
    )
    return f"{page['Count']:,} of {among} items have expired already"


def is_fixed(name: str, live: Any, declared: Any) -> bool:
    """Whether DynamoDB cannot change a property: its keys, and the type of an attribute."""
    if name == "AttributeDefinitions":
        shared = live.keys() & declared.keys()
        return any(live[one] != declared[one] for one in shared)
    return name in FIXED


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "KeySchema": _keys,
        "LocalSecondaryIndexes": _indexes,
        "AttributeDefinitions": _attributes,
        EXPIRY: _expiry,
        "GlobalSecondaryIndexes": _indexes,
        "BillingMode": lambda value: value or "PROVISIONED",
        "ProvisionedThroughput": _capacity,
        "StreamSpecification": _stream,
        "SSESpecification": _encryption,
        "PointInTimeRecoverySpecification": _recovery,
        "DeletionProtectionEnabled": _switch,
        "TableClass": lambda value: value or "STANDARD",
        "Tags": tags_form,
    },
    is_fixed=is_fixed,
    # A table that has such an index cannot lose it, whatever its template leaves out.
    even_undeclared=("LocalSecondaryIndexes",),
    find_deletion=find_expiry,
    count_deleted=count_expired,
)

_OF_REPLICAS = (
    "PointInTimeRecoverySpecification",
    "DeletionProtectionEnabled",
    "TableClass",
    "Tags",
    "ProvisionedThroughput",
)
"""What a global table declares for each replica, and not for the whole."""

COMPARISON_OF_GLOBAL_TABLES = replace(
    COMPARISON,
    forms={name: form for name, form in COMPARISON.forms.items() if name not in _OF_REPLICAS},
)
