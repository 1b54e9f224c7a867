"""The function that follows a table in the account, by the same rules as the command line.

    stream ──(keys)──> queue, by groups of keys ──> current state of each key ──> target

The queue is the durable set of dirty keys. It gives a group of keys to one call at a time, so no
two calls carry the same key, and what a call does not settle comes back: a second later where it
was not written, a minute later where it may still arrive (`core.follow.feed`), and after the
queue's visibility timeout where the call itself died. That timeout is longer than a call and a
minute together. Amazon SQS Developer Guide, "FIFO queue delivery logic"; AWS Lambda Developer
Guide, "Using Lambda with Amazon DynamoDB" and "with Amazon SQS", ReportBatchItemFailures.

It carries only while its own name stands in the record of the migration and nobody has the lock: a
command that takes over has it to itself, and after a cut-over nothing is carried, nor while that is
undone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast
from zlib import crc32

from dataware.aws import SystemClock
from dataware.core.copier import CopyOrder, SkipReason
from dataware.core.events import event
from dataware.core.follow.feed import RETRY_SECONDS, UNKNOWN_OUTCOME_SECONDS, CarryOutcome
from dataware.core.model import Location, Marker, MarkerState
from dataware.handler.invocation import LambdaContext, open_account
from dataware.handler.source_stream import find_feed, require_following
from dataware.kinds import load
from dataware.ops.migration_policy import CARRIER, FOLLOWED
from dataware.report.jsonlines import JsonRenderer
from dataware.state import ParameterMarkers
from dataware.state.holder import execution
from dataware.state.marker_value import is_undone

if TYPE_CHECKING:
    from dataware.core.follow.following import AsyncCarrier
    from dataware.core.follow.written import WrittenKeys

GROUPS = 1024
"""Into how many groups keys are parted; those of one group are carried one after another."""

SENT_TOGETHER = 10
"""Messages of one SendMessageBatch (Amazon SQS API Reference)."""

LOOK_SECONDS = 5.0
"""For how long the record is believed, and so how late a command that takes over is seen."""

ENDING_SECONDS = 10.0
"""How long before the end of a call keys are given up, so that they come back in order."""


class NamedContext(LambdaContext, Protocol):
    """The part of Lambda's context object that is used here."""

    invoked_function_arn: str


def handler(request: Mapping[str, Any], context: NamedContext) -> dict[str, Any]:
    """Take records of the stream, or messages of the queue; which of them have to come again."""
    records = request["Records"]
    if records[0]["eventSource"] == "aws:sqs":
        failed = carry_keys(records, context)
    else:
        failed = queue_keys(records)
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}


