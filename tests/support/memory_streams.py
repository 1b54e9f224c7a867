"""A table's stream in memory, over a `ShardTree`, as the SDK's client shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from tests.support.shard_trees import NumberTrimmedError, ShardTree

from dataware.aws.errors import translate_errors

ITERATOR_SECONDS = 900.0


def refusal(operation: str, code: str) -> ClientError:
    """What the SDK raises for an error answer."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, operation)


class MemoryStreams:
    """The clients ``dynamodb`` and ``dynamodbstreams`` of one table; an Aws port of them alone.

    `fault` may raise before a call is answered. `page` shards and `limit` records are a page.
    """

    def __init__(self, tree: ShardTree, page: int = 3, limit: int = 4) -> None:
        self.trees: dict[str, ShardTree] = {"arn:stream-1": tree}
        self.latest: str | None = "arn:stream-1"
        self.page, self.limit = page, limit
        self.calls: list[str] = []
        self.fault: Callable[[str, dict[str, Any]], None] = lambda _call, _arguments: None

    @property
    def tree(self) -> ShardTree:
        """The tree of the stream that was on last."""
        return list(self.trees.values())[-1]

    def client(self, _service: str) -> MemoryStreams:
        """Both clients are this."""
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As the real port does."""
        return translate_errors(what, permission)

    def switch(self, arn: str | None, tree: ShardTree | None = None) -> None:
        """Switch the stream off, or another one on."""
        self.latest = arn
        if arn is not None and tree is not None:
            self.trees[arn] = tree

    def describe_table(self, **_arguments: Any) -> dict[str, Any]:
        """Whether a stream is on."""
        self.calls.append("DescribeTable")
        is_on = self.latest is not None
        table = {"LatestStreamArn": list(self.trees)[-1], "TableStatus": "ACTIVE"}
        return {"Table": {**table, "StreamSpecification": {"StreamEnabled": is_on}}}

    def describe_stream(self, **arguments: Any) -> dict[str, Any]:
        """A page of shards, in an order that means nothing but stays while nothing changes."""
        self._begin("DescribeStream", arguments)
        arn = arguments["StreamArn"]
        if arn not in self.trees:
            raise refusal("DescribeStream", "ResourceNotFoundException")
        shards = sorted(self.trees[arn].shards.values(), key=lambda shard: shard.id[::-1])
        names = [shard.id for shard in shards]
        start = arguments.get("ExclusiveStartShardId")
        begin = names.index(start) + 1 if start in names else 0
        page = shards[begin : begin + self.page]
        described: dict[str, Any] = {
            "StreamStatus": "ENABLED" if arn == self.latest else "DISABLED",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "Shards": [
                {
                    "ShardId": shard.id,
                    "SequenceNumberRange": {"StartingSequenceNumber": "0"}
                    | ({} if shard.closed is None else {"EndingSequenceNumber": "9"}),
                    **({} if shard.parent is None else {"ParentShardId": shard.parent}),
                }
                for shard in page
            ],
        }
        if begin + self.page < len(shards):
            described["LastEvaluatedShardId"] = page[-1].id
        return {"StreamDescription": described}

    def get_shard_iterator(self, **arguments: Any) -> dict[str, str]:
        """An iterator that says where it is."""
        self._begin("GetShardIterator", arguments)
        tree, name = self.trees[arguments["StreamArn"]], arguments["ShardId"]
        if name not in tree.shards:
            raise refusal("GetShardIterator", "ResourceNotFoundException")
        after = arguments.get("SequenceNumber")
        if arguments["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER":
            self._read(tree, "GetShardIterator", name, after)
        return {"ShardIterator": f"{arguments['StreamArn']} {name} {after or ''} {tree.now}"}

    def get_records(self, **arguments: Any) -> dict[str, Any]:
        """A page of records."""
        self._begin("GetRecords", arguments)
        arn, name, after, made = arguments["ShardIterator"].split(" ")
        tree = self.trees[arn]
        if tree.now - float(made) > ITERATOR_SECONDS:
            raise refusal("GetRecords", "ExpiredIteratorException")
        if name not in tree.shards:
            raise refusal("GetRecords", "ResourceNotFoundException")
        records, closed = self._read(tree, "GetRecords", name, after or None)
        page = records[: self.limit]
        answer: dict[str, Any] = {
            "Records": [
                {
                    "dynamodb": {
                        "Keys": {"pk": {"S": record.key}},
                        "SequenceNumber": record.number,
                        "ApproximateCreationDateTime": datetime.fromtimestamp(record.at, UTC),
                    }
                }
                for record in page
            ]
        }
        if not closed or len(page) < len(records):
            last = page[-1].number if page else after
            answer["NextShardIterator"] = f"{arn} {name} {last} {tree.now}"
        return answer

    def _begin(self, call: str, arguments: dict[str, Any]) -> None:
        self.calls.append(call)
        self.fault(call, arguments)

    def _read(self, tree: ShardTree, call: str, name: str, after: str | None) -> Any:
        try:
            return tree.read(name, after)
        except NumberTrimmedError:
            raise refusal(call, "TrimmedDataAccessException") from None
