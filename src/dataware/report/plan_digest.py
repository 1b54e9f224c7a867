"""The short form of a plan, read in ten seconds: what needs a person first, then what changes.

A change has at most two lines, and all that stays as it is has one. `--all` shows the facts and
reasons of every resource instead; see `table`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.core.destructive_change import Loss
from dataware.core.events import format_count
from dataware.core.model import Action, Content, Existence
from dataware.core.printable import escape_unprintable
from dataware.kinds import load
from dataware.report.engine_lines import is_choice_notable, list_engine_lines
from dataware.report.fit import Fit
from dataware.report.summary import is_unchanged
from dataware.report.table import in_order, list_estimate, name_in

Json = Mapping[str, Any]
Line = Sequence[tuple[str, str]]
"""A line as pieces of text, each with the style that a terminal gives it."""

SHOWN = 500
"""Resources that are shown at most; of more, how many there are is told."""

INDENT = 5
MOST_NAME = 34
"""Columns before a name, and those that names get at most where more than one line is needed."""

RULE_WIDTH, WIDEST = 9, 100
"""Columns for the rule at the end of a line, and where it stands at the latest."""

NARROWEST = 60
"""Columns from which on a row has columns of its own."""

TWO_DATA_SETS = 8
"""The rule of which both names hold data."""

UNUSED = re.compile(
    r"two resources hold data, .*: (?P<what>[^;]+); .*?`(?P<next_step>dataware [^`]+)`.*"
)
"""The warning of that rule: of its words a short row has what its head does not say yet."""

STOPPED, WARNED, CHANGED, NEW = ("x", "bold red"), ("!", "yellow"), (">", "cyan"), ("+", "cyan")


@dataclass(frozen=True, slots=True)
class DigestRow:
    """One resource: its mark and style, what happens, what that takes, and what to look at.

    `place` is its environment in a plan of several.
    """

    look: tuple[str, str]
    name: str
    what: str
    rule: str = ""
    estimate: str = ""
    sentences: tuple[str, ...] = ()
    next_step: str = ""
    engines: tuple[str, ...] = ()
    place: str = ""


def plan_digest(plan: Json, fit: Fit) -> Iterator[Line]:
    """The lines of a plan's JSON for an output."""
    rows, folded = _rows(plan)
    if not rows and not folded:
        return
    yield from ([(text, "dim")] for text in _heading(plan, fit))
    yield []
    first_rows = rows[:SHOWN]
    widest = max((fit.measure(row.name) for row in first_rows if row.rule), default=0)
    place = ""
    for row in first_rows:
        if row.place != place:
            place = row.place
            yield from ([(f"  {part}", "bold")] for part in fit.fold(fit.encode(place), 2))
        yield from _row_lines(row, fit, min(widest, MOST_NAME))
    if len(rows) > SHOWN:
        more = format_count(len(rows) - SHOWN, "more resource")
        text = f"{more}: `--format json` and `--out FILE` have them all"
        yield from ([(f"  {part}", "yellow")] for part in fit.fold(text, 2))
    if folded:
        text = f"{folded:,} unchanged (show with --all)"
        yield from ([(f"  {part}", "dim")] for part in fit.fold(text, 2))


def _heading(plan: Json, fit: Fit) -> list[str]:
    if places := plan.get("environments"):
        unknown = [f"{place} unknown" for place in plan.get("unknown_environments", ())]
        where = [f"{len(places) + len(unknown)} environments", *places, *unknown]
    else:
        where = [f"Account {plan['account']}", plan["region"]]
    parts = (*where, "nothing has been changed")
    return fit.fold(fit.encode(escape_unprintable(" · ".join(parts))), 0)


