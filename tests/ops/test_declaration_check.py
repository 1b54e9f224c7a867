"""A mistake in a file is told as one, and never as a missing permission."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import InputError
from dataware.core.model import (
    Action,
    Content,
    Creator,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Problem,
    Wanted,
    absent,
)
from dataware.core.rules import decide
from dataware.kinds import load
from dataware.ops.declaration_check import check_declared

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
OLD = Facts("Orders", Existence.EXISTS, Content.DATA, schema="id (S), at (N)")
KEYS: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "id", "KeyType": "HASH"},
        {"AttributeName": "at", "KeyType": "RANGE"},
    ],
}


def checked(wanted: Wanted, preferred: Facts, *fallbacks: Facts) -> Decision:
    """The decision, once what is declared was looked at."""
    kind = load(wanted.type)
    schema = kind.template.declared_schema(wanted.properties)
    decision = decide(wanted, schema, preferred, fallbacks)
    return check_declared(kind, wanted, decision, preferred, fallbacks)


def table(**properties: Any) -> Wanted:
    """A table that prefers Orders-prod."""
    return Wanted("Orders-prod", TABLE, "Orders-prod", ("Orders",), properties, where="d.toml:1")


def test_keys_that_are_missing_are_offered_as_the_older_table_has_them() -> None:
    """One line, which a person can paste below the resource."""
    with pytest.raises(InputError) as raised:
        checked(table(BillingMode="PAY_PER_REQUEST"), absent("Orders-prod"), OLD)
    text = str(raised.value)
    assert text.startswith("d.toml:1: DynamoDB table Orders-prod declares no key schema, so it")
    assert "Orders has id (S), at (N); add to it: properties = {" in text
    assert "permission" not in text
    block = tomllib.loads(text.partition("add to it: ")[2])
    assert block["properties"] == {"BillingMode": "PAY_PER_REQUEST", **KEYS}


def test_a_template_is_offered_what_fits_into_yaml_and_json() -> None:
    """As properties, each by its name."""
    wanted = replace(table(), creator=Creator.DEPLOYMENT, where="t.yaml, resource Orders")
    with pytest.raises(InputError, match=r"t\.yaml, resource Orders: .*KeySchema: \[\{\"Attr"):
        checked(wanted, absent("Orders-prod"), OLD)


def test_without_an_older_table_the_properties_are_asked_for() -> None:
    """There is nothing to offer."""
    with pytest.raises(InputError, match="so it cannot be created; add its CloudFormation prop"):
        checked(table(), absent("Orders-prod"), absent("Orders"))


def test_what_is_there_needs_no_keys_in_the_file() -> None:
    """The real table's count."""
    there = replace(OLD, name="Orders-prod")
    assert checked(table(), there, absent("Orders")).action is Action.IMPORT


def test_keys_that_are_computed_are_unknown_and_the_function_is_named() -> None:
    """They are neither the same nor different, and no permission would show them."""
    rows = [{**KEYS["AttributeDefinitions"][0], "AttributeType": {"Ref": "KeyType"}}]
    wanted = table(AttributeDefinitions=rows, KeySchema=KEYS["KeySchema"][:1])
    decision = checked(wanted, absent("Orders-prod"), replace(OLD, schema="id (S)"))
    assert (decision.action, decision.rule) == (Action.STOP, 14)
    assert (
        "only CloudFormation resolves the key schema of Orders-prod (Ref: KeyType)"
        in decision.reason
    )
    assert "write it out" in decision.reason
    there = Facts("Orders-prod", Existence.EXISTS, Content.EMPTY, schema="id (S)")
    found = checked(wanted, there, replace(OLD, schema="id (S)"))
    assert found.action is Action.MIGRATE


def test_what_could_not_be_seen_is_still_told() -> None:
    """A call that was denied is the cause, whatever the file says."""
    unseen = Facts("Orders", schema=None, problems=(Problem("DescribeTable", "AccessDenied"),))
    decision = checked(table(), absent("Orders-prod"), unseen)
    assert decision.action is Action.STOP
    assert "AccessDenied" in decision.reason


def test_a_bucket_with_an_old_name_is_taken_and_never_made() -> None:
    """The strict rule holds for what is created."""
    wanted = Wanted("Old_Photos", BUCKET, "Old_Photos", ("Older_Photos",))
    there = Facts("Old_Photos", Existence.EXISTS, Content.DATA)
    decision = checked(wanted, there, absent("Older_Photos"))
    assert (decision.action, decision.import_mode) == (Action.IMPORT, ImportMode.ADOPT)
    with pytest.raises(
        InputError, match="Old_Photos does not exist, and cannot be created, because"
    ):
        checked(wanted, absent("Old_Photos"), replace(there, name="Older_Photos"))
