"""The fault proxy: faithful to the byte where it injects nothing, and exact where it does."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ResponseStreamingError,
)

from dataware.embedded import EmbeddedAws
from support.operations import s3_operation
from support.processes import PATIENCE
from support.servers import (
    FaultProxy,
    Forward,
    Reply,
    Seen,
    answer,
    delay,
    drop,
    drop_after,
    json_error,
    truncate,
    xml_error,
)

ODD_KEYS = [
    *("plain", "a b", "a+b", "ä/ö/😀", "//twice", "/leading", "trailing/", "new\nline", "tab\t"),
    *("control\x01", "%20", "%2F", "?", "#", "..", "a/../b", "a/./b", "q?versionId=1", "x" * 1024),
]


@pytest.fixture
def s3(fault_proxy: FaultProxy) -> Any:
    """An S3 client through the proxy, without retries, and a bucket ``bucket``."""
    once = Config(retries={"total_max_attempts": 1}, read_timeout=5)
    client = boto3.client("s3", config=once)
    client.create_bucket(Bucket="bucket")
    fault_proxy.clear()
    return client


@pytest.mark.parametrize("key", ODD_KEYS)
def test_every_key_passes_untouched(key: str, s3: Any) -> None:
    """Neither path nor body is changed on the way."""
    s3.put_object(Bucket="bucket", Key=key, Body=key.encode())
    assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == key.encode()
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="bucket")["Contents"]] == [key]


def test_streamed_bodies_pass_untouched(s3: Any) -> None:
    """A body sent in chunks after ``100 Continue`` arrives whole."""
    body = os.urandom(3_000_000)
    s3.put_object(Bucket="bucket", Key="key", Body=io.BytesIO(body))
    assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == body


def test_signatures_stay_valid(auth_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that checks signatures accepts what comes through the proxy."""
    with FaultProxy(auth_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        iam = boto3.client("iam")
        iam.create_user(UserName="user")
        policy = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        iam.put_user_policy(UserName="user", PolicyName="all", PolicyDocument=document)
        keys = iam.create_access_key(UserName="user")["AccessKey"]
        s3 = boto3.client(
            "s3",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
        )
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="a/../b c", Body=b"1")
        assert s3.get_object(Bucket="bucket", Key="a/../b c")["Body"].read() == b"1"


def test_requests_are_recorded_with_their_operation(fault_proxy: FaultProxy) -> None:
    """S3, JSON and query services are told apart by operation."""
    boto3.client("s3").create_bucket(Bucket="bucket", ObjectOwnership="BucketOwnerEnforced")
    boto3.client("dynamodb").list_tables(Limit=7)
    boto3.client("cloudformation").list_stacks()
    operations = ["CreateBucket", "ListTables", "ListStacks"]
    assert [seen.operation for seen in fault_proxy.seen] == operations
    assert fault_proxy.seen[0].headers["x-amz-object-ownership"] == "BucketOwnerEnforced"
    assert fault_proxy.seen[1].json() == {"Limit": 7}
    assert [fault_proxy.count(), fault_proxy.count("ListTables")] == [3, 1]


def test_a_rule_hits_as_often_as_it_says(fault_proxy: FaultProxy, s3: Any) -> None:
    """`skip` lets the first pass, `times` ends it, and other operations are left alone."""
    fault_proxy.add(xml_error("SlowDown", 503), operation="PutObject", skip=1, times=2)
    results = []
    for number in range(4):
        try:
            s3.put_object(Bucket="bucket", Key=str(number), Body=b"")
            results.append("done")
        except ClientError as error:
            results.append(error.response["Error"]["Code"])
        s3.head_bucket(Bucket="bucket")
    assert results == ["done", "SlowDown", "SlowDown", "done"]


def test_a_dropped_request_never_arrives(fault_proxy: FaultProxy, s3: Any) -> None:
    """`drop` hides the request from the server, `drop_after` only its answer."""
    for key, fault, arrives in (("before", drop, 0), ("after", drop_after, 1)):
        fault_proxy.clear()
        fault_proxy.add(fault, operation="PutObject")
        with pytest.raises(ConnectionClosedError):
            s3.put_object(Bucket="bucket", Key=key, Body=b"")
        assert s3.list_objects_v2(Bucket="bucket", Prefix=key)["KeyCount"] == arrives


def test_a_truncated_body_breaks_off(fault_proxy: FaultProxy, s3: Any) -> None:
    """The client gets the head, some bytes, and then the end of the connection."""
    s3.put_object(Bucket="bucket", Key="key", Body=b"0123456789")
    fault_proxy.add(truncate(4), operation="GetObject")
    with pytest.raises(ResponseStreamingError):
        s3.get_object(Bucket="bucket", Key="key")["Body"].read()


