"""What a template does not tell of: made by macros and transforms, named by other resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dataware.core.change_set import list_looked_up
from dataware.core.evaluation import Evaluator
from dataware.core.expand import expand, warn_of_unseen
from dataware.core.guard import AppIndex, threats
from dataware.core.model import Deployed
from dataware.core.parameters import mark_changed
from dataware.core.stack_template import StackTemplate, read_declared, with_evaluator
from dataware.kinds import guarded_kinds, kinds_by_type
from dataware.kinds.unknown import HOLDS_DATA

CARDS = guarded_kinds()
TABLE = "AWS::DynamoDB::Table"
ORDERS = {"Orders": Deployed(TABLE, "orders")}
TOPIC: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic"}}


def stack_of(resources: Mapping[str, Any], **sections: Any) -> StackTemplate:
    """The stack that a template declares."""
    return read_declared("App", expand({**sections, "Resources": resources}, CARDS))


def lost(was: StackTemplate, now: StackTemplate, held: Mapping[str, Deployed]) -> list[str]:
    """The logical ids of what an update from one template to another would lose."""
    found = threats(AppIndex(CARDS), now, was.resources, held, was.unseen, was.document)
    return [one.logical_id for one in found]


MACRO: dict[str, Any] = {"Transform": "Tables", "Parameters": {"Names": {"Default": "orders"}}}


def test_what_a_macro_made_stays_only_where_the_whole_template_does() -> None:
    """A macro gets the whole template, and may make anything of any part of it."""
    was = stack_of(TOPIC, **MACRO)
    assert lost(was, was, ORDERS) == []
    held = {**ORDERS, "Topic": Deployed("AWS::SNS::Topic", "topic")}
    assert lost(was, mark_changed(was, {"Names"}), held) == ["Orders"]


@pytest.mark.parametrize(
    "sections",
    [
        {"Parameters": {"Names": {"Default": "visits"}}},
        {"Metadata": {"Tables": []}},
        {"Mappings": {"M": {"a": {"b": "c"}}}},
        {"Transform": ["Tables", "More"]},
    ],
)
def test_a_macro_may_make_something_else_of_another_template(sections: dict[str, Any]) -> None:
    """Whatever part of it is another one."""
    was, now = stack_of(TOPIC, **MACRO), stack_of(TOPIC, **{**MACRO, **sections})
    held = {**ORDERS, "Topic": Deployed("AWS::SNS::Topic", "topic")}
    assert lost(was, now, held) == ["Orders"]


FUNCTION = {
    "Type": "AWS::Serverless::Function",
    "Properties": {
        "CodeUri": "s3://code/1",
        "EventInvokeConfig": {"DestinationConfig": {"OnFailure": {"Type": "SQS"}}},
    },
}
MODEL = {"Transform": ["AWS::Serverless-2016-10-31"]}
MADE = {
    "Work": Deployed("AWS::Lambda::Function", "work"),
    "WorkOnFailureQueue": Deployed("AWS::SQS::Queue", "https://sqs.eu-west-1/queue"),
}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CodeUri", "s3://code/2", []),
        ("EventInvokeConfig", {"MaximumRetryAttempts": 1}, ["WorkOnFailureQueue"]),
        ("Events", {"One": {"Type": "SNS"}}, ["WorkOnFailureQueue"]),
    ],
)
def test_a_queue_of_the_serverless_model_stays_while_its_function_asks_for_it(
    name: str, value: Any, expected: list[str]
) -> None:
    """New code makes the same queue again."""
    other = {**FUNCTION, "Properties": {**FUNCTION["Properties"], name: value}}  # type: ignore[dict-item]
    was, now = stack_of({"Work": FUNCTION}, **MODEL), stack_of({"Work": other}, **MODEL)
    assert lost(was, now, MADE) == expected
    assert lost(was, stack_of({}, **MODEL), MADE) == ["WorkOnFailureQueue"]
    conditional = {**other, "Condition": "IsProd"}
    assert lost(was, stack_of({"Work": conditional}, **MODEL), MADE) == ["WorkOnFailureQueue"]


def named_by(other: dict[str, Any], name: Any) -> StackTemplate:
    """A table whose name another resource answers with."""
    return stack_of({"Orders": {"Type": TABLE, "Properties": {"TableName": name}}, "Other": other})


@pytest.mark.parametrize(
    ("name", "of_type"),
    [
        ({"Fn::GetAtt": ["Other", "Value"]}, "AWS::SSM::Parameter"),
        ({"Fn::GetAtt": "Other.TableName"}, "Custom::TableName"),
        ({"Fn::Sub": "${Other}-orders"}, "AWS::CloudFormation::CustomResource"),
        ({"Fn::GetAtt": ["Other", "Outputs.Name"]}, "AWS::CloudFormation::Stack"),
    ],
)
def test_a_name_that_another_resource_answers_with_changes_with_it(name: Any, of_type: str) -> None:
    """CloudFormation asks it again; what it answers then is known to nobody before."""
    was = named_by({"Type": of_type, "Properties": {"Value": "orders"}}, name)
    now = named_by({"Type": of_type, "Properties": {"Value": "orders-2"}}, name)
    assert lost(was, was, ORDERS) == []
    assert lost(was, now, ORDERS) == ["Orders"]


def test_a_name_out_of_a_nested_stack_stays_while_its_parameters_do() -> None:
    """CDK gives a nested stack another address for each change in it."""
    of_type, name = "AWS::CloudFormation::Stack", {"Fn::GetAtt": ["Other", "Outputs.Name"]}
    given = {"Parameters": {"Stage": "prod"}}
    was = named_by({"Type": of_type, "Properties": {**given, "TemplateURL": "one"}}, name)
    now = named_by({"Type": of_type, "Properties": {**given, "TemplateURL": "two"}}, name)
    assert lost(was, now, ORDERS) == []
    other = {"Type": of_type, "Properties": {"Parameters": {"Stage": "dev"}, "TemplateURL": "one"}}
    assert lost(was, named_by(other, name), ORDERS) == ["Orders"]


def test_a_name_that_rests_on_that_of_another_resource_stays_with_it() -> None:
    """What else the other resource is given does not change how it is called."""
    name = {"Fn::Sub": "${Other}-orders"}
    was = named_by({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a"}}, name)
    tagged = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a", "Tags": []}}
    assert lost(was, named_by(tagged, name), ORDERS) == []
    other = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "b"}}
    assert lost(was, named_by(other, name), ORDERS) == ["Orders"]


NESTED = {"Stage": "prod"}


@pytest.mark.parametrize(
    ("application", "properties"),
    [
        (
            {"Location": "in.yaml", "Parameters": NESTED},
            {"TemplateURL": "in.yaml", "Parameters": NESTED},
        ),
        ({"Parameters": NESTED}, {"Parameters": NESTED}),
        ({"Fn::If": ["A", {}, {}]}, {"Fn::If": ["A", {}, {}]}),
    ],
)
def test_a_nested_application_is_a_nested_stack(application: Any, properties: Any) -> None:
    """The serverless model makes one of it, under the same logical id."""
    declared = {"Type": "AWS::Serverless::Application", "Properties": application}
    (one,) = stack_of({"App": declared}, **MODEL).resources.values()
    assert (one.type, one.properties) == ("AWS::CloudFormation::Stack", properties)


def test_a_type_that_no_card_knows_is_guarded_where_it_holds_data() -> None:
    """Whether it leaves, is replaced or may be left out: nobody can see that it is empty."""
    assert not HOLDS_DATA.keys() & kinds_by_type().keys()
    of_type = "AWS::DocDB::DBCluster"
    held = {"Docs": Deployed(of_type, "docs")}

    def docs(**properties: Any) -> StackTemplate:
        return stack_of({"Docs": {"Type": of_type, "Properties": properties}})

    was = docs(DBClusterIdentifier="docs", Port=27017)
    assert lost(was, docs(DBClusterIdentifier="docs", Port=27018), held) == []
    assert lost(was, docs(DBClusterIdentifier="other", Port=27017), held) == ["Docs"]
    assert lost(was, docs(Port=27017), held) == ["Docs"]
    assert lost(was, stack_of({}), held) == ["Docs"]
    assert lost(was, stack_of({"Docs": {"Type": TABLE}}), held) == ["Docs"]


@pytest.mark.parametrize("cfn_type", HOLDS_DATA)
def test_every_such_type_is_told_of_in_words(cfn_type: str) -> None:
    """Its type stands for what people call it."""
    was = stack_of({"One": {"Type": cfn_type, "DeletionPolicy": "Retain"}})
    held = {"One": Deployed(cfn_type, "one")}
    (threat,) = threats(AppIndex(CARDS), stack_of({}), was.resources, held)
    says = f"{cfn_type} One of stack App may hold data (not readable) and would leave the stack"
    assert threat.reason.startswith(says)
    assert CARDS[cfn_type].probe(None, "one").content.value == "unknown"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ({"Ref": "Stage"}, "AWS::SSM::Parameter::Value<String>", ["Orders"]),
        ("{{resolve:ssm:/stage}}", "String", ["Orders"]),
        ({"Fn::ImportValue": "stage"}, "String", []),
        ({"Ref": "Stage"}, "String", []),
    ],
)
def test_what_rests_on_stored_parameters_is_found(
    name: Any, kind: str, expected: list[str]
) -> None:
    """An export that is in use cannot change."""
    orders = {"Orders": {"Type": TABLE, "Properties": {"TableName": name}}}
    now = stack_of(orders, Parameters={"Stage": {"Type": kind, "Default": "/stage"}})
    held = {**ORDERS, "Gone": Deployed(TABLE, "gone"), "Role": Deployed("AWS::IAM::Role", "role")}
    assert list_looked_up(AppIndex(CARDS), now, held) == expected


def test_a_module_is_told_of_because_it_stands_for_resources() -> None:
    """What CloudFormation makes of it is in no template; it stays while the module does."""
    name = "My::Data::Tables::MODULE"
    stack = stack_of({"Tables": {"Type": name, "Properties": {"Stage": "prod"}}})
    (text,) = warn_of_unseen("t.yaml", stack.unseen)
    assert text.startswith("t.yaml: Tables is not inspected, because a module stands for resources")
    held = {"TablesOrders": Deployed(TABLE, "orders")}
    assert lost(stack, stack, held) == []
    other = stack_of({"Tables": {"Type": name, "Properties": {"Stage": "dev"}}})
    assert lost(stack, other, held) == ["TablesOrders"]


def test_a_loop_that_gives_a_logical_id_twice_is_not_written_out() -> None:
    """CloudFormation refuses it, and the last copy stands for no other."""
    loop = {"Fn::ForEach::Tables": ["Name", ["one", "two"], {"Table": {"Type": TABLE}}]}
    stack = stack_of(loop)
    assert stack.resources == {}
    (text,) = warn_of_unseen("t.yaml", stack.unseen)
    assert "because its list is not known, or gives a name twice" in text


def test_what_a_condition_leaves_out_has_made_nothing() -> None:
    """Else a table of which neither template tells would pass for made of it, and stay."""
    topic = {"Later": {"Type": "AWS::SNS::Topic", "Condition": "Never"}}
    never = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}
    plain = stack_of(topic, **never)
    known = with_evaluator(plain, Evaluator(plain.document))
    assert lost(known, known, ORDERS) == ["Orders"]


@pytest.mark.parametrize(
    "of_type",
    ["AWS::CloudFormation::StackSet", "AWS::ServiceCatalog::CloudFormationProvisionedProduct"],
)
def test_what_stands_for_whole_stacks_may_not_leave(of_type: str) -> None:
    """Their stacks are deleted with it, and all that these hold."""
    was = stack_of({"Many": {"Type": of_type, "Properties": {}}, **TOPIC})
    assert lost(was, stack_of(TOPIC), {"Many": Deployed(of_type, "id")}) == ["Many"]
