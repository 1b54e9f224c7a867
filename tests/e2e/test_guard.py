"""The guard, on stacks that CloudFormation really made, through the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, opted_in, prepare_project
from support.cli import BUCKET, Ran, run, saved
from support.worlds import KEYS, client, items_of, make_bucket, stacks, varied_items

PROPERTIES = {"BillingMode": "PAY_PER_REQUEST", **KEYS}
ITEM = {"pk": {"S": "a"}}


@pytest.fixture(autouse=True)
def an_empty_place(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty AWS, and a folder of its own."""
    monkeypatch.chdir(tmp_path)


def table(name: str, policy: str = "Delete", **properties: Any) -> dict[str, Any]:
    """A table of a template that opts into nothing."""
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "UpdateReplacePolicy": policy,
        "Properties": {**PROPERTIES, **properties, "TableName": name},
    }


def deploy(stack: str, **resources: Any) -> None:
    """Create a stack, and wait for it."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )


def filled(stack: str = "App", **resources: Any) -> None:
    """A stack whose tables hold an item each."""
    deploy(stack, **resources)
    for one in resources.values():
        if name := one["Properties"].get("TableName"):
            client("dynamodb").put_item(TableName=name, Item=ITEM)


def stopped(ran: Ran, *words: str) -> None:
    """The guard said no, and why."""
    assert ran.code == 3, ran
    (line,) = [one for one in ran.lines if one.startswith("❌")]
    assert line.startswith("❌ Stopped at ")
    assert "(rule 19)" in line
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({}, ["DynamoDB table Orders of stack App holds data", "leave the stack", "delete it"]),
        ({"Moved": table("orders")}, ["declared again as Moved", "cdk refactor"]),
        ({"Orders": table("orders-prod")}, ["renamed to orders-prod", "as its fallback"]),
        (
            {
                "Orders": table(
                    "orders",
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                )
            },
            ["replaced by an empty table", "its KeySchema changes"],
        ),
    ],
    ids=["leaves", "moves", "renamed", "replaced"],
)
def test_a_table_with_data_stops_the_plan(now: Mapping[str, Any], words: list[str]) -> None:
    """Each way to lose it is one line that names stack, logical id, name and recipe; exit 3."""
    filled(Orders=table("orders"))
    ran = run("plan", assembly(App=now), "--out", "plan.json")
    stopped(ran, "orders", *words)
    assert "1 stopped by the guard" in ran.out
    (threat,) = saved(Path("plan.json"))["guard"]
    assert (threat["stack"], threat["logical_id"], threat["name"]) == ("App", "Orders", "orders")
    assert (threat["rule"], threat["content"], threat["allowed"]) == (19, "data", False)


def test_an_empty_table_may_go() -> None:
    """Nothing is lost with a resource that was seen to be empty."""
    deploy("App", Orders=table("orders"))
    ran = run("plan", assembly(App={}))
    assert ran.code == 0, ran
    assert "ℹ️  no resource opts in: there is nothing but the guard" in ran.lines


def test_the_same_app_again_is_no_stop() -> None:
    """An unchanged app passes, and one that was never deployed does, too."""
    resources = {"Orders": table("orders"), "Data": {"Type": BUCKET, "Properties": {}}}
    filled(**resources)
    ran = run("plan", assembly(App=resources, Later={"New": table("new")}), "--out", "plan.json")
    assert ran.code == 0, ran
    assert saved(Path("plan.json"))["guard"] == []


def test_a_stack_that_waits_for_its_first_change_set_has_nothing() -> None:
    """REVIEW_IN_PROGRESS: nothing is deployed yet."""
    client("cloudformation").create_change_set(
        StackName="App",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Orders": table("orders")}}),
    )
    assert run("plan", assembly(App={"Other": table("orders")})).code == 0


def test_a_stack_that_is_left_without_resources_is_guarded() -> None:
    """CDK writes no Resources section at all for it, and deploys it by deleting the stack."""
    filled(Orders=table("orders"))
    app = assembly(App={})
    (app / "App.json").write_text("{}")
    stopped(run("plan", app), "orders", "leave the stack")


def test_a_reference_to_its_own_resource_drops_it() -> None:
    """A stack that only refers to what it owns no longer declares it: that is leaving, too."""
    filled(Orders=table("orders"), Rest=table("rest"))
    stopped(run("plan", assembly(App={"Rest": table("rest")})), "orders", "leave the stack")


def test_a_bucket_with_a_generated_name_is_guarded() -> None:
    """The physical id is what counts, whether the app names it or not."""
    bucket = {"Type": BUCKET, "DeletionPolicy": "Retain", "Properties": {}}
    deploy("App", Data=bucket)
    (row,) = client("cloudformation").describe_stack_resources(StackName="App")["StackResources"]
    client("s3").put_object(Bucket=row["PhysicalResourceId"], Key="a", Body=b"b")
    assert run("plan", assembly(App={"Data": bucket})).code == 0
    stopped(run("plan", assembly(App={})), row["PhysicalResourceId"], "unmanaged")


def test_a_person_can_say_yes_to_one_resource() -> None:
    """--allow-loss lets one go, and only that; the plan says so."""
    filled(Orders=table("orders"), Users=table("users"))
    app = assembly(App={})
    assert run("plan", app).code == 3
    stopped(run("plan", app, "--allow-loss", "Orders"), "users")
    both = ["--allow-loss", "Orders", "--allow-loss", "App/Users"]
    ran = run("plan", app, *both, "--out", "plan.json")
    assert ran.code == 0, ran
    assert "⚠️  Allowed at orders (rule 19): " in ran.out
    assert [one["allowed"] for one in saved(Path("plan.json"))["guard"]] == [True, True]


def test_a_logical_id_of_two_stacks_has_to_be_qualified() -> None:
    """Saying yes to the test stack is not saying yes to production."""
    filled("Test", Orders=table("orders-test"))
    filled("Prod", Orders=table("orders-prod"))
    app = assembly(Test={}, Prod={})
    ran = run("plan", app, "--allow-loss", "Orders")
    assert ran.code == 1
    assert "Orders is in several stacks: name one of Prod/Orders, Test/Orders" in ran.err
    stopped(run("plan", app, "--allow-loss", "Test/Orders"), "orders-prod")


def test_a_template_is_guarded_where_its_stack_is_named() -> None:
    """Without --stack nobody knows which stack a template describes."""
    filled(Orders=table("orders"))
    Path("t.yaml").write_text("Resources: {New: {Type: AWS::SNS::Topic}}\n")
    stopped(run("plan", "t.yaml", "--stack", "App"), "orders")
    ran = run("plan", "t.yaml")
    assert ran.code == 1
    assert "no resource opts in" in ran.err


def test_a_nested_stack_is_guarded() -> None:
    """What a nested stack has leaves with it, or alone."""
    inner = {"Resources": {"Orders": table("orders")}}
    make_bucket("templates", [{"Key": "inner.json", "Body": json.dumps(inner).encode()}])
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "inner.json"},
        "Properties": {"TemplateURL": "https://s3.amazonaws.com/templates/inner.json"},
    }
    deploy("App", Inner=nested)
    client("dynamodb").put_item(TableName="orders", Item=ITEM)
    app = assembly(App={"Inner": nested})
    (app / "inner.json").write_text(json.dumps(inner))
    assert run("plan", app).code == 0
    (app / "inner.json").write_text(json.dumps({"Resources": {}}))
    stopped(run("plan", app), "orders", "stack App/Inner")
    stopped(run("plan", assembly(App={})), "orders", "stack App/Inner")


def test_the_recipe_for_a_rename_passes() -> None:
    """Retained first, then a new name with the old one as fallback: dataware carries it over."""
    filled(Orders=table("orders", "Retain"))
    app = assembly(App={"Orders2": opted_in(table("orders-prod", "Retain"), "orders")})
    ran = run("plan", app)
    assert ran.code == 0, ran
    assert (
        "Fallback table has data, creating preferred and migrating: orders → orders-prod" in ran.out
    )


def test_apply_is_not_guarded() -> None:
    """Creating and copying changes no stack of the app, and so loses nothing of it."""
    filled(Orders=table("orders"), Users=table("users"))
    app = assembly(App={"Orders2": opted_in(table("orders-prod", "Retain"), "orders")})
    assert run("plan", app, "--out", "plan.json").code == 3
    assert run("apply", "plan.json").code == 0
    assert items_of("orders-prod") == items_of("orders")


@pytest.fixture
def calls() -> Path:
    """What the project's CDK command line was asked."""
    return prepare_project()


