"""What `dataware deploy` refuses before anything is changed, and what a failure leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, opted_in, prepare_project
from support.cli import Ran, run, table_app
from support.worlds import (
    KEYS,
    client,
    items_of,
    make_bucket,
    make_stack,
    make_table,
    objects_of,
    retained,
    rewind,
    varied_items,
    varied_objects,
)

Resource = dict[str, Any]
BUCKET, TABLE, PARAMETER = "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SSM::Parameter"
NAMES = ("data-prod", "data")
OTHER_KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


@pytest.fixture
def calls(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CDK project beside an empty AWS; what its CDK command line was asked."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def table(policy: str = "Retain", **keys: Any) -> Resource:
    """The table that the app declares."""
    properties = {"TableName": "data-prod", "BillingMode": "PAY_PER_REQUEST", **KEYS, **keys}
    return {**opted_in(retained(TABLE, **properties), "data"), "DeletionPolicy": policy}


def bucket(**properties: Any) -> Resource:
    """The bucket that the app declares."""
    return opted_in(retained(BUCKET, BucketName="data-prod", **properties), "data")


def unfinished() -> Resource:
    """A migration that was cut short, and whose source is gone."""
    lost()
    make_table("data-prod", varied_items(3))
    rewind("dynamodb-table", "data-prod")
    client("dynamodb").delete_table(TableName="data")
    return table()


def lost() -> Resource:
    """A complete migration whose target was deleted."""
    make_table("data", varied_items(9))
    assert run("apply", table_app(Path("one.toml"), *NAMES)).code == 0
    client("dynamodb").delete_table(TableName="data-prod")
    return table()


def theirs() -> Resource:
    """An empty table of another stack, and data under the fallback."""
    make_stack("Theirs", Table=table())
    make_table("data", varied_items(9))
    return table()


def strangers() -> Resource:
    """A bucket of another account."""
    client("s3", key="111122223333").create_bucket(Bucket="data-prod")
    make_bucket("data", varied_objects(9))
    return bucket()


def other_keys() -> Resource:
    """Data under other keys than the declared ones."""
    make_table("data", varied_items(9))
    return table(**OTHER_KEYS)


def moved() -> Resource:
    """The stack's own table, under another logical id."""
    make_stack("App", Before=table())
    client("dynamodb").put_item(TableName="data-prod", Item={"pk": {"S": "a"}})
    return table()


def weaker() -> Resource:
    """A source with versions, a target without, and a wish to stop at that."""
    make_bucket("data", varied_objects(9))
    client("s3").put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    declared = bucket()
    declared["Metadata"]["Dataware"]["OnError"] = "stop"
    return declared


def uncopied() -> Resource:
    """Data of a type that cannot be copied."""
    client("ssm").put_parameter(Name="data", Value="value", Type="String")
    return opted_in(retained(PARAMETER, Name="data-prod", Type="String", Value="x"), "data")


STOPS: dict[int, Callable[[], Resource]] = {
    7: unfinished,
    9: lost,
    10: theirs,
    11: strangers,
    13: other_keys,
    16: moved,
    17: weaker,
    18: uncopied,
}


def everything() -> Any:
    """All data of this account, and which stacks and parameters there are."""
    buckets = sorted(one["Name"] for one in client("s3").list_buckets()["Buckets"])
    stacks = client("cloudformation").list_stacks()["StackSummaries"]
    parameters = client("ssm").describe_parameters()["Parameters"]
    return (
        [items_of(name) for name in NAMES],
        {name: objects_of(name) for name in buckets},
        sorted(client("dynamodb").list_tables()["TableNames"]),
        sorted((one["StackName"], one["StackStatus"]) for one in stacks),
        sorted((one["Name"], one["Version"]) for one in parameters),
    )


def deploy(declared: Resource) -> Ran:
    """Deploy an app of one resource."""
    assembly(Path("prepared"), App={"Data": declared})
    return run("deploy", "--yes")


def check_refused(calls: Path, ran: Ran) -> None:
    """It was a refusal, and CDK was not asked to deploy."""
    assert ran.code == 3, ran
    assert "nothing was changed, because" in ran.err
    assert "deploy --import" not in calls.read_text()
    assert not Path("dataware.lock.json").exists()


