"""Planning of types that CloudFormation cannot import by name: referenced, or a stop."""

from __future__ import annotations

import pytest

from dataware.core.lock_file import lock_entries
from dataware.core.model import Action, ImportMode, Wanted
from dataware.core.plan import Plan
from dataware.ops.plan import make_plan
from support.world import World, install

BOX = "Memory::Box"


def plan_of(monkeypatch: pytest.MonkeyPatch, there: World, **more: object) -> Plan:
    """The plan for one box of a type that cannot be adopted."""
    install(monkeypatch, there, adoptable=False)
    return make_plan(there.context(), [Wanted("id", BOX, "new", ("old",), **more)])


def world(**boxes: int) -> World:
    """A world of boxes by their number of keys."""
    contents = {name: {f"k{n}": "v" for n in range(keys)} for name, keys in boxes.items()}
    return World(boxes=contents, identities=dict.fromkeys(boxes, 1))


@pytest.mark.parametrize("boxes", [{"new": 2}, {"new": 0}, {"new": 0, "old": 0}])
def test_an_existing_one_that_a_template_declares_is_a_stop(
    monkeypatch: pytest.MonkeyPatch, boxes: dict[str, int]
) -> None:
    """CloudFormation would create a second one of that name, and leave the data in the first."""
    (planned,) = plan_of(monkeypatch, world(**boxes), stack="Demo", logical_id="Users").resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 20)
    assert "remove Users from the template and refer to new" in planned.decision.reason


def test_what_has_a_read_only_id_is_not_adopted_by_a_nested_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stop names the stack that can adopt it, and the reference that works where it is."""
    install(monkeypatch, world(new=2), adoptable=False, import_identifier="BoxId")
    wanted = [Wanted("id", BOX, "new", ("old",), stack="Demo/Inner", logical_id="Users")]
    (planned,) = make_plan(world(new=2).context(), wanted).resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 20)
    reason = planned.decision.reason
    assert "cannot adopt a" in reason and "in a nested stack" in reason
    assert "declare Users in stack Demo itself, which adopts it, or remove Users" in reason


def test_an_existing_one_that_a_construct_refers_to_is_referenced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What asks for a reference gets one."""
    more = {"stack": "Demo", "logical_id": "Users", "import_mode": ImportMode.REFERENCE}
    (planned,) = plan_of(monkeypatch, world(new=2), **more).resources
    assert planned.decision.action is Action.IMPORT
    assert planned.decision.import_mode is ImportMode.REFERENCE


def test_outside_of_stacks_nothing_is_adopted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a template there is nothing that could create a second one."""
    (planned,) = plan_of(monkeypatch, world(new=2)).resources
    assert planned.decision.action is Action.IMPORT
    assert planned.decision.import_mode is ImportMode.REFERENCE


def test_an_absent_one_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing exists, a template that declares it is right."""
    (planned,) = plan_of(monkeypatch, world(), stack="Demo", logical_id="Users").resources
    assert (planned.decision.action, planned.decision.rule) == (Action.CREATE, 5)


def test_the_lock_file_has_no_id_where_the_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry names a physical id only where it is not the name."""
    (entry,) = lock_entries(plan_of(monkeypatch, world(new=2))).values()
    assert "physical_id" not in entry


@pytest.mark.parametrize("stack", [None, "Demo/Inner"])
def test_nothing_is_copied_into_what_no_stack_could_adopt_afterwards(
    monkeypatch: pytest.MonkeyPatch, stack: str | None
) -> None:
    """Else the first run would end well, and the same command would be refused from then on."""
    install(monkeypatch, world(old=2), adoptable=False, import_identifier="BoxId")
    wanted = [Wanted("id", BOX, "new", ("old",), stack=stack, logical_id="Users")]
    (planned,) = make_plan(world(old=2).context(), wanted).resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 20)
    assert "new would belong to no stack" in planned.decision.reason
    way = "name the stack with --stack" if stack is None else "declare Users in stack Demo itself"
    assert way in planned.decision.reason
