"""What a plan comes to, in one line for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from dataware.calc.measures import duration, volume
from dataware.core.app_plan import AppPlan
from dataware.core.events import Event, event, format_count, needs_attention
from dataware.core.model import Action, Existence, precision
from dataware.core.plan import Plan, Planned, copies

LIST_PRICES = "list prices"
"""What the sum of a plan leaves unsaid; prices of somebody's own are named."""

WORDS = {
    Action.KEEP: "to keep",
    Action.IMPORT: "to import",
    Action.MIGRATE: "to copy",
    Action.RESUME: "to resume",
    Action.CREATE: "to create",
    Action.STOP: "stopped",
}


STAYING = frozenset({Action.KEEP, Action.IMPORT})
"""The actions after which a resource is as it was."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the copies of a plan take together.

    `items` counts by unit ("item", "object"); `unseen` is how many copies have a size that nobody
    could see, so that they are in none of the figures. `open_ended` says that `seconds` leaves out
    a copy for which no time is promised.
    """

    items: Mapping[str, int]
    bytes: int
    seconds: int
    usd: float
    exact: bool
    unseen: int
    at_least: bool = False
    open_ended: bool = False

    @staticmethod
    def of(plan: Plan, unit_of: Callable[[str], str]) -> Totals:
        """The sums over a plan; `unit_of` gives the unit of data of a CloudFormation type."""
        items: Counter[str] = Counter()
        priced = [(planned.wanted.type, planned.estimate) for planned in copies(plan)]
        for cfn_type, one in priced:
            if one is not None:
                items[unit_of(cfn_type)] += one.items
        estimates = [one for _, one in priced if one is not None]
        return Totals(
            items=dict(items),
            bytes=sum(one.bytes for one in estimates),
            seconds=sum(one.seconds for one in estimates),
            usd=round(sum(one.usd for one in estimates), 6),
            exact=all(one.exact for one in estimates),
            unseen=len(priced) - len(estimates),
            at_least=any(one.at_least for one in estimates),
            open_ended=any(is_open_ended(one.seconds, one.items) for one in estimates),
        )

    @property
    def size(self) -> str:
        """How much is copied: "about 20,012 items, 766 kB"; empty if nothing is known."""
        if not self.items:
            return ""
        counts = ", ".join(format_count(count, unit) for unit, count in self.items.items())
        about = precision({"exact": self.exact, "at_least": self.at_least})
        return f"{about}{counts}, {volume(self.bytes)}"

    def __str__(self) -> str:
        """Time and money for people; empty if there is nothing to copy."""
        parts = []
        if self.items:
            least = "at least " if self.at_least else ""
            time = time_in_words(self.seconds, least or "~", open_ended=self.open_ended)
            parts.append(f"{time}, {least}{money(self.usd)}")
        if self.unseen:
            copies_of = "1 copy" if self.unseen == 1 else f"{self.unseen:,} copies"
            parts.append(f"{copies_of} of unknown size")
        return "; ".join(parts)


def is_open_ended(seconds: int, items: int) -> bool:
    """Whether no time is promised for a copy, of which the estimate has no seconds then."""
    return not seconds and items > 0


def time_in_words(seconds: int, about: str = "about ", *, open_ended: bool = False) -> str:
    """How long copies take: "about 3 s", or "no time promised" where some have no end in sight."""
    if not open_ended:
        return f"{about}{duration(seconds)}"
    return f"at least {duration(seconds)}" if seconds else "no time promised"


def effort_in_words(seconds: int, usd: float) -> str:
    """Time and money of what is copied in one place; empty where nothing is."""
    if not seconds and not usd:
        return ""
    return f"{time_in_words(seconds, '', open_ended=not seconds)}, {money(usd)}"


def plan_summary(plan: Plan, unit_of: Callable[[str], str]) -> Event:
    """The event that ends a plan: its sum in one line, and the plan itself for its table.

    The line is like "Plan: 2 to copy, 1 to create, 1 needs your attention.  ~3 s, $0.05".
    """
    totals = Totals.of(plan, unit_of)
    text = f"Plan: {', '.join(_counts(plan)) or 'no resources'}"
    if str(totals):
        text += f".  {totals}"
    if plan.prices and totals.items and plan.prices.name != LIST_PRICES:
        text += f" at {plan.prices}"
    return event(
        "plan",
        text=text,
        plan=shown_plan(plan),
        attention=plan.attention,
        totals=asdict(totals),
        notes=list(price_notes(plan)),
        prices=str(plan.prices) if plan.prices and totals.items else "",
    )


