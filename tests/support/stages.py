"""What is there before a reader of a how-to begins, on the embedded AWS."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
import pytest

from support.cli import BUCKET, TABLE, ended, launch, run, toml_resource, write_toml
from support.killing import Strike
from support.servers import FaultProxy, Seen, drop

EMAIL = """BillingMode = "PAY_PER_REQUEST"
AttributeDefinitions = [{ AttributeName = "email", AttributeType = "S" }]
KeySchema = [{ AttributeName = "email", KeyType = "HASH" }]"""
ELSEWHERE = "eu-west-1"


def table(name: str, key: str, count: int, region: str | None = None) -> None:
    """A table with one key and some items."""
    dynamodb = boto3.client("dynamodb", region_name=region)
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
    )
    for number in range(count):
        dynamodb.put_item(TableName=name, Item={key: {"S": f"pilot{number}@example.com"}})


def bucket(name: str, count: int, region: str | None = None) -> None:
    """A bucket with some small objects."""
    s3 = boto3.client("s3", region_name=region)
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region else {}
    s3.create_bucket(Bucket=name, **where)
    for number in range(count):
        s3.put_object(Bucket=name, Key=f"{name}/{number}.txt", Body=b"orbit")


def older_names(folder: Path) -> None:
    """The data is under the names without a suffix."""
    table("Spaceport-Waitlist", "email", 78)
    bucket("spaceport-uploads", 12)
    write_toml(
        folder / "dataware.toml",
        toml_resource(TABLE, "Spaceport-Waitlist-prod", "Spaceport-Waitlist", properties=EMAIL),
        toml_resource(BUCKET, "spaceport-uploads-prod", "spaceport-uploads"),
    )


def left_behind(_folder: Path) -> None:
    """A table of a stack that is gone."""
    table("Spaceport-Orders", "id", 3)


def elsewhere(_folder: Path) -> None:
    """Data in another region, and targets in this one."""
    table("Orders", "id", 5, region=ELSEWHERE)
    table("Orders", "id", 0)
    bucket("spaceport-uploads-prod", 0)
    bucket("spaceport-drop", 3, region=ELSEWHERE)


def written_to(_folder: Path) -> None:
    """A table with a stream, and an empty one with the same keys, which has one as well."""
    for name, count in (("Waitlist", 78), ("Waitlist-prod", 0)):
        table(name, "email", count)
        boto3.client("dynamodb").update_table(
            TableName=name,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )


def interrupted(folder: Path) -> None:
    """A bucket that was copied, and a copy of a table that was killed on its way.

    The bucket goes first, because side by side nobody knows how far it has come by then.
    """
    older_names(folder)
    copied = run("apply", folder / "dataware.toml", "--only", "spaceport-uploads-prod")
    assert copied.code == 0, copied
    strike = Strike(1, answered=True)
    with FaultProxy(os.environ["AWS_ENDPOINT_URL"]) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        # How long it takes until then decides whether a heartbeat tells how far it is.
        proxy.add(drop, operation="PutParameter", when=tells_progress)
        proxy.add(strike, operation="BatchWriteItem")
        copying = launch("apply", folder / "dataware.toml", "--max-rate", 20)
        strike.aim(copying)
        assert ended(copying).code == -signal.SIGKILL


def tells_progress(seen: Seen) -> bool:
    """Whether a request writes down how far a copy is."""
    return '"total"' in str(seen.json()["Value"])


STAGES: Mapping[str, Callable[[Path], None]] = {
    "suffix-roll-out.md": older_names,
    "adopt-what-a-stack-left.md": left_behind,
    "other-account-or-region.md": elsewhere,
    "resume.md": interrupted,
    "approve-a-plan.md": older_names,
    "evening.md": written_to,
}
