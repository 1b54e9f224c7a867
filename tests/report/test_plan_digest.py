"""The short form of a plan: what needs a person, what changes, and one line for all the rest."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from dataware.core.model import Action, Content, Existence, Facts, Wanted, absent
from dataware.core.plan import Plan, Planned
from dataware.kinds import load
from dataware.report.fit import Fit
from dataware.report.plan_digest import plan_digest
from dataware.report.summary import plan_summary, shown_plan
from dataware.report.terminal import TerminalRenderer
from support.plans import BUCKET, held, many, migration, nasty_plans, one, plan_of, threat, warned

LONGEST_BUCKET, LONGEST_TABLE = 63, 255


def digest(plan: Plan, width: int | None = 80, *, ascii: bool = False) -> list[str]:
    """The lines of a plan, without their styles."""
    lines = plan_digest(shown_plan(plan), Fit(width, ascii=ascii))
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def twin(rule: int = 8) -> Planned:
    """A table of which both names hold data."""
    usual = migration("Sessions")
    decision = type(usual.decision)(
        Action.IMPORT, rule, "has data", warnings=("2 items are only in Sessions",)
    )
    return Planned(usual.wanted, held("Sessions-prod", 10), usual.fallbacks, decision)


def test_a_plan_says_where_it_is_and_what_changes() -> None:
    """The header, a copy in two lines, a new resource in one, all that stays in one."""
    plan = plan_of(migration(), one(Action.CREATE, "new"), one(Action.KEEP, "a"), twin())
    assert digest(plan) == [
        "Account 111122223333 · eu-central-1 · nothing has been changed",
        "",
        "  !  Sessions-prod  both names hold data                                 rule 8",
        "     2 items are only in Sessions",
        "     → dataware explain 8",
        "  >  Waitlist-prod  copy from Waitlist                                   rule 3",
        "                    about 78 items, 7.8 kB, ~2 s, less than $0.01",
        "  +  new            new                                                  rule 5",
        "  1 unchanged (show with --all)",
    ]


@pytest.mark.parametrize("copies", [0, 1, 130])
@pytest.mark.parametrize("name", [12, 40, LONGEST_BUCKET, LONGEST_TABLE])
def test_a_change_has_two_lines_at_most_and_all_that_stays_has_one(copies: int, name: int) -> None:
    """130 resources at 80 columns, whatever the length of their names."""
    changes = [migration(f"{number:03}-".ljust(name - 5, "n")) for number in range(copies)]
    rest = [one(Action.KEEP, f"k{number}") for number in range(130 - copies)]
    _heading, _space, *lines = digest(plan_of(*changes, *rest))
    assert len(lines) <= 2 * copies + (1 if rest else 0)
    assert all(cell_len(line) <= 80 for line in lines)
    assert sum(line.startswith("  >  ") for line in lines) == copies
    if rest:
        assert lines[-1] == f"  {130 - copies} unchanged (show with --all)"


def test_what_needs_a_person_comes_before_what_changes() -> None:
    """Stops, losses, warnings of the plan, allowed losses, warned resources, then changes."""
    stop = one(Action.STOP, "bad")
    guard = (threat("lost"), threat("let-go", allowed=True))
    plan = plan_of(migration(), warned(), stop, warnings=("shared",), guard=guard)
    marked = [line.split()[:2] for line in digest(plan) if line[2:3] in "x!>+" and line[2:3]]
    assert marked == [
        ["x", "bad"],
        ["x", "lost"],
        ["!", "shared"],
        ["!", "let-go"],
        ["!", "twin"],
        [">", "Waitlist-prod"],
    ]


@pytest.mark.parametrize(
    ("warning", "command"),
    [("has a twin", True), ("has a twin; run `dataware verify a b`", False)],
)
def test_a_warning_is_followed_by_one_command(warning: str, command: bool) -> None:
    """One that names its command itself gets no second one."""
    lines = digest(plan_of(warned("twin", warning)))
    assert ("     → dataware explain 5" in lines) is command


def test_what_exists_and_is_empty_changes_nothing() -> None:
    """It is used as it is, so it is no new resource."""
    there = Facts("used", Existence.EXISTS, Content.EMPTY)
    used = one(Action.CREATE, "used")
    plan = plan_of(Planned(used.wanted, there, (), used.decision))
    assert digest(plan)[-1] == "  1 unchanged (show with --all)"
    told = plan_summary(plan, lambda of_type: load(of_type).unit)
    assert told.text() == "Plan: 1 unchanged"


@pytest.mark.parametrize(
    ("fallback", "words"),
    [
        (absent("old"), "new, nothing found under either name"),
        (Facts("old", Existence.EXISTS, Content.EMPTY), "new, old is empty"),
        (Facts("old"), "new; not every older name could be seen"),
    ],
)
def test_a_new_resource_says_what_was_found(fallback: Facts, words: str) -> None:
    """What could not be seen is never told as not found."""
    new = one(Action.CREATE, "new")
    wanted = Wanted("App/new", BUCKET, "new", ("old",))
    (line,) = digest(plan_of(Planned(wanted, absent("new"), (fallback,), new.decision)))[2:]
    assert words in line


def test_one_of_several_older_names_is_called_any() -> None:
    """Either is one of two."""
    new = one(Action.CREATE, "new")
    wanted = Wanted("App/new", BUCKET, "new", ("old", "older"))
    planned = Planned(wanted, absent("new"), (absent("old"), absent("older")), new.decision)
    (line,) = digest(plan_of(planned))[2:]
    assert "new, nothing found under any of its names" in line


def test_what_a_stack_takes_by_its_id_is_told_as_adopted() -> None:
    """It is a change of the stack, so it is not only there."""
    there = one(Action.IMPORT, "users")
    adopted = replace(there, decision=replace(there.decision, by_id=True))
    (line,) = digest(plan_of(adopted))[2:]
    assert line.startswith("  >  users  adopted by its id")


@settings(max_examples=40, deadline=None)
@given(nasty_plans(2), st.sampled_from([20, 40, 59, 60, 80, 100, 240]))
def test_nothing_crosses_the_edge(plan: Plan, width: int) -> None:
    """Whatever stands in a plan, each line is printable and no wider than the window."""
    for line in digest(plan, width):
        assert line.isprintable()
        assert cell_len(line) <= width


@settings(max_examples=20, deadline=None)
@given(nasty_plans(2))
def test_a_pipe_gets_each_line_whole(plan: Plan) -> None:
    """Names and sentences are neither shortened nor broken where there is no edge."""
    text = "\n".join(digest(plan, None))
    assert "…" not in text or "…" in str(shown_plan(plan))


def test_of_a_very_large_plan_the_rest_is_counted() -> None:
    """What is not shown is told, and where it is."""
    lines = digest(plan_of(*(migration(f"t{number}") for number in range(700))))
    assert lines[-1] == "  200 more resources: `--format json` and `--out FILE` have them all"
    assert digest(plan_of(*many(10_000)))[-1] == "  9,997 unchanged (show with --all)"


def test_a_plain_output_gets_plain_characters() -> None:
    """No sign that a plain output could not show."""
    assert "\n".join(digest(plan_of(twin(), migration("n" * 70)), ascii=True)).isascii()


def test_a_terminal_shows_the_short_form_between_empty_lines() -> None:
    """The sum follows behind it."""
    stream = io.StringIO()
    with TerminalRenderer(stream) as render:
        render(plan_summary(plan_of(migration()), lambda _type: "item"))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines == [
        "",
        *digest(plan_of(migration())),
        "",
        "ℹ️  Plan: 1 to copy.  ~2 s, less than $0.01",
    ]
