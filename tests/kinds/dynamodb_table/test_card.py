"""What the card says of a table beyond its calls."""

from __future__ import annotations

import pytest

from dataware.core.model import Size
from dataware.kinds.dynamodb_table import KIND

ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}
LARGE = Size(60_000_000, 30_000_000_000)


def test_a_large_copy_into_a_new_table_is_advised_to_warm_it() -> None:
    """The note names the property, its value, and both durations."""
    advice = KIND.require_copying().advice(ON_DEMAND, LARGE)
    assert advice is not None
    assert "60,000,000 units take about 250 min" in advice
    assert "WarmThroughput {WriteUnitsPerSecond: 40000} in its properties about 25 min" in advice


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
