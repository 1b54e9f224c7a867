"""Buckets of which only older versions are left: a copy without them is never called a success."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from dataware.handler import on_event
from support.cli import bucket_app, run
from support.deployments import BUCKET, Time, properties, request
from support.worlds import client, make_bucket

VERSIONED = {"Status": "Enabled"}
WHY = "old-one holds only older versions and delete markers, and no current object"


@pytest.fixture(autouse=True)
def history(aws_server: EmbeddedAws) -> None:
    """A bucket whose objects are all deleted, and kept as versions."""
    del aws_server
    make_bucket("old-one")
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket="old-one", VersioningConfiguration=VERSIONED)
    for key in ("2024/a", "2024/b", "c"):
        s3.put_object(Bucket="old-one", Key=key, Body=b"x")
        s3.delete_object(Bucket="old-one", Key=key)


def buckets() -> list[str]:
    """The buckets that there are."""
    return [one["Name"] for one in client("s3").list_buckets()["Buckets"]]


def app_in(folder: Path) -> Path:
    """An app that wants the data under another name, with versions."""
    declared = 'VersioningConfiguration = { Status = "Enabled" }'
    return bucket_app(folder / "dataware.toml", "new-one", "old-one", properties=declared)


def test_a_plan_says_that_nothing_would_be_copied(tmp_path: Path) -> None:
    """It is a warning with the option that helps, which counts as needing attention."""
    ran = run("plan", app_in(tmp_path), "--detailed-exitcode")
    assert ran.code == 2, ran
    assert f"⚠️  {WHY}, so a copy without them takes nothing; " in ran.out + ran.err
    assert "--versions all" in ran.out + ran.err
    assert "1 needs your attention" in ran.out


def test_apply_refuses_before_it_creates_anything(tmp_path: Path) -> None:
    """Also a saved plan; nothing of the target is there afterwards, and no record."""
    app, saved = app_in(tmp_path), tmp_path / "plan.json"
    assert run("plan", app, "--out", saved).code == 0
    for given in (app, saved):
        ran = run("apply", given)
        assert ran.code == 3, ran
        assert f"nothing was changed, because {WHY}" in ran.err
        assert "Successfully" not in ran.out
    assert buckets() == ["old-one"]
    assert client("ssm").describe_parameters()["Parameters"] == []


def test_all_versions_copy_it_without_a_warning(tmp_path: Path) -> None:
    """The plan that says so may be carried out with the option that it names."""
    app, saved = app_in(tmp_path), tmp_path / "plan.json"
    assert run("plan", app, "--out", saved).code == 0
    ran = run("apply", saved, "--versions", "all")
    assert ran.code == 0, ran
    assert "Successfully migrated" in ran.out
    assert "⚠️" not in ran.out + ran.err
    versions = client("s3").list_object_versions(Bucket="new-one")["Versions"]
    assert [one["Key"] for one in versions] == ["2024/a", "2024/b", "c"]


@pytest.mark.parametrize("part", ["", "/2024/"])
def test_a_copy_by_hand_refuses(part: str) -> None:
    """The whole bucket, and a part of it."""
    make_bucket("new-one")
    ran = run("migrate", f"s3://old-one{part}", f"s3://new-one{part}")
    assert ran.code == 3, ran
    assert "holds only older versions and delete markers" in ran.err
    assert "--versions all" in ran.err


@pytest.mark.parametrize("part", ["", "/2024/"])
def test_a_comparison_of_nothing_is_no_success(part: str) -> None:
    """Two places that show nothing are equal only if all versions are."""
    make_bucket("new-one")
    ran = run("verify", f"s3://old-one{part}", f"s3://new-one{part}")
    assert ran.code == 1, ran
    assert "so nothing was compared; compare every version with --versions all" in ran.err


def test_a_copy_in_a_deployment_is_refused() -> None:
    """CloudFormation hears why, instead of a success after which the target is empty."""
    make_bucket("new-one")
    answer = on_event.handler(request("Create", properties(BUCKET)), Time())
    assert WHY in answer["Refusal"]
    assert "all_versions=True" in answer["Refusal"]
