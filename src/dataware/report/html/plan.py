"""A plan as a page: stops and warnings first, then the decisions with their facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataware.core.events import needs_attention
from dataware.core.model import Action
from dataware.report.approval import BAD, GOOD, NOTE, WARN, format_moment, name_of, plan_boxes
from dataware.report.html.decisions import decisions_section
from dataware.report.html.page import ReportPage, ReportSection, render
from dataware.report.html.table import Column, ReportTable, Row
from dataware.report.html.words import Headline, sentence
from dataware.report.summary import shown_action

Data = Mapping[str, Any]

LOSSES = (
    Column("Resource", "code"),
    Column("Stack"),
    Column("Result", "tag", repeats=True),
    Column("Why"),
    Column("What to do"),
)
REVIEW = (Column("Resource"), Column("Level", "tag", repeats=True), Column("What"))
COPIES = frozenset({Action.MIGRATE, Action.RESUME})


def plan_page(data: Data, warnings: Sequence[str]) -> str:
    """The page of a plan: its JSON under `plan`, and under `text` what it comes to, in a line.

    `warnings` are those that do not belong to one resource.
    """
    plan = data["plan"]
    sections = []
    if rows := list(_review_rows(data, warnings)):
        table = ReportTable("warnings", "Review these", REVIEW, rows)
        sections.append(ReportSection("warned", "Stops and warnings", tables=[table]))
    if guard := plan.get("guard"):
        sections.append(
            ReportSection("guard", "What a deployment would lose", tables=[_losses(guard)])
        )
    places = plan.get("environments") or [""]
    for place in places:
        some = [(one, one) for one in plan["resources"] if str(one.get("environment", "")) == place]
        sections.append(decisions_section(some, place))
    moment = format_moment(plan["created"])
    facts = [("Account", plan["account"]), ("Region", plan["region"]), ("Made", moment)]
    if places != [""]:
        facts = [("Environments", ", ".join(places)), ("Made", moment)]
    return render(
        ReportPage("plan", "Plan", facts, _headline(data), plan_boxes(data), (), sections)
    )


def _review_rows(data: Data, warnings: Sequence[str]) -> Iterator[Row]:
    """What stops the plan, then what a person has to look at."""
    plan, stop = data["plan"], Action.STOP.value
    for one in plan["resources"]:
        if one["action"] == stop:
            yield name_of(one), "stop", f"{one['reason']} (rule {one['rule']})"
    guard = plan.get("guard", ())
    for allowed, level in ((False, "stop"), (True, "warning")):
        for one in guard:
            if bool(one["allowed"]) is allowed:
                yield str(one["name"]), level, f"{one['reason']} (rule {one['rule']})"
    for one in plan["resources"]:
        for text in one.get("warnings", ()):
            yield name_of(one), "warning", str(text)
    for text in dict.fromkeys([*plan["warnings"], *data.get("notes", ()), *warnings]):
        yield "the plan", "warning", text


def _headline(data: Data) -> Headline:
    plan, text = data["plan"], sentence(str(data["text"]))
    actions = {shown_action(one) for one in plan["resources"]}
    if Action.STOP in actions or any(not one["allowed"] for one in plan.get("guard", ())):
        detail = f"{text} Nothing is changed while a resource is stopped."
        return Headline(BAD, "Stopped: nothing will be changed", detail)
    if attention := int(data.get("attention", 0)):
        watch = needs_attention(attention)
        text_shown = text if watch in text else f"{text} {watch}."
        detail = f"{text_shown} Nothing was changed yet."
        return Headline(WARN, "Look before you apply", detail)
    if actions & COPIES or Action.CREATE in actions:
        return Headline(NOTE, "Ready to apply", f"{text} Nothing was changed yet.")
    return Headline(GOOD, "Nothing to do", f"{text} There is nothing to do.")


def _losses(guard: Sequence[Data]) -> ReportTable:
    rows = [
        (
            str(one["name"]),
            f"{one['stack']}/{one['logical_id']}",
            "allowed" if one["allowed"] else "stop",
            f"{one['reason']} (rule {one['rule']})",
            str(one["recipe"]),
        )
        for one in guard
    ]
    return ReportTable("losses", "Resources with data that a stack would lose", LOSSES, rows)
