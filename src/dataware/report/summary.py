"""What a plan comes to, in one line for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dataware.core.events import Event, event, format_count, needs_attention
from dataware.core.model import Action, precision
from dataware.core.plan import Plan, copies

WORDS = {
    Action.KEEP: "to keep",
    Action.IMPORT: "to import",
    Action.MIGRATE: "to migrate",
    Action.RESUME: "to resume",
    Action.CREATE: "to create",
    Action.STOP: "stopped",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What the copies of a plan take together.

    `items` counts by unit ("item", "object"); `unseen` is how many copies have a size that nobody
    could see, so that they are in none of the figures.
    """

    items: Mapping[str, int]
    bytes: int
    seconds: int
    usd: float
    exact: bool
    unseen: int
    at_least: bool = False

    @staticmethod
    def of(plan: Plan, unit_of: Callable[[str], str]) -> Totals:
        """The sums over a plan; `unit_of` gives the unit of data of a CloudFormation type."""
        items: Counter[str] = Counter()
        taken = [(planned.wanted.type, planned.estimate) for planned in copies(plan)]
        for cfn_type, one in taken:
            if one is not None:
                items[unit_of(cfn_type)] += one.items
        known = [one for _, one in taken if one is not None]
        return Totals(
            items=dict(items),
            bytes=sum(one.bytes for one in known),
            seconds=sum(one.seconds for one in known),
            usd=round(sum(one.usd for one in known), 6),
            exact=all(one.exact for one in known),
            unseen=len(taken) - len(known),
            at_least=any(one.at_least for one in known),
        )

    def __str__(self) -> str:
        """The sums for people; empty if there is nothing to copy."""
        parts = []
        if self.items:
            counts = ", ".join(format_count(count, unit) for unit, count in self.items.items())
            effort_in_words = _effort(self.seconds, self.usd, at_least=self.at_least)
            about = precision({"exact": self.exact, "at_least": self.at_least})
            parts.append(f"{about}{counts}, {volume(self.bytes)}, {effort_in_words}")
        if self.unseen:
            copies_of = "1 copy" if self.unseen == 1 else f"{self.unseen:,} copies"
            parts.append(f"{copies_of} of unknown size")
        return "; ".join(parts)


def plan_summary(plan: Plan, unit_of: Callable[[str], str]) -> Event:
    """The event that ends a plan: its sum in one line, and the plan itself for its table.

    The line is like "Plan: 1 to import, 1 to migrate, 0 stopped (78 items, 1.9 kB, about 2 s and
    $0.0002 at list prices of us-east-1, 2026-11)".
    """
    counts = Counter(planned.decision.action for planned in plan.resources)
    shown = [action for action in WORDS if counts[action] or action is Action.STOP]
    actions = ", ".join(f"{counts[action]} {WORDS[action]}" for action in shown)
    losses = f", {len(plan.losses)} stopped by the guard" if plan.losses else ""
    losses += f", {needs_attention(plan.attention)}" if plan.attention else ""
    totals = Totals.of(plan, unit_of)
    at = f" at {plan.prices}" if plan.prices and totals.items else ""
    text = f"Plan: {actions}{losses}" + (f" ({totals}{at})" if str(totals) else "")
    return event(
        "plan",
        text=text,
        plan=shown_plan(plan),
        attention=plan.attention,
        totals=asdict(totals),
        notes=list(price_notes(plan)),
    )


def shown_plan(plan: Plan) -> dict[str, Any]:
    """The plan as in its file, without what the app declares: properties are not for everyone."""
    data = plan.to_json()
    for resource in data["resources"]:
        del resource["wanted"]
    return data


def price_notes(plan: Plan) -> Iterator[str]:
    """What to know about the prices of a plan, a sentence each; nothing if none was used."""
    prices = plan.prices
    if prices is None or not any(planned.estimate for planned in plan.resources):
        return
    if prices.region != plan.region:
        yield (
            f"The money is at {prices}, but the plan is for {plan.region}, where prices may "
            "differ; give its own with --prices FILE"
        )
    if prices.filled:
        yield f"{prices.source} names no price for {', '.join(prices.filled)}: list prices count"


def _effort(seconds: int, usd: float, *, at_least: bool = False) -> str:
    """Time and money: "about 2 s and $0.0002", or "at least 2 s and $0.0002"."""
    return f"{'at least' if at_least else 'about'} {duration(seconds)} and {money(usd)}"


def volume(size: int) -> str:
    """A number of bytes in decimal units, with three digits at most."""
    amount, units = float(size), ["B", "kB", "MB", "GB", "TB", "PB"]
    while round(amount, 1) >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    whole = units[0] == "B" or amount >= 99.95
    return f"{amount:,.0f} {units[0]}" if whole else f"{amount:.1f} {units[0]}"


def duration(seconds: int) -> str:
    """A span of time in its two largest units."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def money(usd: float) -> str:
    """Dollars, with as many digits as a small amount needs."""
    if usd >= 1:
        return f"${usd:,.2f}"
    return f"${usd:.4f}" if usd >= 0.0001 or usd == 0 else "less than $0.0001"
