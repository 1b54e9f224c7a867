"""Names that a template computes: where their values come from, and what is planned of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import InputError, LookupFailedError, NotFoundError
from dataware.core.model import Deployed
from dataware.core.parameters import GivenParameters
from dataware.kinds import kinds_by_type
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.fallback_patterns import parse_patterns
from dataware.ops.inputs.parameters_file import read_parameters
from dataware.ops.inputs.problems import check_file
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.value_sources import ValueSources
from dataware.ops.inputs.wanted import App

HERE = "111122223333"
TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": {"Ref": "KeyType"}}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
OPTED = {"Dataware": {"Fallback": ["older"]}}


class FakeAws:
    """One account and region; `denied` are the questions that it does not answer."""

    partition = "aws"

    def __init__(self, region: str = "eu-west-1", denied: frozenset[str] = frozenset()) -> None:
        self.account, self.region, self.denied = HERE, region, denied
        self.parameters: dict[str, Mapping[str, str]] = {}
        self.resources: dict[str, Mapping[str, Deployed]] = {}
        self.exports: dict[str, str] = {}
        self.outputs: dict[str, Mapping[str, str]] = {}
        self.stored: dict[str, str | None] = {}
        self.asked: list[str] = []

    def _ask(self, question: str) -> None:
        self.asked.append(question)
        if question in self.denied:
            raise LookupFailedError(f"{question} is denied; it needs a permission")

    def stack_parameters(self, stack: str) -> Mapping[str, str]:
        self._ask("parameters")
        return self.parameters.get(stack, {})

    def stack_resources(self, stack: str) -> Mapping[str, Deployed]:
        self._ask("resources")
        return self.resources.get(stack, {})

    def exported_values(self) -> Mapping[str, str]:
        self._ask("exports")
        return self.exports

    def stack_outputs(self, stack: str) -> Mapping[str, str]:
        self._ask("outputs")
        return self.outputs.get(stack, {})

    def stored_parameter(self, name: str) -> str | None:
        self._ask("stored")
        if name not in self.stored:
            raise NotFoundError(f"SSM parameter {name} does not exist")
        return self.stored[name]

    def stack_id(self, stack: str) -> str | None:
        self._ask("id")
        return f"arn:aws:cloudformation:{self.region}:{HERE}:stack/{stack}/1-2"


def load(path: Path, aws: FakeAws | None = None, stack: str | None = None, **given: Any) -> App:
    """The app at `path`; AWS is asked where there is one."""
    parameters = given.pop("parameters", GivenParameters())
    sources = ValueSources(parameters, (lambda _: aws) if aws else None)
    options = ReadOptions(sources=sources, **given)
    return load_app(path, kinds=kinds_by_type(), options=options, stack=stack, guarding=True)


def write(folder: Path, resources: Any, **sections: Any) -> Path:
    """A template in a file."""
    path = folder / "t.json"
    path.write_text(json.dumps({**sections, "Resources": resources}))
    return path


def bucket(name: Any, **more: Any) -> dict[str, Any]:
    """A bucket that opts in."""
    properties = {} if name is None else {"BucketName": name}
    return {"Type": "AWS::S3::Bucket", "Metadata": OPTED, "Properties": properties, **more}


STAGE = {"Stage": {"Type": "String", "Default": "dev"}}
STAGED = bucket({"Fn::Sub": "up-${Stage}"})


def test_a_deployed_value_goes_before_the_default_and_a_given_one_before_both(
    tmp_path: Path,
) -> None:
    """Without the name of a stack nobody is asked."""
    path, aws = write(tmp_path, {"Up": STAGED}, Parameters=STAGE), FakeAws()
    aws.parameters["Shop"] = {"Stage": "beta"}
    assert load(path, aws).wanted[0].preferred == "up-dev"
    assert aws.asked == []
    assert load(path, aws, "Shop").wanted[0].preferred == "up-beta"
    given = read_parameters(["Stage=prod"], None)
    (one,) = load(path, aws, "Shop", parameters=given).wanted
    assert (one.preferred, one.computed_by) == ("up-prod", "Fn::Sub")
    assert one.properties["BucketName"] == "up-prod"


def test_a_stack_that_cannot_be_seen_leaves_its_parameters_unknown(tmp_path: Path) -> None:
    """The default is not what a stack has that was not seen."""
    path = write(tmp_path, {"Up": STAGED}, Parameters=STAGE)
    says = r"Fn::Sub\), whose value is unknown: the parameters .*Shop were not seen.*--parameter"
    with pytest.raises(InputError, match=says):
        load(path, FakeAws(denied=frozenset({"parameters"})), "Shop")


@pytest.mark.parametrize(
    ("expression", "denied", "says"),
    [
        ({"Fn::ImportValue": "x"}, "exports", "exports is denied"),
        ({"Fn::ImportValue": "x"}, "", "no deployed stack exports x"),
        ("{{resolve:ssm:/x}}", "stored", "stored is denied"),
        ("{{resolve:ssm:/x}}", "", "SSM parameter /x does not exist"),
        ("{{resolve:ssm:/secret}}", "", "SecureString, which is never read"),
        ({"Fn::Sub": "a-${AWS::StackName}"}, "", "pass --stack NAME"),
    ],
)
def test_what_aws_does_not_answer_is_unknown(
    expression: Any, denied: str, says: str, tmp_path: Path
) -> None:
    """With its own words, and it is asked once."""
    aws = FakeAws(denied=frozenset({denied}))
    aws.stored["/secret"] = None
    resources = {name: STAGED | bucket(expression) for name in ("One", "Two")}
    with pytest.raises(InputError, match=says):
        load(write(tmp_path, resources), aws)
    unasked = {
        name: {"Type": "AWS::S3::Bucket", "Properties": one["Properties"]}
        for name, one in resources.items()
    }
    aws.asked.clear()
    found = load(write(tmp_path, unasked), aws, every=True)
    assert [says.replace("\\", "") in one.reason for one in found.unplanned] == [True, True]
    assert len(aws.asked) <= 1


def test_exports_and_stored_values_are_asked_for_and_noted(tmp_path: Path) -> None:
    """What was asked for stands in the permissions of the app."""
    aws = FakeAws()
    aws.exports["shared"], aws.stored["/name:2"] = "shared-bucket", "second-bucket"
    resources = {
        "One": bucket({"Fn::ImportValue": "shared"}),
        "Two": bucket("{{resolve:ssm:/name:2}}"),
    }
    app = load(write(tmp_path, resources), aws)
    assert [one.preferred for one in app.wanted] == ["shared-bucket", "second-bucket"]
    assert app.lookups == {
        "*": {"cloudformation:ListExports"},
        f"arn:aws:ssm:eu-west-1:{HERE}:parameter/name": {"ssm:GetParameter"},
    }


def test_key_schemas_and_policies_are_evaluated_and_secrets_are_not(tmp_path: Path) -> None:
    """A secret stays a reference, which the deployment alone resolves."""
    parameters = {
        "KeyType": {"Type": "String", "Default": "S"},
        "Secret": {"Type": "String", "Default": "planted", "NoEcho": True},
    }
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Metadata": OPTED,
        "DeletionPolicy": {"Fn::If": ["IsS", "Retain", "Delete"]},
        "Properties": {
            **TABLE,
            "TableName": "Orders",
            "Tags": [{"Key": "a", "Value": {"Ref": "Secret"}}],
        },
    }
    conditions = {"IsS": {"Fn::Equals": [{"Ref": "KeyType"}, "S"]}}
    path = write(tmp_path, {"Orders": table}, Parameters=parameters, Conditions=conditions)
    (one,) = load(path, parameters=read_parameters(["Secret=typed"], None)).wanted
    kind = kinds_by_type()[one.type]
    assert kind.template.declared_schema(one.properties) == "id (S)"
    assert (one.retained, one.unresolved) == (True, ("Tags",))
    assert "planted" not in repr(one)
    assert "typed" not in repr(one)


def test_a_resource_that_is_not_created_is_left_out_and_told_of(tmp_path: Path) -> None:
    """Where its condition is unknown, only the deployment knows."""
    parameters = {**STAGE, "Asked": {"Type": "String"}}
    conditions = {
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "IsAsked": {"Fn::Equals": [{"Ref": "Asked"}, "x"]},
    }
    resources = {
        "Up": bucket("up", Condition="IsProd") | {"Properties": {"BucketName": "uploads"}},
        "Maybe": bucket("maybe", Condition="IsAsked"),
    }
    path = write(tmp_path, resources, Parameters=parameters, Conditions=conditions)
    app = load(path)
    assert [(one.preferred, one.unresolved) for one in app.wanted] == [("maybe", ("Condition",))]
    assert app.notes == ("Up is not created, because condition IsProd is false",)
    app = load(path, parameters=read_parameters(["Stage=prod", "Asked=x"], None))
    assert [one.unresolved for one in app.wanted] == [(), ()]


def test_an_account_regional_bucket_has_a_name(tmp_path: Path) -> None:
    """Which says the same as its prefix; only the name is kept."""
    given = {"BucketNamePrefix": "logs", "BucketNamespace": "account-regional"}
    (one,) = load(write(tmp_path, {"Logs": bucket(None) | {"Properties": given}}), FakeAws()).wanted
    assert one.preferred == f"logs-{HERE}-eu-west-1-an"
    assert one.properties == {"BucketNamespace": "account-regional"}
    assert one.computed_by == "BucketNamePrefix"


def nested(folder: Path, resources: Any, **more: Any) -> Path:
    """A template with a nested stack of these resources in a file beside it."""
    inner = {"Parameters": {"Name": {"Type": "String"}}, "Resources": resources}
    (folder / "inner.json").write_text(json.dumps(inner))
    outer = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": "inner.json",
            "Parameters": {"Name": {"Fn::Sub": "${Stage}-data"}},
        },
        **more,
    }
    return write(folder, {"Inner": outer}, Parameters={**STAGE, "Asked": {"Type": "String"}})


def test_a_nested_stack_gets_what_the_stack_around_it_hands_down(tmp_path: Path) -> None:
    """Its resources are planned under its own stack, once there is one."""
    path, aws = nested(tmp_path, {"Data": bucket({"Ref": "Name"})}), FakeAws()
    (one,) = load(path, aws, "Shop").wanted
    assert (one.id, one.preferred, one.stack) == ("Inner/Data", "dev-data", "Shop/Inner")
    arn = f"arn:aws:cloudformation:eu-west-1:{HERE}:stack/Shop-Inner-1ABC/9"
    aws.resources["Shop"] = {"Inner": Deployed("AWS::CloudFormation::Stack", arn)}
    app = load(path, aws, "Shop")
    assert [(one.stack, one.logical_id) for one in app.wanted] == [("Shop-Inner-1ABC", "Data")]
    assert list(app.stacks[0].nested["Inner"].resources) == ["Data"]


def test_what_is_handed_down_and_unknown_says_so(tmp_path: Path) -> None:
    """The reason is that of the outer stack."""
    inner = {"Parameters": {"Name": {"Ref": "Asked"}}, "TemplateURL": "inner.json"}
    path = nested(tmp_path, {"Data": bucket({"Ref": "Name"})}, Properties=inner)
    with pytest.raises(InputError, match=r"inner.json, resource Data: .*--parameter Asked=VALUE"):
        load(path)


UNKNOWN_CHOICE: dict[str, Any] = {"Fn::If": ["IsAsked", {"Name": "one"}, {"Name": "two"}]}
INCLUDED = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}}


@pytest.mark.parametrize(
    "properties",
    [
        {"TemplateURL": "inner.json", "Parameters": UNKNOWN_CHOICE},
        {"TemplateURL": "inner.json", "Parameters": INCLUDED},
        {"TemplateURL": "inner.json", "Parameters": {"Name": "data"}, **INCLUDED},
        {"Fn::If": ["IsAsked", {"TemplateURL": "inner.json"}, {"TemplateURL": "inner.json"}]},
    ],
)
def test_a_nested_stack_takes_no_default_where_it_is_unknown_what_is_handed_down(
    properties: Any, tmp_path: Path
) -> None:
    """All of its parameters may be given, whatever their defaults."""
    inner = {
        "Parameters": {"Name": {"Type": "String", "Default": "guess"}},
        "Resources": {"Data": bucket({"Ref": "Name"})},
    }
    (tmp_path / "inner.json").write_text(json.dumps(inner))
    outer = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "inner.json"},
        "Properties": properties,
    }
    path = write(
        tmp_path,
        {"Inner": outer},
        Parameters={"Asked": {"Type": "String"}},
        Conditions={"IsAsked": {"Fn::Equals": [{"Ref": "Asked"}, "yes"]}},
    )
    with pytest.raises(InputError, match="what is handed down is unknown"):
        load(path)


def test_stacks_that_hold_one_another_end(tmp_path: Path) -> None:
    """A template that names itself is read once."""
    itself = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "t.json"}}
    app = load(write(tmp_path, {"Me": itself, "Up": bucket("uploads")}), every=True)
    assert [one.preferred for one in app.wanted] == ["uploads"]
    assert [one.id for one in app.unplanned] == ["Me"]


PLAIN = {"Type": "AWS::S3::Bucket"}


def test_every_stateful_resource_is_planned_or_told_of(tmp_path: Path) -> None:
    """Generated names are those of the deployed stack; nothing is taken for absent."""
    resources = {
        "Named": {**PLAIN, "Properties": {"BucketName": "named-prod"}},
        "Generated": PLAIN,
        "New": PLAIN,
        "Asked": {**PLAIN, "Properties": {"BucketName": {"Ref": "Asked"}}},
        "Wrong": {**PLAIN, "Properties": {"BucketName": "Not_A_Name!"}},
        "Db": {"Type": "AWS::Redshift::Cluster"},
        "Topic": {"Type": "AWS::SNS::Topic"},
    }
    path = write(tmp_path, resources, Parameters={"Asked": {"Type": "String"}})
    aws = FakeAws()
    aws.resources["Shop"] = {"Generated": Deployed("AWS::S3::Bucket", "shop-generated-1abc")}
    app = load(path, aws, "Shop", every=True)
    assert [one.preferred for one in app.wanted] == ["named-prod", "shop-generated-1abc"]
    reasons = {one.id: one.reason for one in app.unplanned}
    assert reasons.keys() == {"New", "Asked", "Wrong", "Db"}
    assert "the stack has none yet" in reasons["New"]
    assert "--parameter Asked=VALUE" in reasons["Asked"]
    assert reasons["Db"] == "dataware cannot look into that type"
    denied = FakeAws(denied=frozenset({"resources"}))
    reasons = {one.id: one.reason for one in load(path, denied, "Shop", every=True).unplanned}
    assert "resources is denied" in reasons["Generated"]


def test_patterns_give_fallbacks_to_what_has_none(tmp_path: Path) -> None:
    """Metadata wins, and what no pattern fits is told of."""
    resources = {
        "Own": bucket("own-prod"),
        "Empty": bucket("empty-prod") | {"Metadata": {"Dataware": {}}},
        "Plain": {**PLAIN, "Properties": {"BucketName": "plain-prod"}},
        "Other": {**PLAIN, "Properties": {"BucketName": "other-dev"}},
    }
    path = write(tmp_path, resources)
    app = load(path, patterns=parse_patterns(["{base}-prod={base}", "{base}-prod={base}-{stack}"]))
    found = {one.logical_id: one.fallbacks for one in app.wanted}
    assert found == {"Own": ("older",), "Empty": ("empty",), "Plain": ("plain",)}
    assert [(one.id, "no fallback pattern" in one.reason) for one in app.unplanned] == [
        ("Other", True)
    ]


def test_a_pattern_that_fits_nothing_is_an_error_where_nothing_else_is_planned(
    tmp_path: Path,
) -> None:
    """Somebody named it; with a list of all resources the list is the answer."""
    path = write(tmp_path, {"One": PLAIN | {"Properties": {"BucketName": "one-dev"}}, "Two": PLAIN})
    patterns = parse_patterns(["{base}-prod={base}"])
    with pytest.raises(InputError, match="no resource is planned: One, and 1 more, because no fal"):
        load(path, patterns=patterns)
    assert load(path, patterns=patterns, every=True).wanted
    assert load(path, stack="Shop", patterns=patterns).unplanned
    assert load(path, patterns=patterns, is_one_of_many=True).unplanned


@pytest.mark.parametrize(
    ("pattern", "name", "fallback"),
    [
        ("{base}-prod={base}", "orders-prod", "orders"),
        ("{base}-{stage}={base}", "my-orders-prod", "my-orders"),
        ("{base}={base}-old", "orders", "orders-old"),
        ("{a}-{b}={b}-{a}", "x-y", "y-x"),
        ("{a}-{a}={a}", "x-x", "x"),
        ("{a}-{a}={a}", "x-y", None),
        ("a.b-{x}={x}", "a.b-c", "c"),
        ("a.b-{x}={x}", "axb-c", None),
        ("{base}-prod={base}-{account}", "orders-prod", f"orders-{HERE}"),
        ("{base}={base}", "orders", None),
    ],
)
def test_a_pattern_fits_a_whole_name(pattern: str, name: str, fallback: str | None) -> None:
    """A name is no fallback of itself."""
    (parsed,) = parse_patterns([pattern])
    assert parsed.apply(name, {"account": HERE, "region": None, "stack": None}) == fallback


@pytest.mark.parametrize("pattern", ["x", "=x", "x=", "{a}={b}", "{a={a}", "{A}={A}", "{}=x"])
def test_a_pattern_that_means_nothing_is_refused(pattern: str) -> None:
    """With a pattern that does."""
    with pytest.raises(InputError, match="--fallback"):
        parse_patterns([pattern])


FILES = {
    "a list": '[{"ParameterKey": "Stage", "ParameterValue": "prod"}, '
    '{"ParameterKey": "Kept", "UsePreviousValue": true}]',
    "words": '["Stage=prod"]',
    "a mapping": "Stage: prod\n",
    "a mapping in a mapping": '{"Parameters": {"Stage": "prod"}, "Tags": {}}',
    "another value": "Stage: [prod]\n",
}


@pytest.mark.parametrize("form", FILES)
def test_a_file_of_parameters_has_any_form_of_cloudformations_tools(
    form: str, tmp_path: Path
) -> None:
    """What is typed goes before it."""
    file = tmp_path / "p"
    file.write_text(FILES[form])
    assert read_parameters([], file).values_for("Shop") == {"Stage": "prod"}
    assert read_parameters(["Stage=x=y"], file).values_for("Shop") == {"Stage": "x=y"}


@pytest.mark.parametrize(
    ("words", "file", "says"),
    [
        (["Stage"], "", "has no value: write it as KEY=VALUE"),
        ([], "text", "it holds no parameters"),
        ([], "[1]", "an entry of it is not a parameter"),
        ([], "Stage: {a: 1}", "parameter Stage must be a text"),
        (["Stag=x"], "", r"no template declares it, did you mean Stage\?"),
        (["Stage=pro"], "", "--parameter Stage=pro: it takes one of dev, prod"),
        (["Secret=short"], "", "--parameter Secret: it takes 8 characters or more"),
        (["Shop2:Stage=dev"], "", "the app has no stack Shop2"),
    ],
)
def test_a_parameter_that_cloudformation_would_refuse_is_refused(
    words: list[str], file: str, says: str, tmp_path: Path
) -> None:
    """In one sentence, without the value of a secret."""
    parameters = {
        "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"]},
        "Secret": {"Type": "String", "NoEcho": True, "MinLength": 8},
    }
    path = write(tmp_path, {"Up": STAGED}, Parameters=parameters)
    (tmp_path / "p.yaml").write_text(file)
    with pytest.raises(InputError, match=says) as raised:
        load(path, parameters=read_parameters(words, tmp_path / "p.yaml" if file else None))
    assert "short" not in str(raised.value)


def test_a_loop_over_a_parameter_is_written_out(tmp_path: Path) -> None:
    """Also where the guard reads the stack."""
    loop = ["Name", {"Ref": "Names"}, {"Data${Name}": bucket({"Fn::Sub": "data-${Name}-${Stage}"})}]
    names = {"Names": {"Type": "CommaDelimitedList", "Default": "red,blue"}, **STAGE}
    app = load(write(tmp_path, {"Fn::ForEach::All": loop}, Parameters=names), stack="Shop")
    assert [one.preferred for one in app.wanted] == ["data-red-dev", "data-blue-dev"]
    assert list(app.stacks[0].resources) == ["Datared", "Datablue"]
    assert not app.unseen


def test_a_check_of_files_passes_over_what_aws_alone_knows(tmp_path: Path) -> None:
    """It counts as opted in; a name that nobody can know is wrong there, too."""
    resources = {"Up": bucket({"Fn::Sub": "up-${AWS::AccountId}"})}
    checked = check_file(write(tmp_path, resources), kinds_by_type())
    assert (checked.problems, checked.unnamed) == ((), 1)
    resources = {"Up": bucket({"Fn::GetAtt": ["Key", "Arn"]}), "Key": {"Type": "AWS::KMS::Key"}}
    checked = check_file(write(tmp_path, resources), kinds_by_type())
    assert "Arn of Key is known only once it is deployed" in checked.problems[0].text


def test_a_stack_of_the_same_app_exports_a_name(tmp_path: Path) -> None:
    """Before what is deployed, which may be older; in its own environment."""
    shared = {"Value": {"Ref": "Up"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-up"}}}
    data = {"Resources": {"Up": bucket("uploads")}, "Outputs": {"Up": shared}}
    api = {
        "Resources": {"Copy": bucket({"Fn::Join": ["", [{"Fn::ImportValue": "data-up"}, "-2"]]})}
    }
    assemble(tmp_path, {"data": data, "api": api})
    aws = FakeAws()
    assert [one.preferred for one in load(tmp_path, aws).wanted] == ["uploads", "uploads-2"]
    assert "exports" not in aws.asked


def assemble(folder: Path, documents: Mapping[str, Any], place: str = f"{HERE}/eu-west-1") -> None:
    """A cloud assembly of these stacks, which go to one place."""
    artifacts = {}
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{place}",
            "properties": {"templateFile": f"{name}.json", "stackName": name},
        }
    manifest = {"version": "48.0.0", "artifacts": artifacts}
    (folder / "manifest.json").write_text(json.dumps(manifest))


API = {"Resources": {"Copy": bucket({"Fn::ImportValue": "up"})}}
CONDITIONS = {
    "Is": {"Fn::Equals": ["a", "a"]},
    "IsNot": {"Fn::Equals": ["a", "b"]},
    "Asked": {"Fn::Equals": [{"Ref": "Asked"}, "b"]},
}


def exporting(*rows: tuple[str, str | None]) -> dict[str, Any]:
    """A template that exports values, each under a condition, by one name."""
    outputs = {
        f"Out{at}": {
            "Value": value,
            "Export": {"Name": "up"},
            **({"Condition": condition} if condition else {}),
        }
        for at, (value, condition) in enumerate(rows)
    }
    asked = {"Asked": {"Type": "String"}}
    return {"Parameters": asked, "Conditions": CONDITIONS, "Resources": {}, "Outputs": outputs}


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([("mine", "Is"), ("other", "IsNot")], "mine"),
        ([("other", "IsNot"), ("mine", "Is")], "mine"),
        ([("other", "IsNot")], "deployed"),
        ([("other", "Asked")], "deployed"),
        ([("mine", None), ("other", "Asked")], "deployed"),
    ],
)
def test_an_export_counts_only_where_its_condition_holds(
    rows: list[tuple[str, str | None]], name: str, tmp_path: Path
) -> None:
    """What the app may export or not is asked of what is deployed."""
    assemble(tmp_path, {"data": exporting(*rows), "api": API})
    aws = FakeAws()
    aws.exports["up"] = "deployed"
    assert [one.preferred for one in load(tmp_path, aws).wanted] == [name]


def test_an_export_of_two_stacks_is_unknown(tmp_path: Path) -> None:
    """Stages that leave their account open: nothing says which of them the import means."""
    stacks = {"dev": exporting(("one", None)), "prod": exporting(("two", None)), "api": API}
    assemble(tmp_path, stacks, "unknown-account/unknown-region")
    with pytest.raises(InputError, match="the app exports up more than once"):
        load(tmp_path, FakeAws())


NESTED = "AWS::CloudFormation::Stack"
NAMES = {
    "Parameters": STAGE,
    "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
    "Resources": {"Made": {"Type": "AWS::S3::Bucket"}},
    "Outputs": {
        "Name": {"Value": {"Fn::Sub": "data-${Stage}"}},
        "Made": {"Value": {"Ref": "Made"}},
        "Never": {"Value": "x", "Condition": "Never"},
        "Listed": {"Value": ["x"]},
    },
}


def nest(folder: Path, expression: Any, passed: Any = None, document: Any = NAMES) -> Path:
    """A template of a bucket that is named after an output of a nested stack."""
    (folder / "names.json").write_text(json.dumps(document))
    properties = {"TemplateURL": "names.json", "Parameters": passed or {"Stage": "prod"}}
    inner = {"Type": NESTED, "Properties": properties}
    return write(folder, {"Names": inner, "Up": bucket(expression)}, Parameters=STAGE)


@pytest.mark.parametrize(
    ("expression", "passed", "name"),
    [
        ({"Fn::GetAtt": ["Names", "Outputs.Name"]}, None, "data-prod"),
        ({"Fn::GetAtt": "Names.Outputs.Name"}, {"Stage": {"Ref": "Stage"}}, "data-dev"),
        ({"Fn::Sub": "${Names.Outputs.Name}-2"}, None, "data-prod-2"),
    ],
)
def test_an_output_of_a_nested_stack_is_what_its_template_gives(
    tmp_path: Path, expression: Any, passed: Any, name: str
) -> None:
    """With the parameters that the outer stack hands down, and nobody is asked."""
    aws = FakeAws()
    (one,) = load(nest(tmp_path, expression, passed), aws).wanted
    assert (one.preferred, aws.asked) == (name, [])


def test_an_output_that_no_template_gives_is_that_of_the_deployed_stack(tmp_path: Path) -> None:
    """A generated name, or a nested stack whose template is no file: once it is deployed."""
    aws, made = FakeAws(), {"Fn::GetAtt": ["Names", "Outputs.Made"]}
    path = nest(tmp_path, made)
    with pytest.raises(InputError, match="output Made of nested stack Names is unknown"):
        load(path, aws, "Shop")
    aws.resources["Shop"] = {"Names": Deployed(NESTED, "arn:names")}
    aws.outputs["arn:names"] = {"Made": "shop-made-1ab"}
    assert load(path, aws, "Shop").wanted[0].preferred == "shop-made-1ab"
    (tmp_path / "names.json").unlink()
    assert load(path, aws, "Shop").wanted[0].preferred == "shop-made-1ab"


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("Gone", "has no output Gone"),
        ("Never", "has output Never under Never only"),
        ("Listed", "output Listed of nested stack Names is not a text"),
    ],
)
def test_an_output_that_is_none_is_told(tmp_path: Path, output: str, says: str) -> None:
    """It is never nothing, and never a literal."""
    with pytest.raises(InputError, match=says):
        load(nest(tmp_path, {"Fn::GetAtt": ["Names", f"Outputs.{output}"]}), FakeAws(), "Shop")


def test_outputs_that_rest_on_each_other_stay_unknown(tmp_path: Path) -> None:
    """A circle of what nested stacks hand each other ends in a sentence."""
    out = {"Fn::GetAtt": ["Other", "Outputs.Name"]}
    path = nest(tmp_path, {"Fn::GetAtt": ["Names", "Outputs.Name"]}, {"Stage": out})
    document = json.loads(path.read_text())
    passed = {"Stage": {"Fn::GetAtt": ["Names", "Outputs.Name"]}}
    properties = {"TemplateURL": "names.json", "Parameters": passed}
    document["Resources"]["Other"] = {"Type": NESTED, "Properties": properties}
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="rests on itself"):
        load(path, FakeAws(), "Shop")


def test_a_fallback_that_is_unknown_says_why(tmp_path: Path) -> None:
    """As a name does: what would make it known."""
    opted = {"Dataware": {"Fallback": ["older", {"Fn::ImportValue": "gone"}]}}
    path = write(tmp_path, {"Up": bucket("uploads", Metadata=opted)})
    with pytest.raises(
        InputError, match=r"\(Fn::ImportValue\), .*: no deployed stack exports gone"
    ):
        load(path, FakeAws())


def test_a_key_that_stands_twice_in_json_is_refused(tmp_path: Path) -> None:
    """Nobody can tell which of two resources of one logical id is meant."""
    path = tmp_path / "t.json"
    one = json.dumps(bucket("uploads"))
    path.write_text(f'{{"Resources": {{"Up": {{"Type": "AWS::SNS::Topic"}}, "Up": {one}}}}}')
    with pytest.raises(InputError, match="key Up is given twice"):
        load(path)


LOOP: dict[str, Any] = {
    "Fn::ForEach::Each": ["Name", {"Ref": "Names"}, {"Up${Name}": bucket("${Name}")}]
}


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ({"Up": bucket("uploads", Condition="IsNot")}, "planned: Up is not created, because cond"),
        (LOOP, "Fn::ForEach::Each is not inspected, because its list is not known"),
    ],
)
def test_an_app_without_a_plan_says_what_it_has_instead(
    resources: Any, says: str, tmp_path: Path
) -> None:
    """A resource that opts in and is not created, or may be made by what nobody sees."""
    sections = {"Conditions": CONDITIONS, "Parameters": {"Names": {"Type": "CommaDelimitedList"}}}
    path = write(tmp_path, resources, **sections)
    with pytest.raises(InputError, match=says):
        load_app(path, kinds=kinds_by_type())


def test_only_the_names_that_are_asked_for_have_to_be_known(tmp_path: Path) -> None:
    """The others are left out by their ids, and a name that is asked for is refused as ever."""
    resources = {"Up": bucket("uploads"), "Down": bucket({"Fn::ImportValue": "x"})}
    path = write(tmp_path, resources)
    with pytest.raises(InputError, match=r"resource Down: .*whose value is unknown"):
        load(path, FakeAws())
    app = load(path, FakeAws(), only=("uploads",))
    assert [one.preferred for one in app.wanted] == ["uploads"]
    assert [one.id for one in app.unnamed] == ["Down"]
    with pytest.raises(InputError, match=r"resource Down: .*whose value is unknown"):
        load(path, FakeAws(), only=("uploads", "Down"))
