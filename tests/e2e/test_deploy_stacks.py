"""What the real `cdk deploy` deploys is what dataware looked at first: an app of several stacks.

The app writes its assembly by hand, which takes a second less than the CDK library at every run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from support.cdk_cli import NEVER_ASK, Project, make_project
from support.peers import UnavailableError
from support.worlds import KEYS, items_of, make_table, stacks, varied_items

pytestmark = pytest.mark.xdist_group("cdk")

APP = """
import json, os, pathlib

def table(name, policy, *fallbacks):
    resource = {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "UpdateReplacePolicy": policy,
        "Properties": {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **KEYS},
    }
    if fallbacks:
        resource["Metadata"] = {"Dataware": {"Fallback": fallbacks}}
    return resource

def parameter(value):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}

with open("runs", "a") as runs:
    runs.write(os.environ.get("DATAWARE_RUN", "") + " ")
orders = os.environ.get("ORDERS", "Orders")
if os.environ.get("DATAWARE_RUN") == "deploy":
    orders += os.environ.get("LATER", "")
declared = {
    "Data": ({"Orders": table(orders, "Delete")}, []),
    "Api": ({"Setting": parameter("x" + orders)}, ["Data"]),
    "Mail": ({"Mail": table("Mail-prod", "Retain", "Mail-old")}, []),
    "Web": ({"Web": table("Web-prod", "Retain", os.environ.get("WEB", "Web-old"))}, []),
}
out = pathlib.Path(os.environ["CDK_OUTDIR"])
artifacts = {}
for name, (resources, needs) in declared.items():
    (out / f"{name}.json").write_text(json.dumps({"Resources": resources}))
    artifacts[name] = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": f"{name}.json", "stackName": f"shop-{name.lower()}"},
        "displayName": name,
        "dependencies": needs,
    }
(out / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))
"""


@pytest.fixture
def deploy(
    aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`dataware deploy` in a project of four stacks, beside an empty AWS."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "app.py").write_text(f"KEYS = {json.dumps(KEYS)}\n{APP}")
    (source / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    try:
        project = make_project(source, tmp_path / "project", tmp_path / "home")
    except UnavailableError as reason:
        pytest.skip(str(reason))
    monkeypatch.chdir(project.folder)
    return lambda *arguments, **variables: ended(project, arguments, variables)


def ended(
    project: Project, arguments: tuple[str, ...], variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """How a command ended; it has no terminal to ask at."""
    if arguments[0] != "cdk":
        arguments = (sys.executable, "-m", "dataware.cli", *arguments)
    return subprocess.run(
        arguments,
        cwd=project.folder,
        env={**project.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def tables() -> list[str]:
    """The names of all tables, asked of AWS itself."""
    return sorted(boto3.client("dynamodb").list_tables()["TableNames"])


def test_nothing_is_deployed_that_was_not_looked_at(
    deploy: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """A stack brings along what it depends on, by CDK's own rule, and so it does for the guard."""
    made = deploy("cdk", "deploy", "Api", *NEVER_ASK)
    assert made.returncode == 0, made.stderr
    assert sorted(stacks()) == ["shop-api", "shop-data"]
    dynamodb = boto3.client("dynamodb")
    for number in range(5):
        dynamodb.put_item(TableName="Orders", Item={"pk": {"S": str(number)}})
    before = items_of("Orders")

    renamed = {"ORDERS": "Orders-v2"}
    for command in (
        ("plan", "--stack", "Api"),
        ("deploy", "--yes", "--", *NEVER_ASK, "A*i"),
    ):
        ran = deploy(*command, **renamed)
        assert ran.returncode == 3, ran.stdout + ran.stderr
        assert "Stopped at Orders (rule 19)" in ran.stdout
    assert tables() == ["Orders"]

    ran = deploy("deploy", "--yes", "--", *NEVER_ASK, "Api", LATER="-v2")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "the app now declares what was not checked: Orders of stack shop-data" in ran.stderr
    assert (tables(), items_of("Orders")) == (["Orders"], before)

    alone = deploy("deploy", "--yes", "--stack", "Api", "-e", "--", *NEVER_ASK, **renamed)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert "✅ Deployed" in alone.stdout
    assert (tables(), items_of("Orders")) == (["Orders"], before)


def test_only_what_is_deployed_is_migrated(
    deploy: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Without a selection nothing is touched; with one, other stacks are left as they are."""
    make_table("Mail-old", varied_items(3))
    make_table("Web-old", varied_items(4))
    inert = ("Web", "--no-execute")
    for arguments, says in (((), "has several stacks"), (inert, "nothing is deployed")):
        ran = deploy("deploy", "--yes", "--", *NEVER_ASK, *arguments)
        assert ran.returncode == 1, ran.stdout + ran.stderr
        assert says in ran.stderr
        assert "Deployed" not in ran.stdout
    assert (tables(), stacks()) == (["Mail-old", "Web-old"], [])

    ran = deploy("deploy", "--yes", "--", *NEVER_ASK, "Web")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1] == "✅ Deployed: Web-prod holds data"
    assert (tables(), stacks()) == (["Mail-old", "Web-old", "Web-prod"], ["shop-web"])
    assert items_of("Web-prod") == items_of("Web-old")
    owned = boto3.client("cloudformation").describe_stack_resources(StackName="shop-web")
    assert [one["PhysicalResourceId"] for one in owned["StackResources"]] == ["Web-prod"]

    runs = Path("runs").read_text().split()
    again = deploy("deploy", "--yes", "--", *NEVER_ASK, "Web")
    assert again.returncode == 0, again.stdout + again.stderr
    assert Path("runs").read_text().split() == [*runs, "deploy"], "once, where nothing is to do"
    assert again.stdout.splitlines()[-1] == "✅ Deployed: Web-prod holds data"
    assert "(no changes)" in again.stdout + again.stderr


def test_a_fallback_by_arn_of_another_region_is_deployed_with_its_data(
    deploy: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """The data of another region stands in the new table, which the stack owns."""
    there = boto3.client("dynamodb", region_name="eu-west-1")
    keys = {**KEYS, "BillingMode": "PAY_PER_REQUEST"}
    arn = there.create_table(TableName="Web", **keys)["TableDescription"]["TableArn"]
    for number in range(30):
        there.put_item(TableName="Web", Item={"pk": {"S": f"key-{number}"}})

    ran = deploy("deploy", "--yes", "--stack", "Web", "--", *NEVER_ASK, WEB=arn)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    dynamodb = boto3.client("dynamodb")
    assert len(dynamodb.scan(TableName="Web-prod")["Items"]) == 30
    assert len(there.scan(TableName="Web")["Items"]) == 30
    rows = boto3.client("cloudformation").describe_stack_resources(StackName="shop-web")
    owned = [row["PhysicalResourceId"] for row in rows["StackResources"]]
    assert owned == ["Web-prod"]
