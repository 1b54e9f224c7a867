"""The copier against the embedded AWS: what arrives, what is left alone, what is said."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from dataware.aws.session import Account
from dataware.core.errors import BadInput, CannotSee, NotThere, Refused
from dataware.core.kind import Trouble
from dataware.core.model import OnConflict
from dataware.core.ports import Request, Response
from dataware.embedded import EmbeddedAws
from support import buckets
from support.buckets import DIFFICULT_KEYS, copy, differences, order, pages

ATTRIBUTES: dict[str, Any] = {
    "ContentType": "text/x-test",
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentDisposition": 'attachment; filename="a b.txt"',
    "CacheControl": "max-age=60",
    "Expires": datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.UTC),
    "Metadata": {"plain": "1", "word": "=?UTF-8?B?w6nwn5iA?="},
    "Tagging": "t1=v1&t%202=v%2B2",
    "StorageClass": "STANDARD_IA",
}
KEPT = (
    "ContentType",
    "ContentEncoding",
    "ContentLanguage",
    "ContentDisposition",
    "CacheControl",
    "ExpiresString",
    "Metadata",
    "StorageClass",
    "ContentLength",
)
LARGE = 64 * 1024


@pytest.fixture
def aws(aws_server: EmbeddedAws) -> Account:
    """An account with two empty buckets, `old` and `new`."""
    account = buckets.account()
    for name in ("old-bucket", "new-bucket"):
        account.client("s3").create_bucket(Bucket=name)
    return account


def put(
    aws: Account, key: str, body: bytes = b"data", bucket: str = "old-bucket", **more: Any
) -> None:
    """Put an object as a user would."""
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **more)


def get(aws: Account, key: str, bucket: str = "new-bucket") -> bytes:
    """The content of an object."""
    body: bytes = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def head(aws: Account, bucket: str, key: str) -> dict[str, Any]:
    """The attributes of an object that a copy has to keep."""
    answer = aws.client("s3").head_object(Bucket=bucket, Key=key)
    tags = aws.client("s3").get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    ordered = sorted((tag["Key"], tag["Value"]) for tag in tags)
    return {**{name: answer.get(name) for name in KEPT}, "tags": ordered}


def keys(aws: Account, bucket: str = "new-bucket") -> list[str]:
    """The keys of a bucket."""
    page = aws.client("s3").list_objects_v2(Bucket=bucket)
    return [one["Key"] for one in page.get("Contents", ())]


def test_every_difficult_key_arrives_byte_exact(aws: Account) -> None:
    """A key is opaque bytes: whatever it holds, it arrives as it is, with its content."""
    for key in DIFFICULT_KEYS:
        put(aws, key, key.encode())
    the_order = order(aws, "old-bucket", "new-bucket")
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.left) == (len(DIFFICULT_KEYS), ())
    assert keys(aws) == sorted(DIFFICULT_KEYS)
    assert all(get(aws, key) == key.encode() for key in DIFFICULT_KEYS)
    assert differences(aws, the_order, deep=True) == []


def test_a_second_run_changes_nothing(aws: Account) -> None:
    """What the target holds already is counted as the same and not written again."""
    for key in DIFFICULT_KEYS:
        put(aws, key)
    copy(aws, order(aws, "old-bucket", "new-bucket"))
    outcome, requests = copy(aws, order(aws, "old-bucket", "new-bucket"))
    assert (outcome.copied, outcome.same) == (0, len(DIFFICULT_KEYS))
    assert {request.method for request in requests} == {"GET"}


@pytest.mark.parametrize("threshold", [LARGE + 1, LARGE - 1], ids=["at once", "in parts"])
def test_attributes_are_kept(aws: Account, threshold: int) -> None:
    """Headers, metadata, tags and storage class arrive, also where parts inherit nothing."""
    put(aws, "o b", b"x" * LARGE, **ATTRIBUTES)
    the_order = order(
        aws, "old-bucket", "new-bucket", multipart_threshold=threshold, part_size=10_000
    )
    outcome, requests = copy(aws, the_order)
    assert (outcome.copied, outcome.bytes, outcome.left) == (1, LARGE, ())
    assert head(aws, "new-bucket", "o b") == head(aws, "old-bucket", "o b")
    assert get(aws, "o b") == b"x" * LARGE
    parts = sum("partNumber" in request.query for request in requests)
    assert parts == (8 if threshold < LARGE else 0)
    assert differences(aws, the_order) == []


def test_an_empty_object_and_an_empty_bucket(aws: Account) -> None:
    """Zero bytes are an object; no object is a page without units."""
    assert [page.units for page in pages(aws, order(aws, "old-bucket", "new-bucket"))] == [()]
    put(aws, "zero", b"")
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"))
    assert outcome.copied == 1
    assert get(aws, "zero") == b""


def test_every_request_names_the_owners(aws: Account) -> None:
    """S3 is never asked or told anything without the account that must own the bucket."""
    put(aws, "a", b"x" * LARGE)
    put(aws, "b", b"y")
    put(aws, "b", b"z", "new-bucket")
    _, requests = copy(aws, order(aws, "old-bucket", "new-bucket", multipart_threshold=LARGE - 1))
    assert len(requests) > 8
    for request in requests:
        assert request.headers["x-amz-expected-bucket-owner"] == aws.account
        if "x-amz-copy-source" in request.headers:
            assert request.headers["x-amz-source-expected-bucket-owner"] == aws.account
            assert "x-amz-copy-source-if-match" in request.headers


def test_a_listing_of_several_pages_is_read_to_its_end(aws: Account) -> None:
    """Every page counts, and a cursor goes on exactly after itself."""
    for number in range(1101):
        put(aws, f"k{number:05}", b"")
    the_order = order(aws, "old-bucket", "new-bucket")
    read = pages(aws, the_order)
    assert [len(page.units) for page in read] == [1000, 101, 0]
    assert read[-1].cursor is None
    rest = pages(aws, the_order, read[0].cursor)
    assert [len(page.units) for page in rest] == [101, 0]


def test_a_prefix_is_exchanged(aws: Account) -> None:
    """Only keys under the prefix are copied, and the target's prefix takes its place."""
    put(aws, "in/a b", b"1")
    put(aws, "in/c", b"2")
    put(aws, "inside", b"3")
    the_order = order(aws, "old-bucket/in/", "arn:aws:s3:::new-bucket/out/")
    assert copy(aws, the_order)[0].copied == 2
    assert keys(aws) == ["out/a b", "out/c"]
    assert copy(aws, the_order)[0].same == 2
    assert differences(aws, the_order) == []


