"""A plan file that somebody has changed is refused in a sentence, or means what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import DatawareError, InputError
from dataware.core.estimate import Prices
from dataware.core.model import Wanted
from dataware.core.plan import Plan
from dataware.ops.apply import apply_plan
from dataware.ops.context import CopySettings
from dataware.ops.inputs.files import read_plan, save_plan
from dataware.ops.plan import make_plan
from support.shapes import nodes_of, replaced
from support.world import World, install

BOX = "Memory::Box"
PRICES = Prices("list", "2026-11", "eu-central-1", "a page", {"s3.put": 5e-6})
JUNK: dict[str, Any] = {
    "nothing": None,
    "a number": 7,
    "a negative number": -1,
    "no number": float("nan"),
    "a text": "../x",
    "a truth value": True,
    "a list": [[]],
    "a mapping": {"a": {}},
}


def world() -> World:
    """A full box that is to be copied, and one that stands."""
    boxes = {"old": {"a": "1", "b": "2"}, "there": {"c": "3"}}
    return World(boxes=boxes, identities={"old": 1, "there": 2})


def plan_of(there: World) -> Plan:
    """A plan of both."""
    wanted = [
        Wanted("Box", BOX, "new", ("old",), {"Name": "new", "Tags": ["x"]}),
        Wanted("There", BOX, "there"),
    ]
    return make_plan(there.context(), wanted, prices=PRICES)


@pytest.mark.parametrize("junk", JUNK)
def test_every_field_may_be_anything(
    junk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused when it is read, refused when the facts are seen again, or carried out."""
    install(monkeypatch, world())
    path = tmp_path / "plan.json"
    save_plan(plan_of(world()), path)
    document = json.loads(path.read_text())
    for node in nodes_of(document):
        path.write_text(json.dumps(replaced(document, node, JUNK[junk])))
        try:
            plan = read_plan(path)
        except InputError as error:
            assert "\n" not in str(error)
            assert str(error).startswith(str(path)), node
            continue
        there = world()
        install(monkeypatch, there)
        try:
            apply_plan(there.context(), plan, CopySettings(), saved=True)
        except DatawareError as error:
            assert "\n" not in str(error)
        assert there.boxes["old"] == world().boxes["old"]
        assert there.boxes["there"] == world().boxes["there"]


def test_every_field_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is not there is named."""
    install(monkeypatch, world())
    path = tmp_path / "plan.json"
    save_plan(plan_of(world()), path)
    document = json.loads(path.read_text())
    whole = document["resources"][0]
    # What engines there are is shown only, and a plan of an earlier version names none.
    required = [name for name in whole if name not in {"engine", "engines"}]
    for name in [*required, *whole["wanted"]]:
        damaged = json.loads(path.read_text())
        resource = damaged["resources"][0]
        (resource if name in resource else resource["wanted"]).pop(name)
        other = tmp_path / "other.json"
        other.write_text(json.dumps(damaged))
        with pytest.raises(InputError, match=f"{name} is missing"):
            read_plan(other)
