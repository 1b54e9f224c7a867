"""Random templates, evaluated here and by the embedded AWS, come to the same.

Where the emulator departs from the documentation of AWS, the case is left out and said so: it takes
a text for a list in `Fn::Select`, and evaluates no function but `Ref` in `Fn::Equals`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataware.core.evaluation import Evaluator, ValueLookups
from dataware.core.expand import expand
from dataware.core.parameters import ParameterValues
from dataware.core.values import as_texts
from dataware.kinds import kinds_by_type
from dataware.ops.inputs.value_sources import naming_rules
from support.emulated_evaluation import ACCOUNT, REGION, STACK, EmulatedEvaluation

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
PARAMETERS = {
    "Stage": {"Type": "String", "Default": "prod"},
    "Empty": {"Type": "String", "Default": ""},
    "Size": {"Type": "Number", "Default": 3},
    "Names": {"Type": "CommaDelimitedList", "Default": "red, blue,green"},
}
MAPPINGS = {
    "ByStage": {"prod": {"Name": "main", "List": ["x", "y"]}, "dev": {"Name": "side"}},
    "ByRegion": {"us-east-1": {"Name": "east"}, "eu-west-1": {"Name": "west"}},
}
BUCKETS = {"Uploads": "uploads-prod", "Logs": "logs-prod"}
CONDITION_NAMES = ("A", "B", "C")
PLAIN = st.text("abc-./ ", max_size=5)
RULES = naming_rules(kinds_by_type())


def _conditions() -> st.SearchStrategy[dict[str, Any]]:
    """Conditions of which each rests on those before it."""
    operand = st.one_of(
        PLAIN, st.sampled_from(["prod", "3", ""]), st.sampled_from([{"Ref": "Stage"}])
    )
    equals = st.tuples(operand, operand).map(lambda two: {"Fn::Equals": list(two)})

    def combined(earlier: tuple[str, ...]) -> st.SearchStrategy[Any]:
        leaf = st.one_of(equals, *(st.just({"Condition": one}) for one in earlier))
        several = st.lists(leaf, min_size=2, max_size=3)
        return st.one_of(
            leaf,
            several.map(lambda each: {"Fn::And": each}),
            several.map(lambda each: {"Fn::Or": each}),
            leaf.map(lambda one: {"Fn::Not": [one]}),
        )

    return st.fixed_dictionaries(
        {name: combined(CONDITION_NAMES[:at]) for at, name in enumerate(CONDITION_NAMES)}
    )


REFERENCES = st.sampled_from([{"Ref": one} for one in ("Stage", "Empty", "Size", *PSEUDO)])
SUBBED = st.lists(
    st.one_of(
        PLAIN,
        st.sampled_from(["${Stage}", "${AWS::Region}", "${!Kept}", "${Uploads}", "${Logs.Arn}"]),
    ),
    max_size=4,
).map("".join)
MAPPED = st.one_of(
    st.sampled_from([["ByStage", {"Ref": "Stage"}, "Name"], ["ByStage", "dev", "Name"]]),
    st.just(["ByStage", "gone", "Name", {"DefaultValue": {"Ref": "Stage"}}]),
    st.just(["ByRegion", {"Ref": "AWS::Region"}, "Name"]),
).map(lambda each: {"Fn::FindInMap": each})
LEAVES = st.one_of(
    PLAIN,
    REFERENCES,
    MAPPED,
    SUBBED.map(lambda text: {"Fn::Sub": text}),
    st.sampled_from([{"Ref": "Uploads"}, {"Fn::GetAtt": ["Logs", "Arn"]}]),
)


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    listed = st.one_of(
        several,
        st.sampled_from([{"Ref": "Names"}, {"Fn::FindInMap": ["ByStage", "prod", "List"]}]),
        inner.map(lambda one: {"Fn::Split": ["-", one]}),
    )
    condition = st.sampled_from(CONDITION_NAMES)
    return st.one_of(
        st.tuples(st.sampled_from(["", "-", ","]), listed).map(lambda two: {"Fn::Join": list(two)}),
        listed.map(lambda each: {"Fn::Select": [0, each]}),
        st.tuples(condition, inner, inner).map(lambda three: {"Fn::If": list(three)}),
        inner.map(lambda one: {"Fn::Sub": ["${Own}-${Stage}", {"Own": one}]}),
        inner.map(lambda one: {"Fn::Base64": one}),
        st.sampled_from([{"Fn::Length": {"Ref": "Names"}}, {"Fn::Length": ["a", "b"]}]),
        several.map(lambda each: {"Fn::ToJsonString": {"Own": each}}),
        several.map(
            lambda each: {
                "Fn::Join": ["+", [{"Fn::If": ["A", {"Ref": "AWS::NoValue"}, "x"]}, *each]]
            }
        ),
    )


EXPRESSIONS = st.recursive(LEAVES, _deeper, max_leaves=6)
LOOPS = st.tuples(
    st.one_of(st.just({"Ref": "Names"}), st.lists(st.sampled_from(["P", "Q", "R"]), unique=True)),
    EXPRESSIONS,
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatedEvaluation]:
    """One process for all templates."""
    with EmulatedEvaluation() as running:
        yield running


def evaluate_here(document: dict[str, Any]) -> Any:
    """The resources of a template as dataware evaluates them."""
    around = ValueLookups(PSEUDO.__getitem__, ParameterValues().value)
    expanded = expand(document, {}, Evaluator(document, around, RULES).evaluate)
    assert not expanded.unseen
    evaluator = Evaluator(expanded.document, around, RULES)
    return evaluator.evaluate(expanded.document["Resources"])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_conditions(), st.dictionaries(st.sampled_from("XYZ"), EXPRESSIONS), LOOPS)
def test_both_come_to_the_same(
    emulator: EmulatedEvaluation,
    conditions: dict[str, Any],
    values: dict[str, Any],
    loop: tuple[Any, Any],
) -> None:
    """Every function, condition, mapping and loop that both know, in any combination."""
    items, looped = loop
    document = {
        "Parameters": PARAMETERS,
        "Mappings": MAPPINGS,
        "Conditions": conditions,
        "Resources": {
            "Fn::ForEach::Each": [
                "Item",
                items,
                {"Loop&{Item}": {"Type": "T", "Properties": {"V": looped, "I": {"Ref": "Item"}}}},
            ],
            "Values": {"Type": "T", "Properties": values},
            **{
                one: {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
                for one, name in BUCKETS.items()
            },
        },
    }
    expected = emulator.evaluate(document, BUCKETS)
    if isinstance(expected, str):
        return
    assert as_texts(evaluate_here(document)) == as_texts(expected)
