"""Custom resources of CDK that delete the data of a bucket which itself stays as it is."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, opted_in
from support.cli import BUCKET, run
from support.worlds import client, make_bucket, retained

TAGS = [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]
# What CDK's own handlers do to a bucket, without its SDK of Node.js.
HANDLER = """
import json, urllib.request, boto3

def handler(event, _context):
    named, removed = event["ResourceProperties"], event["RequestType"] == "Delete"
    bucket = named.get("BucketName") if removed else named.get("DestinationBucketName")
    s3 = boto3.client("s3")
    for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []) if bucket else []:
        s3.delete_object(Bucket=bucket, Key=one["Key"])
    known = event.get("PhysicalResourceId") or event["RequestId"]
    body = json.dumps({**event, "Status": "SUCCESS", "PhysicalResourceId": known}).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, method="PUT")).close()
"""


@pytest.fixture
def token(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The function behind the custom resources, beside an empty AWS."""
    monkeypatch.chdir(tmp_path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", HANDLER)
    functions = client("lambda")
    arn: str = functions.create_function(
        FunctionName="custom",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/custom",
        Handler="index.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=60,
    )["FunctionArn"]
    yield arn
    functions.delete_function(FunctionName="custom")


def bucket(name: str = "media", *fallbacks: str, **properties: Any) -> dict[str, Any]:
    """A bucket of a template."""
    declared = retained(BUCKET, BucketName=name, **properties)
    return opted_in(declared, *fallbacks) if fallbacks else declared


def emptying(token: str) -> dict[str, Any]:
    """What CDK adds to a bucket for `autoDeleteObjects`."""
    properties = {"ServiceToken": token, "BucketName": {"Ref": "Media"}}
    return {"Type": "Custom::S3AutoDeleteObjects", "Properties": properties}


def files(token: str, **more: Any) -> dict[str, Any]:
    """What CDK makes of a `BucketDeployment`."""
    properties = {"ServiceToken": token, "DestinationBucketName": {"Ref": "Media"}, **more}
    return {"Type": "Custom::CDKBucketDeployment", "Properties": properties}


def deploy(way: str, **resources: Any) -> None:
    """Create or update the stack, as plain CloudFormation does, and wait for it."""
    cloudformation = client("cloudformation")
    template = json.dumps({"Resources": resources})
    getattr(cloudformation, f"{way}_stack")(StackName="App", TemplateBody=template)
    waiter = cloudformation.get_waiter(f"stack_{way}_complete")
    waiter.wait(StackName="App", WaiterConfig={"Delay": 1})


def count_objects() -> int:
    """How many objects the bucket has."""
    return int(client("s3").list_objects_v2(Bucket="media")["KeyCount"])


def test_what_empties_a_bucket_may_not_get_another_logical_id(token: str) -> None:
    """The bucket keeps its logical id, as a recipe says, and all that it holds would go."""
    media = bucket(Tags=TAGS)
    deploy("create", Media=media, MediaEmpty=emptying(token))
    client("s3").put_object(Bucket="media", Key="a")
    assert run("plan", assembly(App={"Media": media, "MediaEmpty": emptying(token)})).code == 0
    ran = run("plan", assembly(App={"Media": media, "Empty": emptying(token)}))
    assert ran.code == 3, ran
    assert "all objects, which CDK deletes when MediaEmpty leaves" in ran.out
    ran = run("plan", assembly(App={"Media": bucket()}))
    assert ran.code == 0, "without its tag nothing is deleted"
    deploy("update", Media=media, Empty=emptying(token))
    assert count_objects() == 0, "what the guard has foreseen"


def test_a_deployment_of_files_is_stopped_before_it_prunes_a_bucket_with_data(token: str) -> None:
    """The first one deletes what others have put there; one that did so before deletes no more."""
    deploy("create", Media=bucket())
    client("s3").put_object(Bucket="media", Key="a")
    for now, code in ((files(token), 3), (files(token, Prune=False), 0)):
        assert run("plan", assembly(App={"Media": bucket(), "Files": now})).code == code
    deploy("update", Media=bucket(), Files=files(token))
    assert count_objects() == 0, "what the guard has foreseen"
    client("s3").put_object(Bucket="media", Key="a")
    make_bucket("media-old")
    own = {"Media": bucket("media", "media-old"), "Files": files(token)}
    ran = run("plan", assembly(App=own))
    assert ran.code == 0, ran


def test_nothing_is_copied_into_a_bucket_that_a_deployment_of_files_prunes(token: str) -> None:
    """The deployment of the stack would delete what was copied."""
    make_bucket("media-old")
    client("s3").put_object(Bucket="media-old", Key="a")
    new = {"Media": bucket("media", "media-old"), "Files": files(token)}
    ran = run("plan", assembly(App=new))
    assert ran.code == 3, ran
    assert "Files deletes every object that it does not deploy itself" in ran.out
    new["Files"] = files(token, Prune=False)
    assert run("plan", assembly(App=new)).code == 0


def test_a_deployment_of_files_in_another_stack_of_the_app_counts(token: str) -> None:
    """CDK hands the bucket on by an export; its name is that of the bucket."""
    make_bucket("media-old")
    client("s3").put_object(Bucket="media-old", Key="a")
    folder = assembly(Data={}, Web={}, Other={})
    media = {"Media": bucket("media", "media-old")}
    outputs = {"Name": {"Value": {"Ref": "Media"}, "Export": {"Name": "Data:Media"}}}
    (folder / "Data.json").write_text(json.dumps({"Resources": media, "Outputs": outputs}))
    own = files(token, DestinationBucketName={"Fn::ImportValue": "Data:Media"})
    (folder / "Web.json").write_text(json.dumps({"Resources": {"Files": own}}))
    ran = run("plan", folder)
    assert ran.code == 3, ran
    assert "Files of stack Web deletes every object" in ran.out
    own["Properties"]["Prune"] = False
    (folder / "Web.json").write_text(json.dumps({"Resources": {"Files": own}}))
    assert run("plan", folder).code == 0
