"""The stream of a table: whether it is on, and how it is switched on and off.

Amazon DynamoDB API Reference, UpdateTable (StreamSpecification), DescribeTable (LatestStreamArn);
Developer Guide, "Change data capture for DynamoDB Streams": a stream that is switched on again is
another one, and the old one is readable for 24 hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.ports import Aws

PAUSE_SECONDS = 1.0
LONGEST_SECONDS = 600


def find_stream(aws: Aws, table: str) -> str | None:
    """The ARN of the stream that is on; None without one. Raises LookupFailedError."""
    described = describe_table(aws, table)
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        return None
    arn: str | None = described.get("LatestStreamArn")
    return arn


def enable_stream(aws: Aws, table: str) -> str:
    """Switch a stream of keys on, and wait until it can be read; its ARN.

    Raises LookupFailedError, also where the table has one already.
    """
    with aws.translate_errors(f"table {table}", "dynamodb:UpdateTable"):
        specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        aws.client("dynamodb").update_table(TableName=table, StreamSpecification=specification)
    for _ in range(LONGEST_SECONDS):
        described = describe_table(aws, table)
        arn: str | None = described.get("LatestStreamArn")
        if arn and described["TableStatus"] == "ACTIVE" and _is_readable(aws, arn):
            return arn
        aws.pause(PAUSE_SECONDS)
    raise LookupFailedError(
        f"the stream of table {table} was switched on but cannot be read after "
        f"{LONGEST_SECONDS} s; run the same command again later"
    )


def disable_stream(aws: Aws, table: str, stream: str) -> bool:
    """Switch off the stream of this ARN; False where another one is on, or none."""
    if find_stream(aws, table) != stream:
        return False
    with aws.translate_errors(f"table {table}", "dynamodb:UpdateTable"):
        aws.client("dynamodb").update_table(
            TableName=table, StreamSpecification={"StreamEnabled": False}
        )
    return True


def describe_table(aws: Aws, table: str) -> Mapping[str, Any]:
    """What DescribeTable says of a table."""
    with aws.translate_errors(f"table {table}", "dynamodb:DescribeTable"):
        described: Mapping[str, Any] = aws.client("dynamodb").describe_table(TableName=table)
    return described["Table"]  # type: ignore[no-any-return] # the SDK has no types


def _is_readable(aws: Aws, stream: str) -> bool:
    """Whether a stream is on and has its first shard, which no later one may be taken for."""
    with aws.translate_errors(f"stream {stream}", "dynamodb:DescribeStream"):
        answer = aws.client("dynamodbstreams").describe_stream(StreamArn=stream)
    described = answer["StreamDescription"]
    return described["StreamStatus"] == "ENABLED" and bool(described["Shards"])
