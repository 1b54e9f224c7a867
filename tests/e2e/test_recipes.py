"""What a stop or a warning tells a person to do is done here, and it works.

Commands are typed exactly as they are printed; a deployment is CloudFormation's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, made_by_constructs, opted_in, prepare_project
from support.cli import bucket_app, run, saved, table_app
from support.recipes import dataware_deploy, deploy, follow, owner, stopped
from support.worlds import (
    KEYS,
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    rewind,
    varied_items,
    varied_objects,
)

TABLE, PARAMETER = "AWS::DynamoDB::Table", "AWS::SSM::Parameter"
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST", **KEYS}
OTHER_KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


@pytest.fixture(autouse=True)
def calls(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty AWS, and a CDK project whose command line writes down what it is asked."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def table(name: str, *fallbacks: str, policy: str = "Retain", **keys: Any) -> dict[str, Any]:
    """A table of a template; it opts in where it names fallbacks."""
    declared = {
        "Type": TABLE,
        "DeletionPolicy": policy,
        "UpdateReplacePolicy": policy,
        "Properties": {**ON_DEMAND, **keys, "TableName": name},
    }
    return opted_in(declared, *fallbacks) if fallbacks else declared


def filled(policy: str = "Retain") -> dict[str, Any]:
    """A stack that has a table with nine items; those items."""
    deploy("App", Orders=table("orders", policy=policy))
    for item in varied_items(9):
        client("dynamodb").put_item(TableName="orders", Item=item)
    return items_of("orders")


def test_rule_6_a_resource_that_is_gone_is_made_anew_or_restored() -> None:
    """Taken out of the stack and declared again it is new; restored under its name it is kept."""
    filled()
    client("dynamodb").delete_table(TableName="orders")
    app = {"Orders": table("orders", "older")}
    assembly(Path("prepared"), App=app)
    assert "restore it from a backup" in stopped(run("plan", "prepared"), 6)
    make_table("orders", varied_items(9))
    assert run("plan", "prepared").code == 0

    client("dynamodb").delete_table(TableName="orders")
    deploy("App", Other=table("other"))
    assert dataware_deploy(Other=table("other"), **app).code == 0
    assert (owner("orders"), items_of("orders")) == ("App", {})


@pytest.mark.parametrize("rule", [7, 9])
def test_rules_7_and_9_the_printed_command_deletes_the_record(rule: int) -> None:
    """The next run takes a good target as it is, and copies into a lost one anew."""
    make_table("old", varied_items(9))
    before = items_of("old")
    app = table_app(Path("dataware.toml"), "new", "old")
    assert run("apply", app).code == 0
    if rule == 7:
        rewind("dynamodb-table", "new")
    client("dynamodb").delete_table(TableName="old" if rule == 7 else "new")
    assert follow(stopped(run("apply", app), rule), "forget", "--yes").code == 0
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert items_of("new") == before


@pytest.mark.parametrize("rule", [7, 9])
def test_rules_7_and_9_what_is_gone_is_restored_under_its_name(rule: int) -> None:
    """A restored source is copied to the end; a restored target is taken as it is."""
    make_table("old", varied_items(9))
    before = items_of("old")
    app = table_app(Path("dataware.toml"), "new", "old")
    assert run("apply", app).code == 0
    if rule == 7:
        rewind("dynamodb-table", "new")
    gone = "old" if rule == 7 else "new"
    client("dynamodb").delete_table(TableName=gone)
    assert f"restore {'old' if rule == 7 else 'it'} from a backup" in stopped(
        run("apply", app), rule
    )
    make_table(gone, varied_items(9))
    assert run("apply", app).code == 0
    assert run("verify", "dynamodb://old", "dynamodb://new").code == 0
    assert items_of("new") == before


def test_rule_8_the_printed_commands_compare_and_bring_over_what_is_missing() -> None:
    """Nothing under the preferred name is replaced, and then both agree on what is under both."""
    make_table("old", varied_items(9))
    make_table("new")
    mine = {"pk": next(varied_items(1))["pk"], "mine": {"S": "newer"}}
    client("dynamodb").put_item(TableName="new", Item=mine)
    text = run("plan", table_app(Path("dataware.toml"), "new", "old")).out
    assert follow(text, "verify").code == 2
    kept = items_of("new")
    assert follow(text, "migrate").code == 0
    assert items_of("new") == {**items_of("old"), **kept}


def test_rule_8_ends_without_the_fallback_and_is_a_stop_under_strict() -> None:
    """Out of the app the older table is nobody's business any more."""
    make_table("old", varied_items(9))
    make_table("new", varied_items(3))
    stopped(run("plan", table_app(Path("dataware.toml"), "new", "old"), "--strict"), 8)
    ran = run("plan", table_app(Path("dataware.toml"), "new"), "--strict")
    assert ran.code == 0, ran
    assert "two resources hold data" not in ran.out


