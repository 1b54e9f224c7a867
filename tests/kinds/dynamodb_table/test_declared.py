"""What is wrong with the properties of a table is told before DynamoDB is asked."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.model import Facts
from dataware.kinds.dynamodb_table import KIND


def row(name: str, letter: str = "S") -> dict[str, str]:
    """An attribute's definition."""
    return {"AttributeName": name, "AttributeType": letter}


def key(name: str, role: str = "HASH") -> dict[str, str]:
    """A row of a key schema."""
    return {"AttributeName": name, "KeyType": role}


def table(**more: Any) -> dict[str, Any]:
    """The properties of a table whose key is `email`."""
    return {"AttributeDefinitions": [row("email")], "KeySchema": [key("email")], **more}


INDEX = {"IndexName": "byDay", "KeySchema": [key("day")], "Projection": {"ProjectionType": "ALL"}}


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        (table(BillingMode="PAYPERREQUEST"), "cannot be PAYPERREQUEST, did you mean PAY_PER_REQ"),
        (table(KeySchema=[key("email", "hash")]), "KeySchema.KeyType cannot be hash, did you"),
        (table(AttributeDefinitions=[row("email", "String")]), "AttributeType cannot be String"),
        (table(KeySchema=[key("mail")]), "KeySchema names the attribute mail, which Attr"),
        (table(GlobalSecondaryIndexes=[INDEX]), "GlobalSecondaryIndexes.KeySchema names the"),
        (table(AttributeDefinitions=[row("email"), row("day")]), "defines day, which is not a key"),
        (table(StreamSpecification={"StreamViewType": "new_image"}), "did you mean NEW_IMAGE"),
    ],
)
def test_a_mistake_is_told(properties: dict[str, Any], says: str) -> None:
    """Each of them would be a ValidationException when the table is made."""
    assert says in str(KIND.template.check_properties(properties))


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"BillingMode": "PAY_PER_REQUEST"},
        table(),
        table(GlobalSecondaryIndexes=[INDEX], AttributeDefinitions=[row("email"), row("day")]),
        table(KeySchema=[key({"Ref": "Key"})]),  # type: ignore[arg-type]
        table(AttributeDefinitions={"Fn::If": ["A", [], []]}),
        table(BillingMode={"Ref": "Mode"}),
        table(BillingMode="{{resolve:ssm:/mode}}"),
        table(GlobalSecondaryIndexes={"Ref": "X"}, AttributeDefinitions=[row("email"), row("day")]),
    ],
)
def test_what_may_be_right_is_left_alone(properties: dict[str, Any]) -> None:
    """What is not literal is known to CloudFormation alone."""
    assert KIND.template.check_properties(properties) is None


def test_the_properties_of_an_older_table_are_offered() -> None:
    """Its keys, with their types and in their roles."""
    assert KIND.template.properties_like(Facts("old", schema="email (S), at (N)")) == {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [row("email"), row("at", "N")],
        "KeySchema": [key("email"), key("at", "RANGE")],
    }
    assert KIND.template.properties_like(Facts("old", schema=None)) == {}


@pytest.mark.parametrize("schema", ["email (S), at (N)", "a, b (S), c (d) (B)"])
def test_what_is_offered_comes_to_the_same_keys(schema: str) -> None:
    """Names of attributes may hold anything."""
    assert (
        KIND.template.declared_schema(KIND.template.properties_like(Facts("old", schema=schema)))
        == schema
    )