def _rows(plan: Json) -> tuple[list[DigestRow], int]:
    """The rows in the order of their importance, and how many resources are folded."""
    losses = [one for one in plan.get("guard", ()) if not one["allowed"]]
    allowed = [one for one in plan.get("guard", ()) if one["allowed"]]
    ranked = in_order(plan["resources"])
    notable = [one for one in ranked if one["warnings"] or not is_unchanged(one)]
    stops = [one for one in notable if one["action"] == Action.STOP]
    warned = [one for one in notable if one["warnings"] and one["action"] != Action.STOP]
    changes = [one for one in notable if not one["warnings"] and one["action"] != Action.STOP]
    rows = [
        *map(_resource_row, stops),
        *map(_loss_row, losses),
        *(DigestRow(WARNED, "", "", sentences=(text,)) for text in plan.get("warnings", ())),
        *map(_loss_row, allowed),
        *map(_resource_row, [*warned, *changes]),
    ]
    # What is about the whole stands first, then each environment by itself.
    rows.sort(key=lambda row: row.place)
    return [_printable(row) for row in rows], len(ranked) - len(notable)


def _printable(row: DigestRow) -> DigestRow:
    return DigestRow(
        row.look,
        escape_unprintable(row.name),
        escape_unprintable(row.what),
        row.rule,
        escape_unprintable(row.estimate),
        tuple(map(escape_unprintable, row.sentences)),
        escape_unprintable(row.next_step),
        tuple(map(escape_unprintable, row.engines)),
        escape_unprintable(row.place),
    )


def _loss_row(loss: Json) -> DigestRow:
    deletes = loss["loss"] == Loss.DELETES.value
    what = "a deployment would delete data in it" if deletes else "a deployment would lose it"
    what = "its loss is allowed" if loss["allowed"] else what
    return DigestRow(
        WARNED if loss["allowed"] else STOPPED,
        loss["name"],
        what,
        f"rule {loss['rule']}",
        sentences=(loss["reason"],),
        next_step="" if loss["allowed"] else loss["recipe"],
        place=str(loss.get("environment", "")),
    )


def _resource_row(resource: Json) -> DigestRow:
    action = Action(resource["action"])
    stopped = action is Action.STOP
    sentences = (resource["reason"],) if stopped else tuple(resource["warnings"])
    next_step = _next_step(resource, stopped=stopped) if sentences else ""
    if len(sentences) == 1 and (unused := UNUSED.fullmatch(sentences[0])):
        sentences, next_step = (unused["what"],), unused["next_step"]
    return DigestRow(
        _look(resource, action),
        name_in(resource),
        _what(resource, action),
        f"rule {resource['rule']}",
        ", ".join(list_estimate(resource, load(resource["type"]).unit, "~")),
        sentences,
        next_step,
        tuple(list_engine_lines(resource)) if is_choice_notable(resource) else (),
        str(resource.get("environment", "")),
    )


def _look(resource: Json, action: Action) -> tuple[str, str]:
    if action is Action.STOP:
        return STOPPED
    if resource["warnings"]:
        return WARNED
    return NEW if action is Action.CREATE else CHANGED


def _what(resource: Json, action: Action) -> str:
    source, preferred = resource["source"], resource["preferred"]
    there = preferred["exists"] == Existence.EXISTS.value
    words = {
        Action.STOP: "stopped",
        Action.MIGRATE: f"copy from {source}",
        Action.RESUME: f"resume the copy from {source}",
        Action.CREATE: "in place, and empty" if there else _new(resource["fallbacks"]),
        Action.IMPORT: f"uses {source} as it is" if source else _in_place(resource),
        Action.KEEP: "stays in the stack",
    }
    if resource["rule"] == TWO_DATA_SETS and action is Action.IMPORT:
        return "both names hold data"
    return words[action]


def _in_place(resource: Json) -> str:
    """What happens to a resource that is there: most are adopted while CDK deploys, unseen."""
    return "adopted by its id" if resource.get("by_id") else "in place"


