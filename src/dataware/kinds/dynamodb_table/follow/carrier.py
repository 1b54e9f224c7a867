"""Carries keys: reads their items in the source, consistently, and writes what is there.

Amazon DynamoDB API Reference: BatchGetItem takes 100 keys, BatchWriteItem 25 puts and deletes; both
may leave a part undone (UnprocessedKeys, UnprocessedItems), which is tried again later. A write is
without conditions, because no one else writes to the target.

A request that got no answer, or a server's error, may still be carried out later than one that is
sent after it. The wire tries again by itself, so a success may hide such a request: then every key
of the chunk is uncertain, and is carried once more when nothing can be on its way any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from dataware.core.copier import CopyOrder
from dataware.core.errors import LookupFailedError, WriteDeniedError
from dataware.core.follow.feed import CarryOutcome, Conflict
from dataware.core.follow.tracked_wire import TrackedWire
from dataware.core.follow.written import WrittenKeys
from dataware.core.ports import Judgement, Wire
from dataware.kinds.dynamodb_table.capacity import MAX_BATCH
from dataware.kinds.dynamodb_table.copy.client import (
    Answer,
    Shape,
    TableClient,
    TableRequestError,
    encode,
    has_nothing,
)
from dataware.kinds.dynamodb_table.follow.keys import decode_key, encode_key

READ_TOGETHER = 100
READS_AT_ONCE = 4
"""Batches that are read, and then written, at the same time: each may hold 16 MB."""

Write = Mapping[str, Any]


class TableCarrier:
    """The carrier of DynamoDB tables."""

    def __init__(
        self, reading: Wire, writing: Wire, order: CopyOrder, written: WrittenKeys
    ) -> None:
        del written  # no one else writes to the target, and BatchWriteItem has no conditions
        self._order = order
        self._source = TableClient(reading, order.source)
        self._writing = writing

    async def carry(self, keys: Collection[bytes]) -> CarryOutcome:
        """Bring `keys` of the target to the current state of the source.

        Raises WriteDeniedError and what else no later try cures.
        """
        return await carry_in_chunks(keys, self._writing, self._order, self._carry_chunk)

    async def _carry_chunk(self, keys: Sequence[bytes], target: TableClient) -> CarryOutcome:
        (items,), unread = await read_sides(keys, self._source)
        writes = {key: _write_of(key, items.get(key)) for key in keys if key not in unread}
        parts = [list(writes.items())[at : at + MAX_BATCH] for at in _starts(writes)]
        written = await gather_outcomes(_write(target, dict(part)) for part in parts)
        return CarryOutcome.join([CarryOutcome(failed=unread), written])


async def carry_in_chunks(
    keys: Collection[bytes],
    writing: Wire,
    order: CopyOrder,
    carry_chunk: Callable[[Sequence[bytes], TableClient], Awaitable[CarryOutcome]],
) -> CarryOutcome:
    """Carry as many keys together as one read takes, READS_AT_ONCE of such chunks at a time.

    `carry_chunk` is given the target to write to. Where a write may still arrive, all is in doubt.
    """
    watched = TrackedWire(writing)
    target = TableClient(watched, order.target)
    waiting, turn = list(keys), asyncio.Semaphore(READS_AT_ONCE)

    async def carry(at: int) -> CarryOutcome:
        async with turn:
            return await carry_chunk(waiting[at : at + READ_TOGETHER], target)

    whole = await gather_outcomes(carry(at) for at in range(0, len(waiting), READ_TOGETHER))
    return whole.as_uncertain() if watched.unclear else whole


async def read_sides(
    keys: Sequence[bytes], *sides: TableClient
) -> tuple[list[dict[bytes, Any]], frozenset[bytes]]:
    """The items of each side, by key, and the keys that one of them did not answer for.

    These are all keys where a later try may help. Raises WriteDeniedError and what else no later
    try cures.
    """
    items, unread = [], frozenset[bytes]()
    try:
        for side in sides:
            values, missing = await read_items(side, keys)
            items.append(values)
            unread |= missing
    except LookupFailedError as error:
        if isinstance(error, WriteDeniedError) or error.lacks_permission:
            raise
        return [{} for _ in sides], frozenset(keys)
    return items, unread


async def read_items(
    side: TableClient, keys: Sequence[bytes]
) -> tuple[dict[bytes, Any], frozenset[bytes]]:
    """The items of one side that there are, by key, read consistently, and the keys not read.

    Raises LookupFailedError and what else no later try cures.
    """
    decoded = [decode_key(key) for key in keys]
    names, name = tuple(decoded[0]), side.place.name
    body = encode({"RequestItems": {name: {"Keys": decoded, "ConsistentRead": True}}})
    try:
        answer = await side.call("BatchGetItem", body, _has_items(names, set(keys)))
    except TableRequestError as refusal:
        raise side.to_error(refusal.answer) from None
    return _read_items(answer, names)


async def gather_outcomes(parts: Iterable[Coroutine[Any, Any, CarryOutcome]]) -> CarryOutcome:
    """Let every part end, whatever becomes of the others; then raise the first error."""
    results = await asyncio.gather(*parts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return CarryOutcome.join([one for one in results if isinstance(one, CarryOutcome)])


def _starts(writes: Collection[object]) -> range:
    return range(0, len(writes), MAX_BATCH)


def _read_items(answer: Answer, names: Sequence[str]) -> tuple[dict[bytes, Any], frozenset[bytes]]:
    items = [item for some in answer["Responses"].values() for item in some]
    unread = [key for some in answer["UnprocessedKeys"].values() for key in some["Keys"]]
    return (
        {encode_key(item, names): item for item in items},
        frozenset(encode_key(key, names) for key in unread),
    )


def _has_items(names: Sequence[str], keys: Collection[bytes]) -> Shape:
    """An answer that speaks of the keys that were asked for alone: what it lacks is deleted."""

    def shape(answer: Answer) -> Judgement:
        try:
            items, unread = _read_items(answer, names)
        except (KeyError, TypeError, AttributeError):
            return Judgement.RETRY
        wrong = not (items.keys() <= set(keys) and unread <= set(keys) - items.keys())
        # A table of which nothing was found is named all the same.
        wrong = wrong or not (answer["Responses"] or unread == set(keys))
        return Judgement.RETRY if wrong else Judgement.DONE

    return shape


def _write_of(key: bytes, item: Any) -> Write:
    if item is None:
        return {"DeleteRequest": {"Key": decode_key(key)}}
    return {"PutRequest": {"Item": item}}


async def _write(target: TableClient, writes: Mapping[bytes, Write]) -> CarryOutcome:
    """Write one batch; each key of it where it refuses one."""
    name, keys = target.place.name, frozenset(writes)
    names = tuple(decode_key(next(iter(keys))))
    body = encode({"RequestItems": {name: list(writes.values())}})
    try:
        answer = await target.call("BatchWriteItem", body, _has_left(names, keys))
    except TableRequestError as refusal:
        if not refusal.answer.concerns_one_item:
            raise target.to_error(refusal.answer) from None
        return CarryOutcome.join(
            [await _write_alone(target, key, write) for key, write in writes.items()]
        )
    except LookupFailedError:
        return CarryOutcome(uncertain=keys)
    unwritten = _unwritten(answer, names)
    return CarryOutcome(keys - unwritten, failed=unwritten)


def _unwritten(answer: Answer, names: Sequence[str]) -> frozenset[bytes]:
    return frozenset(
        encode_key(_key_in(request), names)
        for requests in answer["UnprocessedItems"].values()
        for request in requests
    )


def _key_in(request: Write) -> Mapping[str, Any]:
    key: Mapping[str, Any] = (
        request["DeleteRequest"]["Key"]
        if "DeleteRequest" in request
        else request["PutRequest"]["Item"]
    )
    return key


def _has_left(names: Sequence[str], keys: Collection[bytes]) -> Shape:
    """An answer whose unprocessed items are some of those that were sent."""

    def shape(answer: Answer) -> Judgement:
        try:
            unwritten = _unwritten(answer, names)
        except (KeyError, TypeError, AttributeError):
            return Judgement.RETRY
        return Judgement.DONE if unwritten <= set(keys) else Judgement.RETRY

    return shape


async def _write_alone(target: TableClient, key: bytes, write: Write) -> CarryOutcome:
    """Put or delete one item; one that the target refuses for itself is listed."""
    operation = "DeleteItem" if "DeleteRequest" in write else "PutItem"
    (parameters,) = write.values()
    body = encode({"TableName": target.place.name, **parameters})
    try:
        await target.call(operation, body, has_nothing)
    except TableRequestError as refusal:
        skip = refusal.answer.skip_of(f"dynamodb:{operation}")
        if skip is None or not refusal.answer.concerns_one_item:
            raise target.to_error(refusal.answer) from None
        return CarryOutcome(conflicts=(Conflict(key, skip[1], is_refused=True),))
    except LookupFailedError:
        return CarryOutcome(uncertain=frozenset({key}))
    return CarryOutcome(frozenset({key}))
