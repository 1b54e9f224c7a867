"""Sets on a restored table what a restore does not bring along, as its properties declare it.

"You must manually set up the following on the restored table": tags, stream, TTL, point in time
recovery, policies and scaling (Amazon DynamoDB API Reference, RestoreTableToPointInTime). Scaling
is no property of a table: it is the app's own resources, which their stack makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.core.errors import IncompleteError, NotFoundError
from dataware.core.ports import Aws
from dataware.core.tags import own_tags
from dataware.kinds.dynamodb_table.describe import list_tags, read_configuration

PAUSE_SECONDS = 1.0
ATTEMPTS = 600

Value = Any


@dataclass(frozen=True, slots=True)
class RepairStep:
    """One property: its name for people, what of it is declared, what stands, and how it is set."""

    name: str
    permission: str
    read: Callable[[Aws, str], Value]
    write: Callable[[Aws, str, Value], None]


def repair_table(aws: Aws, table: str, properties: Mapping[str, Any]) -> Sequence[str]:
    """Set what is declared and is not so yet; what was set. Raises IncompleteError, also on a stop.

    Raises LookupFailedError where a permission is missing.
    """
    written: list[str] = []
    for name, step in STEPS.items():
        wanted = DECLARED[name](properties)
        if wanted in (None, [], {}):
            continue
        if _is_set(step.read(aws, table), wanted):
            continue
        with aws.translate_errors(f"table {table}", step.permission):
            step.write(aws, table, wanted)
        _await(aws, table, step, wanted)
        written.append(step.name)
    return written


def _await(aws: Aws, table: str, step: RepairStep, wanted: Value) -> None:
    """Wait until it stands, and nothing of the table changes any more."""
    for _ in range(ATTEMPTS):
        if (
            _is_set(step.read(aws, table), wanted)
            and _describe(aws, table)["TableStatus"] == "ACTIVE"
        ):
            return
        aws.pause(PAUSE_SECONDS)
    raise IncompleteError(
        f"{step.name} of {table} is not as declared after {ATTEMPTS * PAUSE_SECONDS:.0f} s; run "
        "the same command again"
    )


def _is_set(live: Value, wanted: Value) -> bool:
    """Whether what stands is as declared; what the declaration leaves open has a default."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        return all(live.get(name) == value for name, value in wanted.items())
    return bool(live == wanted)


def _describe(aws: Aws, table: str) -> Mapping[str, Any]:
    with aws.translate_errors(f"table {table}", "dynamodb:DescribeTable"):
        return dict(aws.client("dynamodb").describe_table(TableName=table)["Table"])


def _property(name: str) -> Callable[[Aws, str], Value]:
    """How a property is read that `describe` reads, too."""
    return lambda aws, table: read_configuration(aws, table).properties.get(name)


def _read_tags(aws: Aws, table: str) -> Value:
    tags = list_tags(aws, table, _describe(aws, table)["TableArn"])
    return sorted(tags, key=lambda tag: tag["Key"])


def _write_tags(aws: Aws, table: str, tags: Value) -> None:
    arn = _describe(aws, table)["TableArn"]
    aws.client("dynamodb").tag_resource(ResourceArn=arn, Tags=tags)


def _write_recovery(aws: Aws, table: str, wanted: Value) -> None:
    aws.client("dynamodb").update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification=wanted
    )


def _write_expiry(aws: Aws, table: str, wanted: Value) -> None:
    aws.client("dynamodb").update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _write_stream(aws: Aws, table: str, wanted: Value) -> None:
    stream = {"StreamEnabled": True, "StreamViewType": wanted["StreamViewType"]}
    aws.client("dynamodb").update_table(TableName=table, StreamSpecification=stream)


