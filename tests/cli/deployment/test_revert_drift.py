"""`cdk deploy --revert-drift` sets back what was changed outside of the template."""

from __future__ import annotations

import pytest

from dataware.cli.deployment.cdk_options import parse_cdk_arguments, read_option_table
from dataware.cli.deployment.revert_drift import check_revert_drift, warn_of_reverted_drift
from dataware.core.errors import RefusedError
from dataware.core.model import Action, ImportMode
from dataware.core.plan import Plan, Planned
from support.assemblies import HELP
from support.plans import migration, one
from support.world import Events

TABLE = read_option_table(HELP.read_text())
GIVEN = parse_cdk_arguments(["--revert-drift"], TABLE, {})
ADOPTED = one(Action.IMPORT, "uploads", import_mode=ImportMode.ADOPT)


def plan_of(*resources: Planned) -> Plan:
    """A plan of one environment."""
    return Plan("111122223333", "eu-central-1", "2026-11-29", resources)


def test_no_drift_is_reverted_while_data_is_copied() -> None:
    """A migration may need a setting of its source or target that the stack does not know."""
    with pytest.raises(RefusedError, match="the migration into Waitlist-prod may need"):
        check_revert_drift(plan_of(migration(), ADOPTED), GIVEN)


def test_what_is_set_back_is_said_before_it_happens() -> None:
    """The settings of what was just imported are as much outside of the template."""
    plan, events = plan_of(ADOPTED, one(Action.KEEP, "jobs")), Events()
    check_revert_drift(plan, GIVEN)
    warn_of_reverted_drift(events, plan, GIVEN)
    (text,) = events.texts("warning")
    assert "also of uploads, which the app imports" in text
    assert "jobs" not in text


@pytest.mark.parametrize("words", [[], ["--revert-drift=false"], ["--no-revert-drift"]])
def test_without_the_option_nothing_is_said(words: list[str]) -> None:
    """CloudFormation then leaves alone what it was not told to change."""
    given, events = parse_cdk_arguments(words, TABLE, {}), Events()
    check_revert_drift(plan_of(migration()), given)
    warn_of_reverted_drift(events, plan_of(migration()), given)
    assert not events.texts("warning")
