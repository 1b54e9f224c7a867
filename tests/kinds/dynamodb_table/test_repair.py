"""What a restore leaves behind is set again as declared, and looked at after the act."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.model import Location
from dataware.embedded import EmbeddedAws
from dataware.kinds.dynamodb_table import repair
from dataware.kinds.dynamodb_table.repair import DECLARED, STEPS, repair_table
from dataware.kinds.dynamodb_table.restore import TableRestore
from support.accounts import open_account
from support.dynamo import make_table
from support.servers import FaultProxy, drop_after, json_error
from support.stubbed import StubbedAws

SOURCE, TARGET = (Location(name, "0" * 12, "us-east-1") for name in ("Orders", "Orders-prod"))
PARTNER = "111122223333"


def policy(arn: str, action: str) -> dict[str, Any]:
    """A policy that lets a partner in."""
    allowed = {"Effect": "Allow", "Principal": {"AWS": PARTNER}, "Action": action, "Resource": arn}
    return {"Version": "2012-10-17", "Statement": [allowed]}


def declare(stream: str) -> dict[str, Any]:
    """A table with all that a restore does not bring along; numbers and truths may be texts."""
    arn = f"arn:aws:dynamodb:us-east-1:{'0' * 12}:table/Orders-prod"
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": "true",
        "Tags": [{"Key": "team", "Value": "space"}, {"Key": "cost", "Value": "7"}],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": "true"},
        "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": "true",
        },
        "ContributorInsightsSpecification": {"Enabled": True},
        "ResourcePolicy": {"PolicyDocument": policy(arn, "dynamodb:GetItem")},
        "KinesisStreamSpecification": {"StreamArn": stream},
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
    }


def settings_of(name: str) -> dict[str, Any]:
    """What boto3 sees of a table."""
    dynamodb = boto3.client("dynamodb")
    table = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    insights = dynamodb.describe_contributor_insights(TableName=name)
    destinations = dynamodb.describe_kinesis_streaming_destination(TableName=name)
    try:
        text = dynamodb.get_resource_policy(ResourceArn=table["TableArn"])["Policy"]
    except dynamodb.exceptions.PolicyNotFoundException:
        text = "null"
    tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    return {
        "tags": {one["Key"]: one["Value"] for one in tags},
        "stream": (table.get("StreamSpecification") or {}).get("StreamViewType"),
        "protected": table.get("DeletionProtectionEnabled"),
        "class": (table.get("TableClassSummary") or {}).get("TableClass", "STANDARD"),
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "expiry": expiry.get("AttributeName"),
        "insights": insights.get("ContributorInsightsStatus"),
        "destinations": [
            one["DestinationStatus"] for one in destinations["KinesisDataStreamDestinations"]
        ],
        "policy": json.loads(text),
    }


def test_a_restored_table_has_all_that_is_declared(
    aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bare after the restore, as AWS makes it; then as boto3 sees what the app declares."""
    monkeypatch.setattr(repair, "ATTEMPTS", 5)
    aws, restore = open_account(), TableRestore(open_account())
    make_table(aws, "Orders")
    dynamodb, kinesis = boto3.client("dynamodb"), boto3.client("kinesis")
    dynamodb.put_item(TableName="Orders", Item={"pk": {"S": "1"}})
    dynamodb.update_continuous_backups(
        TableName="Orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    kinesis.create_stream(StreamName="changes", ShardCount=1)
    stream = kinesis.describe_stream(StreamName="changes")["StreamDescription"]["StreamARN"]
    declared = declare(stream)
    assert restore.find_problem(SOURCE, declared) == ""
    record = restore.find_request(SOURCE, TARGET, 0.0, {})
    assert record is not None
    restore.begin(record, SOURCE, TARGET, declared)
    bare = settings_of("Orders-prod")
    assert (bare["tags"], bare["stream"], bare["expiry"], bare["policy"]) == ({}, None, None, None)
    assert (bare["recovery"], bare["destinations"]) == ("DISABLED", [])
    written = restore.repair(TARGET, declared)
    there = settings_of("Orders-prod")
    found = there.pop("policy")
    assert "dynamodb:GetItem" in json.dumps(found)
    assert there == {
        "tags": {"team": "space", "cost": "7"},
        "stream": "KEYS_ONLY",
        "protected": True,
        "class": "STANDARD_INFREQUENT_ACCESS",
        "recovery": "ENABLED",
        "expiry": "expires",
        "insights": "ENABLED",
        "destinations": ["ACTIVE"],
    }
    assert "stream to Kinesis" in written
    assert restore.repair(TARGET, declared) == [], "a second time nothing is to be set"


class StepTable:
    """A table whose parts a test sets, behind the steps of the repair."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, live: Mapping[str, Any]) -> None:
        self.live, self.written = dict(live), list[str]()
        self.sticks = True
        for name, step in STEPS.items():
            fake = repair.RepairStep(
                step.name,
                step.permission,
                lambda _aws, _table, name=name: self.live.get(name),  # type: ignore[misc]
                lambda _aws, _table, wanted, name=name: self._write(name, wanted),  # type: ignore[misc]
                step.is_enough,
            )
            monkeypatch.setitem(STEPS, name, fake)  # type: ignore[arg-type]  # a dictionary
        monkeypatch.setattr(repair, "_describe", lambda *_given: {"TableStatus": "ACTIVE"})

    def _write(self, name: str, wanted: Any) -> None:
        self.written.append(name)
        if self.sticks:
            self.live[name] = wanted


BARE = {
    "tags": [],
    "class": "STANDARD",
    "insights": set(),
    "destinations": set(),
    "warm throughput": {},
}


@pytest.mark.parametrize(
    ("properties", "names"),
    [
        ({}, []),
        ({"TableClass": "STANDARD_INFREQUENT_ACCESS"}, ["class"]),
        ({"WarmThroughput": {"ReadUnitsPerSecond": "13000"}}, ["warm throughput"]),
        (
            {"StreamSpecification": {"StreamViewType": "NEW_IMAGE", "ResourcePolicy": {}}},
            ["stream"],
        ),
        (
            {
                "StreamSpecification": {
                    "StreamViewType": "NEW_IMAGE",
                    "ResourcePolicy": {"PolicyDocument": policy("*", "dynamodb:GetRecords")},
                }
            },
            ["stream", "stream policy"],
        ),
        (
            {
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by-day",
                        "ContributorInsightsSpecification": {
                            "Enabled": True,
                            "Mode": "THROTTLED_KEYS",
                        },
                    }
                ]
            },
            ["insights"],
        ),
        ({"DeletionProtectionEnabled": "true"}, ["protection"]),
    ],
)
def test_only_what_is_declared_and_not_there_is_set(
    monkeypatch: pytest.MonkeyPatch, properties: dict[str, Any], names: list[str]
) -> None:
    """In the order in which a table takes it; a second time nothing is to be set."""
    table = StepTable(monkeypatch, BARE)
    assert list(repair_table(StubbedAws("dynamodb"), "t", properties)) == [  # type: ignore[arg-type]
        STEPS[name].name for name in names
    ]
    assert table.written == names
    assert list(repair_table(StubbedAws("dynamodb"), "t", properties)) == []  # type: ignore[arg-type]


def test_a_write_whose_answer_was_lost_is_done_and_one_that_is_refused_is_not(
    fault_proxy: FaultProxy,
) -> None:
    """The SDK's second try is refused, because the table has its stream by then."""
    make_table(open_account(), "Orders-prod")
    stream = {"StreamSpecification": {"StreamViewType": "KEYS_ONLY"}}
    fault_proxy.add(json_error("ValidationException"), operation="UpdateTable")
    with pytest.raises(LookupFailedError, match="UpdateTable returned ValidationException"):
        repair_table(open_account(), "Orders-prod", stream)
    fault_proxy.clear()
    fault_proxy.add(drop_after, operation="UpdateTable", times=1)
    assert repair_table(open_account(), "Orders-prod", stream) == ["stream"]
    assert fault_proxy.count("UpdateTable") == 2
    assert settings_of("Orders-prod")["stream"] == "KEYS_ONLY"


def test_what_does_not_become_as_declared_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """After many looks, and with what it is."""
    table = StepTable(monkeypatch, BARE)
    table.sticks = False
    aws = StubbedAws("dynamodb")
    with pytest.raises(IncompleteError, match="deletion protection of t is not as declared"):
        repair_table(aws, "t", {"DeletionProtectionEnabled": True})  # type: ignore[arg-type]
    assert len(aws.pauses) == repair.ATTEMPTS


def test_a_table_is_never_made_colder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its warm throughput grows with its use, and cannot be lowered."""
    warm = {"ReadUnitsPerSecond": 20_000, "WriteUnitsPerSecond": 5_000}
    table = StepTable(monkeypatch, {**BARE, "warm throughput": warm})
    declared = {"WarmThroughput": {"ReadUnitsPerSecond": 13_000}}
    assert repair_table(StubbedAws("dynamodb"), "t", declared) == []  # type: ignore[arg-type]
    assert table.written == []


def stubbed_answers(*answers: tuple[str, Mapping[str, Any], Mapping[str, Any]]) -> StubbedAws:
    """An account that gives these answers to these requests, in order."""
    aws = StubbedAws("dynamodb")
    for call, answer, asked in answers:
        aws.stubber.add_response(call, answer, asked)
    return aws


def described(**more: Any) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """An answer to DescribeTable."""
    table = {"TableArn": "arn", "TableStatus": "ACTIVE", **more}
    return ("describe_table", {"Table": table}, {"TableName": "t"})


def test_the_requests_for_indexes_streams_and_warm_throughput_are_those_of_aws() -> None:
    """Each is checked against AWS's own model; nothing of the table becomes less."""
    index = {"IndexName": "by-day"}
    on = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": "THROTTLED_KEYS"}
    off = {"ContributorInsightsStatus": "DISABLED"}
    aws: Any = stubbed_answers(
        described(GlobalSecondaryIndexes=[index]),
        ("describe_contributor_insights", off, {"TableName": "t"}),
        ("describe_contributor_insights", on, {"TableName": "t", **index}),
    )
    assert STEPS["insights"].read(aws, "t") == {("by-day", "THROTTLED_KEYS"), ("by-day", "")}
    asked = {"TableName": "t", "ContributorInsightsAction": "ENABLE"}
    aws = stubbed_answers(
        ("update_contributor_insights", {}, asked),
        (
            "update_contributor_insights",
            {},
            {**asked, **index, "ContributorInsightsMode": "THROTTLED_KEYS"},
        ),
        described(WarmThroughput={"ReadUnitsPerSecond": 9, "WriteUnitsPerSecond": 3}),
        (
            "update_table",
            {},
            {
                "TableName": "t",
                "WarmThroughput": {"ReadUnitsPerSecond": 9, "WriteUnitsPerSecond": 4},
            },
        ),
        (
            "enable_kinesis_streaming_destination",
            {},
            {
                "TableName": "t",
                "StreamArn": "arn:aws:kinesis:us-east-1:111122223333:stream/s",
                "EnableKinesisStreamingConfiguration": {repair.PRECISION: "MICROSECOND"},
            },
        ),
    )
    STEPS["insights"].write(aws, "t", [("", ""), ("by-day", "THROTTLED_KEYS")])
    STEPS["warm throughput"].write(aws, "t", {"ReadUnitsPerSecond": 8, "WriteUnitsPerSecond": 4})
    arn = "arn:aws:kinesis:us-east-1:111122223333:stream/s"
    STEPS["destinations"].write(aws, "t", [(arn, "MICROSECOND")])
    aws.stubber.assert_no_pending_responses()


def test_numbers_and_truths_may_be_texts() -> None:
    """As templates have them; a request needs them as they are."""
    recovery = {"PointInTimeRecoveryEnabled": "true", "RecoveryPeriodInDays": "7"}
    declared = DECLARED["recovery"]({"PointInTimeRecoverySpecification": recovery})
    assert declared == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}


