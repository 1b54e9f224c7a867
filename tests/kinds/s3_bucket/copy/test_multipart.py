"""Objects that are copied in parts, against the embedded AWS."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest

from dataware.aws.session import Account
from dataware.core.copier import CopyOrder, SkipReason
from dataware.core.ports import Request, Response
from dataware.embedded import EmbeddedAws
from support import buckets
from support.buckets import (
    copy,
    fault,
    get,
    keys,
    order,
    put,
)

LARGE = 64 * 1024


@pytest.fixture
def aws(aws_server: EmbeddedAws) -> Account:
    """An account with two empty buckets, `old` and `new`."""
    account = buckets.account()
    for name in ("old-bucket", "new-bucket"):
        account.client("s3").create_bucket(Bucket=name)
    return account


def uploads(aws: Account) -> list[str]:
    """The unfinished uploads of the target, by id."""
    page = aws.client("s3").list_multipart_uploads(Bucket="new-bucket")
    return [one["UploadId"] for one in page.get("Uploads", ())]


def in_parts(aws: Account) -> CopyOrder:
    """An order for which nearly every object is large."""
    return order(aws, "old-bucket", "new-bucket", multipart_threshold=1, part_size=20_000)


def test_an_upload_that_fails_is_aborted(aws: Account) -> None:
    """A part that is refused leaves no upload behind, and the key is named."""
    put(aws, "large", b"x" * LARGE)

    def deny(request: Request) -> Response | None:
        if "partNumber=2&" in f"{request.query}&":
            message = b"User: u is not authorized to perform: s3:PutObject on resource: r"
            body = b"<Error><Code>AccessDenied</Code><Message>" + message + b"</Message></Error>"
            return Response(403, {}, body)
        return None

    the_order = order(aws, "old-bucket", "new-bucket", multipart_threshold=1, part_size=10_000)
    outcome, _ = copy(aws, the_order, answer=deny)
    (left,) = outcome.skipped
    assert left.reason is SkipReason.DENIED
    assert "s3:PutObject" in left.detail
    assert uploads(aws) == []


def test_a_killed_upload_is_cleared_away_and_a_stranger_s_is_not(aws: Account) -> None:
    """The next attempt aborts our own unfinished upload; anyone else's stays."""
    put(aws, "large", b"x" * LARGE)

    class Killed(BaseException):
        """The end of the process, as far as the copier can tell."""

    def kill(request: Request) -> Response | None:
        if "partNumber=2&" in f"{request.query}&" or request.method == "DELETE":
            raise Killed
        return None

    the_order = order(aws, "old-bucket", "new-bucket", multipart_threshold=1, part_size=10_000)
    with pytest.raises(Killed):
        copy(aws, the_order, answer=kill)
    s3 = aws.client("s3")
    foreign = s3.create_multipart_upload(Bucket="new-bucket", Key="large")["UploadId"]
    s3.upload_part(
        Bucket="new-bucket", Key="large", UploadId=foreign, PartNumber=1, Body=b"y" * 4771
    )
    assert len(uploads(aws)) == 2
    assert copy(aws, the_order)[0].copied == 1
    assert uploads(aws) == [foreign]
    assert get(aws, "large") == b"x" * LARGE


def test_attributes_that_an_upload_loses_are_told(aws: Account) -> None:
    """A copy in parts is looked at afterwards: what did not arrive is named, not assumed."""
    put(aws, "large", b"x" * LARGE, Metadata={"a": "1"})

    def forget(request: Request) -> Response | None:
        if request.method == "HEAD" and "new-bucket" in request.path:
            return Response(200, {"content-length": "7", "etag": '"e"'}, b"")
        return None

    the_order = order(aws, "old-bucket", "new-bucket", multipart_threshold=1, part_size=LARGE)
    (left,) = copy(aws, the_order, answer=forget)[0].skipped
    assert left.reason is SkipReason.FAILED
    assert "x-amz-meta-a" in left.detail
    assert "content-length" in left.detail


