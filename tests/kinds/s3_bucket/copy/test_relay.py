"""Objects that pass through this machine: read by one side's keys, written by the other's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, SkipReason
from dataware.core.errors import RefusedError
from dataware.core.model import Location, OnConflict
from dataware.core.object_headers import ObjectHeaders
from dataware.core.ports import Request, Response
from dataware.core.read_only_wire import ReadOnlyWire
from dataware.kinds.s3_bucket.copy import relay, relayed_parts
from dataware.kinds.s3_bucket.copy.copier import make as make_copier
from dataware.kinds.s3_bucket.copy.objects import RELAYED_BYTES
from dataware.wire import RetryingWire
from support.buckets import DIFFICULT_KEYS, whole
from support.copying import LoopClock
from support.memory_aws import Call, Forward, MemoryAws, altering, saying
from support.memory_buckets import Stored, fault, stored, stored_in_parts
from support.operations import headers_sent
from support.virtual import run_virtually

LARGE = 40
PART = 16


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large here has some dozen bytes."""
    monkeypatch.setattr(relay, "WHOLE", LARGE)
    monkeypatch.setattr(relayed_parts, "PART", PART)
    monkeypatch.setattr(relayed_parts, "SMALLEST_PART", 5)
    monkeypatch.setattr(relayed_parts, "LARGEST_PART", 32)


class Side:
    """One side's transport over the same AWS, with what was sent over it."""

    permit = None

    def __init__(self, aws: MemoryAws) -> None:
        self._aws = aws
        self.sent: list[Request] = []

    async def exchange(self, request: Request) -> Response:
        """Answer, and keep the request."""
        self.sent.append(request)
        return await self._aws.exchange(request)

    async def close(self) -> None:
        """Nothing to release."""


class Relay:
    """A copy from `old` into `new` by two pairs of keys; `run` may be called again."""

    def __init__(self, aws: MemoryAws, **order: Any) -> None:
        self.aws = aws
        self.reading, self.writing = Side(aws), Side(aws)
        self._order = order

    def run(self) -> CopyOutcome:
        """Copy everything, and check which side was asked for what."""
        order = CopyOrder(
            Location("old", "444455556666", "eu-west-1", profile="partner"),
            Location("new", "111122223333", "us-east-1"),
            **self._order,
        )
        chance, outcomes = random.Random(1).random, []

        async def copy() -> None:
            clock = LoopClock()
            sides: Any = (self.writing, self.reading)
            wires = [RetryingWire(one, clock, chance, lambda _why: None) for one in sides]
            reading = ReadOnlyWire(wires[1])
            tools = CopyTools(None, wires[0], clock, reading=reading)  # type: ignore[arg-type]
            outcomes.append(await whole(make_copier(tools, order)))

        try:
            run_virtually(copy())
        finally:
            self.check_sides()
        return outcomes[0]

    def check_sides(self) -> None:
        """The source's keys read the source, the target's touch the target, and nothing else."""
        for request in self.reading.sent:
            assert request.method in {"GET", "HEAD"}, request
            assert bucket_of(request) == "old"
            assert headers_sent(request)["x-amz-expected-bucket-owner"] == "444455556666"
        for request in self.writing.sent:
            assert bucket_of(request) == "new", request
            assert "x-amz-copy-source" not in headers_sent(request)
            assert headers_sent(request)["x-amz-expected-bucket-owner"] == "111122223333"


def bucket_of(request: Request) -> str:
    """The bucket in a path."""
    return request.path.removeprefix("/").partition("/")[0]


def any_object(chance: random.Random) -> Stored:
    """An object of any size around the bounds, put at once or in parts, with attributes."""
    body = chance.randbytes(chance.choice([0, 1, PART, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE]))
    size = chance.choice([6, PART, 20, 200])
    made = stored_in_parts(body, size) if body and chance.random() < 0.5 else stored(body)
    headers = {
        "content-type": chance.choice(["text/plain", "application/x; y=z"]),
        "x-amz-meta-note": chance.choice(["a", "b  c", ""]),
        "x-amz-storage-class": chance.choice(["STANDARD", "STANDARD_IA"]),
    }
    tags = chance.choice([(), (("a", "1"), ("b & c", "=%"))])
    return replace(made, headers=headers, tags=tags)


def objects(seed: int) -> dict[bytes, Stored]:
    """A bucket of difficult keys."""
    chance = random.Random(seed)
    return {key.encode(): any_object(chance) for key in DIFFICULT_KEYS}


def shown(one: Stored) -> tuple[object, ...]:
    """What a user sees of an object."""
    return one.body, dict(one.headers), one.tags


