"""Sets on a restored table what a restore does not bring along, as its properties declare it.

"You must manually set up the following on the restored table": tags, stream, TTL, point in time
recovery, policies and scaling (Amazon DynamoDB API Reference, RestoreTableToPointInTime). The same
is done for what nobody promises: class, warm throughput, contributor insights of the table and of
each index, and a stream of Kinesis. Scaling is no property of a table: it is the app's own
resources, which their stack makes. A template may have numbers and truths as texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.core.errors import (
    IncompleteError,
    LookupFailedError,
    NotFoundError,
    ServiceError,
)
from dataware.core.ports import Aws
from dataware.core.tags import own_tags
from dataware.kinds.dynamodb_table.describe import list_tags, read_configuration

PAUSE_SECONDS = 1.0
ATTEMPTS = 600

Value = Any

ALL_KEYS = "ACCESSED_AND_THROTTLED_KEYS"
"""The mode of contributor insights that holds without one."""

PRECISION = "ApproximateCreationDateTimePrecision"

OPTIONAL = frozenset({"Version", "Id", "Sid"})
"""Parts of a policy that a service may add, and that allow and deny nothing."""


def _is_set(live: Value, wanted: Value) -> bool:
    """Whether what stands is as declared; what the declaration leaves open has a default."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        return all(live.get(name) == value for name, value in wanted.items())
    return bool(live == wanted)


def _is_warm(live: Value, wanted: Value) -> bool:
    """Whether a table is as warm as declared; it may be warmer, and is never made colder."""
    return all(int(live.get(name) or 0) >= value for name, value in wanted.items())


def _is_among(live: Value, wanted: Value) -> bool:
    """Whether all that is declared is there; others may have set more."""
    return set(wanted) <= set(live)


def _is_on(value: Value) -> bool:
    """Whether a property of a template is true, also as a text."""
    return str(value).lower() == "true"


@dataclass(frozen=True, slots=True)
class RepairStep:
    """One property: its name for people, what of it is declared, what stands, and how it is set."""

    name: str
    permission: str
    read: Callable[[Aws, str], Value]
    write: Callable[[Aws, str, Value], None]
    is_enough: Callable[[Value, Value], bool] = _is_set


def repair_table(aws: Aws, table: str, properties: Mapping[str, Any]) -> Sequence[str]:
    """Set what is declared and is not so yet; what was set. Raises IncompleteError, also on a stop.

    Raises LookupFailedError where a permission is missing.
    """
    written: list[str] = []
    for name, step in STEPS.items():
        wanted = DECLARED[name](properties)
        if wanted in (None, [], {}):
            continue
        if step.is_enough(step.read(aws, table), wanted):
            continue
        try:
            with aws.translate_errors(f"table {table}", step.permission):
                step.write(aws, table, wanted)
        except ServiceError:
            # The SDK asks again where no answer came, and what stands by then may be refused.
            if not _stands(aws, table, step, wanted):
                raise
        _await(aws, table, step, wanted)
        written.append(step.name)
    return written


def _stands(aws: Aws, table: str, step: RepairStep, wanted: Value) -> bool:
    """Whether something is as declared, as far as it can be read."""
    try:
        return step.is_enough(step.read(aws, table), wanted)
    except ServiceError:
        return False


def _await(aws: Aws, table: str, step: RepairStep, wanted: Value) -> None:
    """Wait until it stands, and nothing of the table changes any more."""
    for _ in range(ATTEMPTS):
        if (
            step.is_enough(step.read(aws, table), wanted)
            and _describe(aws, table)["TableStatus"] == "ACTIVE"
        ):
            return
        aws.pause(PAUSE_SECONDS)
    raise IncompleteError(
        f"{step.name} of {table} is not as declared after {ATTEMPTS * PAUSE_SECONDS:.0f} s; run "
        "the same command again"
    )


def _describe(aws: Aws, table: str) -> Mapping[str, Any]:
    with aws.translate_errors(f"table {table}", "dynamodb:DescribeTable"):
        return dict(aws.client("dynamodb").describe_table(TableName=table)["Table"])


