"""The card of AWS::DynamoDB::GlobalTable: the same table, declared in other words."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.kind import Kind
from dataware.kinds import load

REPLICA = {"Region": "eu-central-1", "DeletionProtectionEnabled": True}
OTHER = {"Region": "us-east-1", "DeletionProtectionEnabled": False}
UNKNOWN = {"Fn::If": ["Always", [REPLICA], []]}


@pytest.fixture
def card() -> Kind:
    """The card."""
    return load("AWS::DynamoDB::GlobalTable")


def test_it_is_the_same_thing_under_the_same_name(card: Kind) -> None:
    """A migration on record is found whichever type declares the table."""
    table = load("AWS::DynamoDB::Table")
    assert (card.names, card.probe, card.copying) == (table.names, table.probe, table.copying)
    assert card.cfn_type != table.cfn_type


@pytest.mark.parametrize(
    ("replicas", "label"),
    [([REPLICA], "on"), ([REPLICA, REPLICA], "on"), ([OTHER], "off"), (None, None), ([], "off")],
)
def test_settings_of_replicas_count(card: Kind, replicas: Any, label: str | None) -> None:
    """Deletion protection stands at the replica; without a literal list nothing is known."""
    properties = {} if replicas is None else {"Replicas": replicas}
    found = card.template.declared_settings(properties).get("deletion_protection")
    assert (found.label if found else None) == label


@pytest.mark.parametrize("replicas", [[REPLICA, OTHER], UNKNOWN])
def test_what_replicas_disagree_on_is_left_out(card: Kind, replicas: Any) -> None:
    """No weaker setting is claimed on the word of another region's replica."""
    assert "deletion_protection" not in card.template.declared_settings({"Replicas": replicas})


def test_encryption_is_that_of_the_table(card: Kind) -> None:
    """It is declared once for all replicas."""
    declared = {"SSESpecification": {"SSEEnabled": True}, "Replicas": [REPLICA]}
    assert card.template.declared_settings(declared)["encryption"].rank == 1
    assert card.template.declared_settings({"Replicas": [REPLICA]})["encryption"].rank == 0
