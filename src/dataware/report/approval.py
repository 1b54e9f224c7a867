"""What somebody has to know who approves a plan or answers for a run, as boxes in words.

What happens, whether the data is safe, what is left to do, what it costs, and how long that holds.
A box counts and names; reasons stand below it. What nobody could look at is never told as safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.calc.measures import volume
from dataware.core.events import format_count
from dataware.core.model import Action, precision
from dataware.report.summary import is_unchanged, money, time_in_words

GOOD, NOTE, WARN, BAD = "good", "note", "warn", "bad"
"""Tones: as it should be, to know, to look at, not done."""

NAMED = 3
"""Names in one sentence; the others are counted."""

LOST = {6: "a resource is gone", 7: "a source is gone", 9: "migrated data is gone"}
"""Rules that stop because data may have been lost before; the table of decisions has the rows."""

COPIES = frozenset({Action.MIGRATE.value, Action.RESUME.value})

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApprovalBox:
    """A question, the tone of its answer, and the answer as sentences."""

    title: str
    tone: str
    lines: tuple[str, ...]


def plan_boxes(data: Json) -> tuple[ApprovalBox, ...]:
    """The boxes of the payload of a `plan` event."""
    plan = data["plan"]
    resources = plan["resources"]
    stops = stopped_names(resources), blocked_losses(plan)
    return (
        _what_will_happen(data, *stops),
        _risk(plan),
        _what_you_do(data, *stops),
        cost_box(resources, str(data.get("prices") or "")),
        approval_box(resources, format_moment(plan["created"]), stopped=any(stops)),
    )


def format_moment(moment: str) -> str:
    """A time of ISO 8601 in UTC, to the second."""
    return moment.replace("T", " ").replace("+00:00", " UTC")


def name_list(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def stopped_names(decisions: Sequence[Json]) -> dict[str, int]:
    """The names that are stopped, with the rule of each."""
    return {
        name_of(one): int(one.get("rule", 0))
        for one in decisions
        if one.get("action") == Action.STOP.value
    }


def name_of(decision: Json) -> str:
    """The name that the app prefers for a resource."""
    preferred, place = decision.get("preferred") or {}, decision.get("environment")
    if place and preferred.get("name"):
        return f"{preferred['name']} ({place})"
    return str(preferred.get("name") or decision.get("name") or decision.get("id") or "?")


def blocked_losses(plan: Json) -> list[str]:
    """The names of what a deployment would lose, and may not."""
    return [str(one["name"]) for one in plan.get("guard", ()) if not one["allowed"]]


def unread_names(decisions: Sequence[Json]) -> list[str]:
    """The names of which nobody could see whether they exist or hold data."""
    looked = [
        facts
        for one in decisions
        for facts in (one.get("preferred") or {}, *one.get("fallbacks", ()))
    ]
    unread = [str(facts.get("name", "?")) for facts in looked if _is_unread(facts)]
    return list(dict.fromkeys(unread))


def _is_unread(facts: Json) -> bool:
    exists, content = facts.get("exists"), facts.get("content")
    return exists == "unknown" or (exists == "yes" and content == "unknown")


def describe_earlier_losses(stops: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each rule that found data gone."""
    for rule, what in LOST.items():
        if names := [name for name, reason in stops.items() if reason == rule]:
            yield f"Data may have been lost before: {what} ({name_list(names)}, rule {rule})."


def _what_will_happen(data: Json, stops: Mapping[str, int], losses: Sequence[str]) -> ApprovalBox:
    title, resources = "What will happen", data["plan"]["resources"]
    lines = [*_copies(data, resources), *_others(resources)]
    if count := len(stops) + len(losses):
        first = f"Nothing, until {format_count(count, 'stop')} {_are(count)} resolved."
        return ApprovalBox(title, BAD, (first, *(f"Then: {line}" for line in lines[:1])))
    changes = any(not is_unchanged(one) for one in resources)
    return ApprovalBox(title, NOTE if changes else GOOD, tuple(lines) or ("Nothing.",))


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _copies(data: Json, resources: Sequence[Json]) -> Iterator[str]:
    copied = [one for one in resources if one["action"] in COPIES]
    if not copied:
        return
    yield f"{format_count(len(copied), 'resource')} will be copied: {_names(copied)}."
    totals = data.get("totals") or {}
    if items := totals.get("items"):
        counts = ", ".join(format_count(count, unit) for unit, count in items.items())
        size = f"{precision(totals)}{counts}, {volume(int(totals['bytes']))}"
        least = "at least " if totals.get("at_least") else "about "
        open_ended = bool(totals.get("open_ended"))
        time = time_in_words(int(totals["seconds"]), least, open_ended=open_ended)
        effort = f"{time}, {money(float(totals['usd']))}"
        yield f"Size: {size}; {effort}."
    if unseen := int(totals.get("unseen", 0)):
        copies = "1 copy" if unseen == 1 else f"{unseen:,} copies"
        yield f"The size of {copies} is unknown."


def _names(resources: Sequence[Json]) -> str:
    return name_list([name_of(one) for one in resources])


def _others(resources: Sequence[Json]) -> Iterator[str]:
    used = sum(is_unchanged(one) and not one.get("warnings") for one in resources)
    created = [
        one
        for one in resources
        if one["action"] == Action.CREATE.value and not is_unchanged(one)
    ]  # fmt: skip
    if created:
        yield f"{format_count(len(created), 'resource')} will be created empty: {_names(created)}."
    if used:
        yield f"{format_count(used, 'resource')} {_stay(used)} unchanged."


