"""A virtual table that is written to all the time, its stream, and what was carried of it.

Change number c of item `c * SPREAD % size` happens c / rate seconds after the writers began, so
nothing has to write: the changes up to now are made up when somebody asks. An item is as its last
change left it, by whose number the table also knows what it was carried as, and how late.
"""

from __future__ import annotations

import json
import re
import time
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from tests.bench.http import Answer, Question

SPREAD = 2_654_435_761
"""Coprime with every size that is used, so that changes go to all items, in no order."""

SHARDS = 4
PAGE_ITEMS = 9_000
PAGE_RECORDS = 1_000
"""Records of one answer of GetRecords (Amazon DynamoDB API Reference, Streams)."""

_KEY = re.compile(rb'"id": ?\{"S": ?"item-(\d{9})"\}')
_ITEM = re.compile(rb'\{"id":\{"S":"item-(\d{9})"\},"change":\{"N":"(\d+)"\}')
_WHOLE = b'{"id":{"S":"item-%09d"},"change":{"N":"%d"},"name":{"S":"as change %d has left it"}}'
_RECORD = (
    b'{"eventID":"%d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb",'
    b'"awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{"id":{"S":'
    b'"item-%09d"}},"SequenceNumber":"%021d","SizeBytes":14,"StreamViewType":"KEYS_ONLY"}}'
)


