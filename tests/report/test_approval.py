"""The boxes of a plan say what happens, what is at risk and what to do, and never too much."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from dataware.core.estimate import Estimate
from dataware.core.model import Action, Content, Existence, Facts, ImportMode
from dataware.core.plan import Plan, copies
from dataware.report.approval import BAD, GOOD, NOT_INCLUDED, NOTE, WARN, ApprovalBox, plan_boxes
from support.plans import migration, nasty_plans, one, payload, plan_of, threat, warned


def boxes(plan: Plan) -> tuple[ApprovalBox, ...]:
    """The boxes of a plan on what happens, what is at risk and what to do."""
    return plan_boxes(payload(plan))[:3]


def terms(plan: Plan) -> tuple[ApprovalBox, ...]:
    """The boxes of a plan on its cost and on how long it holds."""
    return plan_boxes(payload(plan))[3:]


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


def test_a_copy_without_a_promised_time_is_not_told_as_quick() -> None:
    """Nobody is asked to approve 0 seconds."""
    open_end = Estimate(78, 7800, 0, 1.5, False)
    happens, *_ = boxes(plan_of(replace(migration(), estimate=open_end)))
    assert happens.lines[1] == "Size: about 78 items, 7.8 kB; no time promised, $1.50."


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
        risk = plan_boxes(data)[1]
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
    happens, risk, todo = boxes(plan_of(warned("twin"), one(Action.KEEP, "kept")))
    assert happens.lines == ("1 resource stays unchanged.",)
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
def test_every_plan_has_five_answers(plan: Plan) -> None:
    """None is empty; a plan with a stop is neither without risk nor ready for an approval."""
    answers = plan_boxes(payload(plan))
    assert [box.title for box in answers[3:]] == ["What does it cost?", "Approve by"]
    assert len(answers) == 5
    assert all(box.lines and all(box.lines) for box in answers)
    if plan.losses:
        assert answers[1].tone == BAD
    if plan.stops or plan.losses:
        assert answers[0].lines[0].startswith("Nothing, until ")
        assert answers[4].lines[0].startswith("Do not approve this plan")
    unknown = any(one.estimate is None for one in copies(plan))
    assert (answers[3].tone == GOOD) == (not copies(plan))
    assert any(line.startswith("Unknown for ") for line in answers[3].lines) == unknown


def of_cost(usd: float, *, at_least: bool = False) -> Plan:
    """A plan of one copy that is estimated to cost so much."""
    planned = migration()
    return plan_of(replace(planned, estimate=Estimate(78, 7800, 2, usd, True, at_least)))


def test_the_cost_is_told_with_its_prices_and_what_goes_on_costing() -> None:
    """An amount, whose prices, and that both copies are billed; cents are not spelled out."""
    prices = "list prices of eu-central-1, 2026-11"
    for usd, amount in ((0.0002, "Less than $0.01"), (12.345, "About $12.35")):
        cost, _ = terms(of_cost(usd))
        assert cost == ApprovalBox(
            "What does it cost?", NOTE, (f"{amount} to copy and verify, at {prices}.", NOT_INCLUDED)
        )


def test_a_cost_that_nobody_could_count_is_never_told_as_small() -> None:
    """A lower bound says so, and a copy of unknown size is unknown: both want a look."""
    for usd, amount in ((0.0, "Less than $0.01 for what was counted"), (3.0, "At least $3.00")):
        cost, _ = terms(of_cost(usd, at_least=True))
        assert cost.tone == WARN
        assert cost.lines[0].startswith(f"{amount} to copy and verify, and there is more")
    cost, _ = terms(plan_of(migration(), replace(migration("Hidden"), estimate=None)))
    assert cost.tone == WARN
    assert "Unknown for 1 copy: there is no estimate." in cost.lines
    cost, _ = terms(plan_of(one(Action.CREATE, "new")))
    assert cost.tone == GOOD
    assert cost.lines == ("No data is copied, so nothing is charged for a copy.",)


def test_an_approval_has_no_deadline_but_a_moment() -> None:
    """A plan shows what was there when it was made, and is refused if that has changed."""
    _, approve = terms(plan_of(migration()))
    assert approve.tone == NOTE
    assert approve.lines == (
        "No deadline: a plan does not expire.",
        "It shows what was there at 2026-11-24 18:00:00 UTC. If that has changed, "
        "`dataware apply` refuses and changes nothing.",
        "The amount of data may have grown; then time and cost grow with it.",
    )
    _, approve = terms(plan_of(migration(), one(Action.STOP, "bad")))
    assert (approve.tone, approve.lines[0][:24]) == (BAD, "Do not approve this plan")
    _, approve = terms(plan_of(one(Action.KEEP, "kept")))
    assert (approve.tone, approve.lines[0]) == (GOOD, "There is nothing to approve.")
