"""Estimates: plain sums over a price table."""

from __future__ import annotations

from dataware.core.estimate import Prices, Throughput, estimate, estimate_deployment
from dataware.core.model import Size

PRICES = Prices("list prices", "2026-01", "nowhere", "a page", {"write": 2.0})


def test_money_is_the_sum_of_priced_units() -> None:
    """A unit without a price is free; the others add up."""
    result = estimate(Size(10, 1000), {"write": 3, "air": 100}, Throughput(5), PRICES)
    assert result.usd == 6.0
    assert (result.items, result.bytes, result.exact) == (10, 1000, True)


def test_time_follows_the_rate() -> None:
    """Seconds are items over the rate, never zero for something to do."""
    assert estimate(Size(1000, 0), {}, Throughput(100), PRICES).seconds == 10
    assert estimate(Size(1, 0), {}, Throughput(100), PRICES).seconds == 1
    assert estimate(Size(0, 0), {}, Throughput(100), PRICES).seconds == 0


def test_time_follows_what_the_service_takes_where_that_is_slower() -> None:
    """Billed units that a service takes slowly decide, however quickly items could be sent."""
    slow = Throughput(1_000_000, {"write": 4000, "read": 1})
    assert estimate(Size(1000, 0), {"write": 40_000}, slow, PRICES).seconds == 10


def test_a_deployment_has_fewer_processors_and_verifies_within_its_time() -> None:
    """Ten workers carry half of what one machine does; the service's own limit stays."""
    fast = Throughput(20_000, {"write": 4000})
    copied = estimate_deployment(Size(1_000_000, 0), {}, fast, workers=10)
    assert copied == 150
    assert estimate_deployment(Size(1_000_000, 0), {}, fast, workers=20) == 75
    assert estimate_deployment(Size(1_000_000, 0), {"write": 4e6}, fast, workers=10) == 1500
    assert estimate_deployment(Size(1000, 0), {}, fast, workers=10, max_rate=10) == 150


def test_prices_survive_their_json_and_say_what_they_are() -> None:
    """Writing prices and reading them back changes nothing; people see name, region and date."""
    assert Prices.from_json(PRICES.to_json()) == PRICES
    assert str(PRICES) == "list prices of nowhere, 2026-01"


def test_an_estimated_size_stays_an_estimate() -> None:
    """Inexact sizes give inexact estimates."""
    assert not estimate(Size(1, 1, exact=False), {}, Throughput(1), PRICES).exact


def test_what_is_more_than_was_counted_is_a_lower_bound() -> None:
    """It is so in the plan file, and a file without the field is none."""
    counted = Size(1000, 10, exact=False, at_least=True)
    taken = estimate(counted, {}, Throughput(1), PRICES)
    assert taken.to_json()["at_least"] is True
    assert Size(**counted.to_json()) == counted
    assert "at_least" not in estimate(Size(1, 1), {}, Throughput(1), PRICES).to_json()
    assert [counted.precision, Size(1, 1).precision] == ["more than ", ""]
