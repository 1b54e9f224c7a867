"""The card of AWS::Logs::LogGroup: looked at, kept, adopted or referenced; not copied.

A log group holds data when it holds any event that its retention has not ended. Events cannot be
carried over: PutLogEvents takes none that are older than 14 days or than the retention (Amazon
CloudWatch Logs API Reference, PutLogEvents).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    is_on,
    number_of,
    tags_form,
)
from dataware.core.errors import LookupFailedError, NotFoundError, ServiceError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Content, Existence, Facts, Problem, Setting, absent
from dataware.core.phases import ACCOUNT, DESCRIBE
from dataware.core.ports import Aws
from dataware.core.probing import find_content, problem_of
from dataware.core.tags import own_tags
from dataware.core.values import find_function, is_function

_DESCRIBE, _STREAMS = "logs:DescribeLogGroups", "logs:DescribeLogStreams"
_EVENTS, _TAGS = "logs:FilterLogEvents", "logs:ListTagsForResource"
_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_RESERVED = "aws/"
_PAGES = 20
"""Pages of events that are read to say how old the oldest one is: each may be empty."""

RETENTION = "RetentionInDays"
CLASS = "LogGroupClass"


def check_name(name: str) -> str | None:
    """What is wrong with a log group's name, or None.

    Source: Amazon CloudWatch Logs API Reference, CreateLogGroup.
    """
    if not _NAME.fullmatch(name):
        return "a log group's name has 1 to 512 letters, digits and -_/.#"
    if name.startswith(_RESERVED):
        return f"a log group's name may not begin with {_RESERVED}"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`."""
    try:
        group = _find_group(aws, name)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _DESCRIBE),))
    content, problems = _look_for_events(aws, name, group.get("retentionInDays"))
    return Facts(
        name,
        Existence.EXISTS,
        content,
        identity=str(group.get("creationTime")),
        settings=_settings(group.get("deletionProtectionEnabled", False), group.get("kmsKeyId")),
        problems=problems,
    )


def _find_group(aws: Aws, name: str) -> Mapping[str, Any]:
    """The log group of exactly this name: a listing gives every name that begins so.

    Raises NotFoundError and LookupFailedError.
    """
    what = f"log group {name}"
    with aws.translate_errors(what, _DESCRIBE):
        pages = aws.client("logs").get_paginator("describe_log_groups")
        for page in pages.paginate(logGroupNamePrefix=name):
            for group in page["logGroups"]:
                if group["logGroupName"] == name:
                    return dict(group)
    raise NotFoundError(f"{what} does not exist")


def _look_for_events(
    aws: Aws, name: str, retention: int | None
) -> tuple[Content, tuple[Problem, ...]]:
    """Whether there is an event: what a stream tells lags, so that only the events say "none"."""
    logs, what = aws.client("logs"), f"the log streams of log group {name}"
    problems: tuple[Problem, ...] = ()
    try:
        with aws.translate_errors(what, _STREAMS):
            newest_first = {"orderBy": "LastEventTime", "descending": True, "limit": 1}
            streams = logs.describe_log_streams(logGroupName=name, **newest_first)["logStreams"]
        if any(_is_kept(stream.get("lastEventTimestamp"), retention) for stream in streams):
            return Content.DATA, ()
    except (LookupFailedError, NotFoundError) as error:
        problems = (problem_of(error, _STREAMS),)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    content, more = find_content(aws, f"the events of log group {name}", _EVENTS, pages, "events")
    return content, (*problems, *more) if content is Content.UNKNOWN else more


def _is_kept(timestamp: int | None, retention: int | None) -> bool:
    """Whether an event of this time, in milliseconds, has not reached the end of its retention."""
    if timestamp is None:
        return False
    return retention is None or _age_in_days(timestamp) < retention


def _age_in_days(timestamp: int) -> float:
    then = datetime.fromtimestamp(timestamp / 1000, UTC)
    return (datetime.now(UTC) - then) / timedelta(days=1)


def _settings(protected: object, key: object) -> dict[str, Setting]:
    """How well events are protected; what is not literal is left out."""
    settings = {}
    if isinstance(protected, bool | str):
        on = is_on(protected)
        settings["deletion protection"] = Setting(int(on), "on" if on else "off")
    if key is None or isinstance(key, str):
        settings["encryption"] = (
            Setting(2, "own KMS key") if key else Setting(1, "key of the service")
        )
    return settings


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    Source: CloudFormation Template Reference, AWS::Logs::LogGroup.
    """
    protected = properties.get("DeletionProtectionEnabled", False)
    key = properties.get("KmsKeyId")
    is_literal = str(protected).lower() in {"true", "false"}
    return _settings(protected if is_literal else None, {} if is_function(key) else key)


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a log group as it is, and what cannot be read of them.

    Raises NotFoundError without the log group, and LookupFailedError where nothing of it is seen.
    """
    group = _find_group(aws, name)
    properties: dict[str, Any] = {
        RETENTION: group.get("retentionInDays"),
        CLASS: group.get("logGroupClass"),
        "KmsKeyId": group.get("kmsKeyId"),
        "DeletionProtectionEnabled": group.get("deletionProtectionEnabled"),
        "BearerTokenAuthenticationEnabled": group.get("bearerTokenAuthenticationEnabled"),
    }
    try:
        with aws.translate_errors(f"log group {name}", _TAGS):
            arn = group.get("logGroupArn") or group["arn"].removesuffix(":*")
            tags = aws.client("logs").list_tags_for_resource(resourceArn=arn)["tags"]
    except (LookupFailedError, NotFoundError) as error:
        return LiveConfiguration(properties, {"Tags": problem_of(error, _TAGS)})
    listed = ({"Key": key, "Value": value} for key, value in tags.items())
    return LiveConfiguration({**properties, "Tags": own_tags(listed)})


