"""The copier against roto, a third opinion: what it answers as S3 documents, and where it is wrong.

Where it is wrong stands in `WRONG`, in tests of its own and in `docs/embedded.md`: none of the
other tests rests on that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from dataware.aws.clock import SystemClock
from dataware.aws.session import Account
from dataware.cli.transport import make_wire
from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, SkipReason
from dataware.core.errors import LookupFailedError
from dataware.core.ports import Request, Response
from dataware.kinds.s3_bucket import make_reader
from dataware.kinds.s3_bucket.copy.copier import make as make_copier
from support import buckets
from support.buckets import (
    DIFFICULT_KEYS,
    Recording,
    copy,
    get,
    many_keys,
    order,
    put,
    small_pages,
    whole,
)
from support.peers import Roto
from support.readers import read_entries

_NOT_FOR_ROTO = {"trail/", "a\\b"}
LARGE = 6 * 1024**2


@pytest.fixture
def aws(roto: Roto, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account that roto was told."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", roto.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", roto.secret)
    return Account.open(make_wire, region=buckets.REGION, endpoint_url=roto.endpoint)


@pytest.fixture
def pair(aws: Account) -> tuple[str, str]:
    """The names of two new buckets."""
    return buckets.make_pair(aws)


def relay(
    aws: Account,
    the_order: CopyOrder,
    answer: Callable[[Request], Response | None] = lambda _request: None,
) -> CopyOutcome:
    """A copy through this machine, read by a wire of its own."""
    the_order = replace(the_order, source=replace(the_order.source, profile="own"))

    async def run() -> CopyOutcome:
        writing = Recording(aws.wire(lambda _reason: None), answer)
        reading: Any = aws.read_only().wire(lambda _reason: None)
        try:
            tools = CopyTools(aws, writing, SystemClock(), reading=reading)  # type: ignore[arg-type]
            return await whole(make_copier(tools, the_order))
        finally:
            await writing.close()
            await reading.close()

    return asyncio.run(run())


def test_keys_arrive(aws: Account, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A third server understands the same encoding, and begins and ends listings alike."""
    small_pages(monkeypatch)
    names = many_keys(key for key in DIFFICULT_KEYS if key not in _NOT_FOR_ROTO)
    for key in names:
        put(aws, key, key.encode(), pair[0])
    outcome, _ = copy(aws, order(aws, *pair))
    assert (outcome.copied, outcome.skipped) == (len(names), ())
    assert all(get(aws, key, pair[1]) == key.encode() for key in names)
    again, _ = copy(aws, order(aws, *pair))
    assert (again.copied, again.same) == (0, len(names))


@pytest.mark.parametrize("through", [False, True], ids=["by the service", "through this machine"])
def test_an_object_keeps_everything(aws: Account, pair: tuple[str, str], through: bool) -> None:
    """Headers, metadata and tags arrive, whoever carries them."""
    kept = {"ContentType": "text/x", "CacheControl": "max-age=1", "Metadata": {"a": "1"}}
    body = bytes(range(256)) * 4096
    put(aws, "key", body, pair[0], **({} if through else {"Tagging": "t=1%2B"}), **kept)
    the_order = order(aws, *pair)
    outcome = relay(aws, the_order) if through else copy(aws, the_order)[0]
    assert (outcome.copied, outcome.skipped) == (1, ())
    head = aws.client("s3").head_object(Bucket=pair[1], Key="key")
    assert {name: head[name] for name in kept} == kept
    assert head.get("TagCount", 0) == (0 if through else 1)
    assert get(aws, "key", pair[1]) == body
    assert copy(aws, the_order)[0].same == 1


def test_what_passes_through_this_machine_replaces_nothing(
    aws: Account, pair: tuple[str, str]
) -> None:
    """roto enforces the conditions of PutObject, and so shows those of a relayed object."""
    put(aws, "key", b"mine", pair[0])
    came: list[Request] = []

    def come_in_between(request: Request) -> Response | None:
        if request.method == "PUT" and not came:
            came.append(request)
            put(aws, "key", b"theirs", pair[1])
        return None

    outcome = relay(aws, order(aws, *pair), come_in_between)
    assert [left.reason for left in outcome.skipped] == [SkipReason.CONFLICT]
    assert get(aws, "key", pair[1]) == b"theirs"


