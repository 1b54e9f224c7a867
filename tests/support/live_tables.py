"""Tables that an app writes to all the time, and what people type to move it to another one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from dataware.aws import Account
from dataware.cli.context import make_context
from dataware.cli.process.freeze_hooks import FileGate, ShellHooks
from dataware.cli.transport import make_wire
from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.events import Event
from dataware.core.follow import cutover_loop, loop
from dataware.core.follow.cutover import CutoverState
from dataware.core.model import Location, Marker, MarkerState
from dataware.embedded import EmbeddedAws, StreamSettings
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow import follow_run
from dataware.ops.follow.cut_over import cut_over, find_followed
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.follow import follow
from dataware.ops.follow.undo import find_undoable, undo
from dataware.ops.follow.undo_run import UndoConflict
from dataware.ops.migrate_by_hand import migrate
from dataware.state.cutover_records import read_cutover

KEY: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
FOLLOW = CopySettings(follow=True)
FREEZE = "touch {frozen}; while [ -e {frozen}.busy ]; do sleep 0.02; done"
"""Stops the writers, and ends once what they have under way has arrived."""
TABLE = "AWS::DynamoDB::Table"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose shards roll over and split all the time."""
    with EmbeddedAws(streams=StreamSettings(shard_records=40)) as server:
        yield server


@contextmanager
def busy(frozen: Path) -> Iterator[bool]:
    """Whether an app may write until the end of the context, which a freeze waits for."""
    mark = Path(f"{frozen}.busy")
    mark.touch()
    try:
        yield not frozen.exists()
    finally:
        mark.unlink()


@dataclass
class App:
    """An app that writes to its table all the time, but while the file `frozen` exists.

    A write that may be under way keeps the file `frozen` with `.busy` behind it.
    """

    client: Any
    table: str
    frozen: Path
    writes: int = 0

    def run(self, ended: threading.Event) -> None:
        """Write, until the end."""
        while not ended.is_set():
            with busy(self.frozen) as is_free:
                if is_free:
                    self._write()
            time.sleep(0.01)

    def _write(self) -> None:
        self.writes += 1
        key = {"pk": {"S": f"k{self.writes % 70}"}}
        if self.writes % 5:
            item = {**key, "v": {"N": str(self.writes)}}
            self.client.put_item(TableName=self.table, Item=item)
        else:
            self.client.delete_item(TableName=self.table, Key=key)


