"""A fact belongs to its environment: other regions, other accounts, stacks of one name.

Everything is looked at afterwards with boto3 alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from support.cli import (
    BUCKET,
    KEYED_BY_PK,
    TABLE,
    bucket_app,
    run,
    saved,
    table_app,
    toml_resource,
    write_toml,
)
from support.worlds import KEYS, client, make_table, rewind

EU, US = "eu-west-1", "us-east-1"
ACCOUNT = "000000000000"
GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"
PARCELS = f"arn:aws:dynamodb:{EU}:{ACCOUNT}:table/Parcels"


@pytest.fixture(autouse=True)
def an_empty_place(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty AWS, and a folder of its own."""
    monkeypatch.chdir(tmp_path)


def at(service: str, region: str) -> Any:
    """A client of one region."""
    return boto3.client(service, region_name=region, config=Config(s3={"addressing_style": "path"}))


def make_table_at(region: str, name: str, items: int = 0, key: str | None = None) -> None:
    """A table with the key `pk` in one region, and some items."""
    dynamodb = boto3.client(
        "dynamodb",
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="test" if key else None,
    )
    dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    for number in range(items):
        dynamodb.put_item(TableName=name, Item={"pk": {"S": f"{region} {number}"}})


def keys_at(region: str, name: str) -> set[str] | None:
    """The keys of a table in one region; None without the table."""
    dynamodb = at("dynamodb", region)
    try:
        items = dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None
    return {item["pk"]["S"] for item in items}


def make_bucket_at(region: str, name: str, *keys: str) -> None:
    """A bucket in one region with some objects."""
    s3 = at("s3", region)
    there = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **({} if region == US else there))
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())


def keys_in(region: str, bucket: str) -> set[str]:
    """The keys of a bucket."""
    listed = at("s3", region).list_objects_v2(Bucket=bucket)
    return {each["Key"] for each in listed.get("Contents", ())}


def deploy(region: str, stack: str, **resources: Mapping[str, Any]) -> None:
    """Create a stack in one region, and wait for it."""
    cloudformation = at("cloudformation", region)
    body = json.dumps({"Resources": resources})
    cloudformation.create_stack(StackName=stack, TemplateBody=body)
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 1})


def table_of(name: str, *fallbacks: str, of_type: str = TABLE) -> dict[str, Any]:
    """A table of a template; it opts in where it names fallbacks."""
    more = {"Replicas": [{"Region": US}]} if of_type == GLOBAL_TABLE else {}
    return {
        "Type": of_type,
        "DeletionPolicy": "Retain",
        **({"Metadata": {"Dataware": {"Fallback": list(fallbacks)}}} if fallbacks else {}),
        "Properties": {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **KEYS, **more},
    }


def assembly(stacks: Mapping[str, tuple[str, str, Mapping[str, Any]]]) -> Path:
    """A cloud assembly: (stack name, region, resources) by artifact id, in the order given."""
    folder = Path("cdk.out")
    folder.mkdir(exist_ok=True)
    artifacts = {}
    for artifact, (name, region, resources) in stacks.items():
        (folder / f"{artifact}.json").write_text(json.dumps({"Resources": resources}))
        artifacts[artifact] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://unknown-account/{region}",
            "properties": {"templateFile": f"{artifact}.json", "stackName": name},
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": artifacts}))
    return folder


def test_a_fallback_by_arn_of_another_region_is_migrated(tmp_path: Path) -> None:
    """It is asked for where its ARN says, copied from there, and named in full everywhere."""
    make_table_at(EU, "Parcels", 30)
    app = table_app(Path("parcels.toml"), "Parcels-prod", PARCELS)
    plan = tmp_path / "plan.json"
    ran = run("plan", app, "--region", US, "--out", plan, "--lock")
    assert ran.code == 0, ran
    (resource,) = saved(plan)["resources"]
    assert (resource["action"], resource["source"]) == ("migrate", PARCELS)
    (fallback,) = resource["fallbacks"]
    assert (fallback["name"], fallback["account"], fallback["region"]) == (PARCELS, ACCOUNT, EU)
    locked = saved(Path("dataware.lock.json"))["environments"]
    assert locked[f"{ACCOUNT}/{US}"][f"{TABLE} Parcels-prod"]["source"] == PARCELS
    ran = run("apply", app, "--region", US)
    assert ran.code == 0, ran
    assert keys_at(US, "Parcels-prod") == keys_at(EU, "Parcels")
    assert len(keys_at(EU, "Parcels") or ()) == 30
    again = run("plan", app, "--region", US, "--out", plan)
    assert again.code == 0, again
    assert saved(plan)["resources"][0]["preferred"]["migrating_from"] == PARCELS


