"""A difference counts as explained only by the very key that a copy reported as left behind."""

from __future__ import annotations

import pytest

from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, Unit
from dataware.core.errors import IncompleteError
from dataware.core.model import Location, MarkerState, Wanted
from dataware.ops.apply import apply_plan
from dataware.ops.context import CopySettings
from dataware.ops.plan import make_plan
from dataware.verify.merge import DifferenceKind
from support.world import BoxCopier, World, install

LISTED = 1000
"""How many differences a verdict lists here; the real number takes long to reach."""

ACCEPTING = CopySettings(allow_skipped=True)
WANTED = Wanted("Box", "Memory::Box", "new", ("old",))


def world_with(monkeypatch: pytest.MonkeyPatch, keys: int) -> World:
    """A world whose copier loses the key ``lost`` in every round and says that it copied it."""
    monkeypatch.setattr("dataware.verify.verdict.LISTED", LISTED)
    names = [f"k{n:05}" for n in range(keys)] + ["lost"]
    world = World(boxes={"old": dict.fromkeys(names, "v")}, identities={"old": 1})

    class Forgetful(BoxCopier):
        async def write(self, unit: Unit) -> CopyOutcome:
            if unit.payload == "lost":
                return CopyOutcome(copied=1)
            return await super().write(unit)

    def copier(_tools: CopyTools, order: CopyOrder) -> Forgetful:
        return Forgetful(world, order)

    install(monkeypatch, world, copier=copier)
    return world


def apply(world: World) -> None:
    """One `dataware apply --allow-skipped`."""
    context = world.context()
    apply_plan(context, make_plan(context, [WANTED]), ACCEPTING)


def test_what_is_only_in_the_target_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much the target holds of its own, a missing key is still listed."""
    world = world_with(monkeypatch, 3)
    world.make("new")
    world.archived = {"k00001"}
    for n in range(LISTED + 1):
        world.boxes["new"][f"a{n:05}"] = "its own"
    world.boxes["new"]["k00001"] = "v"
    world.markers.clear()
    with pytest.raises(IncompleteError):
        apply_over_own_data(world)
    assert world.markers["new"].state is MarkerState.RUNNING


def apply_over_own_data(world: World) -> None:
    """A copy by hand into a box that holds data."""
    from dataware.ops.migrate_by_hand import migrate

    old, new = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
    migrate(world.context(), "Memory::Box", old, new, ACCEPTING)


def test_what_is_beyond_the_list_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost key among thousands that were left behind is no less lost."""
    world = world_with(monkeypatch, LISTED + 20)
    world.archived = {f"k{n:05}" for n in range(LISTED + 20)}
    world.make("new")
    world.boxes["new"]["k00003"] = world.boxes["new"]["k00004"] = "v"
    with pytest.raises(IncompleteError):
        apply_over_own_data(world)
    assert world.markers["new"].state is MarkerState.RUNNING


def test_lists_are_bounded_by_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepting what was left behind completes, however much it is."""
    world = world_with(monkeypatch, LISTED + 21)
    del world.boxes["old"]["lost"]
    world.archived = {f"k{n:05}" for n in range(LISTED + 20)}
    apply(world)
    assert world.markers["new"].state is MarkerState.COMPLETE
    assert world.events.texts("warning") == [
        f"differences: {LISTED + 20:,} {DifferenceKind.MISSING}"
    ]
