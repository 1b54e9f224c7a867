"""What the card says of a table beyond its calls."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.model import Size
from dataware.kinds.dynamodb_table import KIND

ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}
LARGE = Size(60_000_000, 30_000_000_000)


def test_a_large_copy_into_a_new_table_is_advised_to_warm_it() -> None:
    """The note names the property, its value, and both durations."""
    advice = KIND.require_copying().advice(ON_DEMAND, LARGE)
    assert advice is not None
    assert "at first, or about 250 min for 60,000,000;" in advice
    assert "WarmThroughput {WriteUnitsPerSecond: 40000} about 25 min" in advice


def test_what_warms_a_table_is_no_more_than_ten_minutes_need() -> None:
    """Warm throughput costs, so it is rounded up to the next thousand and no further."""
    advice = KIND.require_copying().advice(ON_DEMAND, Size(3_000_001, 1_000_000_000))
    assert advice is not None
    assert "WriteUnitsPerSecond: 6000" in advice


@pytest.mark.parametrize(
    ("properties", "size"),
    [
        (ON_DEMAND, Size(2_000_000, 1_000_000_000)),
        ({**ON_DEMAND, "WarmThroughput": {"WriteUnitsPerSecond": 12000}}, LARGE),
        ({"BillingMode": "PROVISIONED"}, LARGE),
        ({}, LARGE),
    ],
)
def test_where_it_helps_nothing_there_is_no_advice(
    properties: dict[str, object], size: Size
) -> None:
    """Short copies, tables that are warmed already, and provisioned ones need none."""
    assert KIND.require_copying().advice(properties, size) is None


def provisioned(writes: object, *indexes: object) -> dict[str, Any]:
    """A table of provisioned capacity, with indexes of theirs."""
    return {
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": writes},
        "GlobalSecondaryIndexes": [
            {"ProvisionedThroughput": {"WriteCapacityUnits": each}} for each in indexes
        ],
    }


@pytest.mark.parametrize(
    ("properties", "foreseen"),
    [
        (provisioned(5), "of 5 write units a second takes about 20 min for 6,000 units;"),
        (provisioned("5"), "of 5 write units a second"),
        ({**provisioned(5), "BillingMode": "PROVISIONED"}, "of 5 write units a second"),
        (provisioned(100, 2), "of 2 write units a second takes about 50 min for 6,000 units"),
    ],
)
def test_a_copy_into_scarce_capacity_is_foreseen(properties: dict[str, Any], foreseen: str) -> None:
    """The table's own, or that of the index which holds all writes back."""
    advice = KIND.require_copying().advice(properties, Size(6_000, 1_000_000))
    assert advice is not None
    assert foreseen in advice
    assert "declare more WriteCapacityUnits" in advice


@pytest.mark.parametrize(
    "properties",
    [
        provisioned(100),
        provisioned({"Ref": "Writes"}),
        {},
        {"GlobalSecondaryIndexes": {"Fn::If": []}},
        {"ProvisionedThroughput": {"Ref": "Throughput"}, "GlobalSecondaryIndexes": ["?"]},
    ],
)
def test_capacity_that_is_enough_or_unknown_is_no_matter(properties: dict[str, Any]) -> None:
    """Nothing is foretold from what nobody knows."""
    assert KIND.require_copying().advice(properties, Size(6_000, 1_000_000)) is None


def test_what_indexes_write_is_told_where_it_costs_something() -> None:
    """The estimate counts the table alone."""
    indexed = {**ON_DEMAND, "GlobalSecondaryIndexes": [{"IndexName": "a"}, {"IndexName": "b"}]}
    advice = KIND.require_copying().advice(indexed, Size(600_000, 600_000_000))
    assert advice == (
        "its 2 indexes may take up to 1,200,000 write units, which the estimate leaves out"
    )
    assert KIND.require_copying().advice(indexed, Size(6_000, 6_000_000)) is None
