"""Applying: what the plan says, nothing when it stops, nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.errors import IncompleteError, RefusedError, WriteDeniedError
from dataware.core.model import Creator, MarkerState, Owner, Ownership, Wanted
from dataware.core.plan import Plan
from dataware.ops.apply import apply_plan
from dataware.ops.context import CopySettings
from dataware.ops.plan import make_plan
from support.world import World, install

BOX = Wanted("Box", "Memory::Box", "new", ("old",))
PLAIN = CopySettings()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which the fallback holds five keys."""
    world = World(boxes={"old": {f"k{n}": "v" for n in range(5)}}, identities={"old": 1})
    install(monkeypatch, world)
    return world


def applied(there: World, *wanted: Wanted) -> Plan:
    """Plan and apply in one go."""
    context = there.context()
    return apply_plan(context, make_plan(context, wanted, report=False), PLAIN)


def test_a_migration_is_carried_out_and_then_there_is_nothing_to_do(there: World) -> None:
    """The first run creates and copies; the second changes nothing."""
    applied(there, BOX)
    assert there.boxes["new"] == there.boxes["old"]
    there.log.clear()
    applied(there, BOX)
    assert there.log == []
    assert there.events.codes[-1] == "nothing-to-copy"


def test_what_needs_attention_is_the_last_line(there: World) -> None:
    """Two live data sets are not "nothing to do", whether or not something else was copied."""
    there.make("old-prod")
    there.boxes["old-prod"]["mine"] = "x"
    both = replace(BOX, id="Both", preferred="old-prod")
    applied(there, both)
    assert there.events.codes[-1] == "needs-attention"
    assert "nothing-to-copy" not in there.events.codes
    assert there.events.texts("needs-attention") == [
        "Nothing had to be changed, and 1 needs your attention (old-prod): see the warnings above"
    ]
    there.make("other")
    there.boxes["other"]["mine"] = "x"
    applied(there, replace(BOX, id="Copied", preferred="copied", fallbacks=("other",)), both)
    assert there.events.texts("needs-attention")[-1] == (
        "1 needs your attention (old-prod): see the warnings above"
    )


def test_warnings_of_the_whole_plan_are_told(there: World) -> None:
    """A fallback that two share is a warning of `apply`, too."""
    applied(there, BOX, replace(BOX, id="B", preferred="b"))
    assert "old is a fallback of 2 resources" in there.events.texts("warning")
    assert there.events.codes[-1] == "needs-attention"


def test_each_decision_is_told_right_before_it_is_carried_out(there: World) -> None:
    """Lines of one resource stand together, not all decisions first."""
    applied(there, replace(BOX, id="A", preferred="a"), replace(BOX, id="B", preferred="b"))
    lines = [code for code in there.events.codes if code in ("migrating", "migrated")]
    assert lines == ["migrating", "migrated", "migrating", "migrated"]


def test_one_stop_ends_everything_before_it_begins(there: World) -> None:
    """A stop rule at any resource means that nothing at all is changed."""
    there.make("theirs")
    there.owners["theirs"] = Owner(Ownership.OTHER_STACK, "Legacy", "Box")
    with pytest.raises(RefusedError, match="nothing was changed, because of theirs"):
        applied(there, BOX, replace(BOX, id="T", preferred="theirs"))
    assert there.log == []
    assert "stopped" in there.events.codes


def test_a_missing_resource_is_created(there: World) -> None:
    """Without data anywhere, apply makes the preferred resource of a dataware.toml."""
    applied(there, replace(BOX, fallbacks=()))
    assert there.boxes["new"] == {}
    assert there.events.texts("created") == ["Created memory box: new"]


def test_an_apps_own_stack_creates_what_needs_no_data(there: World) -> None:
    """With a template, an empty resource is left to the deployment."""
    applied(there, replace(BOX, fallbacks=(), creator=Creator.DEPLOYMENT))
    assert "new" not in there.boxes
    assert "deferred" in there.events.codes


def test_what_refers_to_other_resources_waits_for_the_deployment(there: World) -> None:
    """Properties that only the stack can resolve: deploy first, then apply again."""
    with pytest.raises(RefusedError, match="nothing was changed: new waits for its deployment"):
        applied(there, replace(BOX, creator=Creator.DEPLOYMENT, unresolved=("Key",)))
    assert there.log == []


