"""What of a declared table a restore brings, what stands against one, and what is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from dataware.core.errors import IncompleteError, LookupFailedError, RefusedError
from dataware.core.model import Location
from dataware.kinds.dynamodb_table.repair import DECLARED, STEPS
from dataware.kinds.dynamodb_table.restore import TableRestore

SOURCE = Location("Orders", "1" * 12, "us-east-1")
TARGET = Location("Orders-prod", "1" * 12, "us-east-1")
ARN = "arn:aws:dynamodb:us-east-1:111111111111:table/Orders"
KEY = [{"AttributeName": "pk", "KeyType": "HASH"}]
INDEX = {"IndexName": "by-day", "KeySchema": KEY, "Projection": {"ProjectionType": "ALL"}}
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class StubbedAws:
    """A control plane whose DynamoDB answers as it is told; requests and answers are checked
    against AWS's own model."""

    def __init__(self) -> None:
        self.api = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.stub = Stubber(self.api)
        self.stub.activate()
        self.regions: list[str] = []

    region = "us-east-1"

    def for_region(self, region: str) -> StubbedAws:
        """The same answers; `regions` has what was asked for."""
        self.regions.append(region)
        return self

    def client(self, _service: str) -> Any:
        """The stubbed client."""
        return self.api

    def translate_errors(self, what: str, permission: str | None = None) -> Any:
        """As the account does."""
        from dataware.aws.errors import translate_errors

        return translate_errors(what, permission)

    def described(self, **more: Any) -> None:
        """The next answer to DescribeTable."""
        table = {"TableName": "Orders", "TableArn": ARN, "TableStatus": "ACTIVE", **more}
        self.stub.add_response("describe_table", {"Table": table})

    def recoverable(self, *, on: bool = True) -> None:
        """The next answer to DescribeContinuousBackups."""
        status = "ENABLED" if on else "DISABLED"
        recovery = {"PointInTimeRecoveryStatus": status}
        latest = {"LatestRestorableDateTime": NOON} if on else {}
        backups = {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {**recovery, **latest},
        }
        answer = {"ContinuousBackupsDescription": backups}
        self.stub.add_response("describe_continuous_backups", answer)


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({}, ""),
        ({"GlobalSecondaryIndexes": [INDEX]}, ""),
        ({"GlobalSecondaryIndexes": [{**INDEX, "IndexName": "by-hour"}]}, "by-hour"),
        (
            {"GlobalSecondaryIndexes": [{**INDEX, "Projection": {"ProjectionType": "KEYS_ONLY"}}]},
            "by-day",
        ),
        ({"LocalSecondaryIndexes": [INDEX]}, "local indexes differ"),
        ({"Replicas": [{"Region": "eu-west-1"}]}, "global table"),
        ({"KinesisStreamSpecification": {"StreamArn": "arn"}}, ""),
        ({"ImportSourceSpecification": {"InputFormat": "CSV"}}, "ImportSourceSpecification"),
    ],
)
def test_what_a_restore_cannot_bring_stands_against_it(
    properties: dict[str, Any], problem: str
) -> None:
    """Another index, or another form of it; what is not declared is left out of the restore."""
    aws = StubbedAws()
    aws.described(GlobalSecondaryIndexes=[INDEX])
    found = TableRestore(aws).find_problem(SOURCE, properties)  # type: ignore[arg-type]
    assert problem in found
    assert bool(found) is bool(problem)


def test_a_restore_is_asked_for_as_the_source_is_now() -> None:
    """Not before the latest restorable time has come up to the moment of the question."""
    aws = StubbedAws()
    restore = TableRestore(aws)  # type: ignore[arg-type]
    aws.recoverable()
    assert restore.find_request(SOURCE, TARGET, NOON.timestamp() + 300, {}) is None
    aws.recoverable()
    aws.described()
    record = restore.find_request(SOURCE, TARGET, NOON.timestamp(), {"restore_times": [1]})
    assert record is not None
    assert record["restore_times"] == [1, int(NOON.timestamp())]
    aws.recoverable(on=False)
    with pytest.raises(RefusedError, match="recovery of Orders is off"):
        restore.find_request(SOURCE, TARGET, 0, {})


