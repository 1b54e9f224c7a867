"""A table is restored and followed: no change between the restore's time and the follow is lost."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from dataware.embedded import EmbeddedAws, StreamSettings
from support.cli import ended, launch, run
from support.killing import Strike, struck_run
from support.proxied import proxied
from support.servers import FaultProxy
from support.worlds import client

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
KEY: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
COMMAND = ("apply", "dataware.toml", "--yes", "--engine", "restore", "--follow")
ITEMS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose restores take a moment, and whose shards roll over."""
    with EmbeddedAws(streams=StreamSettings(restore_seconds=2.0, shard_records=40)) as server:
        yield server


@pytest.fixture
def proxy(
    server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """What commands speak to, beside a table that can be restored."""
    (tmp_path / "dataware.toml").write_text(TOML)
    with proxied(server, tmp_path, monkeypatch) as proxy:
        yield proxy


def fill(*, stream: bool) -> None:
    """The source, with a stream or without one."""
    dynamodb = client("dynamodb")
    more = {"StreamSpecification": ON} if stream else {}
    dynamodb.create_table(TableName="Orders", **KEY, **more)
    for number in range(ITEMS):
        put(dynamodb, f"k{number}", 0)
    dynamodb.update_continuous_backups(
        TableName="Orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def put(dynamodb: Any, key: str, value: int) -> None:
    """Write one item into the source."""
    item = {"pk": {"S": key}, "v": {"N": str(value)}}
    dynamodb.put_item(TableName="Orders", Item=item)


def content(table: str) -> dict[str, Any]:
    """What boto3 sees of a table; nothing while it cannot be read."""
    dynamodb = boto3.client("dynamodb")
    try:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return {item["pk"]["S"]: item for page in pages for item in page["Items"]}
    except dynamodb.exceptions.ResourceNotFoundException:
        return {}


class Writer:
    """An app that puts, changes and deletes items of the source until it rests."""

    def __init__(self) -> None:
        self._rests = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.writes = 0

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._rests.set()
        self._thread.join()

    def _run(self) -> None:
        dynamodb = boto3.client("dynamodb")
        while not self._rests.wait(0.02):
            self.writes += 1
            if self.writes % 5:
                put(dynamodb, f"k{self.writes % (ITEMS + 20)}", self.writes)
            else:
                key = {"pk": {"S": f"k{self.writes % ITEMS}"}}
                dynamodb.delete_item(TableName="Orders", Key=key)


def await_so(what: Callable[[], bool], process: Any) -> None:
    """Wait until something is so, while a command runs."""
    deadline = time.monotonic() + 90
    while not what():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < deadline
        time.sleep(0.1)


def follow_until_equal() -> str:
    """Restore and follow beside an app that writes, until both sides agree; what was told."""
    with Writer() as writer:
        process = launch(*COMMAND)
        await_so(lambda: "k0" in content("Orders-prod") or writer.writes > 300, process)
        await_so(lambda: "following" in run("status", "Orders-prod").out, process)
        before = writer.writes
        await_so(lambda: writer.writes > before + 20, process)
    await_so(lambda: content("Orders-prod") == content("Orders"), process)
    process.send_signal(signal.SIGINT)
    ran = ended(process)
    assert ran.code == 4, ran
    assert content("Orders-prod") == content("Orders")
    assert content("Orders"), "a test without data proves nothing"
    return ran.out


@pytest.mark.parametrize("stream", [True, False])
def test_what_is_written_during_a_restore_is_carried(proxy: FaultProxy, stream: bool) -> None:
    """By the stream, which is read from before the restore's time on, or by comparing again."""
    fill(stream=stream)
    told = follow_until_equal()
    assert proxy.count("RestoreTableToPointInTime") == 1
    assert "Restored Orders as of" in told
    assert ("Compared" in told or "compared" in told) or not stream
    arn = client("dynamodb").describe_table(TableName="Orders-prod")["Table"]["TableArn"]
    tags = client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert {"Key": "team", "Value": "space"} in tags


def test_a_restore_that_is_killed_and_gone_on_with_is_followed_from_its_time(
    proxy: FaultProxy,
) -> None:
    """What changes while no command runs comes by the stream, whose place is on disk."""
    fill(stream=True)
    strike = Strike(1, answered=True)
    struck_run(proxy, strike, *COMMAND, operation="RestoreTableToPointInTime")
    assert strike.struck
    dynamodb = client("dynamodb")
    put(dynamodb, "k1", 77)
    dynamodb.delete_item(TableName="Orders", Key={"pk": {"S": "k2"}})
    put(dynamodb, "a new one", 78)
    follow_until_equal()
    assert proxy.count("RestoreTableToPointInTime") == 0
    there = content("Orders-prod")
    assert "a new one" in there
    assert "k2" not in content("Orders") or there["k2"] == content("Orders")["k2"]