def find_shorter_retention(name: str, live: Any, declared: Any) -> str | None:
    """The events that a declared retention would delete and the live one does not.

    Source: Amazon CloudWatch Logs API Reference, PutRetentionPolicy (events that have reached their
    retention are deleted, which takes up to 72 hours).
    """
    if name != RETENTION or declared is None:
        return None
    try:
        days = number_of(declared)
    except (TypeError, ValueError):
        return "its declared retention cannot be read, and may delete events"
    if function := find_function(days):
        return f"its declared retention is computed ({function}), and may delete events"
    if live is not None and days >= int(live):
        return None
    return f"events are deleted after {days} {'day' if days == 1 else 'days'}"


def describe_oldest(aws: Aws, group: str, name: str, _live: Any, declared: Any) -> str:
    """How old the oldest event is that a declared retention would delete, if that can be seen."""
    if name != RETENTION or is_function(declared):
        return ""
    try:
        days = number_of(declared)
        before = datetime.now(UTC) - timedelta(days=days)
        oldest, is_whole = _find_oldest(aws, group, before)
    except (ServiceError, ArithmeticError, TypeError, ValueError):
        return ""
    if oldest is None:
        return "none of its events is that old now" if is_whole else ""
    age = int(_age_in_days(oldest))
    return (
        f"its oldest is {age:,} days old, of {datetime.fromtimestamp(oldest / 1000, UTC):%Y-%m-%d}"
    )


def _find_oldest(aws: Aws, group: str, before: datetime) -> tuple[int | None, bool]:
    """The time of the first event before a moment, and whether all pages were read for it.

    Events come oldest first, and a page may be empty (Amazon CloudWatch Logs API Reference,
    FilterLogEvents). Raises ServiceError.
    """
    with aws.translate_errors(f"the events of log group {group}", _EVENTS):
        until = int(before.timestamp() * 1000)
        query = {"logGroupName": group, "startTime": 0, "endTime": until}
        pages: Iterator[Mapping[str, Any]] = iter(
            aws.client("logs").get_paginator("filter_log_events").paginate(**query)
        )
        for page in islice(pages, _PAGES):
            if page["events"]:
                return int(page["events"][0]["timestamp"]), True
        return None, next(pages, None) is None


def _key(value: Any) -> Any:
    return "key of the service" if value is None else value


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        CLASS: lambda value: value or "STANDARD",
        RETENTION: number_of,
        "KmsKeyId": _key,
        "DeletionProtectionEnabled": lambda value: value if is_function(value) else is_on(value),
        "BearerTokenAuthenticationEnabled": (
            lambda value: value if is_function(value) else is_on(value)
        ),
        "Tags": tags_form,
    },
    # Amazon CloudWatch Logs User Guide, "Log classes": the class of a log group cannot be changed.
    is_fixed=lambda name, _live, _declared: name == CLASS,
    find_deletion=find_shorter_retention,
    count_deleted=describe_oldest,
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    """Its ARN, as `Fn::GetAtt` gives it, and without the end that tags are asked for.

    Source: Amazon CloudWatch Logs API Reference, LogGroup (`arn`, `logGroupArn`).
    """
    plain = f"arn:{partition}:logs:{region}:{account}:log-group:{name}"
    return (f"{plain}:*", plain)


KIND = Kind(
    cfn_type="AWS::Logs::LogGroup",
    names=Names("log-group", "CloudWatch log group", "log group", "log event", check_name),
    template=Template(
        identifier="LogGroupName",
        declared_settings=_declared_settings,
        protective=("DeletionProtectionEnabled", "KmsKeyId"),
        # CloudFormation Template Reference, AWS::Logs::LogGroup, LogGroupClass ("Updates are not
        # supported").
        unchangeable=(CLASS,),
    ),
    access=Permissions(
        phases={
            # A policy that names one log group does not allow a listing of those that begin so.
            ACCOUNT: (_DESCRIBE,),
            "probe": (_STREAMS, _EVENTS),
            # Beside its tags, what CloudFormation reads when it imports a log group.
            DESCRIBE: (
                _TAGS,
                "logs:GetDataProtectionPolicy",
                "logs:DescribeIndexPolicies",
                "logs:DescribeResourcePolicies",
            ),
            "create": (
                "logs:CreateLogGroup",
                "logs:PutRetentionPolicy",
                "logs:PutDataProtectionPolicy",
                "logs:PutIndexPolicy",
                "logs:PutLogGroupDeletionProtection",
                "logs:TagResource",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
