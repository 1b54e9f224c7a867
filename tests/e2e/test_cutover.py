"""A table that is written to all the time is cut over: equal, complete, and never open twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from dataware.cli.process.freeze_hooks import ShellHooks
from dataware.core.errors import IncompleteError, InputError, RefusedError, SidesDifferError
from dataware.core.events import Event
from dataware.core.follow.cutover import CutoverState
from dataware.core.model import Marker, MarkerState
from dataware.ops.follow.approve import approve
from dataware.ops.follow.cut_over import find_followed
from dataware.ops.status import status
from dataware.state import ParameterMarkers
from dataware.state.cutover_records import read_cutover
from dataware.state.journal import journal_path
from support.live_tables import Live, live, server

__all__ = ["live", "server"]


def test_what_cannot_be_cut_over_is_refused(live: Live) -> None:
    """Nothing on record, a migration that is not followed, or one that goes on."""
    context = live.context(threading.Event())
    with pytest.raises(InputError, match="no migration into nothing-here"):
        find_followed(context, "nothing-here")
    for kind, detail, error in (
        ("dynamodb-table", {}, "is not followed"),
        ("dynamodb-table", {"followed": True}, "stop it with Ctrl-C"),
    ):
        name = f"other-{uuid4().hex[:8]}"
        record = Marker(MarkerState.RUNNING, "source", "run", None, detail=detail)
        context.markers.begin(kind, name, record)
        with pytest.raises((InputError, RefusedError), match=error):
            find_followed(context, name)


def test_a_table_that_is_written_to_is_switched_and_equal(live: Live) -> None:
    """The writers rest for as long as the drain takes, and nothing of theirs is missing."""
    live.cut_over()
    live.assert_switched()
    assert live.frozen.exists()
    assert live.thaws == 0
    (switched,) = [one for one in live.events if one.code == "cut-over"]
    assert switched.data["source"] == live.source
    with pytest.raises(RefusedError, match="is complete, so nothing is left"):
        live.cut_over()
    live.assert_no_copy_after_the_switch()


def test_a_freeze_that_fails_lets_the_writers_go_on_and_is_tried_again(live: Live) -> None:
    """The command says why, the follow goes on, and the next cut-over succeeds."""
    with pytest.raises(IncompleteError, match=r"ended with 3: no way.*open to its writers again"):
        live.cut_over("touch {frozen}; echo no way >&2; exit 3")
    assert not live.frozen.exists()
    assert live.thaws == 1
    marker = live.marker()
    assert marker.state is MarkerState.RUNNING
    assert read_cutover(marker.detail).state is CutoverState.FOLLOWING
    live.cut_over()
    live.assert_switched()


def test_a_freeze_that_stops_nobody_ends_at_the_limit(live: Live) -> None:
    """Writers that go on are seen in the feed, so nothing is switched."""
    with pytest.raises(IncompleteError, match="frozen for 2 s, which is the limit"):
        live.cut_over("true", limit=2.0)
    assert live.thaws == 1
    assert live.marker().state is MarkerState.RUNNING


def test_whoever_writes_behind_the_switch_is_named(live: Live) -> None:
    """Their keys are told, and the command does not end well."""

    class StrayWriter(list[Event]):
        def append(self, one: Event) -> None:
            """Write as soon as the switch is told of, before anybody looks for strays."""
            super().append(one)
            if one.code == "cut-over":
                item = {"pk": {"S": "forgotten"}, "v": {"N": "1"}}
                live.client.put_item(TableName=live.source, Item=item)

    live.events = StrayWriter()
    with pytest.raises(SidesDifferError, match=r"1 key of .* changed after the switch"):
        live.cut_over(watch=3.0)
    (stray,) = [one for one in live.events if one.code == "stray-keys"]
    assert "forgotten" in str(stray.data["keys"])
    assert live.marker().state is MarkerState.COMPLETE


def test_killed_while_it_freezes_the_next_cutover_goes_on(live: Live, tmp_path: Path) -> None:
    """kill -9 in the middle of the freeze: the record says that the source may be frozen."""
    command = [
        *(sys.executable, "-m", "dataware", "cutover", live.target),
        *("--freeze", f"touch {live.frozen}; kill -9 $PPID", "--thaw", f"rm -f {live.frozen}"),
    ]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert read_cutover(live.marker().detail).state is CutoverState.FROZEN
    live.events.clear()
    live.follow_for_a_while()
    assert read_cutover(live.marker().detail).state is CutoverState.FROZEN
    (warning,) = [one.text() for one in live.events if one.code == "warning"]
    assert "may have stopped the writers" in warning
    status(live.context(threading.Event()), live.target)
    assert "writers may be stopped" in live.events[-1].text()
    assert "'state': 'frozen'" in str(live.events[-1].data["cutover"])
    live.cut_over()
    assert [one for one in live.events if one.code == "freezing"]
    live.assert_switched()


def test_whoever_interrupts_the_freeze_at_once_is_told_of_the_writers(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second Ctrl-C waits for nothing, not even for the writers to go on."""

    def interrupt(_: ShellHooks) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ShellHooks, "freeze", interrupt)
        live.cut_over()
    (warning,) = [one.text() for one in live.events if one.code == "warning"]
    assert "may still be stopped" in warning
    assert live.thaws == 0
    live.cut_over()
    live.assert_switched()


