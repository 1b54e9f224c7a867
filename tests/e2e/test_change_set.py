"""The guard with CloudFormation's own verdict, by change sets of the embedded AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, prepare_project
from support.cli import Ran, run
from support.worlds import KEYS, client, retained

TABLE = "AWS::DynamoDB::Table"
STAGE = {"Stage": {"Type": "String", "Default": "prod"}}
LOOKED_UP = {"Stage": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/stage"}}
STAYS = {"Stays": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}


@pytest.fixture
def calls(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CDK project beside an empty AWS; what its CDK command line was asked."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def table(**more: Any) -> dict[str, Any]:
    """The table of the stack."""
    properties = {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST", **KEYS}
    return {**retained(TABLE, **{**properties, **more.pop("properties", {})}), **more}


def template(orders: dict[str, Any] | None, **sections: Any) -> dict[str, Any]:
    """A template with a topic, and the table if there is one."""
    topic: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic"}}
    return {**sections, "Resources": topic | ({"Orders": orders} if orders else {})}


def deploy(document: dict[str, Any]) -> None:
    """The stack of a template, with an item in its table."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName="App", TemplateBody=json.dumps(document))
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="App", WaiterConfig={"Delay": 1})
    client("dynamodb").put_item(TableName="orders", Item={"pk": {"S": "a"}})


def write(document: dict[str, Any]) -> Path:
    """The app that declares a template."""
    folder = assembly(Path("prepared"), App={})
    (folder / "App.json").write_text(json.dumps(document))
    return folder


def check_untouched() -> None:
    """The data is there, the stack is as it was, and no change set was left."""
    assert client("dynamodb").scan(TableName="orders")["Count"] == 1
    cloudformation = client("cloudformation")
    assert cloudformation.list_change_sets(StackName="App")["Summaries"] == []
    (stack,) = cloudformation.describe_stacks(StackName="App")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def check_stopped(ran: Ran, *words: str) -> None:
    """The guard said no."""
    assert ran.code == 3, ran
    (line,) = [one for one in ran.lines if one.startswith("❌ Stopped at orders (rule 19)")]
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("now", "stops"),
    [
        (table(), False),
        (table(properties={"BillingMode": "PROVISIONED"}), False),
        (None, True),
        (table(properties={"TableName": "orders-2"}), True),
    ],
    ids=["the same", "changed in place", "removed", "renamed"],
)
def test_both_verdicts_agree(calls: Path, now: dict[str, Any] | None, stops: bool) -> None:
    """One stop for what both would lose, and none for what both would keep."""
    del calls
    deploy(template(table()))
    ran = run("plan", write(template(now)), "--change-set")
    if stops:
        check_stopped(ran)
    else:
        assert ran.code == 0, ran
    assert "change set" not in ran.out
    check_untouched()


def test_a_name_that_a_stored_parameter_changes_is_seen_by_the_change_set_alone(
    calls: Path,
) -> None:
    """No template and no given parameter changes; CloudFormation looks the value up anew."""
    client("ssm").put_parameter(Name="/stage", Value="orders", Type="String")
    document = template(table(properties={"TableName": {"Ref": "Stage"}}), Parameters=LOOKED_UP)
    deploy(document)
    app = write(document)
    assert run("plan", app, "--change-set").code == 0
    client("ssm").put_parameter(Name="/stage", Value="orders-2", Type="String", Overwrite=True)
    assert run("plan", app).code == 0
    says = "would replace it, and leave the old one unmanaged"
    check_stopped(run("plan", app, "--change-set"), "Orders of stack App", says)
    check_stopped(run("deploy", "--yes"), says)
    assert "deploy --import" not in calls.read_text()
    check_untouched()
    allowed = run("plan", app, "--change-set", "--allow-loss", "Orders")
    assert allowed.code == 0, allowed
    check_untouched()