@pytest.mark.parametrize("rule", STOPS)
def test_a_stop_rule_keeps_from_deploying(calls: Path, rule: int) -> None:
    """Its rule and name are told, no data and no stack changes, and CDK is not run."""
    declared = STOPS[rule]()
    before = everything()
    ran = deploy(declared)
    check_refused(calls, ran)
    assert f"Stopped at data-prod (rule {rule})" in ran.out
    assert everything() == before


@pytest.mark.parametrize("exists", [True, False], ids=["import", "migrate"])
def test_what_the_stack_could_not_take_in_is_told_before_it_is_copied(
    calls: Path, exists: bool
) -> None:
    """CloudFormation takes in nothing that it would delete with the stack."""
    make_table("data-prod" if exists else "data", varied_items(9))
    before = everything()
    ran = deploy(table("Delete"))
    check_refused(calls, ran)
    assert "data-prod" in ran.err
    assert "Stopped at data-prod (rule 21)" in ran.out
    assert "RETAIN_ON_UPDATE_OR_DELETE" in ran.out
    assert everything() == before


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_what_outlives_its_stack_is_taken_in(calls: Path, policy: str) -> None:
    """Both policies under which CloudFormation keeps the resource will do."""
    make_table("data", varied_items(9))
    assert deploy(table(policy)).code == 0
    assert items_of("data-prod") == items_of("data")
    assert "deploy --import-existing-resources" in calls.read_text()


def test_what_the_stack_itself_creates_may_be_deleted_with_it(calls: Path) -> None:
    """Nothing has to be taken in where nothing stands, nor where it is the stack's own."""
    assert deploy(table("Delete")).code == 0
    make_stack("App", Data=table("Delete"))
    assert deploy(table("Delete")).code == 0
    assert calls.read_text().count("deploy --import-existing-resources") == 2


@pytest.mark.parametrize("stands", [True, False])
def test_what_only_a_deployment_creates_is_filled_although_another_stack_failed(
    calls: Path, stands: bool
) -> None:
    """A stack that was deployed is live; what is not there yet is not said to be in place."""
    make_table("data", varied_items(9))
    topic = {"Type": "AWS::SNS::Topic"}
    declared = table(Tags=[{"Key": "topic", "Value": {"Ref": "Topic"}}])
    if stands:
        make_table("data-prod")
    Path("failing").touch()
    assembly(Path("prepared"), App={"Data": declared, "Topic": topic})
    ran = run("deploy", "--yes")
    assert ran.code == 1, ran
    assert "`cdk deploy` ended with exit code 1, and " in ran.err
    assert ("all data is in place" in ran.err) == stands
    assert ("data-prod is not filled yet: read its message" in ran.err) == (not stands)
    assert items_of("data-prod") == (items_of("data") if stands else {})
    assert "deploy --import-existing-resources" in calls.read_text()


def test_a_deployment_that_failed_is_repeated_without_copying(calls: Path) -> None:
    """The data is in place when CDK fails, and the next run only has the stack take it in."""
    make_table("data", varied_items(9))
    Path("failing").touch()
    ran = deploy(table())
    assert ran.code == 1
    assert "all data is in place" in ran.err
    assert items_of("data-prod") == items_of("data")
    Path("failing").unlink()
    again = deploy(table())
    assert again.code == 0, again
    assert "Importing existing DynamoDB table with data: data-prod" in again.out
    assert not {"migrating", "batch", "migrated"} & set(again.out.lower().split())
    assert calls.read_text().count("deploy --import-existing-resources") == 2


def test_a_stack_of_another_account_is_not_deployed_unseen(calls: Path) -> None:
    """These credentials cannot look into it, so nobody knows what it would lose."""
    make_table("data", varied_items(9))
    before = everything()
    folder = assembly(Path("prepared"), App={"Data": table()}, Theirs={"Data": table()})
    manifest = folder / "manifest.json"
    told = json.loads(manifest.read_text())
    told["artifacts"]["Theirs"]["environment"] = "aws://999988887777/us-east-1"
    told["artifacts"]["Theirs"]["dependencies"] = ["App"]
    (folder / "Theirs.json").write_text(json.dumps({"Resources": {"Topic": {"Type": "T"}}}))
    manifest.write_text(json.dumps(told))
    ran = run("deploy", "--yes", "--", "--all")
    check_refused(calls, ran)
    assert "stack Theirs goes to account 999988887777" in ran.err
    assert everything() == before


