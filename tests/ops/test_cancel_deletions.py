"""A deletion that stops a plan is cancelled where a person allows it and nothing else stops.

What a plan says and what it does agree: saved or not, it is made as if it were cancelled.
"""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass, field, replace

import pytest

from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.kind import DeletionCancellation, Kind
from dataware.core.model import Action, Existence, Facts, Wanted
from dataware.core.plan import Plan
from dataware.ops import cancel_deletions as module
from dataware.ops.apply import apply_plan
from dataware.ops.cancel_deletions import (
    ANY_NAME,
    cancel_planned,
    list_restored,
    refuse_unplanned,
)
from dataware.ops.context import Context, CopySettings
from dataware.ops.plan import make_plan
from support.world import World, WorldAws, install


@dataclass(frozen=True)
class PatientAws(WorldAws):
    """A control plane that waits no time."""

    def pause(self, _seconds: float) -> None:
        """Wait no time."""


@dataclass
class Graveyard:
    """Boxes of which some wait for their deletion; with `stuck` taking it back does nothing."""

    world: World = field(default_factory=World)
    due: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    stuck: bool = False
    allowed: Container[str] = ANY_NAME
    taken_back: list[str] = field(default_factory=list)

    def probe(self, _aws: object, name: str) -> Facts:
        """What stands there, and what is in the way."""
        facts = self.world.facts(name)
        if facts.existence is not Existence.EXISTS or name not in self.due | self.broken:
            return facts
        return replace(facts, obstacle="is marked for deletion" if name in self.due else "is odd")

    def run(self, _aws: object, name: str) -> None:
        """Take one back."""
        self.taken_back.append(name)
        if not self.stuck:
            self.due.discard(name)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> Kind:
        """As a type of the catalogue."""
        way = DeletionCancellation(lambda _aws, name: name in self.due, self.run)
        return install(monkeypatch, self.world, probe=self.probe, cancellation=way)

    @property
    def context(self) -> Context:
        """The outside."""
        return replace(self.world.context(), aws=PatientAws(self.world))

    def plan(self, kind: Kind, *names: str) -> Plan:
        """What is decided for boxes, each with a fallback."""
        wanted = [Wanted(name, kind.cfn_type, name, (f"old-{name}",)) for name in names]
        plan = make_plan(self.context, wanted, report=False, restores=self.allowed)
        return Plan.from_json(json.loads(json.dumps(plan.to_json())))

    def apply(self, plan: Plan) -> None:
        """Carry a saved plan out."""
        apply_plan(self.context, plan, CopySettings(), saved=True)


def graveyard(*names: str) -> Graveyard:
    """Fallbacks with data."""
    boxes = {f"old-{name}": {"k": "v"} for name in names}
    return Graveyard(World(boxes=boxes, identities=dict.fromkeys(boxes, 1)))


def test_a_fallback_that_waits_for_its_deletion_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plan says so and changes nothing; carried out, it cancels, copies, and is then done."""
    there = graveyard("a", "b")
    kind = there.install(monkeypatch)
    there.due = {"old-a"}
    plan = there.plan(kind, "a", "b")
    assert [one.decision.action for one in plan.resources] == [Action.MIGRATE, Action.MIGRATE]
    assert list_restored(plan) == {"old-a"}
    assert there.taken_back == []
    there.apply(plan)
    assert there.taken_back == ["old-a"]
    assert there.world.boxes["a"] == there.world.boxes["old-a"]
    assert "Cancelled the deletion of memory box old-a" in there.world.events.texts("note")
    there.apply(plan)
    assert there.taken_back == ["old-a"]


def test_without_consent_the_plan_stops_and_a_later_one_does_not_make_up_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What would follow was never shown, so a new plan has to be made and reviewed."""
    there = graveyard("a")
    kind = there.install(monkeypatch)
    there.due, there.allowed = {"old-a"}, ()
    plan = there.plan(kind, "a")
    (stopped,) = plan.stops
    assert stopped.decision.rule == 25
    with pytest.raises(RefusedError, match="`dataware plan --restore-secrets --out FILE`"):
        refuse_unplanned([plan])
    with pytest.raises(RefusedError):
        there.apply(plan)
    assert there.taken_back == []
    there.due = set()
    refuse_unplanned([there.plan(kind, "a")])


def test_what_was_deleted_after_the_plan_is_not_restored_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A saved plan restores what it names, and nothing beside."""
    there = graveyard("a", "b")
    kind = there.install(monkeypatch)
    there.due = {"old-a"}
    plan = there.plan(kind, "a", "b")
    there.due.add("old-b")
    with pytest.raises(RefusedError, match="the plan is out of date"):
        there.apply(plan)
    assert there.taken_back == []


def test_nothing_is_taken_back_where_something_else_stops_a_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run would end all the same, with a change that nobody needed."""
    there = graveyard("a", "b")
    kind = there.install(monkeypatch)
    there.due, there.broken = {"old-a"}, {"old-b"}
    with pytest.raises(RefusedError, match="nothing was changed, because of b"):
        there.apply(there.plan(kind, "a", "b"))
    assert there.taken_back == []


def test_what_stops_a_resource_beside_its_deletion_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cancelling would not help, so the first reason stands."""
    there = graveyard("a")
    there.world.boxes["a"], there.world.identities["a"] = {}, 1
    kind = there.install(monkeypatch)
    there.due, there.broken = {"a"}, {"old-a"}
    (stopped,) = there.plan(kind, "a").stops
    assert stopped.restores == ()
    assert stopped.decision.reason == "a is marked for deletion"


def test_what_waits_for_its_deletion_beside_what_stops_a_plan_stays_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """People delete what they have migrated; only what is in the way is taken back."""
    there = graveyard("a")
    there.world.boxes["a"], there.world.identities["a"] = {"k": "v"}, 1
    kind = there.install(monkeypatch)
    there.due = {"a", "old-a"}
    plan = there.plan(kind, "a")
    assert (list_restored(plan), plan.changes) == ({"a"}, True)
    there.apply(plan)
    assert there.taken_back == ["a"]
    assert there.due == {"old-a"}


def test_one_stop_may_hide_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source and target may both wait for their deletion."""
    there = graveyard("a")
    there.world.boxes["a"], there.world.identities["a"] = {}, 1
    kind = there.install(monkeypatch)
    there.due = {"a", "old-a"}
    assert list_restored(there.plan(kind, "a")) == {"a", "old-a"}


def test_a_deletion_that_stays_due_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service accepts is looked at after the act."""
    there = graveyard("a")
    kind = there.install(monkeypatch)
    there.due, there.stuck = {"old-a"}, True
    monkeypatch.setattr(module, "LOOKS", 2)
    with pytest.raises(IncompleteError, match="old-a is still marked for deletion"):
        there.apply(there.plan(kind, "a"))
    assert there.world.boxes.keys() == {"old-a"}


def test_a_type_that_knows_no_such_thing_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stops are for a person, and a plan that says otherwise restores nothing."""
    there = graveyard("a")
    kind = install(monkeypatch, there.world, probe=there.probe)
    there.due = {"old-a"}
    plan = there.plan(kind, "a")
    assert len(plan.stops) == 1
    (stopped,) = plan.resources
    cancel_planned(there.context, replace(plan, resources=(replace(stopped, restores=("x",)),)))
    assert there.taken_back == []
