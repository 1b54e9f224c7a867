"""Requests of the wire against a server that checks signatures and permissions."""

from __future__ import annotations

import asyncio
import json

import boto3
import pytest

from dataware.aws import Account
from dataware.core.ports import Judgement, Request, Response
from dataware.embedded import EmbeddedAws
from support.accounts import open_account


def judge(response: Response) -> Judgement:
    """Success is 2xx."""
    return Judgement.DONE if response.status < 300 else Judgement.FAILED


@pytest.fixture(params=["curl", "botocore"])
def user_account(
    request: pytest.FixtureRequest, auth_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> Account:
    """The account through the keys of a user who may do one thing on S3 and DynamoDB each."""
    monkeypatch.setenv("DATAWARE_TRANSPORT", request.param)
    boto3.client("s3").create_bucket(Bucket="signed-bucket")
    iam = boto3.client("iam")
    iam.create_user(UserName="copier")
    statement = {
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "dynamodb:ListTables"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="copier", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="copier")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    return open_account()


def send(account: Account, request: Request) -> Response:
    """One request over a wire of its own."""

    async def main() -> Response:
        wire = account.wire(lambda _reason: None)
        try:
            return await wire.send(request)
        finally:
            await wire.close()

    return asyncio.run(main())


@pytest.mark.parametrize("key", ["plain", "a/../b", "..", "%20+%2B%C3%A9", "x//y/", "nl%0A"])
def test_the_server_accepts_signatures_of_difficult_keys(user_account: Account, key: str) -> None:
    """What is signed is what is sent, for every key, and it reads back."""
    path = f"/signed-bucket/{key}"
    assert send(user_account, Request("s3", "PUT", path, judge, body=b"\0data")).status == 200
    assert send(user_account, Request("s3", "GET", path, judge)).body == b"\0data"


def test_the_server_accepts_signatures_of_queries(user_account: Account) -> None:
    """A listing with encoded parameters is signed in the order that the service expects."""
    query = "prefix=a%2Fb%20c&list-type=2&encoding-type=url"
    response = send(user_account, Request("s3", "GET", "/signed-bucket", judge, query))
    assert (response.status, b"<KeyCount>0</KeyCount>" in response.body) == (200, True)


def test_the_server_accepts_signatures_of_json_calls(user_account: Account) -> None:
    """DynamoDB calls are signed, and a call that the user may not make is a plain answer."""
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    prefix = "DynamoDB_20120810."
    allowed, denied = (
        send(
            user_account,
            Request("dynamodb", "POST", "/", judge, "", {**headers, "X-Amz-Target": target}, body),
        )
        for target, body in (
            (prefix + "ListTables", b"{}"),
            (prefix + "DescribeTable", b'{"TableName":"none"}'),
        )
    )
    assert json.loads(allowed.body) == {"TableNames": []}
    assert b"AccessDenied" in denied.body


@pytest.mark.parametrize("name", ["accept-encoding", "Accept-Encoding", "USER-AGENT"])
def test_a_header_that_the_transport_sets_is_signed_once(user_account: Account, name: str) -> None:
    """A caller may name such a header in any spelling."""
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "DynamoDB_20120810.ListTables",
        name: "identity",
    }
    answer = send(user_account, Request("dynamodb", "POST", "/", judge, "", headers, b"{}"))
    assert json.loads(answer.body) == {"TableNames": []}
