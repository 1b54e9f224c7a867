"""Tables for tests: items of every type, a transport in memory, and a copy from end to end."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from zlib import crc32

import pytest

from dataware.aws import Account, SystemClock
from dataware.cli.transport import transport
from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, UnitPage
from dataware.core.model import Location, OnConflict
from dataware.core.ports import Request, Response
from dataware.kinds.dynamodb_table import KIND
from dataware.kinds.dynamodb_table.copy.copier import TableCopier
from dataware.wire import RetryBudget, RetryingWire
from support.peers import Peer

Handler = Callable[[str, dict[str, Any]], Response]

EVERY_TYPE: tuple[Mapping[str, Any], ...] = (
    {"pk": {"S": "binary"}, "b": {"B": bytes(range(256))}, "bs": {"BS": [b"\0", b"\xff"]}},
    {"pk": {"S": "sets"}, "ss": {"SS": ["b", "a", "é"]}, "ns": {"NS": ["1", "2.5", "-3E-10"]}},
    {
        "pk": {"S": "numbers"},
        "long": {"N": "12345678901234567890123456789012345678"},
        "large": {"N": "9.9999999999999999999999999999999999999E+125"},
        "small": {"N": "-1E-130"},
        "zero": {"N": "0"},
    },
    {"pk": {"S": "empty"}, "s": {"S": ""}, "b": {"B": b""}, "m": {"M": {}}, "l": {"L": []}},
    {"pk": {"S": "plain"}, "t": {"BOOL": True}, "f": {"BOOL": False}, "n": {"NULL": True}},
    {
        "pk": {"S": "nested"},
        "m": {"M": {"l": {"L": [{"M": {"x": {"NS": ["1"]}}}, {"S": "1"}, {"N": "1"}]}}},
    },
    {"pk": {"S": 'unicode \U0001f680 \u2028 " \\ \x00 \x7f'}, "näme": {"S": "日本語 🚀"}},
    {"pk": {"S": "large"}, "s": {"S": "x" * 399 * 1024}},
    {"pk": {"S": "large-unicode"}, "s": {"S": "é" * 199 * 1024}},
)


class FakeClock:
    """A clock that jumps ahead instead of waiting; `slept` keeps the waits."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return self.monotonic()

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class FakeTransport:
    """Answers every request by `handler(operation, body)` and keeps what was asked."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def exchange(self, request: Request) -> Response:
        operation = request.shared["x-amz-target"].rpartition(".")[2]
        body = json.loads(request.body)
        self.asked.append((operation, body))
        return self._handler(operation, body)

    async def close(self) -> None:
        return

    def count(self, operation: str) -> int:
        """How often an operation was asked for."""
        return sum(1 for asked, _ in self.asked if asked == operation)


def respond(body: Mapping[str, Any], status: int = 200) -> Response:
    """An answer as DynamoDB sends it."""
    raw = json.dumps(body).encode()
    return Response(status, {"x-amz-crc32": str(crc32(raw))}, raw)


def refuse(code: str, message: str = "", **more: Any) -> Response:
    """An error as DynamoDB sends it."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return respond({"__type": kind, "message": message, **more}, 400)


def described(**more: Any) -> Response:
    """The description of a table with the key `pk`."""
    return respond({"Table": {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], **more}})


def copier_over(
    transport: FakeTransport,
    *,
    exclusive: bool = False,
    on_conflict: OnConflict | None = None,
    throttled: Callable[[str], None] = lambda _reason: None,
) -> tuple[TableCopier, FakeClock]:
    """A copier from ``old`` to ``new`` over a transport in memory, and its clock."""
    clock = FakeClock()
    wire = RetryingWire(
        transport, clock, lambda: 0.5, throttled, RetryBudget(attempts=5, seconds=60)
    )
    order = CopyOrder(place("old"), place("new"), on_conflict=on_conflict, exclusive=exclusive)
    return TableCopier(CopyTools(None, wire, clock), order), clock  # type: ignore[arg-type]  # no Aws


def place(name: str) -> Location:
    """A table of the embedded AWS."""
    return Location(name, "000000000000", "us-east-1")


def account() -> Account:
    """The account that the environment points to; the same one as long as it does."""
    return _account(os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"])


@cache
def _account(_endpoint: str, _key: str) -> Account:
    return Account.open(
        lambda access, throttled: RetryingWire(
            transport(access),
            SystemClock(),
            random.random,
            throttled,
            RetryBudget(base=0.001, cap=0.01),
        )
    )


def make_table(aws: Account, name: str, **more: Any) -> None:
    """A table with the key `pk`, or whatever `more` says."""
    settings: dict[str, Any] = {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    aws.client("dynamodb").create_table(TableName=name, **{**settings, **more})


def put(aws: Account, name: str, items: Iterable[Mapping[str, Any]]) -> None:
    """Put items one by one."""
    for item in items:
        aws.client("dynamodb").put_item(TableName=name, Item=item)


def everything(aws: Account, name: str) -> list[dict[str, Any]]:
    """Every item of a table, ordered by its key."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=name)
    items = [item for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: json.dumps(item["pk"], default=repr))


async def copy(aws: Account, order: CopyOrder) -> CopyOutcome:
    """Copy all partitions one after another, and add up what became of them."""
    wire = aws.wire(lambda _reason: None)
    copier = KIND.require_copying().copier(CopyTools(aws, wire, SystemClock()), order)
    outcomes: list[CopyOutcome] = []
    try:
        for partition in await copier.partitions():
            async for page in copier.read(partition, None):
                outcomes += [await copier.write(unit) for unit in page.units]
    finally:
        await wire.close()
    return total(outcomes)


def total(outcomes: Sequence[CopyOutcome]) -> CopyOutcome:
    """The sum of outcomes."""
    return CopyOutcome(
        sum(each.copied for each in outcomes),
        sum(each.same for each in outcomes),
        sum(each.bytes for each in outcomes),
        tuple(left for each in outcomes for left in each.skipped),
    )


def units_of(pages: Sequence[UnitPage]) -> int:
    """How many items the units of pages hold."""
    return sum(unit.items for page in pages for unit in page.units)


def use_two_empty_tables(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the environment to a server that then has an empty ``old`` and an empty ``new``."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", peer.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", peer.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", peer.secret)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    aws = account()
    for name in aws.client("dynamodb").list_tables()["TableNames"]:
        aws.client("dynamodb").delete_table(TableName=name)
    for name in ("old", "new"):
        make_table(aws, name)
