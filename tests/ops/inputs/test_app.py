"""Every way to name an app, and every way to get it wrong."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import AppError, InputError
from dataware.core.model import Creator, ImportMode, OnError, OnFallbackData
from dataware.kinds import kinds
from dataware.ops.inputs.app import AppRun, load_app
from dataware.ops.inputs.cdk_app import error_line
from dataware.ops.inputs.references import refers
from dataware.ops.inputs.template import parse_template
from dataware.ops.inputs.wanted import App, Overrides, StackEnvironment

KINDS = {kind.cfn_type: kind for kind in kinds()}

TOML = """
[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "Spaceport-Waitlist-prod"
fallback = "Spaceport-Waitlist"
on_error = "stop"
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
"""

YAML = """
AWSTemplateFormatVersion: 2010-09-09
Parameters: {Key: {Type: String}}
Resources:
  Uploads:
    Type: AWS::S3::Bucket
    Metadata:
      Dataware: {Fallback: [spaceport-uploads], OnFallbackData: import}
    Properties:
      BucketName: spaceport-uploads-prod
      Tags:
        - {Key: where, Value: !Sub "${AWS::Region}-${!literal}"}
        - {Key: who, Value: !Join ["-", [!Ref AWS::AccountId, a]]}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {KMSMasterKeyID: !GetAtt Other.Arn}
      LoggingConfiguration: {LogFilePrefix: !Sub "${AWS::StackName}/"}
      VersioningConfiguration: {Status: !If [Always, Enabled, Suspended]}
      AccelerateConfiguration: {AccelerationStatus: !Ref Key}
  Other:
    Type: AWS::KMS::Key
"""


def load(path: Path | None, **settings: Any) -> App:
    """The app at `path`, with the real kinds."""
    return load_app(path, kinds=KINDS, **settings)


def write(folder: Path, name: str, text: str | bytes) -> Path:
    """A file with that text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def template(**resource: Any) -> str:
    """A template of one bucket that opts in, with parts of it replaced."""
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Metadata": {"Dataware": {"Fallback": ["old-name"]}},
        "Properties": {"BucketName": "new-name"},
        **resource,
    }
    return json.dumps({"Resources": {"Bucket": bucket}})


def assembly(folder: Path, environment: str = "aws://unknown-account/unknown-region") -> Path:
    """A cloud assembly with one stack, and one more inside a stage."""
    stack = {"type": "aws:cloudformation:stack", "environment": environment}
    for at, name, path in (("", "Demo", "Demo/Up"), ("assembly-Stage", "Inner", "Stage/Up")):
        metadata = {"Dataware": {"Fallback": ["old"]}, "aws:cdk:path": f"{path}/Resource"}
        bucket = {"BucketName": f"new-{name.lower()}"}
        write(folder / at, f"{name}.json", template(Metadata=metadata, Properties=bucket))
        properties = {"templateFile": f"{name}.json", "stackName": f"{name}-prod"}
        artifacts: dict[str, Any] = {name: {**stack, "properties": properties}}
        if not at:
            inner = {"directoryName": "assembly-Stage"}
            artifacts["Stage"] = {"type": "cdk:cloud-assembly", "properties": inner}
        write(folder / at, "manifest.json", json.dumps({"version": "1", "artifacts": artifacts}))
    return folder


def test_a_toml_file_becomes_wanted_resources(tmp_path: Path) -> None:
    """Every field arrives; a fallback may be one string."""
    (one,) = load(write(tmp_path, "dataware.toml", TOML)).wanted
    assert (one.id, one.preferred) == ("Spaceport-Waitlist-prod", "Spaceport-Waitlist-prod")
    assert one.fallbacks == ("Spaceport-Waitlist",)
    assert (one.on_error, one.import_mode) == (OnError.STOP, ImportMode.ADOPT)
    assert one.properties == {"BillingMode": "PAY_PER_REQUEST"}
    assert (one.creator, one.stack) == (Creator.APPLY, None)


@pytest.mark.parametrize("word", [None, *OnError])
@pytest.mark.parametrize("typed", [None, *OnError])
def test_what_is_uncertain_is_safe_unless_another_word_is_said(
    tmp_path: Path, word: OnError | None, typed: OnError | None
) -> None:
    """In a file, in a template, on the command line, which wins; `safe` where nobody says one."""
    said = f'on_error = "{word}"' if word else ""
    toml = write(tmp_path, "dataware.toml", TOML.replace('on_error = "stop"', said))
    metadata = "OnFallbackData: import" + (f", OnError: {word}" if word else "")
    yaml = write(tmp_path, "t.yaml", YAML.replace("OnFallbackData: import", metadata))
    expected = typed or word or OnError.SAFE
    for path in (toml, yaml):
        wanted = load(path, overrides=Overrides(typed)).wanted
        assert [one.on_error for one in wanted] == [expected]


