"""How long the plan of a fleet takes against its slowest target alone."""

from __future__ import annotations

import json
from typing import Any

import boto3
from tests.bench.jobs import DATAWARE
from tests.bench.measure import Run
from tests.bench.result import RUN_COLUMNS, Goal, Result, run_row
from tests.bench.world import World

TARGETS = 10
FEW, MANY = 4, 10
MOST_TIMES = 1.5
CALL_SECONDS = 0.050
REGION = "eu-west-1"

KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}
TARGET = """
[[target]]
name = "{name}"
account = "{account}"
region = "{region}"
role = "dataware"
"""


def planning_fleet(
    world: World,
    targets: int = TARGETS,
    few: int = FEW,
    many: int = MANY,
    latency: float = CALL_SECONDS,
) -> Result:
    """Each target alone, and all of them together: of a small app, and of a larger one.

    With many resources the processor on which it is measured is busy all the time, which bounds
    what a fleet can gain; the goal is about the small app.
    """
    pairs = [_measure(world, targets, count, latency) for count in (few, many)]
    times = pairs[0][1].seconds / pairs[0][0].seconds
    rows = []
    for count, (slowest, together) in zip((few, many), pairs, strict=True):
        ratio = f"{together.seconds / slowest.seconds:.2f} x"
        rows += [
            run_row(f"{count} resources each, the slowest target alone", slowest, count),
            run_row(f"{count} resources each, all targets", together, targets * count, ratio),
        ]
    return Result(
        f"Fleet: the plan of {targets} targets, {latency * 1000:.0f} ms a call",
        RUN_COLUMNS,
        rows,
        [
            Goal.at_most(
                f"a fleet of {targets} targets of {few} resources is planned in at most 1.5 times "
                "the slowest one",
                MOST_TIMES,
                times,
                " x",
            )
        ],
    )


def _measure(world: World, targets: int, resources: int, latency: float) -> tuple[Run, Run]:
    """The slowest target alone, and all of them together."""
    world.fresh()
    names = [f"bench-fleet-{number:02d}" for number in range(resources)]
    accounts = [f"{number:012d}" for number in range(1, targets + 1)]
    app = world.folder / "template.json"
    app.write_text(json.dumps({"Resources": dict(map(_resource, range(resources), names))}))
    fleet = world.folder / "fleet.toml"
    fleet.write_text(
        "".join(TARGET.format(name=f"t{one}", account=one, region=REGION) for one in accounts)
    )
    for account in accounts:
        _make_tables(world, account, names[1::2])
        _make_buckets(world, account, names[::2])
    world.responder.become(latency=latency)
    command = [*DATAWARE, "fleet", "plan", str(app), "--fleet", str(fleet)]
    alone = [world.measured([*command, "--target", f"t{one}"]) for one in accounts]
    return max(alone, key=lambda run: run.seconds), world.measured(command)


def _resource(number: int, name: str) -> tuple[str, dict[str, Any]]:
    """A resource of the template: a table, or a bucket that has another name in each account."""
    shared = {
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": [name]}},
    }
    if number % 2 == 0:
        bucket = {"BucketName": {"Fn::Sub": f"{name}-${{AWS::AccountId}}"}}
        return f"Resource{number}", {"Type": "AWS::S3::Bucket", "Properties": bucket, **shared}
    table = {"TableName": f"{name}-prod", "BillingMode": "PAY_PER_REQUEST", **KEYS}
    return f"Resource{number}", {"Type": "AWS::DynamoDB::Table", "Properties": table, **shared}


def _make_tables(world: World, account: str, names: list[str]) -> None:
    """Make the fallback tables of a target, each with data."""
    dynamodb = _client(world, "dynamodb", account)
    for name in names:
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
        dynamodb.put_item(TableName=name, Item={"id": {"S": "one"}})


def _make_buckets(world: World, account: str, names: list[str]) -> None:
    """Make the preferred buckets of a target, each with data."""
    s3 = _client(world, "s3", account)
    there = {"LocationConstraint": REGION}
    for name in names:
        s3.create_bucket(Bucket=f"{name}-{account}", CreateBucketConfiguration=there)
        s3.put_object(Bucket=f"{name}-{account}", Key="key", Body=b"data")


def _client(world: World, service: str, account: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=world.server.endpoint,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="test",
    )
