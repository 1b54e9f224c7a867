"""The simple table of the serverless model is the table that SAM makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.expand import expand
from dataware.kinds import kinds_by_type

KINDS = kinds_by_type()
BY_ID = [{"AttributeName": "id", "AttributeType": "S"}]
UNKNOWN = {"Fn::FindInMap": ["A", "B", "C"]}


def write_out(properties: Any, **sections: Any) -> dict[str, Any]:
    """What a template with one simple table declares in its place."""
    simple = {"Type": "AWS::Serverless::SimpleTable", "Properties": properties}
    expanded = expand({"Resources": {"One": simple}, **sections}, KINDS)
    assert not expanded.unseen
    return expanded.resources["One"]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (None, {"AttributeDefinitions": BY_ID, "BillingMode": "PAY_PER_REQUEST"}),
        ({"PrimaryKey": UNKNOWN}, {"KeySchema": UNKNOWN}),
        (
            {"PrimaryKey": {"Name": "n", "Type": "Number"}, "ProvisionedThroughput": {}},
            {
                "AttributeDefinitions": [{"AttributeName": "n", "AttributeType": "N"}],
                "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
                "ProvisionedThroughput": {},
            },
        ),
        ({"Tags": {"a": "b"}}, {"Tags": [{"Key": "a", "Value": "b"}]}),
        ({"Tags": UNKNOWN}, {"Tags": UNKNOWN}),
        ({"TableName": "n"}, {"TableName": "n"}),
    ],
)
def test_properties_become_those_of_the_table(properties: Any, expected: dict[str, Any]) -> None:
    """Key, tags and billing are said in other words; everything else stays as it is."""
    written = write_out(properties)
    assert written["Type"] == "AWS::DynamoDB::Table"
    assert expected.items() <= written["Properties"].items()
    assert ("BillingMode" in written["Properties"]) is (
        "ProvisionedThroughput" not in written["Properties"]
    )


def test_globals_fill_in_what_the_table_leaves_out() -> None:
    """What the table says itself wins."""
    shared = {"SimpleTable": {"TableName": "shared", "SSESpecification": {"SSEEnabled": True}}}
    written = write_out({"TableName": "own"}, Globals=shared)["Properties"]
    assert (written["TableName"], written["SSESpecification"]) == ("own", {"SSEEnabled": True})


def test_properties_that_are_not_known_stay() -> None:
    """A table is seen, though nothing of it is known."""
    assert write_out([])["Properties"] == []


@pytest.mark.parametrize(("transform", "unseen"), [("AWS::Serverless-2016-10-31", 0), ("Own", 1)])
def test_only_its_own_transform_is_harmless(transform: str, unseen: int) -> None:
    """A macro of somebody else may add any resource."""
    assert len(expand({"Transform": transform, "Resources": {}}, KINDS).unseen) == unseen
    assert len(expand({"Transform": transform}, {}).unseen) == 1
