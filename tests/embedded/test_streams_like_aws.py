"""The embedded streams have the shards, gaps and expiries of AWS.

Each test guards a difference that the emulator alone would show. Where nothing is to be forgotten,
nothing is: only one test has a server on which hours pass in seconds.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.embedded import EmbeddedAws, StreamSettings

KEY = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


ITERATOR_SECONDS = 600.0
PATIENCE = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server that keeps its records, and looks often for items that expired."""
    settings = StreamSettings(shard_records=10, iterator_seconds=ITERATOR_SECONDS, ttl_seconds=0.2)
    with EmbeddedAws(streams=settings) as server:
        yield server


@pytest.fixture
def forgetful() -> Iterator[EmbeddedAws]:
    """A server on which hours pass in seconds."""
    with EmbeddedAws(streams=StreamSettings(shard_records=10, stream_seconds=2)) as server:
        yield server


class TableStream:
    """A table with its stream, over the SDK."""

    def __init__(self, server: EmbeddedAws) -> None:
        environ = server.environ()
        options = {
            "endpoint_url": server.endpoint,
            "region_name": server.region,
            "aws_access_key_id": environ["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": "test",
        }
        self.table, self.streams = (
            boto3.client(name, **options) for name in ("dynamodb", "dynamodbstreams")
        )
        self.name = f"T{uuid4().hex}"
        self.table.create_table(TableName=self.name, StreamSpecification=ON, **KEY)
        self.arn = self.table.describe_table(TableName=self.name)["Table"]["LatestStreamArn"]

    def put(self, start: int, stop: int) -> None:
        """New items."""
        for number in range(start, stop):
            self.table.put_item(TableName=self.name, Item={"pk": {"S": f"k{number}"}})

    def pages(self) -> list[list[dict[str, Any]]]:
        """The shards, page by page."""
        pages, start = [], {}
        while True:
            answer = self.streams.describe_stream(StreamArn=self.arn, **start)["StreamDescription"]
            pages.append(answer["Shards"])
            if "LastEvaluatedShardId" not in answer:
                return pages
            start = {"ExclusiveStartShardId": answer["LastEvaluatedShardId"]}

    def shards(self) -> list[dict[str, Any]]:
        """Every shard."""
        return [shard for page in self.pages() for shard in page]

    def iterator(self, shard: str, sort: str = "TRIM_HORIZON", **more: str) -> str:
        """An iterator."""
        answer = self.streams.get_shard_iterator(
            StreamArn=self.arn, ShardId=shard, ShardIteratorType=sort, **more
        )
        return str(answer["ShardIterator"])

    def read(self, shard: str) -> tuple[list[dict[str, Any]], bool]:
        """The records of a shard by small pages, and whether its end was reached."""
        records, at = [], self.iterator(shard)
        while True:
            page = self.streams.get_records(ShardIterator=at, Limit=4)
            records += page["Records"]
            if "NextShardIterator" not in page:
                return records, True
            if not page["Records"] and page["NextShardIterator"]:
                return records, False
            at = page["NextShardIterator"]


@pytest.fixture
def stream(server: EmbeddedAws) -> TableStream:
    """A table of its own."""
    return TableStream(server)


def _refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_shards_end_split_and_name_their_parents_in_pages_without_order(
    stream: TableStream,
) -> None:
    """Every record lies in one shard; a closed one has an end, and children."""
    stream.put(0, 47)
    assert len(stream.pages()) > 1
    shards = stream.shards()
    ids = [shard["ShardId"] for shard in shards]
    assert ids != sorted(ids)
    parents = {shard["ShardId"]: shard.get("ParentShardId") for shard in shards}
    assert [parent for parent in parents.values() if parent is None] == [None]
    assert {parent for parent in parents.values() if parent} < set(ids)
    found = []
    for shard in shards:
        records, ended = stream.read(shard["ShardId"])
        found += records
        assert ended == ("EndingSequenceNumber" in shard["SequenceNumberRange"])
        assert ended == (shard["ShardId"] in parents.values())
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in found]
    assert sorted(keys) == sorted(f"k{number}" for number in range(47))
    answer = stream.streams.describe_stream(
        StreamArn=stream.arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": min(ids)}
    )
    assert len(answer["StreamDescription"]["Shards"]) == 2


def read_in_time(stream: TableStream) -> tuple[int, str]:
    """The number of a record that was read before it was forgotten, and how many were written."""
    for written in range(1, 100):
        stream.put(written - 1, written)
        for shard in stream.shards():
            records, _ = stream.read(shard["ShardId"])
            if records:
                return written, str(records[-1]["dynamodb"]["SequenceNumber"])
    raise AssertionError("every record was forgotten at once")


