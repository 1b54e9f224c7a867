"""A cut-over is undone: what was written since comes back, and nothing is guessed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import boto3
import pytest

from dataware.cli.process.freeze_hooks import FileGate
from dataware.core.errors import IncompleteError, InputError, RefusedError, SidesDifferError
from dataware.core.follow.cutover import CutoverRecord, CutoverState
from dataware.core.model import MarkerState
from dataware.ops.follow.after_switch import close, find_switched, watch
from dataware.ops.follow.cut_over import cut_over
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.follow import follow
from dataware.ops.follow.undo import find_undoable, undo
from dataware.ops.follow.undo_run import UndoConflict
from dataware.state import ParameterMarkers
from dataware.state.cutover_records import CompleteCutoverRecords, read_cutover
from dataware.state.marker_value import parameter_name
from support.live_tables import FOLLOW, TABLE, App, Live, live, server

__all__ = ["live", "server"]


@contextmanager
def target_in_use(live: Live) -> Iterator[None]:
    """The app of the target, which rests while `new_frozen` exists."""
    ended = threading.Event()
    app = App(live.client, live.target, live.new_frozen, writes=10_000)
    thread = threading.Thread(target=app.run, args=(ended,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def put(live: Live, table: str, key: str, value: int) -> None:
    """Write an item."""
    live.client.put_item(TableName=table, Item={"pk": {"S": key}, "v": {"N": str(value)}})


@pytest.mark.parametrize("has_stream", [True, False], ids=["stream", "comparing"])
def test_what_was_written_since_the_switch_comes_back_with_its_deletes(
    live: Live, has_stream: bool
) -> None:
    """Then the old table is in use, the record says so, and a follow may begin anew."""
    live.cut_over(enable_undo=has_stream)
    assert bool(live.marker().detail.get("undo_feed")) == has_stream
    put(live, live.target, "only new", 1)
    with target_in_use(live):
        time.sleep(0.5)
        assert live.content(live.source) != live.content(live.target)
        live.undo()
    assert live.new_frozen.exists()
    assert live.content(live.source) == live.content(live.target) != {}
    assert "only new" in live.content(live.source)
    marker = live.marker()
    assert (marker.state, marker.alive) == (MarkerState.RUNNING, False)
    assert read_cutover(marker.detail).state is CutoverState.FOLLOWING
    described = live.client.describe_table(TableName=live.target)["Table"]
    assert not described.get("StreamSpecification", {}).get("StreamEnabled")
    with pytest.raises(InputError, match="is not cut over"):
        live.undo()
    live.frozen.unlink()
    time.sleep(0.3)
    live.events.clear()
    live.follow_for_a_while()
    live.cut_over()
    live.assert_switched()


def test_keys_that_both_sides_wrote_are_named_and_left_to_a_person(live: Live) -> None:
    """Without a decision nothing is switched; each decision does what it says."""
    live.cut_over(enable_undo=True)
    put(live, live.target, "both", 1)
    put(live, live.source, "both", 2)
    put(live, live.target, "new", 3)
    put(live, live.source, "old", 4)
    for side in (live.source, live.target):
        put(live, side, "gone", 5)
        live.client.delete_item(TableName=side, Key={"pk": {"S": "gone"}})
    for _ in range(2):
        live.events.clear()
        with pytest.raises(RefusedError, match=r"1 key .*both sides.*--on-conflict keep"):
            live.undo()
    assert [one.data["key"] for one in live.events if one.code == "skipped"] == [
        '{"pk":{"S":"both"}}'
    ]
    assert not live.new_frozen.exists()
    marker = live.marker()
    assert marker.state is MarkerState.COMPLETE
    assert read_cutover(marker.detail).state is CutoverState.REVERSIBLE
    assert live.content(live.source)["both"]["v"] == {"N": "2"}
    live.undo(UndoConflict.KEEP)
    old, new = live.content(live.source), live.content(live.target)
    assert [old[key]["v"]["N"] for key in ("both", "new", "old")] == ["2", "3", "4"]
    assert {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} == {
        "both",
        "old",
    }


def test_a_decision_for_the_new_side_replaces_what_both_wrote_and_nothing_else(live: Live) -> None:
    """What only the old side has changed stays; also where an earlier undo has heard of it all."""
    live.cut_over(enable_undo=True)
    put(live, live.target, "both", 1)
    put(live, live.source, "both", 2)
    put(live, live.source, "old", 4)
    put(live, live.source, "gone", 5)
    live.client.put_item(TableName=live.target, Item={"pk": {"S": "gone"}})
    live.client.delete_item(TableName=live.target, Key={"pk": {"S": "gone"}})
    live.events.clear()
    with pytest.raises(RefusedError, match=r"keys .*both sides"):
        live.undo()
    live.undo(UndoConflict.REPLACE)
    old = live.content(live.source)
    assert [old[key]["v"]["N"] for key in ("both", "old")] == ["1", "4"]
    assert "gone" not in old


def test_killed_while_it_freezes_the_next_undo_goes_on_and_nothing_else_may(live: Live) -> None:
    """kill -9: the record says which side holds the data, and everything else refuses."""
    live.cut_over(enable_undo=True)
    put(live, live.target, "new", 1)
    command = [
        *(sys.executable, "-m", "dataware", "undo", live.target, "--yes"),
        *("--freeze", f"touch {live.new_frozen}; kill -9 $PPID", "--thaw", f"rm {live.new_frozen}"),
    ]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert read_cutover(live.marker().detail).state is CutoverState.UNDO_FROZEN
    context = live.context(threading.Event())
    with pytest.raises(RefusedError, match="is being undone"):
        follow(context, TABLE, *live.places(context), FOLLOW)
    live.undo()
    assert live.content(live.source)["new"]["v"] == {"N": "1"}
    assert read_cutover(live.marker().detail).state is CutoverState.FOLLOWING


def test_a_freeze_that_fails_lets_the_writers_go_on_with_the_target(live: Live) -> None:
    """The record says complete again, and the same command tries again."""
    live.cut_over()
    with pytest.raises(
        IncompleteError, match=r"no way.*is open to its writers, so nothing is lost"
    ):
        live.undo(freeze="touch {frozen}; echo no way; exit 3")
    assert not live.new_frozen.exists()
    marker = live.marker()
    assert marker.state is MarkerState.COMPLETE
    assert read_cutover(marker.detail).state is CutoverState.REVERSIBLE


def test_an_undo_that_loses_its_record_names_the_writers_that_it_has_stopped(live: Live) -> None:
    """Both sides are closed then, and only people can open one."""
    live.cut_over()
    context = live.context(threading.Event())
    name = parameter_name("dynamodb-table", live.target)

    class LosesRecord:
        def freeze(self) -> None:
            boto3.client("ssm").delete_parameter(Name=name)

        def thaw(self) -> None:
            raise AssertionError("whoever has the record decides")

    settings = CutoverSettings(LosesRecord(), FileGate(None, None), 60.0, 0.0)
    found = find_undoable(context, live.target)
    live.events.clear()
    with pytest.raises(RefusedError, match="its record was removed"):
        undo(context, found, live.places(context), settings, FOLLOW, None)
    (told,) = [one.text() for one in live.events if "still be stopped" in one.text()]
    assert told.startswith(f"the writers of {live.target} may still be stopped; look at")


def test_what_cannot_be_undone_is_refused(live: Live) -> None:
    """Nothing switched, a cut-over that is too old or closed, a watch beside it, no table."""
    with pytest.raises(InputError, match="is not cut over"):
        live.undo()
    live.cut_over()
    context = live.context(threading.Event())
    markers = ParameterMarkers(context.aws, context.clock)
    records = CompleteCutoverRecords(markers, "dynamodb-table", live.target)
    before = records.read()
    records.write(replace(before, reversible_until=context.clock.now() - 60))
    with pytest.raises(RefusedError, match="could be undone until"):
        find_undoable(context, live.target)
    records.write(CutoverRecord(CutoverState.CLOSED))
    with pytest.raises(RefusedError, match="is closed"):
        find_undoable(context, live.target)
    records.write(before)
    watching = context.journals.open("dynamodb-table", live.target)
    with pytest.raises(RefusedError, match="another run has the journal"):
        live.undo()
    watching.close()
    assert read_cutover(live.marker().detail).state is CutoverState.REVERSIBLE
    live.frozen.touch()
    live.client.delete_table(TableName=live.source)
    with pytest.raises(InputError, match="there is no DynamoDB table"):
        live.undo()
    assert live.marker().state is MarkerState.COMPLETE


def test_the_watch_goes_on_where_the_cut_over_ended_and_close_ends_it(live: Live) -> None:
    """Strays between both are named, "closed" is written, and the streams are as they were."""
    live.cut_over(enable_undo=True)
    put(live, live.source, "stray", 1)
    context = live.context(threading.Event())
    found = find_switched(context, live.target)
    with pytest.raises(SidesDifferError, match=r"1 key of .* changed after the switch"):
        watch(context, found, live.places(context), 0.3)
    assert read_cutover(live.marker().detail).strays == 1
    put(live, live.source, "another", 1)
    found = find_switched(context, live.target)
    with pytest.raises(SidesDifferError, match="run the same command again"):
        close(context, found, live.places(context))
    close(context, find_switched(context, live.target), live.places(context))
    assert read_cutover(live.marker().detail).state is CutoverState.CLOSED
    enabled = [
        live.client.describe_table(TableName=name)["Table"].get("StreamSpecification", {})
        for name in (live.source, live.target)
    ]
    assert [one.get("StreamEnabled", False) for one in enabled] == [True, False]
    with pytest.raises(RefusedError, match="is closed"):
        find_undoable(context, live.target)
    watch(context, find_switched(context, live.target), live.places(context), 0.3)
    assert "is closed, so nothing is watched" in live.events[-1].text()
    close(context, find_switched(context, live.target), live.places(context))


def test_a_watch_ends_by_itself_when_the_time_of_the_way_back_is_over(live: Live) -> None:
    """The record says closed then."""
    live.cut_over()
    context = live.context(threading.Event())
    records = CompleteCutoverRecords(
        ParameterMarkers(context.aws, context.clock), "dynamodb-table", live.target
    )
    records.write(replace(records.read(), reversible_until=context.clock.now() + 0.5))
    watch(context, find_switched(context, live.target), live.places(context), None)
    assert records.read().state is CutoverState.CLOSED


def test_what_was_found_before_another_process_went_on_is_looked_at_again(live: Live) -> None:
    """Between the look and the work a person is asked, or a lock is waited for."""
    live.cut_over()
    context = live.context(threading.Event())
    key = sorted(live.content(live.target))[0]
    live.client.delete_item(TableName=live.target, Key={"pk": {"S": key}})
    with pytest.raises(RefusedError, match="in use since the cut-over"):
        cut_over(context, TABLE, live.places(context), FOLLOW, live.settings())
    assert key not in live.content(live.target)
    found = find_undoable(context, live.target)
    live.undo()
    live.frozen.unlink()
    time.sleep(0.3)
    with pytest.raises(InputError, match="is not cut over"):
        undo(context, found, live.places(context), live.settings(), FOLLOW, None)
    assert read_cutover(live.marker().detail).state is CutoverState.FOLLOWING