def _new(fallbacks: Sequence[Json]) -> str:
    """Why a resource is created: nothing is found, or nothing in what is found."""
    if not fallbacks:
        return "new"
    if any(one["exists"] == Existence.UNKNOWN.value for one in fallbacks):
        return "new; not every older name could be seen"
    there = [one for one in fallbacks if one["exists"] == Existence.EXISTS.value]
    if not there:
        names = "either name" if len(fallbacks) == 1 else "any of its names"
        return f"new, nothing found under {names}"
    if all(one["content"] == Content.EMPTY.value for one in there):
        return f"new, {there[0]['name']} is empty"
    return "new"


def _next_step(resource: Json, *, stopped: bool) -> str:
    """The one command that helps; none where the sentences name one."""
    sentences = (resource["reason"],) if stopped else resource["warnings"]
    if any("`dataware " in text for text in sentences):
        return ""
    return f"dataware explain {resource['rule']}"


def _row_lines(row: DigestRow, fit: Fit, name_width: int) -> Iterator[Line]:
    below = _below(row, fit)
    if not row.rule:
        first, *rest = list(below) or [[]]
        yield [(f"  {row.look[0]}  ", row.look[1]), *_drop_indent(first)]
        yield from rest
        return
    if fit.width is not None and fit.width < NARROWEST:
        yield from _folded_row(row, fit)
    else:
        yield from _columns(row, fit, name_width)
    yield from below


def _columns(row: DigestRow, fit: Fit, name_width: int) -> Iterator[Line]:
    """Name, what happens and the rule in one line; in two where they are too long for one."""
    mark, style = f"  {row.look[0]}  ", row.look[1]
    end = min(fit.width or WIDEST, WIDEST) - RULE_WIDTH
    room = end - INDENT - name_width - 2 if fit.width is not None else 0
    rule = (f"  {row.rule}", "dim")
    is_short = fit.measure(row.name) <= name_width and fit.measure(row.what) <= room
    if fit.width is None or is_short:
        what = (fit.pad(row.what, room), style)
        yield [(mark, style), (f"{fit.pad(row.name, name_width)}  ", ""), what, rule]
        yield from _estimate_line(row, fit, INDENT + name_width + 2)
        return
    name = fit.pad(fit.shorten(row.name, end - INDENT), end - INDENT)
    yield [(mark, style), (name, ""), rule]
    text = fit.shorten_within(row.what, row.estimate, fit.width - INDENT)
    yield [(" " * INDENT + text, style)]


def _estimate_line(row: DigestRow, fit: Fit, at: int) -> Iterator[Line]:
    if not row.estimate:
        return
    if fit.width is not None:
        at = max(INDENT, min(at, fit.width - fit.measure(row.estimate)))
    yield [(f"{' ' * at}{fit.clip(row.estimate, at)}", "dim")]


def _folded_row(row: DigestRow, fit: Fit) -> Iterator[Line]:
    """A row of a narrow window: its words, wherever a line has to end."""
    mark, style = row.look
    words = f"{mark} {row.name}: {row.what}, {row.rule}"
    for text in fit.fold(f"{words}, {row.estimate}" if row.estimate else words, 0):
        yield [(text, style)]


def _below(row: DigestRow, fit: Fit) -> Iterator[Line]:
    """The engines of a row, its sentences, and the command that goes on."""
    style = row.look[1]
    for engine in row.engines:
        first, *rest = fit.fold(fit.encode(engine), INDENT + 2)
        yield [(f"{' ' * INDENT}{first}", "dim")]
        yield from ([(f"{' ' * (INDENT + 2)}{text}", "dim")] for text in rest)
    for sentence in row.sentences:
        for text in fit.fold(fit.encode(sentence), INDENT):
            yield [(f"{' ' * INDENT}{text}", style)]
    if row.next_step:
        for text in fit.fold(fit.encode(f"→ {row.next_step}"), INDENT):
            yield [(f"{' ' * INDENT}{text}", "")]


def _drop_indent(line: Line) -> Line:
    return [(text.removeprefix(" " * INDENT), style) for text, style in line]
