"""A name that changes in place: the old resource holds data, and its stack would replace it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.model import Action, Deployed, Facts, Owner, Ownership, Wanted
from dataware.core.plan import Planned
from dataware.ops.plan import make_plan
from dataware.ops.renames import stop_moves, stop_renames
from ops.test_guard import StackedAws
from support.world import World, install

BOX = "Memory::Box"
HELD = {"App": {"Box": Deployed(BOX, "old")}}


def planned(
    monkeypatch: pytest.MonkeyPatch,
    boxes: dict[str, int],
    held: Any = HELD,
    *,
    allow: frozenset[str] = frozenset(),
    name: str = "new",
    **more: Any,
) -> Planned:
    """The one box of a plan, after the check; "Box" of stack App wants `name`."""
    contents = {box: {f"k{n}": "v" for n in range(keys)} for box, keys in boxes.items()}
    there = World(boxes=contents, identities=dict.fromkeys(boxes, 1))
    there.owners = {"old": Owner(Ownership.OTHER_STACK, "App", "Box")}
    install(monkeypatch, there, **more)
    wanted = Wanted("id", BOX, name, ("old",), stack="App", logical_id="Box")
    context = replace(there.context(), aws=StackedAws(there, held=held))
    plan = make_plan(context, [wanted])
    return stop_renames(context.aws, plan, allow).resources[0]


def test_a_new_name_under_the_same_logical_id_is_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names both, and the recipe that works."""
    decision = planned(monkeypatch, {"old": 3}).decision
    assert (decision.action, decision.rule, decision.source) == (Action.STOP, 19, None)
    assert "replace old (Box of stack App), which holds data, by new" in decision.reason
    assert "declare new under a new construct id with old as its fallback" in decision.reason


def test_an_old_one_that_cannot_be_looked_into_counts_as_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Doubt is a stop: what may hold data would be replaced as surely."""

    def probe(_aws: object, name: str) -> Facts:
        if name == "old":
            raise LookupFailedError("denied")
        return Facts(name)

    decision = planned(monkeypatch, {"old": 3}, probe=probe).decision
    assert decision.action is Action.STOP


@pytest.mark.parametrize(
    ("boxes", "held", "name"),
    [
        ({"old": 0}, HELD, "new"),
        ({}, HELD, "new"),
        ({"old": 3}, {}, "new"),
        ({"old": 3}, {"App": {"Other": Deployed(BOX, "old")}}, "new"),
        ({"old": 3}, {"App": {"Box": Deployed("AWS::SNS::Topic", "old")}}, "new"),
        ({"new": 3}, {"App": {"Box": Deployed(BOX, "new")}}, "new"),
    ],
)
def test_what_is_empty_or_not_renamed_is_no_stop(
    monkeypatch: pytest.MonkeyPatch, boxes: dict[str, int], held: Any, name: str
) -> None:
    """Only another name, under the same logical id, of something that holds data stops."""
    assert planned(monkeypatch, boxes, held, name=name).decision.rule != 19


def test_a_kind_that_is_renamed_in_place_is_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A label that changes replaces nothing."""
    assert planned(monkeypatch, {"old": 3}, renamed_in_place=True).decision.rule != 19


@pytest.mark.parametrize("allow", ["Box", "App/Box"])
def test_a_loss_that_was_allowed_is_no_stop(monkeypatch: pytest.MonkeyPatch, allow: str) -> None:
    """A person said yes, for the deployment that runs the app."""
    assert planned(monkeypatch, {"old": 3}, allow=frozenset({allow})).decision.rule != 19


def test_a_stack_that_cannot_be_listed_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not checked is told."""
    decision = planned(monkeypatch, {"old": 3}, {"App": LookupFailedError("denied")}).decision
    assert (
        "cannot check whether new renames a resource of stack App: denied"
        in (decision.warnings[-1])
    )


def moved(
    monkeypatch: pytest.MonkeyPatch,
    declared: dict[str, frozenset[str]],
    *,
    keys: int = 3,
    allow: frozenset[str] = frozenset(),
) -> Planned:
    """A box that stack App has as "Box", and stack Other declares now."""
    there = World(boxes={"box": {f"k{n}": "v" for n in range(keys)}}, identities={"box": 1})
    there.owners = {"box": Owner(Ownership.OTHER_STACK, "App", "Box")}
    install(monkeypatch, there)
    wanted = Wanted("id", BOX, "box", (), stack="Other", logical_id="Box")
    plan = make_plan(there.context(), [wanted])
    return stop_moves(plan, declared, allow).resources[0]


def test_what_moves_to_another_stack_of_the_app_is_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack that has it would let it go, and the other one only refer to it."""
    decision = moved(
        monkeypatch, {"App": frozenset({"Else"}), "Other": frozenset({"Box"})}
    ).decision
    assert (decision.action, decision.rule) == (Action.STOP, 19)
    assert "stack App owns box as Box and would let it go, because stack Other" in decision.reason


@pytest.mark.parametrize(
    ("declared", "more"),
    [
        ({"App": frozenset({"Box"})}, {}),
        ({"Other": frozenset({"Box"})}, {}),
        ({"App": frozenset()}, {"keys": 0}),
        ({"App": frozenset()}, {"allow": frozenset({"App/Box"})}),
    ],
)
def test_what_a_stack_keeps_or_may_lose_is_no_stop(
    monkeypatch: pytest.MonkeyPatch, declared: dict[str, frozenset[str]], more: dict[str, Any]
) -> None:
    """A reference to what another stack goes on to declare, or to a stack outside of the app."""
    assert moved(monkeypatch, declared, **more).decision.rule != 19
