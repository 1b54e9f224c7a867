"""What goes with every object that is written, and with every request of a requester who pays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools
from dataware.core.errors import InputError
from dataware.core.model import Location, OnConflict
from dataware.core.object_headers import ObjectHeaders
from dataware.core.ports import Request, Response
from dataware.kinds.s3_bucket.copy.copier import make as make_copier
from support.buckets import whole
from support.copying import LoopClock
from support.memory_aws import Call, Forward, MemoryAws, saying
from support.memory_buckets import Stored, fault, stored
from support.operations import headers_sent

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
HEADERS = ObjectHeaders("aws:kms", KEY, "bucket-owner-full-control")
SENT = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": KEY,
    "x-amz-acl": "bucket-owner-full-control",
}
BEGINS_OBJECT = {"CopyObject", "CreateMultipartUpload"}
PAYS = {"x-amz-request-payer": "requester"}


class MemoryWire:
    """The wire over AWS in memory, without tries."""

    permit = None
    retries = 0

    def __init__(self, aws: MemoryAws) -> None:
        self._aws = aws

    async def send(self, request: Request) -> Response:
        """What the service answers, judged."""
        response = await self._aws.exchange(request)
        request.judge(response)
        return response

    async def close(self) -> None:
        """Nothing to release."""


def place(name: str, **more: Any) -> Location:
    """A bucket of the account."""
    return Location(name, "111122223333", "eu-west-1", **more)


def copy(aws: MemoryAws, **order: Any) -> CopyOutcome:
    """Copy what `old` holds into `new`; small objects at once, others in parts."""
    pays = {"requester_pays": True} if order.pop("pays", False) else {}
    the_order = CopyOrder(
        place("old", **pays),
        place("new", **pays),
        **{"multipart_threshold": 10, "part_size": 10, **order},
    )
    wire: Any = MemoryWire(aws)
    tools = CopyTools(None, wire, LoopClock())  # type: ignore[arg-type]
    return asyncio.run(whole(make_copier(tools, the_order)))


@pytest.fixture
def aws() -> MemoryAws:
    """One small object and one large one, and what stands in the target already."""
    memory = MemoryAws()
    small, large = stored(b"small"), stored(b"large " * 10)
    memory.buckets.fill("old", {b"a": small, b"b": large, b"c": stored(b"mine"), b"d": small})
    memory.buckets.fill("new", {b"c": stored(b"theirs"), b"d": small})
    return memory


def sent(aws: MemoryAws) -> list[tuple[str, Mapping[str, str]]]:
    """Every operation with its headers."""
    return [(call.operation, headers_sent(call.request)) for call in aws.calls]


def test_every_object_begins_with_the_headers(aws: MemoryAws) -> None:
    """At once, in parts and where another object is replaced; no other request has them."""
    copy(aws, headers=HEADERS, on_conflict=OnConflict.SOURCE)
    operations = {operation for operation, _ in sent(aws)}
    assert operations >= BEGINS_OBJECT
    for operation, headers in sent(aws):
        carried = {name: value for name, value in headers.items() if name in SENT}
        assert carried == (SENT if operation in BEGINS_OBJECT else {}), operation
        assert "x-amz-request-payer" not in headers


def test_without_settings_the_target_bucket_decides(aws: MemoryAws) -> None:
    """No header of encryption or access is sent, as before."""
    copy(aws)
    assert not [name for _, headers in sent(aws) for name in headers if name in SENT]


def test_who_pays_says_so_with_every_request(aws: MemoryAws) -> None:
    """Lists, looks, ranges, tags, copies, parts and the end of an upload."""
    copy(aws, pays=True, on_conflict=OnConflict.SOURCE)
    assert {operation for operation, _ in sent(aws)} >= {
        *("ListObjectsV2", "HeadObject", "GetObjectTagging", "CopyObject", "UploadPartCopy"),
        *("CreateMultipartUpload", "CompleteMultipartUpload", "ListMultipartUploads"),
    }
    for operation, headers in sent(aws):
        assert headers.items() >= PAYS.items(), operation


def test_an_upload_that_is_not_encrypted_as_asked_is_not_taken_for_one(aws: MemoryAws) -> None:
    """A target that does not know the header has lost an attribute, so the key is listed."""

    async def forget(call: Call, forward: Forward) -> Response:
        kept = {n: v for n, v in call.request.headers.items() if "server-side" not in n}
        return forward(replace(call, request=call.request._replace(headers=kept)))

    aws.add(forget, "CreateMultipartUpload")
    outcome = copy(aws, headers=ObjectHeaders("aws:kms"))
    details = [one.detail for one in outcome.skipped if one.key == "b"]
    assert details
    assert "x-amz-server-side-encryption" in details[0]


def test_a_bucket_without_acls_says_which_one_it_takes(aws: MemoryAws) -> None:
    """The first refusal ends the copy, because every other key would end in the same way."""
    aws.add(saying(fault(400, "AccessControlListNotSupported")), "CopyObject")
    with pytest.raises(InputError, match=r"bucket new has ACLs disabled .*bucket-owner-full-contr"):
        copy(aws, headers=ObjectHeaders(acl="private"))
    assert b"a" not in aws.buckets.content["new"]


def test_a_denial_names_what_the_headers_need(aws: MemoryAws) -> None:
    """Whoever lacks a permission for the key or the ACL reads of both."""
    aws.add(saying(fault(403, "AccessDenied")), "CopyObject")
    (first, *_) = copy(aws, headers=HEADERS).skipped
    for needed in ("s3:PutObjectAcl", "kms:GenerateDataKey", "kms:Decrypt"):
        assert needed in first.detail


def test_equal_bytes_under_another_encryption_are_not_copied_again(aws: MemoryAws) -> None:
    """Where S3 hides the digest behind another ETag, the bytes are read, and settle it."""
    kms = {"x-amz-server-side-encryption": "aws:kms"}
    new = aws.buckets.content["new"]
    new[b"a"] = Stored(b"small", "0" * 32, kms)
    new[b"c"] = Stored(b"nine", "1" * 32, kms)
    outcome = copy(aws, headers=ObjectHeaders("aws:kms"))
    assert b"a" not in aws.buckets.written
    assert [one.key for one in outcome.skipped if one.reason == "conflict"] == ["c"]