def test_a_copy_into_itself_is_refused(aws: Account) -> None:
    """Overlapping prefixes of one bucket would feed a copy its own output."""
    with pytest.raises(BadInput, match="overlap"):
        copy(aws, order(aws, "old-bucket", "old-bucket"))


@pytest.mark.parametrize(
    ("policy", "content", "why"),
    [
        (None, b"theirs", "another object"),
        (OnConflict.TARGET, b"theirs", "kept the target's"),
        (OnConflict.SOURCE, b"ours", None),
    ],
)
def test_conflicts_follow_the_policy(
    aws: Account, policy: OnConflict | None, content: bytes, why: str | None
) -> None:
    """An object of someone else is replaced only if the policy says so, and always named."""
    put(aws, "same", b"same")
    put(aws, "same", b"same", "new-bucket")
    put(aws, "key", b"ours")
    put(aws, "key", b"theirs", "new-bucket")
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket", on_conflict=policy))
    assert get(aws, "key") == content
    assert outcome.same == 1
    if why is None:
        assert (outcome.copied, outcome.left) == (1, ())
    else:
        (left,) = outcome.left
        assert (left.key, left.trouble) == ("key", Trouble.CONFLICT)
        assert why in left.why


def test_the_policy_stop_ends_the_run(aws: Account) -> None:
    """With `stop`, the first conflict ends everything and names the key."""
    put(aws, "a key", b"ours")
    put(aws, "a key", b"theirs", "new-bucket")
    with pytest.raises(Refused, match="a key"):
        copy(aws, order(aws, "old-bucket", "new-bucket", on_conflict=OnConflict.STOP))
    assert get(aws, "a key") == b"theirs"


