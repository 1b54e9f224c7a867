"""A bucket that is written to all the time is cut over by its listings, and goes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from dataware.aws import Account
from dataware.cli.context import make_context
from dataware.cli.process.freeze_hooks import FileGate, ShellHooks
from dataware.cli.transport import make_wire
from dataware.core.errors import IncompleteError, InputError, RefusedError, SidesDifferError
from dataware.core.events import Event
from dataware.core.follow import cutover_loop, loop
from dataware.core.follow.cutover import CutoverState
from dataware.core.model import Location, MarkerState
from dataware.embedded import EmbeddedAws
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow import follow_run
from dataware.ops.follow.after_switch import find_switched, watch
from dataware.ops.follow.cut_over import cut_over, find_followed
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.follow import follow
from dataware.ops.follow.undo import find_undoable, report_undo, undo
from dataware.ops.follow.undo_run import UndoConflict
from dataware.state.cutover_records import read_cutover
from support.live_tables import FREEZE, busy

FOLLOW = CopySettings(follow=True)
TYPE = "AWS::S3::Bucket"


class LiveBuckets:
    """A source, a target, an app that writes to one of them, and what people type."""

    def __init__(self, folder: Path) -> None:
        self.client = boto3.client("s3")
        number = uuid4().hex[:8]
        self.source, self.target = f"source-{number}", f"target-{number}"
        for name in (self.source, self.target):
            self.client.create_bucket(Bucket=name)
        for n in range(40):
            self.put(self.source, f"k{n}", b"0")
        self.frozen = folder / "frozen"
        self.events: list[Event] = []

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object."""
        self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def content(self, bucket: str) -> dict[str, bytes]:
        """What a bucket holds."""
        listed = self.client.list_objects_v2(Bucket=bucket).get("Contents", ())
        return {
            one["Key"]: self.client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for one in listed
        }

    def context(self) -> Context:
        """The outside, as commands have it."""
        account = Account.open(make_wire)
        return make_context(account, self.events.append, self.stop.is_set, strict=False)

    stop = threading.Event()

    def places(self, context: Context) -> tuple[Location, Location]:
        """Both sides."""
        aws = context.aws
        return (
            Location(self.source, aws.account, aws.region),
            Location(self.target, aws.account, aws.region),
        )

    @contextmanager
    def app(self, bucket: str) -> Iterator[None]:
        """An app that writes and deletes all the time, but while `frozen` exists."""
        ended = threading.Event()

        def run() -> None:
            number = 0
            while not ended.wait(0.02):
                with busy(self.frozen) as is_free:
                    number += is_free
                    if is_free and number % 5:
                        self.put(bucket, f"k{number % 30}", b"%d" % number)
                    elif is_free:
                        self.client.delete_object(Bucket=bucket, Key=f"k{number % 30}")

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def follow_for_a_while(self, code: str = "following") -> None:
        """Follow until the copy is done and changes are carried, and until `code` was told."""
        self.stop = stop = threading.Event()
        context = self.context()

        def stop_soon() -> None:
            while not any(one.data.get("phase") == "following" for one in list(self.events)):
                time.sleep(0.05)
            while code not in [one.code for one in list(self.events)]:
                time.sleep(0.05)
            time.sleep(0.5)
            stop.set()

        threading.Thread(target=stop_soon, daemon=True).start()
        with pytest.raises(IncompleteError, match="stopped following"):
            follow(context, TYPE, *self.places(context), FOLLOW)
        self.stop = threading.Event()

    def settings(self, watch: float = 0.5) -> CutoverSettings:
        """What people say about how to cut over."""
        freeze = FREEZE.format(frozen=self.frozen)
        hooks = ShellHooks(freeze, f"rm -f {self.frozen}", 10)
        return CutoverSettings(hooks, FileGate(None, None), 60.0, watch)

    def cut_over(self, watch: float = 0.5) -> None:
        """Cut over, as the command does."""
        context = self.context()
        find_followed(context, self.target)
        cut_over(context, TYPE, self.places(context), FOLLOW, self.settings(watch))

    def undo(self, on_conflict: UndoConflict | None = None) -> None:
        """Go back, as the command does."""
        context = self.context()
        found = find_undoable(context, self.target)
        report_undo(context, found, self.places(context))
        undo(context, found, self.places(context), self.settings(), FOLLOW, on_conflict)

    def state(self) -> tuple[MarkerState, CutoverState]:
        """What the record says."""
        marker = self.context().markers.get("s3-bucket", self.target)
        return marker.state, read_cutover(marker.detail).state


@pytest.fixture
def buckets(
    aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> LiveBuckets:
    """Both buckets, of which the first is followed already."""
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.05)
    monkeypatch.setattr("dataware.ops.follow.difference.LEAST_PAUSE", 0.1)
    for module in (follow_run, loop):
        monkeypatch.setattr(module, "UNKNOWN_OUTCOME_SECONDS", 2.0)
    monkeypatch.setattr(cutover_loop, "LEAST_SETTLE_SECONDS", 0.5)
    return LiveBuckets(tmp_path)


