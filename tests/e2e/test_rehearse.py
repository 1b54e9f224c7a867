"""`migrate --rehearse` on the embedded AWS; boto3 alone looks at what it leaves."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dataware.aws import Account
from dataware.cli.transport import make_wire
from dataware.embedded import EmbeddedAws
from dataware.kinds import load
from support.cli import KEYED_BY_PK, TABLE, ended, launch, run, toml_resource, write_toml
from support.worlds import client, items_of, make_bucket, make_table, objects_of, varied_items


def account() -> dict[str, Any]:
    """All that the account holds, by name."""
    dynamodb, s3 = client("dynamodb"), client("s3")
    tables = dynamodb.list_tables()["TableNames"]
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    return {
        "tables": {name: items_of(name) for name in tables},
        "buckets": {name: objects_of(name) for name in buckets},
        "stacks": [one["StackName"] for one in stacks],
        "records": [one["Name"] for one in client("ssm").describe_parameters()["Parameters"]],
    }


@pytest.fixture
def before(aws_server: EmbeddedAws) -> dict[str, Any]:
    """Data under old names, empty targets, and what the account holds then."""
    assert aws_server.endpoint
    make_table("old-one", varied_items(120))
    make_table("new-one")
    make_bucket("old-bucket", [{"Key": f"a/{n} é", "Body": b"x" * n} for n in range(30)])
    make_bucket("new-bucket")
    client("s3").put_bucket_versioning(
        Bucket="new-bucket", VersioningConfiguration={"Status": "Enabled"}
    )
    return account()


def test_a_table_and_a_bucket_are_rehearsed_and_the_account_is_as_before(
    before: dict[str, Any],
) -> None:
    """Nothing is left: no scratch resource, no stack, no record; the figures are told."""
    for pair, count in (
        (("dynamodb://old-one", "dynamodb://new-one"), 120),
        (("s3://old-bucket", "s3://new-bucket"), 30),
    ):
        ran = run("migrate", *pair, "--rehearse", "--format", "json")
        assert ran.code == 0, ran
        (figures,) = [one["data"] for one in ran.events if one["code"] == "rehearsed"]
        assert figures["count"] == count
        assert figures["usd"] > 0
        assert account() == before


def test_a_whole_plan_is_rehearsed_and_the_account_is_as_before(
    before: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also into what does not exist yet; no target is made, and the app is not changed."""
    monkeypatch.chdir(tmp_path)
    table = toml_resource(TABLE, "other-one", "old-one", properties=KEYED_BY_PK)
    bucket = toml_resource("AWS::S3::Bucket", "new-bucket", "old-bucket")
    write_toml(Path("dataware.toml"), table, bucket)
    ran = run("apply", "--rehearse", "--format", "json")
    assert ran.code == 0, ran
    figures = [one["data"]["count"] for one in ran.events if one["code"] == "rehearsed"]
    assert sorted(figures) == [30, 120]
    assert account() == before
    assert run("apply", "--rehearse", "--follow").code == 1


def test_a_rehearsal_that_is_killed_is_cleaned_up_by_the_same_command(
    before: dict[str, Any],
) -> None:
    """kill -9 in the middle of the copy leaves a scratch table, which its record tells of."""
    command = ("migrate", "dynamodb://old-one", "dynamodb://new-one", "--rehearse")
    process = launch(*command, "--max-rate", "2")
    deadline = time.monotonic() + 60
    while len(left := [t for t in account()["tables"] if "-rehearsal-" in t]) == 0 or not items_of(
        left[0]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    ended(process)
    assert account()["tables"].keys() > before["tables"].keys()
    assert f"/dataware/markers/dynamodb-table/{left[0]}" in account()["records"]
    make_rehearsal = load("AWS::DynamoDB::Table").require_copying().rehearsal
    assert make_rehearsal is not None
    assert make_rehearsal().is_marked(Account.open(make_wire), left[0])
    ran = run(*command)
    assert ran.code == 0, ran
    assert account() == before


def test_a_scratch_table_of_somebody_else_is_never_touched(before: dict[str, Any]) -> None:
    """Its name is known beforehand, so anybody may have one."""
    command = ("migrate", "dynamodb://old-one", "dynamodb://new-one", "--rehearse")
    ran = run(*command, "--format", "json")
    (name,) = [one["data"]["name"] for one in ran.events if one["code"] == "rehearsed"]
    make_table(name, varied_items(3))
    with_theirs = account()
    ran = run(*command)
    assert ran.code == 3
    assert "no rehearsal on record made it" in ran.err
    now = account()
    assert now["tables"] == with_theirs["tables"]
    assert json.dumps(now["stacks"]) == json.dumps(before["stacks"])


def test_a_rehearsal_goes_with_no_follow() -> None:
    """It ends by itself, and a follow does not."""
    ran = run("migrate", "dynamodb://old-one", "dynamodb://new-one", "--rehearse", "--follow")
    assert (ran.code, "leave out --follow" in ran.err) == (1, True)
