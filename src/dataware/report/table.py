"""The plan as a table: what is said of each resource, and its layout without a terminal.

Rows are made of the plan's JSON, the most important ones first. There are never more than `SHOWN`
of them, however large the plan is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from dataware.calc.measures import volume
from dataware.core.events import Event, format_count
from dataware.core.model import Action, Existence, MarkerState, Ownership, precision
from dataware.core.printable import escape_unprintable
from dataware.kinds import load
from dataware.report.engine_lines import list_engine_lines
from dataware.report.summary import (
    WORDS,
    is_open_ended,
    money,
    shown_action,
    time_in_words,
)

Json = Mapping[str, Any]

SHOWN = 100
ORDER = (
    Action.STOP,
    Action.RESUME,
    Action.MIGRATE,
    Action.CREATE,
    Action.IMPORT,
    Action.KEEP,
)
"""Stops and changes come before what stays as it is."""

WARNING = "warning"
"""The label of a warning in a row."""

EVERYWHERE = "`--format json` and `--out FILE` have them all"


@dataclass(frozen=True, slots=True)
class TableSide:
    """One name of a resource, and what was seen under it, one clause each."""

    name: str
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanTableRow:
    """What is said of one resource; printable text throughout.

    `how` is the rule, and how a stack takes the resource in; `estimate` says what a copy takes, one
    clause each, and is empty where nothing is copied; `warnings` are sentences, and `engines` has
    a line for each engine that could carry the data.
    """

    id: str
    noun: str
    action: Action
    how: tuple[str, ...]
    preferred: TableSide
    fallbacks: tuple[TableSide, ...]
    why: str
    estimate: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()

    @property
    def needs_attention(self) -> bool:
        """Whether it goes on with a warning, so that a person has to look at it."""
        return bool(self.warnings) and self.action is not Action.STOP


@dataclass(frozen=True, slots=True)
class PlanTable:
    """The rows that are shown, and how many there are of each action that are not."""

    rows: tuple[PlanTableRow, ...]
    left_out: Mapping[Action, int]

    @staticmethod
    def of(plan: Json, shown: int = SHOWN) -> PlanTable:
        """The table of a plan's JSON, with at most `shown` rows."""
        ranked = in_order(plan["resources"])
        rest = Counter(map(shown_action, ranked[shown:]))
        grouped = chain.from_iterable(group_by_environment(ranked[:shown]).values())
        return PlanTable(tuple(map(row, grouped)), rest)

    @property
    def rest(self) -> str:
        """What is left out, in words; empty if nothing is."""
        if not self.left_out:
            return ""
        total = sum(self.left_out.values())
        parts = [f"{self.left_out[one]:,} {WORDS[one]}" for one in ORDER if self.left_out.get(one)]
        return f"{format_count(total, 'more resource')} not shown ({', '.join(parts)})"


def plan_of(event: Event) -> Json:
    """The plan's JSON that a `plan` event carries."""
    plan = event.data["plan"]
    if not isinstance(plan, Mapping):
        raise TypeError(f"the event plan carries {type(plan).__name__}")
    return plan


def name_in(resource: Json) -> str:
    """The preferred name, with the environment where a plan holds several."""
    place = resource.get("environment")
    name = str(resource["preferred"]["name"])
    return f"{name} ({place})" if place else name


def in_order(resources: Sequence[Json]) -> list[Json]:
    """The resources of a plan's JSON: stops, what needs attention, changes, else as in the app."""
    return sorted(resources, key=_rank)


def group_by_environment(resources: Sequence[Json]) -> dict[str, list[Json]]:
    """The resources by where they are, in their order; all under an empty name in a plan of one."""
    groups: dict[str, list[Json]] = {}
    for one in resources:
        groups.setdefault(str(one.get("environment", "")), []).append(one)
    return dict(sorted(groups.items()))


def _rank(resource: Json) -> tuple[bool, bool, int]:
    action = Action(resource["action"])
    return action is not Action.STOP, not resource["warnings"], ORDER.index(action)


