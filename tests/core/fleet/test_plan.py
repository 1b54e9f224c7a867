"""The plan of a fleet: one document with one hash, one exit code, one matrix."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dataware.core.errors import InputError
from dataware.core.fleet.matrix import FleetMatrix, TargetState, matrix_of
from dataware.core.fleet.plan import FleetPlan, TargetPlan, hash_of
from dataware.core.fleet.waves import WaveSettings
from dataware.core.model import Action, Existence
from support.fleets import TWO, planned, target, target_plan

READY = target_plan(target("a"), planned("x-a", logical_id="X"))
STOPPED = target_plan(target("s", TWO), planned("x-s", Action.STOP, logical_id="X"))
UNKNOWN = TargetPlan(target("u", TWO, "us-east-1"), None, "the role cannot be assumed", 1)
REFUSED = TargetPlan(target("r", TWO, "us-east-1"), None, "any doubt is a stop", 3)
MADE = "2026-11-01T12:00:00+00:00"


def fleet(*targets: TargetPlan, **more: object) -> FleetPlan:
    """The plan of some targets."""
    return FleetPlan(MADE, targets, **more)  # type: ignore[arg-type] # as the test says


def test_a_plan_survives_its_file() -> None:
    """All of it, with what could not be looked into and why."""
    plan = fleet(READY, UNKNOWN, waves=WaveSettings(3, 1, "a"), conflicts=("two want x",))
    text = json.dumps(plan.to_json())
    again = FleetPlan.from_json(json.loads(text))
    assert (again.waves, again.conflicts) == (plan.waves, plan.conflicts)
    assert again.unknown == plan.unknown
    assert json.dumps(again.to_json()) == text


@pytest.mark.parametrize(
    "change",
    [
        {"conflicts": []},
        {"waves": {"max_concurrent": 99, "tolerance": 9, "canary": None}},
        {"targets": []},
        {"created": "2020-01-01T00:00:00+00:00"},
    ],
)
def test_a_plan_that_was_changed_is_refused(change: dict[str, object]) -> None:
    """The hash is over all targets and settings, so that no part is exchanged."""
    data = {**fleet(READY, conflicts=("two want x",)).to_json(), **change}
    with pytest.raises(InputError, match="changed after it was made"):
        FleetPlan.from_json(data)


def test_a_plan_of_another_place_than_its_target_is_refused() -> None:
    """Also with a hash that somebody made anew."""
    moved = replace(READY, target=replace(READY.target, region="us-east-1"))
    with pytest.raises(InputError, match="is not of"):
        FleetPlan.from_json(fleet(moved).to_json())


@pytest.mark.parametrize("data", [[], {}, {"targets": [], "version": 2}, {"targets": 1}])
def test_what_is_no_plan_of_a_fleet_is_refused(data: object) -> None:
    """Also a plan of one target."""
    with pytest.raises(InputError, match="make it again with `dataware fleet plan"):
        FleetPlan.from_json(data)


def test_damaged_targets_are_an_error_and_no_crash() -> None:
    """Whatever a file holds, with a hash that fits."""
    whole = fleet(READY).to_json()
    for broken in ({}, {"target": None}, {**whole["targets"][0], "plan": {}}, "x"):
        data = {**{k: v for k, v in whole.items() if k != "hash"}, "targets": [broken]}
        with pytest.raises(InputError):
            FleetPlan.from_json({**data, "hash": hash_of(data)})


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (fleet(READY), 0),
        (fleet(READY, UNKNOWN), 1),
        (fleet(READY, UNKNOWN, STOPPED), 3),
        (fleet(READY, conflicts=("two want x",)), 3),
        (fleet(READY, replace(UNKNOWN, exit_code=4)), 4),
    ],
)
def test_the_exit_code_is_the_worst_of_all(plan: FleetPlan, code: int) -> None:
    """What nobody could look into is never success."""
    assert plan.exit_code == code


def test_the_matrix_says_of_every_target_what_is_known() -> None:
    """Unknown is a word of its own, and absent resources are no decision."""
    other = target_plan(target("o"), planned("y", Action.KEEP, logical_id="Y"))
    matrix = matrix_of(fleet(READY, STOPPED, UNKNOWN, other))
    assert matrix.resources == ("X", "Y")
    assert [(row.target, dict(row.actions), row.state) for row in matrix.rows] == [
        ("a", {"X": "create"}, "ready"),
        ("s", {"X": "stop"}, "1 stop"),
        ("u", {}, "unknown"),
        ("o", {"Y": "keep"}, "nothing to do"),
    ]
    assert FleetMatrix.from_json(json.loads(json.dumps(matrix.to_json()))) == matrix
    assert [row.counts for row in matrix.rows] == ["1 create", "1 stop", "unknown", "1 keep"]


def test_what_stands_already_is_not_counted_as_created() -> None:
    """An empty log group is used as it is, though the rule is that of a creation."""
    made = planned("y", Action.CREATE, logical_id="Y")
    stands = replace(made, preferred=replace(made.preferred, existence=Existence.EXISTS))
    (row,) = matrix_of(fleet(target_plan(target("o"), stands))).rows
    assert (row.counts, row.state) == ("1 import", "nothing to do")


def test_the_matrix_of_a_run_says_how_far_each_target_is() -> None:
    """The state of a run stands in place of that of the plan."""
    rows = matrix_of(fleet(READY), {"a": TargetState.NOT_STARTED}).rows
    assert [row.state for row in rows] == ["not started"]


def test_what_was_looked_into_and_refused_is_stopped_and_not_unknown() -> None:
    """Under --strict a plan is refused as a whole, though everything of it was seen."""
    plan = fleet(READY, REFUSED, UNKNOWN)
    assert plan.unknown == (UNKNOWN,)
    assert plan.stops == (REFUSED,)
    assert plan.exit_code == 3
    states = {row.target: (row.state, row.counts) for row in matrix_of(plan).rows}
    assert states["r"] == ("stopped", "stopped")
    assert states["u"] == ("unknown", "unknown")
