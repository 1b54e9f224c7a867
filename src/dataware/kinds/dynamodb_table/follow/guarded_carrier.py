"""Carries keys into a table to which others may write, such as one that a stack owns.

A carry replaces only what the copy or an earlier carry wrote (`core.follow.written`): the digest of
each item that was written is on record by its key.

    source    target                        then
    there     absent                        put, only if the key is still free
    there     ours, another version         put, only while it is what was seen
    there     equal                         nothing
    gone      ours                          delete, only while it is what was seen
    gone      absent                        nothing
    any       none of these                 nothing; a conflict is listed

DynamoDB compares no whole items, so a write demands of each attribute that was seen that it is
still the same, and of each new one that it is still absent (Amazon DynamoDB API Reference, PutItem
and DeleteItem, ConditionExpression; Developer Guide, "Condition and filter expressions": at most
300 operators). Who is faster makes DynamoDB refuse the write, and the key is looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.core.copier import CopyOrder
from dataware.core.errors import LookupFailedError, WriteDeniedError
from dataware.core.follow.feed import CarryOutcome, Conflict
from dataware.core.follow.written import NOT_WRITTEN, WrittenKeys, WrittenVersion
from dataware.core.ports import Wire
from dataware.kinds.dynamodb_table.copy.client import (
    TableClient,
    TableRequestError,
    encode,
    has_nothing,
)
from dataware.kinds.dynamodb_table.follow.carrier import (
    carry_in_chunks,
    gather_outcomes,
    read_sides,
)
from dataware.kinds.dynamodb_table.follow.item_digest import digest_item
from dataware.kinds.dynamodb_table.follow.keys import decode_key

WRITES_AT_ONCE = 64
MOST_COMPARED = 140
"""Attributes that one condition speaks of, each with up to two operators."""

NOT_OURS = "the target holds an item that this follow did not write; it was kept"
_REFUSED = "ConditionalCheckFailedException"

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ItemState:
    """A key as both sides have it, and what is on record of it; digests are "" without an item."""

    key: bytes
    source: Item | None
    target: Item | None
    written: WrittenVersion
    source_digest: str
    target_digest: str

    @property
    def is_current(self) -> bool:
        """Whether the target has what the source has."""
        return self.source_digest == self.target_digest

    @property
    def is_ours(self) -> bool:
        """Whether nothing of anybody else stands in the target."""
        return self.target is None or self.is_current or self.written.explains(self.target_digest)

    def record_intention(self) -> WrittenVersion:
        """What is on record before the write that is about to be sent."""
        present = self.target_digest
        if self.is_current:
            return WrittenVersion(present, present)
        settled = self.written.settle(present) if present else NOT_WRITTEN
        return settled._replace(intended=self.source_digest)


class GuardedTableCarrier:
    """The carrier of tables that others may write to."""

    def __init__(
        self, reading: Wire, writing: Wire, order: CopyOrder, written: WrittenKeys
    ) -> None:
        self._source = TableClient(reading, order.source)
        self._reader = TableClient(reading, order.target)
        self._order = order
        self._writing = writing
        self._written = written
        self._turn = asyncio.Semaphore(WRITES_AT_ONCE)

    async def carry(self, keys: Collection[bytes]) -> CarryOutcome:
        """Bring `keys` of the target to the current state of the source.

        Raises WriteDeniedError and what else no later try cures.
        """
        return await carry_in_chunks(keys, self._writing, self._order, self._carry_chunk)

    async def _carry_chunk(self, keys: Sequence[bytes], target: TableClient) -> CarryOutcome:
        (there, here), failed = await read_sides(keys, self._source, self._reader)
        states = self._judge([key for key in keys if key not in failed], there, here)
        ours = [state for state in states if state.is_ours]
        theirs = tuple(Conflict(state.key, NOT_OURS) for state in states if not state.is_ours)
        # Put on disk what is about to be written, before any of it is sent.
        self._written.save_written(
            {one.key: one.record_intention() for one in ours if one.source is not None}
        )
        done = await gather_outcomes(self._swap(target, state) for state in ours)
        self._record(state for state in ours if state.key in done.carried)
        return CarryOutcome.join([CarryOutcome(failed=failed, conflicts=theirs), done])

    def _judge(
        self, keys: Sequence[bytes], there: Mapping[bytes, Item], here: Mapping[bytes, Item]
    ) -> list[ItemState]:
        on_record = self._written.find_written(keys)
        return [
            ItemState(
                key,
                there.get(key),
                here.get(key),
                on_record.get(key, NOT_WRITTEN),
                digest_item(there[key]) if key in there else "",
                digest_item(here[key]) if key in here else "",
            )
            for key in keys
        ]

    def _record(self, states: Any) -> None:
        done = list(states)
        self._written.save_written(
            {
                one.key: WrittenVersion(one.source_digest, one.source_digest)
                for one in done
                if one.source is not None and not one.is_current
            }
        )
        if gone := [one.key for one in done if one.source is None and one.written != NOT_WRITTEN]:
            self._written.forget_written(gone)

    async def _swap(self, target: TableClient, state: ItemState) -> CarryOutcome:
        key = frozenset({state.key})
        if state.is_current:
            return CarryOutcome(carried=key)
        operation = "DeleteItem" if state.source is None else "PutItem"
        body = encode({"TableName": target.place.name, **_write_of(state)})
        async with self._turn:
            try:
                await target.call(operation, body, has_nothing)
            except TableRequestError as refusal:
                if refusal.answer.code == _REFUSED:
                    return CarryOutcome(failed=key)
                skip = refusal.answer.skip_of(f"dynamodb:{operation}")
                if skip is None or not refusal.answer.concerns_one_item:
                    raise target.to_error(refusal.answer) from None
                refused = Conflict(state.key, skip[1], is_refused=True)
                return CarryOutcome(conflicts=(refused,))
            except LookupFailedError as error:
                if isinstance(error, WriteDeniedError) or error.lacks_permission:
                    raise
                return CarryOutcome(uncertain=key)
        return CarryOutcome(carried=key)


def _write_of(state: ItemState) -> dict[str, Any]:
    """The write, and the condition that the target is still as it was seen."""
    if state.source is None:
        what: dict[str, Any] = {"Key": decode_key(state.key)}
    else:
        what = {"Item": state.source}
    compared = dict(list((state.target or {}).items())[:MOST_COMPARED])
    added = [name for name in decode_key(state.key) if state.target is None][:1]
    if state.target is not None and state.source is not None:
        added = [name for name in state.source if name not in state.target]
    added = added[: MOST_COMPARED - len(compared)]
    names = {f"#{number}": name for number, name in enumerate([*compared, *added])}
    same = [f"#{number}=:{number}" for number in range(len(compared))]
    free = [f"attribute_not_exists(#{len(compared) + number})" for number in range(len(added))]
    values = {f":{number}": value for number, value in enumerate(compared.values())}
    return {
        **what,
        "ConditionExpression": " AND ".join([*same, *free]),
        "ExpressionAttributeNames": names,
        **({"ExpressionAttributeValues": values} if values else {}),
    }
