"""The boxes of a plan say what happens, what is at risk and what to do, and never too much."""

from __future__ import annotations

from hypothesis import given, settings

from dataware.core.model import Action, Content, Existence, Facts, ImportMode
from dataware.core.plan import Plan
from dataware.report.approval import BAD, GOOD, NOTE, WARN, ApprovalBox, plan_boxes
from support.plans import migration, nasty_plans, one, payload, plan_of, threat, warned


def boxes(plan: Plan) -> tuple[ApprovalBox, ...]:
    """The boxes of a plan."""
    return plan_boxes(payload(plan))


def test_a_copy_is_told_with_its_size_and_what_to_do() -> None:
    """How many, how much, how long; that sources are only read; and the command."""
    happens, risk, todo = boxes(plan_of(migration(), one(Action.KEEP, "kept")))
    assert happens.lines == (
        "1 resource will be copied: Waitlist-prod.",
        "Size: about 78 items, 7.8 kB; about 2 s, less than $0.01.",
        "1 resource stays unchanged.",
    )
    assert (risk.tone, risk.lines[0]) == (GOOD, "No known risk.")
    assert "Sources are only read. Every copy is compared with its source." in risk.lines
    assert (happens.tone, todo.tone) == (NOTE, NOTE)
    assert todo.lines[-1] == "If you agree, apply the saved plan with `dataware apply`."


def test_stops_and_losses_come_before_everything() -> None:
    """Nothing happens while anything is stopped, and each is named."""
    guard = (threat("orders"), threat("logs", allowed=True))
    happens, risk, todo = boxes(plan_of(migration(), one(Action.STOP, "bad"), guard=guard))
    assert happens.lines[0] == "Nothing, until 2 stops are resolved."
    assert risk.lines == (
        "A deployment would lose orders. dataware blocks it.",
        "A deployment may lose logs, because that was allowed.",
    )
    assert todo.lines[:2] == (
        "Resolve bad: see `dataware explain 5`.",
        "Keep orders in its stack, or allow the loss.",
    )
    assert {happens.tone, risk.tone, todo.tone} == {BAD}


def test_data_that_was_lost_before_is_never_told_as_safe() -> None:
    """A stop of the rules that found data gone is an answer of its own."""
    for rule in (6, 7, 9):
        stop = one(Action.STOP, "bad")
        data = payload(plan_of(stop))
        data["plan"]["resources"][0]["rule"] = rule
        (_, risk, _) = plan_boxes(data)
        assert risk.tone == BAD
        assert risk.lines[0].startswith("Data may have been lost before: ")


def test_what_nobody_could_read_is_unknown() -> None:
    """A name without an answer, or whose content is unknown, is no "no"."""
    for unseen in (
        Facts("hidden", Existence.UNKNOWN, Content.UNKNOWN),
        Facts("hidden", Existence.EXISTS, Content.UNKNOWN),
    ):
        planned = one(Action.CREATE, "new")
        plan = plan_of(
            type(planned)(planned.wanted, planned.preferred, (unseen,), planned.decision)
        )
        (_, risk, _) = boxes(plan)
        assert (risk.tone, risk.lines[0]) == (
            WARN,
            "Unknown for hidden: not everything could be read.",
        )


def test_a_warning_is_a_decision_to_take() -> None:
    """A resource that goes on with a warning is named in both answers."""
    _, risk, todo = boxes(plan_of(warned("twin")))
    assert (risk.tone, todo.tone) == (WARN, WARN)
    assert "Read the warning on twin." in risk.lines
    assert "Decide about twin." in todo.lines


def test_nothing_to_do_is_told_as_such() -> None:
    """A plan that only keeps what is there asks for nothing."""
    kept = one(Action.KEEP, "kept", import_mode=ImportMode.ADOPT)
    happens, risk, todo = boxes(plan_of(kept))
    assert happens.lines == ("1 resource stays unchanged.",)
    assert risk.lines == ("No known risk.", "No data is copied.")
    assert (todo.tone, todo.lines) == (GOOD, ("Nothing.",))


@settings(max_examples=50)
@given(nasty_plans(4))
def test_every_plan_has_three_answers(plan: Plan) -> None:
    """None is empty; a plan with a stop never says that there is no known risk of a loss."""
    answers = boxes(plan)
    assert len(answers) == 3
    assert all(box.lines and all(box.lines) for box in answers)
    if plan.losses:
        assert answers[1].tone == BAD
    if plan.stops or plan.losses:
        assert answers[0].lines[0].startswith("Nothing, until ")