def _property(name: str) -> Callable[[Aws, str], Value]:
    """How a property is read that `describe` reads, too; what cannot be read is not absent."""

    def read(aws: Aws, table: str) -> Value:
        live = read_configuration(aws, table)
        if problem := live.unread.get(name):
            raise LookupFailedError(f"cannot read {name} of table {table}: {problem}", problem)
        return live.properties.get(name)

    return read


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
    """The mode of the table, as "", and of each index where they are on."""
    insights: set[tuple[str, str]] = set()
    indexes = _describe(aws, table).get("GlobalSecondaryIndexes") or ()
    for index in ("", *(one["IndexName"] for one in indexes)):
        with aws.translate_errors(f"table {table}", "dynamodb:DescribeContributorInsights"):
            answer = aws.client("dynamodb").describe_contributor_insights(
                TableName=table, **({"IndexName": index} if index else {})
            )
        if answer.get("ContributorInsightsStatus") in ("ENABLED", "ENABLING"):
            mode = answer.get("ContributorInsightsMode", ALL_KEYS)
            insights |= {(index, mode), (index, "")}
    return insights


def _write_insights(aws: Aws, table: str, wanted: Value) -> None:
    for index, mode in wanted:
        more = {**({"IndexName": index} if index else {})}
        more |= {"ContributorInsightsMode": mode} if mode else {}
        aws.client("dynamodb").update_contributor_insights(
            TableName=table, ContributorInsightsAction="ENABLE", **more
        )


def _read_destinations(aws: Aws, table: str) -> Value:
    """The streams of Kinesis that get the changes of a table."""
    permission = "dynamodb:DescribeKinesisStreamingDestination"
    with aws.translate_errors(f"table {table}", permission):
        answer = aws.client("dynamodb").describe_kinesis_streaming_destination(TableName=table)
    return {
        part
        for one in answer["KinesisDataStreamDestinations"]
        if one["DestinationStatus"] == "ACTIVE"
        for part in ((one["StreamArn"], one.get(PRECISION, "")), (one["StreamArn"], ""))
    }


def _write_destinations(aws: Aws, table: str, wanted: Value) -> None:
    for stream, precision in wanted:
        more = {PRECISION: precision} if precision else {}
        aws.client("dynamodb").enable_kinesis_streaming_destination(
            TableName=table,
            StreamArn=stream,
            **({"EnableKinesisStreamingConfiguration": more} if more else {}),
        )


def _read_class(aws: Aws, table: str) -> Value:
    return (_describe(aws, table).get("TableClassSummary") or {}).get("TableClass", "STANDARD")


def _read_warm_throughput(aws: Aws, table: str) -> Value:
    return _describe(aws, table).get("WarmThroughput") or {}


def _write_warm_throughput(aws: Aws, table: str, wanted: Value) -> None:
    live = _read_warm_throughput(aws, table)
    units = {name: max(value, int(live.get(name) or 0)) for name, value in wanted.items()}
    aws.client("dynamodb").update_table(TableName=table, WarmThroughput=units)


def _policy_of(part: str) -> Callable[[Aws, str], Value]:
    """How the policy of a table, or of its stream, is read."""

    def read(aws: Aws, table: str) -> Value:
        arn = _describe(aws, table).get(part)
        if arn is None:
            return None
        try:
            with aws.translate_errors(f"table {table}", "dynamodb:GetResourcePolicy"):
                answer = aws.client("dynamodb").get_resource_policy(ResourceArn=arn)
        except NotFoundError:
            return None
        return json.loads(answer["Policy"])

    return read


def _put_policy_of(part: str) -> Callable[[Aws, str, Value], None]:
    def write(aws: Aws, table: str, wanted: Value) -> None:
        arn = _describe(aws, table)[part]
        aws.client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=json.dumps(wanted))

    return write


def _is_same_policy(live: Value, wanted: Value) -> bool:
    """Whether two policies say the same, however their lists and accounts are written.

    AWS writes an account as the ARN of its root (AWS IAM User Guide, "AWS JSON policy elements:
    Principal"), and one value for a list of one.
    """
    return live is not None and _normalize(live) == _normalize(wanted)


def _normalize(value: Value, name: str = "") -> Value:
    if isinstance(value, Mapping):
        return {key: _normalize(one, key) for key, one in value.items() if key not in OPTIONAL}
    if isinstance(value, list):
        parts = sorted((_normalize(one, name) for one in value), key=repr)
        return parts[0] if len(parts) == 1 else parts
    text = str(value)
    root = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):root", text)
    return root[1] if root and name == "AWS" else text


