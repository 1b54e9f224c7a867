"""Names that mean something here and there: what a profile reads is not what a stack has here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataware.cli.environment_plans import CopyTerms, plan_environments
from dataware.core.errors import InputError, RefusedError
from dataware.core.model import Deployed
from dataware.core.stack_template import StackTemplate
from dataware.ops.apply import apply_plan
from dataware.ops.guard import guard
from dataware.ops.inputs.wanted import App
from dataware.ops.plan import make_plan
from dataware.ops.source_profile import check_regions
from ops.test_guard import StackedAws
from ops.test_source_profile import BOX, PLAIN, THEIR_OLD, TwoAccounts
from support.world import World, WorldAws


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> TwoAccounts:
    """Data in theirs; in ours a box of the same name, which is another one."""
    there = TwoAccounts(
        World(boxes={"old": {"ours": "x"}}, identities={"old": 7}),
        World(boxes={"old": {"k": "v"}}, identities={"old": 1}),
    )
    there.install(monkeypatch)
    return there


US = {"region": "us-east-1"}


def test_a_profile_that_names_no_region_reads_in_the_region_of_each_stack(
    both: TwoAccounts,
) -> None:
    """As a plain name does without a profile; a saved plan is bound to that region as well."""
    both.names_region = False
    contexts = [both.context(), replace(both.context(), aws=WorldAws(both.ours, **US))]
    plans = [make_plan(there, [BOX], report=False) for there in contexts]
    sources = [plan.resources[0].decision.source for plan in plans]
    assert sources == [THEIR_OLD, THEIR_OLD.replace("eu-central-1", "us-east-1")]
    assert [plan.source_profile and plan.source_profile.region for plan in plans] == [
        "eu-central-1",
        "us-east-1",
    ]
    both.names_region, both.region = True, "us-west-2"
    with pytest.raises(
        RefusedError, match="the profile partner is now of account 444455556666, us-w"
    ):
        apply_plan(both.context(""), plans[0], PLAIN, saved=True)


def test_a_plain_name_that_would_mean_one_region_for_stacks_of_two_is_refused(
    both: TwoAccounts,
) -> None:
    """Each region may have a box of that name, and the one of the profile is none of the other."""
    wanted = [replace(BOX, region="eu-central-1"), replace(BOX, id="Other", region="us-east-1")]
    with pytest.raises(InputError, match="resources go to eu-central-1 and us-east-1: plan each"):
        plan_environments(both.context(), wanted, CopyTerms())
    assert both.looked == []
    check_regions(both.context(), [replace(one, fallbacks=(THEIR_OLD,)) for one in wanted])
    check_regions(both.context(""), wanted)
    check_regions(both.context(), wanted[:1])
    both.names_region = False
    check_regions(both.context(), wanted)


@pytest.mark.parametrize("profile", ["", "partner"])
def test_a_stack_lets_nothing_go_because_a_fallback_of_that_name_is_copied_from_elsewhere(
    both: TwoAccounts, profile: str
) -> None:
    """What is copied is theirs; the box of the same name that the stack has here stays a loss."""
    held = Deployed("Memory::Box", "old")
    template = {
        "Old": {
            "Type": "Memory::Box",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"Name": "old"},
        }
    }
    aws: Any = StackedAws(
        both.ours, held={"app": {"Old": held}}, templates={"app": {"Resources": template}}
    )
    context = replace(both.context(profile), aws=aws)
    app = App([BOX], stacks=(StackTemplate("app", {}),))
    found = guard(context, app)
    assert [one.logical_id for one in found.threats] == (["Old"] if profile else [])
