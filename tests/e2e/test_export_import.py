"""A table is exported and imported under its new name: killed, and finished by the same command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws, StreamSettings
from support.cli import ended, launch, run
from support.killing import Strike, struck_run
from support.proxied import proxied
from support.servers import FaultProxy, drop_after, reword
from support.worlds import client, enable_recovery, items_of, make_table, varied_items

TOML = """
[[resource]]
type = "AWS::DynamoDB::Table"
id = "Orders"
preferred = "Orders-prod"
fallback = "Orders"

[resource.properties]
BillingMode = "PAY_PER_REQUEST"
DeletionProtectionEnabled = true
AttributeDefinitions = [{ AttributeName = "pk", AttributeType = "S" }]
KeySchema = [{ AttributeName = "pk", KeyType = "HASH" }]
Tags = [{ Key = "team", Value = "space" }]

[resource.properties.PointInTimeRecoverySpecification]
PointInTimeRecoveryEnabled = true
"""

COMMAND = ("apply", "dataware.toml", "--yes", "--engine", "export-import", "--format", "json")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose exports and imports take a moment."""
    slow = StreamSettings(export_seconds=0.7, import_seconds=0.7)
    with EmbeddedAws(streams=slow) as server:
        yield server


@pytest.fixture
def proxy(
    server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """What commands speak to, beside a table of 60 items that can be exported."""
    (tmp_path / "dataware.toml").write_text(TOML)

    def prepare() -> None:
        make_table("Orders", varied_items(60))
        enable_recovery("Orders")

    with proxied(server, tmp_path, monkeypatch, prepare) as proxy:
        yield proxy


def check_whole(before: dict[str, Any]) -> None:
    """Both tables are equal for boto3, set as declared, and no bucket is left."""
    assert items_of("Orders-prod") == before == items_of("Orders")
    dynamodb = client("dynamodb")
    table = dynamodb.describe_table(TableName="Orders-prod")["Table"]
    assert table["DeletionProtectionEnabled"] is True
    tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "space"}]
    told = dynamodb.describe_continuous_backups(TableName="Orders-prod")
    recovery = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    (begun,) = dynamodb.list_imports()["ImportSummaryList"]
    told = dynamodb.describe_import(ImportArn=begun["ImportArn"])["ImportTableDescription"]
    assert (told["TableId"], told["ImportedItemCount"]) == (table["TableId"], 60)
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("operation", "answered"),
    [("ExportTableToPointInTime", True), ("ImportTable", True), ("TagResource", False)],
)
def test_a_killed_import_is_finished_by_the_same_command(
    proxy: FaultProxy, operation: str, answered: bool
) -> None:
    """Whether the request got through or not: one import, all items, and all that is declared.

    The first answers to whatever the same command asks for then are lost.
    """
    before = items_of("Orders")
    strike = Strike(1, answered=answered)
    struck = struck_run(proxy, strike, *COMMAND, operation=operation)
    assert strike.struck, struck
    assert struck.code < 0 or struck.code == 137
    assert "interrupted" in run("status").out
    for act in ("ExportTableToPointInTime", "ImportTable", "TagResource", "DeleteBucket"):
        proxy.add(drop_after, operation=act, times=1)
    ran = ended(launch(*COMMAND))
    assert ran.code == 0, ran
    codes = [event["code"] for event in ran.events]
    assert "verified" in codes
    assert "migrated" in codes
    check_whole(before)
    again = run(*COMMAND)
    assert again.code == 0, again
    assert "migrated" not in [event["code"] for event in again.events]


@pytest.mark.parametrize("engine", ["export-import", "restore"])
@pytest.mark.usefixtures("proxy")
def test_a_table_of_another_region_is_carried_by_dynamodb(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its items arrive in the region of the app, whichever engine brings them, and are verified."""
    before = items_of("Orders")
    arn = client("dynamodb").describe_table(TableName="Orders")["Table"]["TableArn"]
    Path("dataware.toml").write_text(TOML.replace('"Orders"\n\n', f'"{arn}"\n\n'))
    ran = run("apply", "dataware.toml", "--yes", "--region", "eu-west-1", "--engine", engine)
    assert ran.code == 0, ran
    assert "Verified 60 items" in ran.out
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert items_of("Orders-prod") == before
    there = client("dynamodb")
    summary = there.describe_table(TableName="Orders-prod")["Table"].get("RestoreSummary", {})
    assert summary.get("SourceTableArn") == (arn if engine == "restore" else None)
    assert there.list_tables()["TableNames"] == ["Orders-prod"]
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.usefixtures("proxy")
def test_a_plan_picks_what_apply_picks_where_changes_come_by_exports() -> None:
    """They come too late for what DynamoDB makes, so the same options show why it is out."""
    planned = run("plan", "dataware.toml", "--all", "--follow", "--export-to", "s3://changes/x")
    said = " ".join(planned.out.split())
    for engine in ("export-import", "restore"):
        assert f"{engine}: no, --export-to reads exports, which tell of a change too late" in said


def test_an_import_that_is_stopped_goes_on_and_is_gone_on_with(proxy: FaultProxy) -> None:
    """Ctrl-C ends the watching of the export; no other engine may carry the migration then."""
    before = items_of("Orders")
    stopped = struck_run(
        proxy,
        Strike(1, number=signal.SIGINT),
        *COMMAND[:-2],
        operation="DescribeExport",
        faults={reword(b'"COMPLETED"', b'"IN_PROGRESS"'): "DescribeExport"},
    )
    assert stopped.code == 4, stopped
    told = " ".join((stopped.out + stopped.err).split())
    assert "goes on in AWS, and cannot be cancelled" in told
    assert "the bucket dataware-export-000000000000-" in told
    planned = run("plan", "dataware.toml", "--all")
    assert "export-import: no time promised" in planned.out
    other = run("apply", "dataware.toml", "--yes", "--engine", "local")
    assert other.code == 3, other
    assert "was begun with export-import" in other.err
    ran = run(*COMMAND)
    assert ran.code == 0, ran
    assert proxy.count("ExportTableToPointInTime") == 0
    check_whole(before)