def test_a_bucket_that_is_written_to_is_switched_watched_and_goes_back(
    buckets: LiveBuckets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One evening: equal at the switch, a stray named by a listing, and back by versions."""
    with buckets.app(buckets.source):
        buckets.follow_for_a_while()
        buckets.cut_over()
    assert buckets.content(buckets.source) == buckets.content(buckets.target) != {}
    assert buckets.state()[0] is MarkerState.COMPLETE
    assert not [one for one in buckets.events if one.code in ("stray-keys", "stray-gap")]
    buckets.frozen.unlink()

    with pytest.raises(RefusedError, match="keeps no versions"):
        buckets.undo()
    on = {"Status": "Enabled"}
    buckets.client.put_bucket_versioning(Bucket=buckets.source, VersioningConfiguration=on)
    buckets.put(buckets.source, "stray", b"behind the switch")
    buckets.client.delete_object(Bucket=buckets.source, Key="k35")
    context = buckets.context()
    found = find_switched(context, buckets.target)
    with pytest.raises(SidesDifferError, match="2 keys of"):
        watch(context, found, buckets.places(context), 0.2)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("DATAWARE_STATE", str(tmp_path / "elsewhere"))
        with pytest.raises(InputError, match="no record on this machine"):
            watch(context, found, buckets.places(context), 0.2)

    with buckets.app(buckets.target):
        time.sleep(0.4)
        buckets.put(buckets.target, "only new", b"new")
        buckets.client.delete_object(Bucket=buckets.target, Key="k39")
        buckets.undo()
    old, new = buckets.content(buckets.source), buckets.content(buckets.target)
    assert {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} == {
        *("stray", "k35")
    }
    assert "only new" in old
    assert "k39" not in old
    assert old["stray"] == b"behind the switch"
    assert buckets.state() == (MarkerState.RUNNING, CutoverState.FOLLOWING)


def test_a_strangers_object_in_the_target_ends_a_cut_over_before_anybody_is_stopped(
    buckets: LiveBuckets,
) -> None:
    """Both sides could never be equal, so nobody waits for it."""
    buckets.follow_for_a_while()
    buckets.put(buckets.target, "theirs", b"stranger")
    with pytest.raises(IncompleteError, match=r"1 key of the target hold"):
        buckets.cut_over()
    assert not buckets.frozen.exists()
    assert buckets.content(buckets.target)["theirs"] == b"stranger"


def test_what_both_sides_wrote_to_a_bucket_is_left_to_a_person(buckets: LiveBuckets) -> None:
    """Kept, it stays as the old side has it."""
    buckets.follow_for_a_while()
    buckets.cut_over()
    on = {"Status": "Enabled"}
    buckets.client.put_bucket_versioning(Bucket=buckets.source, VersioningConfiguration=on)
    buckets.put(buckets.source, "k1", b"old")
    buckets.put(buckets.target, "k1", b"new")
    buckets.put(buckets.target, "k2", b"new")
    with pytest.raises(RefusedError, match="on both sides"):
        buckets.undo()
    buckets.undo(UndoConflict.KEEP)
    old = buckets.content(buckets.source)
    assert (old["k1"], old["k2"]) == (b"old", b"new")


def test_what_cannot_be_carried_back_is_no_conflict_that_a_person_decides(
    buckets: LiveBuckets,
) -> None:
    """An archived object cannot be read, so no decision makes the way back complete."""
    buckets.follow_for_a_while()
    buckets.cut_over()
    buckets.frozen.unlink()
    on = {"Status": "Enabled"}
    buckets.client.put_bucket_versioning(Bucket=buckets.source, VersioningConfiguration=on)
    archived = {"Bucket": buckets.target, "Key": "archived", "Body": b"only here"}
    buckets.client.put_object(**archived, StorageClass="GLACIER")
    buckets.put(buckets.target, "both", b"new")
    buckets.put(buckets.source, "both", b"old")
    for decision in (None, UndoConflict.KEEP):
        with pytest.raises(IncompleteError, match=r"1 key cannot be carried, such as archived"):
            buckets.undo(decision)
        assert buckets.state() == (MarkerState.COMPLETE, CutoverState.REVERSIBLE)
        assert not buckets.frozen.exists()
    buckets.client.put_object(**archived)
    buckets.undo(UndoConflict.KEEP)
    old = buckets.content(buckets.source)
    assert (old["archived"], old["both"]) == (b"only here", b"old")


def test_a_bucket_that_went_back_is_followed_and_cut_over_again(buckets: LiveBuckets) -> None:
    """What the way back carried is on both sides, so the next follow takes it for its own."""
    buckets.follow_for_a_while()
    buckets.cut_over()
    on = {"Status": "Enabled"}
    buckets.client.put_bucket_versioning(Bucket=buckets.source, VersioningConfiguration=on)
    buckets.put(buckets.target, "k1", b"new")
    buckets.put(buckets.target, "k3", b"new")
    buckets.put(buckets.target, "fresh", b"new")
    buckets.client.delete_object(Bucket=buckets.target, Key="k2")
    buckets.undo()
    buckets.frozen.unlink()
    for key in ("k1", "fresh", "k2"):
        buckets.put(buckets.source, key, b"again")
    buckets.client.delete_object(Bucket=buckets.source, Key="k3")
    buckets.put(buckets.target, "k4", b"stranger")
    buckets.put(buckets.source, "k4", b"again")
    buckets.events.clear()
    buckets.follow_for_a_while("skipped")
    assert [one.data["key"] for one in buckets.events if one.code == "skipped"] == ["k4"]
    assert buckets.content(buckets.target)["k4"] == b"stranger"
    buckets.client.delete_object(Bucket=buckets.target, Key="k4")
    buckets.put(buckets.source, "k4", b"once more")
    buckets.cut_over()
    new = buckets.content(buckets.target)
    assert new == buckets.content(buckets.source)
    assert "k3" not in new
