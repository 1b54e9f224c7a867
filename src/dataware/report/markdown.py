"""The plan as Markdown, for a comment on a pull request and for the summary of a job.

Everything that comes from outside is shown as what it is: no name can end a cell, begin a link or
a tag, call a person or refer to another issue. The document always fits into a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from dataware.core.events import format_count, needs_attention
from dataware.core.model import Action
from dataware.core.printable import escape_unprintable
from dataware.report.approval import plan_boxes
from dataware.report.summary import WORDS, shown_action
from dataware.report.table import ORDER, TableSide, group_by_environment, in_order, row

Json = Mapping[str, Any]
Thing = TypeVar("Thing")

MOST = 60_000
"""Bytes of a document: a comment on GitHub has at most 65,536 characters, and a caller may want to
add a line of its own."""

ROOM = {"box": 2_000, "stops": 8_000, "warnings": 8_000, "table": 22_000}
"""Bytes of each part; what does not fit is counted. The details have what is left."""

FRAME = 200
"""Bytes around the details."""

LONGEST = 400
"""Characters of one name or sentence."""

SIGNS = {
    Action.KEEP: "✅",
    Action.IMPORT: "✅",
    Action.MIGRATE: "🔄",
    Action.RESUME: "🔄",
    Action.CREATE: "🆕",
    Action.STOP: "❌",
}

_PLAIN = re.compile(r"[\w.:/+=, -]+", re.ASCII)
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>&|~#!@$^]")
_CALLS = re.compile(r"(?<=[@#!~%&])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_APART = "\u200b"


def markdown(data: Json, warnings: Sequence[str]) -> str:
    """The document for the payload of a `plan` event and the warnings that came before it."""
    plan = data["plan"]
    losses = [loss for loss in plan["guard"] if not loss["allowed"]]
    ranked = in_order(plan["resources"])
    parts = [
        _head(data, ranked, losses, int(data.get("attention", 0))),
        *_boxes(data),
        *_list("Stopped", _stops(ranked, losses), _stop, ROOM["stops"]),
        *_list("Warnings", warnings, _warning, ROOM["warnings"]),
        *_table(ranked),
    ]
    room = MOST - FRAME - len("\n\n".join(parts).encode())
    return "\n\n".join([*parts, *_details(ranked, room)]) + "\n"


def code(text: str) -> str:
    """A name as code, whatever it holds; safe in a cell of a table, too."""
    clipped = clip_text(text)
    if _PLAIN.fullmatch(clipped) and clipped == clipped.strip():
        return f"`{clipped}`"
    return f"<code>{''.join(map(_entity, clipped))}</code>"


def _entity(character: str) -> str:
    harmless = character.isalnum() or ord(character) > 127
    return character if harmless else f"&#{ord(character)};"


def prose(text: str) -> str:
    """A sentence with names in it as text that is nothing but text."""
    apart = _CALLS.sub(_APART, clip_text(text))
    return _SPECIAL.sub(lambda match: _entity(match[0]), apart)


def clip_text(text: str) -> str:
    """The text without control characters, and with an end."""
    escaped = escape_unprintable(text)
    return escaped if len(escaped) <= LONGEST else f"{escaped[: LONGEST - 1]}…"


def fitting(
    things: Sequence[Thing], describe: Callable[[Thing], str], room: int
) -> tuple[list[str], int]:
    """The first things as text that has at most `room` bytes, and how many are left out."""
    lines: list[str] = []
    for text in map(describe, things):
        room -= len(text.encode()) + 1
        if room < 0:
            break
        lines.append(text)
    return lines, len(things) - len(lines)


def _head(data: Json, ranked: Sequence[Json], losses: Sequence[Json], attention: int) -> str:
    plan = data["plan"]
    where = f"account {code(plan['account'])}, {code(plan['region'])}, {code(plan['created'])}"
    if places := plan.get("environments"):
        where = f"{len(places)} environments, {code(plan['created'])}"
    costs = f" Costs are at {prose(data['prices'])}." if data.get("prices") else ""
    notes = "".join(f"\n\n{prose(note)}" for note in data.get("notes", ()))
    verdict = _verdict(ranked, losses, attention)
    return f"## {verdict}\n\n{prose(data['text'])}\n\nIn {where}.{costs}{notes}"


def _boxes(data: Json) -> Iterator[str]:
    """What will happen, whether data is at risk, what to do and more: a paragraph each."""
    for box in plan_boxes(data):
        sentences, _ = fitting(box.lines, _sentence, ROOM["box"])
        title = box.title if box.title.endswith("?") else f"{box.title}:"
        yield f"**{title}** {' '.join(sentences)}"


def _sentence(text: str) -> str:
    """A sentence of ours, in which what stands in backticks is a command."""
    parts = text.split("`")
    return "".join(code(part) if at % 2 else prose(part) for at, part in enumerate(parts))


def _verdict(ranked: Sequence[Json], losses: Sequence[Json], attention: int) -> str:
    actions = [shown_action(resource) for resource in ranked]
    stops = actions.count(Action.STOP) + len(losses)
    if stops:
        return f"❌ dataware: {format_count(stops, 'stop')}, so nothing will be changed"
    acts = [action for action in ORDER if action in actions][:3]
    changes = [a for a in acts if a in {Action.MIGRATE, Action.RESUME, Action.CREATE}]
    words = ", ".join(f"{actions.count(action):,} {WORDS[action]}" for action in changes)
    if attention:
        parts = [needs_attention(attention), words or "no data has to move"]
        return f"⚠️ dataware: {', '.join(parts)}"
    if not changes:
        return "✅ dataware: no data has to move"
    return f"{SIGNS[changes[0]]} dataware: {words}"


def _stops(ranked: Sequence[Json], losses: Sequence[Json]) -> list[tuple[str, int, str]]:
    """Name, rule and reason of everything that stops the plan."""
    stops = [
        (one["preferred"]["name"], one["rule"], one["reason"])
        for one in ranked
        if one["action"] == Action.STOP.value
    ]
    lost = [(one["name"], one["rule"], f"{one['reason']}; {one['recipe']}") for one in losses]
    return stops + lost


def _stop(stop: tuple[str, int, str]) -> str:
    name, rule, reason = stop
    return f"- ❌ {code(name)} (rule {rule}): {prose(reason)}"


def _warning(text: str) -> str:
    return f"- ⚠️ {prose(text)}"


def _list(
    heading: str, things: Sequence[Thing], describe: Callable[[Thing], str], room: int
) -> Iterator[str]:
    lines, omitted = fitting(things, describe, room)
    if things:
        more = [f"- … and {omitted:,} more"] if omitted else []
        yield f"### {heading}"
        yield "\n".join([*lines, *more])


def _table(ranked: Sequence[Json]) -> Iterator[str]:
    if not ranked:
        return
    shown = len(fitting(ranked, _cells, ROOM["table"])[0])
    omitted = len(ranked) - shown
    for place, some in group_by_environment(ranked[:shown]).items():
        if place:
            yield f"### Environment {code(place)}"
        yield "\n".join(
            [
                "| resource | action | preferred | fallback | why | estimate |",
                "| --- | --- | --- | --- | --- | --- |",
                *map(_cells, some),
            ]
        )
    if omitted:
        yield f"… and {omitted:,} more, which the saved plan has (`dataware plan --out FILE`)"


def _cells(resource: Json) -> str:
    one = row(resource)
    sign = "⚠️" if one.needs_attention else SIGNS[one.action]
    action = f"{sign} **{one.action}**<br>{', '.join(one.how)}"
    cells = [
        f"{code(one.id)}<br>{one.noun}",
        action,
        _side(one.preferred),
        "<br>".join(map(_side, one.fallbacks)) or "–",
        "<br>".join([prose(one.why), *(f"⚠️ {prose(each)}" for each in one.warnings)]),
        "<br>".join(map(prose, one.estimate)) or "–",
    ]
    return f"| {' | '.join(cells)} |"


def _side(side: TableSide) -> str:
    return f"{code(side.name)}<br>{prose(side.held[0])}"


def _details(ranked: Sequence[Json], room: int) -> Iterator[str]:
    if not ranked:
        return
    details, omitted = fitting(ranked, _detail, room)
    more = [f"- … and {omitted:,} more"] if omitted else []
    yield "<details>\n<summary>What was seen</summary>"
    yield "\n".join([*details, *more])
    yield "</details>"


def _detail(resource: Json) -> str:
    one = row(resource)
    lines = [f"- {code(one.id)}: {', '.join((one.action.value, *one.how))}"]
    names = (resource["preferred"], *resource["fallbacks"])
    for facts, side in zip(names, (one.preferred, *one.fallbacks), strict=True):
        clauses = [*side.held, *_settings(facts), *facts["problems"], *facts["notes"]]
        lines.append(f"  - {code(side.name)}: {'; '.join(map(prose, clauses))}")
    return "\n".join(lines)


def _settings(facts: Json) -> Iterator[str]:
    if facts["schema"]:
        yield f"key schema {facts['schema']}"
    for name, label in facts["settings"].items():
        yield f"{name.replace('_', ' ')}: {label}"
