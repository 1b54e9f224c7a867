"""The guard compares the values that a deployment will give with those that the stack has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.errors import LookupFailedError
from dataware.core.expand import expand
from dataware.core.guard import AppIndex
from dataware.core.model import Deployed
from dataware.core.parameters import GivenParameters, parse_parameters
from dataware.core.stack_template import OWN, StackTemplate, read_declared
from dataware.kinds import kinds_by_type
from dataware.ops.stack_review import StackReviewer
from support.emulated_evaluation import ACCOUNT, REGION, STACK, EmulatedEvaluation

TABLE, BUCKET, NESTED = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::CloudFormation::Stack"
CARDS = kinds_by_type()
INDEX = AppIndex(CARDS)
ARN = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Shop-Inner-1AB/1"


@dataclass
class StackedAws:
    """An account with deployed stacks, and what was asked of it."""

    templates: Mapping[str, Any]
    held: Mapping[str, Mapping[str, Deployed]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    account: str = ACCOUNT
    region: str = REGION
    partition: str = "aws"

    def stack_resources(self, stack: str) -> Mapping[str, Deployed]:
        """What a stack has."""
        return self.held.get(stack, {})

    def stack_template(self, stack: str) -> Any:
        """What it was deployed from."""
        return self.templates[stack]

    def stack_parameters(self, stack: str) -> Mapping[str, str]:
        """The values of its parameters."""
        self.asked.append(f"parameters of {stack}")
        found = self.parameters.get(stack, {})
        if isinstance(found, Exception):
            raise found
        return dict(found)

    def stack_outputs(self, stack: str) -> Mapping[str, str]:
        """Its outputs."""
        return self.outputs.get(stack, {})

    def stack_id(self, stack: str) -> str | None:
        """Its id."""
        return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/1"


def declared(document: Mapping[str, Any], **nested: StackTemplate) -> StackTemplate:
    """The stack as the app declares it."""
    template = read_declared(STACK, expand(document, CARDS))
    return StackTemplate(
        STACK, template.resources, nested, document=document, unseen=template.unseen
    )


def lost(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    parameters: Any = None,
    held: Mapping[str, Deployed] | None = None,
    words: GivenParameters | None = None,
) -> list[DestructiveChange]:
    """What an update of a stack with a table would lose."""
    found = held or {"Orders": Deployed(TABLE, "orders-prod")}
    aws = StackedAws({STACK: before}, {STACK: found}, {STACK: parameters or {}})
    review = StackReviewer(aws, INDEX, words or GivenParameters()).review(declared(now))  # type: ignore[arg-type]
    return review.lost


def table(name: Any = "orders-prod", key: Any = "pk", **more: Any) -> dict[str, Any]:
    """A table of a template."""
    properties = {
        "TableName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
    }
    return {"Type": TABLE, "Properties": properties, **more}


def template(resource: Any, **sections: Any) -> dict[str, Any]:
    """A template of one resource, Orders."""
    return {**sections, "Resources": {"Orders": resource}}


def stage(default: str | None, **more: Any) -> dict[str, Any]:
    """A template's parameter Stage."""
    given = {} if default is None else {"Default": default}
    return {"Stage": {"Type": "String", **given, **more}}


BY_STAGE = {"Fn::Sub": "orders-${Stage}"}
JOINED = {"Fn::Join": ["-", ["orders", {"Ref": "Stage"}]]}


