"""The plan on a terminal: columns where there is room, blocks where there is not."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dataware.core.events import event
from dataware.core.model import Action
from dataware.core.plan import Plan
from dataware.report.summary import plan_summary, shown_plan
from dataware.report.table import PlanTable
from dataware.report.table_terminal import WIDE, fold_lines, plan_table
from dataware.report.terminal import TerminalRenderer
from support.plans import many, migration, nasty_plans, one, plan_of, warned


def shown(plan: Plan, width: int, *, signs: bool = True, lines: bool = True) -> list[str]:
    """The lines of a terminal of that width."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    table = PlanTable.of(shown_plan(plan))
    console.print(plan_table(table, width=width, signs=signs, lines=lines))
    return stream.getvalue().splitlines()


def test_a_wide_terminal_shows_columns() -> None:
    """Every column has its heading, and usual names stand on one line."""
    heading, rule, first, *_ = shown(plan_of(migration()), 160)
    assert heading.split() == ["resource", "action", "preferred", "fallback", "why", "estimate"]
    assert set(rule.strip()) == {"─"}
    assert first.split()[:5] == ["App/Waitlist", "🔄", "migrate", "Waitlist-prod", "Waitlist"]


@pytest.mark.parametrize("width", [60, 80, 160])
def test_no_line_ends_in_blanks(width: int) -> None:
    """What is selected with the mouse, or recorded, holds the text and no filling."""
    lines = shown(plan_of(migration(), one(Action.STOP, "x" * 70), one(Action.KEEP, "s")), width)
    assert [line for line in lines if line != line.rstrip()] == []


def test_a_table_without_copies_has_no_column_for_them() -> None:
    """What nothing is said about takes no room."""
    heading, *_ = shown(plan_of(one(Action.CREATE, "new")), 160)
    assert "estimate" not in heading


def test_a_narrow_terminal_shows_blocks() -> None:
    """At 80 columns each resource is a block of labelled lines."""
    assert [line.rstrip() for line in shown(plan_of(migration()), 80)] == [
        "  App/Waitlist (DynamoDB table): 🔄 migrate, rule 3, adopt",
        "      preferred  Waitlist-prod: absent",
        "      fallback   Waitlist: data, about 78 items, 7.8 kB; not in any stack",
        "      why        Waitlist-prod is absent and Waitlist has data",
        "      estimate   about 78 items, 7.8 kB, about 2 s, less than $0.01",
    ]


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_warning_is_the_sign_of_its_row_and_stands_in_it(width: int) -> None:
    """Whatever the width: the row shows that it needs attention, and why."""
    lines = shown(plan_of(warned()), width)
    text = "\n".join(lines)
    assert "⚠️  import" in text
    assert "✅" not in text
    assert "warning" in text
    assert "twin has a twin" in " ".join(text.split())


def test_a_long_value_wraps_under_itself() -> None:
    """The labels of a block stay readable at any width."""
    lines = shown(plan_of(migration()), 40)
    (at,) = [n for n, line in enumerate(lines) if line.startswith("      why")]
    assert lines[at + 1].startswith(" " * 17)


@settings(max_examples=40)
@given(nasty_plans(2), st.sampled_from([20, 40, 80, WIDE - 1, WIDE, 160, 240]))
def test_nothing_crosses_the_edge(plan: Plan, width: int) -> None:
    """Whatever stands in a plan, no line is wider than the window."""
    assert all(cell_len(line.rstrip()) <= width for line in shown(plan, width))


@pytest.mark.parametrize("width", [80, 160])
def test_a_terminal_without_signs_gets_words_and_no_lines(width: int) -> None:
    """The table never depends on signs, lines or colours."""
    text = "\n".join(shown(plan_of(migration()), width, signs=False, lines=False))
    assert text.isascii()
    assert "migrate" in text


@pytest.mark.parametrize("width", [80, 160])
def test_what_is_not_shown_is_counted(width: int) -> None:
    """A large plan ends with how much more there is."""
    text = " ".join(" ".join(shown(plan_of(*many(10_000)), width)).split())
    assert "9,900 more resources not shown (9,900 to keep); `--format json`" in text


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"])), st.integers(8, 40))
def test_folding_loses_nothing(text: str, width: int) -> None:
    """A folded line reads as before, but for spaces at the breaks."""
    assert fold_lines([text], width).plain.replace("\n", "").replace(" ", "") == text.replace(
        " ", ""
    )


def test_names_are_folded_at_their_separators() -> None:
    """A name that is too long is broken where a person would break it, and a size never."""
    name = "spaceport-uploads-of-the-older-kind"
    assert fold_lines([name], 20).plain.split("\n") == ["spaceport-uploads-", "of-the-older-kind"]
    assert fold_lines(["data, about 5 items, 15.6 kB"], 25).plain.split("\n") == [
        "data, about 5 items,",
        "15.6 kB",
    ]


def test_the_table_stands_apart_between_the_lines_and_the_sum() -> None:
    """On a terminal the table has a blank line around it, and the sum is the last line."""
    stream = io.StringIO()
    with TerminalRenderer(stream, full=True) as render:
        render(event("note", text="before"))
        render(plan_summary(plan_of(migration()), lambda _type: "item"))
        render(plan_summary(plan_of(), lambda _type: "item"))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    before, empty, head, *_, nothing = lines
    assert (before, empty) == ("ℹ️  before", "")
    (at,) = [n for n, line in enumerate(lines) if line.startswith("ℹ️  Plan: 1 to copy")]
    assert lines[at - 1] == ""
    assert head.strip() == "App/Waitlist (DynamoDB table): 🔄 migrate, rule 3, adopt"
    assert nothing == "ℹ️  Plan: no resources"
