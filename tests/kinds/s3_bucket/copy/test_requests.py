"""Encoding and addresses, against the SDK's own serialisation."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.model import Location
from dataware.core.ports import Judgement
from dataware.kinds.s3_bucket.copy.requests import (
    Bucket,
    S3Request,
    cursor_of,
    encode_key,
    encode_value,
    key_of,
)

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
HERE = Bucket("bucket", "000000000000", "eu-central-1")


def sent_by_the_sdk(key: str) -> tuple[str, str]:
    """The path and the copy source that the SDK would send for a copy from `key` to `key`."""
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(s3={"addressing_style": "path"}),
    )
    seen: dict[str, Any] = {}

    def keep(request: Any, **_: object) -> AWSResponse:
        seen["path"] = request.url.partition("127.0.0.1:9")[2]
        seen["source"] = request.headers["x-amz-copy-source"]
        body = b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
        return AWSResponse(request.url, 200, {}, _Body(body))

    client.meta.events.register("before-send.s3.CopyObject", keep)
    client.copy_object(Bucket="bucket", Key=key, CopySource={"Bucket": "bucket", "Key": key})
    source = seen["source"]
    return seen["path"], source.decode() if isinstance(source, bytes) else source


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> list[bytes]:
        return [self._content]


@given(KEYS)
def test_paths_and_copy_sources_are_those_of_the_sdk(key: str) -> None:
    """Every key is encoded as the SDK does it: no plus signs, slashes kept, nothing normalised."""
    path, source = sent_by_the_sdk(key)
    request = HERE.request("PUT", lambda _response: Judgement.DONE, S3Request(key.encode()))
    assert request.path == path
    assert HERE.as_source(key.encode(), "e")["x-amz-copy-source"] == source


@given(st.binary(min_size=1, max_size=60))
def test_a_cursor_is_plain_text_and_gives_the_key_back(key: bytes) -> None:
    """Whatever bytes a key has, a journal can hold it."""
    assert key_of(cursor_of(key)) == key
    assert cursor_of(key).isascii()
    assert cursor_of(key).isprintable()


@given(st.binary(min_size=1, max_size=60))
def test_encoded_text_cannot_leave_its_place(key: bytes) -> None:
    """No key can add a query, a parameter or a header line to a request."""
    assert not set(encode_key(key)) & set("?#&=+ \r\n;")
    assert not set(encode_value(key)) & set("?#&=+ \r\n;/")
    assert urlsplit(f"http://h/{encode_key(key)}").query == ""


def test_a_version_is_part_of_the_copy_source() -> None:
    """A question mark of the key is encoded, that of the version is not."""
    headers = HERE.as_source(b"a?b", "tag", "v/1")
    assert headers["x-amz-copy-source"] == "bucket/a%3Fb?versionId=v%2F1"
    assert headers["x-amz-copy-source-if-match"] == '"tag"'


def test_a_query_is_sorted_and_encoded() -> None:
    """Queries go over the wire as they are signed."""
    ask = S3Request(None, {"prefix": b"a/b c", "list-type": "2", "uploads": ""})
    request = HERE.request("GET", lambda _response: Judgement.DONE, ask)
    assert (request.path, request.query) == ("/bucket", "list-type=2&prefix=a%2Fb%20c&uploads=")
    assert request.shared["x-amz-expected-bucket-owner"] == "000000000000"
    assert request.region == "eu-central-1"


def test_a_place_may_be_named_by_its_arn() -> None:
    """An ARN and a name mean the same bucket."""
    place = Location("arn:aws:s3:::bucket", "1", "r", "é/")
    assert Bucket.of(place) == Bucket("bucket", "1", "r", "é/".encode())
