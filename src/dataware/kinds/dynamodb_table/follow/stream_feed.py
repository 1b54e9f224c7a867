"""A DynamoDB stream as a feed of keys: every shard, in any order, with the gap rules.

Amazon DynamoDB API Reference, Streams: DescribeStream (pages of at most 100 shards),
GetShardIterator, GetRecords ("NextShardIterator: if it is null, the shard is closed"; an empty page
is not the end). An iterator expires after 15 minutes; a new one after the last number misses
nothing. No image is read, so a stream of any view type will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from dataware.core.errors import IncompleteError, LookupFailedError, NotFoundError
from dataware.core.follow.feed import FeedRound, Gap, GapCause
from dataware.core.follow.shards import (
    LONGEST_AWAY,
    ListedShard,
    ShardReading,
    StreamReading,
    begin_reading,
    find_childless,
    find_gaps,
    take_listing,
)
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.keys import encode_key, name_keys
from dataware.kinds.dynamodb_table.follow.stream_switch import find_stream

RECORDS = 20_000
"""Records of one round, so that a round needs little memory; the next one goes on."""

EXPIRED, TRIMMED = "ExpiredIteratorException", "TrimmedDataAccessException"


@dataclass(slots=True)
class FeedPage:
    """What a round has come to so far; `whole` until something is left unread."""

    keys: set[bytes] = field(default_factory=set)
    times: list[float] = field(default_factory=list)
    records: int = 0
    trimmed: list[str] = field(default_factory=list)
    failures: list[LookupFailedError] = field(default_factory=list)
    whole: bool = True


class StreamFeed:
    """The ChangeFeed port over the stream of a table; one thread at a time."""

    def __init__(
        self,
        aws: Aws,
        table: str,
        *,
        longest_away: float = LONGEST_AWAY,
        records: int = RECORDS,
    ) -> None:
        self._aws = aws
        self._table = table
        self._longest_away = longest_away
        self._records = records
        self._iterators: dict[str, str] = {}
        self._names: Sequence[str] = ()
        self._first = 0
        self._reading = StreamReading("", 0.0)

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Go on after `position`, or begin with None; the position to keep before anything else.

        Raises NotFoundError for a table whose stream is off.
        """
        self._iterators.clear()
        if position is not None:
            self._reading = StreamReading.from_json(position)
            return position
        stream = find_stream(self._aws, self._table)
        if stream is None:
            raise NotFoundError(f"table {self._table} has no stream that is on")
        self._reading = begin_reading(stream, self._list_shards(stream)[1], now)
        return self._reading.to_json()

    def poll(self, now: float) -> FeedRound:
        """The keys of the records that came since the last round, of every shard."""
        stream, listing = self._find_shards()
        before = self._reading
        gaps = find_gaps(before, stream, listing, now, longest_away=self._longest_away)
        if stream != before.stream:
            self._iterators.clear()
        self._reading = take_listing(before, stream, listing, now)
        done = self._read_shards([shard.id for shard in listing], now)
        if done.failures and not done.records:
            self._reading = before
            raise done.failures[0]
        # A stream that is on has a shard, and an ended one a child: what is not listed is not read.
        if not listing or find_childless(self._reading, listing, now):
            done.whole = False
        gaps += tuple(Gap(GapCause.TRIMMED, before.whole_at, name) for name in done.trimmed)
        # What was missed until now is reported, and a full difference that begins later sees it.
        if done.whole or gaps:
            self._reading = replace(self._reading, whole_at=now)
        oldest, newest = min(done.times, default=None), max(done.times, default=None)
        position = self._reading.to_json()
        return FeedRound(frozenset(done.keys), position, oldest, newest, gaps, done.whole)

    def _read_shards(self, names: Sequence[str], now: float) -> FeedPage:
        """Read shards until all are at their present end, or the round is full.

        The next round begins with another shard, so that a busy one holds up none.
        """
        done = FeedPage()
        start = self._first % max(1, len(names))
        self._first += 1
        for name in [*names[start:], *names[:start]]:
            if self._reading.shards[name].ended is not None:
                continue
            if done.records >= self._records:
                done.whole = False
                break
            try:
                self._read_shard(name, now, done)
            except (LookupFailedError, NotFoundError) as error:
                # A shard that is gone is missing in the next listing, which says what that means.
                self._iterators.pop(name, None)
                done.whole = False
                if isinstance(error, LookupFailedError):
                    done.failures.append(error)
        return done

    def _read_shard(self, name: str, now: float, done: FeedPage) -> None:
        while done.records < self._records:
            page = self._read_page(name, done)
            records, following = page["Records"], page.get("NextShardIterator")
            for record in records:
                change = record["dynamodb"]
                done.keys.add(encode_key(change["Keys"], self._names))
                if (at := change.get("ApproximateCreationDateTime")) is not None:
                    done.times.append(at.timestamp())
            last = records[-1]["dynamodb"]["SequenceNumber"] if records else None
            self._advance(name, last, following, now)
            done.records += len(records)
            if following is None or not records:
                return
        done.whole = False

    def _advance(self, name: str, last: str | None, following: str | None, now: float) -> None:
        """Remember how far a shard is read, together with the keys of that page."""
        shards = dict(self._reading.shards)
        ended = now if following is None else None
        shards[name] = ShardReading(last or shards[name].last, ended)
        self._reading = replace(self._reading, shards=shards)
        if following is None:
            self._iterators.pop(name, None)
        else:
            self._iterators[name] = following

    def _read_page(self, name: str, done: FeedPage) -> Mapping[str, Any]:
        """The next page of a shard, by a new iterator where the last one is not good any more."""
        tries: list[Callable[[], str]] = [
            lambda: self._iterators.get(name) or self._make_iterator(name, done),
            lambda: self._make_iterator(name, done),
        ]
        for make in tries:
            try:
                return self._get_records(make())
            except LookupFailedError as error:
                code = error.code
                if code not in (EXPIRED, TRIMMED):
                    raise
                self._iterators.pop(name, None)
                if code == TRIMMED:
                    self._note_trimmed(name, done)
        raise LookupFailedError(f"the iterators of a shard of table {self._table} expire at once")

    def _note_trimmed(self, name: str, done: FeedPage) -> None:
        """What came after the last number is gone; the shard is read from its horizon on."""
        if name not in done.trimmed:
            done.trimmed.append(name)
        shards = {**self._reading.shards, name: ShardReading()}
        self._reading = replace(self._reading, shards=shards)

    def _make_iterator(self, name: str, done: FeedPage) -> str:
        last = self._reading.shards[name].last
        if last is not None:
            try:
                return self._ask_iterator(
                    name, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=last
                )
            except LookupFailedError as error:
                if error.code != TRIMMED:
                    raise
                self._note_trimmed(name, done)
        return self._ask_iterator(name, ShardIteratorType="TRIM_HORIZON")

    def _ask_iterator(self, name: str, **start: str) -> str:
        with self._aws.translate_errors(self._what, "dynamodb:GetShardIterator"):
            answer = self._streams.get_shard_iterator(
                StreamArn=self._reading.stream, ShardId=name, **start
            )
        iterator: str = answer["ShardIterator"]
        return iterator

    def _get_records(self, iterator: str) -> Mapping[str, Any]:
        with self._aws.translate_errors(self._what, "dynamodb:GetRecords"):
            page: Mapping[str, Any] = self._streams.get_records(ShardIterator=iterator)
        return page

    def _find_shards(self) -> tuple[str, Sequence[ListedShard]]:
        """The stream that is on, with its shards. Raises IncompleteError where none is."""
        stream, status = self._reading.stream, "NONE"
        if stream:
            with suppress(NotFoundError):
                status, shards = self._list_shards(stream)
        if status in ("ENABLED", "ENABLING"):
            return stream, shards
        latest = find_stream(self._aws, self._table)
        if latest is None or latest == stream:
            raise IncompleteError(
                f"the stream of table {self._table} was switched off, so changes are missed: "
                "switch it on and run the same command again, which compares both sides"
            )
        return latest, self._list_shards(latest)[1]

    def _list_shards(self, stream: str) -> tuple[str, Sequence[ListedShard]]:
        """The status of a stream, and every shard of every page."""
        shards: dict[str, ListedShard] = {}
        status = ""
        for page in self._pages(stream):
            status = page["StreamStatus"]
            self._names = name_keys(page["KeySchema"])
            for one in page["Shards"]:
                closed = "EndingSequenceNumber" in one.get("SequenceNumberRange", {})
                name = one["ShardId"]
                shards[name] = ListedShard(name, one.get("ParentShardId"), closed)
        return status, list(shards.values())

    def _pages(self, stream: str) -> Iterator[Mapping[str, Any]]:
        cursor = PageCursor("DescribeStream", self._what)
        start: dict[str, str] = {}
        while True:
            with self._aws.translate_errors(self._what, "dynamodb:DescribeStream"):
                answer = self._streams.describe_stream(StreamArn=stream, **start)
            page = answer["StreamDescription"]
            yield page
            last = page.get("LastEvaluatedShardId")
            if last is None:
                return
            start = {"ExclusiveStartShardId": last}
            cursor.advance(last, entries=len(page["Shards"]))

    @property
    def _streams(self) -> Any:
        return self._aws.client("dynamodbstreams")

    @property
    def _what(self) -> str:
        return f"the stream of table {self._table}"
