"""A status of 200 that is no success, and answers that arrive damaged.

Each operation on which a copy rests gets answers with an error inside, with nothing inside, with a
beginning only, or from something in between; the service has done its work, or has not.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.errors import LookupFailedError
from dataware.core.ports import Response
from dataware.migrate.copy_state import CopyState
from support.accounting import check_sums
from support.memory_aws import Call, Fault, Forward
from support.memory_jobs import Job, filled

OPERATIONS = {
    "CopyObject": "bucket",
    "UploadPartCopy": "bucket",
    "CompleteMultipartUpload": "bucket",
    "CreateMultipartUpload": "bucket",
    "ListObjectsV2": "bucket",
    "Scan": "table",
    "BatchWriteItem": "table",
    "PutItem": "table",
}
ERROR_DOCUMENT = {
    "bucket": b"<Error><Code>InternalError</Code><Message>try again</Message></Error>",
    "table": b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}',
}
HTML = b"<!DOCTYPE html><html><body>Sign in to the network<br></body></html>"


def job_for(operation: str, count: int = 40) -> Job:
    """A copy that cannot do without the operation."""
    parts = {"multipart_threshold": 3, "part_size": 3} if "Upload" in operation else {}
    exclusive = operation != "PutItem"
    return filled(OPERATIONS[operation], count, exclusive=exclusive, **parts)


def false(operation: str) -> dict[str, Callable[[bytes], bytes]]:
    """What a body is made into, by the name of the fault."""
    return {
        "error": lambda _body: ERROR_DOCUMENT[OPERATIONS[operation]],
        "empty": lambda _body: b"",
        "blank": lambda _body: b" \n",
        "html": lambda _body: HTML,
        "half": lambda body: body[: len(body) // 2],
        "all but one": lambda body: body[:-1],
        "gzip": gzip.compress,
        "null": lambda _body: b"null",
    }


def answering(alter: Callable[[bytes], bytes], *, done: bool) -> Fault:
    """An answer of status 200 with an altered body; `done` says whether the service did its work.

    Length and checksum are those of the altered body, as something in between would set them.
    """

    async def fault(call: Call, forward: Forward) -> Response:
        body = alter(forward(call).body if done else b'{"a whole": "answer"}')
        return Response(200, {"content-length": str(len(body))}, body)

    return fault


CASES = [
    pytest.param(operation, alter, id=f"{operation}: {name}")
    for operation in OPERATIONS
    for name, alter in false(operation).items()
]


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize(("operation", "alter"), CASES)
def test_a_false_success_is_asked_again(
    operation: str, alter: Callable[[bytes], bytes], done: bool
) -> None:
    """Now and then such an answer comes: the copy ends whole, and every key is counted once."""
    chance = random.Random(f"{operation} {done}")
    job = job_for(operation)
    job.aws.add(answering(alter, done=done), operation, when=lambda _: chance.random() < 0.4)
    job.run()
    job.check_whole()
    assert job.aws.asked[operation] > 0
    # An upload whose id never arrived cannot be aborted; it has no part, so nothing is stored.
    assert not any(upload.parts for upload in job.aws.buckets.uploads.values())


@pytest.mark.parametrize(("operation", "alter"), CASES)
def test_a_false_success_without_end_is_never_a_success(
    operation: str, alter: Callable[[bytes], bytes]
) -> None:
    """When no other answer comes the run ends with an error, and counts nothing as copied."""
    job = job_for(operation, 5)
    job.aws.add(answering(alter, done=False), operation)
    with pytest.raises(LookupFailedError):
        job.run()
    check_sums(job.journal.kept, 5)
    assert CopyState.of(job.journal.kept).counts.copied == 0
    assert not job.content("new")
    assert not job.aws.buckets.uploads, "an upload that was begun is given up again"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(OPERATIONS)), st.floats(0, 1, exclude_max=True), st.booleans())
def test_no_beginning_of_an_answer_is_an_answer(operation: str, share: float, keep: bool) -> None:
    """Wherever an answer breaks off, with or without its length and checksum: it is read again."""
    job = job_for(operation, 25)

    async def cut(call: Call, forward: Forward) -> Response:
        response = forward(call)
        headers = response.headers if keep else {}
        return Response(response.status, headers, response.body[: int(len(response.body) * share)])

    job.aws.add(cut, operation, times=5)
    job.run()
    job.check_whole()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["Scan", "BatchWriteItem", "PutItem"]), st.integers(0, 10**6))
def test_a_flipped_byte_is_seen_by_the_checksum(operation: str, seed: int) -> None:
    """What differs from the announced CRC-32 is never believed, however well it can be read."""
    chance = random.Random(seed)
    job = job_for(operation, 25)

    async def flip(call: Call, forward: Forward) -> Response:
        response = forward(call)
        body = bytearray(response.body)
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        return Response(response.status, response.headers, bytes(body))

    job.aws.add(flip, operation, times=5)
    job.run()
    job.check_whole()
