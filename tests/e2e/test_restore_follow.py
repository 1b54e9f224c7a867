"""A table is restored, or imported, and followed: no change since that time is lost."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from dataware.embedded import EmbeddedAws, StreamSettings
from support.cli import ended, launch, run
from support.killing import Strike, struck_run
from support.proxied import proxied
from support.servers import FaultProxy
from support.worlds import client, enable_recovery

TOML = """
[[resource]]
type = "AWS::DynamoDB::Table"
id = "Orders"
preferred = "{target}"
fallback = "{source}"

[resource.properties]
BillingMode = "PAY_PER_REQUEST"
AttributeDefinitions = [{{ AttributeName = "pk", AttributeType = "S" }}]
KeySchema = [{{ AttributeName = "pk", KeyType = "HASH" }}]
Tags = [{{ Key = "team", Value = "space" }}]
"""
KEY: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
ITEMS = 60
REQUESTS = {
    "restore": "RestoreTableToPointInTime",
    "export-import": "ExportTableToPointInTime",
}


@dataclass(frozen=True)
class Pair:
    """A table, and its copy by an engine."""

    engine: str

    @property
    def source(self) -> str:
        """The table that is written to."""
        return f"Orders-{self.engine}"

    @property
    def target(self) -> str:
        """What is made of it."""
        return f"{self.source}-prod"

    @property
    def command(self) -> tuple[str, ...]:
        """What makes and follows it."""
        path = Path(f"{self.engine}.toml")
        path.write_text(TOML.format(source=self.source, target=self.target))
        return ("apply", str(path), "--yes", "--follow", "--engine", self.engine)

    def fill(self, *, stream: bool) -> None:
        """The source, with a stream or without one."""
        dynamodb = client("dynamodb")
        more = {"StreamSpecification": ON} if stream else {}
        dynamodb.create_table(TableName=self.source, **KEY, **more)
        for number in range(ITEMS):
            self.put(dynamodb, f"k{number}", 0)
        enable_recovery(self.source)

    def put(self, dynamodb: Any, key: str, value: int) -> None:
        """Write one item into the source."""
        item = {"pk": {"S": key}, "v": {"N": str(value)}}
        dynamodb.put_item(TableName=self.source, Item=item)

    def delete(self, dynamodb: Any, key: str) -> None:
        """Delete one item from the source."""
        dynamodb.delete_item(TableName=self.source, Key={"pk": {"S": key}})

    def is_equal(self) -> bool:
        """Whether boto3 sees the same in both."""
        return content(self.target) == content(self.source)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose restores, exports and imports take a moment, and whose shards roll over."""
    slow = StreamSettings(
        restore_seconds=2.0, export_seconds=1.0, import_seconds=1.0, shard_records=40
    )
    with EmbeddedAws(streams=slow) as server:
        yield server


@pytest.fixture
def proxy(
    server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """What commands speak to, in a folder of their own."""
    with proxied(server, tmp_path, monkeypatch) as proxy:
        yield proxy


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

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
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
                self._pair.put(dynamodb, f"k{self.writes % (ITEMS + 20)}", self.writes)
            else:
                self._pair.delete(dynamodb, f"k{self.writes % ITEMS}")


def await_so(what: Callable[[], bool], process: Any) -> None:
    """Wait until something is so, while a command runs."""
    deadline = time.monotonic() + 90
    while not what():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_followed(pair: Pair) -> bool:
    """Whether its changes are carried by now."""
    return "following" in run("status", pair.target).out


def has_written(writer: Writer, count: int) -> bool:
    """Whether an app has written more than that often."""
    return writer.writes > count


def follow_until_equal(*pairs: Pair) -> list[str]:
    """Make and follow each beside an app that writes, until both sides agree; what was told."""
    processes = {pair: launch(*pair.command) for pair in pairs}
    with ExitStack() as stack:
        writers = {pair: stack.enter_context(Writer(pair)) for pair in pairs}
        for pair, process in processes.items():
            await_so(partial(is_followed, pair), process)
        for pair, process in processes.items():
            await_so(partial(has_written, writers[pair], writers[pair].writes + 20), process)
    for pair, process in processes.items():
        await_so(pair.is_equal, process)
        process.send_signal(signal.SIGINT)
    told = []
    for pair, process in processes.items():
        ran = ended(process)
        assert ran.code == 4, ran
        assert pair.is_equal()
        assert content(pair.source), "a test without data proves nothing"
        told.append(" ".join(ran.out.split()))
    return told


@pytest.mark.parametrize("stream", [True, False])
def test_what_is_written_during_a_restore_is_carried(proxy: FaultProxy, stream: bool) -> None:
    """By the stream, which is read from before the restore's time on, or by comparing again."""
    pair = Pair("restore")
    pair.fill(stream=stream)
    (told,) = follow_until_equal(pair)
    assert proxy.count("RestoreTableToPointInTime") == 1
    assert f"Restored {pair.source} as of" in told
    assert ("Compared" in told or "compared" in told) or not stream
    arn = client("dynamodb").describe_table(TableName=pair.target)["Table"]["TableArn"]
    tags = client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert {"Key": "team", "Value": "space"} in tags


def test_what_is_killed_and_gone_on_with_is_followed_from_its_time(proxy: FaultProxy) -> None:
    """What changes while no command runs comes by the stream, whose place is on disk.

    Both at once, because a run waits for a minute after a kill.
    """
    pairs = [Pair(engine) for engine in REQUESTS]
    dynamodb = client("dynamodb")
    for pair in pairs:
        pair.fill(stream=True)
        strike = Strike(1, answered=True)
        struck_run(proxy, strike, *pair.command, operation=REQUESTS[pair.engine])
        assert strike.struck
        pair.put(dynamodb, "k1", 77)
        pair.delete(dynamodb, "k2")
        pair.put(dynamodb, "a new one", 78)
    proxy.clear()
    restored, imported = follow_until_equal(*pairs)
    assert "the stream is read during the restore" in restored
    assert "the stream is read during the import" in imported
    assert proxy.count("RestoreTableToPointInTime") == 0
    assert len(dynamodb.list_exports()["ExportSummaries"]) == 1, "it is found by its token"
    assert len(dynamodb.list_imports()["ImportSummaryList"]) == 1
    assert client("s3").list_buckets()["Buckets"] == []
    for pair in pairs:
        there, source = content(pair.target), content(pair.source)
        assert "a new one" in there
        assert there.get("k2") == source.get("k2")
