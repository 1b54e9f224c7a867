"""Every run that changes something ends with a sum, and one that does not says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.errors import IncompleteError
from dataware.core.model import Creator, ImportMode, Location, Wanted
from dataware.ops.apply import apply_plan
from dataware.ops.context import CopySettings
from dataware.ops.migrate_by_hand import migrate
from dataware.ops.plan import make_plan
from dataware.ops.run_summary import AdoptionMethod
from support.world import World, install

BOX = Wanted("Box", "Memory::Box", "new", ("old",))
PLAIN = Wanted("Plain", "Memory::Box", "fresh")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which the fallback holds five keys."""
    world = World(boxes={"old": {f"k{n}": "v" for n in range(5)}}, identities={"old": 1})
    install(monkeypatch, world)
    return world


def run_apply(there: World, *wanted: Wanted, **options: bool) -> None:
    """Plan and apply in one go."""
    context = there.context()
    apply_plan(context, make_plan(context, wanted, report=False), CopySettings(), **options)


def test_a_run_ends_with_what_was_done_and_what_is_left(there: World) -> None:
    """Copied, created, in place; and what belongs to no stack yet."""
    there.make("mine")
    there.boxes["mine"]["k"] = "v"
    run_apply(there, BOX, PLAIN, replace(PLAIN, id="Mine", preferred="mine"))
    (done,) = there.events.texts("sum")
    assert done.startswith("Done in ")
    assert ": 1 copied and verified (5 keys" in done
    assert done.endswith("), 1 created, 1 already in place. Sources untouched.")
    (left,) = there.events.texts("left-to-do")
    assert left.startswith("Left to do: new, fresh belong to no stack yet; `dataware deploy`")


@pytest.mark.parametrize(
    ("way", "text"),
    [
        (AdoptionMethod.DEPLOY, "; `dataware deploy` lets the app adopt it"),
        (
            AdoptionMethod.CHANGE_SET,
            "; a change set with --import-existing-resources lets the stack adopt it (aws "
            "cloudformation create-change-set)",
        ),
    ],
)
def test_what_is_left_names_who_can_adopt(there: World, way: AdoptionMethod, text: str) -> None:
    """`dataware deploy` is no way on for a template without CDK."""
    context = there.context()
    plan = make_plan(context, [BOX], report=False)
    apply_plan(context, plan, CopySettings(), adoption=way)
    (left,) = there.events.texts("left-to-do")
    assert left == f"Left to do: new belongs to no stack yet{text}"


def test_every_event_of_a_copy_names_the_kind(there: World) -> None:
    """Else a bucket and a table of one name would share a bar, and a line of the sum."""
    run_apply(there, BOX, PLAIN)
    named = [one for one in there.events if one.data.get("name") in ("new", "fresh")]
    assert {one.data.get("kind") for one in named if one.code != "decision"} == {"memory-box"}
    assert {"found", "progress", "verifying", "migrated", "verified", "created"} >= {
        one.code for one in named if one.code in ("found", "progress", "created", "verified")
    }


def test_a_copy_by_hand_ends_with_a_sum(there: World) -> None:
    """What was copied, and what remains to be done by a person."""
    there.make("new")
    context = there.context()
    here = (context.aws.account, context.aws.region)
    migrate(context, BOX.type, Location("old", *here), Location("new", *here), CopySettings())
    (done,) = there.events.texts("sum")
    assert done.startswith("Done in ")
    assert ": 1 copied and verified (5 keys" in done
    assert done.endswith("). Source untouched.")
    assert there.events.texts("left-to-do") == [
        "Left to do: point the app at new; old is unchanged and stays"
    ]


def test_what_is_referenced_stays_without_a_stack(there: World) -> None:
    """Whoever asked for references has nothing left to do."""
    run_apply(there, replace(BOX, import_mode=ImportMode.REFERENCE))
    assert there.events.texts("sum")
    assert not there.events.texts("left-to-do")


def test_what_was_there_and_empty_belongs_to_no_stack_either(there: World) -> None:
    """It is filled, and whoever adopts it has still to do so; what a stack has is no work left."""
    there.make("new")
    run_apply(there, BOX)
    assert there.events.texts("left-to-do")[0].startswith("Left to do: new belongs to no stack")


def test_a_run_that_ends_early_says_how_far_it_came(there: World) -> None:
    """What was finished is told before the reason why something was not."""
    waits = replace(BOX, id="W", preferred="waits", unresolved=("Key",))
    with pytest.raises(IncompleteError):
        run_apply(there, waits, BOX)
    (text,) = there.events.texts("unfinished")
    assert ": 1 copied and verified (5 keys" in text
    assert ", 1 not finished" in text
    assert not there.events.texts("sum")


@pytest.mark.parametrize(
    ("holding", "empty", "text"),
    [
        (1, 0, "1 resource already holds its data"),
        (4, 1, "4 resources already hold their data (1 more exists and is empty)"),
        (2, 3, "2 resources already hold their data (3 more exist and are empty)"),
        (0, 2, "2 resources exist and are empty"),
    ],
)
def test_a_run_with_nothing_to_copy_says_why(
    there: World, holding: int, empty: int, text: str
) -> None:
    """What is empty is never said to hold data."""
    names = [f"full{n}" for n in range(holding)] + [f"empty{n}" for n in range(empty)]
    for name in names:
        there.make(name)
        there.boxes[name].update({"k": "v"} if name.startswith("full") else {})
    run_apply(there, *(replace(PLAIN, id=name, preferred=name) for name in names))
    assert there.events.texts("nothing-to-copy") == [f"Nothing to copy: {text}"]


def test_what_a_deployment_creates_is_no_data_in_place(there: World) -> None:
    """It is told as left to it."""
    run_apply(there, replace(PLAIN, creator=Creator.DEPLOYMENT))
    assert there.events.texts("nothing-to-copy") == [
        "Nothing to copy: 1 resource deferred to the deployment"
    ]


def test_who_sums_up_by_himself_gets_no_sum(there: World) -> None:
    """As `deploy`, which goes on afterwards."""
    run_apply(there, BOX, sums_up=False)
    assert not {"sum", "left-to-do", "nothing-to-copy"} & set(there.events.codes)
