"""The copier against the embedded AWS: what arrives, what is left alone, what is said."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from dataware.aws.session import Account
from dataware.core.copier import SkipReason
from dataware.core.errors import InputError, LookupFailedError, NotFoundError
from dataware.core.model import Size
from dataware.core.ports import Request, Response
from dataware.embedded import EmbeddedAws
from support import buckets
from support.buckets import (
    DIFFICULT_KEYS,
    copy,
    differences,
    fault,
    get,
    keys,
    many_keys,
    order,
    pages,
    partitions,
    put,
    size,
    small_pages,
)

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


def head(aws: Account, bucket: str, key: str) -> dict[str, Any]:
    """The attributes of an object that a copy has to keep."""
    answer = aws.client("s3").head_object(Bucket=bucket, Key=key)
    tags = aws.client("s3").get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    ordered = sorted((tag["Key"], tag["Value"]) for tag in tags)
    return {**{name: answer.get(name) for name in KEPT}, "tags": ordered}


def test_every_difficult_key_arrives_byte_exact(aws: Account) -> None:
    """A key is opaque bytes: whatever it holds, it arrives as it is, with its content."""
    for key in DIFFICULT_KEYS:
        put(aws, key, key.encode())
    the_order = order(aws, "old-bucket", "new-bucket")
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.skipped) == (len(DIFFICULT_KEYS), ())
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
    assert (outcome.copied, outcome.bytes, outcome.skipped) == (1, LARGE, ())
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
        headers = {**request.shared, **request.headers}
        assert headers["x-amz-expected-bucket-owner"] == aws.account
        if "x-amz-copy-source" in headers:
            assert headers["x-amz-source-expected-bucket-owner"] == aws.account
            assert "x-amz-copy-source-if-match" in headers


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


@pytest.mark.parametrize("versions", [False, True])
def test_a_split_bucket_is_copied_once(
    aws: Account, monkeypatch: pytest.MonkeyPatch, versions: bool
) -> None:
    """Range by range everything arrives, and a second run brings over the difference only."""
    small_pages(monkeypatch)
    for bucket in ("old-bucket", "new-bucket"):
        aws.client("s3").put_bucket_versioning(
            Bucket=bucket,
            VersioningConfiguration={"Status": "Enabled" if versions else "Suspended"},
        )
    # The embedded AWS does not encode keys in listings of versions, and XML has no such letters.
    names = many_keys(set(DIFFICULT_KEYS) - ({"c\x01z", "cr\rx"} if versions else set()))
    for key in names:
        put(aws, key, key.encode())
    the_order = order(aws, "old-bucket", "new-bucket", all_versions=versions)
    assert len(partitions(aws, the_order)) >= 4
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.same, outcome.skipped) == (len(names), 0, ())
    assert keys(aws) == names
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.same) == (0, len(names))
    for key in ("0-new", "data/00060.bin/new", "zz-new"):
        put(aws, key)
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.same) == (3, len(names))
    assert differences(aws, the_order) == []


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
    with pytest.raises(InputError, match="overlap"):
        copy(aws, order(aws, "old-bucket", "old-bucket"))


def test_an_archived_object_is_left_and_named(aws: Account) -> None:
    """What must be restored first cannot be copied, and is listed by key."""
    put(aws, "cold", b"x", StorageClass="GLACIER")
    put(aws, "warm", b"x", StorageClass="GLACIER_IR")
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"))
    assert outcome.copied == 1
    assert [(left.key, left.reason) for left in outcome.skipped] == [("cold", SkipReason.ARCHIVED)]


def test_an_object_under_a_lost_key_is_left_and_named(aws: Account) -> None:
    """Without the customer's key an object cannot be read by anyone."""
    sealed = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    put(aws, "sealed", b"x", **sealed)
    put(aws, "open", b"x")
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"))
    assert outcome.copied == 1
    assert [(left.key, left.reason) for left in outcome.skipped] == [
        ("sealed", SkipReason.LOST_KEY)
    ]


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
    assert {(left.key, left.reason) for left in outcome.skipped} == {
        ("changed", SkipReason.CHANGED),
        ("gone", SkipReason.CHANGED),
    }
    assert keys(aws) == []


def test_a_missing_bucket_is_an_error(aws: Account) -> None:
    """A listing that fails never looks like an empty bucket."""
    with pytest.raises((NotFoundError, LookupFailedError), match="no-such"):
        copy(aws, order(aws, "no-such-bucket", "new-bucket"))


