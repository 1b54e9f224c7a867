"""The guard, where names and stacks of one name stand in several environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dataware.core.destructive_change import Loss
from dataware.core.errors import InputError
from dataware.core.model import Deployed, Wanted
from dataware.core.stack_template import DeclaredResource, StackTemplate
from dataware.ops.guard import losses, mark_allowed
from dataware.ops.inputs.wanted import App
from ops.test_guard import StackedAws
from support.world import World, install

BOX, ACCOUNT, HERE, THERE = "Memory::Box", "111122223333", "eu-central-1", "us-east-1"
REGIONS = (HERE, THERE)


def arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    """Boxes have names of their own in each region."""
    return (f"arn:{partition}:box:{region}:{account}:box/{name}",)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with full boxes, which are seen from both regions."""
    world = World(boxes={"orders": {"a": "b"}}, identities={"orders": 1})
    install(monkeypatch, world, arns=arns)
    return world


def box(name: str, policy: str | None = None) -> DeclaredResource:
    """A box of a template."""
    return DeclaredResource(BOX, {"Name": name}, policy, policy)


def template(region: str, **resources: DeclaredResource) -> StackTemplate:
    """The stack `app` of one region."""
    return StackTemplate("app", resources, region=region, id=f"App-{region}")


def found_in(world: World, app: App, deployed: Mapping[str, Mapping[str, Any]]) -> Any:
    """What would be lost, with the resources of `app` deployed by region."""

    def at(region: str) -> StackedAws:
        held = deployed.get(region, {})
        resources = {
            logical_id: {
                "Type": BOX,
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {"Name": one.physical_id},
            }
            for logical_id, one in held.items()
        }
        return StackedAws(
            world,
            region=region,
            held={"app": held},
            templates={"app": {"Resources": resources}},
            elsewhere=at,
        )

    return losses(at(HERE), app).threats


ORDERS = {"Orders": Deployed(BOX, "orders")}


def test_stacks_of_one_name_are_judged_apart(there: World) -> None:
    """The one that keeps its box is fine, the other one's loss is told with its region."""
    keeps, loses = template(HERE, Orders=box("orders")), template(THERE)
    app = App([], stacks=(loses, keeps))
    (threat,) = found_in(there, app, {HERE: ORDERS, THERE: ORDERS})
    assert (threat.region, threat.key) == (THERE, f"App-{THERE}")
    assert f"of stack app in {THERE}" in threat.reason
    assert threat.loss is Loss.LEAVES


def test_a_name_that_is_declared_elsewhere_is_no_move(there: World) -> None:
    """A box of the same name in another region is another box."""
    app = App([], stacks=(template(HERE, New=box("orders")), template(THERE)))
    (threat,) = found_in(there, app, {THERE: ORDERS})
    assert threat.loss is Loss.LEAVES
    app = App([], stacks=(template(HERE, New=box("orders")),))
    (threat,) = found_in(there, app, {HERE: ORDERS})
    assert threat.loss is Loss.MOVES


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("by_arn", [False, True])
def test_only_a_fallback_of_the_same_environment_is_carried_over(
    there: World, region: str, *, by_arn: bool
) -> None:
    """Data that another region's app copies from a table of that name is not this table's."""
    fallback = arns("orders", ACCOUNT, THERE, "aws")[0] if by_arn else "orders"
    wanted = Wanted("x", BOX, "orders-new", (fallback,), region=HERE if by_arn else region)
    app = App([wanted], stacks=(template(THERE),))
    found = found_in(there, app, {THERE: ORDERS})
    assert bool(found) == (not by_arn and region == HERE)


def test_a_loss_is_allowed_by_what_tells_stacks_apart(there: World) -> None:
    """A name that means two stacks is refused, and their ids in the app are offered."""
    app = App([], stacks=(template(HERE), template(THERE)))
    found = found_in(there, app, {HERE: ORDERS, THERE: ORDERS})
    for name in ("Orders", "app/Orders"):
        with pytest.raises(InputError, match=f"name one of App-{HERE}/Orders, App-{THERE}/Orders"):
            mark_allowed(found, [name])
    marked = mark_allowed(found, [f"App-{THERE}/Orders"])
    assert {one.key: one.allowed for one in marked} == {f"App-{HERE}": False, f"App-{THERE}": True}
