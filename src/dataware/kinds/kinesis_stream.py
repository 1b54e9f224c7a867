"""The card of AWS::Kinesis::Stream: kept, adopted or referenced by its name; not copied.

A stream holds data when a record can be read from it: the shards are read from their oldest record
on, each until it shows one or its end. Consumers cannot be told of other sequence numbers, so
nothing is copied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    number_of,
    tags_form,
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import (
    NOT_ASKED,
    Content,
    Existence,
    Facts,
    Problem,
    Setting,
    absent,
)
from dataware.core.page_cursor import PageCursor
from dataware.core.phases import DESCRIBE
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags
from dataware.core.values import find_function, is_function

_SUMMARY, _SHARDS = "kinesis:DescribeStreamSummary", "kinesis:ListShards"
_ITERATOR, _RECORDS = "kinesis:GetShardIterator", "kinesis:GetRecords"
_TAGS = "kinesis:ListTagsForStream"
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
MOST_READS = 500
"""Pages of records that are read before it counts as unknown whether there is one: pages may be
empty, and a shard gives five a second (Amazon Kinesis Data Streams API Reference, GetRecords)."""

RETENTION = "RetentionPeriodHours"


def check_name(name: str) -> str | None:
    """What is wrong with a stream's name, or None.

    Source: Amazon Kinesis Data Streams API Reference, CreateStream, `StreamName`.
    """
    if not _NAME.fullmatch(name):
        return "a stream's name has 1 to 128 letters, digits and _.-"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`."""
    try:
        summary = _describe(aws, name)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _SUMMARY),))
    content, problems = _look_for_records(aws, name)
    deleting = summary.get("StreamStatus") == "DELETING"
    return Facts(
        name,
        Existence.EXISTS,
        content,
        identity=str(summary.get("StreamCreationTimestamp")),
        settings=_settings(summary.get("EncryptionType") or "NONE"),
        problems=problems,
        obstacle="is being deleted: wait until it is gone, and run again" if deleting else "",
    )


def _describe(aws: Aws, name: str) -> Mapping[str, Any]:
    with aws.translate_errors(f"stream {name}", _SUMMARY):
        answer = aws.client("kinesis").describe_stream_summary(StreamName=name)
    summary: Mapping[str, Any] = answer["StreamDescriptionSummary"]
    return summary