@pytest.mark.parametrize("address", ["s3://templates/app.yaml", "https://example.com/t.json"])
def test_an_address_is_no_file(address: str) -> None:
    """It is told as it was typed, with both of its slashes."""
    says = f"^{re.escape(address)} is an address, not a file: download it"
    with pytest.raises(InputError, match=says):
        load(Path(address))


def test_an_unknown_type_is_answered_with_what_there_is(tmp_path: Path) -> None:
    """Another type is no slip of the hand, and is not suggested."""
    text = TOML.replace("AWS::DynamoDB::Table", "AWS::Redshift::Cluster")
    with pytest.raises(InputError, match=r"unknown to dataware, which supports AWS::Cog.*::S3::B"):
        load(write(tmp_path, "dataware.toml", text))


def test_the_command_line_wins_over_the_app(tmp_path: Path) -> None:
    """An option beats the same setting of a file."""
    overrides = Overrides(OnError.NO_DATA, OnFallbackData.IMPORT, ImportMode.REFERENCE)
    (one,) = load(write(tmp_path, "dataware.toml", TOML), overrides=overrides).wanted
    assert one.on_error is OnError.NO_DATA
    assert one.on_fallback_data is OnFallbackData.IMPORT
    assert one.import_mode is ImportMode.REFERENCE


def test_a_yaml_template_is_read_as_cloudformation_reads_it(tmp_path: Path) -> None:
    """Short forms are understood, and what only the deployment can resolve is listed."""
    (one,) = load(write(tmp_path, "t.yaml", YAML), stack="Spaceport").wanted
    assert (one.id, one.logical_id, one.stack) == ("Uploads", "Uploads", "Spaceport")
    assert one.creator is Creator.DEPLOYMENT
    assert one.on_fallback_data is OnFallbackData.IMPORT
    assert one.properties["Tags"][1]["Value"] == {
        "Fn::Join": ["-", [{"Ref": "AWS::AccountId"}, "a"]]
    }
    assert one.properties["LoggingConfiguration"] == {"LogFilePrefix": "Spaceport/"}
    assert one.unresolved == (
        "BucketEncryption",
        "VersioningConfiguration",
        "AccelerateConfiguration",
    )


def test_a_conditional_resource_is_left_to_the_deployment(tmp_path: Path) -> None:
    """Only CloudFormation knows whether a condition holds."""
    (one,) = load(write(tmp_path, "t.json", template(Condition="Maybe"))).wanted
    assert one.unresolved == ("Condition",)


def test_an_assembly_gives_all_stacks_and_stages(tmp_path: Path) -> None:
    """Stack names, construct paths and environments come from the manifest."""
    app = load(assembly(tmp_path, "aws://111122223333/eu-west-1"))
    assert [(one.id, one.stack) for one in app.wanted] == [
        ("Demo/Up", "Demo-prod"),
        ("Stage/Up", "Inner-prod"),
    ]
    app.check_environment("111122223333", "eu-west-1")
    with pytest.raises(InputError, match="Demo-prod is meant for account 111122223333, eu-west-1"):
        app.check_environment("111122223333", "us-east-1")


def test_one_stack_of_an_assembly_can_be_chosen(tmp_path: Path) -> None:
    """--stack takes the name or the artifact id."""
    for name in ("Inner-prod", "Inner"):
        (one,) = load(assembly(tmp_path), stack=name).wanted
        assert one.stack == "Inner-prod"
    with pytest.raises(InputError, match=r"no stack Iner-prod, did you mean Inner-prod\?"):
        load(assembly(tmp_path), stack="Iner-prod")


def test_the_app_of_cdk_json_is_run_as_cdk_runs_it(tmp_path: Path) -> None:
    """The command sees CDK's variables, and its output folder is read."""
    assembly(tmp_path / "prepared")
    write(
        tmp_path,
        "app.py",
        "import os, json, shutil\n"
        "assert json.loads(os.environ['CDK_CONTEXT_JSON'])['mine'] == 'own'\n"
        "assert json.loads(os.environ['CDK_CONTEXT_JSON'])['looked-up'] == 1\n"
        "assert json.loads(os.environ['CDK_CONTEXT_JSON'])['dataware:lookup'] == 'collect'\n"
        "assert os.environ['CDK_DEFAULT_ACCOUNT'] == '111122223333'\n"
        "print('noise')\n"
        "shutil.copytree('prepared', os.environ['CDK_OUTDIR'], dirs_exist_ok=True)\n",
    )
    command = f"'{sys.executable}' app.py"
    write(tmp_path, "cdk.json", json.dumps({"app": command, "context": {"mine": "own"}}))
    write(tmp_path, "cdk.context.json", json.dumps({"looked-up": 1, "mine": "x"}))
    run = AppRun(environment=lambda: StackEnvironment("111122223333", "x"))
    app = load(None, folder=tmp_path, run=run)
    assert len(app.wanted) == 2


