"""`dataware deploy` with the real CDK command line: stacks in several accounts and regions, as one.

The app writes its assembly by hand, with the roles that CDK's synth names, which takes seconds less
than the CDK library at every run. `make apps` does the same with an app of constructs, in accounts
that `cdk bootstrap` has prepared. Everything is looked at afterwards with boto3 alone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.cdk_cli import Project, make_project
from support.peers import UnavailableError
from support.places import EU, HOME, OTHER, US, Place
from support.worlds import KEYS

CONSTRUCTS = """
import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from dataware.cdk import DataAwareBucket, DataAwareTable

class Shop(cdk.Stack):
    def __init__(self, scope, id, **more):
        super().__init__(scope, id, stack_name="shop", **more)
        DataAwareTable(
            self,
            "Orders",
            preferred_name="orders-prod",
            fallback_names=["orders"],
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        )
        files = f"files-{id.lower()}"
        DataAwareBucket(self, "Files", preferred_name=f"{files}-prod", fallback_names=[files])

with open("runs", "a") as runs:
    import os
    runs.write(os.environ.get("DATAWARE_RUN", "-") + " ")
app = cdk.App()
for name, account, region in STACKS:
    Shop(app, name, env=cdk.Environment(account=account, region=region))
app.synth()
"""

TYPED = os.environ.get("SPACEPORT") == "typed"
"""Whether every command is typed as people do it, as in `make apps`."""

pytestmark = pytest.mark.xdist_group("cdk")

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


class Shop(Place):
    """A stack of the app, with a table and a bucket."""

    @property
    def bucket(self) -> str:
        """The preferred name of the bucket; buckets share their names with everybody."""
        return f"files-{self.stack.lower()}-prod"

    def fill(self) -> None:
        """Put data of its own under the older names."""
        self.make_table("orders", ITEMS)
        s3 = self.client("s3")
        there = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        old = self.bucket.removesuffix("-prod")
        s3.create_bucket(Bucket=old, **({} if self.region == US else there))
        for number in range(OBJECTS):
            s3.put_object(Bucket=old, Key=f"{number} {self.stack}.jpg", Body=b"x" * number)

    def read(self, suffix: str = "-prod") -> tuple[Any, Any]:
        """The items and objects under the preferred names, or without the suffix the older ones."""
        s3, bucket = self.client("s3"), self.bucket.removesuffix("-prod") + suffix
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]
        bodies = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        return self.items_of(f"orders{suffix}"), bodies

    def own(self) -> set[str]:
        """The physical names of the data that the stack holds."""
        rows = self.client("cloudformation").describe_stack_resources(StackName="shop")
        data = {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
        held = [one for one in rows["StackResources"] if one["ResourceType"] in data]
        return {one["PhysicalResourceId"] for one in held}

    def identity(self) -> Any:
        """What tells the tables and the bucket from others of their names, such as later ones."""
        dynamodb, s3 = self.client("dynamodb"), self.client("s3")
        tables = self.tables()
        made = [dynamodb.describe_table(TableName=name)["Table"]["TableId"] for name in tables]
        buckets = [one for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("files-")]
        return made, sorted((one["Name"], one["CreationDate"]) for one in buckets)


SHOPS = (Shop("Us", HOME, US), Shop("Eu", HOME, EU), Shop("Other", OTHER, US))


@pytest.fixture
def project(
    aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Project]:
    """A CDK project of one stack for each place, beside data under the older names."""

    def make(*places: Shop) -> Project:
        source = tmp_path / "source"
        source.mkdir()
        stacks = [(one.stack, one.account, one.region) for one in places]
        app = CONSTRUCTS if TYPED else APP
        (source / "app.py").write_text(f"KEYS = {json.dumps(KEYS)}\nSTACKS = {stacks}\n{app}")
        (source / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
        try:
            made = make_project(source, tmp_path / "project", tmp_path / "home")
        except UnavailableError as reason:
            pytest.skip(str(reason))
        monkeypatch.chdir(made.folder)
        for one in places if TYPED else ():
            bootstrap(made, one)
        for one in places:
            one.fill()
        return made

    return make


def bootstrap(project: Project, place: Shop) -> None:
    """Prepare an account and a region for CDK, which `HOME` may deploy to and look into."""
    environ = {**project.environ, "AWS_ACCESS_KEY_ID": place.account}
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    trust = ("--trust", HOME, "--trust-for-lookup", HOME)
    words = (*trust, "--cloudformation-execution-policies", policy, "--no-notices")
    code, said = replace(project, environ=environ).ended(
        "cdk", "bootstrap", f"aws://{place.environment}", *words, folder=project.folder.parent
    )
    assert code == 0, said


def check_place(place: Shop, whole: tuple[Any, Any]) -> None:
    """All data is under the preferred names and under the older ones, and the stack owns it."""
    assert (len(whole[0]), len(whole[1])) == (ITEMS, OBJECTS)
    assert place.read() == whole
    assert place.read("") == whole
    assert place.own() == {"orders-prod", place.bucket}


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
    app = project(*SHOPS)
    wholes = {place: place.read("") for place in SHOPS}
    first = app.dataware_deploy("--all")
    assert first.count("Successfully migrated data to orders-prod") == 3, first
    assert "Plan for 3 environments: 6 to copy" in first
    identities = [place.identity() for place in SHOPS]
    for number in range(4):
        if number:
            again = app.dataware_deploy("--all")
            assert "Successfully migrated" not in again, again
            assert Path("runs").read_text().split().count("look") == 1, "the app runs once"
        for place, whole in wholes.items():
            check_place(place, whole)
        assert [place.identity() for place in SHOPS] == identities
        lock = read_lock()
        assert sorted(lock) == sorted(f"{one.account}/{one.region}" for one in SHOPS)
        assert {entry["action"] for each in lock.values() for entry in each.values()} == {"keep"}
        if number:
            app.check_no_difference()