@pytest.mark.parametrize(
    ("was", "now", "parameters", "loss"),
    [
        # Rewritten to the same value.
        (BY_STAGE, JOINED, stage("prod"), None),
        (BY_STAGE, "orders-prod", stage("prod"), None),
        ("orders-prod", BY_STAGE, stage("prod"), None),
        (BY_STAGE, {"Fn::If": ["A", BY_STAGE, "x"]}, stage("prod"), None),
        # Rewritten to another one.
        (BY_STAGE, {"Fn::Sub": "order-${Stage}"}, stage("prod"), "order-prod"),
        ("orders-prod", BY_STAGE, stage("dev"), "orders-dev"),
        # A default that changes, and a new description, which changes nothing.
        (BY_STAGE, BY_STAGE, stage("dev"), "orders-dev"),
        (BY_STAGE, BY_STAGE, stage("prod", Description="where it runs"), None),
        (BY_STAGE, BY_STAGE, stage(None), None),
        # What only CloudFormation knows stays as it is written, or is another one.
        ({"Ref": "Other"}, {"Ref": "Other"}, stage("prod"), None),
        (BY_STAGE, {"Ref": "Other"}, stage("prod"), "only CloudFormation resolves"),
        (BY_STAGE, {"Ref": "AWS::NoValue"}, stage("prod"), "CloudFormation generates"),
    ],
)
def test_names_are_compared_by_value(
    was: Any, now: Any, parameters: dict[str, Any], loss: str | None
) -> None:
    """A rename is what changes the name, and nothing else is one."""
    conditions = {"A": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
    before = template(table(was), Parameters=stage("prod"), Conditions=conditions)
    after = template(table(now), Parameters=parameters, Conditions=conditions)
    found = lost(before, after, {"Stage": "prod"})
    assert [one.loss for one in found] == ([Loss.RENAMED] if loss else [])
    assert all(f"be renamed to {loss}" in one.outcome or loss in one.outcome for one in found)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("was", "now", "parameters", "replaced"),
    [
        ("pk", {"Ref": "Key"}, {"Key": {"Type": "String", "Default": "pk"}}, False),
        ({"Ref": "Key"}, "pk", {"Key": {"Type": "String", "Default": "pk"}}, False),
        ({"Ref": "Key"}, {"Ref": "Key"}, {"Key": {"Type": "String", "Default": "id"}}, True),
        ({"Ref": "Key"}, "id", {"Key": {"Type": "String", "Default": "pk"}}, True),
    ],
)
def test_key_schemas_are_compared_by_value(
    was: Any, now: Any, parameters: dict[str, Any], replaced: bool
) -> None:
    """A default that changes a key replaces the table; a key that is written out does not."""
    before = template(table(key=was), Parameters={"Key": {"Type": "String", "Default": "pk"}})
    found = lost(before, template(table(key=now), Parameters=parameters), {"Key": "pk"})
    assert [one.loss for one in found] == ([Loss.REPLACED] if replaced else [])