def test_deploy_stops_before_anything_is_changed(calls: Path) -> None:
    """Nothing is created, copied or deployed; with the loss allowed all of it is done."""
    filled(Orders=table("orders"), Users=table("users"))
    client("dynamodb").batch_write_item(
        RequestItems={"orders": [{"PutRequest": {"Item": one}} for one in varied_items(9)]}
    )
    new = opted_in(table("orders-prod", "Retain"), "orders")
    prepared = assembly(Path("prepared"), App={"New": new})
    ran = run("deploy", "--yes", "--allow-loss", "Orders")
    assert ran.code == 3, ran
    assert "orders-prod  copy from orders  rule 3" in ran.out
    assert "about 10 items, " in ran.out
    total = "Plan: 1 to copy, 1 stopped by the guard, 2 need your attention.  ~"
    assert total in ran.out
    assert "nothing was changed, because of users" in ran.err
    assert "orders-prod" not in client("dynamodb").list_tables()["TableNames"]
    assert not Path("dataware.lock.json").exists()
    assert not [one for one in calls.read_text().splitlines() if one.startswith("deploy --import")]
    ran = run("deploy", "--yes", "--allow-loss", "Orders", "--allow-loss", "Users")
    assert ran.code == 0, ran
    assert items_of("orders-prod") == items_of("orders")
    last = calls.read_text().splitlines()[-1]
    assert last == "deploy --import-existing-resources --exclusively=true App"
    assert prepared.is_dir()
    assert stacks() == ["App"]