def test_a_failing_app_is_told_by_its_own_error(tmp_path: Path) -> None:
    """The user sees why the app failed, not where dataware noticed, nor what Node.js adds."""
    write(tmp_path, "cdk.json", json.dumps({"app": "echo first >&2; echo boom >&2; exit 3"}))
    with pytest.raises(AppError, match=r"failed: boom$") as raised:
        load(None, folder=tmp_path)
    assert raised.value.output == "first\nboom\n"
    thrown = "SyntaxError: Unexpected token\n    at file:///app.ts:3\n\nNode.js v20.20.2"
    assert error_line(thrown) == "SyntaxError: Unexpected token"
    assert error_line("Traceback:\n  x\njsii.errors.JSIIError: no such bucket\n") == (
        "jsii.errors.JSIIError: no such bucket"
    )
    assert error_line("") is None
    write(tmp_path, "cdk.json", json.dumps({"app": "true"}))
    with pytest.raises(InputError, match="wrote no cloud assembly"):
        load(None, folder=tmp_path)


def test_without_cdk_json_a_dataware_toml_is_taken(tmp_path: Path) -> None:
    """A folder with only a dataware.toml needs no argument."""
    with pytest.raises(InputError, match=r"no cdk\.json"):
        load(None, folder=tmp_path)
    write(tmp_path, "dataware.toml", TOML)
    assert load(None, folder=tmp_path).wanted


def test_what_opts_in_is_planned_in_a_nested_stack(tmp_path: Path) -> None:
    """Under a name that no stack has until the nested one is deployed."""
    assembly(tmp_path)
    document = json.loads((tmp_path / "Demo.json").read_text())
    document["Resources"]["Nested"] = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "nested.json"},
    }
    write(tmp_path, "Demo.json", json.dumps(document))
    write(tmp_path, "nested.json", template())
    inner = load(tmp_path).wanted[1]
    assert (inner.id, inner.stack, inner.logical_id, inner.preferred) == (
        "Nested/Bucket",
        "Demo-prod/Nested",
        "Bucket",
        "new-name",
    )


def test_missing_context_asks_for_synth(tmp_path: Path) -> None:
    """An assembly that CDK has not finished is not half read."""
    write(tmp_path, "manifest.json", json.dumps({"artifacts": {}, "missing": [{"key": "vpc"}]}))
    with pytest.raises(InputError, match="run `cdk synth` once"):
        load(tmp_path)


R = '[[resource]]\ntype = "AWS::S3::Bucket"\npreferred = "new-name"\n'

WRONG: list[tuple[str, str | bytes, str]] = [
    ("a.toml", "", "is empty"),
    ("a.toml", b"\xff\xfe\x00", "not a text file in UTF-8"),
    ("a.toml", "[[resource]\n", "not valid TOML: .*line 1"),
    ("a.toml", "x = 1", "unknown field x, choose from app, defaults, fallbacks, resource"),
    ("a.toml", "resource = 1", "it declares no resource"),
    ("a.toml", "resource = []", "it declares no resource"),
    ("a.toml", '[[resource]]\npreferred = "abc"', r"resource 1 \(abc\): type is missing"),
    ("a.toml", '[[resource]]\ntype = "AWS::S3::Bucket"', "preferred is missing"),
    ("a.toml", R + 'falback = "x"', "unknown field falback, did you mean fallback"),
    (
        "a.toml",
        R + "fallback = 1",
        "fallback must be a string or a list of strings, not the number 1: put it in quotes",
    ),
    ("a.toml", R + 'fallback = "new-name"', "both preferred name and one of"),
    ("a.toml", R + 'fallback = ["old", "old"]', "listed twice"),
    ("a.toml", R + 'on_error = "stopp"', "on_error cannot be stopp, did you mean stop"),
    ("a.toml", R + 'import = "adpt"', "import cannot be adpt, did you mean adopt"),
    ("a.toml", R + 'stack = "x"', "stack and logical_id belong together"),
    ("a.toml", R + "properties = 3", "properties must be a table of properties"),
    ("a.toml", R + 'properties = {BucketName = "other"}', "BucketName differs from preferred"),
    (
        "a.toml",
        R.replace("new-name", "new name"),
        "preferred name 'new name' is not a valid S3 bucket name",
    ),
    ("a.toml", R.replace("Bucket", "Bukket"), "AWS::S3::Bukket is unknown to dataware, did you"),
    ("a.toml", R + R, "have the same preferred name"),
    ("a.json", "{", "not valid JSON: line 1"),
    ("a.yaml", "a:\n  - b\n c", "not valid YAML: line 3"),
    ("a.yaml", "Resources:\n  A: {}\n  A: {}\n", "line 3: key A is given twice"),
    ("a.yaml", "just text", "is not a CloudFormation template"),
    ("a.json", "{}", "is not a CloudFormation template: it has no Resources"),
    ("a.json", '{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}', "no resource opts in: add"),
    ("a.json", template(Properties={}), "Properties.BucketName is missing"),
    (
        "a.json",
        template(Properties={"BucketName": {"Ref": "X"}}),
        "unknown: X is neither a parameter",
    ),
    ("a.json", template(Type="AWS::Lambda::Function"), "AWS::Lambda::Function is unknown"),
    ("a.json", template(Metadata={"Dataware": ["old"]}), "must be a mapping such as"),
    (
        "a.json",
        template(Metadata={"Dataware": {"Fallbacks": "x"}}),
        "resource Bucket, Metadata.Dataware: unknown field Fallbacks, did you mean Fallback",
    ),
    ("a/cdk.json", "{}", "run dataware inside"),
    ("a/dataware.toml", "x", r"did you mean .*dataware.toml\?"),
    ("a/other", "x", "it has no manifest.json; name a cloud assembly folder"),
    ("a/manifest.json", "[]", "is not a manifest of a cloud assembly"),
    ("a/manifest.json", "{}", "is not a manifest of a cloud assembly"),
    ("a/manifest.json", '{"artifacts": {}}', "holds no stack"),
]


