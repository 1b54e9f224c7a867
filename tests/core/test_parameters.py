"""Which parameters a deployment changes, and what then is not as before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.core.expand import expand
from dataware.core.parameters import (
    EVERY,
    GivenParameters,
    find_changed,
    find_changed_parameters,
    mark_changed,
    parse_parameters,
)
from dataware.core.stack_template import DeclaredResource, StackTemplate, read_declared

NAMES = ("Stage", "Owner", "Size")
TEMPLATE: dict[str, Any] = {
    "Parameters": {name: {"Type": "String", "Default": "dev"} for name in NAMES},
    "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    "Resources": {
        "Orders": {"Type": "T", "Properties": {"Name": {"Fn::Sub": "orders-${Stage}"}}},
        "Users": {"Type": "T", "Properties": {"Name": {"Fn::If": ["IsProd", "a", "b"]}}},
        "Plain": {"Type": "T", "Properties": {"Name": {"Ref": "Owner"}}},
    },
}
STACK = read_declared("App", expand(TEMPLATE, {}))


def test_what_rests_on_a_changed_parameter_is_not_as_before() -> None:
    """Also behind a condition; what rests on another one is the same."""
    marked = mark_changed(STACK, {"Stage"}).resources
    same = {one: marked[one].value("Name") == STACK.resources[one].value("Name") for one in marked}
    assert same == {"Orders": False, "Users": False, "Plain": True}
    assert mark_changed(STACK, set()) is STACK


def test_a_stack_takes_its_own_value_before_that_for_every_stack() -> None:
    """As CDK does, which splits a value at its first equals sign."""
    said = ["Stage=prod", "Api:Stage=a=b", "Api:Owner="]
    given_ones = parse_parameters(said, keeps_others=True)
    assert given_ones.values_for("App") == {"Stage": "prod"}
    assert given_ones.values_for("Api") == {"Stage": "a=b", "Owner": ""}
    assert not GivenParameters().concerns("App")
    assert not parse_parameters(["Api:Stage=x"], keeps_others=True).concerns("App")


def test_a_star_in_place_of_a_stack_means_every_stack() -> None:
    """As in CDK; a value for a stack of that name would change nothing and be checked by nobody."""
    given_ones = parse_parameters(["*:Stage=prod", "Api:Stage=dev"], keeps_others=True)
    assert given_ones.values_for("App") == {"Stage": "prod"}
    assert given_ones.values_for("Api") == {"Stage": "dev"}
    assert given_ones.concerns("App")
    with pytest.raises(InputError, match="the parameter :Stage=x names no stack"):
        parse_parameters([":Stage=x"], keeps_others=True)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from("abc")),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["a", "b", "dev"])),
    st.booleans(),
)
def test_a_parameter_changes_exactly_if_its_value_does(
    told: dict[str, str], had: dict[str, str], keeps: bool
) -> None:
    """What is not given keeps its value, or falls back to its default."""
    had = {**dict.fromkeys(NAMES, "dev"), **had}
    gets = {**(had if keeps else dict.fromkeys(NAMES, "dev")), **told}
    changed = find_changed(GivenParameters({EVERY: told}, keeps_others=keeps), STACK, had)
    assert changed == {name for name in NAMES if gets[name] != had[name]}


@pytest.mark.parametrize("deployed", [None, {}])
def test_a_value_that_cannot_be_seen_may_be_another(deployed: dict[str, str] | None) -> None:
    """Only what is given is in question."""
    assert find_changed(parse_parameters(["Stage=x"], keeps_others=True), STACK, deployed) == {
        "Stage"
    }
    empty = StackTemplate("App", {})
    assert not find_changed(parse_parameters(["Stage=x"], keeps_others=False), empty, deployed)


def test_a_parent_may_pass_another_value_to_a_nested_stack() -> None:
    """Compared as every value: by what it rests on, too."""

    def nested(**passed: Any) -> DeclaredResource:
        return DeclaredResource("N", {"Parameters": passed}, scope=STACK.resources["Plain"].scope)

    was = nested(A="x", B={"Ref": "Stage"})
    assert not find_changed_parameters(was, was)
    assert find_changed_parameters(was, nested(A="y", B={"Ref": "Stage"})) == {"A"}
    assert find_changed_parameters(was, nested(A="x", B={"Ref": "Owner"}, C="new")) == {"B", "C"}
    assert not find_changed_parameters(None, was)
    assert find_changed_parameters(DeclaredResource("N"), was) == {"A", "B"}
    assert not find_changed_parameters(was, DeclaredResource("N"))