def _stay(count: int) -> str:
    return "stays" if count == 1 else "stay"


def _risk(plan: Json) -> ApprovalBox:
    """Whether data is at risk; what is lost, allowed to be lost or unread comes before a "no"."""
    title, resources = "Is data at risk?", plan["resources"]
    bad = list(describe_earlier_losses(stopped_names(resources)))
    if losses := blocked_losses(plan):
        bad.append(f"A deployment would lose {name_list(losses)}. dataware blocks it.")
    warn = []
    if allowed := [str(one["name"]) for one in plan.get("guard", ()) if one["allowed"]]:
        warn.append(f"A deployment may lose {name_list(allowed)}, because that was allowed.")
    if unread := unread_names(resources):
        warn.append(f"Unknown for {name_list(unread)}: not everything could be read.")
    if watched := _list_warned_names(resources):
        warn.append(f"Read the warning on {name_list(watched)}.")
    calm = tuple(_assurances(resources))
    if bad:
        return ApprovalBox(title, BAD, (*bad, *warn))
    if warn:
        return ApprovalBox(title, WARN, (*warn, *calm))
    return ApprovalBox(title, GOOD, ("No known risk.", *calm))


def _list_warned_names(resources: Sequence[Json]) -> list[str]:
    """The names with a warning that are not stopped."""
    stop = Action.STOP.value
    return [name_of(one) for one in resources if one.get("warnings") and one["action"] != stop]


def _assurances(resources: Sequence[Json]) -> Iterator[str]:
    if any(one["action"] in COPIES for one in resources):
        yield "Sources are only read. Every copy is compared with its source."
    else:
        yield "No data is copied."


def _what_you_do(data: Json, stops: Mapping[str, int], losses: Sequence[str]) -> ApprovalBox:
    title, plan = "What you must do", data["plan"]
    resources, lines = plan["resources"], []
    if stops:
        rules = " ".join(str(rule) for rule in sorted(set(stops.values())))
        lines.append(f"Resolve {name_list(list(stops))}: see `dataware explain {rules}`.")
    if losses:
        lines.append(f"Keep {name_list(losses)} in its stack, or allow the loss.")
    if watched := _list_warned_names(resources):
        lines.append(f"Decide about {name_list(watched)}.")
    elif data.get("attention"):
        lines.append("Read the warnings below.")
    if stops or losses:
        return ApprovalBox(title, BAD, (*lines, "Then make a new plan."))
    if any(one["action"] in COPIES for one in resources):
        lines.append("Pause the writers of the sources during the copy.")
    if any(not is_unchanged(one) for one in resources):
        lines.append("If you agree, apply the saved plan with `dataware apply`.")
    tone = WARN if data.get("attention") else NOTE if lines else GOOD
    return ApprovalBox(title, tone, tuple(lines) or ("Nothing.",))


NOT_INCLUDED = (
    "Not included: storage, of which both copies are billed until you delete the source, keys of "
    "KMS, and transfer between regions."
)


def cost_box(resources: Sequence[Json], prices: str) -> ApprovalBox:
    """The box on the cost of the copies that were decided; `prices` names those of the estimates.

    What nobody could count is told as unknown, never as free.
    """
    title, copied = "What does it cost?", [one for one in resources if one.get("action") in COPIES]
    if not copied:
        return ApprovalBox(title, GOOD, ("No data is copied, so nothing is charged for a copy.",))
    estimates = [estimate for one in copied if (estimate := one.get("estimate"))]
    lines = list(_charges(estimates, prices))
    if unseen := len(copied) - len(estimates):
        copies = "1 copy" if unseen == 1 else f"{unseen:,} copies"
        lines.append(f"Unknown for {copies}: there is no estimate.")
    lines.append(NOT_INCLUDED)
    partly = unseen or any(one.get("at_least") for one in estimates)
    return ApprovalBox(title, WARN if partly else NOTE, tuple(lines))


def _charges(estimates: Sequence[Json], prices: str) -> Iterator[str]:
    if not estimates:
        return
    usd, source = sum(float(one["usd"]) for one in estimates), f", at {prices}" if prices else ""
    small = usd < 0.01
    if any(one.get("at_least") for one in estimates):
        least = "Less than $0.01 for what was counted" if small else f"At least {money(usd)}"
        yield f"{least} to copy and verify, and there is more{source}."
    else:
        amount = "Less than $0.01" if small else f"About {money(usd)}"
        yield f"{amount} to copy and verify{source}."


def approval_box(resources: Sequence[Json], facts_seen: str, *, stopped: bool) -> ApprovalBox:
    """The box on how long a plan holds that rests on what was `facts_seen` at that time.

    No plan ends by age, because `apply` looks at everything again (docs/plan-file.md).
    """
    title, since = "Approve by", f"It shows what was there at {facts_seen}."
    if stopped:
        return ApprovalBox(
            title, BAD, ("Do not approve this plan: resolve its stops, and make a new one.", since)
        )
    if not any(not is_unchanged(one) for one in resources):
        return ApprovalBox(title, GOOD, ("There is nothing to approve.", since))
    lines = [
        "No deadline: a plan does not expire.",
        f"{since} If that has changed, `dataware apply` refuses and changes nothing.",
    ]
    if any(one["action"] in COPIES for one in resources):
        lines.append("The amount of data may have grown; then time and cost grow with it.")
    return ApprovalBox(title, NOTE, tuple(lines))
