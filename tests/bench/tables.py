"""A virtual DynamoDB table of any size, and the target that it is copied into."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from tests.bench.http import Answer, Question
from tests.bench.ledger import Ledger

PAGE_BYTES = 1_000_000
LEFT_OVER = 5
"""Items of a batch that come back unprocessed, where batches are answered so."""

_NAME = "Zoë Ångström %(n)09d"
_SMALL = {"id": {"S": "item-%(n)09d"}, "number": {"N": "%(n)d"}, "name": {"S": _NAME}}
_USUAL = {
    **_SMALL,
    "score": {"N": "12.5"},
    "active": {"BOOL": True},
    "tags": {"SS": ["blue", "green", "red"]},
    "picture": {"B": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"},
    "address": {"M": {"city": {"S": "Kraków"}, "lines": {"L": [{"S": "1"}, {"NULL": True}]}}},
    "note": {"S": "a line of plain text, as long as such lines are"},
}
_LARGE = {**_USUAL, "note": {"S": "x" * 300_000}}
_TEMPLATES = {
    sort: json.dumps(item, separators=(",", ":")).replace("%(n)", "%").encode()
    for sort, item in {"small": _SMALL, "usual": _USUAL, "large": _LARGE}.items()
}
_NUMBER = re.compile(rb'"id": ?\{"S": ?"item-(\d{9})"\}')
_PUT = b'{"PutRequest":{"Item":'


class VirtualTable:
    """The items 0 … n-1 of `source`, and what was written of them to `target`.

    They are `sort` items: "small" ones of about 100 bytes, "usual" ones of about 480, or "large"
    ones of 300 KB. Every
    `unprocessed_every`-th batch (0: none) is processed in part only.
    """

    def __init__(
        self, source: str, target: str, size: int, sort: str = "usual", unprocessed_every: int = 0
    ) -> None:
        self.source = source
        self.target = target
        self.ledger = Ledger(size)
        self._template = _TEMPLATES[sort]
        self._item_bytes = len(self._item(0))
        self._page_items = PAGE_BYTES // self._item_bytes
        self._unprocessed_every = unprocessed_every
        self._batches = 0
        self._answers: Mapping[str, Callable[[bytes], Answer]] = {
            "Scan": self._scan,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "PutItem": self._put,
        }

    def _item(self, number: int) -> bytes:
        """One item as compact JSON; the same for the same number."""
        return self._template % (number, number, number)

    def answer(self, question: Question) -> Answer | None:
        """The answer to a call on the items of either table; None for every other call."""
        respond = self._answers.get(question.operation)
        return respond(question.body) if respond else None

    def described(self, body: bytes) -> bytes:
        """A description of the source with the size that the virtual table has."""
        answer = json.loads(body)
        size = self.ledger.size
        answer["Table"].update(ItemCount=size, TableSizeBytes=size * self._item_bytes)
        return json.dumps(answer).encode()

    def _scan(self, body: bytes) -> Answer:
        ask = json.loads(body)
        segment, total = ask.get("Segment", 0), ask.get("TotalSegments", 1)
        size = self.ledger.size
        start, end = size * segment // total, size * (segment + 1) // total
        if key := ask.get("ExclusiveStartKey"):
            start = int(key["id"]["S"][5:]) + 1
        limit = min(ask.get("Limit", self._page_items), self._page_items)
        numbers = self._numbers(ask["TableName"], start, end, limit)
        items = [self._item(number) for number in numbers]
        count = len(items)
        page = b'{"Items":[%b],"Count":%d,"ScannedCount":%d' % (b",".join(items), count, count)
        if "ReturnConsumedCapacity" in ask:
            units = count * self._item_bytes // 4096 + 1
            page += b',"ConsumedCapacity":{"TableName":"%b","CapacityUnits":%d}' % (
                ask["TableName"].encode(),
                units,
            )
        if count == limit:
            page += b',"LastEvaluatedKey":{"id":{"S":"item-%09d"}}' % numbers[-1]
        return _json(page + b"}")

    def _numbers(self, table: str, start: int, end: int, limit: int) -> Sequence[int]:
        """The items of a page; like the service's, a full one may be followed by an empty one."""
        if table == self.source:
            return range(start, min(end, start + limit))
        return self.ledger.present(start, end, limit)

    def _batch_get(self, body: bytes) -> Answer:
        """The items of the source under the keys that are asked for."""
        items = b",".join(self._item(int(number)) for number in _NUMBER.findall(body))
        table = self.source.encode()
        return _json(b'{"Responses":{"%b":[%b]},"UnprocessedKeys":{}}' % (table, items))

    def _batch_write(self, body: bytes) -> Answer:
        self._batches += 1
        every = self._unprocessed_every
        back = LEFT_OVER if every and self._batches % every == 0 else 0
        numbers = [int(number) for number in _NUMBER.findall(body)]
        if self._is_verbatim(body, numbers):
            keep = max(1, len(numbers) - back)
            for number in numbers[:keep]:
                self.ledger.write(number)
            left = [self._item(number) for number in numbers[keep:]]
        else:
            left = self._write_each(json.loads(body)["RequestItems"][self.target], back)
        if not left:
            return _ALL_PROCESSED
        puts = b",".join(b"%b%b}}" % (_PUT, item) for item in left)
        return _json(b'{"UnprocessedItems":{"%b":[%b]}}' % (self.target.encode(), puts))

    def _is_verbatim(self, body: bytes, numbers: list[int]) -> bool:
        """Whether a batch holds these items byte for byte as the source does, and no others."""
        return self._puts(numbers) in body and max(numbers) < self.ledger.size

    def batch(self, numbers: Sequence[int]) -> bytes:
        """The body that writes some items as the source holds them."""
        return b'{"RequestItems":{%b}}' % self._puts(numbers)

    def _puts(self, numbers: Sequence[int]) -> bytes:
        items = (b"}}," + _PUT).join([self._item(number) for number in numbers])
        return b'"%b":[%b%b}}]' % (self.target.encode(), _PUT, items)

    def _write_each(self, requests: list[Any], back: int) -> list[bytes]:
        """Take a batch in that is written in another way; answers with what is left of it."""
        self.ledger.reread()
        items = [request["PutRequest"]["Item"] for request in requests]
        keep = max(1, len(items) - back)
        for item in items[:keep]:
            self._write(item)
        return [json.dumps(item).encode() for item in items[keep:]]

    def _put(self, body: bytes) -> Answer:
        ask = json.loads(body)
        if "ConditionExpression" in ask and self.ledger.has(_number(ask["Item"])):
            old = self._item(_number(ask["Item"]))
            code = b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"'
            return _json(code + b',"Item":%b}' % old, 400)
        self._write(ask["Item"])
        return _json(b"{}")

    def _write(self, item: Mapping[str, Any]) -> None:
        number = _number(item)
        if _settled(item) == _settled(json.loads(self._item(number))):
            self.ledger.write(number)
        else:
            self.ledger.write_wrong()


def _number(item: Mapping[str, Any]) -> int:
    return int(item["id"]["S"][5:])


def _settled(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item whose sets are in order: clients may turn them round."""
    return {
        name: {"SS": sorted(value["SS"])} if "SS" in value else value
        for name, value in item.items()
    }


def _json(body: bytes, status: int = 200) -> Answer:
    return Answer(
        status,
        body,
        {"Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": str(crc32(body))},
    )


_ALL_PROCESSED = _json(b'{"UnprocessedItems":{}}')
