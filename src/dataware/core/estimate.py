"""What a migration will take: items, bytes, seconds and money, from sizes and a price table.

Figures are estimates for people who decide; nothing rests on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataware.core.model import Size


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for each billed unit, as of `date`."""

    date: str
    region: str
    usd: Mapping[str, float]


LIST_PRICES = Prices(
    date="2026-11",
    region="us-east-1",
    usd={
        "dynamodb.write-unit": 0.625e-6,
        "dynamodb.read-unit": 0.125e-6,
        "s3.put": 5e-6,
        "s3.get": 0.4e-6,
    },
)
"""On-demand list prices of us-east-1 (Amazon DynamoDB and Amazon S3 pricing pages)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a migration takes; `exact` is False where the service only estimates its size."""

    items: int
    bytes: int
    seconds: int
    usd: float
    exact: bool


def estimate(
    size: Size, charges: Mapping[str, float], per_second: float, prices: Prices = LIST_PRICES
) -> Estimate:
    """An estimate for `size`.

    `charges` are billed units by name; a name without a price counts as free. `per_second` is
    the rate of the copy in items or objects a second.
    """
    usd = sum(units * prices.usd.get(name, 0.0) for name, units in charges.items())
    seconds = round(size.items / per_second + 0.5)
    return Estimate(size.items, size.bytes, seconds, round(usd, 6), size.exact)
