"""What a plan comes to, in one line for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from dataware.core.events import Event, event
from dataware.core.model import Action
from dataware.core.plan import Plan, copies

WORDS = {
    Action.KEEP: "to keep",
    Action.IMPORT: "to import",
    Action.MIGRATE: "to migrate",
    Action.RESUME: "to resume",
    Action.CREATE: "to create",
    Action.STOP: "stopped",
}


def plan_summary(plan: Plan, unit_of: Callable[[str], str]) -> Event:
    """One line like "Plan: 1 to import, 1 to migrate, 0 stopped (78 items, about 2 s, $0.0002)".

    `unit_of` gives the unit of data of a CloudFormation type ("item", "object").
    """
    counts = Counter(planned.decision.action for planned in plan.resources)
    shown = [action for action in WORDS if counts[action] or action is Action.STOP]
    actions = ", ".join(f"{counts[action]} {WORDS[action]}" for action in shown)
    losses = f", {len(plan.losses)} stopped by the guard" if plan.losses else ""
    return event("note", text=f"Plan: {actions}{losses}{_effort(plan, unit_of)}")


def _effort(plan: Plan, unit_of: Callable[[str], str]) -> str:
    """What the copies of a plan take together, in brackets; empty if there are none."""
    items: Counter[str] = Counter()
    seconds, usd = 0, 0.0
    for planned in copies(plan):
        if planned.estimate:
            items[unit_of(planned.wanted.type)] += planned.estimate.items
            seconds += planned.estimate.seconds
            usd += planned.estimate.usd
    if not items:
        return ""
    amounts = [f"{count:,} {unit}{'' if count == 1 else 's'}" for unit, count in items.items()]
    return f" ({', '.join(amounts)}, about {duration(seconds)}, {money(usd)})"


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
