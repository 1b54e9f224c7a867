"""A copy that leaves something out needs consent, and is called partial to the end."""

from __future__ import annotations

import pytest

from dataware.core.errors import RefusedError
from dataware.core.model import Action, Location, MarkerState, Wanted
from dataware.ops.context import CopySettings
from dataware.ops.migrate_by_hand import migrate
from dataware.ops.plan import make_plan
from support.world import World, install

LEFT_OUT = ("passwords", "devices")
OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """Two boxes of a type whose copies are partial; the old one holds three keys."""
    world = World(boxes={"old": {f"k{n}": "v" for n in range(3)}}, identities={"old": 1})
    world.make("new")
    install(monkeypatch, world, not_carried=LEFT_OUT, in_plans=False)
    return world


def test_nothing_begins_without_consent(there: World) -> None:
    """The refusal names what is left out, and how to agree; there is no record of it."""
    with pytest.raises(RefusedError, match=r"leaves out passwords and devices.*--allow-partial"):
        migrate(there.context(), "Memory::Box", OLD, NEW, CopySettings())
    assert (there.boxes["new"], there.markers) == ({}, {})


def test_it_ends_as_partial_with_what_it_left_out(there: World) -> None:
    """In the line, in the sum and in the record."""
    migrate(there.context(), "Memory::Box", OLD, NEW, CopySettings(allow_partial=True))
    (line,) = there.events.texts("migrated-partly")
    assert line == "Copied in part to new; left out: passwords and devices"
    assert "migrated" not in there.events.codes
    assert "1 copied in part and verified (3 keys" in there.events.texts("sum")[0]
    record = there.markers["new"]
    assert record.state is MarkerState.COMPLETE
    assert record.detail["not_carried"] == list(LEFT_OUT)


def test_a_plan_names_what_would_be_left_out_and_the_consent(there: World) -> None:
    """It copies nothing by itself."""
    wanted = Wanted("Box", "Memory::Box", "new", ("old",))
    (planned,) = make_plan(there.context(), [wanted], report=False).resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 18)
    assert "it leaves out passwords and devices" in planned.decision.reason
    assert "box://old box://new --allow-partial" in planned.decision.reason
