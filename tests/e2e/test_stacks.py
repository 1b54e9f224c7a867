"""What CloudFormation owns, seen through stacks that CloudFormation really made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.cli import BUCKET, Ran, bucket_app, run, saved, table_app
from support.worlds import (
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    rewind,
    stacks,
    varied_items,
    varied_objects,
)

PROPERTIES: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
OTHER_KEYS: dict[str, Any] = {
    **PROPERTIES,
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


@pytest.fixture(autouse=True)
def an_empty_place(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty AWS, and a folder of its own."""
    monkeypatch.chdir(tmp_path)


def table(name: str, *fallbacks: str, **properties: Any) -> dict[str, Any]:
    """A table of a template; it opts in where it names fallbacks."""
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": list(fallbacks)}},
        "Properties": {**PROPERTIES, **properties, "TableName": name},
    }


def bucket(name: str, *fallbacks: str, **properties: Any) -> dict[str, Any]:
    """A bucket of a template."""
    return {
        "Type": BUCKET,
        "DeletionPolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": list(fallbacks)}},
        "Properties": {**properties, "BucketName": name},
    }


def template(**resources: Mapping[str, Any]) -> Path:
    """A template file with the resources."""
    path = Path("template.json")
    path.write_text(json.dumps({"Resources": resources}))
    return path


def deploy(stack: str, path: Path) -> None:
    """Create a stack, and wait for it."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=path.read_text())
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )


def decided(path: Path, *options: str) -> Mapping[str, Any]:
    """The decision on the app's only resource, and its owner."""
    run("plan", path, "--out", "plan.json", *options)
    (resource,) = saved(Path("plan.json"))["resources"]
    words = ("action", "rule", "import")
    return {word: resource[word] for word in words} | {"owner": resource["preferred"]["owner"]}


def refused(ran: Ran, *words: str) -> None:
    """The run was a stop that says why."""
    assert ran.code == 3, ran
    assert all(word in ran.out for word in words), ran.out


def test_what_this_stack_owns_is_kept() -> None:
    """Rule 6: with data it stays declared; nothing is done."""
    app = template(Waitlist=table("Waitlist-prod"))
    deploy("App", app)
    client("dynamodb").put_item(TableName="Waitlist-prod", Item={"pk": {"S": "a"}})
    assert decided(app, "--stack", "App") == {
        "action": "keep",
        "rule": 6,
        "import": None,
        "owner": "this stack",
    }
    ran = run("apply", app, "--stack", "App")
    assert ran.code == 0
    assert ran.lines[1:] == [
        "✅ Keeping the stack's own DynamoDB table: Waitlist-prod",
        "✅ Nothing to copy: 1 resource already holds its data",
    ]


@pytest.mark.parametrize("kind", ["table", "bucket"])
def test_an_empty_resource_of_this_stack_takes_the_fallbacks_data(kind: str) -> None:
    """Rule 6: keep and migrate; the stack still owns it, and the next run keeps it."""
    app = template(Data=(table if kind == "table" else bucket)("data-prod", "data-old"))
    deploy("App", app)
    content = items_of if kind == "table" else objects_of
    if kind == "table":
        make_table("data-old", varied_items(60))
    else:
        make_bucket("data-old", varied_objects(20))
    ran = run("apply", app, "--stack", "App")
    assert ran.code == 0, ran
    assert f"Fallback {kind} has data, migrating into the existing one" in ran.out
    assert content("data-prod") == content("data-old")
    again = run("apply", app, "--stack", "App")
    assert "Keeping the stack's own" in again.out
    assert "Nothing to copy" in again.out
    assert stacks() == ["App"]


def test_a_moved_logical_id_is_a_stop_that_names_both() -> None:
    """Rule 16: CloudFormation would drop what it knows under another id."""
    deploy("App", template(OldName=table("Waitlist-prod")))
    app = template(NewName=table("Waitlist-prod", "Waitlist"))
    refused(run("apply", app, "--stack", "App"), "rule 16", "OldName", "NewName")