def test_faults_wrap_each_other_and_may_change_everything(fault_proxy: FaultProxy) -> None:
    """A fault of one's own sees the request, may send another, and changes the answer."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    order = []

    def half(seen: Seen, forward: Forward) -> Reply:
        order.append("half")
        asked: Any = seen.json()
        puts = asked["RequestItems"]["table"]
        reply = forward(seen.with_body(json.dumps({"RequestItems": {"table": puts[:1]}}).encode()))
        assert reply.status == 200
        body = json.dumps({"UnprocessedItems": {"table": puts[1:]}}).encode()
        return Reply.of(200, body, {"Content-Type": "application/x-amz-json-1.0"})

    def outer(seen: Seen, forward: Forward) -> Reply:
        order.append("outer")
        return delay(0)(seen, forward)

    fault_proxy.add(outer, operation="BatchWriteItem")
    fault_proxy.add(half, operation="BatchWriteItem")
    puts = [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(3)]
    left = dynamodb.batch_write_item(RequestItems={"table": puts})["UnprocessedItems"]
    assert left == {"table": puts[1:]}
    assert order == ["outer", "half"]
    assert dynamodb.scan(TableName="table")["Count"] == 1


def test_errors_of_json_services_look_like_theirs(fault_proxy: FaultProxy) -> None:
    """The SDK takes an injected error for the service's own."""
    fault_proxy.add(json_error("ThrottlingException"), when=lambda seen: b"Limit" in seen.body)
    once = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError, match="ThrottlingException"):
        once.list_tables(Limit=1)
    assert once.list_tables()["TableNames"] == []


def test_an_answer_of_our_own_carries_its_headers(fault_proxy: FaultProxy, s3: Any) -> None:
    """Status, headers and body reach the client as given."""
    fault_proxy.add(answer(200, b"", {"x-amz-meta-colour": "blue", "ETag": '"1"'}))
    head = s3.head_object(Bucket="bucket", Key="never-there")
    assert (head["Metadata"], head["ETag"]) == ({"colour": "blue"}, '"1"')


def test_a_server_that_is_gone_is_a_closed_connection() -> None:
    """Without a server behind it the proxy hangs up, as a dying server does."""
    with FaultProxy("http://127.0.0.1:9") as proxy:
        once = Config(retries={"total_max_attempts": 1})
        keys = {"aws_access_key_id": "0" * 12, "aws_secret_access_key": "x"}
        client = boto3.client(
            "sts", config=once, region_name="us-east-1", endpoint_url=proxy.endpoint, **keys
        )
        with pytest.raises(ConnectionClosedError):
            client.get_caller_identity()


@pytest.mark.parametrize(
    ("method", "path", "query", "copies", "expected"),
    [
        ("GET", "/", "", False, "ListBuckets"),
        ("GET", "/b", "list-type=2&prefix=a", False, "ListObjectsV2"),
        ("GET", "/b", "versions", False, "ListObjectVersions"),
        ("GET", "/b/", "versioning", False, "GetBucketVersioning"),
        ("HEAD", "/b", "", False, "HeadBucket"),
        ("POST", "/b", "delete", False, "DeleteObjects"),
        ("PUT", "/b/k", "", True, "CopyObject"),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", True, "UploadPartCopy"),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", False, "UploadPart"),
        ("POST", "/b/k", "uploads", False, "CreateMultipartUpload"),
        ("POST", "/b/k", "uploadId=u", False, "CompleteMultipartUpload"),
        ("DELETE", "/b/k", "uploadId=u", False, "AbortMultipartUpload"),
        ("GET", "/b", "uploads", False, "ListMultipartUploads"),
        ("PUT", "/b/k", "tagging", False, "PutObjectTagging"),
        ("POST", "/b/k", "restore", False, "RestoreObject"),
        ("DELETE", "/b//k", "versionId=1", False, "DeleteObject"),
    ],
)
def test_s3_operations_are_told_by_their_shape(
    method: str, path: str, query: str, copies: bool, expected: str
) -> None:
    """Method, path, subresource and copy source decide which operation a request is."""
    headers = {"x-amz-copy-source": "b/k"} if copies else {}
    assert s3_operation(method, path, query, headers) == expected


def test_what_is_held_back_never_arrives_late(aws_server: EmbeddedAws) -> None:
    """A request that waits when its proxy ends is dropped: another test may have the server."""
    held, gate = threading.Event(), threading.Event()

    def hold(seen: Seen, forward: Forward) -> Reply:
        held.set()
        gate.wait(PATIENCE)
        ended.release()
        return forward(seen)

    ended = threading.Semaphore(0)
    boto3.client("s3").create_bucket(Bucket="bucket")
    with FaultProxy(aws_server.endpoint) as proxy:
        proxy.add(hold, operation="PutObject")
        client = boto3.client(
            "s3",
            endpoint_url=proxy.endpoint,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2),
        )
        with pytest.raises(BotoCoreError):
            client.put_object(Bucket="bucket", Key="late", Body=b"late")
        assert held.wait(PATIENCE)
    gate.set()
    assert ended.acquire(timeout=PATIENCE)
    time.sleep(0.3)
    assert boto3.client("s3").list_objects_v2(Bucket="bucket")["KeyCount"] == 0
