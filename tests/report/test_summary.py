"""The last line of a plan."""

import pytest

from dataware.core.estimate import Estimate
from dataware.core.model import Action, Decision, Wanted, absent
from dataware.core.plan import Plan, Planned
from dataware.report.summary import duration, money, plan_summary

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"


def planned(cfn_type: str, action: Action, estimate: Estimate | None = None) -> Planned:
    """One resource with that decision."""
    wanted = Wanted("id", cfn_type, "name")
    return Planned(wanted, absent("name"), (), Decision(action, 1, "why"), estimate)


def summary(*resources: Planned) -> str:
    """The summary of a plan of those resources."""
    plan = Plan("1", "r", "now", resources)
    units = {TABLE: "item", BUCKET: "object"}
    return plan_summary(plan, units.__getitem__).text()


def test_a_summary_counts_actions_and_effort() -> None:
    """Actions come in a fixed order, copies with items, time and money together."""
    assert (
        summary(
            planned(BUCKET, Action.CREATE),
            planned(TABLE, Action.MIGRATE, Estimate(78, 100, 2, 0.0002, True)),
            planned(BUCKET, Action.RESUME, Estimate(5000, 100, 60, 0.02, True)),
            planned(BUCKET, Action.IMPORT),
        )
        == "Plan: 1 to import, 1 to migrate, 1 to resume, 1 to create, 0 stopped "
        "(78 items, 5,000 objects, about 1 min 2 s, $0.0202)"
    )


def test_a_summary_without_copies_names_no_effort() -> None:
    """Nothing to copy costs nothing and is not mentioned."""
    assert summary(planned(BUCKET, Action.STOP)) == "Plan: 1 stopped"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2, "2 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (90061, "25 h 1 min")],
)
def test_durations(seconds: int, text: str) -> None:
    """Two units at most."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0, "$0.0000"), (0.00001, "less than $0.0001"), (0.0002, "$0.0002"), (1234.5, "$1,234.50")],
)
def test_money(usd: float, text: str) -> None:
    """Small amounts keep their digits."""
    assert money(usd) == text
