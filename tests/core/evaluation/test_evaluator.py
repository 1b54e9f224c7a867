"""Single functions and references of a template, and what stays unknown for which reason."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.evaluation import Evaluator, NotKnownError, ValueLookups
from dataware.core.parameters import ParameterValues, list_parameter_problems
from dataware.core.values import Computed, find_function
from dataware.kinds import kinds_by_type
from dataware.ops.inputs.value_sources import naming_rules

WHERE = {
    "AWS::AccountId": "111122223333",
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
    "AWS::StackName": "Shop",
}
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "prod"},
        "Asked": {"Type": "String"},
        "Secret": {"Type": "String", "Default": "hidden", "NoEcho": True},
        "Names": {"Type": "CommaDelimitedList", "Default": "red, blue"},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/names/table"},
        "Dynamic": {"Type": "String", "Default": "{{resolve:ssm:/plain:3}}"},
        "Several": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/names/all"},
    },
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "Unknown": {"Fn::Equals": [{"Ref": "Asked"}, "x"]},
        "Either": {"Fn::Or": [{"Condition": "Unknown"}, {"Condition": "IsProd"}]},
        "Both": {"Fn::And": [{"Condition": "Unknown"}, {"Fn::Not": [{"Condition": "IsProd"}]}]},
        "IsThird": {"Fn::Equals": ["{{resolve:ssm:/plain:3}}", "third"]},
        "IsDynamic": {"Fn::Equals": ["third", {"Ref": "Dynamic"}]},
        "Circle": {"Fn::Not": [{"Condition": "Circle"}]},
    },
    "Mappings": {
        "M": {"prod": {"Name": "main"}},
        "Included": {"prod": {"Name": "main"}, "Fn::Transform": {"Name": "AWS::Include"}},
    },
    "Resources": {
        "Uploads": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": {"Fn::Sub": "uploads-${Stage}"}},
        },
        "Regional": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketNamePrefix": {"Fn::Sub": "logs-${Stage}"},
                "BucketNamespace": {"Fn::If": ["IsProd", "account-regional", "global"]},
            },
        },
        "Prefixed": {"Type": "AWS::S3::Bucket", "Properties": {"BucketNamePrefix": "logs"}},
        "Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders"}},
        "People": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "people"}},
        "Plain": {"Type": "AWS::S3::Bucket"},
        "Gone": {
            "Type": "AWS::S3::Bucket",
            "Condition": "Both",
            "Properties": {"BucketName": "gone"},
        },
        "Me": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Me"}}},
        "Key": {"Type": "AWS::KMS::Key"},
    },
}
STORED = {"/names/table": "orders-v2", "/names/all": "a,b", "/plain:3": "third"}


def store(name: str) -> str:
    """What Parameter Store has."""
    if name not in STORED:
        raise NotKnownError(f"SSM parameter {name} does not exist")
    return STORED[name]


def pseudo(name: str) -> str:
    """The pseudo parameters that are known."""
    if name not in WHERE:
        raise NotKnownError(f"{name} is unknown")
    return WHERE[name]


def export(name: str) -> str:
    """Nothing is exported but one name."""
    if name != "Shared":
        raise NotKnownError(f"no deployed stack exports {name}")
    return "shared-bucket"


EVALUATOR = Evaluator(
    TEMPLATE,
    ValueLookups(pseudo, ParameterValues(stored=store).value, store, export),
    naming_rules(kinds_by_type()),
)

KNOWN = [
    ({"Ref": "Uploads"}, "uploads-prod"),
    ({"Fn::GetAtt": ["Uploads", "Arn"]}, "arn:aws:s3:::uploads-prod"),
    ({"Fn::GetAtt": "Orders.Arn"}, "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"),
    ({"Fn::Sub": "${Uploads}/${!Kept}/${Orders.Arn}"},
     "uploads-prod/${Kept}/arn:aws:dynamodb:eu-west-1:111122223333:table/orders"),
    ({"Fn::Sub": ["${Stage}-${Own}", {"Own": {"Ref": "Stage"}, "Stage": "mine"}]}, "mine-prod"),
    ({"Ref": "Regional"}, "logs-prod-111122223333-eu-west-1-an"),
    ({"Ref": "Stored"}, "orders-v2"),
    ({"Ref": "Several"}, ["a", "b"]),
    ("x-{{resolve:ssm:/plain:3}}", "x-third"),
    ({"Ref": "Dynamic"}, "third"),
    ({"Fn::Join": ["-", ["x", {"Ref": "Dynamic"}]]}, "x-third"),
    ({"Fn::Select": ["1", {"Ref": "Names"}]}, "blue"),
    ({"Fn::Select": [0, ["a", {"Ref": "Asked"}]]}, "a"),
    ({"Fn::If": ["Either", "yes", {"Ref": "Asked"}]}, "yes"),
    ({"Fn::If": ["Both", {"Ref": "Asked"}, "no"]}, "no"),
    ({"Fn::FindInMap": ["M", "dev", "Name", {"DefaultValue": {"Ref": "Stage"}}]}, "prod"),
    ({"Fn::FindInMap": ["M", {"Ref": "Stage"}, "Name"]}, "main"),
    ({"Fn::FindInMap": ["Included", {"Ref": "Stage"}, "Name"]}, "main"),
    ({"Fn::ImportValue": {"Fn::Sub": "Shared"}}, "shared-bucket"),
    ({"Fn::Length": {"Ref": "Names"}}, 2),
    ({"Fn::ToJsonString": {"a": [1, {"Ref": "Stage"}]}}, '{"a":[1,"prod"]}'),
    ({"Fn::Base64": "abc"}, "YWJj"),
    ([{"Fn::If": ["IsProd", {"Ref": "AWS::NoValue"}, 1]}, 2], [2]),
    ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
    ({"Ref": "AWS::NoValue"}, None),
]  # fmt: skip

UNKNOWN = [
    ({"Fn::If": ["IsThird", "yes", "no"]}, "by a parameter of an SSM parameter type"),
    ({"Fn::If": ["IsDynamic", "yes", "no"]}, "no condition resolves {{resolve:ssm:/plain:3}}"),
    ({"Ref": "Asked"}, "pass --parameter Asked=VALUE"),
    ({"Ref": "Secret"}, "is a secret"),
    ({"Ref": "Nobody"}, "neither a parameter nor a resource"),
    ({"Ref": "Prefixed"}, "CloudFormation generates the name of Prefixed"),
    ({"Ref": "Plain"}, "CloudFormation generates the name of Plain"),
    ({"Ref": "People"}, "People is known only once it is deployed"),
    ({"Ref": "Key"}, "Key is known only once it is deployed"),
    ({"Ref": "Gone"}, "Gone is not created under condition Both"),
    ({"Ref": "Me"}, "rests on itself"),
    ({"Fn::GetAtt": ["Uploads", "DomainName"]}, "DomainName of Uploads is known only once"),
    ({"Fn::If": ["Unknown", "a", "b"]}, "pass --parameter Asked=VALUE"),
    ({"Fn::If": ["Circle", "a", "b"]}, "condition Circle rests on itself"),
    ({"Fn::If": ["Missing", "a", "b"]}, "condition Missing is not declared"),
    ({"Fn::FindInMap": ["M", "dev", "Name"]}, "Mappings has no M.dev.Name"),
    ({"Fn::FindInMap": ["Included", "dev", "Name", {"DefaultValue": "x"}]}, "Fn::Transform in Map"),
    ({"Fn::ImportValue": "Other"}, "no deployed stack exports Other"),
    ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, "only CloudFormation resolves Fn::Cidr"),
    ({"Fn::Transform": {"Name": "Mine"}}, "only CloudFormation resolves Fn::Transform"),
    ({"Fn::GetAZs": ""}, "only CloudFormation resolves Fn::GetAZs"),
    ({"Ref": "AWS::StackId"}, "AWS::StackId is unknown"),
    ("{{resolve:secretsmanager:db:SecretString:password}}", "a secret, which is never read"),
    ({"Fn::Join": ["", ["{{resolve:ssm-secure:", "/x:1}}"]]}, "a secret, which is never read"),
    ("{{resolve:ssm:/gone}}", "SSM parameter /gone does not exist"),
    ({"Fn::Select": [5, ["a"]]}, "number 5 of a list of 1"),
    ({"Fn::Select": [0, [{"Fn::If": ["Unknown", 1, {"Ref": "AWS::NoValue"}]}, "a"]]}, "Asked"),
    ({"Fn::Split": ["", "abc"]}, "takes a delimiter"),
    ({"Fn::Join": ["-", "abc"]}, "Fn::Join takes a list"),
    ({"Fn::Join": "abc"}, "Fn::Join takes two arguments"),
    ({"Fn::Sub": 3}, "Fn::Sub takes two arguments"),
    ({"Fn::GetAtt": "Uploads"}, "takes a logical id and an attribute"),
    ({"Ref": ["Uploads"]}, "Ref takes the name"),
]


@pytest.mark.parametrize(("expression", "value"), KNOWN)
def test_what_a_run_can_know_is_known(expression: Any, value: Any) -> None:
    """As CloudFormation would compute it."""
    assert EVALUATOR.evaluate(expression) == value


@pytest.mark.parametrize(("expression", "reason"), UNKNOWN)
def test_what_is_unknown_says_why_and_is_never_a_literal(expression: Any, reason: str) -> None:
    """Alone, inside of a text, and in a list; what it was is kept where it is written back."""
    found = EVALUATOR.evaluate(expression)
    assert isinstance(found, Computed)
    assert reason in found.reason
    assert EVALUATOR.write([expression]) == [expression]
    joined = EVALUATOR.evaluate({"Fn::Join": ["-", ["a", expression]]})
    assert isinstance(joined, Computed)
    assert "hidden" not in repr(joined)


def test_a_choice_whose_condition_is_known_leaves_only_its_branch() -> None:
    """Also where a part of the branch is unknown."""
    choice = {"Fn::If": ["IsProd", {"a": {"Ref": "Asked"}, "b": {"Ref": "Stage"}}, "c"]}
    assert EVALUATOR.write(choice) == {"a": {"Ref": "Asked"}, "b": "prod"}


def test_a_reference_to_a_resource_stays_where_it_is_created_apart() -> None:
    """A resource that is created outside of its stack refers to nothing of it."""
    apart = Evaluator(TEMPLATE, EVALUATOR.lookups, EVALUATOR.names, refers=False)
    for expression in ({"Ref": "Uploads"}, "{{resolve:ssm:/plain:3}}"):
        assert apart.write(expression) == expression
    assert apart.write({"Ref": "Stage"}) == "prod"


def test_a_value_that_grows_without_bound_is_unknown() -> None:
    """Texts that double with every reference, and chains that never end."""
    doubled = {
        f"B{n}": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": {"Fn::Sub": f"${{B{n + 1}}}${{B{n + 1}}}"}},
        }
        for n in range(40)
    }
    last = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x"}}
    document = {"Resources": {**doubled, "B40": last}}
    found = Evaluator(document, names=EVALUATOR.names).evaluate({"Ref": "B0"})
    assert isinstance(found, Computed)
    deep: Any = "x"
    for _ in range(400):
        deep = {"Fn::Join": ["", [deep]]}
    assert find_function(EVALUATOR.evaluate(deep)) == "Fn::Join"


@pytest.mark.parametrize(
    ("given", "deployed", "value"),
    [
        ({}, {}, "prod"),
        ({}, {"Stage": "beta"}, "beta"),
        ({"Stage": "x"}, {"Stage": "beta"}, "x"),
    ],
)
def test_a_given_value_goes_before_a_deployed_one_and_that_before_the_default(
    given: dict[str, str], deployed: dict[str, str], value: str
) -> None:
    """Unless a deployment lets go of what is deployed."""
    definition = TEMPLATE["Parameters"]["Stage"]
    assert ParameterValues(given, lambda: deployed).value("Stage", definition) == value
    fresh = ParameterValues(given, lambda: deployed, keeps_others=False)
    assert fresh.value("Stage", definition) == given.get("Stage", "prod")


@pytest.mark.parametrize(
    ("definition", "value", "problem"),
    [
        ({"Type": "String", "AllowedValues": ["dev", "prod"]}, "pro", "one of dev, prod"),
        ({"Type": "String", "AllowedValues": ["dev", "prod"]}, "prod", ""),
        ({"Type": "Number"}, "x", "takes a number"),
        ({"Type": "Number", "MinValue": 2, "MaxValue": "4"}, "5", "takes 4 or less"),
        ({"Type": "Number", "MinValue": 2}, "1.5", "takes 2 or more"),
        ({"Type": "String", "MinLength": 3}, "ab", "takes 3 characters or more"),
        ({"Type": "String", "MaxLength": 3}, "abc", ""),
    ],
)
def test_a_value_is_checked_as_cloudformation_checks_it(
    definition: dict[str, Any], value: str, problem: str
) -> None:
    """The first thing that is wrong, in a clause."""
    assert problem in next(iter(list_parameter_problems(definition, value)), "")