def test_a_name_here_is_not_the_arns_table_there() -> None:
    """A table of the same name in the run's own region is another one, and is not read."""
    make_table_at(US, "Parcels", 2)
    make_table_at(EU, "Parcels", 5)
    app = table_app(Path("parcels.toml"), "Parcels-prod", PARCELS)
    assert run("apply", app, "--region", US).code == 0
    assert keys_at(US, "Parcels-prod") == keys_at(EU, "Parcels")


def test_an_interrupted_copy_by_arn_goes_on_from_the_same_table() -> None:
    """The record names the ARN, so that the next run does not look for its source at home."""
    make_table_at(EU, "Parcels", 30)
    make_table_at(US, "Parcels-prod")
    migrated = run(
        "migrate", PARCELS, "dynamodb://Parcels-prod", "--region", US, "--max-rate", "1000"
    )
    assert migrated.code == 0, migrated
    ssm = at("ssm", US)
    name = "/dataware/markers/dynamodb-table/Parcels-prod"
    record = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    assert record["source"] == PARCELS
    rewind("dynamodb-table", "Parcels-prod")
    at("dynamodb", US).delete_item(TableName="Parcels-prod", Key={"pk": {"S": f"{EU} 7"}})
    app = table_app(Path("parcels.toml"), "Parcels-prod", PARCELS)
    ran = run("apply", app, "--region", US)
    assert ran.code == 0, ran
    assert "Resuming" in ran.out
    assert keys_at(US, "Parcels-prod") == keys_at(EU, "Parcels")