class Live:
    """A source that is written to, a target, and what people type."""

    def __init__(self, folder: Path) -> None:
        self.client = boto3.client("dynamodb")
        number = uuid4().hex[:8]
        self.source, self.target = f"source-{number}", f"target-{number}"
        self.client.create_table(TableName=self.source, StreamSpecification=ON, **KEY)
        self.client.create_table(TableName=self.target, **KEY)
        self.frozen, self.new_frozen = folder / "frozen", folder / "new-frozen"
        self.app = App(self.client, self.source, self.frozen)
        self.events: list[Event] = []

    def context(self, stop: threading.Event, told: list[Event] | None = None) -> Context:
        """The outside, as commands have it; `told` is what that terminal shows."""
        account = Account.open(make_wire)
        events = self.events if told is None else told
        return make_context(account, events.append, stop.is_set, strict=False)

    def follow_for_a_while(self) -> None:
        """Follow until the copy is done and changes are carried."""
        stop = threading.Event()
        context = self.context(stop)

        def stop_soon() -> None:
            while not any(one.code == "following" for one in self.events):
                time.sleep(0.05)
            time.sleep(0.3)
            stop.set()

        threading.Thread(target=stop_soon, daemon=True).start()
        with pytest.raises(IncompleteError, match="stopped following"):
            follow(context, TABLE, *self.places(context), FOLLOW)

    def places(self, context: Context) -> tuple[Location, Location]:
        """Both sides."""
        aws = context.aws
        source, target = (
            Location(name, aws.account, aws.region) for name in (self.source, self.target)
        )
        return source, target

    def cut_over(
        self,
        freeze: str = FREEZE,
        *,
        limit: float = 60.0,
        watch: float = 0.5,
        postpone: Path | None = None,
        by_hand: bool = False,
        max_rate: float | None = None,
        enable_undo: bool = False,
        await_approval: bool = False,
    ) -> None:
        """Cut over, as the command does."""
        context = self.context(threading.Event())
        find_followed(context, self.target)
        settings = self.settings(
            freeze, limit, watch, postpone, by_hand=by_hand, enable_undo=enable_undo
        )
        settings = replace(settings, await_approval=await_approval)
        copying = replace(FOLLOW, max_rate=max_rate)
        cut_over(context, TABLE, self.places(context), copying, settings)

    def settings(
        self,
        freeze: str = "touch {frozen}",
        limit: float = 60.0,
        watch: float = 0.5,
        postpone: Path | None = None,
        *,
        by_hand: bool = False,
        enable_undo: bool = False,
    ) -> CutoverSettings:
        """What people say about how to cut over."""
        thaw = f"rm -f {self.frozen}; echo >> {self.frozen}.thawed"
        hooks = ShellHooks(None, None, 10)
        if not by_hand:
            hooks = ShellHooks(freeze.format(frozen=self.frozen), thaw, 10)
        return CutoverSettings(
            hooks,
            FileGate(postpone, None),
            limit,
            watch,
            by_hand=by_hand,
            enable_undo=enable_undo,
        )

    def undo(self, on_conflict: UndoConflict | None = None, freeze: str = FREEZE) -> None:
        """Go back, as the command does; the app of the target rests while `new_frozen` exists."""
        context = self.context(threading.Event())
        found = find_undoable(context, self.target)
        hooks = ShellHooks(freeze.format(frozen=self.new_frozen), f"rm -f {self.new_frozen}", 10)
        settings = CutoverSettings(hooks, FileGate(None, None), 60.0, 0.0)
        undo(context, found, self.places(context), settings, FOLLOW, on_conflict)

    @property
    def thaws(self) -> int:
        """How often the app was let go on."""
        path = Path(f"{self.frozen}.thawed")
        return len(path.read_text().splitlines()) if path.exists() else 0

    def marker(self) -> Marker:
        """The record."""
        return self.context(threading.Event()).markers.get("dynamodb-table", self.target)

    def content(self, table: str) -> dict[str, Any]:
        """What a table holds."""
        pages = self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return {item["pk"]["S"]: item for page in pages for item in page["Items"]}

    def assert_no_copy_after_the_switch(self) -> None:
        """What the app deletes in the target does not come back by a copy of the source."""
        key = sorted(self.content(self.target))[0]
        self.client.delete_item(TableName=self.target, Key={"pk": {"S": key}})
        context = self.context(threading.Event())
        with pytest.raises(RefusedError, match="in use since the cut-over"):
            migrate(context, TABLE, *self.places(context), CopySettings())
        follow(context, TABLE, *self.places(context), FOLLOW)
        assert self.events[-1].code == "nothing-to-do"
        assert key not in self.content(self.target)

    def assert_switched(self) -> None:
        """Both sides are equal, and the record says so."""
        assert self.content(self.source) == self.content(self.target) != {}
        marker = self.marker()
        assert marker.state is MarkerState.COMPLETE
        assert read_cutover(marker.detail).state in (
            CutoverState.SWITCHED,
            CutoverState.REVERSIBLE,
        )


@pytest.fixture
def live(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Live]:
    """Both tables, and the app that writes to the first, which is followed already."""
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.05)
    for module in (follow_run, loop):
        monkeypatch.setattr(module, "UNKNOWN_OUTCOME_SECONDS", 2.0)
    monkeypatch.setattr(cutover_loop, "LEAST_SETTLE_SECONDS", 0.5)
    monkeypatch.setattr(cutover_loop, "MOST_SETTLE_SECONDS", 2.0)
    live, ended = Live(tmp_path), threading.Event()
    thread = threading.Thread(target=live.app.run, args=(ended,))
    thread.start()
    try:
        live.follow_for_a_while()
        yield live
    finally:
        ended.set()
        thread.join()
