"""`dataware deploy` with the real CDK command line: the Python example, deployed again and again.

CDK processes are heavy, so one test tells the whole story.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from dataware.embedded import EmbeddedAws
from support.cdk_cli import BESIDE, QUIET, install
from support.peers import Unavailable

pytestmark = pytest.mark.xdist_group("cdk")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/python"
OWN = {
    "spaceport-uploads-staging",
    "spaceport-ml-processing-staging",
    "Spaceport-Waitlist-staging",
    "Spaceport-Jobs-staging",
}


@dataclass(frozen=True)
class Project:
    """A copy of the example, with the commands that a developer types in it."""

    folder: Path
    environ: dict[str, str]

    def run(self, *command: str) -> str:
        """Run a command that has to succeed; its output."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def dataware_deploy(self) -> str:
        """Data first, then the stack."""
        arguments = ("deploy", "--yes", "--", "--require-approval", "never", "--no-notices")
        return self.run(sys.executable, "-m", "dataware.cli", *arguments)

    def check_no_difference(self) -> None:
        """The template that a plain synth makes now is the one that is deployed."""
        assert "There were no differences" in self.run("cdk", "diff", "--no-notices")


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """The example beside an AWS in which its data stands under the older names."""
    try:
        cdk = install()
    except Unavailable as reason:
        pytest.skip(str(reason))
    folder = tmp_path / "app"
    shutil.copytree(EXAMPLE, folder)
    with EmbeddedAws() as aws:
        for name, value in aws.environ().items():
            monkeypatch.setenv(name, value)
        environ = {
            **os.environ,
            **QUIET,
            "CDK_HOME": str(tmp_path / "cdk"),
            "PATH": os.pathsep.join((str(cdk.parent), str(BESIDE), os.environ["PATH"])),
        }
        yield Project(folder, environ)


def fill() -> None:
    """78 people on the waiting list and 20 uploads, all under the older names."""
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
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
    rows = [r for p in pages.paginate(StackName="Spaceport") for r in p["StackResourceSummaries"]]
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


def test_data_is_in_place_on_the_first_deployment_and_on_every_other(project: Project) -> None:
    """Migrated and adopted once, then kept for ever, by either command, with and without lock."""
    fill()
    project.run("cdk", "bootstrap", "--no-notices")
    first = project.dataware_deploy()
    assert "Successfully migrated data to Spaceport-Waitlist-staging" in first
    assert "Successfully migrated data to spaceport-uploads-staging" in first
    check_data()
    assert owned() == OWN
    project.check_no_difference()

    project.run("cdk", "deploy", "--require-approval", "never", "--no-notices")
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
