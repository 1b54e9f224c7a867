"""Whom a target belongs to: no run may take what somebody else made for its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.errors import DatawareError, IncompleteError, RefusedError, ServiceError
from dataware.core.model import (
    ImportMode,
    Location,
    Marker,
    MarkerState,
    OnFallbackData,
    Owner,
    Ownership,
    Wanted,
)
from dataware.core.plan import Plan
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings
from dataware.ops.migrate_by_hand import migrate
from dataware.ops.plan import make_plan
from support.copying import Killed
from support.world import World, WorldHold, box_kind, install

ACCOUNT, REGION = "111122223333", "eu-central-1"
PLAIN = CopySettings()
WANTED = Wanted("Box", "Memory::Box", "new", ("old",))


class Ledger:
    """A world in which every order of a copy is written down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World(boxes={"old": {f"k{n}": "v" for n in range(7)}}, identities={"old": 1})
        self.orders: list[CopyOrder] = []
        original = box_kind(self.world).require_copying().copier

        def copier(tools: CopyTools, order: CopyOrder) -> Copier:
            self.orders.append(order)
            return original(tools, order)

        install(monkeypatch, self.world, copier=copier)

    def plan(self, wanted: Wanted = WANTED) -> Plan:
        """What a person would be shown now."""
        return make_plan(self.world.context(), [wanted])

    def apply(self, wanted: Wanted = WANTED, context: Context | None = None) -> None:
        """One `dataware apply`."""
        apply_plan(context or self.world.context(), self.plan(wanted), PLAIN)

    @contextmanager
    def killed_at(self, what: str) -> Iterator[None]:
        """The run inside dies right before a step, and with it all that it has under way."""
        live, dead = self.world.moment, []

        def die(step: str) -> None:
            if dead or step == what:
                dead.append(step)
                raise Killed(step)
            live(step)

        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            patch.setattr(self.world, "moment", die)
            yield

    @property
    def exclusive(self) -> Sequence[bool]:
        """Which copies were made without conditions."""
        return [order.exclusive for order in self.orders]


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Only the old box exists, with data."""
    return Ledger(monkeypatch)


def test_a_target_of_ones_own_is_filled_without_conditions(ledger: Ledger) -> None:
    """Only by the run that made it: by the next one it may be in use, and the first not be dead."""
    with ledger.killed_at("write k4"):
        ledger.apply()
    ledger.apply()
    assert ledger.exclusive == [True, False]


def test_a_namesake_of_someone_else_never_becomes_ones_own(ledger: Ledger) -> None:
    """A table that was made anew by others is guarded in the second run, and in the third."""
    with ledger.killed_at("write k4"):
        ledger.apply()
    del ledger.world.boxes["new"]
    ledger.world.make("new")
    ledger.world.boxes["new"]["k1"] = "somebody's newer value"
    for _ in range(3):
        with pytest.raises(IncompleteError, match="1 conflict"):
            ledger.apply()
    assert ledger.exclusive == [True, False, False, False]


def test_who_is_overtaken_in_creating_does_not_own_the_result(ledger: Ledger) -> None:
    """When somebody else creates the target first, it is theirs in every later run."""

    class Overtaken(WorldHold):
        def create(self, _kind: object, wanted: Wanted) -> None:
            self.world.make(wanted.preferred)
            self.world.boxes[wanted.preferred]["k1"] = "somebody's value"
            raise ServiceError(f"{wanted.preferred} already exists")

    world = ledger.world
    with pytest.raises(ServiceError):
        ledger.apply(context=replace(world.context(), hold=Overtaken(world)))
    for _ in range(2):
        with pytest.raises(IncompleteError, match="1 conflict"):
            ledger.apply()
    assert not any(ledger.exclusive)


def test_a_referenced_target_may_be_in_use_after_a_death(ledger: Ledger) -> None:
    """A reference leaves no owner behind, so an app may write to it between two runs."""
    wanted = replace(WANTED, import_mode=ImportMode.REFERENCE)
    with ledger.killed_at("write k4"):
        ledger.apply(wanted)
    ledger.apply(wanted)
    assert ledger.exclusive == [True, False]


def test_what_a_killed_creation_left_is_let_go_before_the_copy(ledger: Ledger) -> None:
    """A holding stack that might still roll back is gone before anything is written."""
    with ledger.killed_at("created"):
        ledger.apply()
    released: list[int] = []

    class Releasing(WorldHold):
        def release(self, _kind: object, name: str) -> None:
            assert name == "new"
            released.append(len(ledger.orders))

    ledger.apply(context=replace(ledger.world.context(), hold=Releasing(ledger.world)))
    assert released == [0]


def test_what_is_taken_over_belongs_to_no_left_over_creation(ledger: Ledger) -> None:
    """A killed creation of an empty resource is wound up by the run that takes it over."""
    world = ledger.world
    world.boxes["old"].clear()
    with ledger.killed_at("created"):
        ledger.apply()
    released: list[str] = []

    class Releasing(WorldHold):
        def release(self, _kind: object, name: str) -> None:
            released.append(name)

    ledger.apply(context=replace(world.context(), hold=Releasing(world)))
    assert released == ["new"]


def test_a_checkpoint_of_a_namesake_does_not_travel(ledger: Ledger) -> None:
    """What was copied into a resource that is gone says nothing of the one in its place."""
    world = ledger.world
    with ledger.killed_at("verify old"):
        ledger.apply()
    world.markers["new"] = replace(
        world.markers["new"], detail={**world.markers["new"].detail, "checkpoint": "of the first"}
    )
    del world.boxes["new"]
    world.make("new")
    with ledger.killed_at("write k0"):
        ledger.apply()
    assert "checkpoint" not in world.markers["new"].detail


def test_a_creation_that_is_rolled_back_after_all_is_made_again(ledger: Ledger) -> None:
    """When the left-over creation takes its resource away, nothing was copied into it."""
    with ledger.killed_at("created"):
        ledger.apply()

    class RollingBack(WorldHold):
        def release(self, _kind: object, name: str) -> None:
            del self.world.boxes[name]

    world = ledger.world
    with pytest.raises(IncompleteError, match="run the same command again"):
        ledger.apply(context=replace(world.context(), hold=RollingBack(world)))
    ledger.apply()
    assert world.boxes["new"] == world.boxes["old"]


@pytest.mark.parametrize("since", [MarkerState.COMPLETE, MarkerState.RUNNING])
def test_a_plan_that_is_out_of_date_does_not_begin_again(
    ledger: Ledger, since: MarkerState
) -> None:
    """What another run has completed, or begun, since the plan was made is not done over."""
    plan = ledger.plan()
    ledger.world.markers["new"] = Marker(since, "old", "another run")
    with pytest.raises(RefusedError, match="has changed since the plan"):
        apply_plan(ledger.world.context(), plan, PLAIN)
    assert ledger.world.markers["new"].state is since
    assert ledger.orders == []


@pytest.mark.parametrize("policy", OnFallbackData)
def test_a_part_of_the_data_is_no_source(ledger: Ledger, policy: OnFallbackData) -> None:
    """A fallback into which a migration has not ended is neither copied nor imported."""
    with ledger.killed_at("write k4"):
        ledger.apply()
    assert ledger.world.boxes["new"]
    renamed = Wanted("Box", "Memory::Box", "newer", ("new", "old"), on_fallback_data=policy)
    with pytest.raises(RefusedError):
        ledger.apply(renamed)
    (planned,) = ledger.plan(renamed).resources
    assert planned.decision.rule == 7
    assert "only part of the data" in planned.decision.reason
    assert "newer" not in ledger.world.boxes
    ledger.apply()
    ledger.apply(renamed)


def place(name: str, prefix: str = "") -> Location:
    """A place of the caller's."""
    return Location(name, ACCOUNT, REGION, prefix)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (place("old", "a/"), place("new", "a/")),
        (place("old", "a/"), place("new")),
        (place("old"), place("new", "a/")),
    ],
)
def test_a_part_is_not_on_record_as_the_whole(
    ledger: Ledger, source: Location, target: Location
) -> None:
    """The copy of a prefix neither completes nor begins the migration of the whole."""
    ledger.world.make("new")
    migrate(ledger.world.context(), "Memory::Box", source, target, PLAIN)
    assert "new" not in ledger.world.markers
    assert {marker.state for marker in ledger.world.markers.values()} == {MarkerState.COMPLETE}


def test_a_killed_part_is_not_completed_by_another_part(ledger: Ledger) -> None:
    """Two prefixes have a record and a journal each, so neither passes for the other."""
    world = ledger.world
    world.make("new")
    with ledger.killed_at("write k4"):
        migrate(world.context(), "Memory::Box", place("old", "a/"), place("new", "a/"), PLAIN)
    migrate(world.context(), "Memory::Box", place("old", "b/"), place("new", "b/"), PLAIN)
    states = sorted(marker.state for marker in world.markers.values())
    assert states == [MarkerState.COMPLETE, MarkerState.RUNNING]
    assert len(world.journals) == 2


@pytest.mark.parametrize("data", [True, False])
def test_what_another_stack_claims_is_not_made_for_it(ledger: Ledger, data: bool) -> None:
    """A stack deletes by name: what is created under its resource's name would go with it."""
    world = ledger.world
    world.owners["new"] = Owner(Ownership.OTHER_STACK, "Theirs", "Box")
    if not data:
        world.boxes["old"].clear()
    with pytest.raises(DatawareError):
        ledger.apply()
    assert "new" not in world.boxes
