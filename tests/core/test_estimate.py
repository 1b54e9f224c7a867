"""Estimates: plain sums over a price table."""

from __future__ import annotations

from dataware.core.estimate import Prices, estimate
from dataware.core.model import Size

PRICES = Prices("2026-01", "nowhere", {"write": 2.0})


def test_money_is_the_sum_of_priced_units() -> None:
    """A unit without a price is free; the others add up."""
    result = estimate(Size(10, 1000), {"write": 3, "air": 100}, per_second=5, prices=PRICES)
    assert result.usd == 6.0
    assert (result.items, result.bytes, result.exact) == (10, 1000, True)


def test_time_follows_the_rate() -> None:
    """Seconds are items over the rate, never zero for something to do."""
    assert estimate(Size(1000, 0), {}, per_second=100, prices=PRICES).seconds == 10
    assert estimate(Size(1, 0), {}, per_second=100, prices=PRICES).seconds == 1


def test_an_estimated_size_stays_an_estimate() -> None:
    """Inexact sizes give inexact estimates."""
    assert not estimate(Size(1, 1, exact=False), {}, per_second=1, prices=PRICES).exact
