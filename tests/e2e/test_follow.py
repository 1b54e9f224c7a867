"""A table that is written to all the time is followed: nothing missing, extra or different."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from dataware.core.errors import RefusedError
from dataware.core.follow import loop
from dataware.embedded import EmbeddedAws, StreamSettings
from dataware.ops import lease_keeper
from dataware.ops.context import CopySettings
from dataware.ops.follow import follow_run
from support.cli import ended, launch, run
from support.followed_pairs import FOLLOW, FollowedPair

KEY = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
ITEMS = 200


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose shards roll over and split all the time."""
    with EmbeddedAws(streams=StreamSettings(shard_records=40, ttl_seconds=0.3)) as server:
        yield server


@pytest.fixture
def tables(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A full source with a stream, and an empty target."""
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.05)
    # On this machine nothing is on its way for a minute; a busy one lets some requests time out.
    for module in (follow_run, loop):
        monkeypatch.setattr(module, "UNKNOWN_OUTCOME_SECONDS", 2.0)
    return Pair()


class Pair(FollowedPair):
    """A table with a stream, and an empty one."""

    service, type_name = "dynamodb", "AWS::DynamoDB::Table"

    def __init__(self) -> None:
        super().__init__()
        self.client.create_table(TableName=self.source, StreamSpecification=ON, **KEY)
        self.client.create_table(TableName=self.target, **KEY)
        for start in range(0, ITEMS, 25):
            puts = [
                {"PutRequest": {"Item": {"pk": {"S": f"k{n}"}, "v": {"N": "0"}}}}
                for n in range(start, start + 25)
            ]
            self.client.batch_write_item(RequestItems={self.source: puts})

    def content(self, table: str) -> dict[str, Any]:
        """What a table holds."""
        pages = self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return {item["pk"]["S"]: item for page in pages for item in page["Items"]}


class Writers:
    """Puts, updates and deletes keys of a source until `rest`, some of them hot."""

    def __init__(self, pair: Pair, seed: int, number: int = 2) -> None:
        self.pair = pair
        self.ended = threading.Event()
        self.written = 0
        self.threads = [
            threading.Thread(target=self._run, args=(random.Random(seed * 10 + n),))
            for n in range(number)
        ]

    def __enter__(self) -> Writers:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    def rest(self) -> None:
        """Write no more."""
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def _run(self, order: random.Random) -> None:
        client, table = boto3.client("dynamodb"), self.pair.source
        while not self.ended.is_set():
            number = order.choice([order.randrange(20), order.randrange(ITEMS + 50)])
            key, chance = {"pk": {"S": f"k{number}"}}, order.random()
            self.written += 1
            if chance < 0.3:
                client.delete_item(TableName=table, Key=key)
            elif chance < 0.7:
                value = {"N": str(self.written)}
                client.put_item(TableName=table, Item={**key, "v": value})
            else:
                client.update_item(
                    TableName=table,
                    Key=key,
                    UpdateExpression="SET u = :u",
                    ExpressionAttributeValues={":u": {"N": str(self.written)}},
                )
            time.sleep(0.003)


@pytest.mark.parametrize("seed", range(2))
def test_writers_shards_and_restarts_leave_nothing_missing_extra_or_different(
    seed: int, tables: Pair
) -> None:
    """Through the copy, two stops, and shards that end all the time."""
    with Writers(tables, seed) as writers:
        for _ in range(2):
            tables.events.clear()
            with tables.following():
                tables.await_phase()
                time.sleep(0.7)
        with tables.following():
            tables.wait(lambda: writers.written > 100)
            writers.rest()
            tables.await_equal()
    assert "feed-gap" not in tables.codes()
    assert len(tables.content(tables.source)) > 50


def test_a_copy_that_was_stopped_half_way_goes_on_and_nothing_old_stays(tables: Pair) -> None:
    """What an earlier run has put is no conflict; what changed between the runs arrives."""
    with Writers(tables, 7) as writers:
        with tables.following(replace(FOLLOW, max_rate=100)):
            tables.wait(lambda: len(tables.content(tables.target)) > 30)
        assert "following" not in tables.codes()
        time.sleep(0.5)
        with tables.following():
            tables.await_phase()
            writers.rest()
            tables.await_equal()
    assert "feed-gap" not in tables.codes()


def test_a_follow_that_is_killed_leaves_nothing_behind_that_the_next_one_does_not_carry(
    tables: Pair,
) -> None:
    """kill -9 while changes are carried."""
    sides = [f"dynamodb://{name}" for name in tables.names]
    with Writers(tables, 9) as writers:
        command = launch("migrate", *sides, "--follow")
        tables.wait(lambda: "following" in run("status", tables.target).out)
        time.sleep(0.5)
        command.kill()
        ended(command)
        with tables.following():
            tables.await_phase()
            writers.rest()
            tables.await_equal()
    assert "feed-gap" not in tables.codes()


def test_a_follow_on_another_machine_compares_in_full_first(
    tables: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which keys had changed, only the first machine knew."""
    with tables.following():
        tables.await_phase()
        tables.await_equal()
    tables.client.delete_item(TableName=tables.source, Key={"pk": {"S": "k1"}})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    tables.events.clear()
    with tables.following():
        tables.wait(lambda: "feed-gap-closed" in tables.codes())
        tables.await_equal()
    (gap,) = [one for one in tables.events if one.code == "feed-gap"]
    assert "not on this machine" in gap.text()


def test_a_person_sees_how_far_it_is_and_stops_it_with_ctrl_c(tables: Pair) -> None:
    """The exit code is that of an interrupted run, and the last line says how to go on."""
    sides = [f"dynamodb://{name}" for name in tables.names]
    command = launch("migrate", *sides, "--follow")
    tables.wait(lambda: "following" in run("status", tables.target).out)
    tables.client.delete_item(TableName=tables.source, Key={"pk": {"S": "k1"}})
    tables.await_equal()
    tables.wait(lambda: "0 changed keys waiting" in run("status", tables.target).out)
    command.send_signal(signal.SIGINT)
    ran = ended(command)
    assert ran.code == 4
    assert f"Following {tables.source} → {tables.target} by its stream" in ran.out
    assert "not carried yet; run the same command again to resume" in ran.err
    assert "incomplete" in run("status", tables.target).out


def test_a_source_without_a_stream_is_followed_by_comparing_both_sides(
    tables: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source stays as it is; changes and deletes arrive all the same."""
    monkeypatch.setattr("dataware.ops.follow.difference.LEAST_PAUSE", 0.2)
    off = {"StreamEnabled": False}
    tables.client.update_table(TableName=tables.source, StreamSpecification=off)
    with tables.following():
        tables.await_phase()
        tables.client.delete_item(TableName=tables.source, Key={"pk": {"S": "k1"}})
        tables.client.put_item(TableName=tables.source, Item={"pk": {"S": "new"}})
        tables.await_equal()
    table = tables.client.describe_table(TableName=tables.source)["Table"]
    assert not table.get("StreamSpecification", {}).get("StreamEnabled")
    assert "feed-enabled" not in tables.codes()


def test_a_stream_is_switched_on_with_consent_and_remembered(tables: Pair) -> None:
    """The record says which stream it was; the next run goes on with it."""
    off = {"StreamEnabled": False}
    tables.client.update_table(TableName=tables.source, StreamSpecification=off)
    consent = replace(FOLLOW, enable_feed=True)
    with tables.following(consent):
        tables.await_phase()
        tables.client.put_item(TableName=tables.source, Item={"pk": {"S": "new"}})
        tables.await_equal()
    assert tables.codes().count("feed-enabled") == 1
    with tables.following(consent):
        tables.client.put_item(TableName=tables.source, Item={"pk": {"S": "newer"}})
        tables.await_equal()
    assert tables.codes().count("feed-enabled") == 1
    arn = tables.client.describe_table(TableName=tables.source)["Table"]["LatestStreamArn"]
    record = boto3.client("ssm").get_parameter(
        Name=f"/dataware/markers/dynamodb-table/{tables.target}"
    )
    assert f'"feed_enabled":"{arn}"' in record["Parameter"]["Value"]
    assert f'"feed_enabled": "{arn}"' in run("status", tables.target, "--format", "json").out
    assert run("forget", tables.target, "--yes").code == 0
    table = tables.client.describe_table(TableName=tables.source)["Table"]
    assert not table.get("StreamSpecification", {}).get("StreamEnabled")


def test_a_stream_that_someone_else_switched_on_stays_on(tables: Pair) -> None:
    """It is not for a migration to switch off what it did not switch on."""
    with tables.following(replace(FOLLOW, enable_feed=True)):
        tables.await_phase()
    assert run("forget", tables.target, "--yes").code == 0
    table = tables.client.describe_table(TableName=tables.source)["Table"]
    assert table["StreamSpecification"]["StreamEnabled"]


def test_a_gap_is_told_and_closed_by_comparing_in_full(tables: Pair) -> None:
    """Off and on again while nobody follows: what changed meanwhile has no record."""
    with tables.following():
        tables.await_phase()
        tables.await_equal()
    for number in range(5):
        tables.client.delete_item(TableName=tables.source, Key={"pk": {"S": f"k{number}"}})
    switch = tables.client.update_table
    switch(TableName=tables.source, StreamSpecification={"StreamEnabled": False})
    tables.client.put_item(TableName=tables.source, Item={"pk": {"S": "unrecorded"}})
    tables.client.delete_item(TableName=tables.source, Key={"pk": {"S": "k9"}})
    switch(TableName=tables.source, StreamSpecification=ON)
    tables.events.clear()
    with tables.following():
        tables.wait(lambda: "feed-gap-closed" in tables.codes())
        tables.await_equal()
    (gap,) = [one for one in tables.events if one.code == "feed-gap"]
    assert "switched off and on again" in gap.text()


def test_a_target_that_holds_something_is_refused(tables: Pair) -> None:
    """A follow replaces what it finds, so it begins with nothing."""
    tables.client.put_item(TableName=tables.target, Item={"pk": {"S": "theirs"}})
    with pytest.raises(RefusedError, match="may not be empty"):
        tables.follow(lambda: False)
    assert list(tables.content(tables.target)) == ["theirs"]


def test_a_target_of_a_stack_keeps_what_its_app_writes(tables: Pair) -> None:
    """Also while it is copied, and in the runs after; that it is guarded stands in the record."""
    stack = f"stack-{uuid4().hex[:8]}"
    name = f"{stack}-table"
    body = {
        "Resources": {
            "T": {"Type": "AWS::DynamoDB::Table", "Properties": {**KEY, "TableName": name}}
        }
    }
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName=stack, TemplateBody=json.dumps(body))
    stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    tables.target = name
    with Writers(tables, 3) as writers:
        with tables.following():
            tables.await_phase()
        assert '"guarded": true' in run("status", name, "--format", "json").out
        tables.client.put_item(TableName=name, Item={"pk": {"S": "theirs"}})
        tables.client.put_item(
            TableName=tables.source, Item={"pk": {"S": "theirs"}, "v": {"N": "1"}}
        )
        with tables.following():
            tables.await_phase()
            writers.rest()
            expected = {**tables.content(tables.source), "theirs": {"pk": {"S": "theirs"}}}
            tables.wait(lambda: tables.content(name) == expected)


def test_a_followed_target_is_not_migrated_into_without_following(tables: Pair) -> None:
    """A copy alone would take what is there for conflicts, and bring no delete."""
    with tables.following():
        tables.await_phase()
    with pytest.raises(RefusedError, match="run the same command with --follow"):
        tables.follow(lambda: False, CopySettings())


def test_an_item_that_expires_in_the_target_first_is_no_difference(
    tables: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It only waits to be deleted in the source, so nobody carries it again and again."""
    monkeypatch.setattr("dataware.ops.follow.difference.LEAST_PAUSE", 0.1)
    off = {"StreamEnabled": False}
    tables.client.update_table(TableName=tables.source, StreamSpecification=off)
    with tables.following():
        tables.await_phase()
        setting = {"Enabled": True, "AttributeName": "end"}
        tables.client.update_time_to_live(TableName=tables.target, TimeToLiveSpecification=setting)
        item = {"pk": {"S": "gone"}, "end": {"N": str(int(time.time()) - 60)}}
        tables.client.put_item(TableName=tables.source, Item=item)
        tables.client.put_item(TableName=tables.source, Item={"pk": {"S": "later"}})
        tables.wait(lambda: "later" in tables.content(tables.target))
        tables.wait(lambda: "gone" not in tables.content(tables.target))
        time.sleep(1.0)
    assert "gone" not in tables.content(tables.target)


def test_a_paused_follow_reads_its_stream_and_carries_afterwards(
    tables: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream forgets after a day, so what changed during a pause is on disk before."""
    monkeypatch.setattr(lease_keeper, "CLOSE_BEAT_SECONDS", 0.2)
    with tables.following():
        tables.await_phase()
        tables.await_equal()
        assert run("pause", tables.target).code == 0
        tables.wait(lambda: "paused" in tables.codes())
        tables.client.delete_item(TableName=tables.source, Key={"pk": {"S": "k1"}})
        tables.wait(lambda: "1 changed key waiting" in run("status", tables.target).out)
        time.sleep(0.5)
        assert "k1" in tables.content(tables.target)
        assert run("resume", tables.target).code == 0
        tables.await_equal()
    assert "feed-gap" not in tables.codes()
