"""A fleet is planned all at once and applied in waves, each target as if it were alone."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dataware.core.errors import IncompleteError, LookupFailedError, RefusedError
from dataware.core.events import Event
from dataware.core.fleet.matrix import TargetState
from dataware.core.fleet.plan import FleetPlan, TargetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.fleet.waves import WaveSettings
from dataware.core.model import Action
from dataware.core.plan import Plan
from dataware.ops.fleet import MOST_AT_ONCE, FleetRun, apply_in_waves, plan_targets
from support.copying import Events
from support.fleets import planned, target, target_plan

SECONDS = 60.0


def plan_of(place: FleetTarget) -> Plan:
    """A plan with one resource to create."""
    plan = target_plan(place, planned(f"x-{place.name}", logical_id="X")).plan
    assert plan is not None
    return plan


def fleet(count: int, region: Callable[[int], str] = lambda _n: "eu-west-1") -> FleetPlan:
    """The plan of some targets, each with something to do."""
    places = [target(f"t{n}", region=region(n)) for n in range(count)]
    return FleetPlan("now", tuple(TargetPlan(one, plan_of(one)) for one in places))


def run(
    plan: FleetPlan,
    apply: Callable[[TargetPlan], None],
    settings: WaveSettings,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[FleetRun, Events]:
    """Apply a fleet, and what was told of it."""
    events = Events()
    return apply_in_waves(plan, settings, apply, events, stop), events


def test_all_targets_are_looked_at_at_the_same_time() -> None:
    """None waits for another, up to the bound."""
    barrier = threading.Barrier(MOST_AT_ONCE)

    def look(place: FleetTarget) -> Plan:
        barrier.wait(SECONDS)
        return plan_of(place)

    places = [target(f"t{n}") for n in range(MOST_AT_ONCE)]
    plans = plan_targets(places, look, Events())
    assert [one.target for one in plans] == places
    assert all(one.plan for one in plans)


def test_never_more_than_the_bound_are_looked_at_together() -> None:
    """A fleet of hundreds does not open hundreds of accounts at a time."""
    lock, now, most = threading.Lock(), [0], [0]

    def look(place: FleetTarget) -> Plan:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        made = plan_of(place)
        with lock:
            now[0] -= 1
        return made

    plan_targets([target(f"t{n}") for n in range(100)], look, Events())
    assert most[0] <= MOST_AT_ONCE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LookupFailedError("cannot assume role r"), 1),
        (RefusedError("wrong region"), 3),
        (IncompleteError("asked to stop"), 4),
        (ZeroDivisionError("a defect"), 1),
    ],
)
def test_a_target_that_cannot_be_looked_into_is_unknown_and_alone(
    error: Exception, code: int
) -> None:
    """The others are planned; why this one has no plan is said."""

    def look(place: FleetTarget) -> Plan:
        if place.name == "bad":
            raise error
        return plan_of(place)

    events = Events()
    plans = plan_targets([target("a"), target("bad"), target("c")], look, events)
    assert [one.plan is None for one in plans] == [False, True, False]
    assert (plans[1].exit_code, str(error) in plans[1].problem) == (code, True)
    assert FleetPlan("now", plans).exit_code == code
    assert ("target-stopped" if code == 3 else "target-unknown") in events.codes


def test_the_canary_is_complete_before_any_other_begins() -> None:
    """And what fails in it ends the run, whatever is tolerated."""
    begun: list[str] = []

    def apply(one: TargetPlan) -> None:
        begun.append(one.target.name)
        raise LookupFailedError("denied")

    done, _ = run(fleet(4), apply, WaveSettings(4, tolerance=10, canary="t2"))
    assert begun == ["t2"]
    assert done.exit_code == 1
    assert [str(one) for one in done.states.values()] == [
        "not started",
        "not started",
        "failed",
        "not started",
    ]


def test_a_wave_goes_on_side_by_side_and_no_wider() -> None:
    """The waves of the bound wait for each other; a barrier per wave shows both."""
    barrier = threading.Barrier(3)

    def apply(one: TargetPlan) -> None:
        if one.target.name != "t0":
            barrier.wait(SECONDS)

    done, events = run(fleet(7), apply, WaveSettings(3))
    assert set(done.states.values()) == {TargetState.DONE}
    assert events.codes.count("wave") == 3


@pytest.mark.parametrize(
    ("error", "next_step"),
    [
        (RefusedError("out of date"), "make a new plan and apply it"),
        (LookupFailedError("denied"), "run the same command again"),
    ],
)
def test_a_canary_that_fails_is_named_and_the_way_on_is_one_that_helps(
    error: Exception, next_step: str
) -> None:
    """Failures that are tolerated are those of the others; a refused plan is refused again."""

    def apply(_one: TargetPlan) -> None:
        raise error

    done, events = run(fleet(3), apply, WaveSettings(2, tolerance=3))
    assert "canary-failed" in events.codes
    assert "waves-stopped" not in events.codes
    assert f"see the reasons above, and {next_step}: what is" in str(done.error)


@pytest.mark.parametrize(("tolerance", "begun"), [(0, 3), (1, 5), (2, 7)])
def test_no_further_wave_begins_once_too_many_have_failed(tolerance: int, begun: int) -> None:
    """One target of each wave fails, the canary not."""
    seen: list[str] = []

    def apply(one: TargetPlan) -> None:
        seen.append(one.target.name)
        if int(one.target.name[1:]) in {1, 3, 5}:
            raise RefusedError("out of date")

    done, events = run(fleet(9), apply, WaveSettings(2, tolerance))
    assert len(seen) == begun
    assert ("waves-stopped" in events.codes) is True
    assert done.exit_code == 3
    assert list(done.states.values()).count(TargetState.NOT_STARTED) == 9 - begun


def test_a_run_that_is_asked_to_stop_begins_no_further_wave_and_can_go_on() -> None:
    """Exit code 4: the same command continues it."""
    seen: list[str] = []

    def apply(one: TargetPlan) -> None:
        seen.append(one.target.name)

    done, _ = run(fleet(5), apply, WaveSettings(2), stop=lambda: bool(seen))
    assert seen == ["t0"]
    assert done.exit_code == 4
    again, _ = run(fleet(5), apply, WaveSettings(2))
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (RefusedError("no"), TargetState.REFUSED, 3),
        (IncompleteError("later"), TargetState.INCOMPLETE, 4),
        (LookupFailedError("denied"), TargetState.FAILED, 1),
        (KeyError("a defect"), TargetState.FAILED, 1),
    ],
)
def test_how_a_target_ended_is_told(error: Exception, state: TargetState, code: int) -> None:
    """By its exit code, as if it had been applied alone."""

    def apply(_one: TargetPlan) -> None:
        raise error

    done, events = run(fleet(1), apply, WaveSettings())
    assert (done.states["t0"], done.exit_code) == (state, code)
    assert "target-failed" in events.codes


def bad_plans() -> list[tuple[FleetPlan, str]]:
    """Plans of which nothing may be applied, and what is said then."""
    good = fleet(2)
    stopped = target_plan(target("s"), planned("x", Action.STOP))
    unknown = TargetPlan(target("u"), None, "denied", 1)
    made = good.created
    return [
        (FleetPlan(made, (*good.targets, stopped)), "because of s: a stop holds"),
        (FleetPlan(made, (*good.targets, unknown)), "because of u: it could not be looked into"),
        (
            FleetPlan(made, (stopped, unknown)),
            "because of s: a stop holds; because of u: it could not be looked into; plan again, or "
            "leave them out",
        ),
        (FleetPlan(made, good.targets, conflicts=("t0 and t1 want x",)), "t0 and t1 want x"),
    ]


@pytest.mark.parametrize(("plan", "said"), bad_plans())
def test_nothing_is_applied_of_a_plan_with_a_stop_a_conflict_or_a_gap(
    plan: FleetPlan, said: str
) -> None:
    """No target is begun; a person leaves the bad one out, and says so."""
    begun: list[TargetPlan] = []
    with pytest.raises(RefusedError, match=said):
        run(plan, begun.append, WaveSettings())
    assert begun == []


def test_a_reason_that_targets_share_is_told_once_and_a_refusal_is_a_stop() -> None:
    """With all of their names; one that is alone in its reason is told by itself."""
    told: list[Event] = []
    errors = {"a": LookupFailedError("no route"), "b": LookupFailedError("no route")}
    errors |= {"c": LookupFailedError("no role"), "d": RefusedError("any doubt is a stop")}

    def fail(one: FleetTarget) -> Plan:
        raise errors[one.name]

    plans = plan_targets([target(name) for name in errors], fail, told.append)
    assert [(one.code, one.text()) for one in told] == [
        ("targets-unknown", "2 targets are unknown (a, b): no route"),
        ("target-unknown", "Target c is unknown: no role"),
        ("target-stopped", "Target d is stopped: any doubt is a stop"),
    ]
    assert [(one.problem, one.exit_code, one.is_refused) for one in plans] == [
        ("no route", 1, False),
        ("no route", 1, False),
        ("no role", 1, False),
        ("any doubt is a stop", 3, True),
    ]
