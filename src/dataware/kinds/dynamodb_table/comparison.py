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
from dataware.kinds.dynamodb_table.describe import (
    read_configuration,
    read_global_configuration,
)

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


def _encryption(value: Any) -> dict[str, Any]:
    """Whether a KMS key is used, and which one; an alias does not tell."""
    value = value or {}
    key = value.get("KMSMasterKeyId")
    is_comparable = isinstance(key, str) and "alias/" not in key
    named = (
        {"KMSMasterKeyId": key.rpartition("/")[2]} if isinstance(key, str) and is_comparable else {}
    )
    return {"SSEEnabled": _switch(value.get("SSEEnabled")), **named}


def _recovery(value: Any) -> dict[str, Any]:
    value = value or {}
    days = value.get("RecoveryPeriodInDays")
    period = {} if days is None else {"RecoveryPeriodInDays": number_of(days)}
    return {
        "PointInTimeRecoveryEnabled": _switch(value.get("PointInTimeRecoveryEnabled")),
        **period,
    }


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
    if wants is None:
        return "its declared time to live names no attribute, and may expire items"
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
    # Imported data is read once, when a table is made.
    not_live=("ImportSourceSpecification",),
    left_out={
        "GlobalSecondaryIndexes": (
            "ContributorInsightsSpecification",
            "OnDemandThroughput",
            "ProvisionedThroughput",
            "WarmThroughput",
        ),
        "StreamSpecification": ("ResourcePolicy",),
    },
)

_OF_REPLICAS = (
    "PointInTimeRecoverySpecification",
    "DeletionProtectionEnabled",
    "TableClass",
    "Tags",
)
"""What a global table declares for each replica, and not for the whole."""


def declare_in_region(declared: Mapping[str, Any], region: str) -> Mapping[str, Any]:
    """The properties of a global table, with those of the replica in one region."""
    replicas = declared.get("Replicas")
    rows = replicas if isinstance(replicas, list) else []
    own = [row for row in rows if isinstance(row, Mapping) and row.get("Region") == region]
    return {**declared, **{name: row[name] for row in own for name in _OF_REPLICAS if name in row}}


def _regions(value: Any) -> list[Any]:
    regions = [row["Region"] for row in rules_of(value or [])]
    if find_function(regions):
        raise TypeError(value)
    return sorted(regions)


def find_gone(name: str, live: Any, declared: Any) -> str | None:
    """What a declared global table would delete: replicas that it does not name, and old items."""
    if name != "Replicas":
        return find_expiry(name, live, declared)
    try:
        gone = sorted({*_regions(live)} - {*_regions(declared)})
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return f"the replicas in {', '.join(map(str, gone))} are deleted" if gone else None


COMPARISON_OF_GLOBAL_TABLES = replace(
    COMPARISON,
    read=read_global_configuration,
    forms={
        **{
            name: form for name, form in COMPARISON.forms.items() if name != "ProvisionedThroughput"
        },
        "Replicas": _regions,
    },
    find_deletion=find_gone,
    in_region=declare_in_region,
    not_live=(),
    left_out={
        "GlobalSecondaryIndexes": (
            "ReadOnDemandThroughputSettings",
            "ReadProvisionedThroughputSettings",
            "WarmThroughput",
            "WriteOnDemandThroughputSettings",
            "WriteProvisionedThroughputSettings",
        ),
        # The settings of the replica in the stack's own region are compared.
        "Replicas": (
            "ContributorInsightsSpecification",
            "GlobalSecondaryIndexes",
            "GlobalTableSettingsReplicationMode",
            "KinesisStreamSpecification",
            "ReadOnDemandThroughputSettings",
            "ReadProvisionedThroughputSettings",
            "ReplicaStreamSpecification",
            "ResourcePolicy",
            "SSESpecification",
        ),
    },
)
