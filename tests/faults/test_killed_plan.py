"""kill -9 at any moment of a plan: the account is as it was, and the next plan says the same.

The moments are spread over the requests of a whole plan. The account is read with boto3 alone.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.cli import BUCKET, KEYED_BY_PK, TABLE, run, saved, toml_resource, write_toml
from support.killing import Strike, struck_run
from support.servers import FaultProxy
from support.worlds import (
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

MOMENTS = 6
LOCK = Path("dataware.lock.json")


def read_account() -> dict[str, Any]:
    """All that an account holds: data, settings, parameters, stacks with their change sets."""
    dynamodb, cloudformation = client("dynamodb"), client("cloudformation")
    tables = sorted(dynamodb.list_tables()["TableNames"])
    buckets = sorted(one["Name"] for one in client("s3").list_buckets()["Buckets"])
    stacks = cloudformation.list_stacks()["StackSummaries"]
    return {
        "items": {name: items_of(name) for name in tables},
        "tables": [dynamodb.describe_table(TableName=name)["Table"] for name in tables],
        "objects": {name: objects_of(name) for name in buckets},
        "uploads": [
            client("s3").list_multipart_uploads(Bucket=name).get("Uploads") for name in buckets
        ],
        "stacks": sorted((one["StackName"], one["StackStatus"]) for one in stacks),
        "change sets": [
            cloudformation.list_change_sets(StackName=one["StackName"])["Summaries"]
            for one in stacks
        ],
        "parameters": sorted(
            (one["Name"], one["Version"], one["Value"])
            for one in client("ssm").get_parameters_by_path(Path="/", Recursive=True)["Parameters"]
        ),
    }


@pytest.fixture
def app(fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something to keep, to copy, to resume and to create."""
    monkeypatch.chdir(tmp_path)
    make_table("orders", varied_items(60))
    make_bucket("uploads", varied_objects(12))
    make_table("jobs", varied_items(9))
    begun = toml_resource(TABLE, "jobs-prod", "jobs", properties=KEYED_BY_PK)
    assert run("apply", write_toml(Path("begun.toml"), begun)).code == 0
    rewind("dynamodb-table", "jobs-prod")
    make_stack("Owner", Data=retained(BUCKET, BucketName="owned-prod"))
    return write_toml(
        Path("dataware.toml"),
        begun,
        toml_resource(TABLE, "orders-prod", "orders", properties=KEYED_BY_PK),
        toml_resource(BUCKET, "uploads-prod", "uploads"),
        toml_resource(BUCKET, "owned-prod", "owned"),
        toml_resource(BUCKET, "new-prod", "new"),
    )


def read_plan(path: Path) -> Mapping[str, Any]:
    """A saved plan without the moment at which it was made."""
    return {name: one for name, one in saved(path).items() if name != "created"}


def test_a_plan_that_is_killed_changes_nothing(fault_proxy: FaultProxy, app: Path) -> None:
    """Whenever it dies; no half of a file is left, and the plan after it is that of before."""
    words = ("plan", app, "--lock", "--out")
    fault_proxy.clear()
    assert run(*words, "whole.json").code == 0
    requests = len(fault_proxy.seen)
    expected, locked = read_plan(Path("whole.json")), json.loads(LOCK.read_text())
    actions = {one["action"] for one in expected["resources"]}
    assert {"migrate", "resume", "create"} <= actions
    before = read_account()
    for moment in range(MOMENTS):
        LOCK.unlink(missing_ok=True)
        strike = Strike(1 + moment * (requests - 1) // (MOMENTS - 1), answered=moment % 2 == 1)
        killed = struck_run(fault_proxy, strike, *words, "killed.json")
        assert (strike.struck, killed.code) == (True, -signal.SIGKILL)
        assert read_account() == before, f"killed at moment {moment}"
        assert not Path("killed.json").exists()
        assert not LOCK.exists()
        assert run(*words, "again.json").code == 0
        assert read_plan(Path("again.json")) == expected
        assert json.loads(LOCK.read_text()) == locked
    assert read_account() == before
