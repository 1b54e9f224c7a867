"""A fallback that the stack has is a warning until the deployed template retains it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    Owner,
    Ownership,
    Wanted,
    absent,
)
from dataware.core.plan import Planned
from dataware.ops.owned_fallbacks import warn_of_owned_fallbacks
from support.world import World, WorldAws

WARNING = (
    "old still belongs to this stack (as Old), and may leave it only once a deletion and "
    "update-replace policy of Retain is deployed"
)
STACK = "arn:aws:cloudformation:eu-central-1:111122223333:stack/App/1"
OURS = Owner(Ownership.THIS_STACK, "App", "Old", STACK)


@dataclass(frozen=True)
class TemplateAws(WorldAws):
    """An account with one stack; an error in place of its template is raised."""

    template: Any = None

    def stack_template(self, stack: str) -> Any:
        """The template, as it was sent; notes the question."""
        self.world.log.append(stack)
        if isinstance(self.template, Exception):
            raise self.template
        return self.template


def planned(owner: Owner) -> Planned:
    """A migration from a fallback of that owner, with a warning of its own."""
    fallback = Facts("old", Existence.EXISTS, Content.DATA, owner=owner)
    decision = Decision(Action.MIGRATE, 3, "because", "old", warnings=("first",))
    wanted = Wanted("App/New", "Memory::Box", "new", ("old",))
    return Planned(wanted, absent("new"), (fallback,), decision)


def warnings_of(template: Any, *owners: Owner) -> tuple[list[tuple[str, ...]], list[str]]:
    """The warnings of a migration for each owner of its fallback, and what was asked."""
    there = World()
    context = replace(there.context(), aws=TemplateAws(there, template=template))
    found = warn_of_owned_fallbacks(context, [planned(owner) for owner in owners])
    return [one.decision.warnings for one in found], there.log


def declared(**policies: Any) -> dict[str, Any]:
    """A template that declares the fallback under its policies."""
    return {"Resources": {"Old": {"Type": "Memory::Box", **policies}}}


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
@pytest.mark.parametrize("write", [dict, json.dumps], ids=["document", "text"])
def test_a_fallback_that_outlives_its_stack_may_leave_it(policy: str, write: Any) -> None:
    """Nothing is left to do, so nothing needs anybody's attention."""
    found, asked = warnings_of(write(declared(DeletionPolicy=policy)), OURS)
    assert (found, asked) == ([("first",)], [STACK])


@pytest.mark.parametrize(
    "template",
    [
        declared(),
        declared(DeletionPolicy="Delete"),
        declared(DeletionPolicy={"Fn::If": ["IsProd", "Retain", "Delete"]}),
        declared(UpdateReplacePolicy="Retain"),
        {"Resources": {"Other": {"DeletionPolicy": "Retain"}}},
        {"Resources": ["Old"]},
        "a: [",
        "text",
        LookupFailedError("denied"),
        NotFoundError("gone"),
    ],
    ids=str,
)
def test_a_fallback_that_may_be_deleted_with_it_is_a_warning(template: Any) -> None:
    """Also where the deployed template cannot be seen, or says nothing for certain."""
    moved = replace(OURS, ownership=Ownership.MOVED)
    found, asked = warnings_of(template, OURS, moved)
    assert found == [("first", WARNING)] * 2
    assert asked == [STACK], "a template is asked for once"


def test_what_the_stack_does_not_have_is_no_matter() -> None:
    """Nothing is asked."""
    others = (Ownership.UNMANAGED, Ownership.OTHER_STACK, Ownership.UNKNOWN)
    found, asked = warnings_of(declared(), *(replace(OURS, ownership=one) for one in others))
    assert (found, asked) == ([("first",)] * 3, [])


def test_a_stack_without_an_id_is_asked_for_by_its_name() -> None:
    """One without a name cannot be asked for."""
    named, nameless = replace(OURS, stack_id=None), replace(OURS, stack_id=None, stack=None)
    found, asked = warnings_of(declared(DeletionPolicy="Retain"), named, nameless)
    assert (found, asked) == ([("first",), ("first", WARNING)], ["App"])
