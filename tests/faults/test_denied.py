"""What may not be seen, what is not ours, and what a run has to be allowed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws
from support.cli import (
    BUCKET,
    KEYED_BY_PK,
    TABLE,
    bucket_app,
    run,
    saved,
    toml_resource,
    write_toml,
)
from support.migrations import MIGRATIONS, Migration
from support.people import sign_in, without
from support.servers import Fault, FaultProxy, Seen, json_error, xml_error
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

OTHER_ACCOUNT = "111122223333"
DENIED: dict[str, tuple[str, Fault, str]] = {
    "table": ("Scan", json_error("AccessDeniedException"), "dynamodb:Scan"),
    "bucket": ("ListObjectsV2", xml_error("AccessDenied", 403), "s3:ListBucket"),
}
EVERY_KIND = pytest.mark.parametrize("kind", MIGRATIONS)


@pytest.fixture(autouse=True)
def an_empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)


def hidden(kind: str, proxy: FaultProxy) -> tuple[Migration, Path, dict[str, Any]]:
    """Preferred holds something of its own under the source's keys, and may not be listed."""
    migration = MIGRATIONS[kind]
    migration.fill()
    migration.make("new-one")
    key = sorted(migration.content("old-one"))[0]
    if kind == "table":
        mine = {"pk": json.loads(key), "ours": {"S": "keep me"}}
        client("dynamodb").put_item(TableName="new-one", Item=mine)
    else:
        client("s3").put_object(Bucket="new-one", Key=key, Body=b"keep me")
    before = migration.content("new-one")
    operation, fault, _ = DENIED[kind]
    proxy.clear()
    proxy.add(fault, operation=operation, when=about_target)
    return migration, migration.write_app(Path()), before


def about_target(seen: Seen) -> bool:
    """Whether a request is about the preferred name."""
    return seen.path.startswith("/new-one") or b'"new-one"' in seen.body


@EVERY_KIND
def test_a_denied_listing_is_unknown_and_a_warning(kind: str, fault_proxy: FaultProxy) -> None:
    """The plan says unknown, never empty, and names the call and the permission."""
    _, app, _ = hidden(kind, fault_proxy)
    operation, _, permission = DENIED[kind]
    ran = run("plan", app, "--out", "plan.json")
    assert ran.code == 0
    (resource,) = saved(Path("plan.json"))["resources"]
    assert resource["preferred"]["content"] == "unknown"
    assert resource["rule"] == 14
    warned = [line for line in ran.lines if line.startswith("⚠️ ")]
    assert any(operation in line and permission in line for line in warned), ran.out


@EVERY_KIND
def test_strict_stops_before_anything(kind: str, fault_proxy: FaultProxy) -> None:
    """With --strict an unknown is exit 3, and nothing is changed."""
    migration, app, before = hidden(kind, fault_proxy)
    ran = run("apply", app, "--strict")
    assert ran.code == 3
    assert "rule 14" in ran.out
    fault_proxy.clear()
    assert migration.content("new-one") == before
    assert run("status").lines == [
        "✅ Nothing to do: no migration is recorded in account 000000000000, us-east-1"
    ]


@EVERY_KIND
def test_by_default_nothing_of_the_target_is_replaced(kind: str, fault_proxy: FaultProxy) -> None:
    """Whatever the run does: what the target held before is there afterwards, as it was."""
    migration, app, before = hidden(kind, fault_proxy)
    first = run("apply", app)
    assert first.code == 4, first
    assert DENIED[kind][2] in first.err
    fault_proxy.clear()
    run("apply", app)
    after = migration.content("new-one")
    assert before
    assert {key: after[key] for key in before} == before


@EVERY_KIND
def test_a_name_that_may_not_be_described_is_not_absent(kind: str, fault_proxy: FaultProxy) -> None:
    """Access denied never means absent: nothing is created, and nothing is migrated."""
    migration, app, before = hidden(kind, fault_proxy)
    look = "DescribeTable" if kind == "table" else "HeadBucket"
    denied = json_error("AccessDeniedException") if kind == "table" else xml_error("", 403)
    fault_proxy.add(denied, operation=look, when=about_target)
    ran = run("apply", app)
    assert ran.code in {3, 4}, ran
    assert not {"CreateStack", migration.write} & {seen.operation for seen in fault_proxy.seen}
    fault_proxy.clear()
    assert migration.content("new-one") == before


@pytest.mark.parametrize("role", ["preferred", "fallback"])
def test_a_bucket_of_another_account_is_a_stop(role: str, fault_proxy: FaultProxy) -> None:
    """Rule 11: exit 3, and the stranger's bucket sees nothing but the first question."""
    strangers = client("s3", key=OTHER_ACCOUNT)
    strangers.create_bucket(Bucket="theirs")
    strangers.put_object(Bucket="theirs", Key="secret", Body=b"x")
    make_bucket("ours", varied_objects(3))
    names = ("theirs", "ours") if role == "preferred" else ("ours-new", "theirs")
    app = bucket_app(Path("dataware.toml"), *names)
    fault_proxy.clear()
    ran = run("apply", app)
    assert ran.code == 3, ran
    assert "rule 11" in ran.out
    asked = {seen.operation for seen in fault_proxy.seen if seen.path.startswith("/theirs")}
    assert asked == {"HeadBucket"}
    changed = {seen.operation for seen in fault_proxy.seen}
    assert not changed & {"CopyObject", "PutParameter", "CreateStack"}


