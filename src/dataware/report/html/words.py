"""The words of a page: how a run ended, what a resource holds, numbers as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from dataware.calc.measures import volume
from dataware.core.events import format_count, needs_attention
from dataware.core.model import Action, precision
from dataware.core.printable import escape_unprintable
from dataware.report.approval import BAD, GOOD, NOTE, WARN
from dataware.report.html.story import MigrationStory, Story

AGAIN = {
    "plan": "Nothing was changed; run it again.",
    "verify": "Nothing was changed; run it again.",
}
GOES_ON = "Nothing is lost: run the same command again to resume."


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict at the top of a page, in words, with its tone."""

    tone: str
    title: str
    detail: str = ""


def headline(story: Story) -> Headline:
    """How the run ended."""
    command = str(story.beginning.get("command", ""))
    if story.exit_code is None:
        return _without_end(story, command)
    if story.exit_code == 0:
        return _done(story, command)
    if story.exit_code == 2:
        return _difference(story, command)
    if story.exit_code == 3:
        stops = " ".join(sentence(one.text) for one in story.stops)
        return Headline(BAD, "Stopped: nothing was overwritten", sentence(story.reason) or stops)
    if story.exit_code == 4:
        return Headline(WARN, "Incomplete: run the same command to resume", sentence(story.reason))
    return Headline(BAD, "The run failed", sentence(story.reason))


def _without_end(story: Story, command: str) -> Headline:
    if story.alive:
        return Headline(
            NOTE, "The run is still in progress", "This page shows its progress so far."
        )
    why = "It was killed, or its machine went down."
    return Headline(WARN, "The run was killed", f"{why} {AGAIN.get(command, GOES_ON)}")


def _done(story: Story, command: str) -> Headline:
    watch = _attention(story)
    good = WARN if watch else GOOD
    if command == "plan":
        detail = f"{watch} Nothing was changed.".strip()
        return Headline(good, f"The plan: {_actions(story)}", detail)
    if command == "verify":
        return Headline(GOOD, "Both sides are the same", _grounds(story))
    if not story.carried:
        detail = f"{watch} {_actions(story).capitalize()}.".strip()
        return Headline(good, "Done; no data had to be copied", detail)
    into = ", ".join(one.name for one in story.carried[:3])
    more = len(story.carried) - 3
    into += f" and {more:,} more" if more > 0 else ""
    left_out = _left_out(story)
    tone = WARN if story.differing or story.skipped or left_out else good
    detail = " ".join(filter(None, [left_out, watch, _grounds(story), _remarks(story)]))
    how = "Copied in part and verified" if left_out else "Copied and verified"
    return Headline(tone, f"{how}: {into}", detail)


def _left_out(story: Story) -> str:
    """What copies have not carried because nobody can, a sentence for each."""
    partial = [one for one in story.carried if one.left_out]
    return " ".join(f"{one.name} is a partial copy, without {one.left_out}." for one in partial)


def _attention(story: Story) -> str:
    """What a person has to look at, as a sentence; empty if nothing."""
    return sentence(needs_attention(story.attention)) if story.attention else ""


def _difference(story: Story, command: str) -> Headline:
    if command == "plan":
        watch = _attention(story)
        detail = f"{watch} Nothing was changed.".strip()
        return Headline(WARN if watch else NOTE, f"The plan: {_actions(story)}", detail)
    summaries = [str((one.differences or {}).get("summary", "")) for one in story.compared]
    return Headline(BAD, "The two sides differ", sentence("; ".join(filter(None, summaries))))


def _remarks(story: Story) -> str:
    """What a run that is done did not make the same."""
    sides: dict[str, int] = {}
    for keys in story.differing:
        sides[keys.about[0]] = sides.get(keys.about[0], 0) + len(keys.keys)
    apart = ", ".join(f"{count:,} {side}" for side, count in sides.items())
    return f"Differences: {apart}; every key is listed below." if apart else ""


