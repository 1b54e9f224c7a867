"""The matrix of a fleet on a terminal of any width, and as documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.fleet.cross_checks import FindingKind, FleetFinding
from dataware.core.fleet.matrix import FleetMatrix, MatrixRow, matrix_of
from dataware.core.fleet.plan import FleetPlan, TargetPlan
from dataware.core.model import Action
from dataware.kinds import unit_of_type
from dataware.report.fit import Fit
from dataware.report.fleet_markdown import fleet_markdown
from dataware.report.fleet_summary import fleet_applied, fleet_planned
from dataware.report.fleet_table import fleet_lines
from dataware.report.html import fleet_page
from support.fleets import TWO, planned, target, target_plan

ACTIONS = st.sampled_from([one.value for one in Action])
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60
)
ROWS = st.builds(
    MatrixRow,
    NAMES,
    st.just("111122223333"),
    st.sampled_from(["eu-west-1", "ap-southeast-2", "us-gov-west-1"]),
    st.dictionaries(
        st.sampled_from(["Uploads", "Orders", "A-very-long-logical-id-of-a-bucket"]), ACTIONS
    ),
    st.sampled_from(["ready", "unknown", "12 warnings", "nothing to do", "not started"]),
    st.integers(0, 10**6),
    st.floats(0, 10**4),
)
PLAN = FleetPlan(
    "2026-11-01T12:00:00+00:00",
    (
        target_plan(target("prod-eu"), planned("x-eu", Action.IMPORT, logical_id="Uploads")),
        target_plan(
            target("prod-us", TWO, "us-east-1"), planned("x-us", Action.STOP, logical_id="Uploads")
        ),
        TargetPlan(target("lost", "333333333333"), None, "cannot assume role <b>", 1),
    ),
)
ODD = FleetFinding(
    FindingKind.UNEQUAL, "Uploads: 1 import (prod-eu), 1 stop (prod-us)", ("prod-us",)
)
PAYLOAD = fleet_planned(PLAN, [ODD], unit_of_type).data


@given(st.lists(ROWS, max_size=6), st.integers(80, 140))
def test_no_line_is_wider_than_the_terminal(rows: list[MatrixRow], width: int) -> None:
    """From 80 columns on, whatever the names are; every target has its line."""
    resources = tuple(dict.fromkeys(name for row in rows for name in row.actions))
    fit = Fit(width)
    lines = list(fleet_lines(FleetMatrix(resources, tuple(rows)).to_json(), fit))
    assert all(fit.measure(line) <= width for line in lines)
    assert sum("111122223333" in line for line in lines) == len(rows)


def test_resources_are_columns_where_they_have_room_and_else_are_counted() -> None:
    """The same table on a wide and on a usual terminal."""
    names = [f"Resource{n}" for n in range(8)]
    resources = [planned(name, Action.IMPORT, logical_id=name) for name in names]
    plan = FleetPlan("now", (target_plan(target("prod"), *resources),))
    matrix = matrix_of(plan).to_json()
    wide, usual = list(fleet_lines(matrix, Fit(200))), list(fleet_lines(matrix, Fit(80)))
    assert wide[0].split() == ["Target", "Account", "Region", *names, "Estimate", "State"]
    assert usual == [
        "Target  Account       Region     Resources  State",
        "prod    111111111111  eu-west-1  8 import   nothing to do",
    ]


def test_the_line_of_a_plan_and_of_a_run() -> None:
    """What a script greps and a person reads last."""
    assert fleet_planned(PLAN, [], unit_of_type).text() == (
        "Fleet: 3 targets, 1 unknown, 1 stopped, 1 with nothing to do"
    )
    from dataware.core.fleet.matrix import TargetState

    states = {"prod-eu": TargetState.DONE, "prod-us": TargetState.FAILED, "lost": TargetState.DONE}
    assert fleet_applied(PLAN, states, unit_of_type).text() == "Fleet: 3 targets, 2 done, 1 failed"


def test_the_page_shows_matrix_findings_and_every_target() -> None:
    """As one file, in which no name is markup."""
    page = fleet_page(PAYLOAD, [])
    assert "Stopped: nothing will be changed" in page
    for text in ("prod-eu", "Decisions in prod-us", "1 import (prod-eu)", "lost is unknown"):
        assert text in page
    assert "<b>" not in page
    ids = [part.partition('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("warnings", [[], ["one thing"], [ODD.text]])
def test_the_markdown_shows_matrix_and_problems_once(warnings: list[str]) -> None:
    """A finding that was told as a warning, too, stands there once."""
    text = fleet_markdown(PAYLOAD, warnings)
    assert "| `prod-us` | 222222222222 | us-east-1 | stop | 1 stop |" in text
    assert text.count("1 stop (prod-us)") == text.count("is unknown") == 1
    assert "<b>" not in text
