"""DynamoDB's JSON protocol over the wire: requests, and what their answers mean.

An operation is one POST with the header X-Amz-Target (Amazon DynamoDB Developer Guide, "DynamoDB
low-level API"). An answer is believed only if its JSON is whole and it has the shape that the
operation promises (the wire has checked its CRC-32); anything else is asked again. Numbers are
JSON strings in this protocol, so no value is ever converted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from dataware.core.errors import DatawareError
from dataware.core.model import Location
from dataware.core.ports import Judgement, Request, Response, Wire
from dataware.http.error_answer import ErrorAnswer, RequestRefusedError, read_json_error
from dataware.kinds.dynamodb_table.copy.decoding import json_object

Answer = dict[str, Any]
Shape = Callable[[Answer], Judgement]
Decode = Callable[[bytes], Answer]


class TableRequestError(RequestRefusedError):
    """An error answer that no retry changes; `body` is all that it says. Callers translate it."""

    def __init__(self, answer: ErrorAnswer, body: Answer) -> None:
        super().__init__(answer)
        self.body = body


@dataclass(frozen=True, slots=True)
class TableClient:
    """One side of a copy as the wire sees it."""

    wire: Wire
    place: Location

    async def call(
        self, operation: str, body: bytes, shape: Shape, decode: Decode = json_object
    ) -> Answer:
        """The answer of an operation; raises TableRequestError for an error that no retry changes.

        `decode` reads a body, and raises ValueError for one that is torn.
        """
        exchange = _Exchange(operation, shape, decode)
        await self.wire.send(
            Request(
                service="dynamodb",
                method="POST",
                path="/",
                judge=exchange.judge,
                body=body,
                region=self.place.region,
                shared=_headers(operation),
            )
        )
        if exchange.refused is not None:
            raise TableRequestError(exchange.refused, exchange.answer)
        return exchange.answer

    async def ask(
        self, operation: str, shape: Shape, decode: Decode = json_object, **parameters: Any
    ) -> Answer:
        """The answer of an operation on this table; NotFoundError and LookupFailedError."""
        body = encode({"TableName": self.place.name, **parameters})
        try:
            return await self.call(operation, body, shape, decode)
        except TableRequestError as refusal:
            raise self.to_error(refusal.answer) from None

    def to_error(self, answer: ErrorAnswer) -> DatawareError:
        """A refusal in a sentence; the service's own message stays out: it may quote values."""
        # The message of a denial names actions and policies only.
        shown = answer if answer.is_denied else replace(answer, message="")
        what = f"table {self.place.name} ({self.place.region})"
        return shown.to_error(what, f"dynamodb:{answer.operation}")


@cache
def _headers(operation: str) -> Mapping[str, str]:
    return {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": f"DynamoDB_20120810.{operation}",
        # The checksum covers the bytes as sent, so they are not to be compressed.
        "accept-encoding": "identity",
    }


class _Exchange:
    """One request's judge, which keeps what it decoded of the answer it judged last."""

    def __init__(self, operation: str, shape: Shape, decode: Decode) -> None:
        self._operation = operation
        self._shape = shape
        self._decode = decode
        self.answer: Answer = {}
        self.refused: ErrorAnswer | None = None

    def judge(self, response: Response) -> Judgement:
        self.answer, self.refused = {}, None
        try:
            answer = (self._decode if response.status == 200 else json_object)(response.body)
        except ValueError:
            return Judgement.THROTTLED if response.status == 503 else Judgement.RETRY
        self.answer = answer
        if response.status == 200:
            return Judgement.RETRY if "__type" in answer else self._shape(answer)
        refused = read_json_error(self._operation, response, answer)
        if not refused.is_named:
            return Judgement.THROTTLED if response.status in (429, 503) else Judgement.RETRY
        verdict = refused.judge()
        if verdict is Judgement.FAILED:
            self.refused = refused
        return verdict


def encode(value: Any) -> bytes:
    """Compact JSON; everything beyond ASCII is escaped, so any string survives."""
    return json.dumps(value, separators=(",", ":")).encode()


def has_page(answer: Answer) -> Judgement:
    """A scan's page whose counts agree with its items, and that is the last or names the next one.

    Without a filter DynamoDB returns all that it has scanned (API Reference, Scan).
    """
    items, last = answer.get("Items"), answer.get("LastEvaluatedKey")
    if not isinstance(items, list) or answer.get("Count") != len(items):
        return Judgement.RETRY
    if answer.get("ScannedCount") not in (None, len(items)):
        return Judgement.RETRY
    is_key = isinstance(last, dict) and bool(last)
    return Judgement.DONE if last is None or is_key else Judgement.RETRY


def has_table(answer: Answer) -> Judgement:
    """A table's description."""
    table = answer.get("Table")
    return Judgement.DONE if isinstance(table, dict) and "KeySchema" in table else Judgement.RETRY


def has_nothing(_answer: Answer) -> Judgement:
    """An operation whose success has no content beyond being a JSON object."""
    return Judgement.DONE


def has_written(count: int) -> Shape:
    """A batch of `count` items of which at least one was written.

    A batch that comes back whole is a request to slow down, like the exception that DynamoDB
    answers with when every item is throttled (API Reference, BatchWriteItem).
    """

    def shape(answer: Answer) -> Judgement:
        try:
            unprocessed = unprocessed_items(answer)
        except (KeyError, TypeError, AttributeError):
            return Judgement.RETRY
        return Judgement.THROTTLED if len(unprocessed) >= count else Judgement.DONE

    return shape


def unprocessed_items(answer: Answer) -> list[Mapping[str, Any]]:
    """The items of a batch that were not written."""
    return [
        request["PutRequest"]["Item"]
        for requests in answer["UnprocessedItems"].values()
        for request in requests
    ]
