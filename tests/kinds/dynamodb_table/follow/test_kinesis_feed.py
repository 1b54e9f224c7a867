"""The feed of a Kinesis stream: every key, over splits and merges, and a gap where none tells."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from dataware.aws import Account
from dataware.aws.errors import translate_errors
from dataware.cli.transport import make_wire
from dataware.core.errors import IncompleteError, NotFoundError
from dataware.core.follow.feed import GapCause
from dataware.core.ports import Aws
from dataware.embedded import EmbeddedAws
from dataware.kinds.dynamodb_table.follow.following import FOLLOWING
from dataware.kinds.dynamodb_table.follow.keys import encode_key
from dataware.kinds.dynamodb_table.follow.kinesis_feed import (
    LONGEST_UNSEEN,
    KinesisFeed,
    find_destination,
)
from support.worlds import client, make_table

ARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/changes"


def key(value: dict[str, str]) -> bytes:
    """A key as the feed gives it."""
    return encode_key({"pk": value}, ("pk",))


class MemoryKinesis:
    """The clients of a table and its Kinesis stream; an Aws port of them alone."""

    def __init__(self) -> None:
        self.shards: dict[str, dict[str, Any]] = {"root": {"records": []}}
        self.status = "ACTIVE"
        self.hours = 24
        self.behind = 0
        self.empty = 0
        self.denied = False

    def client(self, _service: str) -> MemoryKinesis:
        """All clients are this."""
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As the real port does."""
        return translate_errors(what, permission)

    def put(self, shard: str, text: str, table: str = "table") -> None:
        """A change of a key."""
        change = {"tableName": table, "dynamodb": {"Keys": {"pk": {"S": text}}}}
        self.put_raw(shard, json.dumps(change).encode())

    def put_raw(self, shard: str, data: bytes) -> None:
        """Whatever somebody puts into the stream."""
        records = self.shards[shard]["records"]
        at = datetime.fromtimestamp(1000, UTC)
        records.append(
            {"SequenceNumber": str(len(records)), "Data": data, "ApproximateArrivalTimestamp": at}
        )

    def describe_table(self, **_arguments: Any) -> Any:
        """The key of the table."""
        return {"Table": {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}}

    def describe_kinesis_streaming_destination(self, **_arguments: Any) -> Any:
        """Where changes go."""
        if self.denied:
            answer = {"Error": {"Code": "AccessDeniedException"}}
            raise ClientError(
                {**answer, "ResponseMetadata": {"HTTPStatusCode": 400}}, "DescribeKinesis"
            )
        one = {"StreamArn": ARN, "DestinationStatus": self.status}
        return {"KinesisDataStreamDestinations": [one]}

    def describe_stream_summary(self, **_arguments: Any) -> Any:
        """How long records are kept."""
        return {"StreamDescriptionSummary": {"RetentionPeriodHours": self.hours}}

    def list_shards(self, **arguments: Any) -> Any:
        """One shard a page."""
        names = list(self.shards)
        at = int(arguments.get("NextToken", "0"))
        shard = self.shards[names[at]]
        span = {"StartingSequenceNumber": "0"}
        if shard.get("closed"):
            span["EndingSequenceNumber"] = "9"
        listed = {"ShardId": names[at], "SequenceNumberRange": span, **shard.get("parents", {})}
        more = {"NextToken": str(at + 1)} if at + 1 < len(names) else {}
        return {"Shards": [listed], **more}

    def get_shard_iterator(self, **arguments: Any) -> Any:
        """An iterator that says where it is."""
        after = arguments.get("StartingSequenceNumber")
        return {"ShardIterator": f"{arguments['ShardId']} {0 if after is None else int(after) + 1}"}

    def get_records(self, **arguments: Any) -> Any:
        """Two records a page, and empty ones before the end where `empty` says so."""
        name, at = arguments["ShardIterator"].split(" ")
        shard, start = self.shards[name], int(at)
        if self.empty:
            self.empty -= 1
            return {"Records": [], "NextShardIterator": f"{name} {start}", "MillisBehindLatest": 5}
        page = shard["records"][start : start + 2]
        end = start + len(page)
        answer = {"Records": page, "MillisBehindLatest": 0}
        if not (shard.get("closed") and end == len(shard["records"])):
            answer["NextShardIterator"] = f"{name} {end}"
        return answer