@pytest.mark.parametrize("denied", ["AccessDeniedException", "ValidationException"])
def test_a_fallback_by_arn_that_cannot_be_seen_is_never_absent(
    denied: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Whatever the other region answers, it is unknown."""
    from support.servers import Reply, json_error

    proxy = request.getfixturevalue("fault_proxy")
    make_table_at(EU, "Parcels", 3)

    def deny(seen: Any, forward: Any) -> Reply:
        elsewhere = f"/{EU}/dynamodb/" in seen.headers.get("authorization", "")
        return (json_error(denied) if elsewhere else lambda s, f: f(s))(seen, forward)

    proxy.clear()
    proxy.add(deny)
    app = table_app(Path("parcels.toml"), "Parcels-prod", PARCELS)
    run("plan", app, "--region", US, "--out", "plan.json")
    (fallback,) = saved(Path("plan.json"))["resources"][0]["fallbacks"]
    assert (fallback["exists"], fallback["region"]) == ("unknown", EU)


def test_a_fallback_of_another_account_is_asked_for_by_its_arn() -> None:
    """Its stack and record are unknown from here, which is told; its data is seen."""
    other = "111122223333"
    make_table_at(US, "Parcels", 3, key=other)
    arn = f"arn:aws:dynamodb:{US}:{other}:table/Parcels"
    app = table_app(Path("parcels.toml"), "Parcels-prod", arn)
    run("plan", app, "--region", US, "--out", "plan.json")
    (fallback,) = saved(Path("plan.json"))["resources"][0]["fallbacks"]
    assert fallback["account"] == other
    assert fallback["owner"] == "unknown" or fallback["exists"] != "yes"


def test_a_preferred_arn_of_another_region_is_refused() -> None:
    """Nothing is asked or created in the wrong region."""
    arn = f"arn:aws:dynamodb:{EU}:{ACCOUNT}:table/Parcels-prod"
    app = table_app(Path("parcels.toml"), arn, "Parcels")
    ran = run("apply", app, "--region", US)
    assert ran.code == 1
    assert f"{arn} is not in account {ACCOUNT}, {US}" in ran.err
    assert at("dynamodb", US).list_tables()["TableNames"] == []
    assert run("apply", app, "--region", EU).code == 0
    assert at("dynamodb", EU).list_tables()["TableNames"] == ["Parcels-prod"]


def test_a_bucket_by_arn_is_the_bucket() -> None:
    """A bucket's ARN names no region, and means the bucket of that name."""
    make_bucket_at(EU, "photos-old", "a", "b")
    app = bucket_app(Path("photos.toml"), "photos-new", "arn:aws:s3:::photos-old")
    ran = run("apply", app, "--region", US)
    assert ran.code == 0, ran
    assert keys_in(US, "photos-new") == {"a", "b"}


def test_a_buckets_owner_in_another_region_is_found() -> None:
    """Rule 10 holds from every region: nothing is written into another stack's bucket."""
    deploy(EU, "EuMedia", Media={"Type": BUCKET, "Properties": {"BucketName": "media-eu-prod"}})
    make_bucket_at(US, "media-old", "one")
    app = bucket_app(Path("media.toml"), "media-eu-prod", "media-old")
    for region in (US, EU):
        ran = run("apply", app, "--region", region)
        assert ran.code == 3, ran
        assert "EuMedia" in ran.out
        assert keys_in(EU, "media-eu-prod") == set()


def test_the_record_of_a_bucket_lies_in_its_own_region() -> None:
    """Whichever region a run names, it finds that a migration has begun, and from where."""
    make_bucket_at(EU, "media-new")
    make_bucket_at(US, "media-old", "one", "two")
    app = bucket_app(Path("media.toml"), "media-new", "media-old")
    assert run("apply", app, "--region", US).code == 0
    assert keys_in(EU, "media-new") == {"one", "two"}
    for region in (US, EU):
        run("plan", app, "--region", region, "--out", "plan.json")
        preferred = saved(Path("plan.json"))["resources"][0]["preferred"]
        assert (preferred["marker"], preferred["migrating_from"]) == ("complete", "media-old")
        assert preferred["region"] == EU


@pytest.mark.parametrize("declared", [TABLE, GLOBAL_TABLE])
@pytest.mark.parametrize("deployed", [TABLE, GLOBAL_TABLE])
def test_a_table_has_one_owner_by_either_type(declared: str, deployed: str) -> None:
    """Table and global table are one thing: the owner is found under both types."""
    deploy(US, "Travel", Trips=table_of("Trips-prod", of_type=deployed))
    make_table("Trips", [{"pk": {"S": "a"}}])
    properties = KEYED_BY_PK
    if declared == GLOBAL_TABLE:
        properties += f'\nReplicas = [{{ Region = "{US}" }}]'
    app = write_toml(
        Path("trips.toml"), toml_resource(declared, "Trips-prod", "Trips", properties=properties)
    )
    ran = run("apply", app)
    assert ran.code == 3, ran
    assert "Travel" in ran.out
    assert client("dynamodb").scan(TableName="Trips-prod")["Items"] == []


def test_a_replica_has_the_owner_of_its_table_in_another_region() -> None:
    """What is written into a replica arrives in the table of the stack elsewhere."""
    deploy(US, "Travel", Trips=table_of("Trips-prod", of_type=GLOBAL_TABLE))
    dynamodb = at("dynamodb", US)
    # As CloudFormation does where a template names a second replica.
    dynamodb.update_table(
        TableName="Trips-prod",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    dynamodb.update_table(TableName="Trips-prod", ReplicaUpdates=[{"Create": {"RegionName": EU}}])
    make_table_at(EU, "Trips", items=1)
    app = table_app(Path("trips.toml"), "Trips-prod", "Trips")
    ran = run("apply", app, "--region", EU)
    assert ran.code == 3, ran
    assert "Travel" in ran.out
    assert (keys_at(US, "Trips-prod"), keys_at(EU, "Trips-prod")) == (set(), set())


ORDERS = {
    "OrdersEu": ("orders", EU, {"Orders": table_of("OrdersEu", "OrdersEuOld")}),
    "OrdersUs": ("orders", US, {"Orders": table_of("OrdersUs", "OrdersUsOld")}),
}


@pytest.mark.parametrize("order", [list(ORDERS), list(reversed(ORDERS))])
def test_two_stacks_of_one_name_are_two_stacks(order: list[str]) -> None:
    """Neither is planned in the other's region, in whichever order they stand."""
    app = assembly({artifact: ORDERS[artifact] for artifact in order})
    make_table_at(EU, "OrdersEuOld", 1)
    ran = run("plan", app, "--region", US, "--out", "both.json")
    assert ran.code == 0, ran
    actions = {
        one["target"]["region"]: [each["action"] for each in one["plan"]["resources"]]
        for one in saved(Path("both.json"))["targets"]
    }
    assert actions == {EU: ["migrate"], US: ["create"]}
    ambiguous = run("plan", app, "--region", US, "--stack", "orders")
    assert ambiguous.code == 1
    assert "--stack OrdersEu" in ambiguous.err
    assert "--stack OrdersUs" in ambiguous.err
    assert keys_at(US, "OrdersUs") is None
    ran = run("apply", app, "--region", EU, "--stack", "OrdersEu")
    assert ran.code == 0, ran
    assert keys_at(EU, "OrdersEu") == {f"{EU} 0"}


def test_a_stack_of_the_same_name_elsewhere_is_another_stack() -> None:
    """A bucket that `app` of another region owns is not kept as if it were this `app`'s own."""
    deploy(EU, "app", Media={"Type": BUCKET, "Properties": {"BucketName": "media-prod"}})
    template = {
        "Type": BUCKET,
        "DeletionPolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": ["media-old"]}},
        "Properties": {"BucketName": "media-prod"},
    }
    path = Path("template.json")
    path.write_text(json.dumps({"Resources": {"Media": template}}))
    make_bucket_at(US, "media-old", "one")
    run("plan", path, "--region", US, "--stack", "app", "--out", "plan.json")
    (resource,) = saved(Path("plan.json"))["resources"]
    assert (resource["action"], resource["rule"]) == ("stop", 10)
    assert EU in resource["reason"]
    assert resource["preferred"]["stack_id"].startswith(f"arn:aws:cloudformation:{EU}:")
    run("plan", path, "--region", EU, "--stack", "app", "--out", "plan.json")
    assert saved(Path("plan.json"))["resources"][0]["preferred"]["owner"] == "this stack"


