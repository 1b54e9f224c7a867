"""The last line of a plan."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.estimate import Estimate
from dataware.core.model import Action, Decision, Wanted, absent
from dataware.core.plan import Plan, Planned
from dataware.kinds import load
from dataware.report.summary import (
    Totals,
    effort_in_words,
    money,
    plan_summary,
    price_notes,
    question_of,
    shown_plan,
)
from support.plans import BUCKET, PRICES, TABLE, migration, plan_of, threat, warned


def planned(cfn_type: str, action: Action, estimate: Estimate | None = None) -> Planned:
    """One resource with that decision."""
    wanted = Wanted("id", cfn_type, "name")
    return Planned(wanted, absent("name"), (), Decision(action, 1, "why"), estimate)


def unit_of(cfn_type: str) -> str:
    """The unit of data of a type."""
    return load(cfn_type).unit


def summary(*resources: Planned) -> str:
    """The summary of a plan of those resources."""
    return plan_summary(plan_of(*resources), unit_of).text()


def test_a_summary_counts_actions_and_effort() -> None:
    """What changes comes first, what stays is one number, and copies take time and money."""
    assert (
        summary(
            planned(BUCKET, Action.CREATE),
            planned(TABLE, Action.MIGRATE, Estimate(78, 1900, 2, 0.0002, True)),
            planned(BUCKET, Action.RESUME, Estimate(5000, 100, 60, 0.02, True)),
            planned(BUCKET, Action.IMPORT),
        )
        == "Plan: 1 to resume, 1 to copy, 1 to create, 1 unchanged.  ~1 min 2 s, $0.02"
    )


def test_a_copy_for_which_nobody_promises_a_time_has_no_seconds() -> None:
    """Alone there is no time to show, and beside others a lower bound; nothing to copy takes 0."""
    ended = Estimate(5000, 100, 60, 0.02, True)
    open_end = Estimate(78, 1900, 0, 1.5, True)
    nothing = Estimate(0, 0, 0, 0.0, True)

    def effort(*estimates: Estimate) -> str:
        copied = [planned(TABLE, Action.MIGRATE, one) for one in estimates]
        return summary(*copied).partition(".  ")[2]

    assert effort(open_end) == "no time promised, $1.50"
    assert effort(ended, open_end) == "at least 1 min, $1.52"
    assert effort(nothing).startswith("~0 s, ")
    assert effort_in_words(0, 1.5) == "no time promised, $1.50"
    assert (effort_in_words(60, 0.0), effort_in_words(0, 0.0)) == ("1 min, $0.00", "")


def test_an_adoption_by_id_is_a_change() -> None:
    """It changes the stack, so it is counted and asked about; one by the deployment is not."""
    one = planned(TABLE, Action.IMPORT)
    by_id = replace(one, decision=replace(one.decision, by_id=True))
    assert summary(one, by_id) == "Plan: 1 to adopt by id, 1 unchanged"
    assert question_of(plan_of(one, by_id), unit_of) == "Let stacks adopt 1 resource by id?"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (plan_of(warned()), "Plan: 1 needs your attention"),
        (plan_of(warned("a"), warned("b")), "Plan: 2 need your attention"),
        (plan_of(warnings=("shared",)), "Plan: 1 needs your attention"),
        (plan_of(guard=(threat(allowed=True),)), "Plan: 1 needs your attention"),
    ],
    ids=["one", "two", "plan", "allowed loss"],
)
def test_a_summary_counts_what_needs_attention(plan: Plan, words: str) -> None:
    """Warnings of resources, of the plan as a whole, and losses that somebody allowed."""
    told = plan_summary(plan, unit_of)
    assert told.text() == words
    assert told.data["attention"] == plan.attention > 0


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ((migration(),), "Copy 1 resource (about 78 items, 7.8 kB, less than $0.01)?"),
        (
            (migration(), migration("Orders"), planned(BUCKET, Action.CREATE)),
            "Copy 2 resources (about 156 items, 15.6 kB, less than $0.01) and create 1 resource?",
        ),
        ((planned(BUCKET, Action.CREATE), warned()), "Create 1 resource?"),
        ((planned(TABLE, Action.MIGRATE),), "Copy 1 resource (of unknown size)?"),
    ],
    ids=["copy", "both", "create", "unseen"],
)
def test_a_question_says_what_would_be_changed(resources: tuple[Planned, ...], words: str) -> None:
    """How many resources, how much, and what it costs."""
    assert question_of(plan_of(*resources), unit_of) == words


def test_a_stop_is_not_counted_twice() -> None:
    """What a stopped resource warns of is part of its stop."""
    stopped = planned(BUCKET, Action.STOP)
    stopped = replace(stopped, decision=replace(stopped.decision, warnings=("unread",)))
    assert plan_of(stopped).attention == 0
    assert summary(stopped) == "Plan: 1 stopped"


def test_a_summary_says_what_is_only_estimated_and_what_was_not_seen() -> None:
    """Sizes of the service's own counting are "about", and an unseen size is no zero."""
    inexact = planned(TABLE, Action.MIGRATE, Estimate(78, 1900, 2, 0.0002, False))
    unseen = planned(TABLE, Action.RESUME)
    assert Totals.of(plan_of(inexact), unit_of).size == "about 78 items, 1.9 kB"
    assert "; 1 copy of unknown size" in summary(inexact, unseen)
    assert summary(unseen, unseen).endswith(".  2 copies of unknown size")


def test_a_summary_without_copies_names_no_effort() -> None:
    """Nothing to copy costs nothing and is not mentioned."""
    assert summary(planned(BUCKET, Action.STOP)) == "Plan: 1 stopped"


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**12)), max_size=5))
def test_totals_are_the_sums_of_the_copies(sizes: list[tuple[int, int]]) -> None:
    """Nothing is counted twice and nothing is lost."""
    copies = [
        planned(TABLE, Action.MIGRATE, Estimate(items, size, items, 0.5, True))
        for items, size in sizes
    ]
    totals = Totals.of(plan_of(*copies, planned(TABLE, Action.KEEP)), unit_of)
    assert totals.items.get("item", 0) == totals.seconds == sum(items for items, _ in sizes)
    assert totals.bytes == sum(size for _, size in sizes)
    assert (totals.usd, totals.unseen) == (0.5 * len(sizes), 0)


def test_prices_of_another_region_are_told() -> None:
    """Whoever plans elsewhere learns that the money may differ; here nothing is said."""
    plan = plan_of(migration())
    assert list(price_notes(plan)) == []
    (note,) = price_notes(replace(plan, region="ap-southeast-2"))
    assert "list prices of eu-central-1, 2026-11" in note
    assert "ap-southeast-2" in note
    assert list(price_notes(replace(plan, region="x", resources=()))) == []


def test_prices_that_a_file_left_out_are_told() -> None:
    """A file that covers a part says for what list prices stand in."""
    prices = replace(PRICES, source="p.json", filled=("s3.get",))
    (note,) = price_notes(plan_of(migration(), prices=prices))
    assert note == "p.json names no price for s3.get: list prices count"


def test_what_is_shown_of_a_plan_holds_no_properties() -> None:
    """The properties that an app declares stay in the plan file."""
    plan = plan_of(migration())
    assert "hush" in str(plan.to_json())
    shown = shown_plan(plan)
    assert "hush" not in str(shown)
    assert Plan.to_json(plan).keys() == shown.keys()


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0.00"),
        (0.00001, "less than $0.01"),
        (0.0099, "less than $0.01"),
        (0.0129, "$0.01"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money(usd: float, text: str) -> None:
    """Small amounts keep their digits."""
    assert money(usd) == text
