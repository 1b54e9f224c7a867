"""Requests that the service carried out although their answer was lost, and so were sent again.

The second try of a conditional write fails its condition because the first one succeeded: that is
no conflict, and no key is counted twice.
"""

from __future__ import annotations

import random

import pytest

from dataware.core.errors import WriteDeniedError
from dataware.core.model import OnConflict
from dataware.core.ports import Response
from support.accounting import check_identity
from support.memory_aws import Call, Fault, Forward, losing_the_answer, saying
from support.memory_buckets import fault as s3_fault
from support.memory_jobs import Job, filled

LOST: dict[str, Fault] = {
    "reset": losing_the_answer(ConnectionError("reset by peer")),
    "time-out": losing_the_answer(TimeoutError("silence")),
}
WAYS = {
    "batches": {"kind": "table"},
    "conditional puts": {"kind": "table", "exclusive": False},
    "conditional copies": {"kind": "bucket"},
    "copies in parts": {"kind": "bucket", "multipart_threshold": 3, "part_size": 3},
}
OPERATIONS = (
    "BatchWriteItem",
    "PutItem",
    "CopyObject",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
)
EVERY_WAY = pytest.mark.parametrize("way", WAYS)


def job_of(way: str, count: int, seed: int) -> Job:
    """A copy by one way of writing."""
    return filled(**WAYS[way], count=count, seed=seed)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("policy", [None, *OnConflict])
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
@EVERY_WAY
def test_a_write_whose_answer_was_lost_counts_once(
    way: str, lost: Fault, policy: OnConflict | None
) -> None:
    """Half of all writes are done without an answer: no conflict under any policy, sums add up."""
    chance = random.Random(f"{way} {policy}")
    job = job_of(way, 50, seed=3)
    job.on_conflict = policy
    hit: list[str] = []

    async def fault(call: Call, forward: Forward) -> Response:
        hit.append(call.operation)
        return await lost(call, forward)

    job.aws.add(fault, *OPERATIONS, when=lambda _call: chance.random() < 0.5)
    job.run()
    assert not job.check_whole().skip_reasons
    assert hit


@EVERY_WAY
def test_every_first_answer_is_lost(way: str) -> None:
    """Even when each and every first try is done without an answer, all is counted once."""
    job = job_of(way, 20, seed=4)
    seen: set[object] = set()

    def first(call: Call) -> bool:
        request = call.request
        key = (request.method, request.path, request.query, request.body)
        new = key not in seen
        seen.add(key)
        return new

    job.aws.add(LOST["reset"], *OPERATIONS, when=first)
    job.run()
    assert not job.check_whole().skip_reasons


def test_an_error_500_after_the_work_is_no_conflict() -> None:
    """A service may say that it failed although it did not."""

    async def late(call: Call, forward: Forward) -> Response:
        forward(call)
        return s3_fault(500, "InternalError")

    job = job_of("conditional copies", 30, seed=5)
    job.aws.add(late, "CopyObject", times=20)
    job.run()
    progress = job.check_whole()
    assert (progress.counts.same, progress.counts.copied) == (20, 10)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "batches"])
def test_a_strangers_value_is_told_from_ones_own_lost_write(way: str) -> None:
    """What somebody else wrote stays a conflict, and is not touched."""
    job = job_of(way, 20, seed=6)
    mine = _put_strangers_value(job)
    job.aws.add(LOST["reset"], *OPERATIONS, times=15)
    job.run()
    progress = check_identity(job.journal.kept, 20)
    assert progress.skip_reasons == {"conflict": 1}
    assert job.content("new")[mine] != job.content("old")[mine]
    assert len(job.content("new")) == 20


def _put_strangers_value(job: Job) -> object:
    key = sorted(job.content("old"))[7]
    if job.kind == "table":
        item = job.aws.tables.content["old"][key]
        job.aws.tables.content["new"][key] = {**item, "v": {"S": "a stranger's"}}
    else:
        one = job.aws.buckets.content["old"][key]
        other = type(one)(b"a stranger's", "0" * 32, one.headers)
        job.aws.buckets.content["new"][key] = other
    return key


def test_a_copy_that_is_refused_for_good_is_not_sent_again() -> None:
    """A refusal is an answer: it is taken at its word, and its reason is kept."""
    job = job_of("conditional copies", 10, seed=7)
    job.aws.add(saying(s3_fault(403, "AccessDenied")), "CopyObject", skip=1)
    job.run()
    assert check_identity(job.journal.kept, 10).skip_reasons == {"denied": 9}
    assert job.aws.asked["CopyObject"] == 10


def test_a_copy_of_which_every_write_is_refused_sends_each_of_them_once() -> None:
    """Nothing was copied, so it is an error with the reason, and none of it is on record."""
    job = job_of("conditional copies", 10, seed=7)
    job.aws.add(saying(s3_fault(403, "AccessDenied")), "CopyObject")
    with pytest.raises(WriteDeniedError, match="s3:PutObject"):
        job.run()
    assert job.aws.asked["CopyObject"] == 10
    assert [record["type"] for record in job.journal.kept] == ["partitions"]