def test_one_name_in_two_regions_is_no_clash_but_in_one_region_it_is() -> None:
    """Tables of one name live in two regions; the sentence of a clash names the stacks."""
    both = {
        f"Parcels{region}": (f"parcels-{region}", region, {"Orders": table_of("Orders", "Old")})
        for region in (EU, US)
    }
    ran = run("plan", assembly(both), "--region", US)
    assert ran.code == 0
    assert "Plan for 2 environments: 2 to create" in ran.out
    assert run("plan", assembly(both), "--region", US, "--stack", f"Parcels{US}").code == 0
    same = {
        name: (name, US, {"Orders": table_of("Orders", "Old")})
        for name in ("parcels-a", "parcels-b")
    }
    ran = run("plan", assembly(same), "--region", US)
    assert ran.code == 1
    for words in ("Orders of stack parcels-a", "Orders of stack parcels-b", "--stack"):
        assert words in ran.err


def test_the_lock_file_holds_several_environments() -> None:
    """Each region has its own entries; those of the other one stay."""
    app = table_app(Path("orders.toml"), "Orders-prod", PARCELS)
    for region in (US, EU):
        assert run("plan", app, "--region", region, "--lock").code == 0
    environments = saved(Path("dataware.lock.json"))["environments"]
    fallbacks = {
        environment: entries[f"{TABLE} Orders-prod"]["fallbacks"]
        for environment, entries in environments.items()
    }
    assert fallbacks == {f"{ACCOUNT}/{US}": [PARCELS], f"{ACCOUNT}/{EU}": ["Parcels"]}


def wrong_region_app() -> Path:
    """Two tables, and a bucket that exists in `US` only."""
    make_bucket_at(US, "uploads", "one")
    return write_toml(
        Path("app.toml"),
        toml_resource(TABLE, "Orders-prod", "Orders", properties=KEYED_BY_PK),
        toml_resource(TABLE, "Carts-prod", "Carts", properties=KEYED_BY_PK),
        toml_resource(BUCKET, "uploads-prod", "uploads"),
    )


@pytest.mark.parametrize("tables", [(), ("Orders", "Carts-prod")])
def test_a_wrong_region_is_seen_where_the_evidence_is_there(tables: tuple[str, ...]) -> None:
    """No table exists here and the bucket is elsewhere: a loud warning, with --strict a stop."""
    app = wrong_region_app()
    for name in tables:
        make_table_at(US, name, 1)
    for command in ("plan", "apply"):
        ran = run(command, app, "--region", EU, "--strict")
        assert ran.code == 3, ran
        assert "is --region right?" in ran.err
    assert at("dynamodb", EU).list_tables()["TableNames"] == []
    ran = run("plan", app, "--region", EU)
    (line,) = [line for line in ran.lines if line.startswith("⚠️") and "is --region right?" in line]
    assert f"none of 4 table names exists in {EU}" in line
    assert f"1 bucket of the app is in {US}" in line
    assert (f"2 of them in {US}" in line) == bool(tables)
    assert "is --region right?" not in run("plan", app, "--region", US).out


def test_a_bucket_of_another_region_beside_tables_of_this_one_is_no_doubt() -> None:
    """An app that has its tables here is in the right region, wherever a bucket of it is."""
    app = wrong_region_app()
    make_table_at(EU, "Orders")
    assert "is --region right?" not in run("plan", app, "--region", EU).out


