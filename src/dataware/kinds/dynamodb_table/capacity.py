"""What a copy takes of a table's capacity, and what that means for a table that is to be created.

Sources, unless they stand beside it: Amazon DynamoDB Developer Guide, "Provisioned capacity mode",
"Understanding DynamoDB warm throughput", "Service quotas", and "Using Global Secondary Indexes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.calc.measures import duration
from dataware.core.events import format_count
from dataware.core.model import Size

MAX_BATCH = 25
"""Puts in one BatchWriteItem (Amazon DynamoDB API Reference, BatchWriteItem)."""

FRESH_WRITES = 4_000
"""Write units a second that a new on-demand table takes."""

MOST_WRITES = 40_000
"""Write units a second that a table may take by default."""

LONG_SECONDS = 600
"""A copy that takes longer is worth a sentence about capacity."""

COSTLY_UNITS = 1_000_000
"""Write units from which on it is worth a sentence that the estimate leaves them out."""


def count_units(size: Size) -> dict[str, float]:
    """Units of a copy and its verification, by the average item.

    A write unit holds 1 KB of one item, a strongly consistent read unit 4 KB; the source is read
    twice and the target once.
    """
    average = size.bytes / size.items if size.items else 0
    return {
        "dynamodb.write-unit": size.items * max(1.0, -(-average // 1024)),
        "dynamodb.read-unit": 3.0 * -(-size.bytes // 4096),
    }


def count_verify_units(size: Size) -> dict[str, float]:
    """Units of the verification alone, which reads both sides consistently."""
    return {"dynamodb.read-unit": 2.0 * -(-size.bytes // 4096)}


def advise_on_capacity(properties: Mapping[str, Any], size: Size) -> str | None:
    """What the declared capacity means for a copy of that size; None where it is no matter."""
    on_demand = properties.get("BillingMode") == "PAY_PER_REQUEST"
    units = count_units(size)["dynamodb.write-unit"]
    advise = _advise_on_demand if on_demand else _advise_provisioned
    sentences = (advise(properties, units), _count_indexes(properties, units))
    return "; ".join(filter(None, sentences)) or None


def _advise_on_demand(properties: Mapping[str, Any], units: float) -> str | None:
    """Warm throughput, where without it the copy would last longer than it need."""
    seconds = units / FRESH_WRITES
    if "WarmThroughput" in properties or seconds <= LONG_SECONDS:
        return None
    writes = min(MOST_WRITES, -(-int(units) // LONG_SECONDS // 1000) * 1000)
    return (
        f"a new on-demand table takes {FRESH_WRITES:,} write units a second at first, or about "
        f"{seconds / 60:,.0f} min for {units:,.0f}; with WarmThroughput {{WriteUnitsPerSecond: "
        f"{writes}}} about {units / writes / 60:,.0f} min, for a charge that is made once"
    )


def _advise_provisioned(properties: Mapping[str, Any], units: float) -> str | None:
    """More capacity, where the declared one would make the copy long.

    A table takes no more than the scarcest of its indexes: where an index lacks write capacity,
    writes to the table are throttled.
    """
    declared = [_write_capacity(one) for one in (properties, *_list_indexes(properties))]
    writes = min(filter(None, declared), default=0)
    if not writes or units / writes <= LONG_SECONDS:
        return None
    return (
        f"its provisioned capacity of {writes:,} write units a second takes about "
        f"{duration(round(units / writes))} for {units:,.0f} units; declare more "
        "WriteCapacityUnits, also for its indexes, or PAY_PER_REQUEST"
    )


def _count_indexes(properties: Mapping[str, Any], units: float) -> str | None:
    """The write units of the indexes, which the estimate leaves out, where they cost something.

    An item is written to each index that has its key attributes; which items those are nobody
    knows before the copy.
    """
    count = len(_list_indexes(properties))
    if not count or units * count < COSTLY_UNITS:
        return None
    more = format_count(round(units * count), "write unit")
    whose = "its index" if count == 1 else f"its {count} indexes"
    return f"{whose} may take up to {more}, which the estimate leaves out"


def _list_indexes(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The global indexes that are declared, as far as they are literal."""
    indexes = properties.get("GlobalSecondaryIndexes")
    return [one for one in indexes if isinstance(one, Mapping)] if isinstance(indexes, list) else []


def _write_capacity(declared: Mapping[str, Any]) -> int:
    """The write units a second that a table or an index declares; zero where that is not known."""
    throughput = declared.get("ProvisionedThroughput")
    writes = throughput.get("WriteCapacityUnits") if isinstance(throughput, Mapping) else None
    return int(str(writes)) if str(writes).isdecimal() else 0