def _grounds(story: Story) -> str:
    texts = [one.text for one in story.timeline if one.code == "verified"]
    return " ".join(sentence(text) for text in texts[:3])


def _actions(story: Story) -> str:
    counts: dict[str, int] = {}
    for one in story.decided.values():
        action = str(one.first.get("action", ""))
        counts[action] = counts.get(action, 0) + 1
    parts = [f"{counts[action]:,} to {action}" for action in Action if counts.get(action)]
    return ", ".join(parts).replace(" to stop", " stopped") or "no resource opts in"


def sentence(text: str) -> str:
    """A text as a sentence of its own."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def fate(story: Story, migration: MigrationStory) -> Headline:
    """How one migration ended, in a word or two."""
    if migration.left_out:
        return Headline(WARN, "partial", f"without {migration.left_out}")
    if migration.complete:
        return Headline(GOOD, "verified")
    if migration.differences:
        return Headline(BAD, "different")
    if migration.verified:
        return Headline(GOOD, "the same")
    if story.alive:
        return Headline(NOTE, "running")
    return Headline(WARN, "incomplete")


EXISTS = {"yes": "exists", "no": "does not exist", "unknown": "unknown"}
CONTENT = {"data": "has data", "empty": "empty", "unknown": "content unknown"}


_COMMAND = re.compile(r"`((?:(?:dataware|cdk|aws|pip|uv) |--)[^`]+)`")


def prose(text: str) -> Markup:
    """A sentence for a page, escaped.

    Commands and options stand as code instead of in backticks; no line ends within an option, a
    date or a size, though they have hyphens and spaces.
    """
    markup = Markup()
    for at, part in enumerate(_COMMAND.split(text)):
        safe = escape(escape_unprintable(part))
        markup += Markup("<code>{}</code>").format(safe) if at % 2 else _mark_whole_words(safe)
    return markup


_OPTION = re.compile(r"(?<![\w/-])(--[a-z][a-z-]+)(?![\w=-])")
_DATE = re.compile(r"(?<![\w/.-])(20\d\d-\d\d(?:-\d\d)?)(?![\w/.-]\w|-)")

_SIZE = re.compile(r"(?<![\w.,-])(\d[\d.,]* [kMGTP]?B)(?![\w-])")


def _mark_whole_words(safe: Markup) -> Markup:
    """An escaped text, with its options, dates and sizes marked."""
    text = _OPTION.sub(r'<code class="whole">\1</code>', str(safe))
    for words in (_DATE, _SIZE):
        text = words.sub(r'<span class="whole">\1</span>', text)
    return Markup(text)  # noqa: S704 - only letters, digits and hyphens of an escaped text


def facts_in_words(facts: Mapping[str, Any], unit: str) -> str:
    """What was seen under a name, in one line."""
    parts = [EXISTS.get(facts.get("exists", ""), "unknown")]
    if facts.get("exists") == "yes":
        parts.append(CONTENT.get(facts.get("content", ""), "content unknown"))
        size = facts.get("size")
        if size and size.get("items"):
            parts.append(f"{precision(size)}{format_count(int(size['items']), unit)}")
            parts.append(volume(int(size.get("bytes", 0))))
        parts.append(_owner(facts))
    if facts.get("marker") in {"running", "complete"}:
        since = f" from {facts['migrating_from']}" if facts.get("migrating_from") else ""
        parts.append(f"migration{since} {facts['marker']}")
    return ", ".join(parts)


def _owner(facts: Mapping[str, Any]) -> str:
    owner = str(facts.get("owner", "unknown"))
    if owner == "unknown":
        return "owner unknown"
    if owner == "no stack":
        return "not in any stack"
    stack = facts.get("stack")
    return f"in stack {stack}" if stack else f"belongs to {owner}"


def seconds_in_words(seconds: float) -> str:
    """A span of time in its two largest units."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24:,} d {hours % 24} h"


def rate_in_words(rate: float) -> str:
    """A rate, without its unit."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:,.1f}"