def test_a_template_without_its_stack_is_told_to_name_it() -> None:
    """After the deployment the same command meets the stack's own bucket: it says which option."""
    parameter = {"Owner": {"Type": "String"}}
    uploads = {
        "Type": BUCKET,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": ["web-old"]}},
        "Properties": {
            "BucketName": "web-new",
            "Tags": [{"Key": "owner", "Value": {"Ref": "Owner"}}],
        },
    }
    body = {"Parameters": parameter, "Resources": {"Uploads": uploads}}
    path = Path("web.json")
    path.write_text(json.dumps(body))
    make_bucket_at(US, "web-old", "one")
    before = run("apply", path)
    assert before.code == 3, before
    assert "nothing was changed" in before.err
    assert "its property Tags depends on Ref: Owner" in before.err
    cloudformation = at("cloudformation", US)
    owner = [{"ParameterKey": "Owner", "ParameterValue": "team-a"}]
    cloudformation.create_stack(StackName="WebApp", TemplateBody=json.dumps(body), Parameters=owner)
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="WebApp", WaiterConfig={"Delay": 1})
    alone = run("apply", path)
    assert alone.code == 3
    assert "run again with --stack WebApp" in alone.out
    assert run("apply", path, "--stack", "WebApp").code == 0
    assert keys_in(US, "web-new") == {"one"}


def test_the_policy_reaches_every_region_of_the_plan() -> None:
    """Tables by their ARNs, and the records of migrations in each region that a name means."""
    make_bucket_at(EU, "uploads", "one")
    app = write_toml(
        Path("app.toml"),
        toml_resource(TABLE, "Parcels-prod", PARCELS.replace(EU, "ap-south-1")),
        toml_resource(BUCKET, "uploads-prod", "arn:aws:s3:::uploads"),
    )
    ran = run("iam-policy", app, "--region", US)
    assert ran.code == 0, ran
    arns = {arn for each in json.loads(ran.out)["Statement"] for arn in each["Resource"]}
    assert {f"arn:aws:s3:::uploads{part}" for part in ("", "/*")} <= arns
    assert PARCELS.replace(EU, "ap-south-1") in arns
    for region in (US, EU, "ap-south-1"):
        assert f"arn:aws:ssm:{region}:{ACCOUNT}:parameter/dataware/markers*" in arns


def stack_arn_at(region: str, name: str, resources: Mapping[str, Any]) -> str:
    """The ARN of a new stack in a region."""
    cloudformation = at("cloudformation", region)
    body = json.dumps({"Resources": resources})
    arn: str = cloudformation.create_stack(StackName=name, TemplateBody=body)["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    return arn


def test_a_template_is_meant_for_the_region_of_the_stack_whose_arn_is_given() -> None:
    """What it declares is filled there, and what that stack would lose is seen."""
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    retained = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}

    def table(name: str) -> dict[str, Any]:
        properties = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **KEYS}
        return {"Type": TABLE, **retained, "Properties": properties}

    make_table_at(EU, "Parcels", 3)
    arn = stack_arn_at(EU, "Shop", topic | {"Orders": table("Orders")})
    at("dynamodb", EU).put_item(TableName="Orders", Item={"pk": {"S": "1"}})
    opted = table("Parcels-prod") | {"Metadata": {"Dataware": {"Fallback": ["Parcels"]}}}
    Path("app.json").write_text(json.dumps({"Resources": topic | {"Parcels": opted}}))

    planned = run("plan", "app.json", "--stack", arn, "--region", US)
    assert planned.code == 3
    assert "Orders of stack Shop" in planned.out + planned.err
    applied = run("apply", "app.json", "--stack", arn, "--region", US)
    assert applied.code == 0, applied
    assert keys_at(EU, "Parcels-prod") == keys_at(EU, "Parcels")
    assert at("dynamodb", US).list_tables()["TableNames"] == []


def test_a_record_is_asked_for_in_the_region_of_an_arn_or_not_at_all() -> None:
    """Looked for in another one it would be missing, and "nothing to do" would be untrue."""
    make_table_at(US, "Old", 2)
    make_table_at(EU, "New")
    arn = f"arn:aws:dynamodb:{EU}:{ACCOUNT}:table/New"
    assert run("migrate", "dynamodb://Old", arn, "--region", US).code == 0
    for command in (["status", arn], ["forget", arn, "--yes"]):
        ran = run(*command, "--region", US)
        assert ran.code == 1, ran
        assert f"{arn} is in account {ACCOUNT}, {EU}, and so is the record" in ran.err
        assert run(*command, "--region", EU).code == 0
    assert "no migration is recorded in account " in run("status", "--region", EU).out
