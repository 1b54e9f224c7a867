"""No function, and no value of an odd kind, switches the guard off."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.expand import expand
from dataware.core.guard import AppIndex, threats
from dataware.core.kind import Kind
from dataware.core.model import Deployed
from dataware.core.stack_template import StackTemplate, read_declared
from dataware.core.values import MOST_LEVELS, Computed, Scope, count_levels, find_function
from dataware.kinds import kinds
from support.shapes import (
    CONDITIONAL,
    DATE,
    FUNCTIONS,
    INDEXED,
    JUNK,
    LOOPED,
    SHAPES,
    Node,
    deep,
    nodes_of,
    replaced,
)

CARDS = {kind.cfn_type: kind for kind in kinds() if kind.template.stateful}
ALL_JUNK = JUNK | DATE


def stack_of(document: Any) -> StackTemplate:
    """The stack that a document declares; what is no template declares nothing."""
    return read_declared("App", expand(document if isinstance(document, dict) else {}, CARDS))


def held_by(document: Any) -> dict[str, Deployed]:
    """What CloudFormation has made of a template with literal names."""
    return {
        one: Deployed(each.type, each.value(CARDS[each.type].template.identifier))
        for one, each in stack_of(document).resources.items()
        if each.type in CARDS
    }


def lost(before: Any, now: Any, held: dict[str, Deployed]) -> list[DestructiveChange]:
    """The resources that an update from one document to another would lose as a whole."""
    was = stack_of(before)
    found = threats(AppIndex(CARDS), stack_of(now), was.resources, held, was.unseen)
    return [one for one in found if one.loss is not Loss.DELETES]


def decides(document: Any, node: Node) -> set[str]:
    """The deployed resources whose going, name or key rests on a node."""
    held = held_by(document)
    if node in {(), ("Resources",)}:
        return set(held)
    if node[:2] in {("Conditions", "IsProd"), ("Parameters", "Stage")}:
        return {"Archive"} & held.keys() if node[-1] != "Type" else set()
    if len(node) < 2 or node[0] != "Resources" or node[1] not in held:
        return set()
    resource = document["Resources"][node[1]]
    matters = _of_resource(CARDS[resource["Type"]], node[2:])
    return {str(node[1])} if matters else set()


def _of_resource(kind: Kind, node: Node) -> bool:
    """Whether its going, name or key rests on a node of a resource."""
    if node in {(), ("Type",), ("Condition",)}:
        return True
    named = set() if kind.template.renamed_in_place else {kind.template.identifier}
    fixed = {*named, *kind.template.replaced_by, "AttributeDefinitions"}
    if node == ("Properties",):
        return bool(named)
    return node[0] == "Properties" and node[1] in fixed


def differing(document: Any, junk: Any) -> list[Node]:
    """The nodes in whose place the value is another one; no condition is none, as nothing is."""
    return [
        node
        for node in nodes_of(document)
        if replaced(document, node, junk) != document and (junk or node[2:] != ("Condition",))
    ]


PLAIN = [shape for shape in SHAPES if SHAPES[shape] is not LOOPED]


@pytest.mark.parametrize("shape", PLAIN)
@pytest.mark.parametrize("junk", ALL_JUNK)
def test_an_odd_value_in_the_new_template_is_a_threat_where_it_matters(
    shape: str, junk: str
) -> None:
    """Where going, name or key rest on it; nothing else is stopped without need."""
    document = SHAPES[shape]
    held = held_by(document)
    shared = {"Conditions", "Parameters", "Key"}  # what others rest on
    for node in differing(document, ALL_JUNK[junk]):
        found = {
            one.logical_id for one in lost(document, replaced(document, node, ALL_JUNK[junk]), held)
        }
        matters = decides(document, node)
        assert found >= matters, node
        if not shared.intersection(node[:2]):
            assert found == matters, node


@pytest.mark.parametrize("shape", PLAIN)
@pytest.mark.parametrize("junk", ALL_JUNK)
def test_an_odd_value_in_the_deployed_template_is_compared_too(shape: str, junk: str) -> None:
    """The name is known from the stack itself; of everything else that matters, it is not."""
    document = SHAPES[shape]
    held = held_by(document)
    for node in differing(document, ALL_JUNK[junk]):
        was = replaced(document, node, ALL_JUNK[junk])
        found = {one.logical_id for one in lost(was, document, held)}
        names = any(node[-1:] == (kind.template.identifier,) for kind in CARDS.values())
        typed = node[2:] == ("Type",)
        if not names and not typed and len(node) > 3:
            assert found >= decides(document, node), node


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_same_function_on_both_sides_is_the_same(shape: str, function: str) -> None:
    """The second deployment of a template full of functions is never stopped."""
    document = SHAPES[shape]
    held = held_by(document)
    for node in nodes_of(document):
        same = replaced(document, node, FUNCTIONS[function])
        if node[2:] == () or node[-1] == "Type":
            continue
        assert lost(same, same, held) == [], node


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("junk", ALL_JUNK)
def test_a_template_that_declares_nothing_any_more_loses_all(shape: str, junk: str) -> None:
    """Whatever stood in the deployed one, what the stack has would leave it."""
    document = SHAPES[shape]
    held = held_by(document)
    for node in nodes_of(document):
        was = replaced(document, node, ALL_JUNK[junk])
        assert {one.logical_id for one in lost(was, {}, held)} == held.keys(), node


def test_a_policy_that_is_not_literal_retains_nothing() -> None:
    """What would be deleted in one stage counts as deleted."""
    (threat,) = lost(CONDITIONAL, {"Resources": {}}, held_by(CONDITIONAL))
    assert "CloudFormation would delete it" in threat.outcome


def test_a_function_whose_definitions_change_is_another_one() -> None:
    """The expression is the same, and what it comes to is not."""
    names = {"Fn::FindInMap": ["Names", {"Ref": "Stage"}, "Table"]}
    at = ("Resources", "Orders", "Properties", "TableName")
    mapped = {**replaced(INDEXED, at, names), "Mappings": {"Names": {"prod": {"Table": "a"}}}}
    renamed = replaced(mapped, ("Mappings", "Names", "prod", "Table"), "b")
    described = replaced(mapped, ("Parameters", "Stage"), {"Type": "String", "Default": "prod"})
    described["Parameters"]["Stage"]["Description"] = "where it runs"
    held = held_by(INDEXED)
    assert lost(mapped, described, held) == []
    (threat,) = lost(mapped, renamed, held)
    assert "only CloudFormation resolves (Fn::FindInMap)" in threat.outcome


@pytest.mark.parametrize("condition", ["IsProd", {"Ref": "X"}])
def test_a_condition_that_is_new_may_leave_a_resource_out(condition: Any) -> None:
    """Whether it holds is known to CloudFormation alone."""
    at = ("Resources", "Orders")
    now = replaced(INDEXED, at, {**INDEXED["Resources"]["Orders"], "Condition": condition})  # type: ignore[index]
    (threat,) = lost(INDEXED, now, held_by(INDEXED))
    assert "which is new or changed, is false" in threat.outcome
    assert lost(now, now, held_by(INDEXED)) == []


def test_what_a_loop_made_stays_with_its_loop() -> None:
    """A loop over a parameter is the same as long as the parameter is; without it, all goes."""
    loop = replaced(LOOPED, ("Resources", "Fn::ForEach::Tables", 1), {"Ref": "Names"})
    first = {**loop, "Parameters": {"Names": {"Type": "CommaDelimitedList", "Default": "Red"}}}
    other = {**loop, "Parameters": {"Names": {"Type": "CommaDelimitedList", "Default": "Tan"}}}
    held = {"TableRed": Deployed("AWS::DynamoDB::Table", "Table-Red")}
    assert lost(first, first, held) == []
    assert [one.logical_id for one in lost(first, other, held)] == ["TableRed"]
    assert [one.logical_id for one in lost(first, {"Resources": {}}, held)] == ["TableRed"]
    fewer = replaced(LOOPED, ("Resources", "Fn::ForEach::Tables", 1), ["Blue"])
    assert [one.logical_id for one in lost(LOOPED, fewer, held_by(LOOPED))] == ["TableRed"]


def test_a_simple_table_is_guarded_as_the_table_it_becomes() -> None:
    """Its renaming, another key, and its going are seen."""
    at = ("Resources", "Visits")
    held = held_by(LOOPED)
    for node, value in (
        (("Properties", "TableName"), "other"),
        (("Properties", "PrimaryKey", "Name"), "k"),
    ):
        assert [
            one.logical_id for one in lost(LOOPED, replaced(LOOPED, (*at, *node), value), held)
        ] == ["Visits"]
    assert lost(LOOPED, LOOPED, held) == []


def test_levels_are_counted_up_to_one_too_many() -> None:
    """A list in a list is two levels, and no document is walked for ever."""
    assert [count_levels(one) for one in ("x", {"a": 1}, [["x"]], [[]], {})] == [0, 1, 2, 1, 0]
    assert count_levels(deep(MOST_LEVELS)) == MOST_LEVELS
    assert count_levels(deep(10 * MOST_LEVELS)) == MOST_LEVELS + 1


def test_one_place_tells_a_literal_from_a_function() -> None:
    """Every form has a name for people, and what looks like one is literal."""
    forms: dict[str, Any] = {
        "Ref: Stage": {"Ref": "Stage"},
        "Condition: IsProd": {"Condition": "IsProd"},
        "Fn::Transform": [{"Name": "x", "Fn::Transform": {}}],
        "{{resolve:ssm:/x}}": "a-{{resolve:ssm:/x}}",
    }
    assert {name: find_function(value) for name, value in forms.items()} == {n: n for n in forms}
    statement = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    assert find_function([statement, "{{x}}", {"Ref": "a", "b": 1}]) is None
    assert Scope({}).evaluate({"Ref": "AWS::NoValue"}) is None
    assert str(Scope({}).evaluate([{"Ref": "Stage"}])[0]) == "Ref: Stage"
    assert Computed({"Ref": "Stage"}) != {"Ref": "Stage"}
