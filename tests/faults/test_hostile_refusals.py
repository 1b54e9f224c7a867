"""Refusals that are not those of AWS, given to a copy: nothing is then done, gone or empty.

A gateway answers one operation with a status and a code of its own, for ever. The copy ends with an
error, or leaves every key with that code; no key counts as copied, or as gone from the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import SkipReason
from dataware.core.errors import DatawareError, NotFoundError
from dataware.core.ports import Response
from dataware.http.absence import CODES
from dataware.migrate.copy_state import CopyState
from support.memory_aws import saying
from support.memory_jobs import filled

OPERATIONS = {
    "ListObjectsV2": "bucket",
    "CopyObject": "bucket",
    "CreateMultipartUpload": "bucket",
    "UploadPartCopy": "bucket",
    "CompleteMultipartUpload": "bucket",
    "ListMultipartUploads": "bucket",
    "HeadObject": "bucket",
    "Scan": "table",
    "BatchWriteItem": "table",
}
GATEWAYS = ["NoRoute", "NotFound", "UnknownOperationException", "ResourceNotFound", "404", ""]
PAGES = [b"", b"404 page not found", b"<html><body>no</body></html>", b"[]", b'"no"', b"{}"]
COUNT = 5


def refusal(kind: str, status: int, code: str) -> Response:
    """An error of a gateway, in the language of the service."""
    xml = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    body = xml if kind == "bucket" else f'{{"__type":"{code}","message":"no"}}'
    return Response(status, {}, body.encode())


@contextmanager
def no_absence() -> Iterator[None]:
    """Errors are sentences, and none says that something does not exist."""
    try:
        yield
    except DatawareError as error:
        assert not isinstance(error, NotFoundError), error
        assert "\n" not in str(error)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(sorted(OPERATIONS)),
    st.sampled_from([400, 403, 404, 405, 410, 418]),
    st.sampled_from(GATEWAYS) | st.sampled_from(PAGES),
)
def test_no_refusal_of_a_gateway_is_believed(
    operation: str, status: int, said: str | bytes
) -> None:
    """Whatever the status, the code decides, and this one is nobody's."""
    kind = OPERATIONS[operation]
    if isinstance(said, bytes):
        response = Response(status, {}, said)
    else:
        response = refusal(kind, status, said)
        assert said not in CODES.get(operation, ())
    in_parts = "Upload" in operation or operation == "HeadObject"
    parts = {"multipart_threshold": 3, "part_size": 3} if in_parts else {}
    job = filled(kind, COUNT, **parts)
    job.aws.add(saying(response), operation)
    with no_absence():
        job.run()
    progress = CopyState.of(job.journal.kept)
    assert progress.counts.copied == 0
    assert progress.skip_reasons[SkipReason.CHANGED] == 0
