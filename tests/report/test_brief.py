"""On a terminal the lines of decisions are left to the plan that follows them."""

from __future__ import annotations

from dataware.core.events import Event, event
from dataware.report.brief import PLAN, without_decisions
from dataware.report.summary import plan_summary
from support.plans import migration, plan_of


def heard(*events: Event) -> list[str]:
    """The codes that a display hears of."""
    told: list[str] = []
    emit = without_decisions(lambda happened: told.append(happened.code))
    for happened in events:
        emit(happened)
    return told


def test_decisions_are_told_by_the_plan_and_by_what_carries_it_out() -> None:
    """Before the plan they would be told twice; afterwards each is a step."""
    new = event("creating", noun="S3 bucket", name="b")
    plan = plan_summary(plan_of(migration()), lambda _type: "item")
    assert heard(new, plan, new) == ["plan", "creating"]


def test_a_warning_of_a_resource_or_of_the_plan_stands_in_the_plan() -> None:
    """Any other is told at once."""
    mine = event("warning", text="a twin", name="b")
    whole = event("warning", text="shared", about=PLAN)
    other = event("warning", text="no record is kept")
    assert heard(mine, whole, other) == ["warning"]