@pytest.mark.parametrize(
    ("values", "keeps_others", "leaves"),
    [({}, True, False), ({"Stage": "dev"}, True, True), ({"Stage": "prod"}, False, False)],
)
def test_conditions_are_tested_with_the_parameters_of_the_deployment(
    values: dict[str, str], keeps_others: bool, leaves: bool
) -> None:
    """A condition that turns false leaves the resource out; one that is rewritten does not."""
    was = {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
    now = {"IsProd": {"Fn::Not": [{"Fn::Equals": ["dev", {"Ref": "Stage"}]}]}}
    resource = table(Condition="IsProd")
    words = GivenParameters({STACK: values}, keeps_others)
    before = template(resource, Parameters=stage("dev"), Conditions=was)
    after = template(resource, Parameters=stage("dev"), Conditions=now)
    found = lost(before, after, {"Stage": "prod"}, words=words)
    assert [one.loss for one in found] == ([Loss.LEAVES] if leaves else [])
    assert all("because condition IsProd is false" in one.outcome for one in found)


def test_properties_that_are_a_choice_are_compared_by_their_values() -> None:
    """Name, keys and attributes of the branch that is taken."""
    conditions = {"A": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}

    def chosen(stage_now: str, key: str = "pk") -> dict[str, Any]:
        branches = [table(key=key)["Properties"], table("other")["Properties"]]
        resource = {"Type": TABLE, "Properties": {"Fn::If": ["A", *branches]}}
        return template(resource, Parameters=stage(stage_now), Conditions=conditions)

    before = chosen("prod")
    assert lost(before, chosen("prod"), {"Stage": "prod"}) == []
    assert lost(before, template(table()), {"Stage": "prod"}) == []
    assert [one.loss for one in lost(before, chosen("dev"), {"Stage": "prod"})] == [Loss.RENAMED]
    other = lost(before, chosen("prod", "id"), {"Stage": "prod"})
    assert [one.loss for one in other] == [Loss.REPLACED]
    typed = json.loads(json.dumps(chosen("prod")).replace('"S"', '"N"'))
    assert ["key schema changes" in one.outcome for one in lost(before, typed, {"Stage": "prod"})]


@pytest.mark.parametrize("given_stage", ["prod", "dev"])
def test_a_changed_default_does_not_count_where_a_value_is_given(given_stage: str) -> None:
    """Saying the value says what it will be."""
    words = GivenParameters({STACK: {"Stage": given_stage}})
    before = template(table(BY_STAGE), Parameters=stage("prod"))
    after = template(table(BY_STAGE), Parameters=stage("test"))
    found = lost(before, after, {"Stage": "prod"}, words=words)
    assert bool(found) is (given_stage == "dev")
    (otherwise,) = lost(before, after, {"Stage": "prod"})
    assert (
        "keep the name (Fn::Sub computes it: give its values by --parameter); or"
        in otherwise.recipe
    )


@pytest.mark.parametrize(
    ("parameters", "deployed"),
    [
        (stage("prod", NoEcho=True), {"Stage": "****"}),
        (stage("prod", Type="AWS::SSM::Parameter::Value<String>"), {"Stage": "/stage"}),
        (stage("prod"), LookupFailedError("denied")),
    ],
)
def test_what_is_not_known_is_compared_as_it_is_written(
    parameters: dict[str, Any], deployed: Any
) -> None:
    """A secret, what is looked up anew, and what may not be seen: the stricter of both."""
    same = template(table(BY_STAGE), Parameters=parameters)
    assert lost(same, same, deployed) == []
    rewritten = template(table(JOINED), Parameters=parameters)
    (found,) = lost(same, rewritten, deployed)
    assert "a name that only CloudFormation resolves (Fn::Join)" in found.outcome


def test_a_secret_that_is_none_any_more_is_not_read_from_its_stars() -> None:
    """CloudFormation answers for it with stars, which are no value."""
    before = template(table(BY_STAGE), Parameters=stage("prod", NoEcho=True))
    after = template(table(BY_STAGE), Parameters=stage("prod"))
    assert lost(before, after, {"Stage": "****"}) == []


def test_nothing_is_asked_for_where_all_is_literal() -> None:
    """The parameters of a stack are read where a name rests on one."""
    document = template(table(), Parameters=stage("prod"))
    aws = StackedAws({STACK: document}, {STACK: {"Orders": Deployed(TABLE, "orders-prod")}})
    StackReviewer(aws, INDEX, GivenParameters()).review(declared(document))  # type: ignore[arg-type]
    assert aws.asked == []


def test_a_policy_that_is_a_function_retains_where_its_value_says_so() -> None:
    """The language extensions allow functions there."""
    policy = {"Fn::If": ["A", "Retain", "Delete"]}
    conditions = {"A": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
    before = template(table(DeletionPolicy=policy), Parameters=stage("dev"), Conditions=conditions)
    for value, says in (("prod", "leave it unmanaged"), ("dev", "delete it")):
        (found,) = lost(before, {"Resources": {}}, {"Stage": value})
        assert says in found.outcome


def nested_losses(
    inner: Mapping[str, Any], passed_before: Any, passed_now: Any, **sections: Any
) -> list[DestructiveChange]:
    """What an update loses of a nested stack with a table, whose template stays the same."""

    def outer(passed: Any) -> dict[str, Any]:
        resource = {"Type": NESTED, "Properties": {"Parameters": passed}}
        return {**sections, "Resources": {"Inner": resource}}

    aws = StackedAws(
        {STACK: outer(passed_before), ARN: inner},
        {
            STACK: {"Inner": Deployed(NESTED, ARN)},
            ARN: {"Orders": Deployed(TABLE, "orders-prod")},
        },
        {STACK: {"Stage": "prod"}, ARN: {"Stage": "prod"}},
    )
    now = declared(outer(passed_now), Inner=declared(inner))
    review = StackReviewer(aws, INDEX, GivenParameters()).review(now)  # type: ignore[arg-type]
    return [each for one in review.walk() for each in one.lost]


@pytest.mark.parametrize(
    ("passed", "renamed"),
    [
        ({"Stage": {"Ref": "Stage"}}, False),
        ({"Stage": "prod"}, False),
        ({"Stage": {"Fn::Sub": "${Stage}"}}, False),
        ({"Stage": "dev"}, True),
        ({}, True),
    ],
)
def test_nested_stacks_get_what_is_handed_down(passed: Any, renamed: bool) -> None:
    """The same value in other words is the same; what is not handed down has its default."""
    inner = template(table(BY_STAGE), Parameters=stage("dev"))
    found = nested_losses(inner, {"Stage": {"Ref": "Stage"}}, passed, Parameters=stage("prod"))
    assert [one.loss for one in found] == ([Loss.RENAMED] if renamed else [])


def test_outputs_of_nested_stacks_are_values_on_both_sides() -> None:
    """What the deployed nested stack gave is compared with what its new template gives."""
    inner = {
        "Parameters": stage("prod"),
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Name": {"Value": BY_STAGE}, "Topic": {"Value": {"Ref": "Topic"}}},
    }
    other = {**inner, "Outputs": {**inner["Outputs"], "Name": {"Value": "other"}}}

    def outer(name: Any) -> dict[str, Any]:
        return {"Resources": {"Inner": {"Type": NESTED}, "Orders": table(name)}}

    held = {"Inner": Deployed(NESTED, ARN), "Orders": Deployed(TABLE, "orders-prod")}
    named = {"Fn::GetAtt": ["Inner", "Outputs.Name"]}
    topic = {"Fn::GetAtt": "Inner.Outputs.Topic"}
    for was, now, document, loses in (
        (named, named, inner, False),
        (named, "orders-prod", inner, False),
        ("orders-prod", named, inner, False),
        (named, named, other, True),
        (topic, topic, inner, False),
        (topic, named, inner, False),
        (named, topic, inner, True),
    ):
        aws = StackedAws(
            {STACK: outer(was), ARN: inner},
            {STACK: held, ARN: {}},
            outputs={ARN: {"Name": "orders-prod", "Topic": "orders-prod"}},
        )
        stack = declared(outer(now), Inner=declared(document))
        review = StackReviewer(aws, INDEX, GivenParameters()).review(stack)  # type: ignore[arg-type]
        assert bool(review.lost) is loses, (was, now)


def test_what_dataware_put_there_for_itself_may_go() -> None:
    """The log of a migration goes with its machinery; one of the app does not."""
    log = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Delete"}
    held = {"Log": Deployed("AWS::Logs::LogGroup", "App-Log-1A")}
    own = {**log, "Metadata": {OWN: True}}
    assert lost({"Resources": {"Log": own}}, {"Resources": {}}, held=held) == []
    (found,) = lost({"Resources": {"Log": log}}, {"Resources": {}}, held=held)
    assert found.loss is Loss.LEAVES


VALUES = st.sampled_from(["prod", "dev", "eu"])
NAMES = st.sampled_from(
    [
        "orders-prod",
        BY_STAGE,
        JOINED,
        {"Fn::If": ["IsProd", "orders-prod", BY_STAGE]},
        {"Fn::FindInMap": ["Names", {"Ref": "Stage"}, "Name"]},
        {"Fn::Select": [0, {"Fn::Split": ["+", {"Fn::Sub": "orders-${Stage}+x"}]}]},
        {"Fn::Sub": ["${Own}-${Stage}", {"Own": "orders"}]},
        {"Fn::Join": ["", ["orders-", {"Fn::If": ["IsProd", "prod", {"Ref": "Stage"}]}]]},
    ]
)
MAPPED = st.sampled_from(["orders-prod", "orders-dev", "orders"])
TEMPLATES = st.builds(
    lambda name, default, prod, dev, held: {
        "Parameters": stage(default),
        "Mappings": {"Names": {"prod": {"Name": prod}, "dev": {"Name": dev}, "eu": {"Name": dev}}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, held]}},
        "Resources": {"Orders": table(name)},
    },
    NAMES,
    VALUES,
    MAPPED,
    MAPPED,
    VALUES,
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatedEvaluation]:
    """A second implementation of the evaluation, in a process of its own."""
    with EmulatedEvaluation() as running:
        yield running


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TEMPLATES, TEMPLATES)
def test_a_table_is_lost_where_a_second_implementation_names_it_otherwise(
    emulator: EmulatedEvaluation, before: dict[str, Any], now: dict[str, Any]
) -> None:
    """Whatever the expressions: the guard stops where the names differ, and nowhere else.

    The stack may get the new default, or keep the value that it has.
    """

    def name(document: dict[str, Any]) -> str:
        return str(emulator.evaluate(document, {})["Orders"]["Properties"]["TableName"])

    held = {"Orders": Deployed(TABLE, name(before))}
    deployed = {"Stage": before["Parameters"]["Stage"]["Default"]}
    found = lost(before, now, deployed, held)
    kept = {**now, "Parameters": before["Parameters"]}
    renamed = {name(now), name(kept)} != {name(before)}
    assert [one.loss for one in found] == ([Loss.RENAMED] if renamed else [])


