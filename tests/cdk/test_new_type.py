"""A new resource type gets its construct by one class: the rest is on its card."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnResource, RemovalPolicy, Resource
from constructs import Construct

from cdk.apps import entry, errors, make_stack, resources, write_lock
from dataware.cdk import DataAwareResource
from dataware.core.model import Action
from support.world import World, install

BOX = "Memory::Box"


class Box(Resource):
    """What a CDK library would bring for the type."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        removal_policy: RemovalPolicy,
        colour: str = "brown",
    ) -> None:
        super().__init__(scope, id, physical_name=name)
        properties = {"Name": name, "Colour": colour}
        declared = CfnResource(self, "Resource", type=BOX, properties=properties)
        declared.apply_removal_policy(removal_policy)
        self.box_name = name

    @staticmethod
    def from_name(scope: Construct, id: str, name: str) -> Any:
        """A box that stands outside of the stack."""
        made = Construct(scope, id)
        made.box_name = name
        return made


class DataAwareBox(DataAwareResource):
    """A box that looks at its keys first."""

    _cfn_type = BOX
    _l2 = Box

    def __init__(self, scope: Construct, id: str, *, preferred_name: str, **options: Any) -> None:
        super().__init__(scope, id, preferred_name, options)

    @property
    def box(self) -> Any:
        """The box: declared by this stack, or referenced."""
        return self._resource


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The card of the type, which is looked at and never copied."""
    install(
        monkeypatch, World(), copying=None, arns=lambda name, *_where: (f"arn:aws:box:::{name}",)
    )


def test_the_construct_of_a_new_type_declares_it() -> None:
    """The name comes from the card, and everything else as CDK takes it."""
    write_lock({f"{BOX} full": entry()})
    stack = make_stack(lookup="never")
    made = DataAwareBox(stack, "Box", preferred_name="full", colour="red")
    assert errors(stack) == []
    (declared,) = resources(stack).values()
    assert (declared["Type"], declared["Properties"]) == (BOX, {"Name": "full", "Colour": "red"})
    assert declared["DeletionPolicy"] == "RetainExceptOnCreate"
    assert declared["Metadata"]["Dataware"] == {"Fallback": []}
    assert made.decision.action is Action.CREATE


def test_the_construct_of_a_new_type_refers_to_what_stands_outside() -> None:
    """CDK's own way to refer by a name is found by the property of the card."""
    write_lock({f"{BOX} full": entry("import", 1, exists="yes", **{"import": "reference"})})
    stack = make_stack(lookup="never")
    made = DataAwareBox(stack, "Box", preferred_name="full", colour="red")
    assert errors(stack) == []
    assert (resources(stack), made.box.box_name) == ({}, "full")


def test_the_construct_of_a_new_type_takes_the_name_in_one_place() -> None:
    """CDK's own property for the name is refused with what to write instead."""
    with pytest.raises(ValueError, match="name is not supported here: give preferred_name"):
        DataAwareBox(make_stack(lookup="collect"), "Box", preferred_name="full", name="other")