def test_what_is_trimmed_is_gone_with_its_shards_and_a_number_before_it_is_refused(
    forgetful: EmbeddedAws,
) -> None:
    """Who was away for long sees shards whose parents it never read."""
    stream = TableStream(forgetful)
    written, number = read_in_time(stream)
    first = {shard["ShardId"] for shard in stream.shards()}
    stream.put(written, written + 30)
    shards, until = stream.shards(), time.monotonic() + PATIENCE
    # What was written slowly is forgotten bit by bit.
    while first & {shard.get(name) for shard in shards for name in ("ShardId", "ParentShardId")}:
        assert time.monotonic() < until
        time.sleep(0.1)
        shards = stream.shards()
    assert all(shard["ParentShardId"] for shard in shards)
    newest = shards[0]["ShardId"]
    more = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}
    iterate = stream.streams.get_shard_iterator
    refused = _refusal(iterate, StreamArn=stream.arn, ShardId=newest, **more)
    assert refused == "TrimmedDataAccessException"
    gone = _refusal(
        iterate, StreamArn=stream.arn, ShardId=min(first), ShardIteratorType="TRIM_HORIZON"
    )
    assert gone == "ResourceNotFoundException"


def aged(iterator: str, seconds: float) -> str:
    """An iterator as it would be had it been handed out so much earlier."""
    token = json.loads(base64.urlsafe_b64decode(iterator))
    token["i"] -= seconds
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode()


def test_an_iterator_expires_and_a_new_one_after_the_last_number_misses_nothing(
    stream: TableStream,
) -> None:
    """The records that came meanwhile are read by the new one."""
    stream.put(0, 3)
    shard = stream.shards()[0]["ShardId"]
    page = stream.streams.get_records(ShardIterator=stream.iterator(shard))
    stream.put(3, 5)
    at = page["NextShardIterator"]
    younger, expired = aged(at, ITERATOR_SECONDS / 2), aged(at, ITERATOR_SECONDS + 1)
    assert len(stream.streams.get_records(ShardIterator=younger)["Records"]) == 2
    refused = _refusal(stream.streams.get_records, ShardIterator=expired)
    assert refused == "ExpiredIteratorException"
    last = page["Records"][-1]["dynamodb"]["SequenceNumber"]
    again = stream.iterator(shard, "AFTER_SEQUENCE_NUMBER", SequenceNumber=last)
    assert len(stream.streams.get_records(ShardIterator=again)["Records"]) == 2


def test_a_stream_that_is_on_is_not_switched_on_again(stream: TableStream) -> None:
    """Off and on again makes another stream; the old one is closed and stays readable."""
    switch = stream.table.update_table
    refused = _refusal(switch, TableName=stream.name, StreamSpecification=ON)
    assert refused == "ValidationException"
    stream.put(0, 3)
    switch(TableName=stream.name, StreamSpecification={"StreamEnabled": False})
    time.sleep(0.01)
    switch(TableName=stream.name, StreamSpecification=ON)
    table = stream.table.describe_table(TableName=stream.name)["Table"]
    assert table["LatestStreamArn"] != stream.arn
    records, ended = stream.read(stream.shards()[0]["ShardId"])
    assert (len(records), ended) == (3, True)
    described = stream.streams.describe_stream(StreamArn=stream.arn)["StreamDescription"]
    assert described["StreamStatus"] == "DISABLED"


def test_an_item_that_expires_leaves_a_record_and_one_that_expired_long_ago_stays(
    stream: TableStream,
) -> None:
    """The record says that the service deleted it; five years are the limit."""
    setting = {"Enabled": True, "AttributeName": "end"}
    stream.table.update_time_to_live(TableName=stream.name, TimeToLiveSpecification=setting)
    now = int(time.time())
    ends = {"now": now - 5, "later": now + 9000, "long-ago": now - 6 * 365 * 86400, "none": "x"}
    for name, end in ends.items():
        value = {"S": end} if isinstance(end, str) else {"N": str(end)}
        item = {"pk": {"S": name}, "end": value}
        stream.table.put_item(TableName=stream.name, Item=item)
    until, removed = time.monotonic() + PATIENCE, list[Any]()
    while not removed and time.monotonic() < until:
        records, _ = stream.read(stream.shards()[0]["ShardId"])
        removed = [record for record in records if record["eventName"] == "REMOVE"]
        time.sleep(0.1)
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in removed] == ["now"]
    assert removed[0]["userIdentity"]["PrincipalId"] == "dynamodb.amazonaws.com"
    left = stream.table.scan(TableName=stream.name)["Items"]
    assert sorted(item["pk"]["S"] for item in left) == ["later", "long-ago", "none"]
