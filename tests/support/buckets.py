"""What tests of the S3 kind share: accounts, a copy without the engine, and difficult keys."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dataware.aws.clock import SystemClock
from dataware.aws.session import Account
from dataware.cli.transport import make_wire
from dataware.core.copier import Copier, CopyOrder, CopyOutcome, CopyTools, Unit, UnitPage
from dataware.core.model import Location, Size
from dataware.core.ports import Request, Response, Wire
from dataware.kinds.s3_bucket import KIND
from dataware.kinds.s3_bucket.copy.copier import make as make_copier
from support.readers import read_entries

REGION = "us-east-1"
DIFFICULT_KEYS = (
    "a b",
    "a+b",
    "é漢😀",
    "x//y",
    "/lead",
    "trail/",
    "nl\nx",
    "tab\t",
    "cr\rx",
    "del\x7f",
    "c\x01z",
    "pct%20x",
    "%",
    "q?a=b&c",
    "#h",
    "a\\b",
    "..",
    ".",
    "a/../b",
    "a/./b",
    "<&>\"'",
    "~!*()",
    "  sp ",
    ";:@=,$",
    "k" * 1024,
)


def many_keys(difficult: Iterable[str]) -> list[str]:
    """Some hundred keys that ranges have to part: numbered, nested, foreign and difficult ones."""
    numbered = [f"data/{number:05d}.bin" for number in range(120)]
    nested = [f"logs/2024/{day:02d}/{hour:02d}" for day in range(1, 11) for hour in range(6)]
    return sorted({*numbered, *nested, *(f"漢/{number}" for number in range(20)), *difficult})


def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a few hundred keys a bucket of many pages, which is split."""
    for name, size in (("listing.PAGE", 20), ("partitions.PAGE", 20), ("partitions.GLANCE", 5)):
        monkeypatch.setattr(f"dataware.kinds.s3_bucket.copy.{name}", size)


def account(**settings: Any) -> Account:
    """The account that the environment points to."""
    return Account.open(make_wire, region=REGION, **settings)


def place(aws: Account, bucket: str, prefix: str = "") -> Location:
    """A bucket of the account itself."""
    return Location(bucket, aws.account, REGION, prefix)


def put(
    aws: Account, key: str, body: bytes = b"data", bucket: str = "old-bucket", **more: Any
) -> None:
    """Put an object as a user would."""
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **more)


def get(aws: Account, key: str, bucket: str = "new-bucket") -> bytes:
    """The content of an object."""
    body: bytes = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def make_pair(aws: Account) -> tuple[str, str]:
    """Make two buckets on a server that all tests share, and say their names."""
    names = (f"old-{uuid.uuid4().hex[:12]}", f"new-{uuid.uuid4().hex[:12]}")
    for name in names:
        aws.client("s3").create_bucket(Bucket=name)
    return names


def keys(aws: Account, bucket: str = "new-bucket") -> list[str]:
    """The keys of a bucket."""
    page = aws.client("s3").list_objects_v2(Bucket=bucket)
    return [one["Key"] for one in page.get("Contents", ())]


def fault(status: int, code: str, message: str = "", condition: str = "") -> Response:
    """An error answer of S3."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>"
    return Response(status, {}, f"{body}<Condition>{condition}</Condition></Error>".encode())


class Recording:
    """A wire that keeps what is sent, and lets a test answer in the server's place."""

    def __init__(
        self, wire: Wire, answer: Callable[[Request], Response | None] = lambda _request: None
    ) -> None:
        self._wire = wire
        self._answer = answer
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        """Record, and send unless the test answers."""
        self.requests.append(request)
        answer = self._answer(request)
        if answer is None:
            return await self._wire.send(request)
        request.judge(answer)
        return answer

    async def close(self) -> None:
        """Close the wire below."""
        await self._wire.close()


def order(aws: Account, source: str, target: str, **changes: Any) -> CopyOrder:
    """An order from one bucket of the account to another; ``name/prefix`` means a part of it."""
    one, other = (place(aws, *side.partition("/")[::2]) for side in (source, target))
    return CopyOrder(one, other, **changes)


def copy(
    aws: Account,
    the_order: CopyOrder,
    *,
    after: str | None = None,
    answer: Callable[[Request], Response | None] = lambda _request: None,
) -> tuple[CopyOutcome, list[Request]]:
    """Run a whole copy; what became of it in sum, and every request that was sent."""

    async def run() -> tuple[CopyOutcome, list[Request]]:
        wire = Recording(aws.wire(lambda _reason: None), answer)
        try:
            copier = make_copier(CopyTools(aws, wire, SystemClock()), the_order)
            return await whole(copier, after), wire.requests
        finally:
            await wire.close()

    return asyncio.run(run())


async def whole(copier: Copier, after: str | None = None) -> CopyOutcome:
    """Read and write everything, or what comes after a cursor, eight units at a time."""
    gate = asyncio.Semaphore(8)

    async def write(unit: Unit) -> CopyOutcome:
        async with gate:
            return await copier.write(unit)

    outcomes: list[CopyOutcome] = []
    for partition in await copier.partitions() if after is None else [""]:
        async for page in copier.read(partition, after):
            outcomes.append(CopyOutcome(same=page.same, skipped=page.skipped))
            outcomes += await asyncio.gather(*map(write, page.units))
    return total(outcomes)


def total(outcomes: Iterable[CopyOutcome]) -> CopyOutcome:
    """The sum of outcomes."""
    parts = list(outcomes)
    return CopyOutcome(
        sum(one.copied for one in parts),
        sum(one.same for one in parts),
        sum(one.bytes for one in parts),
        tuple(left for one in parts for left in one.skipped),
    )


def partitions(aws: Account, the_order: CopyOrder) -> list[str]:
    """The parts that a copier finds."""

    async def run() -> list[str]:
        wire = aws.wire(lambda _reason: None)
        try:
            return list(
                await make_copier(CopyTools(aws, wire, SystemClock()), the_order).partitions()
            )
        finally:
            await wire.close()

    return asyncio.run(run())


def pages(aws: Account, the_order: CopyOrder, after: str | None = None) -> list[UnitPage]:
    """The pages that a copier reads."""

    async def run() -> list[UnitPage]:
        wire = aws.wire(lambda _reason: None)
        try:
            copier = make_copier(CopyTools(aws, wire, SystemClock()), the_order)
            return [page async for page in copier.read("", after)]
        finally:
            await wire.close()

    return asyncio.run(run())


def size(aws: Account, the_order: CopyOrder) -> Size:
    """How much a copier says there is to copy."""

    async def run() -> Size:
        wire = aws.wire(lambda _reason: None)
        try:
            return await make_copier(CopyTools(aws, wire, SystemClock()), the_order).size()
        finally:
            await wire.close()

    return asyncio.run(run())


def differences(aws: Account, the_order: CopyOrder, *, deep: bool = False) -> list[str]:
    """What an independent reader finds different between both sides, by key."""
    versions = the_order.all_versions
    make = KIND.require_copying().reader
    assert make is not None
    mine = make(aws, the_order.source, all_versions=versions, deep=deep)
    theirs = make(aws, the_order.target, all_versions=versions, deep=deep)
    left = {entry.key: entry for entry in read_entries(mine, "")}
    right = {entry.key: entry for entry in read_entries(theirs, "")}
    found = [f"{key!r} only on one side" for key in left.keys() ^ right.keys()]
    for key in left.keys() & right.keys():
        if left[key].digest == right[key].digest:
            continue
        if mine.same(left[key], theirs, right[key]) is None:
            found.append(f"{key!r} differs")
    return found