def test_a_file_and_an_approval_postpone_the_freeze(live: Live, tmp_path: Path) -> None:
    """While one is waited for changes are carried, and the writers go on."""
    postpone = tmp_path / "wait"
    postpone.touch()
    before, context = live.app.writes, live.context(threading.Event(), told := [])

    def let_go() -> None:
        while live.app.writes <= before + 20:
            time.sleep(0.05)
        postpone.unlink()

    threading.Thread(target=let_go, daemon=True).start()

    def say_yes() -> None:
        while not (shown := [one.text() for one in live.events if "--approve" in one.text()]):
            time.sleep(0.05)
        markers = ParameterMarkers(context.aws, context.clock)
        token = shown[0].rpartition(" ")[2].rstrip("`")
        approve(context, markers, live.target, token, "desk")

    thread = threading.Thread(target=say_yes, daemon=True)
    thread.start()
    live.cut_over(postpone=postpone, await_approval=True)
    thread.join()
    assert [one.text() for one in live.events if one.text() == "Approved on desk"]
    assert told[-1].text().startswith("Approved the cut-over")
    assert not postpone.exists()
    assert live.app.writes > before + 20
    live.assert_switched()


def test_a_gap_is_told_and_the_rate_is_kept_while_it_is_cut_over(live: Live) -> None:
    """As by a follow: both sides are compared, and what differs is carried no faster than asked."""
    live.frozen.touch()
    for number in range(60):
        item = {"pk": {"S": f"away-{number}"}, "v": {"N": "1"}}
        live.client.put_item(TableName=live.source, Item=item)
    aws = live.context(threading.Event()).aws
    journal = journal_path(aws.account, aws.region, "dynamodb-table", live.target)
    for path in journal.parent.glob(f"{journal.stem}.follow*"):
        path.unlink()
    began = time.monotonic()
    live.cut_over(max_rate=15.0)
    assert time.monotonic() - began >= 4.0
    (gap,) = [one for one in live.events if one.code == "feed-gap"]
    assert "not on this machine" in str(gap.data["why"])
    assert [one for one in live.events if one.code == "feed-gap-closed"]
    live.assert_switched()


def test_writers_that_were_stopped_by_hand_are_not_said_to_go_on(live: Live) -> None:
    """Nobody but the person who stopped them can start them."""
    with pytest.raises(IncompleteError, match="restart them by hand") as raised:
        live.cut_over(limit=1.0, by_hand=True)
    assert "open to its writers again" not in str(raised.value)
    assert live.marker().state is MarkerState.RUNNING