def test_a_source_of_another_region_is_looked_at_there_and_named_by_its_arn() -> None:
    """The request itself goes to the region of the new table."""
    aws, there = StubbedAws(), Location("Orders", "1" * 12, "eu-west-1")
    restore = TableRestore(aws)  # type: ignore[arg-type]
    arn = ARN.replace("us-east-1", "eu-west-1")
    aws.described(TableArn=arn)
    assert restore.find_problem(there, {}) == ""
    aws.recoverable()
    aws.described(TableArn=arn)
    record = restore.find_request(there, TARGET, 0, {})
    assert record is not None
    assert set(aws.regions) == {"eu-west-1"}
    assert record["source_arn"] == arn
    aws.regions.clear()
    expected = {
        "SourceTableArn": arn,
        "TargetTableName": "Orders-prod",
        "RestoreDateTime": NOON,
        "BillingModeOverride": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexOverride": [],
    }
    aws.stub.add_response("restore_table_to_point_in_time", {}, expected)
    restore.begin(record, there, TARGET, {"BillingMode": "PAY_PER_REQUEST"})
    assert aws.regions == []


@pytest.mark.parametrize(
    ("region", "declared", "stands"),
    [
        ("eu-west-1", {}, True),
        ("eu-west-1", {"SSESpecification": {"SSEEnabled": False}}, True),
        ("eu-west-1", {"SSESpecification": {"SSEEnabled": True}}, False),
        ("us-east-1", {}, False),
    ],
)
def test_a_key_of_another_region_stands_against_a_restore(
    region: str, declared: dict[str, Any], stands: bool
) -> None:
    """Unless the encryption is declared, a restore keeps that of the source."""
    aws = StubbedAws()
    aws.described(SSEDescription={"Status": "ENABLED", "SSEType": "KMS"})
    place = Location("Orders", "1" * 12, region)
    found = TableRestore(aws).find_problem(place, declared)  # type: ignore[arg-type]
    assert ("encrypted under a key of eu-west-1" in found) is stands


def test_the_request_carries_what_is_declared() -> None:
    """Billing, capacity, indexes and encryption are the app's, everything else the source's."""
    aws = StubbedAws()
    when = int(NOON.timestamp())
    units = {"ReadCapacityUnits": "5", "WriteCapacityUnits": 6}
    numbers = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
    expected = {
        "SourceTableArn": ARN,
        "TargetTableName": "Orders-prod",
        "RestoreDateTime": NOON,
        "BillingModeOverride": "PROVISIONED",
        "ProvisionedThroughputOverride": numbers,
        "GlobalSecondaryIndexOverride": [{**INDEX, "ProvisionedThroughput": numbers}],
        "SSESpecificationOverride": {"Enabled": True, "SSEType": "KMS"},
    }
    aws.stub.add_response("restore_table_to_point_in_time", {}, expected)
    TableRestore(aws).begin(  # type: ignore[arg-type]
        {"restore_time": when, "restore_times": [when], "source_arn": ARN},
        SOURCE,
        TARGET,
        {
            "ProvisionedThroughput": units,
            "GlobalSecondaryIndexes": [{**INDEX, "ProvisionedThroughput": units}],
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        },
    )
    aws.stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    "summary",
    [
        {},
        {"SourceTableArn": ARN, "RestoreDateTime": NOON.replace(hour=11)},
        {"SourceTableArn": ARN + "-other", "RestoreDateTime": NOON},
    ],
)
def test_what_somebody_else_made_under_the_name_is_refused(summary: dict[str, Any]) -> None:
    """A plain table, another restore of the source, and a restore of another table."""
    aws = StubbedAws()
    told = {"RestoreSummary": {**summary, "RestoreInProgress": False}} if summary else {}
    aws.described(**told)
    when = int(NOON.timestamp())
    with pytest.raises(RefusedError, match="is not what this migration restored"):
        TableRestore(aws).look(  # type: ignore[arg-type]
            {"restore_time": when, "restore_times": [when], "source_arn": ARN}, TARGET
        )


