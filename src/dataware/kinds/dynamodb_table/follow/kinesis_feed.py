"""Kinesis Data Streams for DynamoDB as a feed of keys: an existing destination of a table.

Amazon DynamoDB Developer Guide, "Using Kinesis Data Streams to capture changes to DynamoDB":
records may come twice and in any order, and one stream may serve several tables. Amazon Kinesis
Data Streams API Reference: ListShards (a shard that was merged has two parents), GetShardIterator,
GetRecords ("MillisBehindLatest: zero indicates all records are processed"; an empty page while it
is not zero is not the end). A number that was trimmed is not refused: the shard is read from its
horizon then, so only the time that a reader was away shows a gap.

The binary value of a record is Base64 twice, but for emulators, where it is Base64 once. Both
readings of a binary key are taken for changed: one too many costs a read.

A destination that was switched off and on keeps the same stream, and nothing reports that. It
takes minutes, so who has not looked for `LONGEST_UNSEEN` cannot know, and reports a gap.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from dataware.core.errors import IncompleteError, LookupFailedError, NotFoundError
from dataware.core.follow.feed import FeedRound, Gap, GapCause
from dataware.core.follow.shards import ListedShard, StreamReading, begin_reading
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.keys import encode_key, name_keys
from dataware.kinds.dynamodb_table.follow.stream_feed import FeedPage, StreamFeed
from dataware.kinds.dynamodb_table.follow.stream_switch import describe_table

LONGEST_UNSEEN = 120.0
MARGIN_SECONDS = 4 * 3600.0
"""How long before the end of a stream's retention records count as trimmed."""

PAGES = 1000
"""Empty pages of a shard that are read in one round while its end is not reached."""

ON = frozenset({"ACTIVE", "UPDATING"})
NOT_OFFERED = frozenset({"UnknownOperationException", "InvalidAction"})
"""What a service answers that has no such destinations."""


def find_destination(aws: Aws, table: str) -> str | None:
    """The ARN of the stream that gets the changes of a table; None without one, or if not allowed
    to look.

    Raises LookupFailedError.
    """
    permission = "dynamodb:DescribeKinesisStreamingDestination"
    try:
        with aws.translate_errors(f"table {table}", permission):
            client = aws.client("dynamodb")
            answer = client.describe_kinesis_streaming_destination(TableName=table)
    except LookupFailedError as error:
        code = error.code
        if error.lacks_permission or code in NOT_OFFERED:
            return None
        raise
    destinations = answer.get("KinesisDataStreamDestinations", ())
    return next((one["StreamArn"] for one in destinations if one["DestinationStatus"] in ON), None)


