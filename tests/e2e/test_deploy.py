"""`dataware deploy` with the real CDK command line: the examples, deployed again and again.

CDK processes are heavy, so one test for each example tells the whole story.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from support.cdk_cli import NEVER_ASK, TYPESCRIPT, Project
from support.worlds import client, stacks

pytestmark = pytest.mark.xdist_group("cdk")

PYTHON = Path(__file__).resolve().parents[2] / "examples/python"
OWN = {
    "spaceport-uploads-staging",
    "spaceport-ml-processing-staging",
    "Spaceport-Waitlist-staging",
    "Spaceport-Jobs-staging",
}


def fill(key: str | None = None) -> None:
    """78 people on the waiting list and 20 uploads, all under the older names."""
    dynamodb, s3 = client("dynamodb", key=key), client("s3", key=key)
    dynamodb.create_table(
        TableName="Spaceport-Waitlist",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "email", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "email", "KeyType": "HASH"}],
    )
    for number in range(78):
        item = {"email": {"S": f"pilot{number}@example.com"}}
        dynamodb.put_item(TableName="Spaceport-Waitlist", Item=item)
    s3.create_bucket(Bucket="spaceport-uploads")
    for number in range(20):
        s3.put_object(Bucket="spaceport-uploads", Key=f"photo {number}.jpg", Body=b"x" * number)


def owned() -> set[str]:
    """The physical names that the stack holds."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources")
    found = pages.paginate(StackName="Spaceport-staging")
    rows = [row for page in found for row in page["StackResourceSummaries"]]
    return {row["PhysicalResourceId"] for row in rows if row["PhysicalResourceId"] in OWN}


def check_data() -> None:
    """Everything is under the preferred names, and still under the older ones."""
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    for table in ("Spaceport-Waitlist", "Spaceport-Waitlist-staging"):
        assert dynamodb.scan(TableName=table)["Count"] == 78
    sizes = [
        {o["Key"]: o["Size"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]}
        for bucket in ("spaceport-uploads", "spaceport-uploads-staging")
    ]
    assert sizes[0] == sizes[1]
    assert len(sizes[0]) == 20


def test_data_is_in_place_on_the_first_deployment_and_on_every_other(
    new_project: Callable[[Path], Project],
) -> None:
    """Migrated and adopted once, then kept for ever, by either command, with and without lock."""
    project = new_project(PYTHON)
    fill()
    first = project.dataware_deploy()
    assert "Successfully migrated data to Spaceport-Waitlist-staging" in first
    assert "Successfully migrated data to spaceport-uploads-staging" in first
    check_data()
    assert owned() == OWN
    project.check_no_difference()

    project.cdk_deploy()
    again = project.dataware_deploy()
    assert again.count("Keeping the stack's own") >= 4
    assert "Successfully migrated" not in again
    check_data()
    assert owned() == OWN

    lock = json.loads((project.folder / "dataware.lock.json").read_text())
    (entries,) = lock["environments"].values()
    assert {entry["action"] for entry in entries.values()} == {"keep"}
    (project.folder / "dataware.lock.json").unlink()
    project.check_no_difference()


def test_data_of_another_account_is_in_place_on_the_first_deployment(
    new_project: Callable[[Path], Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile reads the fallbacks there; a plain deployment afterwards changes nothing."""
    theirs, config = "444455556666", tmp_path / "config"
    config.write_text(
        f"[profile partner]\nregion = us-east-1\naws_access_key_id = {theirs}\n"
        "aws_secret_access_key = other\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    project = new_project(PYTHON)
    fill(theirs)
    project.dataware("deploy", "--yes", "--source-profile", "partner", "--", *NEVER_ASK)
    assert owned() == OWN
    target = "Spaceport-Waitlist-staging"
    assert boto3.client("dynamodb").scan(TableName=target)["Count"] == 78
    page = boto3.client("s3").list_objects_v2(Bucket="spaceport-uploads-staging")
    assert page["KeyCount"] == 20
    project.check_no_difference()


def test_an_app_in_typescript_is_planned_and_deployed(
    new_project: Callable[[Path], Project],
) -> None:
    """A mixin on each resource is all it takes: the data moves once, and the stack keeps it."""
    project = new_project(TYPESCRIPT)
    project.run("node_modules/.bin/tsc")
    fill()
    own = {"spaceport-uploads-staging", "Spaceport-Waitlist-staging"}
    assert "Plan: 2 to copy" in project.dataware("plan")
    assert "Spaceport-staging" not in stacks()
    unseen = "nobody looked at the data; deploy with `dataware deploy`"
    assert project.run("cdk", "synth", "--quiet", "--no-notices").count(unseen) == 2

    first = project.dataware_deploy()
    assert first.count("Successfully migrated data to") == 2
    assert unseen not in first
    # Everything that is read in a log: plan, copies, CDK's own lines, and what is true now.
    assert len(first.splitlines()) <= 32, first
    check_data()
    assert owned() == own
    project.check_no_difference()

    again = project.dataware_deploy()
    assert "Successfully migrated" not in again
    check_data()
    assert owned() == own
