"""The embedded DynamoDB restores what AWS would restore, and refuses what AWS refuses.

Sources: Amazon DynamoDB API Reference, RestoreTableToPointInTime and TableDescription.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.embedded import EmbeddedAws, StreamSettings
from support.worlds import make_table, varied_items

ON = {"PointInTimeRecoveryEnabled": True}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose restores never end within a test."""
    with EmbeddedAws(streams=StreamSettings(restore_seconds=60.0)) as server:
        yield server


@pytest.fixture
def dynamodb(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of an AWS with a table that has everything a restore leaves behind."""
    server.reset()
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    make_table(
        "source",
        varied_items(5),
        Tags=[{"Key": "team", "Value": "space"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return boto3.client("dynamodb")


def restore(dynamodb: Any, **more: Any) -> Any:
    """Ask for a restore to the latest time."""
    when = {} if "RestoreDateTime" in more else {"UseLatestRestorableTime": True}
    return dynamodb.restore_table_to_point_in_time(
        SourceTableName="source", TargetTableName="target", **when, **more
    )


def code_of(call: Any) -> str:
    """The code of a refusal."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_a_table_without_recovery_is_not_restored(dynamodb: Any) -> None:
    """Nothing is made, either."""
    assert code_of(lambda: restore(dynamodb)) == "PointInTimeRecoveryUnavailableException"
    assert dynamodb.list_tables()["TableNames"] == ["source"]


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_time_outside_of_the_window_is_refused(dynamodb: Any, hours: int) -> None:
    """Before recovery was on, and in the future."""
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=ON)
    when = datetime.now(UTC) + timedelta(hours=hours)
    code = code_of(lambda: restore(dynamodb, RestoreDateTime=when))
    assert code == "InvalidRestoreTimeException"


def test_a_restored_table_is_a_new_one_that_is_not_ready_at_once(dynamodb: Any) -> None:
    """It tells where it comes from, lacks tags, stream and recovery, and cannot be read yet."""
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=ON)
    source = dynamodb.describe_table(TableName="source")["Table"]
    restore(dynamodb)
    table = dynamodb.describe_table(TableName="target")["Table"]
    assert table["TableStatus"] == "CREATING"
    assert table["RestoreSummary"]["SourceTableArn"] == source["TableArn"]
    assert table["RestoreSummary"]["RestoreInProgress"] is True
    assert table["TableId"] != source["TableId"]
    assert "StreamSpecification" not in table
    assert dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == []
    read = code_of(lambda: dynamodb.scan(TableName="target"))
    changed = code_of(lambda: dynamodb.delete_table(TableName="target"))
    assert (read, changed) == ("ResourceNotFoundException", "ResourceInUseException")
    assert code_of(lambda: restore(dynamodb)) == "TableAlreadyExistsException"


def test_a_table_of_another_region_is_named_by_its_arn(dynamodb: Any) -> None:
    """The new one is in the region of the request; a name alone means a table of that region."""
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=ON)
    arn = dynamodb.describe_table(TableName="source")["Table"]["TableArn"]
    far = boto3.client("dynamodb", region_name="eu-west-1")
    asked = {"TargetTableName": "source", "UseLatestRestorableTime": True}
    missing = code_of(lambda: far.restore_table_to_point_in_time(SourceTableName="source", **asked))
    assert missing == "TableNotFoundException"
    far.restore_table_to_point_in_time(SourceTableArn=arn, **asked)
    made = far.describe_table(TableName="source")["Table"]
    assert made["TableArn"] == arn.replace("us-east-1", "eu-west-1")
    assert made["RestoreSummary"]["SourceTableArn"] == arn
    assert far.list_tables()["TableNames"] == ["source"]
    assert dynamodb.list_tables()["TableNames"] == ["source"]
