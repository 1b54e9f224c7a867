"""DynamoDB in memory: scans by segment, batches, conditional puts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from dataware.core.ports import Request, Response
from support.dynamo import refuse, respond

Item = Mapping[str, Any]


class MemoryTables:
    """Tables with the string key `pk`; `page` items make a page, `empty` of which come before it.

    `written` counts the puts of every key, over all tables.
    """

    def __init__(self) -> None:
        self.content: dict[str, dict[str, Item]] = {}
        self.written: dict[str, int] = {}
        self.page = 10
        self.empty = 0
        self._emptied: dict[str, int] = {}

    def fill(self, name: str, items: Iterable[Item] = ()) -> None:
        """Make a table."""
        self.content[name] = {item["pk"]["S"]: item for item in items}

    def answer(self, operation: str, request: Request) -> Response:
        """What DynamoDB answers."""
        body = json.loads(request.body)
        answers = {
            "DescribeTable": self._describe,
            "Scan": self._scan,
            "BatchWriteItem": self._batch,
            "PutItem": self._put,
        }
        return answers[operation](body)

    def _describe(self, body: Any) -> Response:
        if body["TableName"] not in self.content:
            return refuse("ResourceNotFoundException")
        schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
        return respond({"Table": {"KeySchema": schema, "TableSizeBytes": 0, "ItemCount": 0}})

    def _scan(self, body: Any) -> Response:
        if body["TableName"] not in self.content:
            return refuse("ResourceNotFoundException")
        table = self.content[body["TableName"]]
        segment, total = body.get("Segment", 0), body.get("TotalSegments", 1)
        after = body.get("ExclusiveStartKey", {}).get("pk", {}).get("S")
        keys = [
            key
            for key in sorted(table)
            if crc32(key.encode()) % total == segment and (after is None or key > after)
        ]
        page = keys[: min(self.page, body.get("Limit", self.page))]
        if page and after is not None and self._emptied.get(after, 0) < self.empty:
            # A filter or a limit on bytes may leave a page empty in the middle of a table.
            self._emptied[after] = self._emptied.get(after, 0) + 1
            return _page([], after)
        last = page[-1] if len(keys) > len(page) else None
        return _page([table[key] for key in page], last)

    def _batch(self, body: Any) -> Response:
        ((name, requests),) = body["RequestItems"].items()
        items = [request["PutRequest"]["Item"] for request in requests]
        keys = [item["pk"]["S"] for item in items]
        if len(items) > 25 or len(set(keys)) < len(keys):
            return refuse("ValidationException", "Provided list of item keys contains duplicates")
        for item in items:
            self._store(name, item)
        return respond({"UnprocessedItems": {}})

    def _put(self, body: Any) -> Response:
        name, item = body["TableName"], body["Item"]
        present = self.content[name].get(item["pk"]["S"])
        if present is not None and "attribute_not_exists" in body.get("ConditionExpression", ""):
            return refuse("ConditionalCheckFailedException", Item=present)
        self._store(name, item)
        return respond({})

    def _store(self, name: str, item: Item) -> None:
        key = item["pk"]["S"]
        self.content[name][key] = item
        self.written[key] = self.written.get(key, 0) + 1


def as_sent(item: Item) -> bytes:
    """The bytes of an item within a page."""
    return json.dumps(item).encode()


def _page(items: list[Item], last: str | None) -> Response:
    more = {"LastEvaluatedKey": {"pk": {"S": last}}} if last is not None else {}
    return respond({"Items": items, "Count": len(items), **more})