def test_every_step_of_the_repair_knows_what_is_declared() -> None:
    """Nothing is set where nothing is declared, and what is switched off stays off."""
    assert DECLARED.keys() == STEPS.keys()
    off = {
        "TableClass": "STANDARD",
        "DeletionProtectionEnabled": False,
        "ContributorInsightsSpecification": {"Enabled": False},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": False},
        "Tags": [],
    }
    as_texts = {
        "DeletionProtectionEnabled": "false",
        "ContributorInsightsSpecification": {"Enabled": "false"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "false"},
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": "false"},
    }
    for properties in ({}, off, as_texts):
        declared = {name: read(properties) for name, read in DECLARED.items()}
        assert declared.pop("class") == "STANDARD"
        assert [one for one in declared.values() if one] == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("InternalServerError", IncompleteError),
        ("ThrottlingException", IncompleteError),
        ("AccessDeniedException", LookupFailedError),
        ("TableAlreadyExistsException", None),
    ],
)
def test_an_answer_that_was_lost_is_not_taken_for_a_refusal(
    code: str, error: type[Exception] | None
) -> None:
    """Only a refusal says that no restore has begun; a table that stands is looked at."""
    aws = StubbedAws()
    when = int(NOON.timestamp())
    record = {"restore_time": when, "restore_times": [when], "source_arn": ARN}
    aws.stub.add_client_error("restore_table_to_point_in_time", code)
    restore = TableRestore(aws)  # type: ignore[arg-type]
    if error is None:
        assert restore.begin(record, SOURCE, TARGET, {}) == record
        return
    with pytest.raises(error) as raised:
        restore.begin(record, SOURCE, TARGET, {})
    assert ("not known whether" in str(raised.value)) is (error is IncompleteError)


def test_a_restore_has_nothing_beside_its_table() -> None:
    """Nothing to prepare, to remove or to name; its time is that of the source."""
    aws = StubbedAws()
    restore, record = TableRestore(aws), {"restore_time": NOON.timestamp()}  # type: ignore[arg-type]
    assert restore.prepare(record, SOURCE).ready
    assert (restore.list_parts(record), list(restore.read_failures(record, TARGET))) == ((), [])
    restore.clean(record)
    assert restore.describe(record) == "2026-11-29T12:00:00+00:00"


@pytest.mark.parametrize(
    ("status", "under_way", "done"),
    [("CREATING", True, False), ("ACTIVE", True, False), ("ACTIVE", False, True)],
)
def test_a_restored_table_is_looked_at_until_it_is_whole(
    status: str, under_way: bool, done: bool
) -> None:
    """Its status is what can be told of it meanwhile."""
    aws = StubbedAws()
    summary = {"SourceTableArn": ARN, "RestoreDateTime": NOON, "RestoreInProgress": under_way}
    aws.described(TableStatus=status, RestoreSummary=summary)
    record = {"restore_times": [int(NOON.timestamp())], "source_arn": ARN}
    progress = TableRestore(aws).look(record, TARGET)  # type: ignore[arg-type]
    assert (progress.exists, progress.done, progress.figures.state) == (True, done, status)


@pytest.mark.parametrize("status", ["INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVED"])
def test_a_restored_table_whose_key_is_lost_is_not_waited_for(status: str) -> None:
    """It never becomes active by waiting."""
    aws = StubbedAws()
    summary = {"SourceTableArn": ARN, "RestoreDateTime": NOON, "RestoreInProgress": False}
    aws.described(TableStatus=status, RestoreSummary=summary)
    record = {"restore_times": [int(NOON.timestamp())], "source_arn": ARN}
    with pytest.raises(LookupFailedError, match=f"table Orders-prod is {status}, because"):
        TableRestore(aws).look(record, TARGET)  # type: ignore[arg-type]


def test_a_table_that_is_not_there_yet_is_no_progress() -> None:
    """The request may not have got through."""
    aws = StubbedAws()
    aws.stub.add_client_error("describe_table", "ResourceNotFoundException")
    assert not TableRestore(aws).look({}, TARGET).exists  # type: ignore[arg-type]


@pytest.mark.parametrize("properties", [{"Replicas": []}, {"ImportSourceSpecification": {"a": 1}}])
def test_what_no_restore_makes_is_said_without_a_look(properties: dict[str, Any]) -> None:
    """A global table, and what only a creation sets."""
    assert "restore" in TableRestore(StubbedAws()).find_problem(SOURCE, properties)  # type: ignore[arg-type]
