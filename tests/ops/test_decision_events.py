"""The lines that tell of a decision name commands that can be typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.comparison import PropertyDifference, PropertyVerdict
from dataware.core.model import Action, ImportMode
from dataware.ops.decision_events import report_decision
from support.copying import Events
from support.plans import one


@pytest.mark.parametrize(
    ("cdk_stack", "command"),
    [
        ("Stage/Spaceport", "cdk drift Stage/Spaceport"),
        ("", "aws cloudformation detect-stack-drift --stack-name Spaceport-prod"),
    ],
)
def test_drift_is_asked_for_by_what_the_command_calls_the_stack(
    cdk_stack: str, command: str
) -> None:
    """CDK knows the path in its app, and a template alone has no CDK."""
    unseen = PropertyDifference("LoggingConfiguration", PropertyVerdict.UNCOMPARED, "", "")
    there = one(Action.IMPORT, "uploads", import_mode=ImportMode.ADOPT)
    wanted = replace(there.wanted, stack="Spaceport-prod", cdk_stack=cdk_stack)
    told = Events()
    report_decision(told.append, replace(there, wanted=wanted, differences=(unseen,)))
    assert any(f"`{command}` after the deployment" in event.text() for event in told)
