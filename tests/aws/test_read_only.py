"""An account that only reads: every operation of the SDK that may change something is refused."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from dataware.aws.read_only import reads_operation
from dataware.core.errors import RefusedError
from dataware.core.read_only_wire import exports_into_own_bucket
from dataware.embedded import EmbeddedAws
from support.accounts import open_account

SAFE = {"GET", "HEAD"}
SERVICES = ("s3", "dynamodb", "dynamodbstreams", "ssm", "cloudformation", "kms")
READS_BY_POST = {"PutObject": False, "Scan": True, "BatchGetItem": True, "DescribeTable": True}


@pytest.mark.parametrize("service", SERVICES)
def test_no_operation_that_writes_counts_as_a_read(service: str) -> None:
    """By the models of the SDK: what has a safe method may read, and no verb of change does."""
    model = botocore.session.Session().get_service_model(service)
    verbs = ("Put", "Create", "Delete", "Update", "Start", "Stop", "Restore", "Copy", "Upload")
    for name in model.operation_names:
        if name.startswith(verbs):
            assert not reads_operation(name), name
        if service == "s3" and reads_operation(name):
            assert model.operation_model(name).http["method"] in SAFE, name
    for name, reads in READS_BY_POST.items():
        assert reads_operation(name) is reads


def test_a_client_refuses_before_anything_is_sent(aws_server: EmbeddedAws) -> None:
    """In every region, and on the raw transport of the account as well."""
    account = open_account(region="us-east-1").read_only()
    s3: Any = account.for_region("eu-west-1").client("s3")
    with pytest.raises(RefusedError, match="credentials of the source only read, so s3:PutObject"):
        s3.put_object(Bucket="some-bucket", Key="k", Body=b"")
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert type(account.wire(lambda _why: None)).__name__ == "ReadOnlyWire"


EXPORT = "ExportTableToPointInTime"
OWN = {"S3Bucket": "dataware-export-111122223333-0a1b2c", "S3BucketOwner": "111122223333"}


@pytest.mark.parametrize(
    ("operation", "changes", "admitted"),
    [
        (EXPORT, {}, True),
        (EXPORT, {"S3Bucket": "somebodys-bucket"}, False),
        (EXPORT, {"S3Bucket": "dataware-map-111122223333-0a1b2c"}, False),
        (EXPORT, {"S3BucketOwner": "444455556666"}, False),
        (EXPORT, {"S3BucketOwner": ".*"}, False),
        (EXPORT, {"S3BucketOwner": None}, False),
        ("RestoreTableToPointInTime", {}, False),
        ("ImportTable", {}, False),
        ("PutItem", {}, False),
    ],
)
def test_of_all_that_is_no_read_only_an_export_into_a_bucket_of_our_own_is_sent(
    operation: str, changes: dict[str, Any], admitted: bool
) -> None:
    """Whose bucket it is stands in its name."""
    body = json.dumps({**OWN, **changes})
    assert exports_into_own_bucket(operation, body.encode()) is admitted
    assert not exports_into_own_bucket(operation, None)


def test_a_client_asks_for_an_export_and_for_nothing_else(aws_server: EmbeddedAws) -> None:
    """What is admitted comes to the server, which knows no such table."""
    dynamodb: Any = open_account(region="us-east-1").read_only().client("dynamodb")
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/NoSuchTable"
    with pytest.raises(ClientError, match="NotFound"):
        dynamodb.export_table_to_point_in_time(TableArn=table, **OWN)
    with pytest.raises(RefusedError, match="only read, so dynamodb:ExportTableToPointInTime"):
        dynamodb.export_table_to_point_in_time(TableArn=table, S3Bucket="somebodys-bucket")
    with pytest.raises(RefusedError, match="dynamodb:UpdateContinuousBackups"):
        dynamodb.update_continuous_backups(
            TableName="NoSuchTable",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