def test_the_verification_reads_both_sides(aws: Account, pair: tuple[str, str]) -> None:
    """Listings of a third server say of equal objects that they are equal, and of others not."""
    for key in ("a", "b"):
        put(aws, key, key.encode(), pair[0])
    copy(aws, order(aws, *pair))
    put(aws, "b", b"c", pair[1])
    places = [buckets.place(aws, name) for name in pair]
    sides = [make_reader(aws, place, all_versions=False, deep=False) for place in places]
    mine, theirs = ({one.key: one for one in read_entries(side, "")} for side in sides)
    assert [key for key, one in mine.items() if one == theirs[key]] == [b"a"]
    assert [key for key in mine if mine[key].digest == theirs[key].digest] == [b"a"]


def _replaces_by_copy(s3: Any, bucket: str) -> bool:
    source = {"Bucket": bucket, "Key": "a"}
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source, IfNoneMatch="*")
    return bool(s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"mine")


def _deletes_another(s3: Any, bucket: str) -> bool:
    answer = s3.delete_object(Bucket=bucket, Key="b", IfMatch='"0"')
    return bool(answer["ResponseMetadata"]["HTTPStatusCode"] == 204)


def _takes_a_stranger(s3: Any, bucket: str) -> bool:
    return bool(s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="1" * 12))


def _takes_a_long_key(s3: Any, bucket: str) -> bool:
    return bool(s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b""))


def _takes_a_wrong_checksum(s3: Any, bucket: str) -> bool:
    return bool(s3.put_object(Bucket=bucket, Key="c", Body=b"x", ChecksumCRC32="AAAAAA=="))


def _hides_a_folder(s3: Any, bucket: str) -> bool:
    s3.put_object(Bucket=bucket, Key="trail/", Body=b"data")
    return bool(s3.get_object(Bucket=bucket, Key="trail/")["Body"].read() == b"")


def _loses_a_backslash(s3: Any, bucket: str) -> bool:
    s3.put_object(Bucket=bucket, Key="a\\b", Body=b"data")
    try:
        s3.get_object(Bucket=bucket, Key="a\\b")
    except ClientError as error:
        return error.response["Error"]["Code"] == "InternalFailure"
    return False


def _misnames_tags(s3: Any, bucket: str) -> bool:
    try:
        s3.get_object_tagging(Bucket=bucket, Key="a")
    except (LookupFailedError, ResponseParserError):
        return True
    return False


def _lists_uploads_plainly(s3: Any, bucket: str) -> bool:
    return "EncodingType" not in s3.list_multipart_uploads(Bucket=bucket, EncodingType="url")


WRONG: dict[str, Callable[[Any, str], bool]] = {
    "CopyObject ignores If-None-Match on the target": _replaces_by_copy,
    "DeleteObject ignores If-Match": _deletes_another,
    "the expected bucket owner is ignored": _takes_a_stranger,
    "a key of 1,025 bytes is taken": _takes_a_long_key,
    "a wrong CRC-32 is taken": _takes_a_wrong_checksum,
    "GetObjectTagging answers a document of another name": _misnames_tags,
    "ListMultipartUploads ignores the encoding type": _lists_uploads_plainly,
    "an object whose key ends with / reads as empty": _hides_a_folder,
    "an object whose key has a backslash cannot be read": _loses_a_backslash,
}
"""What roto 0.10.1 does otherwise than the Amazon S3 API Reference says."""


@pytest.mark.parametrize("claim", WRONG)
def test_where_it_is_wrong_is_known(aws: Account, pair: tuple[str, str], claim: str) -> None:
    """A version that is right makes this fail, and then the tests above can rest on more."""
    s3 = aws.client("s3")
    for key, body in (("a", b"mine"), ("b", b"theirs")):
        s3.put_object(Bucket=pair[0], Key=key, Body=body)
    assert WRONG[claim](s3, pair[0])