class KinesisFeed(StreamFeed):
    """The ChangeFeed port over the Kinesis stream of a table; one thread at a time."""

    _looked: float | None = None

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Go on after `position`, or begin with None. Raises NotFoundError without a stream."""
        self._iterators.clear()
        stream = find_destination(self._aws, self._table)
        if stream is None:
            raise NotFoundError(f"table {self._table} has no Kinesis stream that is on")
        self._names = name_keys(describe_table(self._aws, self._table)["KeySchema"])
        self._longest_away = self._find_retention(stream) - MARGIN_SECONDS
        if position is not None:
            self._reading = StreamReading.from_json(position)
            self._looked = self._reading.whole_at
            return position
        self._looked = now
        self._reading = begin_reading(stream, self._list_shards(stream)[1], now)
        return self._reading.to_json()

    def poll(self, now: float) -> FeedRound:
        """The keys of the records that came since the last round, of every shard."""
        since, unseen = self._reading.whole_at, self._looked
        done = super().poll(now)
        self._looked = now
        if unseen is not None and abs(now - unseen) > LONGEST_UNSEEN:
            return done.with_gap(Gap(GapCause.AWAY_TOO_LONG, since))
        return done

    def _read_shard(self, name: str, now: float, done: FeedPage) -> None:
        for _ in range(PAGES):
            if done.records >= self._records:
                break
            page = self._read_page(name, done)
            records, following = page["Records"], page.get("NextShardIterator")
            for record in records:
                self._take(record, done)
            last = records[-1]["SequenceNumber"] if records else None
            self._advance(name, last, following, now)
            done.records += len(records)
            behind = page.get("MillisBehindLatest")
            if following is None or (behind == 0 and not records):
                return
            if behind is None and not records:
                break  # nothing says that this is the end
        done.whole = False

    def _take(self, record: Mapping[str, Any], done: FeedPage) -> None:
        """The key of a record of this table; what somebody else put into the stream is none."""
        try:
            change = json.loads(record["Data"])
            is_ours = change["tableName"] == self._table.rpartition("/")[2]
            keys = change["dynamodb"]["Keys"]
        except (ValueError, KeyError, TypeError):
            return
        if is_ours:
            done.keys.update(_read_keys(keys, self._names))
            if (at := record.get("ApproximateArrivalTimestamp")) is not None:
                done.times.append(at.timestamp())

    def _ask_iterator(self, name: str, **start: str) -> str:
        number = start.pop("SequenceNumber", None)
        more = {"StartingSequenceNumber": number} if number else {}
        with self._aws.translate_errors(self._what, "kinesis:GetShardIterator"):
            answer = self._kinesis.get_shard_iterator(
                StreamARN=self._reading.stream, ShardId=name, **start, **more
            )
        return str(answer["ShardIterator"])

    def _get_records(self, iterator: str) -> Mapping[str, Any]:
        with self._aws.translate_errors(self._what, "kinesis:GetRecords"):
            page: Mapping[str, Any] = self._kinesis.get_records(ShardIterator=iterator)
        return page

    def _find_shards(self) -> tuple[str, Sequence[ListedShard]]:
        stream = find_destination(self._aws, self._table)
        if stream is None:
            raise IncompleteError(
                f"the Kinesis stream of table {self._table} was switched off, so changes are "
                "missed: switch it on and run the same command again, which compares both sides"
            )
        return stream, self._list_shards(stream)[1]

    def _list_shards(self, stream: str) -> tuple[str, Sequence[ListedShard]]:
        """Every shard of every page, each with the parent by which changes may be missing."""
        rows = [one for page in self._shard_pages(stream) for one in page["Shards"]]
        listed = {one["ShardId"] for one in rows}
        shards = []
        for one in rows:
            closed = "EndingSequenceNumber" in one.get("SequenceNumberRange", {})
            parent, other = self._find_parents(one, listed)
            shards.append(ListedShard(one["ShardId"], parent, closed, other))
        return "ENABLED", shards

    def _find_parents(
        self, shard: Mapping[str, Any], listed: set[str]
    ) -> tuple[str | None, str | None]:
        """The parents of a shard; of a merged one first the one that was not read, if any."""
        parents = [shard.get("ParentShardId"), shard.get("AdjacentParentShardId")]
        there = [parent for parent in parents if parent]
        shards = self._reading.shards
        unread = [
            parent
            for parent in there
            if parent not in listed and (parent not in shards or shards[parent].ended is None)
        ]
        first = next(iter([*unread, *there]), None)
        return first, next((parent for parent in there if parent != first), None)

    def _shard_pages(self, stream: str) -> Iterator[Mapping[str, Any]]:
        cursor = PageCursor("ListShards", self._what)
        start: dict[str, str] = {"StreamARN": stream}
        while True:
            with self._aws.translate_errors(self._what, "kinesis:ListShards"):
                page = self._kinesis.list_shards(**start)
            yield page
            following = page.get("NextToken")
            if following is None:
                return
            start = {"NextToken": following}
            cursor.advance(following, entries=len(page["Shards"]))

    def _find_retention(self, stream: str) -> float:
        with self._aws.translate_errors(self._what, "kinesis:DescribeStreamSummary"):
            answer = self._kinesis.describe_stream_summary(StreamARN=stream)
        return float(answer["StreamDescriptionSummary"]["RetentionPeriodHours"]) * 3600

    @property
    def _kinesis(self) -> Any:
        return self._aws.client("kinesis")

    @property
    def _what(self) -> str:
        return f"the Kinesis stream of table {self._table}"


def _read_keys(keys: Mapping[str, Mapping[str, str]], names: Sequence[str]) -> set[bytes]:
    """The key of a record, in each way in which its binary values may be meant."""
    readings = [_readings_of(keys[name]) for name in names]
    return {
        encode_key(dict(zip(names, values, strict=True)), names) for values in product(*readings)
    }


def _readings_of(value: Mapping[str, str]) -> list[Mapping[str, str]]:
    if "B" not in value:
        return [value]
    try:
        inner = b64decode(value["B"], validate=True).decode("ascii")
        b64decode(inner, validate=True)
    except ValueError:
        return [value]
    return [value, {"B": inner}]