def test_a_half_copied_target_is_resumed_and_never_imported() -> None:
    """Rule 7: the marker decides, whatever the content says."""
    make_table("Waitlist", varied_items(60))
    app = table_app(Path("dataware.toml"), "Waitlist-prod", "Waitlist")
    assert run("apply", app).code == 0
    rewind("dynamodb-table", "Waitlist-prod")
    for key in list(items_of("Waitlist-prod"))[:30]:
        client("dynamodb").delete_item(TableName="Waitlist-prod", Key={"pk": json.loads(key)})
    assert decided(app)["action"] == "resume"
    ran = run("apply", app)
    assert ran.lines[1] == "🔄 Resuming the migration: Waitlist → Waitlist-prod"
    assert ran.code == 0
    assert items_of("Waitlist-prod") == items_of("Waitlist")


def test_two_live_data_sets_are_a_warning() -> None:
    """Rule 8: the preferred one is imported, and the other is named with its count."""
    make_table("Waitlist", varied_items(5))
    make_table("Waitlist-prod", varied_items(3))
    ran = run("apply", table_app(Path("dataware.toml"), "Waitlist-prod", "Waitlist"))
    assert ran.code == 0
    assert ran.lines[1] == "✅ Importing existing DynamoDB table with data: Waitlist-prod"
    assert ran.lines[2].startswith("⚠️  two resources hold data")
    assert "Waitlist-prod: about 3, Waitlist: about 5" in ran.lines[2]
    assert len(items_of("Waitlist-prod")) == 3


def test_migrated_data_that_got_lost_is_a_stop() -> None:
    """Rule 9: neither created anew nor copied again without a person's word."""
    make_table("Waitlist", varied_items(5))
    app = table_app(Path("dataware.toml"), "Waitlist-prod", "Waitlist")
    run("apply", app)
    client("dynamodb").delete_table(TableName="Waitlist-prod")
    refused(run("apply", app), "rule 9", "was deleted after the migration")
    assert items_of("Waitlist-prod") == {}


def test_another_stacks_resource_is_referenced() -> None:
    """Rule 10: never adopted, and the line says whose it is."""
    deploy("Elsewhere", template(Theirs=table("Waitlist-prod")))
    client("dynamodb").put_item(TableName="Waitlist-prod", Item={"pk": {"S": "a"}})
    app = template(Waitlist=table("Waitlist-prod", "Waitlist"))
    assert decided(app, "--stack", "App") == {
        "action": "import",
        "rule": 10,
        "import": "reference",
        "owner": "another stack",
    }
    ran = run("apply", app, "--stack", "App")
    assert ran.lines[1] == "✅ Referencing DynamoDB table of stack Elsewhere: Waitlist-prod"


def test_another_stacks_empty_resource_is_not_migrated_into() -> None:
    """Rule 10: empty, with data in a fallback, it is a stop."""
    deploy("Elsewhere", template(Theirs=table("Waitlist-prod")))
    make_table("Waitlist", varied_items(5))
    app = template(Waitlist=table("Waitlist-prod", "Waitlist"))
    refused(run("apply", app, "--stack", "App"), "rule 10", "Elsewhere")
    assert items_of("Waitlist-prod") == {}


def test_what_a_deleted_stack_retained_is_adopted() -> None:
    """A deleted stack owns nothing: what it left is imported as nobody's."""
    deploy("App", template(Waitlist=table("Waitlist-prod")))
    client("dynamodb").put_item(TableName="Waitlist-prod", Item={"pk": {"S": "a"}})
    client("cloudformation").delete_stack(StackName="App")
    assert decided(template(Waitlist=table("Waitlist-prod", "Waitlist")), "--stack", "App") == {
        "action": "import",
        "rule": 1,
        "import": "adopt",
        "owner": "no stack",
    }


def test_an_empty_bucket_of_nobody_is_taken_over() -> None:
    """Rule 12: a second one of that name cannot be created."""
    make_bucket("data-prod")
    app = bucket_app(Path("dataware.toml"), "data-prod", "data-old")
    assert decided(app) == {"action": "create", "rule": 12, "import": "adopt", "owner": "no stack"}