@pytest.fixture
def kinesis() -> MemoryKinesis:
    """A stream of one shard."""
    return MemoryKinesis()


def opened(kinesis: MemoryKinesis, position: Any = None, now: float = 1000.0) -> KinesisFeed:
    """A feed that is open."""
    feed = KinesisFeed(cast("Aws", kinesis), "table")
    feed.open(position, now)
    return feed


def test_every_key_of_the_table_comes_and_no_other(kinesis: MemoryKinesis) -> None:
    """A stream may serve other tables, and anybody may put something into it."""
    feed = opened(kinesis)
    for text in ("a", "b", "a", "c", "d"):
        kinesis.put("root", text)
        kinesis.put("root", "theirs", table="another")
        kinesis.put_raw("root", b"no record of DynamoDB")
    done = feed.poll(1001.0)
    assert done.keys == {key({"S": text}) for text in "abcd"}
    assert (done.whole, done.gaps, done.newest) == (True, (), 1000.0)
    assert feed.poll(1002.0).keys == frozenset()


def test_an_empty_page_is_no_end_while_the_end_is_not_reached(kinesis: MemoryKinesis) -> None:
    """As after many records that were trimmed, or in a stream at rest."""
    feed = opened(kinesis)
    kinesis.put("root", "a")
    kinesis.empty = 7
    assert feed.poll(1001.0).keys == {key({"S": "a"})}
    kinesis.empty = 10_000
    assert not feed.poll(1002.0).whole