def _look_for_records(aws: Aws, name: str) -> tuple[Content, tuple[Problem, ...]]:
    """Whether some shard holds a record that its retention has not ended."""
    kinesis = aws.client("kinesis")
    what, reads = f"the records of stream {name}", 0
    try:
        with aws.translate_errors(what, _SHARDS):
            pages = kinesis.get_paginator("list_shards").paginate(StreamName=name)
            shards = [shard["ShardId"] for page in pages for shard in page["Shards"]]
        for shard in shards:
            with aws.translate_errors(what, _ITERATOR):
                iterator = kinesis.get_shard_iterator(
                    StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
            while iterator:
                if reads == MOST_READS:
                    detail = f"{MOST_READS} pages of its records were empty, and there are more"
                    return Content.UNKNOWN, (Problem("GetRecords", NOT_ASKED, None, detail),)
                reads += 1
                with aws.translate_errors(what, _RECORDS):
                    page = kinesis.get_records(ShardIterator=iterator, Limit=1)
                if page["Records"]:
                    return Content.DATA, ()
                is_end = page.get("MillisBehindLatest") == 0
                iterator = None if is_end else page.get("NextShardIterator")
    except (LookupFailedError, NotFoundError) as error:
        return Content.UNKNOWN, (problem_of(error, _RECORDS),)
    return Content.EMPTY, ()


def _settings(encryption: object) -> dict[str, Setting]:
    """How well records are protected; what is not literal is left out."""
    if not isinstance(encryption, str):
        return {}
    return {"encryption": Setting(int(encryption == "KMS"), encryption)}


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    Source: CloudFormation Template Reference, AWS::Kinesis::Stream, `StreamEncryption`.
    """
    encryption = properties.get("StreamEncryption") or {"EncryptionType": "NONE"}
    if is_function(encryption) or not isinstance(encryption, Mapping):
        return {}
    return _settings(encryption.get("EncryptionType"))


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a stream as it is.

    Raises NotFoundError without the stream, and LookupFailedError where nothing of it is seen.
    """
    summary = _describe(aws, name)
    metrics = [
        one for each in summary.get("EnhancedMonitoring", ()) for one in each["ShardLevelMetrics"]
    ]
    encryption = {
        "EncryptionType": summary.get("EncryptionType") or "NONE",
        "KeyId": summary.get("KeyId"),
    }
    properties: dict[str, Any] = {
        RETENTION: summary["RetentionPeriodHours"],
        "ShardCount": summary.get("OpenShardCount"),
        "StreamModeDetails": summary.get("StreamModeDetails"),
        "StreamEncryption": encryption,
        "DesiredShardLevelMetrics": metrics,
        "MaxRecordSizeInKiB": summary.get("MaxRecordSizeInKiB"),
    }
    try:
        return LiveConfiguration({**properties, "Tags": own_tags(_list_tags(aws, name))})
    except (LookupFailedError, NotFoundError) as error:
        return LiveConfiguration(properties, {"Tags": problem_of(error, _TAGS)})


def _list_tags(aws: Aws, name: str) -> list[Mapping[str, str]]:
    """All tags, in pages that begin after the last key.

    Source: Amazon Kinesis Data Streams API Reference, ListTagsForStream.
    """
    tags: list[Mapping[str, str]] = []
    query: dict[str, str] = {"StreamName": name}
    cursor = PageCursor("ListTagsForStream", f"the tags of stream {name}")
    with aws.translate_errors(f"stream {name}", _TAGS):
        while True:
            page = aws.client("kinesis").list_tags_for_stream(**query)
            tags += page["Tags"]
            if not (page.get("HasMoreTags") and page["Tags"]):
                return tags
            query["ExclusiveStartTagKey"] = page["Tags"][-1]["Key"]
            cursor.advance(query["ExclusiveStartTagKey"])


def find_shorter_retention(name: str, live: Any, declared: Any) -> str | None:
    """The records that a declared retention would delete and the live one does not.

    Source: Amazon Kinesis Data Streams API Reference, DecreaseStreamRetentionPeriod (older records
    are not accessible at once).
    """
    if name != RETENTION or declared is None:
        return None
    if function := find_function(declared):
        return f"its declared retention is computed ({function}), and may delete records"
    if live is not None and int(declared) >= int(live):
        return None
    return f"records are deleted after {int(declared):,} hours"


def _mode(value: Any) -> Any:
    mode = (value or {}).get("StreamMode")
    return mode if is_function(mode) else (mode or "PROVISIONED")


def _encryption(value: Any) -> dict[str, Any]:
    value = value or {}
    key = value.get("KeyId")
    named = {"KeyId": str(key).rpartition("/")[2]} if isinstance(key, str) else {}
    if key is not None and not isinstance(key, str):
        named = {"KeyId": key}
    return {"EncryptionType": value.get("EncryptionType") or "NONE", **named}


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        RETENTION: number_of,
        "ShardCount": number_of,
        "StreamModeDetails": _mode,
        "StreamEncryption": _encryption,
        "DesiredShardLevelMetrics": lambda value: sorted(map(str, value or ())),
        "MaxRecordSizeInKiB": number_of,
        "Tags": tags_form,
    },
    find_deletion=find_shorter_retention,
    # CloudFormation Template Reference, AWS::Kinesis::Stream ("The default value is 24").
    defaults={RETENTION: 24},
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:kinesis:{region}:{account}:stream/{name}",)


KIND = Kind(
    cfn_type="AWS::Kinesis::Stream",
    names=Names("kinesis-stream", "Kinesis stream", "stream", "record", check_name),
    template=Template(
        identifier="Name",
        declared_settings=_declared_settings,
        protective=("StreamEncryption",),
    ),
    access=Permissions(
        phases={
            "probe": (_SUMMARY, _SHARDS, _ITERATOR, _RECORDS),
            # Beside its tags, what CloudFormation reads when it imports a stream.
            DESCRIBE: (_SUMMARY, _TAGS, "kinesis:ListTagsForResource"),
            "create": (
                "kinesis:CreateStream",
                "kinesis:AddTagsToStream",
                "kinesis:IncreaseStreamRetentionPeriod",
                "kinesis:StartStreamEncryption",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