LOOP = {
    "Fn::ForEach::Tables": [
        "Name",
        {"Ref": "Names"},
        {"Table${Name}": table({"Ref": "Name"})},
    ]
}
BOTH = {"Tableone": Deployed(TABLE, "one"), "Tabletwo": Deployed(TABLE, "two")}


def looped(names: str, kind: str = "CommaDelimitedList") -> dict[str, Any]:
    """A template with a table for each of some names."""
    return {"Parameters": {"Names": {"Type": kind, "Default": names}}, "Resources": LOOP}


def read_with_text(document: Mapping[str, Any], names: Any) -> StackTemplate:
    """The stack as an app reads it, whose loops are over these names."""
    written = expand(document, CARDS, lambda one: names if one == {"Ref": "Names"} else one)
    return replace(read_declared(STACK, written, "t.json"), text=json.dumps(document))


@pytest.mark.parametrize(
    ("now", "words", "expected"),
    [
        ("one,two", [], []),
        ("one", [], ["Tabletwo"]),
        ("one", ["Names=one,two"], []),
        ("one,two", ["Names=two"], ["Tableone"]),
    ],
)
def test_a_loop_is_over_what_the_update_gives(
    now: str, words: list[str], expected: list[str]
) -> None:
    """The stack keeps both names; a default that changes counts until somebody says the value."""
    aws = StackedAws({STACK: looped("one,two")}, {STACK: BOTH}, {STACK: {"Names": "one,two"}})
    given_words = parse_parameters(words, keeps_others=True)
    stack = read_with_text(looped(now), ["one", "two"])
    review = StackReviewer(aws, INDEX, given_words).review(stack)  # type: ignore[arg-type]
    assert [one.logical_id for one in review.lost] == expected


