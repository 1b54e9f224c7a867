"""Fallbacks by pattern in a deployment: an app that nobody has changed gets its data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.assemblies import assembly, prepare_project
from support.cli import run
from support.worlds import (
    KEYS,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    retained,
    varied_items,
    varied_objects,
)

PATTERN = ("--fallback", "{base}-prod={base}")


@pytest.fixture
def calls(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CDK project whose resources do not opt in, beside their data under older names."""
    monkeypatch.chdir(tmp_path)
    calls = prepare_project()
    keys = {**KEYS, "BillingMode": "PAY_PER_REQUEST"}
    data = retained("AWS::DynamoDB::Table", TableName="orders-prod", **keys)
    files = retained("AWS::S3::Bucket", BucketName="uploads-prod")
    assembly(Path("prepared"), App={"Data": data, "Files": files})
    make_table("orders", varied_items(7))
    make_bucket("uploads", varied_objects(5))
    return calls


def check_deployed(calls: Path) -> None:
    """All data was there before CDK was told to adopt it."""
    assert items_of("orders-prod") == items_of("orders")
    assert objects_of("uploads-prod") == objects_of("uploads")
    assert calls.read_text().count("deploy --import-existing-resources") == 1
    (locked,) = json.loads(Path("dataware.lock.json").read_text())["environments"].values()
    assert sorted(one["fallbacks"] for one in locked.values()) == [["orders"], ["uploads"]]


def test_a_pattern_gives_a_deployment_its_fallbacks(calls: Path) -> None:
    """The same words give `plan` the same."""
    planned = run("plan", "prepared", *PATTERN)
    assert planned.code == 0, planned
    assert "2 to copy" in planned.out
    ran = run("deploy", "--yes", *PATTERN)
    assert ran.code == 0, ran
    check_deployed(calls)


def test_a_pattern_of_the_project_holds_for_a_deployment(calls: Path) -> None:
    """`[fallbacks]` of a dataware.toml beside cdk.json needs no words at all."""
    Path("dataware.toml").write_text('[fallbacks]\n"{base}-prod" = "{base}"\n')
    ran = run("deploy", "--yes")
    assert ran.code == 0, ran
    check_deployed(calls)


def test_a_bad_pattern_is_told_before_the_app_runs(calls: Path) -> None:
    """It is bad usage, whatever the app declares."""
    ran = run("deploy", "--yes", "--fallback", "{base")
    assert ran.code == 1, ran
    assert "--fallback" in ran.err
    assert items_of("orders-prod") == {}
    assert "deploy --import" not in calls.read_text()
