"""Objects around the sizes at which the way of copying changes; uploads that break off.

The threshold and the parts are small here; in use they are 5 GiB and 512 MiB, and the arithmetic
is the same.
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import IncompleteError
from dataware.core.ports import Response
from dataware.kinds.s3_bucket.copy.multipart import MOST_PARTS, part_ranges
from support.accounting import check_identity
from support.copying import Killed
from support.memory_aws import Call, Forward, raising, saying
from support.memory_buckets import fault, stored
from support.memory_jobs import Job

THRESHOLD, PART = 12_000, 5_000
SIZES = (
    *(0, 1),
    *(PART - 1, PART, PART + 1),
    *(THRESHOLD - 1, THRESHOLD, THRESHOLD + 1),
    *(3 * PART - 1, 3 * PART, 3 * PART + 1),
)
GIB = 1024**3


def bucket(*sizes: int) -> Job:
    """A job over one object of each size, with all that an object carries."""
    job = Job("bucket", multipart_threshold=THRESHOLD, part_size=PART)
    chance = random.Random(1)
    said = {"content_type": "text/x", "cache_control": "max-age=1", "x_amz_meta_a": "b"}
    job.aws.buckets.fill(
        "old",
        {
            b"size %07d" % size: replace(
                stored(chance.randbytes(size), **said), tags=(("colour", "blue & red"),)
            )
            for size in sizes
        },
    )
    job.aws.buckets.fill("new")
    return job


def test_sizes_around_every_threshold_arrive_with_everything() -> None:
    """Bytes, headers, metadata and tags are the source's, by one call and by parts."""
    job = bucket(*SIZES)
    job.run()
    job.check_whole()
    old, new = (job.aws.buckets.content[name] for name in ("old", "new"))
    for key, one in old.items():
        kept = {name: new[key].headers[name] for name in one.headers}
        assert (kept, new[key].tags) == (one.headers, one.tags)
    in_parts = {call.request.path for call in job.aws.calls if call.operation == "UploadPartCopy"}
    assert len(in_parts) == sum(size > THRESHOLD for size in SIZES)
    assert not job.aws.buckets.uploads


@given(st.integers(1, 5 * 1024 * GIB), st.integers(5 * 1024**2, 5 * GIB))
def test_parts_cover_an_object_exactly(size: int, part: int) -> None:
    """First to last byte without gap or overlap, never more parts than S3 takes."""
    spans = part_ranges(size, part)
    assert len(spans) <= MOST_PARTS
    assert spans[0][0] == 0
    assert spans[-1][1] == size - 1
    assert all(one[1] + 1 == other[0] for one, other in pairwise(spans))


@pytest.mark.parametrize("size", [5 * GIB - 1, 5 * GIB, 5 * GIB + 1, 5 * 1024 * GIB])
def test_parts_of_real_sizes_are_within_the_limits_of_s3(size: int) -> None:
    """A part has 5 MiB to 5 GiB, the last one may be smaller (User Guide, multipart limits)."""
    spans = part_ranges(size, 512 * 1024**2)
    lengths = [last - first + 1 for first, last in spans]
    assert all(5 * 1024**2 <= length <= 5 * GIB for length in lengths[:-1])
    assert 0 < lengths[-1] <= 5 * GIB


@pytest.mark.parametrize("answered", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("part", range(1, 9))
def test_an_upload_that_dies_after_any_part_leaves_nothing_after_the_next_run(
    part: int, answered: bool
) -> None:
    """The run that follows finds the upload, ends it, and copies the object."""
    job = bucket(40_000)
    died: list[Call] = []

    async def die(call: Call, forward: Forward) -> Response:
        if not died and answered:
            forward(call)
        died.append(call)
        raise Killed

    job.aws.add(die, skip=4 + part)  # two listings, HEAD, tags and the like come before
    job.aws.add(die, when=lambda _call: bool(died))
    with pytest.raises((Killed, IncompleteError)):
        job.run()
    job.aws.heal()
    job.run()
    job.check_whole()
    assert not any(upload.parts for upload in job.aws.buckets.uploads.values())


@pytest.mark.parametrize("part", range(1, 9))
def test_an_upload_that_fails_at_any_part_is_aborted(part: int) -> None:
    """A refusal ends the upload at once, and the key is named; others are not touched."""
    job = bucket(40_000, 100)
    job.aws.add(
        saying(fault(403, "AccessDenied")),
        "UploadPartCopy",
        when=lambda call: f"partNumber={part}&" in call.request.query,
    )
    progress = job.run()
    check_identity(job.journal.kept, 2)
    assert progress.skip_reasons == {"denied": 1}
    assert not job.aws.buckets.uploads


def test_a_completion_that_finds_the_key_taken_leaves_no_upload() -> None:
    """Somebody else's object stays, and the parts that were copied in vain are given up."""
    job = bucket(40_000)
    theirs = stored(b"theirs")

    async def overtake(call: Call, forward: Forward) -> Response:
        job.aws.buckets.content["new"][b"size 0040000"] = theirs
        return forward(call)

    job.aws.add(overtake, "CompleteMultipartUpload")
    progress = job.run()
    check_identity(job.journal.kept, 1)
    assert progress.skip_reasons == {"conflict": 1}
    assert job.aws.buckets.content["new"][b"size 0040000"] == theirs
    assert not job.aws.buckets.uploads


def test_a_part_of_a_source_that_changed_is_no_part() -> None:
    """Every part is pinned to the ETag that was listed, so that no object is put together wrong."""
    job = bucket(40_000)

    async def change(call: Call, forward: Forward) -> Response:
        reply = forward(call)
        job.aws.buckets.content["old"][b"size 0040000"] = stored(b"n" * 40_000)
        return reply

    job.aws.add(change, "UploadPartCopy", times=1, skip=2)
    progress = job.run()
    check_identity(job.journal.kept, 1)
    assert progress.skip_reasons == {"source-changed": 1}
    assert not job.content("new")
    assert not job.aws.buckets.uploads


def test_an_abort_that_is_lost_is_asked_again() -> None:
    """Giving up an upload is idempotent: it is gone either way; a small object arrives."""
    job = bucket(38_000, 39_000, 40_000, 100)
    job.aws.add(saying(fault(403, "AccessDenied")), "UploadPartCopy")
    job.aws.add(raising(ConnectionError("reset")), "AbortMultipartUpload", times=3)
    job.run()
    assert check_identity(job.journal.kept, 4).skip_reasons == {"denied": 3}
    assert not job.aws.buckets.uploads
