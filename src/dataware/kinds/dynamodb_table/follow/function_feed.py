"""What a function in the account is given of a stream, and what it has to be allowed.

AWS Lambda Developer Guide, "Using Lambda with Amazon DynamoDB": the shape of an event, and the
permissions of an event source; Service Authorization Reference, Amazon DynamoDB: ListStreams is
granted for all streams or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.follow.following import FunctionFeed
from dataware.kinds.dynamodb_table.follow.keys import encode_key
from dataware.kinds.dynamodb_table.follow.stream_switch import find_stream


def read_record(record: Mapping[str, Any]) -> tuple[bytes, str]:
    """The key of a record, and its number. An event does not say which attribute comes first."""
    change = record["dynamodb"]
    return encode_key(change["Keys"], sorted(change["Keys"])), change["SequenceNumber"]


FUNCTION_FEED = FunctionFeed(
    read=("dynamodb:BatchGetItem",),
    write=("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem"),
    poll=("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    anywhere=("dynamodb:ListStreams",),
    feed_arn=lambda table: f"{table}/stream/*",
    find=find_stream,
    read_record=read_record,
)