def _declared_recovery(properties: Mapping[str, Any]) -> Value:
    declared = properties.get("PointInTimeRecoverySpecification") or {}
    if not _is_on(declared.get("PointInTimeRecoveryEnabled")):
        return None
    days = declared.get("RecoveryPeriodInDays")
    period = {"RecoveryPeriodInDays": int(days)} if days else {}
    return {"PointInTimeRecoveryEnabled": True, **period}


def _declared_expiry(properties: Mapping[str, Any]) -> Value:
    declared = properties.get("TimeToLiveSpecification") or {}
    if not _is_on(declared.get("Enabled")):
        return None
    return {"AttributeName": declared["AttributeName"], "Enabled": True}


def _declared_stream(properties: Mapping[str, Any]) -> Value:
    declared = properties.get("StreamSpecification") or {}
    view = declared.get("StreamViewType")
    return {"StreamViewType": view} if view else None


def _declared_policy(properties: Mapping[str, Any]) -> Value:
    return (properties.get("ResourcePolicy") or {}).get("PolicyDocument")


def _declared_insights(properties: Mapping[str, Any]) -> Value:
    """The index, "" for the table itself, with the mode; "" for whichever."""
    parts = [("", properties)]
    parts += [(one["IndexName"], one) for one in properties.get("GlobalSecondaryIndexes") or ()]
    declared = [(name, one.get("ContributorInsightsSpecification") or {}) for name, one in parts]
    return [(name, one.get("Mode", "")) for name, one in declared if _is_on(one.get("Enabled"))]


def _declared_destinations(properties: Mapping[str, Any]) -> Value:
    declared = properties.get("KinesisStreamSpecification") or {}
    arn = declared.get("StreamArn")
    return [(arn, declared.get(PRECISION, ""))] if arn else None


def _declared_warm_throughput(properties: Mapping[str, Any]) -> Value:
    return {name: int(units) for name, units in (properties.get("WarmThroughput") or {}).items()}


DECLARED: Mapping[str, Callable[[Mapping[str, Any]], Value]] = {
    "tags": lambda it: sorted(own_tags(it.get("Tags") or ()), key=lambda tag: tag["Key"]),
    "class": lambda it: it.get("TableClass") or "STANDARD",
    "recovery": _declared_recovery,
    "stream": _declared_stream,
    "expiry": _declared_expiry,
    "insights": _declared_insights,
    "policy": _declared_policy,
    "stream policy": lambda it: _declared_policy(it.get("StreamSpecification") or {}),
    "destinations": _declared_destinations,
    "warm throughput": _declared_warm_throughput,
    "protection": lambda it: _is_on(it.get("DeletionProtectionEnabled")) or None,
}
"""What of each property is declared, in the form in which it is read; None for nothing."""

STEPS: Mapping[str, RepairStep] = {
    "tags": RepairStep("tags", "dynamodb:TagResource", _read_tags, _write_tags),
    "class": RepairStep("table class", "dynamodb:UpdateTable", _read_class, _write_class),
    "recovery": RepairStep(
        "point in time recovery",
        "dynamodb:UpdateContinuousBackups",
        _property("PointInTimeRecoverySpecification"),
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
        _is_among,
    ),
    "policy": RepairStep(
        "resource policy",
        "dynamodb:PutResourcePolicy",
        _policy_of("TableArn"),
        _put_policy_of("TableArn"),
        _is_same_policy,
    ),
    "stream policy": RepairStep(
        "resource policy of the stream",
        "dynamodb:PutResourcePolicy",
        _policy_of("LatestStreamArn"),
        _put_policy_of("LatestStreamArn"),
        _is_same_policy,
    ),
    "destinations": RepairStep(
        "stream to Kinesis",
        "dynamodb:EnableKinesisStreamingDestination",
        _read_destinations,
        _write_destinations,
        _is_among,
    ),
    "warm throughput": RepairStep(
        "warm throughput",
        "dynamodb:UpdateTable",
        _read_warm_throughput,
        _write_warm_throughput,
        _is_warm,
    ),
    "protection": RepairStep(
        "deletion protection",
        "dynamodb:UpdateTable",
        _property("DeletionProtectionEnabled"),
        _write_protection,
    ),
}
"""What a restore does not bring along, in the order in which it is set."""
