"""`apply --follow`: what a plan migrates is followed, side by side, also into a stack's tables."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from dataware.embedded import EmbeddedAws
from support.cli import ended, launch, run

KEY = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server of this module."""
    with EmbeddedAws() as server:
        yield server


class Tables:
    """Two full sources with streams, one target that a stack owns, and one that is not there."""

    def __init__(self, folder: Path) -> None:
        self.client = boto3.client("dynamodb")
        number = uuid4().hex[:8]
        self.names = [f"{word}-{number}" for word in ("orders", "visits")]
        for name in self.names:
            self.client.create_table(TableName=f"old-{name}", StreamSpecification=ON, **KEY)
            for n in range(5):
                self.put(f"old-{name}", f"k{n}", 1)
        self._deploy(self.names[0])
        self.file = folder / "dataware.toml"
        stacks = (f'stack = "stack-{self.names[0]}"\nlogical_id = "T"\n', "")
        self.file.write_text(
            "".join(
                f'[[resource]]\ntype = "AWS::DynamoDB::Table"\npreferred = "{name}"\n'
                f'fallback = ["old-{name}"]\n{stack}[resource.properties]\nTableName = "{name}"\n'
                'BillingMode = "PAY_PER_REQUEST"\n'
                'AttributeDefinitions = [{AttributeName = "pk", AttributeType = "S"}]\n'
                'KeySchema = [{AttributeName = "pk", KeyType = "HASH"}]\n'
                for name, stack in zip(self.names, stacks, strict=True)
            )
        )

    def _deploy(self, name: str) -> None:
        table = {"Type": "AWS::DynamoDB::Table", "Properties": {**KEY, "TableName": name}}
        stacks, body = boto3.client("cloudformation"), json.dumps({"Resources": {"T": table}})
        stacks.create_stack(StackName=f"stack-{name}", TemplateBody=body)
        waiter = stacks.get_waiter("stack_create_complete")
        waiter.wait(StackName=f"stack-{name}", WaiterConfig={"Delay": 1})

    def put(self, table: str, key: str, value: int) -> None:
        """Write an item."""
        item = {"pk": {"S": key}, "v": {"N": str(value)}}
        self.client.put_item(TableName=table, Item=item)

    def content(self, table: str) -> dict[str, Any]:
        """What a table holds."""
        try:
            page = self.client.scan(TableName=table, ConsistentRead=True)
        except self.client.exceptions.ResourceNotFoundException:
            return {}
        return {one["pk"]["S"]: one["v"]["N"] for one in page["Items"]}

    def await_equal(self) -> None:
        """Wait until each target holds what its source holds."""
        wait(lambda: all(self.content(f"old-{one}") == self.content(one) for one in self.names))


def wait(until: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_plan_is_followed_into_a_stacks_table_and_a_new_one_until_it_is_stopped(
    server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both at the same time; a stranger's item is kept and named; the saved plan goes on."""
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    tables = Tables(tmp_path)
    owned, made = tables.names
    saved = str(tmp_path / "plan.json")
    assert run("plan", str(tables.file), "--out", saved).code == 0
    command = launch("apply", saved, "--follow")
    wait(lambda: run("status").out.count("following") == 2)
    for name in tables.names:
        tables.put(f"old-{name}", "k1", 2)
        tables.client.delete_item(TableName=f"old-{name}", Key={"pk": {"S": "k2"}})
        tables.put(f"old-{name}", "new", 1)
    tables.await_equal()
    tables.put(owned, "k1", 99)
    tables.put(owned, "theirs", 98)
    tables.put(f"old-{owned}", "k1", 3)
    tables.put(f"old-{owned}", "k3", 3)
    wait(lambda: tables.content(owned)["k3"] == "3" and "conflict" in run("status", owned).out)
    assert tables.content(owned)["k1"] == "99"
    assert tables.content(owned)["theirs"] == "98"
    command.send_signal(signal.SIGINT)
    ran = ended(command)
    assert ran.code == 4, ran.out + ran.err
    assert f"stopped following old-{owned}" in ran.err
    assert f"stopped following old-{made}" in ran.err
    assert "this follow did not write" in ran.out
    ran = run("apply", saved)
    assert ran.code == 3, ran.out + ran.err
    assert "run the same command with --follow" in ran.err
    tables.client.delete_item(TableName=f"old-{made}", Key={"pk": {"S": "k4"}})
    tables.put(f"old-{owned}", "k0", 7)
    command = launch("apply", saved, "--follow")
    wait(lambda: tables.content(owned)["k0"] == "7" and "k4" not in tables.content(made))
    command.send_signal(signal.SIGTERM)
    assert ended(command).code == 4