def test_a_completion_whose_answer_was_lost_is_recognised(aws: Account) -> None:
    """An upload that is gone because it was completed is a copy, not a failure."""
    put(aws, "large", b"x" * LARGE)

    def lose(request: Request) -> Response | None:
        if request.method != "POST" or "uploadId" not in request.query:
            return None
        s3 = aws.client("s3")
        where = {"Bucket": "new-bucket", "Key": "large", "UploadId": uploads(aws)[0]}
        listed = s3.list_parts(**where)["Parts"]
        parts = [{name: part[name] for name in ("PartNumber", "ETag")} for part in listed[:-1]]
        s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
        return fault(404, "NoSuchUpload")

    outcome, _ = copy(aws, in_parts(aws), answer=lose)
    assert (outcome.copied, outcome.skipped) == (1, ())
    assert get(aws, "large") == b"x" * LARGE


def test_an_upload_that_fails_to_complete_is_aborted(aws: Account) -> None:
    """A completion that is refused is no copy, whatever stands under the key."""
    put(aws, "large", b"x" * LARGE)

    def refuse(request: Request) -> Response | None:
        if request.method == "POST" and "uploadId" in request.query:
            return fault(400, "InvalidPart", "no")
        return None

    (left,) = copy(aws, in_parts(aws), answer=refuse)[0].skipped
    assert (left.reason, left.detail) == (SkipReason.FAILED, "InvalidPart: no")
    assert uploads(aws) == []
    assert keys(aws) == []


def test_uploads_that_end_meanwhile_are_no_trouble(aws: Account) -> None:
    """An upload that is gone when it is looked at or aborted needs nothing more."""
    put(aws, "large", b"x" * LARGE)
    aws.client("s3").create_multipart_upload(Bucket="new-bucket", Key="large")

    def gone(request: Request) -> Response | None:
        if "uploadId" in request.query and request.method in {"GET", "DELETE"}:
            return fault(404, "NoSuchUpload")
        return fault(403, "AccessDenied") if "partNumber=1&" in request.query else None

    (left,) = copy(aws, in_parts(aws), answer=gone)[0].skipped
    assert left.reason is SkipReason.DENIED


def test_a_large_source_that_changed_is_left(aws: Account) -> None:
    """What is uploaded in parts is the object that was listed, from its headers on."""
    put(aws, "large", b"x" * LARGE)

    def change(request: Request) -> Response | None:
        return Response(200, {"etag": '"new"'}, b"") if request.method == "HEAD" else None

    (left,) = copy(aws, in_parts(aws), answer=change)[0].skipped
    assert left.reason is SkipReason.CHANGED
    assert uploads(aws) == []


def test_metadata_beyond_ascii_is_sent_as_s3_takes_it(aws: Account) -> None:
    """Text beyond ASCII goes over the wire as RFC 2047 words, never as raw bytes."""
    put(aws, "large", b"x" * LARGE)
    etag = aws.client("s3").head_object(Bucket="old-bucket", Key="large")["ETag"]

    def show(request: Request) -> Response | None:
        if request.method == "HEAD" and "old-bucket" in request.path:
            return Response(200, {"etag": etag, "x-amz-meta-name": "é漢😀"}, b"")
        return None

    outcome, requests = copy(aws, in_parts(aws), answer=show)
    assert outcome.copied == 1
    (sent,) = (request for request in requests if request.query == "uploads=")
    value = sent.headers["x-amz-meta-name"]
    assert value.isascii()
    assert str(make_header(decode_header(value))) == "é漢😀"


def test_the_same_bytes_in_other_parts_are_the_same(aws: Account) -> None:
    """ETags of parts settle nothing, so the bytes decide: an earlier copy is no conflict."""
    put(aws, "large", b"x" * LARGE)
    put(aws, "other", b"y" * LARGE)
    in_parts = order(aws, "old-bucket", "new-bucket", multipart_threshold=1, part_size=20_000)
    assert copy(aws, in_parts)[0].copied == 2
    assert copy(aws, in_parts)[0].same == 2
    changed = b"y" * (LARGE - 1) + b"z"
    put(aws, "other", changed)
    assert [left.key for left in copy(aws, in_parts)[0].skipped] == ["other"]
