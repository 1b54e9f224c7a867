"""Undecoded bodies: whole ones only, with the SDK's signing, retries and errors around them."""

from __future__ import annotations

import json
import platform
import resource
from dataclasses import replace

import pytest

from dataware.aws import Account, fetch
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.kinds.s3_bucket.verify.listings import read_listing
from support.dynamo import account, make_table, put
from support.servers import FaultProxy, Forward, Reply, Seen, json_error, xml_error


@pytest.fixture
def aws(fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with a table and a bucket, behind a proxy; pauses are short."""
    monkeypatch.setattr(fetch, "FIRST_PAUSE", 0.001)
    aws = account()
    make_table(aws, "tab")
    put(aws, "tab", [{"pk": {"S": "é"}}])
    aws.client("s3").create_bucket(Bucket="bucket")
    aws.client("s3").put_object(Bucket="bucket", Key="key", Body=b"1")
    return aws


def scan(aws: Account) -> object:
    """The items of the table."""
    return aws.fetch("dynamodb", "scan", json.loads, TableName="tab")["Items"]


def text(body: bytes) -> str:
    """A body as it is."""
    return body.decode()


def test_a_body_comes_as_it_was_sent(aws: Account, fault_proxy: FaultProxy) -> None:
    """Byte for byte, of JSON and of XML."""
    sent: list[bytes] = []

    def note(seen: Seen, forward: Forward) -> Reply:
        reply = forward(seen)
        sent.append(reply.body)
        return reply

    fault_proxy.add(note, operation="Scan")
    fault_proxy.add(note, operation="ListObjectsV2")
    assert aws.fetch("dynamodb", "scan", bytes, TableName="tab") == sent[0]
    assert aws.fetch("s3", "list_objects_v2", bytes, Bucket="bucket") == sent[1]
    assert b"<Key>key</Key>" in sent[1]


def test_other_calls_are_parsed_as_ever(aws: Account) -> None:
    """Only the clients that fetch leave bodies alone."""
    scan(aws)
    assert aws.client("dynamodb").scan(TableName="tab")["Count"] == 1


@pytest.mark.parametrize(
    "reply",
    [
        replace(Reply.of(200, b'{"Items":[]}' + b" " * 40), keep=12),
        Reply.of(200, b"<html>who are you?</html>"),
        Reply.of(200, b""),
    ],
)
def test_what_is_not_whole_is_asked_for_again(
    aws: Account, fault_proxy: FaultProxy, reply: Reply
) -> None:
    """A body that is cut short, or that cannot be read, is never the answer."""
    times = [2]

    def tear(seen: Seen, forward: Forward) -> Reply:
        times[0] -= 1
        return reply if times[0] >= 0 else forward(seen)

    fault_proxy.add(tear, operation="Scan")
    assert scan(aws) == [{"pk": {"S": "é"}}]


def test_garbage_for_ever_is_an_error(aws: Account, fault_proxy: FaultProxy) -> None:
    """The call and what is wrong with its answers are named, and nothing passes for the end."""
    fault_proxy.add(lambda _seen, _forward: Reply.of(200, b'{"Items":['), operation="Scan")
    with pytest.raises(
        LookupFailedError, match="Scan returned an incomplete response 6 times in a row"
    ):
        scan(aws)


def test_errors_are_those_of_the_client(aws: Account, fault_proxy: FaultProxy) -> None:
    """A refusal is told by its code, and an absence is one."""
    with pytest.raises(NotFoundError), aws.translate_errors("table nobody"):
        aws.fetch("dynamodb", "scan", text, TableName="nobody")
    fault_proxy.add(json_error("AccessDeniedException"), operation="Scan")
    with (
        pytest.raises(LookupFailedError, match="dynamodb:Scan"),
        aws.translate_errors("x", "dynamodb:Scan"),
    ):
        scan(aws)


def test_an_error_within_a_success_is_no_listing(aws: Account, fault_proxy: FaultProxy) -> None:
    """A 200 with an error inside is refused by the parser, so it is asked for again."""
    times = [1]

    def fail(seen: Seen, forward: Forward) -> Reply:
        times[0] -= 1
        return xml_error("InternalError", 200)(seen, forward) if times[0] >= 0 else forward(seen)

    fault_proxy.add(fail, operation="ListObjectsV2")
    page = aws.fetch("s3", "list_objects_v2", read_listing, Bucket="bucket")
    assert [each[0] for each in page.objects] == [b"key"]


def test_the_memory_of_one_body_is_used_for_the_next() -> None:
    """With glibc, pages of items do not come from the system one by one, each to be cleared."""
    fetch.keep_freed_memory()
    page = 10**6 * b"x"  # the first one comes from the system in any case
    del page
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        page = 10**6 * b"x"
        del page
    fetched = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert fetched < 50 * 244 / 2 or platform.libc_ver()[0] != "glibc"
