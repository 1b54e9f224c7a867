"""Every decision that leads to a deployment, in one app, deployed four times by either command.

Stops have tests of their own, because nothing is deployed after one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from support.cdk_cli import Project
from support.cli import run, table_app
from support.worlds import (
    KEYS,
    client,
    items_of,
    make_bucket,
    make_stack,
    make_table,
    objects_of,
    retained,
    rewind,
    varied_items,
    varied_objects,
)

APP = Path(__file__).resolve().parent / "cdk" / "every_rule"
STACK = "EveryRule"
FILLED = "Filled9E207D73"
"""The logical id that CDK gives to the table of the construct `Filled`."""

BUCKETS = ("left", "moved", "twin", "empty", "shared")
TABLES = ("filled", "new", "fresh", "resumed", "older")
TIMES = 4
RULES = {
    "left": 1,
    "moved": 3,
    "twin": 8,
    "empty": 12,
    "shared": 10,
    "filled": 6,
    "new": 5,
    "fresh": 4,
    "resumed": 7,
    "older": 15,
}
"""The rule that decides on each resource at first."""


OUTSIDE = {"shared", "older"}
"""What no stack may take in: another one's, and a fallback that is used itself."""

EXISTING = {"left", "twin", "empty", "resumed"}
"""What a plain `cdk deploy` refers to, because only an import into the stack could take it in."""


def put(bucket: str, objects: Iterable[dict[str, Any]]) -> None:
    """Objects in a bucket that is there."""
    for one in objects:
        client("s3").put_object(Bucket=bucket, **one)


def fill(scratch: Path) -> None:
    """What stands before the first deployment."""
    make_stack("Gone", Left=retained("AWS::S3::Bucket", BucketName="left-prod"))
    put("left-prod", varied_objects(9, seed=1))
    client("cloudformation").delete_stack(StackName="Gone")
    make_stack("Theirs", Shared=retained("AWS::S3::Bucket", BucketName="shared-prod"))
    put("shared-prod", varied_objects(9, seed=2))
    make_bucket("moved", varied_objects(30, seed=3))
    make_bucket("twin-prod", varied_objects(9, seed=4))
    make_bucket("twin", varied_objects(9, seed=5))
    make_bucket("empty-prod")

    table = {"TableName": "filled-prod", "BillingMode": "PAY_PER_REQUEST", **KEYS}
    make_stack(STACK, **{FILLED: retained("AWS::DynamoDB::Table", **table)})
    make_table("filled", varied_items(60, seed=6))
    make_table("fresh")
    make_table("older", varied_items(9, seed=7))
    make_table("resumed", varied_items(60, seed=8))
    assert run("apply", table_app(scratch / "one.toml", "resumed-prod", "resumed")).code == 0
    rewind("dynamodb-table", "resumed-prod")
    for key in list(items_of("resumed-prod"))[:30]:
        client("dynamodb").delete_item(TableName="resumed-prod", Key={"pk": json.loads(key)})


def contents() -> dict[str, Any]:
    """Everything under every name, of today and of before."""
    names = {name: (f"{name}-prod", name) for name in (*BUCKETS, *TABLES)}
    return {
        **{each: objects_of(each) for name in BUCKETS for each in names[name]},
        **{each: items_of(each) for name in TABLES for each in names[name]},
    }


def use() -> None:
    """A day at work: something new everywhere, and something that is deleted for good."""
    for name in BUCKETS:
        put(f"{name}-prod", [{"Key": "new", "Body": b"new"}])
    for name in TABLES:
        table = name if name == "older" else f"{name}-prod"
        client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "new"}})
    client("s3").delete_object(Bucket="moved-prod", Key=next(iter(objects_of("moved"))))
    key = json.loads(next(iter(items_of("filled"))))
    client("dynamodb").delete_item(TableName="filled-prod", Key={"pk": key})


def owned() -> set[str]:
    """The names that the stack holds."""
    pages = client("cloudformation").get_paginator("list_stack_resources")
    rows = [
        one for page in pages.paginate(StackName=STACK) for one in page["StackResourceSummaries"]
    ]
    ours = {f"{name}-prod": name for name in RULES}
    return {ours[id] for row in rows if (id := row["PhysicalResourceId"]) in ours}


def machinery() -> dict[str, list[str]]:
    """What copies inside a deployment, by service, and what it may have left behind."""
    functions = client("lambda").list_functions()["Functions"]
    machines = client("stepfunctions").list_state_machines()["stateMachines"]
    roles = [one["RoleName"] for one in client("iam").list_roles()["Roles"]]
    found = {
        "functions": [one["FunctionName"] for one in functions],
        "state machines": [one["name"] for one in machines],
        "log groups": [
            one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]
        ],
        "roles": [name for name in roles if "DataMigrations" in name],
    }
    return {service: names for service, names in found.items() if names}


def rules(project: Project) -> dict[str, int]:
    """The rule that decides on each resource now."""
    project.dataware("plan", "--out", "plan.json")
    plan = json.loads((project.folder / "plan.json").read_text())
    return {
        one["preferred"]["name"].removesuffix("-prod"): one["rule"] for one in plan["resources"]
    }


def by_cdk(project: Project) -> tuple[str, ...]:
    """Deploy with CDK alone: data moves inside; the first time as typed, then what was diffed."""
    ready = (project.folder / "next").exists()
    project.cdk_deploy(*(("--app", "next") if ready else ()))
    project.run("cdk", "synth", "--quiet", "--output", "next", "--no-notices")
    return "--app", "next"


def by_dataware(project: Project) -> tuple[str, ...]:
    """Deploy with dataware: data first, and the stack adopts it."""
    project.dataware_deploy()
    return ()


@pytest.mark.parametrize(
    ("deploy", "outside"),
    [
        pytest.param(by_cdk, OUTSIDE | EXISTING, marks=pytest.mark.xdist_group("cdk")),
        pytest.param(by_dataware, OUTSIDE, marks=pytest.mark.xdist_group("cdk-adopting")),
    ],
    ids=["cdk", "dataware"],
)
def test_every_rule_deploys_again_and_again(
    new_project: Callable[[Path], Project],
    tmp_path: Path,
    deploy: Callable[[Project], tuple[str, ...]],
    outside: set[str],
) -> None:
    """After each deployment all data is there, the stack keeps its own, and nothing differs."""
    fill(tmp_path)
    project = new_project(APP)
    if deploy is by_dataware:
        assert rules(project) == RULES
    expected = contents()
    expected |= {f"{name}-prod": expected[name] for name in ("moved", "filled", "resumed")}
    for number in range(1, TIMES + 1):
        assembly = deploy(project)
        assert contents() == expected, f"after deployment {number}"
        assert owned() == RULES.keys() - outside, f"after deployment {number}"
        copied = deploy is by_cdk and number == 1
        assert {service: len(names) for service, names in machinery().items()} == (
            {"functions": 2, "state machines": 1, "log groups": 1, "roles": 3} if copied else {}
        ), f"after deployment {number}"
        if number > 1:
            project.check_no_difference(*assembly)
        else:
            use()
            expected = contents()
