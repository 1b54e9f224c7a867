"""`--source-profile`: what no credentials see both sides of passes through this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.cli.context import enter_account, outside
from dataware.cli.settings import AwsOptions
from dataware.embedded import EmbeddedAws
from support.cli import (
    BUCKET,
    KEYED_BY_PK,
    TABLE,
    ended,
    launch,
    run,
    toml_resource,
    write_toml,
)
from support.killing import Strike
from support.servers import FaultProxy, Seen, json_error
from support.worlds import (
    KEYS,
    client,
    enable_recovery,
    items_of,
    objects_of,
    varied_items,
    varied_objects,
)

OURS, THEIRS = "000000000000", "444455556666"
READS = re.compile("(Get|List|Head|Describe|BatchGet|Scan|Query)")
WITH = ("--source-profile", "partner")


@pytest.fixture
def proxy(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """Two accounts behind what records requests; the profile `partner` is that of the other."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config"
    config.write_text(
        f"[profile partner]\nregion = us-east-1\naws_access_key_id = {THEIRS}\n"
        "aws_secret_access_key = other\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with FaultProxy(aws_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def fill_table(name: str, count: int = 60) -> None:
    """A table of the other account, and an empty one of ours."""
    for key in (THEIRS, OURS):
        dynamodb = client("dynamodb", key=key)
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    for item in varied_items(count):
        client("dynamodb", key=THEIRS).put_item(TableName=name, Item=dict(item))


def fill_buckets(count: int = 40) -> None:
    """A bucket of the other account, and an empty one of ours."""
    theirs = client("s3", key=THEIRS)
    theirs.create_bucket(Bucket="their-bucket")
    for one in varied_objects(count):
        theirs.put_object(Bucket="their-bucket", **one)
    client("s3", key=OURS).create_bucket(Bucket="our-bucket")


def signer(seen: Seen) -> str:
    """The access key that a request was signed with."""
    match = re.search(r"Credential=([^/]+)/", seen.headers["authorization"])
    assert match
    return match[1]


def check_signers(proxy: FaultProxy, *, exported: bool = False) -> None:
    """The source's key only reads, and may export; what changes anything is signed by ours."""
    by_theirs = [seen.operation for seen in proxy.seen if signer(seen) == THEIRS]
    by_ours = [seen.operation for seen in proxy.seen if signer(seen) == OURS]
    assert by_theirs
    assert len(by_theirs) + len(by_ours) == len(proxy.seen)
    others = {operation for operation in by_theirs if not READS.match(operation)}
    assert others == ({"ExportTableToPointInTime"} if exported else set())
    copies = {"CopyObject", "UploadPartCopy"}
    assert not copies & {*by_theirs, *by_ours}


def seen_as(monkeypatch: pytest.MonkeyPatch, account: str, read: Any, name: str) -> Any:
    """What a resource of an account holds."""
    with monkeypatch.context() as theirs:
        theirs.setenv("AWS_ACCESS_KEY_ID", account)
        theirs.setattr("boto3.DEFAULT_SESSION", None)
        return read(name)


def test_a_table_of_an_account_that_may_see_nothing_of_ours(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied and verified, under the very same name, and each key signs for its own side."""
    fill_table("Orders")
    proxy.clear()
    ran = run("migrate", "dynamodb://Orders", "dynamodb://Orders", *WITH)
    assert ran.code == 0, ran
    assert "Through this machine: " in ran.out
    assert "Verified 60 items: all by content" in ran.out
    check_signers(proxy)
    assert {signer(one) for one in proxy.seen if one.operation == "Scan"} == {OURS, THEIRS}
    theirs = seen_as(monkeypatch, THEIRS, items_of, "Orders")
    assert seen_as(monkeypatch, OURS, items_of, "Orders") == theirs
    assert len(theirs) == 60


@pytest.mark.parametrize(
    ("key", "operation", "skip", "whose"),
    [
        (THEIRS, "DescribeTable", 0, "of profile partner"),
        (THEIRS, "Scan", 1, "of profile partner"),
        (OURS, "DescribeTable", 0, "from environment variables"),
        (OURS, "PutItem", 0, "from environment variables"),
    ],
)
def test_credentials_that_have_expired_are_named_with_their_profile(
    proxy: FaultProxy, key: str, operation: str, skip: int, whose: str
) -> None:
    """Two of them are in use, and only one is to be renewed; by the SDK and by the copiers."""
    fill_table("Orders")
    expired = json_error("ExpiredTokenException")
    proxy.add(expired, operation=operation, skip=skip, when=lambda seen: signer(seen) == key)
    ran = run("migrate", "dynamodb://Orders", "dynamodb://Orders", *WITH)
    assert ran.code in (1, 4), ran
    assert f"the AWS credentials {whose} have expired; renew them" in ran.err


def test_a_profile_without_credentials_is_named(proxy: FaultProxy, tmp_path: Path) -> None:
    """The others are fine."""
    fill_table("Orders")
    (tmp_path / "config").write_text("[profile partner]\nregion = us-east-1\n", encoding="utf-8")
    ran = run("migrate", "dynamodb://Orders", "dynamodb://Orders", *WITH)
    assert (ran.code, "no usable AWS credentials of profile partner: " in ran.err) == (1, True), ran


def test_objects_of_an_account_that_may_see_nothing_of_ours(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes, headers, metadata and tags arrive, in one piece and in parts; verify sees it, too."""
    fill_buckets()
    proxy.clear()
    large = ("--multipart-threshold", "1KiB")
    ran = run("migrate", "s3://their-bucket", "s3://our-bucket", *WITH, *large)
    assert ran.code == 0, ran
    check_signers(proxy)
    theirs = seen_as(monkeypatch, THEIRS, objects_of, "their-bucket")
    assert seen_as(monkeypatch, OURS, objects_of, "our-bucket") == theirs
    assert len(theirs) == 40
    proxy.clear()
    assert run("verify", "s3://their-bucket", "s3://our-bucket", *WITH, "--deep").code == 0
    check_signers(proxy)
    first = sorted(theirs)[0]
    client("s3", key=OURS).put_object(Bucket="our-bucket", Key=first, Body=b"other")
    assert run("verify", "s3://their-bucket", "s3://our-bucket", *WITH).code == 2


@pytest.mark.parametrize("kind", ["table", "bucket"])
def test_a_killed_run_goes_on_where_it_stopped(
    kind: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the copy and in the verification, the same command ends what was begun."""
    if kind == "table":
        fill_table("Orders", 30)
        pair, write, read = ("dynamodb://Orders",) * 2, "PutItem", items_of
    else:
        fill_buckets(20)
        pair, write, read = ("s3://their-bucket", "s3://our-bucket"), "PutObject", objects_of
    look = "Scan" if kind == "table" else "ListObjectsV2"
    for operation, at in ((write, 7), (look, 2)):
        strike = Strike(at)
        proxy.add(strike, operation=operation, when=lambda seen: signer(seen) == OURS)
        process = launch("migrate", *pair, *WITH)
        strike.aim(process)
        ended(process)
        assert strike.struck
        proxy.clear()
    assert run("migrate", *pair, *WITH).code == 0
    check_signers(proxy)
    names = [side.partition("://")[2] for side in pair]
    theirs = seen_as(monkeypatch, THEIRS, read, names[0])
    assert seen_as(monkeypatch, OURS, read, names[1]) == theirs


@pytest.mark.parametrize("kind", ["table", "bucket"])
def test_several_processes_read_by_the_profile_as_well(
    kind: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process of a crew opens both accounts by itself."""
    if kind == "table":
        fill_table("Orders", 30)
        pair = ("dynamodb://Orders",) * 2
    else:
        fill_buckets(20)
        pair = ("s3://their-bucket", "s3://our-bucket")
    proxy.clear()
    ran = ended(launch("migrate", *pair, *WITH, "--processes", "2"))
    assert ran.code == 0, ran
    check_signers(proxy)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--follow",), "takes no --follow"),
        (("--engine", "local"), "takes no --engine"),
    ],
)
def test_what_cannot_pass_through_this_machine_is_bad_usage(
    proxy: FaultProxy, options: tuple[str, ...], why: str
) -> None:
    """Nothing is looked at."""
    ran = run("migrate", "dynamodb://Orders", "dynamodb://Other", *WITH, *options)
    assert ran.code == 1
    assert why in ran.err
    assert proxy.seen == []


def test_an_unknown_profile_is_named(proxy: FaultProxy) -> None:
    """As for --profile."""
    ran = run("migrate", "dynamodb://Orders", "dynamodb://Other", "--source-profile", "partners")
    assert ran.code == 1
    assert "partners" in ran.err
    assert "did you mean partner" in ran.err


def test_the_same_table_is_not_copied_into_itself(proxy: FaultProxy) -> None:
    """A profile of the very same account changes nothing about that."""
    Path("config").write_text(
        f"[profile partner]\nregion = us-east-1\naws_access_key_id = {OURS}\n"
        "aws_secret_access_key = other\n"
    )
    ran = run("migrate", "dynamodb://Orders", "dynamodb://Orders", *WITH, "--region", "us-east-1")
    assert ran.code == 1
    assert "are the same place" in ran.err


def test_a_source_that_is_itself_being_filled_is_refused(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of that lies in its own account, where the profile looks."""
    fill_table("orders", 3)
    with monkeypatch.context() as theirs:
        theirs.setenv("AWS_ACCESS_KEY_ID", THEIRS)
        client("dynamodb", key=THEIRS).create_table(
            TableName="older", BillingMode="PAY_PER_REQUEST", **KEYS
        )
        for item in varied_items(9):
            client("dynamodb", key=THEIRS).put_item(TableName="older", Item=dict(item))
        assert run("migrate", "dynamodb://older", "dynamodb://orders").code == 0
    ssm = client("ssm", key=THEIRS)
    (name,) = [
        one["Name"]
        for page in ssm.get_paginator("describe_parameters").paginate()
        for one in page["Parameters"]
        if "/markers/" in one["Name"]
    ]
    record = ssm.get_parameter(Name=name)["Parameter"]
    # Each value says after which version it was written.
    unfinished = {**json.loads(record["Value"]), "state": "running", "after": record["Version"]}
    ssm.put_parameter(Name=name, Value=json.dumps(unfinished), Type="String", Overwrite=True)
    proxy.seen.clear()
    ran = run("migrate", "dynamodb://orders", "dynamodb://orders", *WITH)
    assert ran.code == 3, ran
    assert "orders holds only part of the data" in ran.err
    check_signers(proxy)


def test_a_plan_is_saved_and_applied_with_its_profile(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saved plan reads with its profile without the option, and with no other."""
    fill_table("Orders")
    fill_buckets()
    rename = client("dynamodb", key=OURS)
    rename.create_table(TableName="Orders-prod", BillingMode="PAY_PER_REQUEST", **KEYS)
    app = write_toml(
        Path("dataware.toml"),
        toml_resource(TABLE, "Orders-prod", "Orders", properties=KEYED_BY_PK),
        toml_resource(BUCKET, "our-bucket", "their-bucket"),
    )
    proxy.clear()
    ran = run("plan", app, *WITH, "--out", "plan.json")
    assert ran.code == 0, ran
    assert "table/Orders" in ran.out
    check_signers(proxy)
    assert json.loads(Path("plan.json").read_text())["source_profile"]["account"] == THEIRS
    refused = run("apply", "plan.json", "--source-profile", "other")
    assert refused.code != 0
    proxy.clear()
    ran = run("apply", "plan.json")
    assert ran.code == 0, ran
    check_signers(proxy)
    theirs = seen_as(monkeypatch, THEIRS, items_of, "Orders")
    assert seen_as(monkeypatch, OURS, items_of, "Orders-prod") == theirs
    assert len(theirs) == 60
    objects = seen_as(monkeypatch, THEIRS, objects_of, "their-bucket")
    assert seen_as(monkeypatch, OURS, objects_of, "our-bucket") == objects
    again = run("apply", app, "--yes", *WITH)
    assert again.code == 0, again
    proxy.clear()
    for command in (
        ("undo", "Orders-prod", "--yes", "--frozen"),
        ("cutover", "Orders-prod", "--frozen"),
    ):
        refused = run(*command)
        assert refused.code != 0
    assert [seen.operation for seen in proxy.seen if not READS.match(seen.operation)] == []


def test_a_table_is_exported_by_the_profile_and_imported_by_ours(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key asks for the export, and for nothing else; bucket and import are ours."""
    fill_table("Orders")
    enable_recovery("Orders", key=THEIRS)
    app = write_toml(
        Path("dataware.toml"),
        toml_resource(TABLE, "Orders-prod", "Orders", properties=KEYED_BY_PK),
    )
    proxy.clear()
    ran = run("apply", app, "--yes", *WITH, "--engine", "export-import")
    assert ran.code == 0, ran
    check_signers(proxy, exported=True)
    asked = [seen.operation for seen in proxy.seen if signer(seen) == OURS]
    assert {"CreateBucket", "ImportTable", "DeleteBucket"} <= {*asked}
    assert "ExportTableToPointInTime" not in asked
    theirs = seen_as(monkeypatch, THEIRS, items_of, "Orders")
    assert seen_as(monkeypatch, OURS, items_of, "Orders-prod") == theirs
    assert len(theirs) == 60
    for key in (OURS, THEIRS):
        assert client("s3", key=key).list_buckets()["Buckets"] == []


@pytest.mark.parametrize("option", [("--follow",), ("--rehearse",), ("--engine", "map")])
def test_an_app_whose_source_another_profile_reads_takes_no_such_option(
    proxy: FaultProxy, option: tuple[str, ...]
) -> None:
    """Nothing is looked at."""
    app = write_toml(Path("dataware.toml"), toml_resource(BUCKET, "our-bucket", "their-bucket"))
    for command in ("apply", *(() if option == ("--rehearse",) else ("plan",))):
        ran = run(command, app, *WITH, *option)
        assert (ran.code, proxy.seen) == (1, [])
        assert f"takes no {option[0]}" in ran.err


def test_no_process_is_started_whose_profile_asks_for_a_code(tmp_path: Path) -> None:
    """Nobody could type it there, also where other credentials enter the target's account."""
    config = tmp_path / "config"
    device = "arn:aws:iam::444455556666:mfa/ada"
    for serial, starts in (("", True), (f"mfa_serial = {device}\n", False)):
        config.write_text(
            "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
            "[profile partner]\nsource_profile = base\n"
            f"role_arn = arn:aws:iam::{THEIRS}:role/reader\n{serial}"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_CONFIG_FILE", str(config))
            options = AwsOptions(profile="base", region="us-east-1", source_profile="partner")
            with outside(options) as context:
                entered = enter_account(context, options)
                assert [bool(one.workers) for one in (context, entered)] == [starts, starts]
                assert context.source_region == ""