def test_rule_10_another_name_or_the_app_of_the_owner_will_do() -> None:
    """Under another name the data comes over; so it does in the app of the stack that owns it."""
    deploy("Theirs", Orders=table("orders"))
    make_table("older", varied_items(9))
    assembly(Path("prepared"), App={"Mine": table("orders", "older")})
    stopped(run("plan", "prepared"), 10)
    assert dataware_deploy(Mine=table("orders-mine", "older")).code == 0
    assert (owner("orders-mine"), items_of("orders-mine")) == ("App", items_of("older"))
    app = assembly(Path("theirs"), Theirs={"Orders": table("orders", "older")})
    assert run("apply", app).code == 0
    assert (owner("orders"), items_of("orders")) == ("Theirs", items_of("older"))


def test_rule_11_another_name_or_no_such_fallback_will_do() -> None:
    """A stranger's bucket keeps nobody from deploying without it, and is not touched."""
    theirs = client("s3", key="111122223333")
    for name in ("data-prod", "data"):
        theirs.create_bucket(Bucket=name)
    stopped(run("plan", bucket_app(Path("dataware.toml"), "data-prod")), 11)
    stopped(run("plan", bucket_app(Path("dataware.toml"), "data-mine", "data")), 11)
    assert run("apply", bucket_app(Path("dataware.toml"), "data-mine")).code == 0
    assert [one["Name"] for one in client("s3").list_buckets()["Buckets"]] == ["data-mine"]


def test_rule_10_the_other_stack_lets_go_of_it_first() -> None:
    """With RETAIN deployed and then taken out there, this app adopts it with its data."""
    deploy("Theirs", Orders=table("orders", policy="Delete"), Other=table("other"))
    make_table("older", varied_items(9))
    app = {"Mine": table("orders", "older")}
    assembly(Path("prepared"), App=app)
    assert "choose another name" in stopped(run("plan", "prepared"), 10)
    deploy("Theirs", Orders=table("orders"), Other=table("other"))
    deploy("Theirs", Other=table("other"))
    assert dataware_deploy(**app).code == 0
    assert (owner("orders"), items_of("orders")) == ("App", items_of("older"))


def test_rule_13_the_key_schema_of_the_source_is_declared() -> None:
    """The same app with the source's keys is copied and adopted."""
    make_table("old", varied_items(9))
    assembly(Path("prepared"), App={"Orders": table("new", "old", **OTHER_KEYS)})
    assert "declare the same key schema" in stopped(run("plan", "prepared"), 13)
    assert dataware_deploy(Orders=table("new", "old")).code == 0
    assert (owner("new"), items_of("new")) == ("App", items_of("old"))