@pytest.mark.parametrize("exists", [False, True], ids=["absent", "empty"])
def test_other_keys_are_a_stop_that_names_both_schemas(exists: bool) -> None:
    """Rule 13: items cannot be copied as they are; nothing is created."""
    make_table("Waitlist", varied_items(5))
    if exists:
        make_table("Waitlist-prod", **OTHER_KEYS)
    app = template(Waitlist=table("Waitlist-prod", "Waitlist", **OTHER_KEYS))
    refused(run("apply", app), "rule 13", "pk (S)", "id (N)")
    assert items_of("Waitlist-prod") == {}


ENCRYPTED_BY_A_KEY = {
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                }
            }
        ]
    }
}


def test_properties_that_refer_to_others_are_left_to_the_deployment() -> None:
    """The plan says which; apply creates nothing and refuses while data waits."""
    app = template(Data=bucket("data-prod", "data-old", **ENCRYPTED_BY_A_KEY))
    alone = run("apply", app)
    assert alone.code == 0
    assert "data-prod is deferred to the deployment: " in alone.out
    make_bucket("data-old", varied_objects(3))
    planned = run("plan", app)
    why = "because its property BucketEncryption depends on Fn::GetAtt"
    assert f"only the deployment can create data-prod, {why}" in planned.out
    waiting = run("apply", app)
    assert waiting.code == 3
    assert f"nothing was changed: data-prod waits for its deployment, {why}" in waiting.err
    assert "--stack" in waiting.err
    assert objects_of("data-prod") == {}
    assert stacks() == []


def test_after_the_deployment_the_data_follows() -> None:
    """Once the stack has made what only it can make, the same command migrates."""
    app = template(Data=bucket("data-prod", "data-old", **ENCRYPTED_BY_A_KEY))
    make_bucket("data-old", varied_objects(3))
    assert run("apply", app, "--stack", "App").code == 3
    whole = json.loads(app.read_text())
    whole["Resources"]["Key"] = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}}
    app.write_text(json.dumps(whole))
    deploy("App", app)
    assert run("apply", app, "--stack", "App").code == 0
    assert objects_of("data-prod") == objects_of("data-old")


YAML = """
Resources:
  Waitlist:
    Type: AWS::DynamoDB::Table
    Metadata: {Dataware: {Fallback: [Waitlist]}}
    Properties:
      TableName: Waitlist-prod
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  NotMeant:
    Type: AWS::S3::Bucket
    Properties: {BucketName: not-meant}
"""


def test_a_yaml_template_is_an_app() -> None:
    """Only what opts in is looked at; the missing table gets its template's properties."""
    Path("template.yaml").write_text(YAML)
    make_table("Waitlist", varied_items(30))
    ran = run("apply", "template.yaml")
    assert ran.code == 0, ran
    assert "not-meant" not in ran.out
    assert items_of("Waitlist-prod") == items_of("Waitlist")
    assert stacks() == []


def test_a_cloud_assembly_is_an_app() -> None:
    """`cdk.out`: the stack's name comes from the manifest, the id is the construct's path."""
    resource = table("Waitlist-prod", "Waitlist")
    resource["Metadata"]["aws:cdk:path"] = "App/Waitlist/Resource"
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": "App.template.json", "stackName": "App-prod"},
        "displayName": "App",
    }
    folder = Path("cdk.out")
    folder.mkdir()
    manifest = {"version": "48.0.0", "artifacts": {"App": stack}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    path = folder / "App.template.json"
    path.write_text(json.dumps({"Resources": {"Waitlist": resource}}))
    deploy("App-prod", path)
    make_table("Waitlist", varied_items(30))
    run("plan", "cdk.out", "--out", "plan.json")
    (planned,) = saved(Path("plan.json"))["resources"]
    assert (planned["id"], planned["preferred"]["owner"]) == ("App/Waitlist", "this stack")
    assert run("apply", "cdk.out").code == 0
    assert items_of("Waitlist-prod") == items_of("Waitlist")