@pytest.mark.parametrize("seed", range(8))
def test_everything_arrives_and_each_key_signs_for_its_own_side(seed: int) -> None:
    """Any size, attributes, tags and keys; a second run finds all of it and writes nothing."""
    aws = MemoryAws()
    aws.buckets.fill("old", objects(seed))
    aws.buckets.fill("new")
    outcome = Relay(aws).run()
    old, new = aws.buckets.content["old"], aws.buckets.content["new"]
    assert outcome.skipped == ()
    assert {key: shown(one) for key, one in new.items()} == {
        key: shown(one) for key, one in old.items()
    }
    assert aws.buckets.uploads == {}
    written = dict(aws.buckets.written)
    again = Relay(aws).run()
    assert (again.copied, again.skipped) == (0, ())
    assert aws.buckets.written == written


@pytest.mark.parametrize("size", [6, PART, 20, 32])
def test_the_parts_of_the_source_are_taken_over(size: int) -> None:
    """So the ETag stays what it was, and later runs and the verification need no closer look."""
    aws = MemoryAws()
    large = stored_in_parts(bytes(range(LARGE + 3)) * 3, size)
    aws.buckets.fill("old", {b"k": large})
    aws.buckets.fill("new")
    assert Relay(aws).run().copied == 1
    assert aws.buckets.content["new"][b"k"].etag == large.etag


def test_parts_that_are_too_large_or_uneven_are_not_taken_over() -> None:
    """Memory is bounded whatever the source's parts are."""
    aws = MemoryAws()
    body = bytes(400)
    uneven = replace(stored_in_parts(body, 100), first_part=10)
    aws.buckets.fill("old", {b"large": stored_in_parts(body, 100), b"uneven": uneven})
    aws.buckets.fill("new")
    assert Relay(aws).run().copied == 2
    assert {one.first_part for one in aws.buckets.content["new"].values()} == {PART}


def test_what_stands_in_the_target_is_not_replaced() -> None:
    """Every write has a condition, at once and in parts; who wins is the policy's."""
    old = {b"a": stored(b"mine"), b"b": stored(b"mine" * LARGE)}
    for policy, left in ((None, 2), (OnConflict.SOURCE, 0)):
        aws = MemoryAws()
        aws.buckets.fill("old", old)
        aws.buckets.fill("new", {b"a": stored(b"theirs"), b"b": stored(b"theirs" * LARGE)})
        outcome = Relay(aws, on_conflict=policy).run()
        conflicts = [one for one in outcome.skipped if one.reason is SkipReason.CONFLICT]
        assert len(conflicts) == left
        assert (aws.buckets.content["new"][b"a"].body == b"mine") is (left == 0)


@pytest.mark.parametrize("size", [5, 3 * LARGE])
def test_an_object_that_comes_in_between_is_kept(size: int) -> None:
    """The condition holds at the moment of the write, not of the look."""
    aws = MemoryAws()
    aws.buckets.fill("old", {b"k": stored(b"m" * size)})
    aws.buckets.fill("new")

    async def come_in_between(call: Call, forward: Forward) -> Response:
        aws.buckets.content["new"][b"k"] = stored(b"theirs")
        return forward(call)

    aws.add(come_in_between, "PutObject", "CompleteMultipartUpload", times=1)
    outcome = Relay(aws).run()
    assert [one.reason for one in outcome.skipped] == [SkipReason.CONFLICT]
    assert aws.buckets.content["new"][b"k"].body == b"theirs"
    assert aws.buckets.uploads == {}


@pytest.mark.parametrize("size", [5, 3 * LARGE])
@pytest.mark.parametrize("policy", [None, OnConflict.SOURCE])
def test_an_object_that_changes_meanwhile_is_told_as_that(
    size: int, policy: OnConflict | None
) -> None:
    """A read is pinned to the ETag of the listing, and its refusal says nothing of the target."""
    aws = MemoryAws()
    aws.buckets.fill("old", {b"k": stored(b"m" * size)})
    aws.buckets.fill("new", {b"k": stored(b"theirs")} if policy else {})

    async def change(call: Call, forward: Forward) -> Response:
        aws.buckets.content["old"][b"k"] = stored(b"n" * size)
        return forward(call)

    aws.add(change, "GetObject", times=1)
    outcome = Relay(aws, on_conflict=policy).run()
    assert [one.reason for one in outcome.skipped] == [SkipReason.CHANGED]
    assert aws.buckets.content["new"].get(b"k") in (None, stored(b"theirs"))


@pytest.mark.parametrize("spoil", [lambda body: body[:-1], lambda body: b"?" + body[1:]])
@pytest.mark.parametrize("etag", ["md5", "checksum"])
def test_a_body_that_is_not_the_object_is_read_again(spoil: Any, etag: str) -> None:
    """Torn or altered on the way, it is never written: the digest of the source tells."""
    aws = MemoryAws()
    one = stored(b"content")
    if etag == "checksum":
        kms = {"x-amz-server-side-encryption": "aws:kms", "x-amz-checksum-type": "FULL_OBJECT"}
        crc = relayed_parts.b64encode(relayed_parts._DIGESTS["CRC32"](b"content")).decode()
        one = replace(one, etag="f" * 32, headers={**kms, "x-amz-checksum-crc32": crc})
    aws.buckets.fill("old", {b"k": one})
    aws.buckets.fill("new")
    aws.add(altering(spoil), "GetObject", times=2)
    assert Relay(aws).run().copied == 1
    assert aws.buckets.content["new"][b"k"].body == b"content"
    assert aws.asked["GetObject"] == 3
    (sent,) = [call.request for call in aws.calls if call.operation == "PutObject"]
    assert ("x-amz-checksum-crc32" in headers_sent(sent)) is (etag == "checksum")