def test_rule_13_items_that_were_transformed_are_imported() -> None:
    """A program of one's own has filled the new table: the preferred one has data then."""
    make_table("old", varied_items(9))
    app = table_app(Path("dataware.toml"), "new", "old")
    app.write_text(app.read_text().replace('"pk"', '"id"'))
    stopped(run("plan", app), 13)
    make_table("new", **OTHER_KEYS)
    client("dynamodb").put_item(TableName="new", Item={"id": {"N": "1"}})
    app.write_text(app.read_text().replace('AttributeType = "S"', 'AttributeType = "N"'))
    ran = run("plan", app)
    assert ran.code == 0, ran
    assert "Importing existing DynamoDB table with data: new" in ran.out


@pytest.mark.parametrize("way", ["the same settings", "not strict"])
def test_rule_17_the_same_protection_is_declared_or_a_weaker_accepted(way: str) -> None:
    """Either way the copy is made, and the settings are those that were asked for."""
    make_bucket("data", varied_objects(9))
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    app = bucket_app(Path("dataware.toml"), "data-prod", "data")
    text = stopped(run("apply", app, "--strict"), 17)
    assert "versioning" in text
    if way == "the same settings":
        app.write_text(
            app.read_text() + '[resource.properties.VersioningConfiguration]\nStatus = "Enabled"\n'
        )
        assert run("apply", app, "--strict").code == 0
        assert s3.get_bucket_versioning(Bucket="data-prod")["Status"] == "Enabled"
    else:
        assert run("apply", app).code == 0
    assert objects_of("data-prod") == objects_of("data")


@pytest.mark.parametrize("way", ["copied by hand", "imported"])
def test_rule_18_what_cannot_be_copied_is_copied_by_hand_or_imported(way: str) -> None:
    """After either the plan passes, and no value has changed."""
    ssm = client("ssm")
    ssm.put_parameter(Name="key", Value="value", Type="String")
    parameter = {"Type": PARAMETER, "Properties": {"Name": "key-prod", "Type": "String"}}
    app = assembly(App={"Key": opted_in({**parameter, "DeletionPolicy": "Retain"}, "key")})
    assert "copy it yourself" in stopped(run("plan", app), 18)
    if way == "copied by hand":
        ssm.put_parameter(Name="key-prod", Value="value", Type="String")
        assert run("plan", app).code == 0
    else:
        made_by_constructs(app, "App", "Key")
        assert run("plan", app, "--on-fallback-data", "import", "--out", "plan.json").code == 0
        (resource,) = saved(Path("plan.json"))["resources"]
        assert (resource["action"], resource["rule"]) == ("import", 15)


def test_rule_19_a_resource_leaves_its_stack_and_stays() -> None:
    """RETAIN is deployed first; then the loss is allowed by name, and the data is still there."""
    before = filled(policy="Delete")
    others = {"Other": table("other")}
    text = stopped(dataware_deploy(**others), 19)
    assert (
        "set its removal policy to RETAIN, deploy that, and then pass --allow-loss Orders" in text
    )
    assert dataware_deploy(Orders=table("orders"), **others).code == 0
    assert dataware_deploy("--allow-loss", "Orders", **others).code == 0
    assert (owner("orders"), items_of("orders")) == (None, before)


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_rule_19_a_rename_is_a_new_resource_with_the_old_name_as_its_fallback(policy: str) -> None:
    """The stack has the new one with all data afterwards; the old one stays, in no stack."""
    before = filled(policy)
    text = stopped(dataware_deploy(Orders=table("orders-prod", "orders")), 19)
    assert "declare the new name under a new construct id, with orders as its fallback" in text
    assert ("deploy the removal policy RETAIN" in text) == (policy == "Delete")
    if policy == "Delete":
        assert dataware_deploy(Orders=table("orders")).code == 0
    assert dataware_deploy(Orders2=table("orders-prod", "orders")).code == 0
    assert run("deploy", "--yes").lines[-1] == "✅ Deployed: orders-prod holds data"
    assert (owner("orders-prod"), items_of("orders-prod")) == ("App", before)
    assert (owner("orders"), items_of("orders")) == (None, before)


