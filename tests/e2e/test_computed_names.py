"""Computed names from end to end: planned, applied and told of, on the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from dataware.embedded import EmbeddedAws
from support.cli import run, saved
from support.public_shapes import public_templates

pytestmark = pytest.mark.usefixtures("aws_server")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield


def write(document: dict[str, Any], name: str = "t.json") -> str:
    """A template in a file of the current folder."""
    Path(name).write_text(json.dumps(document))
    return name


def deploy(stack: str, document: dict[str, Any], **parameters: str) -> None:
    """Deploy a template with CloudFormation alone."""
    client = boto3.client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    client.create_stack(StackName=stack, TemplateBody=json.dumps(document), Parameters=given)
    client.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )


APP = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "dev"},
    },
    "Resources": {
        "Uploads": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "Properties": {"BucketName": {"Fn::Sub": "{{resolve:ssm:/team}}-uploads-${Stage}"}},
        },
        "Plain": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Shared": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {"Fn::Sub": ["${Of}-copy", {"Of": {"Fn::ImportValue": "of"}}]}
            },
        },
    },
}


def test_a_deployed_stack_is_planned_by_its_own_parameters(aws_server: EmbeddedAws) -> None:
    """Parameters of the stack, Parameter Store and exports, exactly as CloudFormation took them."""
    boto3.client("ssm").put_parameter(Name="/team", Value="red", Type="String")
    exporting = {
        "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"O": {"Value": "common", "Export": {"Name": "of"}}},
    }
    deploy("Common", exporting)
    deploy("Shop", APP, Stage="beta")
    boto3.client("s3").put_object(Bucket="red-uploads-beta", Key="a", Body=b"1")
    named = ("--stack", "Shop")
    ran = run("plan", write(APP), *named, "--all-stateful", "--out", "plan.json")
    assert ran.code == 0, ran
    resources = saved(Path("plan.json"))["resources"]
    names = {one["preferred"]["name"] for one in resources}
    deployed = boto3.client("s3").list_buckets()["Buckets"]
    assert names == {one["Name"] for one in deployed}
    assert {one["action"] for one in resources} == {"keep"}
    assert {one["preferred"]["owner"] for one in resources} == {"this stack"}
    policy = run("iam-policy", "t.json", *named, "--fallback", "{a}={a}-old")
    assert "cloudformation:ListExports" in policy.out
    assert "parameter/team" in policy.out


def test_an_app_that_nobody_changed_is_migrated_by_a_pattern() -> None:
    """The data arrives under the computed name, and the plan is that of the file of patterns."""
    boto3.client("s3").create_bucket(Bucket="uploads")
    boto3.client("s3").put_object(Bucket="uploads", Key="a", Body=b"1")
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "Properties": {"BucketName": {"Fn::Join": ["-", ["uploads", {"Ref": "Stage"}]]}},
    }
    document = {"Parameters": {"Stage": {"Type": "String"}}, "Resources": {"Up": bucket}}
    path = write(document)
    ran = run("plan", path, "--fallback", "{base}-{stage}={base}")
    assert ran.code == 1
    assert "pass --parameter Stage=VALUE" in ran.err
    Path("dataware.toml").write_text('[fallbacks]\n"{base}-prod" = "{base}"\n')
    Path("p.yaml").write_text("Stage: prod\n")
    ran = run("apply", path, "--parameters-file", "p.yaml", "--import", "reference", "--yes")
    assert ran.code == 0, ran
    assert "Successfully migrated data to uploads-prod" in ran.out
    listed = boto3.client("s3").list_objects_v2(Bucket="uploads-prod")
    assert [one["Key"] for one in listed["Contents"]] == ["a"]


def test_templates_of_public_shapes_plan_from_end_to_end() -> None:
    """Nothing crashes, and nothing that is unknown is called absent."""
    for document in list(public_templates())[-9::2]:
        ran = run("plan", write(document), "--stack", "shop", "--all-stateful", "--format", "json")
        assert ran.code == 0, ran
        events = [json.loads(line) for line in ran.out.splitlines()]
        unplanned = [one for one in events if one["code"] == "unplanned"]
        (plan,) = [one["data"]["plan"] for one in events if one["code"] == "plan"]
        assert len(unplanned) + len(plan["resources"]) == len(document["Resources"])
