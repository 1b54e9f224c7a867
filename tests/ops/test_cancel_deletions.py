"""A deletion that stops a plan is taken back where a person allows it and nothing else stops."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from dataware.core.errors import IncompleteError
from dataware.core.kind import DeletionCancellation, Kind
from dataware.core.model import Existence, Facts, Wanted
from dataware.core.plan import Plan
from dataware.ops import cancel_deletions as module
from dataware.ops.cancel_deletions import cancel_deletions
from dataware.ops.context import Context
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
        return make_plan(self.context, wanted, report=False)


def graveyard(*names: str) -> Graveyard:
    """Fallbacks with data."""
    boxes = {f"old-{name}": {"k": "v"} for name in names}
    return Graveyard(World(boxes=boxes, identities=dict.fromkeys(boxes, 1)))


def test_a_fallback_that_waits_for_its_deletion_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the next plan copies it; each one is told of."""
    there = graveyard("a", "b")
    kind = there.install(monkeypatch)
    there.due = {"old-a"}
    plan = there.plan(kind, "a", "b")
    assert len(plan.stops) == 1
    assert cancel_deletions(there.context, [plan])
    assert there.taken_back == ["old-a"]
    assert not there.plan(kind, "a", "b").stops
    assert there.world.events.texts("note") == ["Cancelled the deletion of memory box old-a"]
    assert not cancel_deletions(there.context, [there.plan(kind, "a", "b")])


def test_nothing_is_taken_back_where_something_else_stops_a_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run would end all the same, with a change that nobody needed."""
    there = graveyard("a", "b")
    kind = there.install(monkeypatch)
    there.due, there.broken = {"old-a"}, {"old-b"}
    assert not cancel_deletions(there.context, [there.plan(kind, "a"), there.plan(kind, "b")])
    assert there.taken_back == []


def test_what_waits_for_its_deletion_beside_what_stops_a_plan_stays_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """People delete what they have migrated; only what is in the way is taken back."""
    there = graveyard("a")
    there.world.boxes["a"], there.world.identities["a"] = {"k": "v"}, 1
    kind = there.install(monkeypatch)
    there.due = {"a", "old-a"}
    plan = there.plan(kind, "a")
    assert cancel_deletions(there.context, [plan])
    assert there.taken_back == ["a"]
    assert not there.plan(kind, "a").stops


def test_a_stop_of_another_rule_takes_back_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stop again, with a change that nobody needed."""
    there = graveyard("a")
    kind = there.install(monkeypatch)
    there.due = {"old-a"}
    plan = there.plan(kind, "a")
    (stopped,) = plan.stops
    other = replace(stopped, decision=stopped.decision.stop(2, stopped.decision.reason))
    assert not cancel_deletions(there.context, [replace(plan, resources=(other,))])
    assert there.taken_back == []


def test_a_deletion_that_stays_due_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service accepts is looked at after the act."""
    there = graveyard("a")
    kind = there.install(monkeypatch)
    there.due, there.stuck = {"old-a"}, True
    monkeypatch.setattr(module, "LOOKS", 2)
    with pytest.raises(IncompleteError, match="old-a is still marked for deletion"):
        cancel_deletions(there.context, [there.plan(kind, "a")])


def test_a_type_that_knows_no_such_thing_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stops are for a person."""
    there = graveyard("a")
    kind = install(monkeypatch, there.world, probe=there.probe)
    there.due = {"old-a"}
    assert not cancel_deletions(there.context, [there.plan(kind, "a")])
