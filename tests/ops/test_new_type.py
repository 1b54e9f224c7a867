"""A new resource type is one card and one line: everything else is made from the card."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from dataware.core.model import Action, Deployed, Wanted
from dataware.core.stack_template import DeclaredResource, StackTemplate
from dataware.ops.guard import guard
from dataware.ops.inputs.files import save_lock
from dataware.ops.inputs.wanted import App
from dataware.ops.plan import make_plan
from dataware.ops.policy import iam_policy
from ops.test_guard import StackedAws, context_of, document
from support.world import World, install

BOX = "Memory::Box"
GENERATE = Path(__file__).resolve().parents[2] / "scripts/generate_docs.py"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with one full box, of a type that is looked at, kept and referenced, not copied."""
    world = World(boxes={"full": {"k": "v"}}, identities={"full": 1})
    install(
        monkeypatch,
        world,
        copying=None,
        phases={"probe": ("box:Look",), "create": ("box:Make",)},
        arns=lambda name, account, region, partition: (
            f"arn:{partition}:box:{region}:{account}:box/{name}",
        ),
    )
    return world


def test_a_type_is_planned_and_locked_by_its_card(there: World, tmp_path: Path) -> None:
    """What holds data is imported, and the lock file holds the decision under the type's name."""
    plan = make_plan(there.context(), [Wanted("Box", BOX, "full", stack="App", logical_id="Box")])
    (planned,) = plan.resources
    assert planned.decision.action is Action.IMPORT
    lock = tmp_path / "dataware.lock.json"
    save_lock(plan, lock)
    (entries,) = json.loads(lock.read_text("utf-8"))["environments"].values()
    assert list(entries) == [f"{BOX} full"]


def test_data_of_a_type_that_is_not_copied_stops_the_plan(there: World) -> None:
    """A fallback with data is never left behind in silence."""
    (planned,) = make_plan(there.context(), [Wanted("Box", BOX, "new", ("full",))]).resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 18)
    assert "cannot copy a memory box" in planned.decision.reason


def test_a_type_is_guarded_by_its_card(there: World) -> None:
    """What a stack would lose of it is told, with whether it holds data."""
    deployed = {"App": {"Box": Deployed(BOX, "full")}}
    aws = StackedAws(there, held=deployed, templates={"App": document("full")})
    renamed = StackTemplate("App", {"Box": DeclaredResource(BOX, {"Name": "other"})})
    (lost,) = guard(context_of(there, aws), App([], stacks=(renamed,))).threats
    assert (lost.noun, lost.logical_id, lost.name) == ("memory box", "Box", "full")


def test_a_type_has_its_actions_in_the_policy(there: World) -> None:
    """The printed policy allows what the card says, on the resource that it names."""
    policy = iam_policy(
        [Wanted("Box", BOX, "full")], account="1", region="r", partition="aws", shared={}
    )
    (statement,) = policy["Statement"]
    assert statement["Action"] == ["box:Look", "box:Make"]
    assert statement["Resource"] == ["arn:aws:box:r:1:box/full"]


def test_a_type_has_a_part_of_the_page_of_types(there: World) -> None:
    """The page is printed from the cards."""
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    page = generate.cards()
    assert "## memory box (`Memory::Box`)" in page
    assert "- migrated: no" in page
    assert "| probe | `box:Look` |" in page