def test_the_same_bytes_in_other_parts_are_the_same(aws: Account) -> None:
    """ETags of parts settle nothing, so the bytes decide: an earlier copy is no conflict."""
    put(aws, "large", b"x" * LARGE)
    put(aws, "other", b"y" * LARGE)
    in_parts = order(aws, "old-bucket", "new-bucket", multipart_threshold=1, part_size=20_000)
    assert copy(aws, in_parts)[0].copied == 2
    assert copy(aws, in_parts)[0].same == 2
    changed = b"y" * (LARGE - 1) + b"z"
    put(aws, "other", changed)
    assert [left.key for left in copy(aws, in_parts)[0].left] == ["other"]


def test_an_archived_object_is_left_and_named(aws: Account) -> None:
    """What must be restored first cannot be copied, and is listed by key."""
    put(aws, "cold", b"x", StorageClass="GLACIER")
    put(aws, "warm", b"x", StorageClass="GLACIER_IR")
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"))
    assert outcome.copied == 1
    assert [(left.key, left.trouble) for left in outcome.left] == [("cold", Trouble.ARCHIVED)]


def test_an_object_under_a_lost_key_is_left_and_named(aws: Account) -> None:
    """Without the customer's key an object cannot be read by anyone."""
    sealed = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    put(aws, "sealed", b"x", **sealed)
    put(aws, "open", b"x")
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"))
    assert outcome.copied == 1
    assert [(left.key, left.trouble) for left in outcome.left] == [("sealed", Trouble.LOST_KEY)]


def test_a_source_that_changes_after_the_listing_is_left(aws: Account) -> None:
    """The object that is copied is the one that was listed, or none."""
    for key in ("changed", "gone"):
        put(aws, key, b"before")

    def change(request: Request) -> Response | None:
        if request.method == "PUT":
            put(aws, "changed", b"after")
            aws.client("s3").delete_object(Bucket="old-bucket", Key="gone")
        return None

    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"), answer=change)
    assert outcome.copied == 0
    assert {(left.key, left.trouble) for left in outcome.left} == {
        ("changed", Trouble.CHANGED),
        ("gone", Trouble.CHANGED),
    }
    assert keys(aws) == []


def test_a_missing_bucket_is_an_error(aws: Account) -> None:
    """A listing that fails never looks like an empty bucket."""
    with pytest.raises((NotThere, CannotSee), match="no-such"):
        copy(aws, order(aws, "no-such-bucket", "new-bucket"))


def test_a_denied_listing_is_an_error(aws: Account) -> None:
    """A listing that is denied names the permission and ends the copy."""
    denied = Response(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(CannotSee, match="s3:ListBucket"):
        copy(aws, order(aws, "old-bucket", "new-bucket"), answer=lambda _request: denied)


def uploads(aws: Account) -> list[str]:
    """The unfinished uploads of the target, by id."""
    page = aws.client("s3").list_multipart_uploads(Bucket="new-bucket")
    return [one["UploadId"] for one in page.get("Uploads", ())]


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
    (left,) = outcome.left
    assert left.trouble is Trouble.DENIED
    assert "s3:PutObject" in left.why
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


def test_a_lost_answer_is_not_a_conflict(aws: Account) -> None:
    """When the service copied but the answer was lost, the next try finds our own object."""
    put(aws, "key", b"ours")

    def precede(request: Request) -> Response | None:
        if request.method == "PUT":
            put(aws, "key", b"ours", "new-bucket")
            return Response(412, {}, b"<Error><Code>PreconditionFailed</Code></Error>")
        return None

    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"), answer=precede)
    assert (outcome.same, outcome.left) == (1, ())