def test_deploy_guards_an_app_in_which_nothing_opts_in(calls: Path) -> None:
    """The guard alone is worth a deployment by dataware."""
    filled(Orders=table("orders"))
    assembly(Path("prepared"), App={"Orders": table("orders")})
    assert run("deploy").code == 0
    assembly(Path("prepared"), App={})
    stopped(run("deploy"), "orders")
    deployed = [one for one in calls.read_text().splitlines() if one.startswith("deploy --import")]
    assert len(deployed) == 1


def test_the_policy_covers_the_guard() -> None:
    """`iam-policy` prints what looking at the stacks needs."""
    app = assembly(App={"Orders": opted_in(table("orders"), "old")})
    policy = json.loads(run("iam-policy", app).out)
    granted = {action for one in policy["Statement"] for action in one["Action"]}
    assert {"cloudformation:GetTemplate", "cloudformation:ListStackResources"} <= granted


def test_apply_still_wants_something_that_opts_in() -> None:
    """There is nothing to apply where nothing opts in."""
    ran = run("apply", assembly(App={"Orders": table("orders")}))
    assert ran.code == 1
    assert "no resource opts in" in ran.err


EXPIRING = {"AttributeName": "until", "Enabled": True}


def test_a_change_that_deletes_data_in_place_stops_until_it_is_allowed() -> None:
    """The table stays, and what expires goes: rule 24, and the yes of its logical id."""
    filled(Orders=table("orders"))
    expiring = table("orders", TimeToLiveSpecification=EXPIRING)
    app = Path("app.json")
    app.write_text(json.dumps({"Resources": {"Orders": expiring}}))
    ran = run("plan", app, "--stack", "App")
    assert ran.code == 3, ran
    assert "(rule 24)" in ran.out
    assert "would stay without a part of it: items expire by until" in ran.out
    allowed = run("plan", app, "--stack", "App", "--allow-loss", "Orders")
    assert allowed.code == 0, allowed
    assert "Allowed at orders (rule 24)" in allowed.out
    same = table("orders")
    app.write_text(json.dumps({"Resources": {"Orders": same}}))
    assert run("plan", app, "--stack", "App").code == 0
