"""Data that moves inside `cdk deploy`: the real CDK command line, Lambda, Step Functions, IAM.

CDK processes are heavy, so one test tells the whole story.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.embedded import EmbeddedAws
from support.cdk_cli import Cli, install
from support.peers import UnavailableError
from support.servers import FaultProxy, json_error
from support.worlds import (
    KEYS,
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    varied_items,
    varied_objects,
)

pytestmark = pytest.mark.xdist_group("cdk")

APP = Path(__file__).resolve().parent / "cdk" / "migration_app.py"
ITEMS, OBJECTS = 2_000, 200
COPIED_BEFORE = 600
"""Items that are written before the fault of the first deployment."""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """An AWS of its own that enforces IAM, because what CDK bootstraps is to stay."""
    try:
        install()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    with EmbeddedAws(auth=True) as aws:
        yield aws


@pytest.fixture
def proxy(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """What the Lambda functions speak to; the test itself speaks to the server."""
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    with FaultProxy(server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def cli(server: EmbeddedAws, proxy: FaultProxy, tmp_path: Path) -> Cli:
    """The CDK command line on an app that migrates, in a bootstrapped account."""
    account = Cli(server, APP, tmp_path, {"WORKER_ENDPOINT": proxy.endpoint})
    account.bootstrap()
    # The bootstrap bucket refuses what is not TLS, and the embedded AWS speaks plain HTTP.
    for bucket in client("s3").list_buckets()["Buckets"]:
        client("s3").delete_bucket_policy(Bucket=bucket["Name"])
    return account


def fill() -> None:
    """What is there before: two sources with data, and the stack with its two empty targets."""
    retained = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    table = {"TableName": "new-one", "BillingMode": "PAY_PER_REQUEST", **KEYS}
    resources = {
        "Table": {"Type": "AWS::DynamoDB::Table", **retained, "Properties": table},
        "Bucket": {"Type": "AWS::S3::Bucket", **retained, "Properties": {"BucketName": "new-two"}},
    }
    body = json.dumps({"Resources": resources})
    client("cloudformation").create_stack(StackName="Migration", TemplateBody=body)
    # Large enough for several pages in each shard, because a page is what a checkpoint passes.
    make_table("old-one", varied_items(ITEMS, size=9_000))
    # In policies of the embedded AWS, unlike in those of AWS, an asterisk matches no newline.
    objects = ({**one, "Key": one["Key"].replace("\n", "")} for one in varied_objects(OBJECTS))
    make_bucket("old-two", objects)
    waiter = client("cloudformation").get_waiter("stack_create_complete")
    waiter.wait(StackName="Migration", WaiterConfig={"Delay": 1})


def record(kind: str, target: str) -> dict[str, Any]:
    """The record of a migration."""
    name = f"/dataware/markers/{kind}/{target}"
    value: dict[str, Any] = json.loads(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    return value


def events() -> str:
    """Every reason among the events of the stack."""
    pages = client("cloudformation").get_paginator("describe_stack_events")
    found = [one for page in pages.paginate(StackName="Migration") for one in page["StackEvents"]]
    return "\n".join(filter(None, (one.get("ResourceStatusReason") for one in found)))


def status() -> str:
    """The status of the stack."""
    found = client("cloudformation").describe_stacks(StackName="Migration")["Stacks"]
    return str(found[0]["StackStatus"])


def log() -> str:
    """Everything that the functions said."""
    logs = client("logs")
    groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
    lines = []
    for group in groups:
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            said = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])
            lines += [one["message"] for one in said["events"]]
    return "\n".join(lines)


def role_of_the_worker() -> Any:
    """A DynamoDB client with the credentials of the worker's role."""
    functions = client("lambda").list_functions()["Functions"]
    role = next(f["Role"] for f in functions if f["Handler"].endswith("work.handler"))
    answer = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "dynamodb",
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )


def test_data_moves_inside_a_deployment(cli: Cli, proxy: FaultProxy) -> None:
    """A failure rolls back with its reason and keeps all data; the retry goes on and verifies."""
    fill()
    source, objects = items_of("old-one"), objects_of("old-two")
    assert (len(source), len(objects)) == (ITEMS, OBJECTS)

    proxy.add(json_error("AccessDeniedException"), operation="PutItem", skip=COPIED_BEFORE)
    failed = cli.deploy()
    assert failed.returncode != 0
    assert status() == "UPDATE_ROLLBACK_COMPLETE"
    assert "returned AccessDeniedException; it needs dynamodb:PutItem" in events()
    assert "AccessDeniedException" in failed.stdout + failed.stderr
    assert items_of("old-one") == source
    assert objects_of("new-two") == objects
    arrived = items_of("new-one")
    assert 0 < len(arrived) <= COPIED_BEFORE
    assert arrived.items() <= source.items()
    stored = record("dynamodb-table", "new-one")
    assert (stored["state"], stored["released"]) == ("running", True)
    assert stored["detail"]["checkpoint"]

    proxy.clear()
    retried = cli.deploy()
    assert retried.returncode == 0, retried.stdout + retried.stderr
    assert status() == "UPDATE_COMPLETE"
    assert items_of("new-one") == source
    assert items_of("old-one") == source
    assert objects_of("new-two") == objects
    done = record("dynamodb-table", "new-one")
    assert (done["state"], done["run"]) == ("complete", stored["run"])
    assert done["detail"] == {"verified": ITEMS, "unit": "item"}
    assert record("s3-bucket", "new-two")["detail"] == {"verified": OBJECTS, "unit": "object"}
    assert proxy.count("PutItem") < ITEMS, "the retry goes on from the checkpoint"
    assert f"Verified {ITEMS:,} items: all by content" in log()
    with pytest.raises(ClientError, match="AccessDenied"):
        role_of_the_worker().delete_item(
            TableName="new-one", Key={"pk": {"S": "000001 é \U0001f680"}}
        )
