"""A plan as a page: the decisions with their facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataware.core.events import needs_attention
from dataware.core.model import Action
from dataware.report.html.decisions import decisions_table
from dataware.report.html.page import ReportPage, ReportSection, render
from dataware.report.html.table import Column, ReportTable
from dataware.report.html.words import BAD, GOOD, NOTE, WARN, Headline, moment_in_words

Data = Mapping[str, Any]

LOSSES = (
    Column("Resource", "code"),
    Column("Stack"),
    Column("Result", repeats=True),
    Column("Why"),
    Column("What to do"),
)
COPIES = frozenset({Action.MIGRATE, Action.RESUME})


def plan_page(data: Data, warnings: Sequence[str]) -> str:
    """The page of a plan: its JSON under `plan`, and under `text` what it comes to, in a line.

    `warnings` are those that do not belong to one resource.
    """
    plan = data["plan"]
    decisions = [(one, one) for one in plan["resources"]]
    sections = [ReportSection("decision", "Decisions", tables=[decisions_table(decisions)])]
    if guard := plan.get("guard"):
        sections.append(
            ReportSection("guard", "What a deployment would lose", tables=[_losses(guard)])
        )
    texts = list(dict.fromkeys([*plan["warnings"], *data.get("notes", ()), *warnings]))
    if texts:
        table = ReportTable(
            "warnings", "Review these", (Column("What"),), [(one,) for one in texts]
        )
        sections.append(ReportSection("warned", "Warnings", tables=[table]))
    made = moment_in_words(plan["created"])
    facts = [("Account", plan["account"]), ("Region", plan["region"]), ("Made", made)]
    return render(ReportPage("plan", "What will happen", facts, _headline(data), (), sections))


def _headline(data: Data) -> Headline:
    plan, text = data["plan"], str(data["text"])
    actions = {one["action"] for one in plan["resources"]}
    if Action.STOP in actions or any(not one["allowed"] for one in plan.get("guard", ())):
        return Headline(BAD, text, "Nothing is changed while a resource is stopped.")
    if attention := int(data.get("attention", 0)):
        warning = f"{needs_attention(attention)}; nothing was changed yet."
        return Headline(WARN, text, warning)
    if actions & COPIES or Action.CREATE in actions:
        return Headline(NOTE, text, "Nothing was changed yet.")
    return Headline(GOOD, text, "There is nothing to do.")


def _losses(guard: Sequence[Data]) -> ReportTable:
    rows = [
        (
            str(one["name"]),
            f"{one['stack']}/{one['logical_id']}",
            "allowed" if one["allowed"] else "stopped",
            f"{one['reason']} (rule {one['rule']})",
            str(one["recipe"]),
        )
        for one in guard
    ]
    return ReportTable("losses", "Resources with data that a stack would lose", LOSSES, rows)
