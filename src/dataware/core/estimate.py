"""What a migration will take: items, bytes, seconds and money, from sizes and a price table.

Figures are estimates for people who decide; nothing rests on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any

from dataware.core.model import Size


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for each billed unit, in `region` as of `date` (year and month).

    `name` is what they are called ("list prices"), `source` where they were read. `filled` names
    the units that somebody's own prices left out, so that list prices stand in for them.
    """

    name: str
    date: str
    region: str
    source: str
    usd: Mapping[str, float]
    filled: tuple[str, ...] = ()

    def __str__(self) -> str:
        """What they are, for people: "list prices of us-east-1, 2026-11"."""
        return f"{self.name} of {self.region}, {self.date}"

    def to_json(self) -> dict[str, Any]:
        """The prices as in the plan file."""
        return {**asdict(self), "usd": dict(self.usd), "filled": list(self.filled)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Prices:
        """Read them back. Raises KeyError or TypeError for anything else."""
        return Prices(
            name=data["name"],
            date=data["date"],
            region=data["region"],
            source=data["source"],
            usd=dict(data["usd"]),
            filled=tuple(data["filled"]),
        )


@dataclass(frozen=True, slots=True)
class Throughput:
    """How quickly a copy usually goes.

    `items` is what dataware carries in a second; `units` are billed units that the service takes
    in a second, by their names in the price table. The slower of them decides.
    """

    items: float
    units: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a migration takes; `exact` is False where the service only estimates its size.

    With `at_least` there is more than was counted, and so all of it is a lower bound.
    """

    items: int
    bytes: int
    seconds: int
    usd: float
    exact: bool
    at_least: bool = False

    def to_json(self) -> dict[str, Any]:
        """The estimate as in the plan file."""
        data = asdict(self)
        return data if self.at_least else {k: v for k, v in data.items() if k != "at_least"}


def estimate(
    size: Size, charges: Mapping[str, float], speed: Throughput, prices: Prices
) -> Estimate:
    """An estimate for `size`.

    `charges` are billed units by name; a name without a price counts as free.
    """
    usd = sum(units * prices.usd.get(name, 0.0) for name, units in charges.items())
    slowest = max(
        size.items / speed.items,
        *(charges.get(name, 0.0) / rate for name, rate in speed.units.items()),
        0.0,
    )
    seconds, cost = ceil(slowest), round(usd, 6)
    return Estimate(size.items, size.bytes, seconds, cost, size.exact, size.at_least)


WORKERS_OF_A_MACHINE = 20
"""How many workers of a deployment carry what one machine does: each has one processor, and asks
for every key whether it is free."""

VERIFYING = 1.5
"""How much longer a copy takes together with its verification."""


def estimate_deployment(
    size: Size,
    charges: Mapping[str, float],
    speed: Throughput,
    *,
    workers: int,
    max_rate: float | None = None,
) -> int:
    """Seconds that a migration takes inside a deployment, copied and verified by some workers."""
    items = speed.items * workers / WORKERS_OF_A_MACHINE
    if max_rate is not None:
        items = min(items, max_rate)
    by_units = [charges.get(name, 0.0) / rate for name, rate in speed.units.items()]
    slowest = max([size.items / items, *by_units])
    return ceil(slowest * VERIFYING)
