"""Copies a table into another one, page by page and batch by batch.

Into a table that only this run writes to, items go in batches without conditions. Anywhere else
every put demands that its key is free, and an item that stands there is compared and never
replaced unless the order says so.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from dataware.calc.multiset_digest import MultisetDigest
from dataware.core.copier import (
    CopyOrder,
    CopyOutcome,
    CopyTools,
    PageBound,
    Rates,
    SkippedKey,
    SkipReason,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import ConflictError, WriteDeniedError
from dataware.core.model import Location, OnConflict, Size
from dataware.core.page_cursor import PageCursor
from dataware.kinds.dynamodb_table.capacity import MAX_BATCH
from dataware.kinds.dynamodb_table.copy.client import (
    Answer,
    TableClient,
    TableRequestError,
    encode,
    has_nothing,
    has_page,
    has_table,
    has_written,
    unprocessed_items,
)
from dataware.kinds.dynamodb_table.copy.decoding import sliced
from dataware.kinds.dynamodb_table.copy.items import (
    Batch,
    batches,
    equal,
    key_text,
    size,
    without_twins,
)

SEGMENT_BYTES: Final = 16 * 1024**2
"""How much of a table one partition holds, within MIN_SEGMENTS and MAX_SEGMENTS."""

MIN_SEGMENTS: Final = 4
MAX_SEGMENTS: Final = 400

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


# What a single put may be refused for, by the code and a word of the message: only our own words
# are shown, because the service's message may quote a value.
@dataclass(frozen=True, slots=True)
class _FirstPage:
    """What the first page of the source shows; `last` says that it is the whole table."""

    items: int
    bytes: int
    last: bool


class TableCopier:
    """The copier of DynamoDB tables; `order` tells from where to where."""

    def __init__(self, tools: CopyTools, order: CopyOrder) -> None:
        self._order = order
        self._clock = tools.clock
        self._source = TableClient(tools.reading or tools.wire, order.source)
        self._target = TableClient(tools.wire, order.target)
        self._descriptions: dict[Location, Mapping[str, Any]] = {}
        self._first: _FirstPage | None = None
        name = encode(order.target.name)
        self._batch_start = b'{"RequestItems":{%b:[{"PutRequest":{"Item":' % name

    async def size(self) -> Size:
        """Exact when one page holds the table; else what DynamoDB last counted, or was seen."""
        first = await self._look()
        if first.last:
            return Size(first.items, first.bytes)
        counted = await self._describe(self._source)
        return Size(
            max(first.items, counted.get("ItemCount", 0)),
            max(first.bytes, counted.get("TableSizeBytes", 0)),
            exact=False,
        )

    async def rates(self) -> Rates:
        """Provisioned capacity; None for a table that is charged by the request."""
        source = _capacity(await self._describe(self._source), "ReadCapacityUnits")
        return Rates(source, _capacity(await self._describe(self._target), "WriteCapacityUnits"))

    async def partitions(self) -> Sequence[str]:
        """Scan segments ``i/N``; one if the first page holds the whole table."""
        if (await self._look()).last:
            return ("0/1",)
        wanted = (await self.size()).bytes // SEGMENT_BYTES
        total = min(max(wanted, MIN_SEGMENTS), MAX_SEGMENTS)
        return tuple(f"{segment}/{total}" for segment in range(total))

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[Sequence[bytes]]]:
        """The pages of a segment; only a missing LastEvaluatedKey ends it, never an empty page.

        A scan goes on only after a key that the service named (Amazon DynamoDB API Reference,
        Scan, ExclusiveStartKey: "Use the value that was returned for LastEvaluatedKey"), so small
        pages have to be asked for.
        """
        cursor = PageCursor("Scan", f"table {self._order.source.name}")
        while True:
            page = await self._page(partition, after, bound())
            yield page
            after = page.cursor
            if after is None:
                return
            cursor.advance(after, entries=len(page.units))

    async def _page(
        self, partition: str, after: str | None, bound: int | None
    ) -> UnitPage[Sequence[bytes]]:
        """One page, of whole batches if it is bounded; its items stay as they came."""
        segment, _, total = partition.partition("/")
        more: dict[str, Any] = {"ExclusiveStartKey": json.loads(after)} if after else {}
        if bound is not None:
            more["Limit"] = max(1, bound // MAX_BATCH) * MAX_BATCH
        answer = await self._scan(Segment=int(segment), TotalSegments=int(total), **more)
        last = answer.get("LastEvaluatedKey")
        cursor = json.dumps(last, separators=(",", ":")) if last else None
        units = tuple(batches(answer["Items"]))
        return UnitPage(units, cursor, read_units=_read_units(answer))

    async def write(self, unit: Batch) -> CopyOutcome:
        """Write a unit; every item of it is copied, the same, or left with a reason."""
        items = unit.payload
        if not self._order.exclusive:
            return await self._each(items, guarded=True)
        try:
            await self._batch(items)
            return CopyOutcome(len(items), bytes=unit.bytes, tally=_tally(items))
        except TableRequestError as refusal:
            if not refusal.answer.concerns_one_item:
                raise self._target.to_error(refusal.answer) from None
        # One bad item, or a key twice, makes DynamoDB refuse the whole batch: alone, only that
        # item fails.
        return await self._each(items, guarded=False)

    async def _look(self) -> _FirstPage:
        if self._first is None:
            answer = await self._scan()
            items = [json.loads(item) for item in answer["Items"]]
            self._first = _FirstPage(
                len(items), sum(map(size, items)), not answer.get("LastEvaluatedKey")
            )
        return self._first

    async def _scan(self, **parameters: Any) -> Answer:
        return await self._source.ask(
            "Scan",
            has_page,
            sliced,
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
            **parameters,
        )

    async def _describe(self, table: TableClient) -> Mapping[str, Any]:
        if table.place not in self._descriptions:
            answer = await table.ask("DescribeTable", has_table)
            self._descriptions[table.place] = answer["Table"]
        return self._descriptions[table.place]

    async def _key_names(self) -> Sequence[str]:
        """The key attributes, partition key first."""
        schema = (await self._describe(self._source))["KeySchema"]
        ordered = sorted(schema, key=lambda key: key["KeyType"] != "HASH")
        return [key["AttributeName"] for key in ordered]

    async def _batch(self, items: Sequence[bytes]) -> None:
        """Write in batches until DynamoDB has acknowledged every item.

        A batch that comes back whole is retried, and in the end given up, by the wire. So every
        round here writes at least one item, and the rounds are bounded by their number.
        """
        waiting, pause = items, _FIRST_PAUSE
        while True:
            body = self._batch_start + b'}},{"PutRequest":{"Item":'.join(waiting) + b"}}]}}"
            answer = await self._target.call("BatchWriteItem", body, has_written(len(waiting)))
            if not answer["UnprocessedItems"]:
                return
            waiting = await self._still(waiting, answer)
            await self._clock.sleep(random.uniform(0, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _still(self, sent: Sequence[bytes], answer: Answer) -> Sequence[bytes]:
        """What was sent and not written, as it was sent.

        An answer that names a key we did not send is not understood: all are sent again.
        """
        names = await self._key_names()
        mine = {key_text(json.loads(item), names): item for item in sent}
        unprocessed = {key_text(item, names) for item in unprocessed_items(answer)}
        return [mine[key] for key in unprocessed] if unprocessed <= mine.keys() else sent

    async def _each(self, items: Sequence[bytes], *, guarded: bool) -> CopyOutcome:
        """Put items one by one, at the same time; every put ends before an error is raised."""
        names = await self._key_names()
        start = self._start_put(free=names[0] if guarded else None)
        outcomes: list[CopyOutcome] = []
        in_target: list[bytes] = []
        for some in without_twins(items, names):
            puts = (self._put(item, start) for item in some)
            results = await asyncio.gather(*puts, return_exceptions=True)
            outcomes += [one for one in results if isinstance(one, CopyOutcome)]
            in_target += [item for item, one in zip(some, results, strict=True) if _is_there(one)]
            for error in results:
                if isinstance(error, WriteDeniedError):
                    error.beside = sum(outcome.copied + outcome.same for outcome in outcomes)
                if isinstance(error, BaseException):
                    raise error
        return CopyOutcome(
            copied=sum(outcome.copied for outcome in outcomes),
            same=sum(outcome.same for outcome in outcomes),
            bytes=sum(outcome.bytes for outcome in outcomes),
            skipped=tuple(skip for outcome in outcomes for skip in outcome.skipped),
            tally=_tally(in_target),
        )

    def _start_put(self, *, free: str | None = None) -> bytes:
        """A PutItem up to its item, the same for all of them.

        It replaces nothing where the partition key is to be `free`.
        """
        condition = {
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": free},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        name = self._target.place.name
        return encode({"TableName": name, **(condition if free else {})})[:-1] + b',"Item":'

    async def _put(self, item: bytes, start: bytes) -> CopyOutcome:
        """Put one item; what of it is in the target then is digested by the caller, together."""
        try:
            await self._target.call("PutItem", b"%b%b}" % (start, item), has_nothing)
        except TableRequestError as refusal:
            if refusal.answer.code == "ConditionalCheckFailedException":
                return await self._settle(item, refusal.body)
            return CopyOutcome(skipped=(await self._left_behind(item, refusal),))
        return CopyOutcome(1, bytes=len(item))

    async def _settle(self, item: bytes, answer: Answer) -> CopyOutcome:
        """Decide about a key that the target already holds."""
        mine = json.loads(item)
        # Without ALL_OLD in the answer nothing is known to be equal, so it is a conflict.
        if equal(mine, answer.get("Item") or {}):
            return CopyOutcome(same=1)
        policy, key = self._order.on_conflict, key_text(mine, await self._key_names())
        if policy is OnConflict.STOP:
            raise ConflictError(
                f"table {self._target.place.name} holds another item under {key}; it was kept, "
                "and the copy stops here (--on-conflict stop)"
            )
        if policy is OnConflict.SOURCE:
            return await self._put(item, self._start_put())
        detail = "kept the target's item" if policy else "the target holds another item"
        return CopyOutcome(skipped=(SkippedKey(key, SkipReason.CONFLICT, detail),))

    async def _left_behind(self, item: bytes, refusal: TableRequestError) -> SkippedKey:
        """Why one item was refused; raises where the reason is not the item."""
        skip = refusal.answer.skip_of("dynamodb:PutItem")
        if skip is None or not refusal.answer.concerns_one_item:
            raise self._target.to_error(refusal.answer)
        return SkippedKey(key_text(json.loads(item), await self._key_names()), *skip)


def _is_there(result: object) -> bool:
    """Whether an item is in the target, by what became of its put."""
    return isinstance(result, CopyOutcome) and bool(result.copied or result.same)


def _tally(items: Iterable[bytes]) -> MultisetDigest:
    """Items as the source sent them: what a reader that finds the same bytes adds up to."""
    return MultisetDigest.of([sha256(item).digest()[:16] for item in items])


def _capacity(table: Mapping[str, Any], units: str) -> float | None:
    if table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST":
        return None
    return float(table.get("ProvisionedThroughput", {}).get(units, 0)) or None


def _read_units(answer: Answer) -> float:
    """What a page was charged: as reported, else 4 KB a unit (strongly consistent)."""
    consumed = answer.get("ConsumedCapacity", {}).get("CapacityUnits")
    if consumed is not None:
        return float(consumed)
    return float(-(-sum(map(len, answer["Items"])) // 4096))
