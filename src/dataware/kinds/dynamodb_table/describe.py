"""The CloudFormation properties of a table as it is, so that another one can be made like it.

Sources: Amazon DynamoDB API Reference, TableDescription; CloudFormation Template Reference,
AWS::DynamoDB::Table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dataware.core.comparison import LiveConfiguration
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import DescribedProperties
from dataware.core.model import Problem
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags

PERMISSIONS = (
    "dynamodb:DescribeTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:ListTagsOfResource",
)
NOT_ASKED = "auto scaling, a resource policy, contributor insights and streams to Kinesis"
_UNLIMITED = -1


def describe_properties(aws: Aws, name: str) -> DescribedProperties:
    """What CloudFormation needs to make a table like this one.

    Raises NotFoundError, and LookupFailedError for any part that is not seen: what is left out
    unseen would make the other table weaker.
    """
    table = _describe_table(aws, name)
    properties = _own_properties(table)
    for part in _PARTS.values():
        properties |= part(aws, name, table)
    return DescribedProperties(properties, tuple(_left_out(table)))


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a table as it is, and what cannot be read of them.

    Raises NotFoundError without the table, and LookupFailedError where nothing of it is seen.
    """
    table = _describe_table(aws, name)
    properties = _own_properties(table)
    unread: dict[str, Problem] = {}
    for (name_of_property, permission), part in _PARTS.items():
        try:
            properties |= part(aws, name, table)
        except (LookupFailedError, NotFoundError) as error:
            unread[name_of_property] = problem_of(error, permission)
    return LiveConfiguration(properties, unread)


def read_global_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The same of a global table, with the regions that it has replicas in.

    Raises as `read_configuration` does.
    """
    live = read_configuration(aws, name)
    others = [one["RegionName"] for one in _describe_table(aws, name).get("Replicas") or ()]
    replicas = [{"Region": region} for region in sorted({*others, aws.region})]
    return replace(live, properties={**live.properties, "Replicas": replicas})


def _describe_table(aws: Aws, name: str) -> Mapping[str, Any]:
    with aws.translate_errors(f"table {name}", "dynamodb:DescribeTable"):
        return dict(aws.client("dynamodb").describe_table(TableName=name)["Table"])


def _own_properties(table: Mapping[str, Any]) -> dict[str, Any]:
    """What the table itself says, without another call."""
    return {
        **_capacity(table, _is_on_demand(table)),
        "BillingMode": "PAY_PER_REQUEST" if _is_on_demand(table) else "PROVISIONED",
        "AttributeDefinitions": list(table["AttributeDefinitions"]),
        "KeySchema": list(table["KeySchema"]),
        **dict(_indexes(table)),
        **dict(_settings(table)),
    }


def _is_on_demand(table: Mapping[str, Any]) -> bool:
    """A table that was always provisioned has no summary (API Reference, BillingModeSummary)."""
    return (table.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST"


def _capacity(part: Mapping[str, Any], on_demand: bool) -> dict[str, Any]:
    """The throughput of a table or of a global index."""
    if on_demand:
        limits = part.get("OnDemandThroughput") or {}
        limits_set = {name: limit for name, limit in limits.items() if limit != _UNLIMITED}
        return {"OnDemandThroughput": limits_set} if limits_set else {}
    units = part.get("ProvisionedThroughput") or {}
    names = ("ReadCapacityUnits", "WriteCapacityUnits")
    return {"ProvisionedThroughput": {name: int(units[name]) for name in names if name in units}}


def _indexes(table: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        rows = [
            {
                "IndexName": index["IndexName"],
                "KeySchema": list(index["KeySchema"]),
                "Projection": dict(index["Projection"]),
                **(_capacity(index, _is_on_demand(table)) if name.startswith("Global") else {}),
            }
            for index in table.get(name) or ()
        ]
        if rows:
            yield name, rows


def _settings(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    kind = (table.get("TableClassSummary") or {}).get("TableClass", "STANDARD")
    if kind != "STANDARD":
        yield "TableClass", kind
    stream = table.get("StreamSpecification") or {}
    if stream.get("StreamEnabled"):
        yield "StreamSpecification", {"StreamViewType": stream["StreamViewType"]}
    encryption = table.get("SSEDescription") or {}
    if encryption.get("SSEType") == "KMS":
        key = encryption.get("KMSMasterKeyArn")
        yield (
            "SSESpecification",
            {"SSEEnabled": True, "SSEType": "KMS", **({"KMSMasterKeyId": key} if key else {})},
        )
    if table.get("DeletionProtectionEnabled"):
        yield "DeletionProtectionEnabled", True


def _recovery(aws: Aws, name: str, _table: Mapping[str, Any]) -> dict[str, Any]:
    with aws.translate_errors(f"table {name}", "dynamodb:DescribeContinuousBackups"):
        answer = aws.client("dynamodb").describe_continuous_backups(TableName=name)
    backups = answer["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription") or {}
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return {}
    days = recovery.get("RecoveryPeriodInDays")
    period = {"RecoveryPeriodInDays": days} if days else {}
    return {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True, **period}}


def _expiry(aws: Aws, name: str, _table: Mapping[str, Any]) -> dict[str, Any]:
    with aws.translate_errors(f"table {name}", "dynamodb:DescribeTimeToLive"):
        answer = aws.client("dynamodb").describe_time_to_live(TableName=name)
    expiry = answer["TimeToLiveDescription"]
    if expiry.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        return {}
    named = {"AttributeName": expiry["AttributeName"], "Enabled": True}
    return {"TimeToLiveSpecification": named}


def _tags(aws: Aws, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    tags = list_tags(aws, name, table["TableArn"])
    return {"Tags": tags} if tags else {}


def list_tags(aws: Aws, name: str, arn: str) -> list[dict[str, str]]:
    """All tags that people have set, over every page."""
    client = aws.client("dynamodb")
    tags: list[dict[str, str]] = []
    more: dict[str, str] = {}
    cursor = PageCursor("ListTagsOfResource", f"the tags of table {name}")
    while True:
        with aws.translate_errors(f"the tags of table {name}", "dynamodb:ListTagsOfResource"):
            page = client.list_tags_of_resource(ResourceArn=arn, **more)
        tags += own_tags(page["Tags"])
        if not page.get("NextToken") or page["NextToken"] == more.get("NextToken"):
            return tags
        more = {"NextToken": page["NextToken"]}
        cursor.advance(page["NextToken"])


def _left_out(table: Mapping[str, Any]) -> Iterator[str]:
    if replicas := [one["RegionName"] for one in table.get("Replicas") or ()]:
        yield f"its replicas in {', '.join(replicas)}: declare an AWS::DynamoDB::GlobalTable"
    if (table.get("SSEDescription") or {}).get("SSEType") == "KMS":
        yield "KMSMasterKeyId has to go if it is the key alias/aws/dynamodb of AWS"
    yield f"{NOT_ASKED}, which dataware does not read"


_PARTS: Mapping[tuple[str, str], Callable[[Aws, str, Mapping[str, Any]], dict[str, Any]]] = {
    (
        "PointInTimeRecoverySpecification",
        "dynamodb:DescribeContinuousBackups",
    ): _recovery,
    ("TimeToLiveSpecification", "dynamodb:DescribeTimeToLive"): _expiry,
    ("Tags", "dynamodb:ListTagsOfResource"): _tags,
}
"""What takes a call of its own: the property with the action that shows it."""