def _write_protection(aws: Aws, table: str, wanted: Value) -> None:
    aws.client("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=wanted)


def _write_class(aws: Aws, table: str, wanted: Value) -> None:
    aws.client("dynamodb").update_table(TableName=table, TableClass=wanted)


def _read_insights(aws: Aws, table: str) -> Value:
    permission = "dynamodb:DescribeContributorInsights"
    with aws.translate_errors(f"table {table}", permission):
        answer = aws.client("dynamodb").describe_contributor_insights(TableName=table)
    return answer.get("ContributorInsightsStatus") in ("ENABLED", "ENABLING")


def _write_insights(aws: Aws, table: str, _wanted: Value) -> None:
    aws.client("dynamodb").update_contributor_insights(
        TableName=table, ContributorInsightsAction="ENABLE"
    )


def _read_policy(aws: Aws, table: str) -> Value:
    arn = _describe(aws, table)["TableArn"]
    try:
        with aws.translate_errors(f"table {table}", "dynamodb:GetResourcePolicy"):
            return json.loads(aws.client("dynamodb").get_resource_policy(ResourceArn=arn)["Policy"])
    except NotFoundError:
        return None


def _write_policy(aws: Aws, table: str, wanted: Value) -> None:
    arn = _describe(aws, table)["TableArn"]
    aws.client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=json.dumps(wanted))


def _declared_recovery(properties: Mapping[str, Any]) -> Value:
    declared = properties.get("PointInTimeRecoverySpecification") or {}
    return dict(declared) if declared.get("PointInTimeRecoveryEnabled") is True else None


def _read_recovery(aws: Aws, table: str) -> Value:
    return read_configuration(aws, table).properties.get("PointInTimeRecoverySpecification")


def _declared_expiry(properties: Mapping[str, Any]) -> Value:
    declared = properties.get("TimeToLiveSpecification") or {}
    if declared.get("Enabled") is not True:
        return None
    return {"AttributeName": declared["AttributeName"], "Enabled": True}


def _declared_stream(properties: Mapping[str, Any]) -> Value:
    declared = properties.get("StreamSpecification") or {}
    view = declared.get("StreamViewType")
    return {"StreamViewType": view} if view else None


def _declared_policy(properties: Mapping[str, Any]) -> Value:
    return (properties.get("ResourcePolicy") or {}).get("PolicyDocument")


DECLARED: Mapping[str, Callable[[Mapping[str, Any]], Value]] = {
    "tags": lambda it: sorted(own_tags(it.get("Tags") or ()), key=lambda tag: tag["Key"]),
    "class": lambda it: it.get("TableClass") if it.get("TableClass") != "STANDARD" else None,
    "recovery": _declared_recovery,
    "stream": _declared_stream,
    "expiry": _declared_expiry,
    "insights": lambda it: (
        (it.get("ContributorInsightsSpecification") or {}).get("Enabled") or None
    ),
    "policy": _declared_policy,
    "protection": lambda it: it.get("DeletionProtectionEnabled") or None,
}
"""What of each property is declared, in the form in which it is read; None for nothing."""

STEPS: Mapping[str, RepairStep] = {
    "tags": RepairStep("tags", "dynamodb:TagResource", _read_tags, _write_tags),
    "class": RepairStep(
        "table class", "dynamodb:UpdateTable", _property("TableClass"), _write_class
    ),
    "recovery": RepairStep(
        "point in time recovery",
        "dynamodb:UpdateContinuousBackups",
        _read_recovery,
        _write_recovery,
    ),
    "stream": RepairStep(
        "stream", "dynamodb:UpdateTable", _property("StreamSpecification"), _write_stream
    ),
    "expiry": RepairStep(
        "TTL",
        "dynamodb:UpdateTimeToLive",
        _property("TimeToLiveSpecification"),
        _write_expiry,
    ),
    "insights": RepairStep(
        "contributor insights",
        "dynamodb:UpdateContributorInsights",
        _read_insights,
        _write_insights,
    ),
    "policy": RepairStep(
        "resource policy", "dynamodb:PutResourcePolicy", _read_policy, _write_policy
    ),
    "protection": RepairStep(
        "deletion protection",
        "dynamodb:UpdateTable",
        _property("DeletionProtectionEnabled"),
        _write_protection,
    ),
}
"""What a restore does not bring along, in the order in which it is set."""