def test_an_incomplete_resource_does_not_hold_up_the_others(there: World) -> None:
    """Every resource gets its turn; the end says which has to be applied again."""
    waits = replace(BOX, id="W", preferred="waits", unresolved=("Key",))
    with pytest.raises(IncompleteError, match="waits waits for its deployment"):
        applied(there, waits, BOX)
    assert there.boxes["new"] == there.boxes["old"]


def test_a_saved_plan_is_looked_at_again(there: World) -> None:
    """A plan whose facts still hold is carried out."""
    context = there.context()
    saved = Plan.from_json(make_plan(context, [BOX]).to_json())
    apply_plan(context, saved, PLAIN, saved=True)
    assert there.boxes["new"] == there.boxes["old"]


def test_a_saved_plan_is_refused_when_a_fact_has_changed(there: World) -> None:
    """What was approved is not what would happen now, so nothing happens."""
    context = there.context()
    saved = make_plan(context, [BOX])
    there.make("new")
    there.boxes["new"]["k0"] = "somebody else's"
    with pytest.raises(RefusedError, match="new exists was no and is yes"):
        apply_plan(context, saved, PLAIN, saved=True)
    assert there.log == []


def test_a_saved_plan_goes_on_where_it_was_interrupted(there: World) -> None:
    """What the plan has done itself is no changed fact: applied again, it continues."""
    context = there.context()
    saved = Plan.from_json(make_plan(context, [BOX, replace(BOX, id="C", preferred="c")]).to_json())
    stopped = replace(context, stop=lambda: there.markers.get("new") is not None)
    with pytest.raises(IncompleteError):
        apply_plan(stopped, saved, PLAIN, saved=True)
    assert there.markers["new"].state is MarkerState.RUNNING
    apply_plan(context, saved, PLAIN, saved=True)
    assert there.boxes["new"] == there.boxes["c"] == there.boxes["old"]
    apply_plan(context, saved, PLAIN, saved=True)


def test_a_saved_plan_belongs_to_its_account_and_region(there: World) -> None:
    """A plan for production is not applied elsewhere."""
    context = there.context()
    saved = replace(make_plan(context, [BOX]), region="us-east-1")
    with pytest.raises(RefusedError, match="us-east-1"):
        apply_plan(context, saved, PLAIN, saved=True)


def test_what_a_stack_owns_is_filled_but_stays_its_own(there: World) -> None:
    """Rule 6: keep and migrate; the import mode stays empty."""
    there.make("new")
    there.owners["new"] = Owner(Ownership.OTHER_STACK, "Demo", "Box")
    plan = applied(there, replace(BOX, stack="Demo", logical_id="Box"))
    assert plan.resources[0].decision.import_mode is None
    assert there.boxes["new"] == there.boxes["old"]
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_a_wish_to_stop_leaves_the_rest_for_the_next_run(there: World) -> None:
    """Asked to stop before a resource, apply says that it was not begun."""
    context = there.context(stop=lambda: True)
    plan = make_plan(context, [BOX])
    with pytest.raises(IncompleteError, match="new has not begun"):
        apply_plan(context, plan, PLAIN)
    assert there.log == []


def test_a_stopped_run_lists_only_what_was_to_be_changed(there: World) -> None:
    """What needs nothing is told as it is, also after a wish to stop."""
    there.make("full")
    there.boxes["full"]["k"] = "v"
    context = there.context(stop=lambda: True)
    plan = make_plan(context, [BOX, replace(BOX, id="F", preferred="full", fallbacks=())])
    with pytest.raises(IncompleteError) as caught:
        apply_plan(context, plan, PLAIN)
    assert str(caught.value) == "new has not begun"


def test_a_plan_of_which_every_write_is_denied_copies_nothing(there: World) -> None:
    """It is an error and not incomplete, and the same plan goes on once they are allowed."""
    there.denied = set(there.boxes["old"])
    with pytest.raises(WriteDeniedError, match=r"nothing was copied to new"):
        applied(there, BOX)
    there.denied = set()
    applied(there, BOX)
    assert there.boxes["new"] == there.boxes["old"]


def test_who_goes_on_afterwards_sums_up_by_himself(there: World) -> None:
    """Within a deployment the copy is not the end, so no last line stands in its middle."""
    there.make("old-prod")
    there.boxes["old-prod"]["mine"] = "x"
    context = there.context()
    both = replace(BOX, id="Both", preferred="old-prod")
    for wanted in (both, replace(BOX, fallbacks=())):
        apply_plan(context, make_plan(context, [wanted], report=False), PLAIN, sums_up=False)
    assert not {"needs-attention", "nothing-to-copy"} & set(there.events.codes)
