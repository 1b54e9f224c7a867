"""The embedded DynamoDB exports and imports tables as AWS does.

Sources: Amazon DynamoDB API Reference, ExportTableToPointInTime and ImportTable; Developer Guide,
"DynamoDB table export output format" and "DynamoDB data import from Amazon S3: how it works".
"""

from __future__ import annotations

import gzip
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.embedded import EmbeddedAws, StreamSettings
from support.worlds import items_of, make_bucket, make_table, varied_items

ON = {"PointInTimeRecoveryEnabled": True}
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose imports take a moment."""
    with EmbeddedAws(streams=StreamSettings(import_seconds=0.4)) as server:
        yield server


@pytest.fixture
def dynamodb(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of an AWS with a table and a bucket for its exports."""
    server.reset()
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    make_table("source", varied_items(20))
    make_bucket("exports")
    return boto3.client("dynamodb")


def code_of(call: Any) -> str:
    """The code of a refusal."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def export(dynamodb: Any, **more: Any) -> Any:
    """Ask for an export."""
    arn = dynamodb.describe_table(TableName="source")["Table"]["TableArn"]
    asked = {"TableArn": arn, "S3Bucket": "exports", "S3Prefix": "old", **more}
    return dynamodb.export_table_to_point_in_time(**asked)["ExportDescription"]


def export_whole(dynamodb: Any) -> Any:
    """A complete export of the source."""
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=ON)
    begun = export(dynamodb)
    assert begun["ExportStatus"] == "IN_PROGRESS"
    return dynamodb.describe_export(ExportArn=begun["ExportArn"])["ExportDescription"]


def start_import(dynamodb: Any, prefix: str, **more: Any) -> Any:
    """Ask for an import into `target`."""
    asked = {
        "ClientToken": "one",
        "S3BucketSource": {"S3Bucket": "exports", "S3KeyPrefix": prefix},
        "InputFormat": "DYNAMODB_JSON",
        "InputCompressionType": "GZIP",
        "TableCreationParameters": {"TableName": "target", **KEYS},
        **more,
    }
    return dynamodb.import_table(**asked)["ImportTableDescription"]


def await_import(dynamodb: Any, arn: str) -> Any:
    """What an import says of itself once it has ended."""
    while True:
        told = dynamodb.describe_import(ImportArn=arn)["ImportTableDescription"]
        if told["ImportStatus"] != "IN_PROGRESS":
            return told
        time.sleep(0.05)


def read(key: str) -> bytes:
    """An object of the bucket."""
    return bytes(boto3.client("s3").get_object(Bucket="exports", Key=key)["Body"].read())


def test_only_a_recoverable_table_is_exported_and_within_its_window(dynamodb: Any) -> None:
    """Without recovery, before it was on, and in the future."""
    assert code_of(lambda: export(dynamodb)) == "PointInTimeRecoveryUnavailableException"
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=ON)
    for hours in (-24, 24):
        when = datetime.now(UTC) + timedelta(hours=hours)
        refused = code_of(lambda when=when: export(dynamodb, ExportTime=when))
        assert refused == "InvalidExportTimeException"
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="exports")


def test_an_export_has_the_files_that_aws_writes(dynamodb: Any) -> None:
    """A summary, a list of files with checksums, an empty partition, and every item once."""
    told = export_whole(dynamodb)
    assert (told["ExportStatus"], told["ItemCount"]) == ("COMPLETED", 20)
    folder = f"old/AWSDynamoDB/{told['ExportArn'].rpartition('/')[2]}"
    assert told["ExportManifest"] == f"{folder}/manifest-summary.json"
    summary = json.loads(read(told["ExportManifest"]))
    assert (summary["version"], summary["itemCount"]) == ("2020-06-30", 20)
    assert summary["tableArn"] == told["TableArn"]
    assert summary["manifestFilesS3Key"] == f"{folder}/manifest-files.json"
    for name in ("manifest-summary", "manifest-files"):
        digest = md5(read(f"{folder}/{name}.json")).digest()
        assert read(f"{folder}/{name}.checksum") == b64encode(digest)
    listed = boto3.client("s3").list_objects_v2(Bucket="exports")["Contents"]
    etags = {one["Key"]: one["ETag"].strip('"') for one in listed}
    assert f"{folder}/_started" in etags
    found, counts = [], []
    for line in read(f"{folder}/manifest-files.json").splitlines():
        file = json.loads(line)
        body = read(file["dataFileS3Key"])
        assert file["dataFileS3Key"].startswith(f"{folder}/data/")
        assert file["md5Checksum"] == b64encode(md5(body).digest()).decode()
        assert file["etag"] == etags[file["dataFileS3Key"]]
        lines = [json.loads(one)["Item"] for one in gzip.decompress(body).splitlines()]
        assert len(lines) == file["itemCount"]
        found += lines
        counts.append(len(lines))
    assert 0 in counts
    assert {one["pk"]["S"] for one in found} == {
        one["pk"]["S"] for one in items_of("source").values()
    }
    assert len(found) == 20


def test_a_token_asks_for_one_export(dynamodb: Any) -> None:
    """The second answer is about the first export."""
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=ON)
    first, second = (export(dynamodb, ClientToken="one")["ExportArn"] for _ in range(2))
    assert first == second


def test_an_export_into_a_bucket_that_is_not_there_fails(dynamodb: Any) -> None:
    """That shows only when one looks, and nothing is written."""
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=ON)
    begun = export(dynamodb, S3Bucket="nowhere")
    told = dynamodb.describe_export(ExportArn=begun["ExportArn"])["ExportDescription"]
    assert (told["ExportStatus"], told["FailureCode"]) == ("FAILED", "S3NoSuchBucket")


def test_an_import_makes_a_table_that_is_not_there_before_it_has_ended(dynamodb: Any) -> None:
    """It can be neither read nor changed; then it has every item, and CloudFormation adopts it."""
    prefix = export_whole(dynamodb)["ExportManifest"].rpartition("/")[0] + "/data/"
    begun = start_import(dynamodb, prefix)
    again = start_import(dynamodb, prefix)
    assert again["ImportArn"] == begun["ImportArn"]
    table = dynamodb.describe_table(TableName="target")["Table"]
    assert (table["TableStatus"], table["TableId"]) == ("CREATING", begun["TableId"])
    assert code_of(lambda: dynamodb.scan(TableName="target")) == "ResourceNotFoundException"
    assert code_of(lambda: dynamodb.delete_table(TableName="target")) == "ResourceInUseException"
    told = await_import(dynamodb, begun["ImportArn"])
    counts = (told["ImportedItemCount"], told["ProcessedItemCount"], told["ErrorCount"])
    assert (told["ImportStatus"], counts) == ("COMPLETED", (20, 20, 0))
    assert items_of("target") == items_of("source")
    listed = dynamodb.list_imports(TableArn=table["TableArn"])["ImportSummaryList"]
    assert [one["ImportArn"] for one in listed] == [begun["ImportArn"]]
    assert listed[0]["S3BucketSource"]["S3KeyPrefix"] == prefix
    adopt("target")
    for token, code in (("one", "ImportConflictException"), ("two", "ResourceInUseException")):
        taken = code_of(lambda token=token: start_import(dynamodb, "other/", ClientToken=token))
        assert taken == code


def test_an_item_that_does_not_fit_is_named_and_the_others_are_in_the_table(dynamodb: Any) -> None:
    """The import ends as FAILED, and CloudWatch Logs has the reason."""
    lines = [{"Item": {"pk": {"S": "good"}}}, {"Item": {"pk": {"N": "1"}}}]
    body = gzip.compress("".join(f"{json.dumps(one)}\n" for one in lines).encode())
    boto3.client("s3").put_object(Bucket="exports", Key="mixed/1.json.gz", Body=body)
    told = await_import(dynamodb, start_import(dynamodb, "mixed/")["ImportArn"])
    assert (told["ImportStatus"], told["FailureCode"]) == ("FAILED", "ItemValidationError")
    assert (told["ImportedItemCount"], told["ErrorCount"]) == (1, 1)
    assert [one["pk"] for one in items_of("target").values()] == [{"S": "good"}]
    stream = f"{told['ImportArn'].rpartition('/')[2]}/error"
    group = {"logGroupName": "/aws-dynamodb/imports", "logStreamName": stream}
    (logged,) = boto3.client("logs").get_log_events(**group)["events"]
    assert json.loads(logged["message"])["itemS3Pointer"]["key"] == "mixed/1.json.gz"


def test_nothing_to_read_leaves_no_table(dynamodb: Any) -> None:
    """The import fails, and the name is free."""
    told = await_import(dynamodb, start_import(dynamodb, "empty/")["ImportArn"])
    assert (told["ImportStatus"], told["FailureCode"]) == ("FAILED", "S3NoSuchKey")
    assert dynamodb.list_tables()["TableNames"] == ["source"]


def adopt(name: str) -> None:
    """Take a table into a stack by a change set that imports it."""
    properties = {"TableName": name, **KEYS}
    resource = {"Type": "AWS::DynamoDB::Table", "Properties": properties}
    template = {"Resources": {"Table": {**resource, "DeletionPolicy": "Retain"}}}
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_change_set(
        StackName="app",
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        ResourcesToImport=[
            {
                "ResourceType": "AWS::DynamoDB::Table",
                "LogicalResourceId": "Table",
                "ResourceIdentifier": {"TableName": name},
            }
        ],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName="app", ChangeSetName="import", WaiterConfig={"Delay": 1}
    )
    cloudformation.execute_change_set(StackName="app", ChangeSetName="import")
    cloudformation.get_waiter("stack_import_complete").wait(
        StackName="app", WaiterConfig={"Delay": 1}
    )
    (owned,) = cloudformation.describe_stack_resources(PhysicalResourceId=name)["StackResources"]
    assert owned["LogicalResourceId"] == "Table"