def test_a_default_that_changes_may_not_count() -> None:
    """CDK hands on the value that the stack has: what either value would lose is lost."""

    def named(default: str, name: Any) -> dict[str, Any]:
        parameters = {"Name": {"Type": "String", "Default": default}}
        return {"Parameters": parameters, "Resources": {"Table": table(name)}}

    held = {STACK: {"Table": Deployed(TABLE, "one")}}
    aws = StackedAws({STACK: named("two", "one")}, held, {STACK: {"Name": "two"}})

    def lost(*words: str, keeps_others: bool = True) -> list[str]:
        given_words = parse_parameters(words, keeps_others=keeps_others)
        stack = declared(named("one", {"Ref": "Name"}))
        review = StackReviewer(aws, INDEX, given_words).review(stack)  # type: ignore[arg-type]
        return [one.outcome.split(":")[0] for one in review.lost]

    assert lost() == ["be renamed to two"]
    assert lost("Name=one") == lost(keeps_others=False) == []


def test_a_loop_over_stored_names_is_as_the_app_has_looked_them_up() -> None:
    """The guard looks nothing up, and takes what is read for no less than that."""
    document = looped("/names", "AWS::SSM::Parameter::Value<List<String>>")
    aws = StackedAws({STACK: document}, {STACK: BOTH}, {STACK: {"Names": "/names"}})
    reviewer = StackReviewer(aws, INDEX, GivenParameters())  # type: ignore[arg-type]
    lost_ids = [one.logical_id for one in reviewer.review(read_with_text(document, ["one"])).lost]
    assert lost_ids == ["Tabletwo"]


@pytest.mark.parametrize(("names", "expected"), [("one,two", []), ("one", ["Tabletwo"])])
def test_a_loop_of_a_nested_stack_is_over_what_is_handed_down(
    names: str, expected: list[str]
) -> None:
    """Its template is read before anybody knows what its parameters are."""

    def outer(handed: str) -> dict[str, Any]:
        properties = {"TemplateURL": "in.json", "Parameters": {"Names": handed}}
        return {"Resources": {"Inner": {"Type": NESTED, "Properties": properties}}}

    held = {STACK: {"Inner": Deployed(NESTED, ARN)}, ARN: BOTH}
    templates = {STACK: outer("one,two"), ARN: looped("")}
    aws = StackedAws(templates, held, {ARN: {"Names": "one,two"}})
    inner = read_with_text(looped(""), {"Ref": "Names"})
    assert inner.unseen
    stack = declared(outer(names), Inner=inner)
    review = StackReviewer(aws, INDEX, GivenParameters()).review(stack)  # type: ignore[arg-type]
    assert [one.logical_id for one in review.nested["Inner"].lost] == expected


@pytest.mark.parametrize(("policy", "expected"), [("Retain", []), ("Delete", ["Tableone"])])
def test_a_nested_stack_that_is_retained_keeps_what_it_has(
    policy: str, expected: list[str]
) -> None:
    """It stays a stack of its own, and nothing in it is deleted or let go."""
    nested = {"Type": NESTED, "DeletionPolicy": policy, "Properties": {"TemplateURL": "in.json"}}
    held = {STACK: {"Inner": Deployed(NESTED, ARN)}, ARN: {"Tableone": BOTH["Tableone"]}}
    templates = {
        STACK: {"Resources": {"Inner": nested}},
        ARN: {"Resources": {"Tableone": table("one")}},
    }
    aws = StackedAws(templates, held)
    stack = declared({"Resources": {}})
    review = StackReviewer(aws, INDEX, GivenParameters()).review(stack)  # type: ignore[arg-type]
    assert [one.logical_id for one in review.nested["Inner"].lost] == expected
