"""A table that a run has made is filled in bulk: killed, and finished by the same command."""

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
from support.servers import FaultProxy, json_error, reword, xml_error
from support.worlds import client, enable_recovery, items_of, make_table, varied_items

TOML = """
[[resource]]
type = "AWS::DynamoDB::Table"
id = "Orders"
preferred = "Orders-prod"
fallback = "Orders"

[resource.properties]
BillingMode = "PAY_PER_REQUEST"
AttributeDefinitions = [{ AttributeName = "pk", AttributeType = "S" }]
KeySchema = [{ AttributeName = "pk", KeyType = "HASH" }]
Tags = [{ Key = "team", Value = "space" }]
"""

COMMAND = ("apply", "dataware.toml", "--yes", "--engine", "bulk", "--format", "json")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose exports and bulk puts take a moment."""
    with EmbeddedAws(streams=StreamSettings(export_seconds=0.5, import_seconds=0.5)) as server:
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
    """Both tables are equal for boto3, one operation filled the target, and no bucket is left."""
    assert items_of("Orders-prod") == before == items_of("Orders")
    dynamodb = client("dynamodb")
    (row,) = dynamodb.list_bulk_operations()["BulkOperationsSummaryList"]
    told = dynamodb.describe_bulk_operation(BulkOperationArn=row["BulkOperationArn"])
    assert told["BulkOperationDescription"]["ProcessedItemCount"] == 60
    assert len(dynamodb.list_exports()["ExportSummaries"]) == 1
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("answered", [False, True])
def test_a_killed_bulk_put_is_finished_by_the_same_command(
    proxy: FaultProxy, answered: bool
) -> None:
    """Whether the request got through or not: one operation, all items, verified."""
    before = items_of("Orders")
    strike = Strike(1, answered=answered)
    struck = struck_run(proxy, strike, *COMMAND, operation="StartBulkPutItems")
    assert strike.struck, struck
    assert "interrupted" in run("status").out
    ran = ended(launch(*COMMAND))
    assert ran.code == 0, ran
    codes = [event["code"] for event in ran.events]
    assert "verified" in codes
    assert "migrated" in codes
    check_whole(before)


def test_a_bulk_put_goes_on_when_the_command_is_stopped(proxy: FaultProxy) -> None:
    """Ctrl-C ends the watching, and says what would end the operation; the same command resumes."""
    before = items_of("Orders")
    stopped = struck_run(
        proxy,
        Strike(1, answered=True, number=signal.SIGINT),
        *COMMAND[:-2],
        operation="StartBulkPutItems",
        faults={reword(b'"COMPLETED"', b'"IN_PROGRESS"'): "DescribeBulkOperation"},
    )
    assert stopped.code == 4, stopped
    told = " ".join((stopped.out + stopped.err).split())
    assert "the bulk put of Orders-prod goes on in AWS, until" in told
    assert "aws dynamodb cancel-bulk-operation" in told
    ran = run(*COMMAND)
    assert ran.code == 0, ran
    assert proxy.count("StartBulkPutItems") == 0
    check_whole(before)


@pytest.mark.usefixtures("proxy")
def test_a_table_that_somebody_made_is_not_filled() -> None:
    """A bulk put replaces what it finds, so the plan says why this machine copies."""
    make_table("Orders-prod", varied_items(0))
    planned = run("plan", "dataware.toml", "--all")
    said = " ".join(planned.out.split())
    assert "bulk: no, this run did not make Orders-prod, and this engine replaces what it" in said
    refused = run(*COMMAND)
    assert refused.code == 3, refused
    assert client("dynamodb").list_bulk_operations()["BulkOperationsSummaryList"] == []


def test_a_bucket_that_may_not_be_removed_is_known_until_the_next_run_removes_it(
    proxy: FaultProxy,
) -> None:
    """The migration is complete, `status` names the bucket, and `apply` takes it off the record."""
    before = items_of("Orders")
    proxy.add(xml_error("AccessDenied", 403), operation="DeleteBucket")
    ran = run(*COMMAND[:-2])
    assert ran.code == 0, ran
    (bucket,) = client("s3").list_buckets()["Buckets"]
    for _ in range(2):
        shown = run("status")
        assert f"the bucket {bucket['Name']} not removed" in shown.out, shown
        again = run(*COMMAND[:-2])
        assert again.code == 0, again
        assert "the record is kept" in again.out + again.err
    proxy.clear()
    again = run(*COMMAND[:-2])
    assert f"Removed the bucket {bucket['Name']}" in again.out, again
    assert "not removed" not in run("status").out
    assert "complete" in run("status").out
    check_whole(before)


@pytest.mark.parametrize("operation", ["CreateBucket", "ExportTableToPointInTime"])
def test_an_engine_that_was_refused_may_be_asked_for_again(
    proxy: FaultProxy, operation: str
) -> None:
    """Nothing was copied yet, so that neither it nor another engine is in the way."""
    before = items_of("Orders")
    is_bucket = operation == "CreateBucket"
    denial = xml_error("AccessDenied", 403) if is_bucket else json_error("AccessDeniedException")
    proxy.add(denial, operation=operation)
    refused = run(*COMMAND[:-2])
    assert refused.code == 3, refused
    assert "nothing was copied, because" in refused.err
    assert "fix that and run the same command again, or run it with --engine local" in refused.err
    proxy.clear()
    ran = run(*COMMAND[:-2])
    assert ran.code == 0, ran
    check_whole(before)