class LiveTable:
    """A source of `size` items that change `rate` times a second, and its target.

    It tells as the responder's other tables do of `source`, `target` and what was written.
    """

    def __init__(self, source: str, target: str, size: int, rate: float) -> None:
        self.source = source
        self.target = target
        self.ledger = self
        self._size = size
        self._as_is = array("q", bytes(8 * size))
        self._carried = array("q", [-1]) * size
        self._shards: list[list[tuple[int, int, float]]] = [[] for _ in range(SHARDS)]
        self._waiting: dict[int, deque[tuple[int, float]]] = defaultdict(deque)
        self._lags: list[float] = []
        self._backwards = self._copied = 0
        self._made, self._from, self._since, self._rate = 0, 0, time.time(), rate
        self._rested: float | None = None
        self._answers: Mapping[str, Callable[[Any, bytes], bytes]] = {
            "Scan": self._scan,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "PutItem": self._put,
            "DescribeStream": self._describe_stream,
            "GetShardIterator": self._iterator,
            "GetRecords": self._records,
        }

    @property
    def streams(self) -> frozenset[str]:
        """The operations that name the stream and not the table."""
        return frozenset({"DescribeStream", "GetShardIterator", "GetRecords"})

    def change(self, rate: float | None) -> None:
        """Let the writers write at another rate; None only forgets the lags up to now."""
        self._advance()
        if rate is None:
            self._lags.clear()
            return
        self._from, self._since, self._rate = self._made, time.time(), rate
        self._rested = None if rate else self._since

    def answer(self, question: Question) -> Answer | None:
        """The answer to a call on the items of either table or the stream; None for any other."""
        respond = self._answers.get(question.operation)
        if respond is None:
            return None
        self._advance()
        ask = json.loads(question.body)
        body = respond(ask, question.body)
        status = 400 if body.startswith(b'{"__type"') else 200
        kind = {"Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": str(crc32(body))}
        return Answer(status, body, kind)

    def described(self, body: bytes) -> bytes:
        """A description of the source with its size and its stream."""
        answer = json.loads(body)
        answer["Table"].update(
            ItemCount=self._size,
            TableSizeBytes=self._size * len(_WHOLE),
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            LatestStreamArn=f"{answer['Table']['TableArn']}/stream/2026-01-01T00:00:00.000",
            LatestStreamLabel="2026-01-01T00:00:00.000",
        )
        return json.dumps(answer).encode()

    def report(self) -> dict[str, float | None]:
        """What is missing or otherwise than in the source, and the lags since `change(None)`."""
        self._advance()
        lags = sorted(self._lags)
        different = sum(1 for a, b in zip(self._as_is, self._carried, strict=True) if a != b)
        return {
            "changes": self._made,
            "copied": self._copied,
            "different": different,
            "backwards": self._backwards,
            "lags": len(lags),
            "median": lags[len(lags) // 2] if lags else None,
            "p99": lags[len(lags) * 99 // 100] if lags else None,
            "longest": lags[-1] if lags else None,
            "rested": self._rested,
        }

    def _advance(self) -> None:
        """Make the changes up to now."""
        until = self._from + int((time.time() - self._since) * self._rate)
        for number in range(self._made + 1, until + 1):
            item = number * SPREAD % self._size
            at = self._since + (number - self._from) / self._rate
            self._as_is[item] = number
            self._shards[item % SHARDS].append((number, item, at))
            self._waiting[item].append((number, at))
        self._made = max(self._made, until)

    def _write(self, item: int, change: int) -> None:
        self._copied += self._carried[item] < 0
        self._backwards += change < self._carried[item]
        self._carried[item] = change
        waiting, now = self._waiting[item], time.time()
        while waiting and waiting[0][0] <= change:
            self._lags.append(now - waiting.popleft()[1])
        if not waiting:
            del self._waiting[item]

    def _items_of(self, table: str) -> array[int]:
        return self._as_is if table == self.source else self._carried

    def _scan(self, ask: Mapping[str, Any], _body: bytes) -> bytes:
        items, segment = self._items_of(ask["TableName"]), ask.get("Segment", 0)
        total = ask.get("TotalSegments", 1)
        start, end = self._size * segment // total, self._size * (segment + 1) // total
        if key := ask.get("ExclusiveStartKey"):
            start = int(key["id"]["S"][5:]) + 1
        if items is self._carried and not self._copied:
            start = end
        stop = min(end, start + min(ask.get("Limit", PAGE_ITEMS), PAGE_ITEMS))
        page = [_item(n, items[n]) for n in range(start, stop) if items[n] >= 0]
        more = b',"LastEvaluatedKey":{"id":{"S":"item-%09d"}}' % (stop - 1) if stop < end else b""
        counts = b'"Count":%d,"ScannedCount":%d' % (len(page), len(page))
        if "ReturnConsumedCapacity" in ask:
            name = ask["TableName"].encode()
            counts += b',"ConsumedCapacity":{"TableName":"%b","CapacityUnits":1}' % name
        return b'{"Items":[%b],%b%b}' % (b",".join(page), counts, more)

    def _batch_get(self, ask: Mapping[str, Any], body: bytes) -> bytes:
        (table,) = ask["RequestItems"]
        items = self._items_of(table)
        numbers = [int(number) for number in _KEY.findall(body)]
        found = b",".join(_item(n, items[n]) for n in numbers if items[n] >= 0)
        return b'{"Responses":{"%b":[%b]},"UnprocessedKeys":{}}' % (table.encode(), found)

    def _batch_write(self, ask: Mapping[str, Any], body: bytes) -> bytes:
        written = _ITEM.findall(body)
        if len(written) != len(ask["RequestItems"][self.target]):
            raise AssertionError(f"not read whole: {body[:300]!r}")
        for item, change in written:
            self._write(int(item), int(change))
        return b'{"UnprocessedItems":{}}'

    def _put(self, ask: Mapping[str, Any], _body: bytes) -> bytes:
        item = int(ask["Item"]["id"]["S"][5:])
        if "ConditionExpression" in ask and (there := self._carried[item]) >= 0:
            code = b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"'
            return code + b',"Item":%b}' % _item(item, there)
        self._write(item, int(ask["Item"]["change"]["N"]))
        return b"{}"

    def _describe_stream(self, ask: Mapping[str, Any], _body: bytes) -> bytes:
        first = {"SequenceNumberRange": {"StartingSequenceNumber": f"{1:021d}"}}
        shards = [{"ShardId": f"shardId-{n:020d}", **first} for n in range(SHARDS)]
        stream = {
            "StreamArn": ask["StreamArn"],
            "StreamStatus": "ENABLED",
            "StreamViewType": "KEYS_ONLY",
            "TableName": self.source,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "Shards": shards,
        }
        return json.dumps({"StreamDescription": stream}).encode()

    def _iterator(self, ask: Mapping[str, Any], _body: bytes) -> bytes:
        after = int(ask.get("SequenceNumber", "0"))
        return json.dumps({"ShardIterator": f"{int(ask['ShardId'][8:])}:{after}"}).encode()

    def _records(self, ask: Mapping[str, Any], _body: bytes) -> bytes:
        shard, _, after = ask["ShardIterator"].partition(":")
        all_records, start = self._shards[int(shard)], int(after)
        page = all_records[start : start + PAGE_RECORDS]
        records = b",".join(
            _RECORD % (number, at, item, start + position)
            for position, (number, item, at) in enumerate(page, 1)
        )
        following = f"{shard}:{start + len(page)}".encode()
        return b'{"Records":[%b],"NextShardIterator":"%b"}' % (records, following)


def _item(number: int, change: int) -> bytes:
    return _WHOLE % (number, change, change)
