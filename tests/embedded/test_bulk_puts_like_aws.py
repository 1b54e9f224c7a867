"""The embedded DynamoDB puts items in bulk as AWS documents it.

Sources: Amazon DynamoDB API Reference, StartBulkPutItems, DescribeBulkOperation, ListBulkOperations
and CancelBulkOperation. Requests and answers are those of the SDK's model of AWS.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from dataware.embedded import EmbeddedAws, StreamSettings
from support.worlds import items_of, make_bucket, make_table

ITEMS = [{"pk": {"S": f"k{number}"}, "v": {"N": str(number)}} for number in range(20)]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose bulk puts take a moment."""
    with EmbeddedAws(streams=StreamSettings(import_seconds=0.4)) as server:
        yield server


@pytest.fixture
def dynamodb(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of an AWS with an empty table, and a bucket with items in it."""
    server.reset()
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    make_table("target", [])
    make_bucket("input")
    lines = "".join(f"{json.dumps({'Item': item})}\n" for item in ITEMS)
    boto3.client("s3").put_object(
        Bucket="input", Key="data/1.json.gz", Body=gzip.compress(lines.encode())
    )
    return boto3.client("dynamodb")


def start(dynamodb: Any, **more: Any) -> Any:
    """Ask for a bulk put; its answer is one that the SDK's model allows."""
    asked = {
        "ClientToken": "one",
        "TableName": "target",
        "InputS3Configuration": {
            "S3Bucket": "input",
            "S3KeyPrefix": "data/",
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": "GZIP",
        },
        "OutputS3Configuration": {"S3Bucket": "input", "OutputType": ["ERROR"]},
        **more,
    }
    answer = dynamodb.start_bulk_put_items(**asked)
    del answer["ResponseMetadata"]
    shape = dynamodb.meta.service_model.operation_model("StartBulkPutItems").output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    return answer["BulkOperationDescription"]


def await_end(dynamodb: Any, arn: str) -> Any:
    """What it says of itself once it has ended."""
    while True:
        told = dynamodb.describe_bulk_operation(BulkOperationArn=arn)["BulkOperationDescription"]
        if told["BulkOperationStatus"] not in {"IN_PROGRESS", "CANCELLING"}:
            return told
        time.sleep(0.05)


def code_of(call: Any) -> str:
    """The code of a refusal."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_items_are_put_and_what_stands_is_replaced(dynamodb: Any) -> None:
    """Once for one token; another request with that token is refused."""
    dynamodb.put_item(TableName="target", Item={"pk": {"S": "k1"}, "v": {"S": "mine"}})
    begun = start(dynamodb)
    assert begun["BulkOperationStatus"] == "IN_PROGRESS"
    assert start(dynamodb)["BulkOperationArn"] == begun["BulkOperationArn"]
    place = {"S3Bucket": "input", "S3KeyPrefix": "else/", "InputFormat": "DYNAMODB_JSON"}
    code = code_of(lambda: start(dynamodb, InputS3Configuration=place))
    assert code == "IdempotentParameterMismatchException"
    told = await_end(dynamodb, begun["BulkOperationArn"])
    assert (told["BulkOperationStatus"], told["ProcessedItemCount"]) == ("COMPLETED", 20)
    assert [item["v"] for item in items_of("target").values()].count({"S": "mine"}) == 0
    assert len(items_of("target")) == 20
    (row,) = dynamodb.list_bulk_operations()["BulkOperationsSummaryList"]
    assert row["BulkOperationArn"] == begun["BulkOperationArn"]


def test_an_item_that_does_not_fit_is_counted(dynamodb: Any) -> None:
    """All others are in the table."""
    body = gzip.compress(b'{"Item":{"other":{"S":"x"}}}\n{"Item":{"pk":{"S":"more"}}}\n')
    boto3.client("s3").put_object(Bucket="input", Key="data/2.json.gz", Body=body)
    told = await_end(dynamodb, start(dynamodb)["BulkOperationArn"])
    assert told["BulkOperationStatus"] == "COMPLETED_WITH_ERRORS"
    assert (told["ProcessedItemCount"], told["FailedItemCount"]) == (21, 1)


def test_what_cannot_be_begun_is_refused(dynamodb: Any) -> None:
    """A table that is not there, an operation that nobody knows, and reports that are not made."""
    assert code_of(lambda: start(dynamodb, TableName="none")) == "ResourceNotFoundException"
    reports = {"S3Bucket": "input", "OutputType": ["ERROR", "CONDITION_CHECK_FAILURE"]}
    refused = code_of(lambda: start(dynamodb, OutputS3Configuration=reports))
    assert refused == "ValidationException"
    strange = {"BulkOperationArn": "arn:aws:dynamodb:us-east-1:000000000000:table/x/bulk/1"}
    for call in (dynamodb.describe_bulk_operation, dynamodb.cancel_bulk_operation):
        assert code_of(partial(call, **strange)) == "ResourceNotFoundException"


def test_nothing_to_read_fails_and_a_cancelled_one_ends(dynamodb: Any) -> None:
    """What it has put until then stays."""
    place = {"S3Bucket": "input", "S3KeyPrefix": "none/", "InputFormat": "DYNAMODB_JSON"}
    place["InputCompressionType"] = "GZIP"
    failed = await_end(dynamodb, start(dynamodb, InputS3Configuration=place)["BulkOperationArn"])
    assert failed["BulkOperationStatus"] == "FAILED"
    begun = start(dynamodb, ClientToken="two")["BulkOperationArn"]
    assert dynamodb.cancel_bulk_operation(BulkOperationArn=begun)["BulkOperationStatus"] == (
        "CANCELLING"
    )
    assert await_end(dynamodb, begun)["BulkOperationStatus"] == "CANCELLED"