def test_an_empty_page_that_does_not_say_how_far_it_is_ends_no_round(
    kinesis: MemoryKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that is lost on the way must not make a round whole that is not."""
    feed = opened(kinesis)
    whole = kinesis.get_records

    def get_records(**arguments: Any) -> Any:
        answer = whole(**arguments)
        return {name: part for name, part in answer.items() if name != "MillisBehindLatest"}

    monkeypatch.setattr(kinesis, "get_records", get_records)
    assert not feed.poll(1001.0).whole
    monkeypatch.undo()
    assert feed.poll(1002.0).whole


def test_splits_and_merges_are_followed_without_a_gap(kinesis: MemoryKinesis) -> None:
    """Every shard is read, whatever the order in which they are listed."""
    feed = opened(kinesis)
    kinesis.put("root", "a")
    kinesis.shards["root"]["closed"] = True
    for name in ("left", "right"):
        kinesis.shards[name] = {"records": [], "parents": {"ParentShardId": "root"}}
        kinesis.put(name, name)
    assert feed.poll(1001.0).gaps == ()
    for name in ("left", "right"):
        kinesis.shards[name]["closed"] = True
    parents = {"ParentShardId": "left", "AdjacentParentShardId": "right"}
    kinesis.shards["merged"] = {"records": [], "parents": parents}
    kinesis.put("merged", "m")
    done = feed.poll(1002.0)
    assert (done.keys, done.gaps) == ({key({"S": "m"})}, ())


@pytest.mark.parametrize("gone", ["left", "right"])
def test_a_parent_that_came_and_went_is_a_gap_whichever_of_the_two(
    kinesis: MemoryKinesis, gone: str
) -> None:
    """A merged shard has two, and one of them was never read."""
    feed = opened(kinesis)
    feed.poll(1001.0)
    kinesis.shards["root"]["closed"] = True
    stays = "right" if gone == "left" else "left"
    kinesis.shards[stays] = {"records": [], "closed": True, "parents": {"ParentShardId": "root"}}
    parents = {"ParentShardId": "left", "AdjacentParentShardId": "right"}
    kinesis.shards["merged"] = {"records": [], "parents": parents}
    (gap,) = feed.poll(1002.0).gaps
    assert (gap.cause, gap.shard) == (GapCause.PARENT_NOT_READ, "merged")


def test_who_has_not_looked_for_minutes_cannot_know_and_reports_a_gap(
    kinesis: MemoryKinesis,
) -> None:
    """A destination that was switched off and on meanwhile has the same stream."""
    feed = opened(kinesis)
    position = feed.poll(1001.0).position
    soon = 1001.0 + LONGEST_UNSEEN - 1
    assert opened(kinesis, position, soon).poll(soon).gaps == ()
    later = soon + 2
    (gap,) = opened(kinesis, position, later).poll(later).gaps
    assert gap.cause is GapCause.AWAY_TOO_LONG
    assert feed.poll(later).gaps[0].cause is GapCause.AWAY_TOO_LONG
    assert feed.poll(later + 1).gaps == ()


@pytest.mark.parametrize(("hours", "causes"), [(24, 2), (168, 1)])
def test_how_long_a_reader_may_be_away_depends_on_the_stream(
    kinesis: MemoryKinesis, hours: int, causes: int
) -> None:
    """Its retention is between a day and a year."""
    kinesis.hours = hours
    position = opened(kinesis).poll(1001.0).position
    later = 1001.0 + 23 * 3600
    assert len(opened(kinesis, position, later).poll(later).gaps) == causes


@pytest.mark.parametrize("raw", [b"\x12\x02\x08\x7b", b"abcd", b"", b"\xff" * 9])
def test_a_binary_key_is_found_whether_it_is_encoded_once_or_twice(
    kinesis: MemoryKinesis, raw: bytes
) -> None:
    """Real streams encode it twice."""
    feed = opened(kinesis)
    once = b64encode(raw).decode()
    twice = b64encode(once.encode()).decode()
    for number, text in enumerate((once, twice), 1):
        change = {"tableName": "table", "dynamodb": {"Keys": {"pk": {"B": text}}}}
        kinesis.put_raw("root", json.dumps(change).encode())
        assert key({"B": once}) in feed.poll(1000.0 + number).keys


def test_a_destination_that_is_off_is_no_feed_and_ends_one(kinesis: MemoryKinesis) -> None:
    """Nor is one that a reader may not look for: both sides are compared then."""
    feed = opened(kinesis)
    kinesis.status = "DISABLED"
    with pytest.raises(IncompleteError, match="was switched off"):
        feed.poll(1001.0)
    with pytest.raises(NotFoundError):
        opened(kinesis)
    kinesis.status, kinesis.denied = "ACTIVE", True
    assert find_destination(cast("Aws", kinesis), "table") is None


def test_changes_come_by_the_stream_of_an_emulated_destination(aws_server: EmbeddedAws) -> None:
    """By the real clients; a table without a stream of its own is followed by it."""
    make_table("followed")
    name = f"changes-{uuid4().hex[:8]}"
    streams = client("kinesis")
    streams.create_stream(StreamName=name, ShardCount=2)
    streams.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    arn = streams.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    tables = client("dynamodb")
    account = Account.open(make_wire)
    assert FOLLOWING.find_feed(account, "followed") is None
    tables.enable_kinesis_streaming_destination(TableName="followed", StreamArn=arn)
    assert FOLLOWING.find_feed(account, "followed") == arn
    feed = FOLLOWING.make_feed(account, "followed")
    feed.open(None, time.time())
    for text in "abc":
        tables.put_item(TableName="followed", Item={"pk": {"S": text}})
    tables.delete_item(TableName="followed", Key={"pk": {"S": "a"}})
    done = feed.poll(time.time())
    assert done.keys == {key({"S": text}) for text in "abc"}
    assert (done.whole, done.gaps) == (True, ())
    tables.put_item(TableName="followed", Item={"pk": {"S": "d"}})
    again = FOLLOWING.make_feed(account, "followed")
    again.open(done.position, time.time())
    assert again.poll(time.time()).keys == {key({"S": "d"})}
    (shard, *_) = streams.list_shards(StreamARN=arn)["Shards"]
    streams.split_shard(
        StreamName=name,
        ShardToSplit=shard["ShardId"],
        NewStartingHashKey=str(int(shard["HashKeyRange"]["EndingHashKey"]) // 2),
    )
    # The emulator drops a shard that is split, with what was not read of it.
    causes = {gap.cause for gap in again.poll(time.time()).gaps}
    assert GapCause.OPEN_SHARD_GONE in causes
