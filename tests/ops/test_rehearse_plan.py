"""A whole plan is rehearsed: each migration in a scratch resource, and nothing is left of any."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import IncompleteError, InputError, RefusedError
from dataware.core.kind import DescribedProperties
from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    Location,
    Wanted,
    absent,
)
from dataware.core.plan import Plan, Planned
from dataware.core.rehearsal import Rehearsal
from dataware.ops.context import Context, CopySettings
from dataware.ops.inputs.prices import list_prices
from dataware.ops.rehearse_plan import Forget, rehearse_plan
from ops.test_rehearse import BOX, StackHold
from support.rehearsals import kill_at_every_step
from support.world import World, install

ONE = CopySettings(max_parallel=1)


class Stage:
    """Two full boxes: one goes into a box that is there, the other into one that is declared."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World(
            boxes={"old-a": {f"k{n}": "v" for n in range(4)}, "new-a": {}, "old-b": {"x": "y"}},
            identities={"old-a": 1, "new-a": 2, "old-b": 3},
        )
        self.hold = StackHold(self.world)
        self.described: list[str] = []
        self.rehearsal = Rehearsal(
            ("Size",), 40, "a-z0-9-", lambda _aws, name: self.hold.tags.get(name, {}), self._remove
        )
        self.card: dict[str, Any] = {
            "rehearsal": lambda: self.rehearsal,
            "describe": self._describe,
            "in_plans": True,
        }
        install(monkeypatch, self.world, **self.card)
        self.before = copy.deepcopy(self.world.boxes)

    def _describe(self, _aws: Any, name: str) -> DescribedProperties:
        self.described.append(name)
        return DescribedProperties({"Size": 3, "Lock": True})

    def _remove(self, _aws: Any, name: str) -> None:
        assert "-rehearsal-" in name
        self.world.moment(f"remove {name}")
        del self.world.boxes[name], self.hold.tags[name]
        self.world.moment(f"removed {name}")

    def plan(self, *more: Planned) -> Plan:
        """Both migrations, and what is beside them."""
        return Plan("111122223333", "eu-central-1", "now", (*self.copies(), *more))

    def copies(self) -> list[Planned]:
        """Both migrations."""
        there = Facts("new-a", Existence.EXISTS, Content.EMPTY, identity="2")
        return [planned("a", there), planned("b", absent("new-b"))]

    def rehearse(self, plan: Plan | None = None, settings: CopySettings = ONE) -> None:
        """Rehearse as one process would."""
        context = replace(self.world.context(), hold=self.hold)

        def make_forget(_context: Context) -> Forget:
            def forget(_kind: str, name: str) -> None:
                self.world.moment("forget")
                del self.world.markers[name]

            return forget

        try:
            rehearse_plan(context, plan or self.plan(), settings, list_prices(), make_forget)
        finally:
            for name, marker in self.world.markers.items():
                self.world.markers[name] = replace(marker, alive=False)

    def check_clean(self) -> None:
        """Nothing is there that was not there before, and nothing of that has changed."""
        assert self.world.boxes == self.before
        assert not self.hold.stacks
        assert self.world.markers == {}


def planned(letter: str, preferred: Facts, **more: Any) -> Planned:
    """A box that is filled from its fallback."""
    source = f"old-{letter}"
    wanted = Wanted(letter, BOX, f"new-{letter}", (source,), {"Size": 7}, **more)
    seen = Facts(source, Existence.EXISTS, Content.DATA)
    return Planned(wanted, preferred, (seen,), Decision(Action.MIGRATE, 3, "because", source))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage before the rehearsal."""
    return Stage(monkeypatch)


@pytest.mark.parametrize("parallel", [1, 2])
def test_every_migration_of_a_plan_is_rehearsed_and_nothing_is_left(
    stage: Stage, parallel: int
) -> None:
    """Also that into what does not exist yet, which is made as the app declares it."""
    stage.rehearse(settings=CopySettings(max_parallel=parallel))
    stage.check_clean()
    assert stage.described == ["new-a"]
    events = stage.world.events
    assert sorted(one.data["count"] for one in events if one.code == "rehearsed") == [1, 4]
    assert (
        events[-1].text().startswith(f"Rehearsed 2 migrations in 1 s, up to {parallel} at a time")
    )
    assert events[-1].data["count"] == 2


def test_wherever_it_is_killed_the_same_command_cleans_up_and_rehearses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At every single step outside of its own memory, also twice in a row."""
    assert kill_at_every_step(lambda: Stage(monkeypatch)) > 20


def test_one_that_fails_holds_up_no_other_and_leaves_nothing(stage: Stage) -> None:
    """The run ends as that of the migration would."""
    stage.world.archived = {"k1"}
    with pytest.raises(IncompleteError, match="1 key not copied"):
        stage.rehearse()
    assert [one.data["real"] for one in stage.world.events if one.code == "rehearsed"] == ["new-b"]
    stage.check_clean()


def test_a_plan_that_is_stopped_or_copies_nothing_makes_nothing(stage: Stage) -> None:
    """What would not be applied is not rehearsed either."""
    stop = replace(stage.copies()[0], decision=Decision(Action.STOP, 7, "of a doubt"))
    with pytest.raises(
        RefusedError, match="nothing was rehearsed, because the plan stops at new-a"
    ):
        stage.rehearse(stage.plan(stop))
    keep = replace(stage.copies()[0], decision=Decision(Action.KEEP, 5, "it is there"))
    stage.rehearse(replace(stage.plan(), resources=(keep,)))
    assert stage.world.events[-1].text().endswith("the plan migrates nothing")
    stage.check_clean()
    assert not [step for step in stage.world.log if step.startswith("create")]


def test_what_cannot_be_rehearsed_is_said_before_anything_is_made(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A type without a rehearsal, another type than the scratch one, and an unknown property."""
    waiting = planned("c", absent("new-c"), unresolved=("Size",))
    with pytest.raises(InputError, match=r"new-c cannot be rehearsed.*--only"):
        stage.rehearse(stage.plan(waiting))
    install(monkeypatch, stage.world, **{**stage.card, "cfn_type": "Memory::Box"})
    other = planned("d", absent("new-d"))
    catalogue = {BOX: "memory_box", "Memory::Crate": "memory_box"}
    monkeypatch.setattr("dataware.kinds.CATALOGUE", catalogue)
    other = replace(other, wanted=replace(other.wanted, type="Memory::Crate"))
    with pytest.raises(
        InputError, match="is not one of type Memory::Crate; leave it out with --only"
    ):
        stage.rehearse(stage.plan(other))
    install(monkeypatch, stage.world, rehearsal=None)
    with pytest.raises(InputError, match="of box new-a cannot be rehearsed; leave it out"):
        stage.rehearse()
    stage.check_clean()


def test_the_scratch_resource_of_a_plan_is_that_of_its_pair(stage: Stage) -> None:
    """`migrate --rehearse` of the same pair finds what a killed one has left, and removes it."""
    places = [Location(name, "111122223333", "eu-central-1") for name in ("old-b", "new-b")]
    scratch = stage.rehearsal.name_scratch(places[0], places[1])
    stage.rehearse()
    assert f"remove {scratch}" in stage.world.log
