"""What the probe of tables sees, and what it makes of what it may not see."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataware.core.model import Content, Existence, Facts, Setting, Size
from dataware.embedded import EmbeddedAws
from dataware.kinds.dynamodb_table import KIND
from dataware.kinds.dynamodb_table.declared import declared_schema
from dataware.kinds.dynamodb_table.probe import declared_settings, probe
from support.dynamo import account, make_table, put
from support.servers import Fault, FaultProxy, Forward, Reply, Seen, json_error

SECURE: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "pk", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "SSESpecification": {"Enabled": True, "SSEType": "KMS"},
    "DeletionProtectionEnabled": True,
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
}


def edited(**change: Any) -> Fault:
    """A fault that changes a table's description."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        body = json.loads(forward(seen).body)
        return Reply.of(200, json.dumps({"Table": {**body["Table"], **change}}).encode())

    return fault


def test_an_absent_table(aws_server: EmbeddedAws) -> None:
    """Nothing under the name: absent, and no problem."""
    facts = probe(account(), "nobody")
    assert (facts.existence, facts.content, facts.problems) == (
        Existence.ABSENT,
        Content.EMPTY,
        (),
    )


def test_an_empty_table_with_everything_off(aws_server: EmbeddedAws) -> None:
    """An empty table shows its schema, identity and weakest settings."""
    make_table(account(), "tab")
    facts = probe(account(), "tab")
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.EMPTY)
    assert facts.schema == "pk (S)"
    assert facts.identity
    assert {name: setting.rank for name, setting in facts.settings.items()} == {
        "encryption": 0,
        "point_in_time_recovery": 0,
        "deletion_protection": 0,
    }
    assert (facts.notes, facts.problems) == ((), ())