def test_a_table_without_a_stream_or_a_policy_has_none() -> None:
    """Neither is an error."""
    aws: Any = stubbed_answers(described(), described())
    assert STEPS["stream policy"].read(aws, "t") is None
    aws.stubber.add_client_error("get_resource_policy", "PolicyNotFoundException")
    assert STEPS["policy"].read(aws, "t") is None


documents = st.recursive(
    st.sampled_from([PARTNER, "dynamodb:GetItem", "*"]), lambda inner: st.lists(inner, min_size=1)
)


def variants(value: Any) -> Iterator[Any]:
    """The same policy as a service may give it back."""
    yield value
    yield [value]


@given(st.permutations(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"]), st.booleans())
def test_a_policy_is_compared_by_what_it_says(actions: list[str], root: bool) -> None:
    """Not by the order of a list, a list of one, an account or its root, a Version or an Id."""
    principal = f"arn:aws:iam::{PARTNER}:root" if root else PARTNER
    wanted = policy("arn", "")
    wanted["Statement"][0]["Action"] = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"]
    for statement in variants({**wanted["Statement"][0], "Action": actions}):
        live = {"Statement": statement, "Id": "added"}
        entry = statement[0] if isinstance(statement, list) else statement
        entry |= {"Effect": "Allow", "Principal": {"AWS": [principal]}}
        assert STEPS["policy"].is_enough(live, wanted)
        entry["Effect"] = "Deny"
        assert not STEPS["policy"].is_enough(live, wanted)
    assert not STEPS["policy"].is_enough(None, wanted)
    assert wanted["Statement"][0]["Effect"] == "Allow"
    assert DECLARED["policy"]({"ResourcePolicy": {"PolicyDocument": wanted}}) == wanted


def test_what_cannot_be_read_is_not_taken_for_absent() -> None:
    """It is neither set again nor waited for; the permission that is missing is named."""
    aws = StubbedAws("dynamodb")
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    described = {"TableName": "Orders", "TableStatus": "ACTIVE", "KeySchema": key}
    table = {**described, "TableArn": "arn:aws:x", "AttributeDefinitions": []}
    stub = aws.stubber
    stub.add_response("describe_table", {"Table": table})
    stub.add_client_error("describe_continuous_backups", "AccessDeniedException")
    stub.add_response("describe_time_to_live", {"TimeToLiveDescription": {}})
    stub.add_response("list_tags_of_resource", {"Tags": []})
    with pytest.raises(LookupFailedError, match="DescribeContinuousBackups"):
        STEPS["recovery"].read(aws, "Orders")  # type: ignore[arg-type]