def test_a_stack_that_cannot_be_looked_into_is_deployed_only_if_asked(calls: Path) -> None:
    """The guard does not see what a nested stack would lose whose template is no file."""
    inner = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    make_bucket("templates", [{"Key": "inner.json", "Body": json.dumps(inner).encode()}])
    address = "https://s3.amazonaws.com/templates/inner.json"
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": address}}
    make_stack("App", Inner=nested)
    make_table("data", varied_items(9))
    before = everything()
    assembly(Path("prepared"), App={"Inner": nested, "Data": table()})
    ran = run("deploy", "--yes")
    check_refused(calls, ran)
    assert "the guard cannot read nested stack App/Inner" in ran.err
    assert everything() == before
    ran = run("deploy", "--yes", "--allow-unseen")
    assert ran.code == 0, ran
    assert "⚠️  the guard cannot read nested stack App/Inner" in ran.out
    assert items_of("data-prod") == items_of("data")


@pytest.mark.parametrize("nested", [False, True])
def test_a_parameter_that_gives_a_table_another_name_is_a_stop(calls: Path, nested: bool) -> None:
    """What is given at deployment is no part of the template, and decides about it."""
    declared = {"Stage": {"Type": "String", "Default": "prod"}}
    name = {"Fn::Sub": "orders-${Stage}"}
    orders = retained(TABLE, TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    template = {"Parameters": declared, "Resources": {"Orders": orders}}
    text = json.dumps(template)
    if nested:
        make_bucket("templates", [{"Key": "inner.json", "Body": text.encode()}])
        inner = {
            "Type": "AWS::CloudFormation::Stack",
            "Metadata": {"aws:asset:path": "inner.json"},
            "Properties": {
                "TemplateURL": "https://s3.amazonaws.com/templates/inner.json",
                "Parameters": {"Stage": {"Ref": "Stage"}},
            },
        }
        template = {"Parameters": declared, "Resources": {"Inner": inner}}
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName="App", TemplateBody=json.dumps(template))
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="App", WaiterConfig={"Delay": 1})
    client("dynamodb").put_item(TableName="orders-prod", Item={"pk": {"S": "a"}})
    folder = assembly(Path("prepared"), App={})
    (folder / "App.json").write_text(json.dumps(template))
    (folder / "inner.json").write_text(text)
    for harmless in ("Stage=prod", "Other:Stage=live"):
        assert run("deploy", "--yes", "--", "--parameters", harmless).code == 0
    unknown = run("deploy", "--yes", "--", "--parameters", "Owner=x")
    assert unknown.code == 1
    assert "--parameter Owner: no template declares it" in unknown.err
    Path("calls").unlink()
    Path("dataware.lock.json").unlink()
    ran = run("deploy", "--yes", "--", "--parameters", "App:Stage=live")
    check_refused(calls, ran)
    assert f"DynamoDB table Orders of stack App{'/Inner' if nested else ''} holds data" in ran.out


def test_an_error_of_the_app_is_told_before_anything_is_copied(calls: Path) -> None:
    """CDK deploys nothing of a stack with an error, whatever has been copied for it."""
    make_table("data", varied_items(9))
    before = everything()
    folder = assembly(Path("prepared"), App={"Data": table()})
    manifest = folder / "manifest.json"
    told = json.loads(manifest.read_text())
    error = {"type": "aws:cdk:error", "data": "no VPC is left"}
    told["artifacts"]["App"]["metadata"] = {"/App/Net": [error]}
    manifest.write_text(json.dumps(told))
    ran = run("deploy", "--yes")
    assert ran.code == 1, ran
    assert "no VPC is left" in ran.err
    assert "deploy --import" not in calls.read_text()
    assert everything() == before