@pytest.mark.parametrize("more", [(), ("--change-set",)], ids=["templates", "change set"])
def test_a_condition_that_a_given_parameter_turns_false_is_a_stop(
    calls: Path, more: tuple[str, ...]
) -> None:
    """The template still declares the table, and the deployment would not."""
    document = template(table(Condition="Stays"), Parameters=STAGE, Conditions=STAYS)
    deploy(document)
    app = write(document)
    assert run("plan", app, "--parameter", "Stage=prod", *more).code == 0
    check_stopped(run("plan", app, "--parameter", "Stage=dev", *more), "leave the stack")
    check_stopped(run("deploy", "--yes", "--", "--parameters", "App:Stage=dev"), "leave the stack")
    assert "deploy --import" not in calls.read_text()
    check_untouched()


def test_without_a_change_set_the_guard_stands(calls: Path) -> None:
    """A parameter without a value: CloudFormation refuses the change set, in one line."""
    del calls
    deploy(template(table()))
    later = template(None, Parameters={"Owner": {"Type": "String"}})
    ran = run("plan", write(later), "--change-set")
    check_stopped(ran, "leave the stack")
    says = "cannot make a change set of stack App, so the guard compares templates only"
    (line,) = [one for one in ran.lines if says in one]
    assert line.startswith("ℹ️  ")
    check_untouched()


def test_a_deployment_asks_only_where_data_is_touched(calls: Path) -> None:
    """An unchanged table costs no change set; a changed one is deployed as it says."""
    deploy(template(table()))
    write(template(table()))
    assert run("deploy", "--yes").code == 0
    write(template(table(properties={"BillingMode": "PROVISIONED"})))
    ran = run("deploy", "--yes")
    assert ran.code == 0, ran
    assert calls.read_text().count("deploy --import-existing-resources") == 2
    check_untouched()


def write_large(document: dict[str, Any]) -> tuple[Path, str, str]:
    """The app of a template that no request takes, and where CDK would upload it."""
    pad = {"Pad": {"Type": "AWS::SNS::Topic", "Metadata": {"Text": "x" * 52_000}}}
    app = write({**document, "Resources": {**document["Resources"], **pad}})
    key = "0123abcd.json"
    manifest = json.loads((app / "manifest.json").read_text())
    address = f"s3://cdk-assets-${{AWS::AccountId}}-${{AWS::Region}}/{key}"
    manifest["artifacts"]["App"]["properties"]["stackTemplateAssetObjectUrl"] = address
    (app / "manifest.json").write_text(json.dumps(manifest))
    return app, "cdk-assets-000000000000-us-east-1", key


def test_a_large_template_is_asked_about_once_cdk_has_uploaded_it(calls: Path) -> None:
    """Until then a line says what to run, and templates alone are compared; nothing is uploaded."""
    del calls
    s3, ssm = client("s3"), client("ssm")
    ssm.put_parameter(Name="/stage", Value="orders", Type="String")
    document = template(table(properties={"TableName": {"Ref": "Stage"}}), Parameters=LOOKED_UP)
    deploy(document)
    ssm.put_parameter(Name="/stage", Value="orders-2", Type="String", Overwrite=True)
    app, bucket, key = write_large(document)
    s3.create_bucket(Bucket=bucket)
    ran = run("plan", app, "--change-set")
    assert ran.code == 0, ran
    assert f"it is not in s3://{bucket}/{key} yet: run `cdk publish-assets App`" in ran.out
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=(app / "App.json").read_bytes())
    check_stopped(run("plan", app, "--change-set"), "Orders of stack App", "would replace it")
    check_untouched()


def test_a_rewritten_name_of_the_same_value_is_no_rename(calls: Path) -> None:
    """What counts is the value that the stack has and gets; another default is another one."""
    del calls
    named = {"Fn::Sub": "ord${Stage}"}
    stage = {"Stage": {"Type": "String", "Default": "ers"}}
    deploy(template(table(properties={"TableName": named}), Parameters=stage))
    joined = table(properties={"TableName": {"Fn::Join": ["", ["ord", {"Ref": "Stage"}]]}})
    assert run("plan", write(template(joined, Parameters=stage))).code == 0
    assert run("plan", write(template(table())), "--change-set").code == 0
    other = {"Stage": {"Type": "String", "Default": "inals"}}
    app = write(template(joined, Parameters=other))
    check_stopped(run("plan", app), "be renamed to ordinals")
    assert run("plan", app, "--parameter", "Stage=ers").code == 0
    check_untouched()