WRITING = {
    "table": (("PutItem", "BatchWriteItem"), json_error("AccessDeniedException")),
    "bucket": (
        ("CopyObject",),
        xml_error(
            "AccessDenied",
            403,
            "User: arn:aws:iam::000000000000:user/u is not authorized to perform: s3:PutObject on "
            "resource: r because no identity-based policy allows the s3:PutObject action",
        ),
    ),
}


@EVERY_KIND
def test_a_denied_write_ends_the_run_at_once(kind: str, fault_proxy: FaultProxy) -> None:
    """Exit 1 after a few writes, nothing is called copied, and the same command goes on later."""
    if kind == "table":
        make_table("old-one", varied_items(200))
    else:
        make_bucket("old-one", [{"Key": f"{n:03}", "Body": b"x"} for n in range(200)])
    app = MIGRATIONS[kind].write_app(Path())
    operations, fault = WRITING[kind]
    for operation in operations:
        fault_proxy.add(fault, operation=operation)
    ran = run("apply", app)
    assert ran.code == 1, ran
    assert "nothing was copied to new-one" in ran.err
    assert any(action in ran.err for action in ("s3:PutObject", "dynamodb:PutItem")) or (
        "dynamodb:BatchWriteItem" in ran.err
    )
    assert "Migrated batch" not in ran.out
    assert sum(map(fault_proxy.count, operations)) <= 40 * (25 if kind == "table" else 1)
    (line,) = [one for one in run("status").lines if "new-one" in one]
    assert "failed" in line
    assert "100 %" not in line
    fault_proxy.clear()
    assert run("apply", app).code == 0
    assert MIGRATIONS[kind].content("new-one") == MIGRATIONS[kind].content("old-one")


def is_s3(seen: Seen) -> bool:
    """Whether a request is one to S3."""
    return "/s3/aws4_request" in seen.headers.get("authorization", "")


def test_every_s3_request_carries_the_owner(fault_proxy: FaultProxy) -> None:
    """All but the two that name no existing bucket; a copy names the source's owner too."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    client("s3").put_bucket_versioning(
        Bucket="old-one", VersioningConfiguration={"Status": "Enabled"}
    )
    client("s3").put_object(Bucket="old-one", Key="large", Body=b"x" * 11_000_000)
    app = migration.write_app(Path())
    fault_proxy.clear()
    parts = ("--multipart-threshold", "6MiB", "--part-size", "5MiB")
    assert run("apply", app, *parts).code == 0
    run("verify", "s3://old-one", "s3://new-one", "--deep")
    asked = [seen for seen in fault_proxy.seen if is_s3(seen)]
    assert {"CopyObject", "UploadPartCopy", "GetObject"} <= {seen.operation for seen in asked}
    for seen in asked:
        if seen.operation not in {"ListBuckets", "CreateBucket"}:
            assert seen.headers.get("x-amz-expected-bucket-owner") == "000000000000", seen
        if "x-amz-copy-source" in seen.headers:
            assert seen.headers["x-amz-source-expected-bucket-owner"] == "000000000000"


@pytest.fixture
def least(auth_server: EmbeddedAws) -> Iterator[dict[str, Any]]:
    """The policy that `iam-policy` prints for one table and one bucket, with data to migrate."""
    make_table("old-table", varied_items(60))
    # The emulator's IAM takes a newline in a key for one that no wildcard matches.
    make_bucket("old-bucket", (one for one in varied_objects(24) if "\n" not in one["Key"]))
    app = write_toml(
        Path("dataware.toml"),
        toml_resource(TABLE, "new-table", "old-table", properties=KEYED_BY_PK),
        toml_resource(BUCKET, "new-bucket", "old-bucket"),
    )
    ran = run("iam-policy", app)
    assert ran.code == 0
    yield json.loads(ran.out)


PAIRS = (
    ("dynamodb://old-table", "dynamodb://new-table"),
    ("s3://old-bucket", "s3://new-bucket"),
)


def test_the_printed_policy_is_enough(
    least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user with exactly this policy can plan, apply and verify.

    The emulator's CloudFormation creates with rights of its own, so what CloudFormation would have
    to be allowed in the caller's name is not shown here; nor is `status`, because its IAM takes
    every path of parameters for "*".
    """
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, least)
        planned = run("plan", "dataware.toml")
        assert planned.code == 0
        assert "⚠️ " not in planned.out, "a least policy leaves no question unanswered"
        applied = run("apply", "dataware.toml")
        assert applied.code == 0, applied
        assert all(run("verify", *pair).code == 0 for pair in PAIRS)
        assert run("apply", "dataware.toml").lines[-1].startswith("✅ Nothing to copy")
    assert items_of("new-table") == items_of("old-table")
    assert objects_of("new-bucket") == objects_of("old-bucket")
    assert stacks() == []


NEEDED = [
    "dynamodb:Scan",
    "dynamodb:BatchWriteItem",
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "ssm:PutParameter",
    "cloudformation:CreateStack",
]


@pytest.mark.parametrize("action", NEEDED)
def test_without_one_action_the_run_names_it(
    action: str, least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence says which permission is missing, and nothing is called complete without it."""
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, without(least, action))
        ran = run("apply", "dataware.toml")
    assert action in ran.out + ran.err, ran
    assert "Traceback" not in ran.err
    assert ran.code != 0
    kept = items_of("new-table") == items_of("old-table")
    assert kept or "Successfully migrated data to new-table" not in ran.out
