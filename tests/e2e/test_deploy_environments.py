"""`dataware deploy` with the real CDK command line: stacks in several accounts and regions, as one.

The app writes its assembly by hand, with the roles that CDK's synth names, which takes a second
less than the CDK library at every run. Everything is looked at afterwards with boto3 alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from support.cdk_cli import Project, make_project
from support.peers import UnavailableError
from support.worlds import KEYS

pytestmark = pytest.mark.xdist_group("cdk")

HOME, OTHER = "000000000000", "222222222222"
US, EU = "us-east-1", "eu-west-1"
ITEMS, OBJECTS = 40, 12

APP = """
import json, os, pathlib

def table(name):
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": [name.removesuffix("-prod")]}},
        "Properties": {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **KEYS},
    }

def bucket(name):
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": [name.removesuffix("-prod")]}},
        "Properties": {"BucketName": name},
    }

with open("runs", "a") as runs:
    runs.write(os.environ.get("DATAWARE_RUN", "-") + " ")
out = pathlib.Path(os.environ["CDK_OUTDIR"])
artifacts = {}
for name, account, region in STACKS:
    resources = {"Orders": table("orders-prod"), "Files": bucket(f"files-{name.lower()}-prod")}
    (out / f"{name}.json").write_text(json.dumps({"Resources": resources}))
    role = "arn:${AWS::Partition}:iam::" + account + ":role/cdk-x-%s-role-" + f"{account}-{region}"
    artifacts[name] = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{account}/{region}",
        "properties": {
            "templateFile": f"{name}.json",
            "stackName": "shop",
            "assumeRoleArn": role % "deploy",
            "lookupRole": {"arn": role % "lookup"},
        },
        "displayName": name,
        "dependencies": [] if name == "Us" else ["Us"],
    }
(out / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))
"""


@dataclass(frozen=True)
class Place:
    """Where a stack of the app goes, and what its bucket is called."""

    stack: str
    account: str
    region: str

    @property
    def bucket(self) -> str:
        """The preferred name of the bucket; buckets share their names with everybody."""
        return f"files-{self.stack.lower()}-prod"

    def client(self, service: str) -> Any:
        """A client with the keys of the account, which are its twelve digits."""
        return boto3.client(
            service,
            region_name=self.region,
            aws_access_key_id=self.account,
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}),
        )

    def fill(self) -> None:
        """Put data of its own under the older names."""
        dynamodb, s3 = self.client("dynamodb"), self.client("s3")
        dynamodb.create_table(TableName="orders", BillingMode="PAY_PER_REQUEST", **KEYS)
        for number in range(ITEMS):
            item = {"pk": {"S": f"{number}"}, "of": {"S": self.stack}}
            dynamodb.put_item(TableName="orders", Item=item)
        there = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        old = self.bucket.removesuffix("-prod")
        s3.create_bucket(Bucket=old, **({} if self.region == US else there))
        for number in range(OBJECTS):
            s3.put_object(Bucket=old, Key=f"{number} {self.stack}.jpg", Body=b"x" * number)

    def read(self, suffix: str = "-prod") -> tuple[Any, Any]:
        """The items and objects under the preferred names, or without the suffix the older ones."""
        items = self.client("dynamodb").scan(TableName=f"orders{suffix}", ConsistentRead=True)
        s3, bucket = self.client("s3"), self.bucket.removesuffix("-prod") + suffix
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]
        bodies = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        return sorted(items["Items"], key=lambda item: item["pk"]["S"]), bodies

    def own(self) -> dict[str, str]:
        """What the stack holds, by logical id."""
        rows = self.client("cloudformation").describe_stack_resources(StackName="shop")
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"] for one in rows["StackResources"]
        }

    def identity(self) -> Any:
        """What tells the tables and the bucket from others of their names, such as later ones."""
        dynamodb, s3 = self.client("dynamodb"), self.client("s3")
        tables = dynamodb.list_tables()["TableNames"]
        made = [dynamodb.describe_table(TableName=name)["Table"]["TableId"] for name in tables]
        buckets = s3.list_buckets()["Buckets"]
        return made, sorted((one["Name"], one["CreationDate"]) for one in buckets)


PLACES = (Place("Us", HOME, US), Place("Eu", HOME, EU), Place("Other", OTHER, US))


@pytest.fixture
def project(
    aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Project]:
    """A CDK project of one stack for each place, beside data under the older names."""

    def make(*places: Place) -> Project:
        source = tmp_path / "source"
        source.mkdir()
        stacks = [(one.stack, one.account, one.region) for one in places]
        (source / "app.py").write_text(f"KEYS = {json.dumps(KEYS)}\nSTACKS = {stacks}\n{APP}")
        (source / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
        try:
            made = make_project(source, tmp_path / "project", tmp_path / "home")
        except UnavailableError as reason:
            pytest.skip(str(reason))
        monkeypatch.chdir(made.folder)
        for one in places:
            one.fill()
        return made

    return make


def check_place(place: Place, whole: tuple[Any, Any]) -> None:
    """All data is under the preferred names and under the older ones, and the stack owns it."""
    assert (len(whole[0]), len(whole[1])) == (ITEMS, OBJECTS)
    assert place.read() == whole
    assert place.read("") == whole
    assert place.own() == {"Orders": "orders-prod", "Files": place.bucket}


def read_lock() -> Mapping[str, Mapping[str, Any]]:
    """The decisions in the lock file, by environment."""
    environments: Mapping[str, Mapping[str, Any]] = json.loads(
        Path("dataware.lock.json").read_text()
    )["environments"]
    return environments


def test_three_stacks_in_two_regions_and_two_accounts_are_deployed_as_one(
    project: Callable[..., Project],
) -> None:
    """Four times: everything arrives at first, and nothing is copied, dropped or replaced after."""
    app = project(*PLACES)
    wholes = {place: place.read("") for place in PLACES}
    first = app.dataware_deploy("--all")
    assert first.count("Successfully migrated data to orders-prod") == 3, first
    assert "Plan for 3 environments: 6 to copy" in first
    identities = [place.identity() for place in PLACES]
    for number in range(4):
        if number:
            again = app.dataware_deploy("--all")
            assert "Successfully migrated" not in again, again
            assert Path("runs").read_text().split().count("look") == 1, "the app runs once"
        for place, whole in wholes.items():
            check_place(place, whole)
        assert [place.identity() for place in PLACES] == identities
        lock = read_lock()
        assert sorted(lock) == sorted(f"{one.account}/{one.region}" for one in PLACES)
        assert {entry["action"] for each in lock.values() for entry in each.values()} == {"keep"}
        if number:
            app.check_no_difference()
