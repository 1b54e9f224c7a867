"""The moments of docs/recipes.md that no other test goes through, command by command.

Who owns what, and what is in it, is asked of the services by boto3.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, opted_in, prepare_project
from support.cli import run
from support.recipes import deploy, owner
from support.worlds import (
    KEYS,
    client,
    items_of,
    make_table,
    objects_of,
    retained,
    stacks,
    varied_items,
    varied_objects,
)


@pytest.fixture(autouse=True)
def project(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty AWS, and a CDK project whose command line writes down what it is asked."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def table(name: str = "orders") -> dict[str, Any]:
    """A retained table of a template, which opts in."""
    properties = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **KEYS}
    return opted_in(retained("AWS::DynamoDB::Table", **properties))


def fill(name: str = "orders") -> dict[str, Any]:
    """Nine items in a table; those items."""
    for item in varied_items(9):
        client("dynamodb").put_item(TableName=name, Item=item)
    return items_of(name)


def deploy_app(*options: str, **apps: dict[str, Any]) -> str:
    """`dataware deploy` of an app of stacks, and then what CDK would do; what was said."""
    folder = Path("prepared")
    for old in folder.glob("*.json"):
        old.unlink()
    assembly(folder, **apps)
    ran = run("deploy", "--yes", *options, "--", "--all")
    assert ran.code == 0, ran
    for name, resources in apps.items():
        if resources != deployed(name):
            deploy(name, **resources)
    return ran.out


def deployed(stack: str) -> dict[str, Any]:
    """The resources of a stack's template; none if it is not deployed."""
    if stack not in stacks():
        return {}
    body = client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    return dict((json.loads(body) if isinstance(body, str) else body)["Resources"])


def test_what_a_rolled_back_stack_left_is_adopted_by_the_next_deployment() -> None:
    """The table of a first deployment that failed was retained, written to, and in the way."""
    make_table("taken")
    broken = table("taken")
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="App",
        TemplateBody=json.dumps(
            {"Resources": {"Orders": table(), "Broken": {**broken, "DependsOn": "Orders"}}}
        ),
        OnFailure="DELETE",
    )
    for _ in range(100):
        if not stacks():
            break
        time.sleep(0.1)
    assert (stacks(), owner("orders")) == ([], None)
    before = fill()

    assembly(Path("prepared"), App={"Orders": table()})
    plan = run("plan", "prepared", "--all")
    assert "Importing existing DynamoDB table with data: orders" in plan.out
    deploy_app(App={"Orders": table()})
    assert (owner("orders"), items_of("orders")) == ("App", before)
    assert "Keeping the stack's own DynamoDB table: orders" in deploy_app(App={"Orders": table()})


def test_a_table_moves_to_another_stack_with_its_data() -> None:
    """Its stack lets it go, and the other one adopts it; nothing is copied."""
    other = {"Other": table("other")}
    deploy("Old", Orders=table(), **other)
    before = fill()
    assembly(Path("prepared"), Old=other, New={"Orders": table()})
    stop = run("plan", "prepared")
    assert stop.code == 3
    assert "(rule 19)" in stop.out
    deploy_app("--allow-loss", "Orders", Old=other)
    assert (owner("orders"), items_of("orders")) == (None, before)
    assert "Importing existing" in deploy_app(Old=other, New={"Orders": table()})
    assert (owner("orders"), items_of("orders")) == ("New", before)


REGIONAL = "uploads-000000000000-us-east-1-an"


def bucket(name: str | None, *fallbacks: str, **properties: Any) -> dict[str, Any]:
    """A retained bucket of a template."""
    named = {"BucketName": name} if name else {}
    declared = retained("AWS::S3::Bucket", **named, **properties)
    return opted_in(declared, *fallbacks) if fallbacks else declared


def test_a_bucket_gets_a_name_of_its_account_and_region() -> None:
    """It is a new bucket: copied, verified and adopted; the old one stays, in no stack."""
    deploy("App", Uploads=bucket("uploads"))
    for item in varied_objects(9):
        client("s3").put_object(Bucket="uploads", **item)
    before = objects_of("uploads")
    regional = {"BucketNamespace": "account-regional"}

    in_place = bucket(REGIONAL, "uploads", **regional)
    assembly(Path("prepared"), App={"Uploads": in_place})
    stop = run("plan", "prepared")
    assert (stop.code, "(rule 19)" in stop.out) == (3, True), stop
    assert "declare the new name under a new construct id, with uploads as its" in stop.out

    by_prefix = bucket(None, "uploads", BucketNamePrefix="uploads", **regional)
    assembly(Path("prepared"), App={"Regional": by_prefix})
    stop = run("plan", "prepared")
    assert (stop.code, "(rule 22)" in stop.out) == (3, True), stop
    assert f"{REGIONAL} is named by a function (BucketNamePrefix)" in stop.out

    said = deploy_app(App={"Regional": in_place})
    assert f"Successfully migrated data to {REGIONAL}" in said
    assert (owner(REGIONAL), objects_of(REGIONAL)) == ("App", before)
    assert (owner("uploads"), objects_of("uploads")) == (None, before)
    assert f"Keeping the stack's own S3 bucket: {REGIONAL}" in deploy_app(
        App={"Regional": in_place}
    )