def app_plan_summary(
    app_plan: AppPlan,
    unit_of: Callable[[str], str],
    shown_plans: Sequence[Mapping[str, Any]] | None = None,
) -> Event:
    """The same event for all environments of an app, as one plan with one sum.

    Its plan names the `environments`, and with each resource and each loss the one that it is in;
    those that could not be looked into are `unknown_environments`. `shown_plans` are what is shown
    of each plan, where more is known than it holds.
    """
    whole = app_plan.join()
    summary = plan_summary(whole, unit_of)
    if not app_plan.has_several:
        only = shown_plans[0] if shown_plans else summary.data["plan"]
        return replace(summary, data={**summary.data, "plan": only})
    shown = shown_plan(replace(whole, resources=(), guard=()))
    parts = shown_plans or [shown_plan(plan) for plan in app_plan.plans]
    for field in ("resources", "guard"):
        shown[field] = [
            {**one, "environment": place}
            for place, part in zip(app_plan.places, parts, strict=True)
            for one in part[field]
        ]
    shown["environments"] = app_plan.places
    shown["unknown_environments"] = {one.name: one.problem for one in app_plan.unseen}
    count = len(app_plan.plans) + len(app_plan.unseen)
    unknown = f", {len(app_plan.unseen)} of them unknown" if app_plan.unseen else ""
    text = str(summary.data["text"]).replace("Plan:", f"Plan for {count} environments{unknown}:", 1)
    notes = [note for plan in app_plan.plans for note in price_notes(plan)]
    return replace(summary, data={**summary.data, "text": text, "plan": shown, "notes": notes})


def question_of(plan: Plan, unit_of: Callable[[str], str]) -> str:
    """What a person is asked: "Copy 2 resources (about 20,012 items, 766 kB, $0.01)?"."""
    totals = Totals.of(plan, unit_of)
    copied = len(copies(plan))
    created = sum(one.creates for one in plan.resources) - sum(one.creates for one in copies(plan))
    parts = []
    if copied:
        amounts = [totals.size, money(totals.usd)] if totals.size else ["of unknown size"]
        parts.append(f"copy {format_count(copied, 'resource')} ({', '.join(amounts)})")
    if created:
        parts.append(f"create {format_count(created, 'resource')}")
    if adopted := sum(one.decision.by_id for one in plan.resources):
        parts.append(f"let stacks adopt {format_count(adopted, 'resource')} by id")
    text = " and ".join(parts)
    return f"{text[0].upper()}{text[1:]}?"


def _counts(plan: Plan) -> Iterator[str]:
    """How many resources there are of each sort, what changes before what stays."""
    unchanged = sum(
        _stays(one) and not one.decision.by_id and not one.needs_attention for one in plan.resources
    )
    counts = Counter(one.shown_action for one in plan.resources)
    for action in (Action.STOP, Action.RESUME, Action.MIGRATE, Action.CREATE):
        if counts[action]:
            yield f"{counts[action]:,} {WORDS[action]}"
    if adopted := sum(one.decision.by_id and _stays(one) for one in plan.resources):
        yield f"{adopted:,} to adopt by id"
    if plan.losses:
        yield f"{len(plan.losses):,} stopped by the guard"
    if unchanged:
        yield f"{unchanged:,} unchanged"
    if plan.attention:
        yield needs_attention(plan.attention)


def _stays(planned: Planned) -> bool:
    return planned.shown_action in STAYING


def is_unchanged(resource: Mapping[str, Any]) -> bool:
    """Whether a resource of a plan's JSON stays as it is: kept, or used as it is found."""
    return shown_action(resource) in STAYING and not resource.get("by_id", False)


def shown_action(resource: Mapping[str, Any]) -> Action:
    """The action that people read of a plan's JSON: what stands already is not created but used."""
    action, exists = Action(resource["action"]), Existence(resource["preferred"]["exists"])
    used = action is Action.CREATE and exists is Existence.EXISTS
    return Action.IMPORT if used else action


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
            f"Costs use {prices}, but the plan is for {plan.region}, where prices may differ; "
            "pass --prices FILE for its own"
        )
    if prices.filled:
        yield f"{prices.source} names no price for {', '.join(prices.filled)}: list prices count"


def money(usd: float) -> str:
    """Dollars and cents; an estimate is not exact to less than that."""
    return "less than $0.01" if 0 < usd < 0.01 else f"${usd:,.2f}"