def test_a_table_with_data_and_everything_on(aws_server: EmbeddedAws) -> None:
    """Data, protective settings, stream and expiry are seen."""
    aws = account()
    make_table(aws, "tab", **SECURE)
    put(aws, "tab", [{"pk": {"S": "a"}, "sk": {"N": "1"}}])
    dynamodb = aws.client("dynamodb")
    dynamodb.update_continuous_backups(
        TableName="tab", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.update_time_to_live(
        TableName="tab", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    facts = probe(aws, "tab")
    assert facts.holds_data
    assert facts.schema == "pk (S), sk (N)"
    assert facts.settings == {
        "encryption": Setting(1, "KMS key"),
        "point_in_time_recovery": Setting(1, "on"),
        "deletion_protection": Setting(1, "on"),
    }
    assert facts.notes == ("stream on (NEW_IMAGE)", "items expire by until")
    assert facts.size is not None
    assert not facts.size.exact


def test_identity_changes_with_the_table(aws_server: EmbeddedAws) -> None:
    """A table that was deleted and made again under the same name is another one."""
    aws = account()
    make_table(aws, "tab")
    before = probe(aws, "tab").identity
    aws.client("dynamodb").delete_table(TableName="tab")
    make_table(aws, "tab")
    assert probe(aws, "tab").identity != before


@pytest.fixture
def proxied(fault_proxy: FaultProxy) -> FaultProxy:
    """A fault proxy in front of a table ``tab`` that holds an item."""
    make_table(account(), "tab")
    put(account(), "tab", [{"pk": {"S": "a"}}])
    fault_proxy.clear()
    return fault_proxy


def denied(proxy: FaultProxy, operation: str) -> Facts:
    """What is seen when one operation is denied."""
    proxy.add(json_error("AccessDeniedException"), operation=operation)
    facts = probe(account(), "tab")
    (problem,) = facts.problems
    assert (problem.call, problem.permission) == (operation, f"dynamodb:{operation}")
    return facts


def test_a_denied_description_is_unknown(proxied: FaultProxy) -> None:
    """Access denied never means absent."""
    facts = denied(proxied, "DescribeTable")
    assert (facts.existence, facts.content) == (Existence.UNKNOWN, Content.UNKNOWN)
    assert facts.schema is None


def test_a_denied_scan_is_unknown_content(proxied: FaultProxy) -> None:
    """Without the right to scan nothing is said about content, whatever ItemCount says."""
    facts = denied(proxied, "Scan")
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    assert facts.schema == "pk (S)"


def test_denied_backups_leave_the_setting_out(proxied: FaultProxy) -> None:
    """A setting that was not seen is neither on nor off."""
    facts = denied(proxied, "DescribeContinuousBackups")
    assert facts.holds_data
    assert "point_in_time_recovery" not in facts.settings


def test_denied_expiry_is_a_problem_only(proxied: FaultProxy) -> None:
    """Notes are for people; a missing one changes no decision."""
    assert denied(proxied, "DescribeTimeToLive").holds_data


def test_content_does_not_rest_on_item_count(proxied: FaultProxy) -> None:
    """ItemCount lags: it may say 0 of a table with data."""
    proxied.add(edited(ItemCount=0), operation="DescribeTable")
    assert probe(account(), "tab").holds_data


def test_content_comes_from_consistent_one_item_scans(proxied: FaultProxy) -> None:
    """An empty page with a LastEvaluatedKey is not the end of the table."""
    empty = {"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": {"pk": {"S": "Z"}}}
    body = json.dumps(empty).encode()
    proxied.add(lambda _seen, _forward: Reply.of(200, body), operation="Scan", times=2)
    assert probe(account(), "tab").holds_data
    scans = [seen.json() for seen in proxied.seen if seen.operation == "Scan"]
    assert len(scans) == 3
    assert all(scan["Limit"] == 1 and scan["ConsistentRead"] is True for scan in scans)
    assert [scan.get("ExclusiveStartKey") for scan in scans] == [None, *[{"pk": {"S": "Z"}}] * 2]


@pytest.mark.parametrize("status", ["CREATING", "DELETING", "ARCHIVING", "ARCHIVED"])
def test_a_table_that_cannot_be_read_is_unknown(proxied: FaultProxy, status: str) -> None:
    """A table in the making may be a restore on its way; it is not called empty."""
    proxied.add(edited(TableStatus=status), operation="DescribeTable")
    facts = probe(account(), "tab")
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    assert proxied.count("Scan") == 0
    assert f"status {status}" in facts.notes
    assert [problem.code for problem in facts.problems] == [status]


def test_a_table_that_vanishes_meanwhile_is_unknown(proxied: FaultProxy) -> None:
    """A table that is described and then gone was not seen to be empty."""
    for operation in ("Scan", "DescribeContinuousBackups", "DescribeTimeToLive"):
        proxied.add(json_error("ResourceNotFoundException"), operation=operation)
    facts = probe(account(), "tab")
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    assert len(facts.problems) == 3


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (SECURE, "pk (S), sk (N)"),
        ({**SECURE, "KeySchema": SECURE["KeySchema"][::-1]}, "pk (S), sk (N)"),
        ({}, None),
        ({"KeySchema": {"Fn::If": []}, "AttributeDefinitions": []}, None),
        ({"KeySchema": SECURE["KeySchema"], "AttributeDefinitions": []}, None),
        ({"KeySchema": [], "AttributeDefinitions": []}, None),
        (
            {
                "KeySchema": [{"AttributeName": {"Ref": "Key"}, "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            },
            None,
        ),
    ],
)
def test_declared_schemas_read_like_probed_ones(
    properties: dict[str, Any], expected: str | None
) -> None:
    """A declared key schema has the words of a seen one; one that is not literal is unknown."""
    assert declared_schema(properties) == expected


@pytest.mark.parametrize(
    ("properties", "ranks"),
    [
        ({}, {"encryption": 0, "point_in_time_recovery": 0, "deletion_protection": 0}),
        (
            {
                "SSESpecification": {"SSEEnabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true"},
                "DeletionProtectionEnabled": "True",
            },
            {"encryption": 1, "point_in_time_recovery": 1, "deletion_protection": 1},
        ),
        (
            {
                "SSESpecification": {"Fn::If": ["Prod", {"SSEEnabled": True}, {}]},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": {"Ref": "P"}},
                "DeletionProtectionEnabled": False,
            },
            {"deletion_protection": 0},
        ),
    ],
)
def test_declared_settings_rank_like_probed_ones(
    properties: dict[str, Any], ranks: dict[str, int]
) -> None:
    """Undeclared means CloudFormation's default; what is not literal is left out."""
    settings = declared_settings(properties)
    assert {name: setting.rank for name, setting in settings.items()} == ranks


@pytest.mark.parametrize(
    "name", ["abc", "A.b-c_1", "x" * 255, "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
)
def test_good_names_pass(name: str) -> None:
    """Names by DynamoDB's rules, and ARNs of tables, are accepted."""
    assert KIND.names.check(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "x" * 256,
        "a b c",
        "café",
        "name\n",
        "a/b/c",
        "arn:aws:s3:::bucket",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/by-x",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/ab",
    ],
)
def test_bad_names_are_told_what_is_wrong(name: str) -> None:
    """A bad name gets one clause that says what a good one looks like."""
    assert KIND.names.check(name)


def test_arns_scope_permissions_to_the_table_and_its_streams() -> None:
    """A name becomes the ARN of its account and region; an ARN stays as it is."""
    arn = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders"
    both = (arn, f"{arn}/stream/*")
    assert KIND.access.arns("orders", "123456789012", "cn-north-1", "aws-cn") == both
    assert KIND.access.arns(arn, "999999999999", "us-east-1", "aws") == both
    assert [place for place in both if KIND.access.governs("dynamodb:PutItem", place)] == [arn]
    of_streams = [place for place in both if KIND.access.governs("dynamodb:GetRecords", place)]
    assert of_streams == [f"{arn}/stream/*"]


@pytest.mark.parametrize(
    ("size", "writes", "reads"),
    [
        (Size(0, 0), 0, 0),
        (Size(10, 100), 10, 3),
        (Size(10, 10 * 1025), 20, 9),
    ],
)
def test_charges_count_whole_units(size: Size, writes: float, reads: float) -> None:
    """Every item takes at least one write unit; the source is read twice, the target once."""
    assert KIND.require_copying().charges(size) == {
        "dynamodb.write-unit": writes,
        "dynamodb.read-unit": reads,
    }