def test_rule_19_another_key_schema_is_a_new_resource_beside_it() -> None:
    """What would be replaced is left as it is; the new one gets another name."""
    before = filled()
    text = stopped(dataware_deploy(Orders=table("orders", **OTHER_KEYS)), 19)
    assert "leave it as it is, and declare a new table beside it under another name" in text
    declared = {"Orders": table("orders"), "ById": table("orders-by-id", **OTHER_KEYS)}
    assert dataware_deploy(**declared).code == 0
    assert (owner("orders"), owner("orders-by-id")) == ("App", "App")
    assert items_of("orders") == before


def test_rule_19_another_type_is_adopted_after_the_stack_has_released_it() -> None:
    """The stack lets go of it, retained; then the plan adopts it as the new type."""
    before = filled()
    retyped = {**table("orders", "older"), "Type": "AWS::DynamoDB::GlobalTable"}
    retyped["Properties"] = {**retyped["Properties"], "Replicas": [{"Region": "us-east-1"}]}
    others = {"Other": table("other")}
    text = stopped(dataware_deploy(Orders=retyped), 19)
    assert "deploy removal policy RETAIN, then pass --allow-loss Orders" in text
    assert dataware_deploy("--allow-loss", "Orders", **others).code == 0
    assert (owner("orders"), items_of("orders")) == (None, before)
    ran = dataware_deploy(Orders=retyped, **others)
    assert ran.code == 0, ran
    assert "Importing existing DynamoDB table with data: orders" in ran.out
    assert (owner("orders"), items_of("orders")) == ("App", before)
    ran = run("deploy", "--yes")
    assert "Keeping the stack's own DynamoDB table: orders" in ran.out
    assert ran.lines[-1] == "✅ Deployed: orders holds data"


@pytest.mark.parametrize("way", ["retained", "left outside"])
def test_rule_21_what_would_be_deleted_is_retained_or_left_outside(way: str) -> None:
    """With a policy that retains it the stack adopts it; by reference it stays as it is."""
    make_table("orders", varied_items(9))
    before = items_of("orders")
    text = stopped(dataware_deploy(Orders=table("orders", "older", policy="Delete")), 21)
    assert "set removal policy RETAIN_ON_UPDATE_OR_DELETE or RETAIN" in text
    if way == "retained":
        retained = table("orders", "older", policy="RetainExceptOnCreate")
        retained["UpdateReplacePolicy"] = "Retain"
        assert dataware_deploy(Orders=retained).code == 0
    else:
        ran = run("apply", "prepared", "--import", "reference")
        assert ran.code == 0, ran
    assert owner("orders") == ("App" if way == "retained" else None)
    assert items_of("orders") == before


@pytest.mark.parametrize("way", ["written out", "left outside"])
def test_rule_22_a_computed_name_is_written_out_or_left_outside(way: str) -> None:
    """CloudFormation adopts only what is literal; by reference it stays as it is."""
    make_table("orders-us-east-1", varied_items(9))
    before = items_of("orders-us-east-1")
    computed = table("orders-us-east-1", "older")
    computed["Properties"] = {
        **computed["Properties"],
        "TableName": {"Fn::Sub": "orders-${AWS::Region}"},
    }
    app = assembly(Path("computed"), App={"Orders": computed})
    ran = run("plan", app)
    assert ran.code == 3, ran
    assert "is named by a function (Fn::Sub)" in ran.out
    if way == "written out":
        app = assembly(Path("literal"), App={"Orders": table("orders-us-east-1", "older")})
        assert run("plan", app, "--out", "plan.json").code == 0
        (resource,) = saved(Path("plan.json"))["resources"]
        assert (resource["action"], resource["import"]) == ("import", "adopt")
    else:
        ran = run("apply", app, "--import", "reference")
        assert ran.code == 0, ran
    assert owner("orders-us-east-1") is None
    assert items_of("orders-us-east-1") == before
