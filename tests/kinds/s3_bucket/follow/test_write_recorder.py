"""What a chunk of carried keys puts on record: in few transactions, before it is acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.follow.feed import CarryOutcome
from dataware.core.follow.written import WrittenVersion
from dataware.core.model import Location
from dataware.core.ports import Request, Response
from dataware.kinds.s3_bucket.follow.carrier import BucketCarrier
from support.memory_aws import MemoryAws
from support.memory_buckets import stored

KEYS = [b"k%03d" % number for number in range(100)]
KMS = {"x-amz-server-side-encryption": "aws:kms"}


class Record(dict[bytes, WrittenVersion]):
    """What is on record; `saves` counts transactions, and it dies before the one after `dies`."""

    def __init__(self) -> None:
        super().__init__()
        self.saves = 0
        self.dies: int | None = None

    def find_written(self, asked: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """Those of `asked` that are there."""
        return {key: self[key] for key in asked if key in self}

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Keep versions."""
        self._transact()
        self.update(versions)

    def forget_written(self, forgotten: Collection[bytes]) -> None:
        """Forget keys."""
        self._transact()
        for key in forgotten:
            self.pop(key, None)

    def _transact(self) -> None:
        if self.dies == self.saves:
            raise KeyboardInterrupt
        self.saves += 1


class Wire:
    """The wire over AWS in memory; under KMS the ETag of a copy is no digest."""

    permit = None
    retries = 0

    def __init__(self, aws: MemoryAws, *, opaque: bool) -> None:
        self._aws = aws
        self._opaque = opaque

    async def send(self, request: Request) -> Response:
        """Answer as S3 does, judged."""
        response = await self._aws.exchange(request)
        if self._opaque and b"CopyObjectResult" in response.body:
            new = self._aws.buckets.content["new"]
            key = request.path.rpartition("/")[2].encode()
            new[key] = replace(new[key], etag=f"{new[key].etag[:-1]}z", headers=KMS)
            body = f"<CopyObjectResult><ETag>&quot;{new[key].etag}&quot;</ETag></CopyObjectResult>"
            response = Response(200, {}, body.encode())
        request.judge(response)
        return response

    async def close(self) -> None:
        """Nothing to release."""


@pytest.fixture
def aws() -> MemoryAws:
    """A source of a hundred objects, and an empty target."""
    memory = MemoryAws()
    memory.buckets.fill("old", {key: stored(b"1" + key) for key in KEYS})
    memory.buckets.fill("new")
    return memory


def carry(aws: MemoryAws, record: Record, *, opaque: bool = False) -> CarryOutcome:
    """Carry all keys as one chunk."""
    wire: Any = Wire(aws, opaque=opaque)
    old, new = (Location(name, "111122223333", "eu-west-1") for name in ("old", "new"))
    carrier = BucketCarrier(wire, wire, CopyOrder(old, new), record)
    return asyncio.run(carrier.carry(KEYS))


def test_a_lot_takes_two_transactions(aws: MemoryAws) -> None:
    """One says what is meant to be written, one what was, however many keys there are."""
    record = Record()
    assert carry(aws, record).carried == frozenset(KEYS)
    assert record.saves == 2
    assert {key: one.target for key, one in record.items()} == {
        key: one.etag for key, one in aws.buckets.content["new"].items()
    }


def test_a_run_that_dies_leaves_nothing_that_looks_like_a_stranger_s(aws: MemoryAws) -> None:
    """Before the chunk is on record, what was intended explains it. The next run goes on."""
    record = Record()
    record.dies = 1
    with pytest.raises(KeyboardInterrupt):
        carry(aws, record)
    record.dies = None
    assert len(aws.buckets.content["new"]) == len(KEYS)
    old = aws.buckets.content["old"]
    for key in KEYS:
        old[key] = stored(b"2" + key)
    outcome = carry(aws, record)
    assert (outcome.conflicts, outcome.carried) == ((), frozenset(KEYS))
    new = aws.buckets.content["new"]
    assert {key: one.body for key, one in new.items()} == {key: b"2" + key for key in KEYS}


def test_etags_that_nothing_explains_are_on_record_before_their_writes_count(
    aws: MemoryAws,
) -> None:
    """They go to the disk together, not one by one, and not only with the end of the chunk."""
    record = Record()
    assert carry(aws, record, opaque=True).carried == frozenset(KEYS)
    assert 2 <= record.saves <= 12
    assert all(one.source != one.target for one in record.values())


def test_what_is_deleted_is_forgotten_together(aws: MemoryAws) -> None:
    """Half of the source goes: deleted in the target, and off the record by one transaction."""
    record = Record()
    carry(aws, record)
    for key in KEYS[::2]:
        del aws.buckets.content["old"][key]
    before = record.saves
    assert carry(aws, record).carried == frozenset(KEYS)
    assert record.saves - before <= 2
    assert set(record) == set(aws.buckets.content["new"]) == set(KEYS[1::2])
