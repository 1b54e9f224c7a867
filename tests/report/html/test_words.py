"""The verdict of a report says in words how a run ended."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.printable import escape_unprintable
from dataware.report.html.story import Story
from dataware.report.html.words import (
    facts_in_words,
    headline,
    prose,
    rate_in_words,
    seconds_in_words,
    sentence,
)
from support.tales import COPY, apart, copied, decided, ended, facts, happened, told

DIFFER = happened(1.0, "differences", summary="1 missing", missing=1, **COPY)
STOP = happened(0.1, "stopped", name="orders", rule=9, reason="its data is gone")

ENDS = {
    "killed": (told("migrate", *copied()), "warn", "was killed", "run the same command again"),
    "killed plan": (told("plan"), "warn", "was killed", "run it again"),
    "alive": (told("migrate", alive=True), "note", "in progress", "progress so far"),
    "copied": (told("migrate", *copied(), ended(9, 0)), "good", "orders-prod", "78 items"),
    "partial": (
        told(
            "migrate",
            *copied(),
            happened(8.0, "migrated-partly", text="passwords and MFA secrets", **COPY),
            ended(9, 0),
        ),
        *("warn", "Copied in part and verified", "a partial copy, without passwords and MFA"),
    ),
    "extra": (
        told("migrate", *copied(), *apart("extra", ["a", "b"]), ended(9, 0)),
        *("warn", "Copied and verified", "2 extra; every key is listed"),
    ),
    "nothing": (told("apply", decided(action="keep"), ended(1, 0)), "good", "no data had", "1 to"),
    "plan": (told("plan", decided(), ended(1, 0)), "good", "1 to migrate", "Nothing was changed"),
    "changes": (told("plan", decided(), ended(1, 2)), "note", "1 to migrate", "Nothing was"),
    "two data sets": (
        told("apply", decided(action="import", warnings=["two live"]), ended(1, 0)),
        *("warn", "no data had", "1 needs your attention. 1 to import."),
    ),
    "warned plan": (
        told("plan", decided(warnings=["weaker"]), ended(1, 2)),
        *("warn", "1 to migrate", "1 needs your attention. Nothing was changed."),
    ),
    "warned copy": (
        told("apply", decided(warnings=["weaker"]), *copied(), ended(9, 0)),
        *("warn", "Copied and verified", "1 needs your attention. Verified"),
    ),
    "warned of all": (
        told("apply", happened(0.1, "warning", text="shared"), ended(9, 0)),
        *("warn", "no data had", "1 needs your attention."),
    ),
    "slowed": (
        told("migrate", happened(0.1, "slowed", reason="busy", **COPY), *copied(), ended(9, 0)),
        *("good", "Copied and verified", "78 items"),
    ),
    "same": (told("verify", *list(copied())[-1:], ended(1, 0)), "good", "the same", "by content"),
    "differ": (told("verify", DIFFER, ended(1, 2)), "bad", "differ", "1 missing."),
    "stopped": (told("plan", STOP, ended(1, 3)), "bad", "Stopped", "its data is gone."),
    "refused": (told("apply", ended(1, 3, "nothing")), "bad", "Stopped", "Nothing."),
    "incomplete": (
        told("apply", ended(1, 4, "2 left")),
        "warn",
        "run the same command to resume",
        "2 left.",
    ),
    "failed": (told("apply", ended(1, 1, "no answer")), "bad", "failed", "No answer."),
}


@pytest.mark.parametrize(("story", "tone", "title", "detail"), ENDS.values(), ids=ENDS)
def test_every_end_has_its_words(story: Story, tone: str, title: str, detail: str) -> None:
    """Tone, title and detail fit the exit code and the command, and what was found."""
    found = headline(story)
    assert found.tone == tone
    assert title in found.title
    assert detail in found.detail


def test_commands_in_a_sentence_are_code() -> None:
    """Backticks round what is to be typed are no characters of the page; others are."""
    told = prose(
        "a `b` c: compare with `dataware verify s3://<a> s3://b`, or say `--on-error safe`"
    )
    assert str(told) == (
        "a `b` c: compare with <code>dataware verify s3://&lt;a&gt; s3://b</code>, or say "
        "<code>--on-error safe</code>"
    )


@given(st.text(st.sampled_from("`<>&ab -\n\u202e") | st.characters()))
def test_prose_is_escaped_and_loses_nothing(text: str) -> None:
    """Whatever stands in a sentence is text, and all of it is shown."""
    shown = str(prose(text))
    tags = set(re.findall("<[^>]*>", shown))
    whole = {'<code class="whole">', '<span class="whole">', "</span>"}
    assert tags <= {"<code>", "</code>", *whole}
    plain = html.unescape(re.sub("<[^>]*>", "", shown))
    assert plain.replace("`", "") == escape_unprintable(text).replace("`", "")


def test_facts_are_told_in_words() -> None:
    """Unknown is never told as absent or empty."""
    assert facts_in_words(facts("a"), "item") == (
        "exists, has data, 78 items, 12.3 kB, not in any stack"
    )
    unseen = facts("a", exists="unknown", content="unknown")
    assert facts_in_words(unseen, "item") == "unknown"
    denied = facts("a", content="unknown", size=None, owner="unknown")
    assert facts_in_words(denied, "item") == "exists, content unknown, owner unknown"
    owned = facts("a", content="empty", size=None, owner="another stack", stack="shop")
    assert facts_in_words(owned, "item") == "exists, empty, in stack shop"
    running = facts("a", exists="no", marker="running", migrating_from="b")
    assert facts_in_words(running, "item") == "does not exist, migration from b running"


def test_numbers_are_told_as_people_read_them() -> None:
    """Two or three digits, and a unit."""
    spans = [seconds_in_words(n) for n in (0.25, 42, 75, 7500, 900_000)]
    assert spans == ["0.2 s", "42 s", "1 min 15 s", "2 h 05 min", "10 d 10 h"]
    assert [rate_in_words(n) for n in (0.25, 12.4, 1234.5)] == ["0.2", "12", "1,234"]
    assert [sentence(text) for text in ("", "a b", "Why?")] == ["", "A b.", "Why?"]


def test_options_dates_and_sizes_are_whole() -> None:
    """No line ends within an option, a date or a size; names and keys stay as they are."""
    assert prose("12 items, 2.4 MB;") == '12 items, <span class="whole">2.4 MB</span>;'
    text = prose("accept with --allow-skipped since 2026-11-29 10:00, at prices of 2026-11.")
    assert str(text) == (
        'accept with <code class="whole">--allow-skipped</code> since '
        '<span class="whole">2026-11-29</span> 10:00, at prices of '
        '<span class="whole">2026-11</span>.'
    )
    for name in ("logs-2026-11-29", "a--b", "/2026-11/x", "2026-11-29.txt", "<2026-1>", "--x=<y>"):
        assert "class=" not in prose(name)
    assert "<img" not in prose("--allow<img> 2026-11<img>")