def test_a_denied_listing_is_an_error(aws: Account) -> None:
    """A listing that is denied names the permission and ends the copy."""
    denied = Response(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(LookupFailedError, match="s3:ListBucket"):
        copy(aws, order(aws, "old-bucket", "new-bucket"), answer=lambda _request: denied)


@pytest.mark.parametrize(
    ("answer", "trouble", "why"),
    [
        (fault(403, "InvalidObjectState"), SkipReason.ARCHIVED, "restore"),
        (fault(403, "ObjectNotInActiveTierError"), SkipReason.ARCHIVED, "restore"),
        (fault(403, "AccessDenied"), SkipReason.DENIED, "s3:PutObjectTagging"),
        (
            fault(
                403,
                "AccessDenied",
                "User: u is not authorized to perform: s3:PutObject on resource: r with an "
                "explicit deny in a resource-based policy",
            ),
            SkipReason.DENIED,
            "an explicit deny in a resource-based policy forbids s3:PutObject",
        ),
        (fault(403, "InvalidPayer", "odd"), SkipReason.FAILED, "InvalidPayer: odd"),
        (
            fault(403, "AccessDenied", "u is not authorized to perform: kms:Decrypt on r"),
            SkipReason.DENIED,
            "it needs kms:Decrypt",
        ),
        (fault(400, "KMS.DisabledException"), SkipReason.LOST_KEY, "KMS.DisabledException"),
        (fault(400, "InvalidRequest", "odd"), SkipReason.FAILED, "InvalidRequest: odd"),
        (fault(501, "NotImplemented"), SkipReason.FAILED, "NotImplemented"),
        (fault(404, "NoSuchKey"), SkipReason.CHANGED, "changed"),
        (
            fault(412, "PreconditionFailed", condition="x-amz-copy-source-If-Match"),
            SkipReason.CHANGED,
            "changed",
        ),
    ],
)
def test_a_refused_copy_is_named_with_its_reason(
    aws: Account, answer: Response, trouble: SkipReason, why: str
) -> None:
    """Every key that is left behind says why, and the other keys are copied."""
    put(aws, "bad")
    put(aws, "good")

    def refuse(request: Request) -> Response | None:
        return answer if request.method == "PUT" and request.path.endswith("/bad") else None

    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"), answer=refuse)
    (left,) = outcome.skipped
    assert (left.key, left.reason) == ("bad", trouble)
    assert why in left.detail
    assert keys(aws) == ["good"]


def test_a_vanished_target_ends_the_run(aws: Account) -> None:
    """A target that goes away is one error, not one for each key."""
    put(aws, "key")
    gone = fault(404, "NoSuchBucket")

    def vanish(request: Request) -> Response | None:
        return gone if request.method == "PUT" else None

    with pytest.raises(NotFoundError, match="new-bucket"):
        copy(aws, order(aws, "old-bucket", "new-bucket"), answer=vanish)


def test_a_restored_object_is_copied(aws: Account) -> None:
    """An archived object that can be read at the moment is copied like any other."""
    s3 = aws.client("s3")
    put(aws, "cold", b"x", StorageClass="GLACIER")
    s3.restore_object(Bucket="old-bucket", Key="cold", RestoreRequest={"Days": 1})
    deadline = time.monotonic() + 20
    while 'request="false"' not in s3.head_object(Bucket="old-bucket", Key="cold")["Restore"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"))
    assert (outcome.copied, outcome.skipped) == (1, ())
    assert head(aws, "new-bucket", "cold")["StorageClass"] == "GLACIER"


def test_a_listing_out_of_order_is_an_error(aws: Account) -> None:
    """Listings of directory buckets cannot be merged, so they are refused, not misread."""
    entry = '<Contents><Key>{}</Key><Size>0</Size><ETag>"e"</ETag></Contents>'
    body = "".join(entry.format(key) for key in "ba")
    text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{body}</ListBucketResult>"
    with pytest.raises(LookupFailedError, match="in order"):
        copy(
            aws,
            order(aws, "old-bucket", "new-bucket"),
            answer=lambda _request: Response(200, {}, text.encode()),
        )


def test_the_size_is_exact_while_the_counted_pages_show_it(
    aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A total that was not counted to its end is never called exact."""
    for number in range(3):
        put(aws, f"{number}", b"12")
    for versions in (False, True):
        the_order = order(aws, "old-bucket", "new-bucket", all_versions=versions)
        assert size(aws, the_order) == Size(3, 6)
    monkeypatch.setattr("dataware.kinds.s3_bucket.copy.partitions.PAGE", 2)
    for versions in (False, True):
        the_order = order(aws, "old-bucket", "new-bucket", all_versions=versions)
        assert size(aws, the_order) == Size(3, 6)
    monkeypatch.setattr("dataware.kinds.s3_bucket.copy.partitions.COUNTED_PAGES", 1)
    for versions in (False, True):
        the_order = order(aws, "old-bucket", "new-bucket", all_versions=versions)
        assert not size(aws, the_order).exact