def queue_keys(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Put the keys of records into the queue; the number of the first record that is not there.

    Lambda goes on with that one. What is sent twice is carried twice, which does no harm.
    """
    read_record = find_feed(load(os.environ["TYPE"])).read_record
    changed = [read_record(record) for record in records]
    missed = _send(list(dict(changed).items()))
    return [number for key, number in changed if key in missed][:1]


def carry_keys(messages: Sequence[Mapping[str, Any]], context: NamedContext) -> list[str]:
    """Bring the keys of messages to the current state of the source; what has to come again."""
    carrier = _open_carrier(context.invoked_function_arn)
    # Several messages may be about one key, which is settled or comes again with all of them.
    keys = list({_read_key(one) for one in messages})
    marker = carrier.look()
    if marker.state is MarkerState.COMPLETE:
        carrier.report_strays(keys)
        return []
    if not carrier.may_carry(marker):
        return _postpone(messages, UNKNOWN_OUTCOME_SECONDS)
    seconds = context.get_remaining_time_in_millis() / 1000 - ENDING_SECONDS
    outcome = carrier.carry(keys, seconds)
    failed, uncertain = (
        [one for one in messages if _read_key(one) in some]
        for some in (outcome.failed, outcome.uncertain)
    )
    return [*_postpone(failed, RETRY_SECONDS), *_postpone(uncertain, UNKNOWN_OUTCOME_SECONDS)]


class AccountCarrier:
    """What stays between calls: the account, the connections, and what the record said."""

    def __init__(self, settings: Mapping[str, str], name: str) -> None:
        source, target = (Location(**json.loads(settings[name])) for name in ("SOURCE", "TARGET"))
        self._order = CopyOrder(source, target)
        self._type = settings["TYPE"]
        self._record = (load(self._type).names.slug, target.name)
        self._name = name
        account = self._account = open_account()
        self._markers = ParameterMarkers(account, SystemClock(), execution(self._name))
        self._emit = JsonRenderer(sys.stdout)
        self._runner = asyncio.Runner()
        self._carrier: AsyncCarrier | None = None
        self._looked = float("-inf")
        self._marker: Marker

    def look(self) -> Marker:
        """The record of the migration, at most `LOOK_SECONDS` old. Raises LookupFailedError."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._marker = self._markers.get(*self._record)
            self._looked = time.monotonic()
        return self._marker

    def may_carry(self, marker: Marker) -> bool:
        """Whether this function is the one that carries, and no one else has the lock.

        An undo that was killed leaves the target in use, so nothing is carried into it.
        """
        is_ours = marker.detail.get(FOLLOWED) is True and marker.detail.get(CARRIER) == self._name
        is_open = marker.state is MarkerState.RUNNING and not is_undone(marker.detail)
        return is_open and is_ours and not marker.alive

    def carry(self, keys: Sequence[bytes], seconds: float) -> CarryOutcome:
        """Carry keys; what takes longer than `seconds` may still arrive. Raises denials."""
        try:
            outcome = self._runner.run(self._carry(keys, seconds))
        except TimeoutError:
            outcome = CarryOutcome(uncertain=frozenset(keys))
        for conflict in outcome.conflicts:
            key, reason = conflict.key.decode("utf-8", "backslashreplace"), SkipReason.CONFLICT
            words = {"key": key, "reason": reason.value, "detail": conflict.detail}
            self._emit(event("skipped", **words, **self._words))
        return outcome

    def report_strays(self, keys: Sequence[bytes]) -> None:
        """Name what somebody wrote to the source after the switch."""
        named = ", ".join(key.decode("utf-8", "backslashreplace") for key in keys)
        self._emit(event("stray-keys", keys=named, count=len(keys), **self._words))

    async def _carry(self, keys: Sequence[bytes], seconds: float) -> CarryOutcome:
        if self._carrier is None:
            reading, writing = (self._account.wire(_ignore) for _ in range(2))
            following = require_following(load(self._type))
            nothing = cast("WrittenKeys", None)  # only a guarded carrier asks who wrote what
            self._carrier = following.make_carrier(reading, writing, self._order, nothing)
        return await asyncio.wait_for(self._carrier.carry(keys), seconds)

    @property
    def _words(self) -> dict[str, object]:
        order = self._order
        return {"kind": self._record[0], "source": order.source.name, "name": order.target.name}


@cache
def _open_carrier(name: str) -> AccountCarrier:
    return AccountCarrier(os.environ, name)


@cache
def _queue() -> Any:
    return open_account().client("sqs")


def _send(keys: Sequence[tuple[bytes, str]]) -> set[bytes]:
    """Send keys, each with the number of its last record; those that the queue did not take."""
    missed: set[bytes] = set()
    for begin in range(0, len(keys), SENT_TOGETHER):
        some = keys[begin : begin + SENT_TOGETHER]
        entries = [
            {
                "Id": str(at),
                "MessageBody": b64encode(key).decode(),
                "MessageGroupId": str(crc32(key) % GROUPS),
                "MessageDeduplicationId": number,
            }
            for at, (key, number) in enumerate(some)
        ]
        answer = _queue().send_message_batch(QueueUrl=os.environ["QUEUE_URL"], Entries=entries)
        # What an answer passes over was not taken: it would never be carried.
        taken = {one["Id"] for one in answer.get("Successful", ())}
        missed |= {key for at, (key, _) in enumerate(some) if str(at) not in taken}
    return missed


def _read_key(message: Mapping[str, Any]) -> bytes:
    return b64decode(message["body"])


def _postpone(messages: Sequence[Mapping[str, Any]], seconds: float) -> list[str]:
    """Let messages come again after `seconds`; without that, after the visibility timeout."""
    if messages:
        entries = [
            {
                "Id": str(at),
                "ReceiptHandle": one["receiptHandle"],
                "VisibilityTimeout": int(seconds),
            }
            for at, one in enumerate(messages)
        ]
        _queue().change_message_visibility_batch(QueueUrl=os.environ["QUEUE_URL"], Entries=entries)
    return [one["messageId"] for one in messages]


def _ignore(_reason: str) -> None:
    """A throttled request is tried again by the wire, and in the end comes back by the queue."""
