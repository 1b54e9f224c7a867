"""On a terminal the lines of decisions are left to the plan that follows them."""

from __future__ import annotations

from dataware.core.events import Event, event
from dataware.report.brief import NEEDED_IN_LOGS, PLAN, RepetitionFilter, without_decisions
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


def test_a_log_keeps_what_people_search_it_for() -> None:
    """Stops, what a guard says and warnings have their line, also where a plan shows them."""
    stop = event("stopped", name="b", rule=9, reason="it is gone")
    mine = event("warning", text="a twin", name="b")
    new = event("creating", noun="S3 bucket", name="b")
    codes: list[str] = []
    emit = without_decisions(lambda happened: codes.append(happened.code), keeps=NEEDED_IN_LOGS)
    for happened in (stop, mine, new):
        emit(happened)
    assert codes == ["stopped", "warning"]


def test_a_command_of_several_parts_tells_of_a_look_and_a_file_once() -> None:
    """Each region and each file; what else happens twice is told twice."""
    first, region = RepetitionFilter(), {"count": 2, "account": "1"}
    codes: list[str] = []
    for _ in range(2):
        emit = first.over(lambda happened: codes.append(happened.code))
        emit(event("looking", region="eu-west-1", **region))
        emit(event("looking", region="eu-west-3", **region))
        emit(event("saved", what="the decisions", path="dataware.lock.json"))
        emit(event("note", text="twice"))
    assert codes == ["looking", "looking", "saved", "note", "note"]
