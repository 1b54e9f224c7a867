"""A fallback that exists and may not be read: no empty twin is made beside its data."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws
from support.cli import Ran, bucket_app, run, table_app
from support.people import sign_in, without
from support.worlds import (
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    stacks,
    varied_items,
    varied_objects,
)

ACTIONS = {"table": "dynamodb:Scan", "bucket": "s3:ListBucket"}
EVERY_KIND = pytest.mark.parametrize("kind", ACTIONS)


@pytest.fixture(autouse=True)
def an_empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)


def fill(kind: str) -> Path:
    """The old resource with its data, and the app that prefers the new name."""
    if kind == "table":
        make_table("old-one", varied_items(60))
        return table_app(Path("dataware.toml"), "new-one", "old-one")
    # The emulator's IAM takes a newline in a key for one that no wildcard matches.
    make_bucket("old-one", (one for one in varied_objects(24) if "\n" not in one["Key"]))
    return bucket_app(Path("dataware.toml"), "new-one", "old-one")


def content(kind: str, name: str) -> dict[str, Any]:
    """Everything under a name."""
    return items_of(name) if kind == "table" else objects_of(name)


def names(kind: str) -> list[str]:
    """The tables or buckets that there are."""
    if kind == "table":
        return list(client("dynamodb").list_tables()["TableNames"])
    return [one["Name"] for one in client("s3").list_buckets()["Buckets"]]


def least_policy(app: Path) -> dict[str, Any]:
    """What `iam-policy` prints for the app."""
    policy: dict[str, Any] = json.loads(run("iam-policy", app).out)
    return policy


def run_as(
    monkeypatch: pytest.MonkeyPatch, name: str, policy: Mapping[str, Any], *arguments: object
) -> Ran:
    """Run a command as a new user who has exactly this policy."""
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, policy, name)
        return run(*arguments)


@EVERY_KIND
def test_an_unread_fallback_stops_and_is_migrated_once_it_may_be_read(
    kind: str, auth_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3, nothing created, the missing action named; with it granted, all data arrives."""
    app = fill(kind)
    policy, before = least_policy(app), content(kind, "old-one")
    denied = without(policy, ACTIONS[kind])
    for command in ("plan", "apply"):
        ran = run_as(monkeypatch, command, denied, command, app)
        assert ran.code == 3, ran
        assert "(rule 14)" in ran.out
        assert f"grant {ACTIONS[kind]} (`dataware iam-policy` prints all) and run again" in ran.out
        assert "the fallback old-one exists" in ran.out
        assert ("AWS counts about 60 items in it" in ran.out) is (kind == "table")
    assert names(kind) == ["old-one"]
    assert stacks() == []
    assert client("ssm").describe_parameters()["Parameters"] == []
    assert run_as(monkeypatch, "granted", policy, "apply", app).code == 0
    assert content(kind, "new-one") == content(kind, "old-one") == before


@EVERY_KIND
def test_an_empty_preferred_resource_is_not_used_beside_an_unread_fallback(
    kind: str, auth_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty resource that is there already would leave the data behind just as well."""
    app = fill(kind)
    make_table("new-one") if kind == "table" else make_bucket("new-one")
    ran = run_as(monkeypatch, "one", without(least_policy(app), ACTIONS[kind]), "apply", app)
    assert ran.code == 3, ran
    assert "new-one shows no data, and the fallback old-one exists" in ran.out


@EVERY_KIND
def test_what_was_created_beside_an_unread_fallback_has_a_way_out(
    kind: str, auth_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no-data an empty one is made, with a warning; the command of a later warning fills it.

    What the app has written into it meanwhile stays.
    """
    app = fill(kind)
    before = content(kind, "old-one")
    denied = without(least_policy(app), ACTIONS[kind])
    ran = run_as(monkeypatch, "one", denied, "apply", app, "--on-error", "no-data")
    assert ran.code == 0, ran
    assert "old-one is assumed empty" in ran.out
    assert ACTIONS[kind] in ran.out
    if kind == "table":
        client("dynamodb").put_item(TableName="new-one", Item={"pk": {"S": "of the app"}})
    else:
        client("s3").put_object(Bucket="new-one", Key="of the app", Body=b"x")
    mine = content(kind, "new-one")
    told = run("apply", app).out
    assert "two resources hold data" in told
    command = re.search(r"`dataware (migrate [^`]+)`", told)
    assert command, told
    assert run(*shlex.split(command[1])).code == 0
    assert content(kind, "new-one") == {**before, **mine}
