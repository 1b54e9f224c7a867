"""The plan as Markdown: what it says, and that nobody's name can say more."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dataware.core.events import event
from dataware.core.model import Action, Existence
from dataware.core.plan import Plan
from dataware.core.printable import escape_unprintable
from dataware.report import Format, make_renderer
from dataware.report.html import plan_page
from dataware.report.markdown import LONGEST, MOST, clip_text, code, fitting, markdown, prose
from dataware.report.table import PlanTable
from support.plans import (
    NASTY,
    many,
    migration,
    nasty_plans,
    one,
    payload,
    plan_of,
    threat,
    warned,
)

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {"<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>", "<br>"}
CALLS = re.compile(r"(?<![\w`])@\w")


def flat(text: str) -> list[Token]:
    """Every token of a document, those within lines included."""
    return [
        token for block in PARSER.parse(text) for token in (block, *(block.children or ()))
    ]  # fmt: skip


def tags(tokens: Sequence[Token]) -> set[str]:
    """The HTML tags of a document."""
    raw = [token.content for token in tokens if token.type in {"html_inline", "html_block"}]
    return {tag for text in raw for tag in re.findall(r"<[^>]*>?", text)}


def outside_code(tokens: Sequence[Token]) -> Iterator[str]:
    """The texts in which a forge looks for mentions: those that are not code."""
    coded = False
    for token in tokens:
        if token.type == "html_inline" and token.content in {"<code>", "</code>"}:
            coded = token.content == "<code>"
        elif token.type == "text" and not coded:
            yield token.content


def document(plan: Plan, *warnings: str) -> str:
    """The document of a plan."""
    return markdown(payload(plan), warnings)


def test_what_needs_attention_is_in_the_heading_and_in_its_row() -> None:
    """A reviewer who reads one line knows that there is something to look at."""
    text = document(plan_of(migration(), warned("twin", "two resources hold data")))
    assert text.startswith("## ⚠️ dataware: 1 needs your attention, 1 to copy\n")
    rows = [line for line in text.splitlines() if line.startswith("| `App/")]
    assert rows[0].startswith("| `App/twin`")
    assert "⚠️ **import**" in rows[0]
    assert "because of twin<br>⚠️ two resources hold data" in rows[0]
    assert document(plan_of(warned())).startswith(
        "## ⚠️ dataware: 1 needs your attention, no data has to move\n"
    )


def test_a_document_says_what_will_happen() -> None:
    """Heading with the verdict, sum, place, table, and the rest folded."""
    text = document(plan_of(migration(), one(Action.KEEP, "kept")), "careful")
    assert text.startswith("## 🔄 dataware: 1 to copy\n\nPlan: 1 to copy, 1 unchanged")
    assert "at list prices of eu-central-1, 2026-11" in text
    assert "In account `111122223333`, `eu-central-1`, `2026-11-24T18:00:00+00:00`." in text
    assert "### Warnings\n\n- ⚠️ careful\n" in text
    assert "### Stopped" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("| `App/Waitlist`")]
    assert row.split(" | ")[1:5] == [
        "🔄 **migrate**<br>rule 3, adopt",
        "`Waitlist-prod`<br>absent",
        "`Waitlist`<br>data, about 78 items, 7.8 kB",
        "Waitlist-prod is absent and Waitlist has data",
    ]
    assert "  - `Waitlist`: data, about 78 items, 7.8 kB; not in any stack" in text
    assert text.index("<details>\n<summary>") < text.index("</details>")


def test_a_stop_is_the_heading_and_comes_first() -> None:
    """Stops and losses are counted together, listed with their reasons, and lead the table."""
    guard = (threat(), threat("ok", allowed=True))
    plan = plan_of(one(Action.CREATE, "new"), one(Action.STOP, "bad"), guard=guard)
    text = document(plan)
    assert text.startswith("## ❌ dataware: 2 stops, so nothing will be changed\n")
    assert "- ❌ `bad` (rule 5): because of bad" in text
    assert "- ❌ `orders` (rule 19): DynamoDB table Orders of stack App holds data" in text
    assert "`ok`" not in text
    rows = [line for line in text.splitlines() if line.startswith("| `App/")]
    assert [row.split("`")[1] for row in rows] == ["App/bad", "App/new"]


def test_what_stands_already_is_not_told_as_created() -> None:
    """Neither in the heading nor among what is left out, nor on the page."""
    made = one(Action.CREATE, "logs")
    stands = replace(made, preferred=replace(made.preferred, existence=Existence.EXISTS))
    shown = payload(plan_of(stands))
    assert markdown(shown, []).startswith("## ✅ dataware: no data has to move")
    assert PlanTable.of(shown["plan"], shown=0).rest == "1 more resource not shown (1 to import)"
    assert "Nothing to do" in plan_page(shown, [])


def test_nothing_to_do_is_a_verdict_too() -> None:
    """A plan that only keeps and imports moves no data; a plan of nothing has no table."""
    assert document(plan_of(one(Action.IMPORT, "a"))).startswith("## ✅ dataware: no data has to")
    assert "|" not in document(plan_of())


def test_prices_of_elsewhere_are_told() -> None:
    """The note on prices stands under the sum."""
    plan = plan_of(migration())
    elsewhere = type(plan)("1", "ap-southeast-2", "t", plan.resources, prices=plan.prices)
    assert "but the plan is for ap-southeast-2" in document(elsewhere)


@settings(max_examples=50)
@given(nasty_plans(2), st.lists(NASTY, max_size=2))
def test_no_name_says_more_than_itself(plan: Plan, warnings: list[str]) -> None:
    """No link, image, foreign tag, mention, cell, row, list or heading comes from outside."""
    text = document(plan, *warnings)
    tokens = flat(text)
    kinds = [token.type for token in tokens]
    assert not {"link_open", "image", "fence", "code_block", "hr", "em_open"} & set(kinds)
    assert tags(tokens) <= OURS
    assert kinds.count("heading_open") == 1 + text.count("\n### ")
    assert kinds.count("table_open") == bool(plan.resources)
    assert kinds.count("td_open") == 6 * len(plan.resources)
    listed = len(plan.losses) + len(plan.stops) + len(warnings)
    sides = sum(1 + len(planned.fallbacks) for planned in plan.resources)
    assert kinds.count("list_item_open") == listed + len(plan.resources) + sides
    assert not any(CALLS.search(word) for word in outside_code(tokens))


def shown(text: str) -> str:
    """The text that a reader of Markdown sees."""
    (inline,) = [token for token in PARSER.parse(f"x {text}") if token.type == "inline"]
    parts = [
        token.content
        for token in inline.children or ()
        if token.type in {"text", "code_inline", "text_special"}
    ]
    return "".join(parts).removeprefix("x ").replace("\u200b", "")


@given(NASTY)
def test_a_name_is_read_as_it_is(name: str) -> None:
    """Escaping is for the machine: a reader sees the name, with control characters spelled out."""
    assert shown(code(name)) == clip_text(name)
    assert shown(f"{prose(name)}.") == f"{clip_text(name)}."


def test_usual_names_stay_readable_in_the_source() -> None:
    """A log shows the document as it is, so a usual name is not full of escapes."""
    assert code("Spaceport/Uploads-prod_2.x") == "`Spaceport/Uploads-prod_2.x`"
    assert prose("Waitlist-prod is absent (rule 3): see s3") == (
        "Waitlist-prod is absent (rule 3): see s3"
    )


@pytest.mark.parametrize("text", ["@everyone", "see #12", "https://evil.example", "www.x.org"])
def test_nobody_is_called_and_nothing_is_linked(text: str) -> None:
    """Mentions, issues and addresses are broken by a space of no width."""
    assert "\u200b" in prose(text)
    assert html.unescape(prose(text)).replace("\u200b", "") == text


@settings(max_examples=25)
@given(nasty_plans(2), st.lists(NASTY, max_size=3), st.sampled_from([1, 30, 300]))
def test_a_document_always_fits_into_a_comment(plan: Plan, warnings: list[str], times: int) -> None:
    """However much a plan holds and whatever it is called, the limit of GitHub is kept."""
    large = type(plan)(
        *(plan.account, plan.region, plan.created, plan.resources * times),
        guard=plan.guard * times,
        prices=plan.prices,
    )
    text = document(large, *(warnings * times))
    assert len(text.encode()) <= MOST


def test_what_does_not_fit_is_counted() -> None:
    """Ten thousand resources: what matters is there, and the rest is a number."""
    text = document(plan_of(*many(10_000)), *["warning"] * 10_000)
    assert len(text.encode()) <= MOST
    assert "- ❌ `bad` (rule 5)" in text
    assert re.search(r"… and 9,\d\d\d more, which the saved plan has", text)
    assert re.search(r"- … and \d,\d\d\d more", text)
    assert text.rstrip().endswith("</details>")


@given(st.lists(st.text(max_size=20), max_size=30), st.integers(0, 100))
def test_fitting_keeps_the_first_lines(lines: list[str], room: int) -> None:
    """What is kept is a beginning that fits, and nothing is lost without being counted."""
    kept, left = fitting(lines, str, room)
    assert kept == lines[: len(kept)]
    assert len(kept) + left == len(lines)
    assert sum(len(line.encode()) + 1 for line in kept) <= room


def test_a_long_name_has_an_end() -> None:
    """Names and sentences are cut after a few hundred characters."""
    assert len(clip_text("x" * 10_000)) == LONGEST
    assert clip_text("\x1b[31m") == escape_unprintable("\x1b[31m")


def test_the_renderer_writes_the_document_and_nothing_else() -> None:
    """Lines of decisions go nowhere; warnings go into the document."""
    stream = io.StringIO()
    with make_renderer(Format.MARKDOWN, stream, plain=False, no_color=False, is_tty=True) as render:
        render(event("looking", count=1, account="1", region="r"))
        render(event("warning", text="careful"))
        render(event("plan", text="Plan: no resources", **_rest(plan_of())))
        render(event("saved", what="the plan", path="x"))
    assert stream.getvalue() == markdown(payload(plan_of()), ["careful"])


def _rest(plan: Plan) -> dict[str, object]:
    return {key: value for key, value in payload(plan).items() if key != "text"}
