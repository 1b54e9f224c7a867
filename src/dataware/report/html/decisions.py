"""The decisions of a plan or of a run as a table, each with the facts that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dataware.calc.measures import volume
from dataware.core.events import format_count
from dataware.core.model import Action, Existence, precision
from dataware.kinds import CATALOGUE, load
from dataware.report.engine_lines import list_engine_lines
from dataware.report.html.page import ReportSection
from dataware.report.html.table import Column, Line, ReportTable, Row, cell
from dataware.report.html.words import facts_in_words
from dataware.report.summary import is_open_ended, money, time_in_words

COLUMNS = (
    Column("Resource"),
    Column("Preferred"),
    Column("Fallbacks"),
    Column("Action", "tag", repeats=True),
    Column("Why"),
)

UNCHANGED = 3
"""The rank of what stays as it is."""

IMPORTS = {"adopt": "the stack adopts it", "reference": "the stack refers to it"}

Data = Mapping[str, Any]


def decisions_section(decisions: Iterable[tuple[Data, Data]], place: str = "") -> ReportSection:
    """The decisions, each as it was first and as it was last; with a `place`, those of that.

    Stops come first, then warnings, then changes. What stays as it is stands folded behind them.
    """
    id, title = ("decision", "Decisions")
    if place:
        id, title = f"decision-{place.replace('/', '-')}", f"Decisions in {place}"
    ranked = sorted(decisions, key=lambda each: _rank(each[0]))
    changes = [each for each in ranked if _rank(each[0]) < UNCHANGED]
    folded = ranked[len(changes) :]
    if not changes:
        return ReportSection(id, title, tables=[_table(f"{id}s", ranked)])
    unchanged = f"{len(folded):,} unchanged"
    return ReportSection(
        id,
        title,
        tables=[_table(f"{id}s", changes)],
        folded=[(unchanged, _table(f"{id}-unchanged" if place else "unchanged", folded))]
        if folded
        else [],
    )


def _table(id: str, decisions: Sequence[tuple[Data, Data]]) -> ReportTable:
    rows = [_decision_row(first, last) for first, last in decisions]
    return ReportTable(id, "Every resource, what was seen, and what was decided", COLUMNS, rows)


def _rank(decision: Data) -> int:
    """How soon somebody has to read a decision; those of other versions count as a change."""
    action, exists = decision.get("action"), (decision.get("preferred") or {}).get("exists")
    if action == Action.STOP.value:
        return 0
    if decision.get("warnings"):
        return 1
    stays = action in {Action.KEEP.value, Action.IMPORT.value}
    used = action == Action.CREATE.value and exists == Existence.EXISTS.value
    return UNCHANGED if stays or used else 2


def _decision_row(first: Data, last: Data) -> Row:
    """The row of one decision, from its JSON."""
    noun, unit = _words(first)
    return (
        cell([("strong", str(first.get("id", ""))), ("mute", noun)]),
        cell(_facts_lines(first.get("preferred", {}), unit)),
        cell(line for each in first.get("fallbacks", ()) for line in _facts_lines(each, unit))
        or "none",
        str(first.get("action", "")),
        cell(_why(first, last, unit)),
    )


def _words(decision: Data) -> tuple[str, str]:
    """The words for a resource of that type and for a unit of its data."""
    of_type = str(decision.get("type", ""))
    if of_type in CATALOGUE:
        kind = load(of_type)
        return kind.noun, kind.unit
    return str(decision.get("noun", of_type)), str(decision.get("unit", "item"))


def _facts_lines(facts: Data, unit: str) -> Iterator[Line]:
    """One name, and what was seen under it."""
    yield "code", str(facts.get("name", ""))
    yield "", facts_in_words(facts, unit)
    settings = facts.get("settings") or {}
    words = [f"{name.replace('_', ' ')}: {value}" for name, value in settings.items()]
    yield "mute", "; ".join(words)
    for problem in facts.get("problems", ()):
        yield "warn", str(problem)
    for note in facts.get("notes", ()):
        yield "mute", str(note)


def _why(first: Data, last: Data, unit: str) -> Iterator[Line]:
    yield "", f"{first.get('reason', '')} (rule {first.get('rule', '?')})"
    yield "mute", IMPORTS.get(str(first.get("import")), "")
    yield "mute", _effort(first.get("estimate"), unit)
    for engine in list_engine_lines(first):
        yield "mute", f"engine {engine}"
    for warning in first.get("warnings", ()):
        yield "warn", str(warning)
    if last is not first and last.get("action") != first.get("action"):
        yield "mute", f"afterwards: {last.get('action')} (rule {last.get('rule')})"


def _effort(estimate: Data | None, unit: str) -> str:
    if not estimate:
        return ""
    least = "at least " if estimate.get("at_least") else ""
    items, seconds = int(estimate["items"]), int(estimate["seconds"])
    time = time_in_words(seconds, least or "about ", open_ended=is_open_ended(seconds, items))
    return (
        f"{precision(estimate)}{format_count(items, unit)}, {volume(int(estimate['bytes']))}, "
        f"{time}, {least}{money(float(estimate['usd']))}"
    )