@pytest.mark.parametrize(("name", "text", "complaint"), WRONG)
def test_what_is_wrong_is_said_in_one_sentence(
    tmp_path: Path, name: str, text: str | bytes, complaint: str
) -> None:
    """Bad input is named, with what is wrong and what to do, on one line."""
    path = write(tmp_path, name, text)
    with pytest.raises(InputError, match=complaint) as raised:
        load(tmp_path / name.split("/", maxsplit=1)[0])
    assert "\n" not in str(raised.value)
    assert str(path.parent) in str(raised.value)


def test_an_app_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A misspelt path is named."""
    with pytest.raises(InputError, match=r"nope\.toml does not exist"):
        load(tmp_path / "nope.toml")


@pytest.mark.parametrize(
    ("value", "depends"),
    [
        ("text", False),
        ({"Fn::Sub": ["${a}-${AWS::Region}", {"a": "b"}]}, False),
        ({"Fn::Sub": ["${a}", {"a": {"Ref": "Key"}}]}, True),
        ({"Fn::Sub": ["${b}", {"a": "b"}]}, True),
        ({"Fn::Sub": 3}, True),
        ({"Fn::ImportValue": "key-arn"}, False),
        ({"Fn::FindInMap": ["a", "b", "c"]}, True),
        ([{"Ref": "AWS::NoValue"}], False),
        ([{"Ref": "AWS::StackId"}], True),
        ({"a": 1, "b": {"Fn::GetAtt": ["x", "Arn"]}}, True),
    ],
)
def test_references_are_found_at_any_depth(value: Any, depends: bool) -> None:
    """Only what means the same in another stack may be created beforehand."""
    assert refers(value) is depends


def test_mapping_short_forms_and_dates_are_kept(tmp_path: Path) -> None:
    """A short form over a mapping keeps it, and a date stays the text that was written."""
    text = "A: !Transform {Name: x}\nB: 2012-10-17\nC: !Condition Maybe\n"
    assert parse_template(write(tmp_path, "t.yaml", text)) == {
        "A": {"Fn::Transform": {"Name": "x"}},
        "B": "2012-10-17",
        "C": {"Condition": "Maybe"},
    }


PIN = '[app]\naccount = "111122223333"\nregion = "eu-central-1"\n\n'


@pytest.mark.parametrize(
    ("account", "region"), [("999999999999", "eu-central-1"), ("111122223333", "us-east-1")]
)
def test_a_file_that_is_pinned_is_refused_elsewhere(
    tmp_path: Path, account: str, region: str
) -> None:
    """Credentials of another account or region end the run before anything is looked at."""
    write(tmp_path, "a.toml", PIN + R)
    app = load(tmp_path / "a.toml")
    app.check_environment("111122223333", "eu-central-1")
    with pytest.raises(InputError, match="says account 111122223333, eu-central-1, but this"):
        app.check_environment(account, region)


def test_half_a_pin_leaves_the_rest_open(tmp_path: Path) -> None:
    """A file may name only the account, or only the region."""
    write(tmp_path, "a.toml", '[app]\naccount = "111122223333"\n' + R)
    load(tmp_path / "a.toml").check_environment("111122223333", "us-east-1")
