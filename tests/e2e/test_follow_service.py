"""`dataware follow`, as a container runs it: ended and started again, with and without its disk."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from dataware.aws import Account
from dataware.cli.context import make_context
from dataware.cli.pair import places_on_record
from dataware.cli.transport import make_wire
from dataware.core.errors import IncompleteError
from dataware.core.events import Event
from dataware.core.follow import loop
from dataware.embedded import EmbeddedAws
from dataware.ops.context import CopySettings
from dataware.ops.follow import follow_run
from dataware.ops.follow.follow_names import find_recorded, follow_recorded
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


@pytest.fixture
def names(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two targets, whose sources begin with ``old-``, that were followed and stopped."""
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    client, number = boto3.client("dynamodb"), uuid4().hex[:8]
    both = f"orders-{number}", f"visits-{number}"
    for name in both:
        client.create_table(TableName=f"old-{name}", StreamSpecification=ON, **KEY)
        client.create_table(TableName=name, **KEY)
        for n in range(5):
            put(f"old-{name}", f"k{n}", 1)
        command = launch("migrate", f"dynamodb://old-{name}", f"dynamodb://{name}", "--follow")
        wait(lambda name=name: "following" in run("status", name).out)
        command.send_signal(signal.SIGINT)
        assert ended(command).code == 4
    return both


def put(table: str, key: str, value: int) -> None:
    """Write an item."""
    item = {"pk": {"S": key}, "v": {"N": str(value)}}
    boto3.client("dynamodb").put_item(TableName=table, Item=item)


def delete(table: str, key: str) -> None:
    """Delete an item."""
    boto3.client("dynamodb").delete_item(TableName=table, Key={"pk": {"S": key}})


def content(table: str) -> dict[str, Any]:
    """What a table holds."""
    page = boto3.client("dynamodb").scan(TableName=table, ConsistentRead=True)
    return {one["pk"]["S"]: one["v"]["N"] for one in page["Items"]}


def wait(until: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def are_equal(names: tuple[str, ...]) -> bool:
    """Whether each target holds what its source holds."""
    return all(content(f"old-{name}") == content(name) for name in names)


def codes(out: str) -> list[str]:
    """The codes of a log, each line of which is an object."""
    return [json.loads(line)["code"] for line in out.splitlines()]


def test_a_service_goes_on_after_sigterm_and_without_its_disk(
    names: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What changed while no disk knew of it is found by comparing both sides in full."""
    command = launch("follow", *names, "--format", "json")
    for name in names:
        delete(f"old-{name}", "k1")
        put(f"old-{name}", "k2", 2)
    wait(lambda: are_equal(names))
    command.send_signal(signal.SIGTERM)
    ran = ended(command)
    assert ran.code == 4, ran.err
    assert codes(ran.out).count("following") == 2
    assert "feed-gap" not in codes(ran.out)
    for name in names:
        delete(f"old-{name}", "k3")
        put(f"old-{name}", "k4", 3)
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "another disk"))
    # On this machine nothing is on its way for a minute.
    for module in (follow_run, loop):
        monkeypatch.setattr(module, "UNKNOWN_OUTCOME_SECONDS", 1.0)
    events: list[Event] = []
    stop = threading.Event()
    with ThreadPoolExecutor() as threads:
        done = threads.submit(go_on, names, events, stop)
        try:
            wait(lambda: are_equal(names))
        finally:
            stop.set()
        with pytest.raises(IncompleteError, match=f"stopped following old-{names[1]}"):
            done.result(60)
    gaps = [one.text() for one in events if one.code == "feed-gap"]
    assert len(gaps) == 2
    assert all("is not on this machine" in text for text in gaps)


def go_on(names: tuple[str, ...], events: list[Event], stop: threading.Event) -> None:
    """Follow what is on record, as the command does."""
    account = Account.open(make_wire, stop=stop.is_set)
    context = make_context(account, events.append, stop.is_set, strict=False)
    followed = []
    for name in names:
        found = find_recorded(context, name)
        places = places_on_record(context, found.kind, found.source, found.target, None)
        followed.append((found, places))
    follow_recorded(context, followed, CopySettings(follow=True))


@pytest.mark.usefixtures("names")
def test_what_is_not_followed_is_named(names: tuple[str, str]) -> None:
    """Nothing of the others is begun either; what is complete already is done."""
    ran = run("follow", names[0], "nowhere")
    assert ran.code == 1
    assert "no migration into nowhere is recorded" in ran.err
    client, number = boto3.client("dynamodb"), uuid4().hex[:8]
    for table in (f"a-{number}", f"b-{number}"):
        client.create_table(TableName=table, **KEY)
    put(f"a-{number}", "k", 1)
    assert run("migrate", f"dynamodb://a-{number}", f"dynamodb://b-{number}").code == 0
    ran = run("follow", f"b-{number}")
    assert ran.code == 0
    assert "it is complete" in ran.out