def test_a_lost_answer_writes_no_second_object() -> None:
    """The put that is sent again finds what the first one wrote, and takes it for equal."""
    aws = MemoryAws()
    aws.buckets.fill("old", {b"k": stored(b"content")})
    aws.buckets.fill("new")

    async def lose(call: Call, forward: Forward) -> Response:
        forward(call)
        raise TimeoutError

    aws.add(lose, "PutObject", times=1)
    outcome = Relay(aws).run()
    assert (outcome.copied + outcome.same, outcome.skipped) == (1, ())
    assert aws.buckets.written == {b"k": 1}


def test_a_part_that_is_denied_leaves_no_upload_behind() -> None:
    """The key is named with what it needs."""
    aws = MemoryAws()
    aws.buckets.fill("old", {b"k": stored(b"m" * 3 * LARGE)})
    aws.buckets.fill("new")
    aws.add(saying(fault(403, "AccessDenied")), "UploadPart", skip=2)
    (left,) = Relay(aws).run().skipped
    assert left.reason is SkipReason.DENIED
    assert aws.buckets.uploads == {}


class Killed(BaseException):
    """The end of the process, as far as the copier can tell."""


@pytest.mark.parametrize("at", range(1, 8))
def test_a_killed_upload_is_cleared_away_and_ended_by_the_next_run(at: int) -> None:
    """Whenever it was killed; the upload of a stranger stays."""
    aws = MemoryAws()
    aws.buckets.fill("old", {b"k": stored(b"m" * 5 * PART)})
    aws.buckets.fill("new")

    async def kill(call: Call, forward: Forward) -> Response:
        raise Killed

    aws.add(kill, "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", skip=at - 1)
    with pytest.raises(Killed):
        Relay(aws).run()
    aws.heal()
    left = len(aws.buckets.uploads)
    assert Relay(aws).run().copied == 1
    assert aws.buckets.content["new"][b"k"].body == b"m" * 5 * PART
    marked = at > 1
    assert len(aws.buckets.uploads) == (0 if marked else left)


def test_headers_and_who_pays_go_along() -> None:
    """What a target asks for is sent with a put and with an upload."""
    aws = MemoryAws()
    aws.buckets.fill("old", {b"a": stored(b"s"), b"b": stored(b"m" * 3 * LARGE)})
    aws.buckets.fill("new")
    assert Relay(aws, headers=ObjectHeaders("aws:kms", acl="private")).run().copied == 2
    begun = [
        headers_sent(call.request)
        for call in aws.calls
        if call.operation in {"PutObject", "CreateMultipartUpload"}
    ]
    assert len(begun) == 2
    for headers in begun:
        assert headers["x-amz-server-side-encryption"] == "aws:kms"
        assert headers["x-amz-acl"] == "private"


def test_memory_is_bounded_by_what_the_engine_is_told() -> None:
    """An object counts with what it holds in memory, however large it is."""
    aws = MemoryAws()
    aws.buckets.fill("old", {b"a": stored(b"12345")})
    aws.buckets.fill("new")
    for profile, size in (("partner", 5), ("", 0)):
        order = CopyOrder(
            Location("old", "1", "eu-west-1", profile=profile), Location("new", "1", "eu-west-1")
        )
        side: Any = Side(aws)
        wire = RetryingWire(side, LoopClock(), random.random, lambda _why: None)
        copier = make_copier(CopyTools(None, wire, LoopClock(), reading=wire), order)  # type: ignore[arg-type]
        (unit,) = asyncio.run(units(copier))
        assert unit.bytes == 4096 + size
        assert copier._pair.bytes_in_memory(10**12) == (RELAYED_BYTES if profile else 0)


async def units(copier: Any) -> list[Any]:
    """Every unit of a small bucket."""
    (part,) = await copier.partitions()
    return [unit async for page in copier.read(part, None) for unit in page.units]


def requests() -> Iterator[Request]:
    """Requests that write, in both protocols."""
    judge: Any = None
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        yield Request("s3", method, "/old/k", judge)
    for operation in ("PutItem", "BatchWriteItem", "DeleteTable", "UpdateTable"):
        target = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        yield Request("dynamodb", "POST", "/", judge, headers=target)


def test_a_write_by_the_credentials_of_the_source_is_never_signed() -> None:
    """Whatever asks for it, it is refused before the transport."""
    side: Any = Side(MemoryAws())
    wire = ReadOnlyWire(RetryingWire(side, LoopClock(), random.random, lambda _why: None))
    for request in requests():
        with pytest.raises(RefusedError, match="credentials of the source only read"):
            asyncio.run(wire.send(request))
    assert side.sent == []