def row(resource: Json) -> PlanTableRow:
    """What is said of one resource of a plan's JSON."""
    kind = load(resource["type"])
    sides = [
        TableSide(
            escape_unprintable(facts["name"]),
            tuple(map(escape_unprintable, clauses(facts, kind.unit))),
        )
        for facts in (resource["preferred"], *resource["fallbacks"])
    ]
    mode = (resource["import"],) if resource["import"] else ()
    return PlanTableRow(
        id=escape_unprintable(_id_in(resource)),
        noun=kind.noun,
        action=Action(resource["action"]),
        how=(f"rule {resource['rule']}", *mode),
        preferred=sides[0],
        fallbacks=tuple(sides[1:]),
        why=escape_unprintable(resource["reason"]),
        estimate=tuple(list_estimate(resource, kind.unit)),
        warnings=tuple(map(escape_unprintable, resource["warnings"])),
        engines=tuple(map(escape_unprintable, list_engine_lines(resource))),
    )


def _id_in(resource: Json) -> str:
    place = resource.get("environment")
    return f"{resource['id']} in {place}" if place else str(resource["id"])


def clauses(facts: Json, unit: str) -> Iterator[str]:
    """What was seen under a name: content and size, owner, record of a migration."""
    if facts["exists"] == Existence.EXISTS.value:
        yield _content(facts, unit)
        yield _owner(facts)
    else:
        yield "absent" if facts["exists"] == Existence.ABSENT.value else "unknown"
    if record := _record(facts):
        yield record


def _content(facts: Json, unit: str) -> str:
    content, size = facts["content"], facts["size"]
    if content == "unknown":
        return "content unknown"
    if content == "data" and size and size["items"]:
        return f"data, {amount(size, unit)}"
    return str(content)


def amount(size: Json, unit: str) -> str:
    """How much there is: "about 78 items, 1.9 kB", "more than 1,000 objects, 5.2 MB"."""
    return f"{precision(size)}{format_count(size['items'], unit)}, {volume(size['bytes'])}"


def _owner(facts: Json) -> str:
    stack, logical_id = facts["stack"], facts["logical_id"]
    words = {
        Ownership.THIS_STACK: "in this stack",
        Ownership.MOVED: f"in this stack as {logical_id}",
        Ownership.OTHER_STACK: f"in stack {stack}",
        Ownership.UNMANAGED: "not in any stack",
        Ownership.FOREIGN: "of another account",
        Ownership.UNKNOWN: "owner unknown",
    }
    return words[Ownership(facts["owner"])]


def _record(facts: Json) -> str:
    source = f" from {facts['migrating_from']}" if facts["migrating_from"] else ""
    words = {
        MarkerState.NONE: "",
        MarkerState.RUNNING: f"migration{source} started",
        MarkerState.COMPLETE: f"migration{source} complete",
        MarkerState.UNKNOWN: "migration record unknown",
    }
    return words[MarkerState(facts["marker"])]


def list_estimate(resource: Json, unit: str, about: str = "about ") -> Iterator[str]:
    """Size, time and money of a copy."""
    estimate = resource["estimate"]
    if estimate:
        yield amount(estimate, unit)
        least = "at least " if estimate.get("at_least") else ""
        seconds = estimate["seconds"]
        open_ended = is_open_ended(seconds, estimate["items"])
        yield time_in_words(seconds, least or about, open_ended=open_ended)
        yield f"{least}{money(estimate['usd'])}"
    elif Action(resource["action"]) in {Action.MIGRATE, Action.RESUME}:
        yield "size unknown"


def fields(row: PlanTableRow) -> Iterator[tuple[str, str]]:
    """A row as labels and values, for layouts of one line or more for each."""
    yield "preferred", _side_line(row.preferred)
    for fallback in row.fallbacks:
        yield "fallback", _side_line(fallback)
    yield "why", row.why
    for warning in row.warnings:
        yield WARNING, warning
    if row.estimate:
        yield "estimate", ", ".join(row.estimate)
    for engine in row.engines:
        yield "engine", engine


def _side_line(side: TableSide) -> str:
    return f"{side.name}: {'; '.join(side.held)}"


def stack_rows(table: PlanTable) -> Iterator[str]:
    """The table for a pipe: one indented block of lines for each resource, one line a field."""
    for row in table.rows:
        yield f"    {row.id} ({row.noun}): {', '.join((row.action.value, *row.how))}"
        for label, value in fields(row):
            yield f"        {label:<9}  {value}"
    if table.rest:
        yield f"    {table.rest}; {EVERYWHERE}"
