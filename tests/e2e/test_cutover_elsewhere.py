"""A cut-over that is typed on one machine while the follow goes on on another."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import DatawareError, IncompleteError
from dataware.core.events import Event
from dataware.core.follow.cutover import CutoverState
from dataware.core.model import MarkerState
from dataware.ops.follow import remote_cutover, request_cutover
from dataware.ops.follow.approve import approve
from dataware.ops.follow.cut_over import find_followed
from dataware.ops.follow.follow import follow
from dataware.ops.follow.request_cutover import ask_follow
from dataware.state import ParameterMarkers, markers
from dataware.state.cutover_records import read_cutover
from support.live_tables import FOLLOW, TABLE, Live, live, server

__all__ = ["live", "server"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both terminals look at the record all the time."""
    for name in ("LOOK_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(remote_cutover, name, 0.1)
    for name in ("LOOK_SECONDS", "BEAT_SECONDS"):
        monkeypatch.setattr(request_cutover, name, 0.1)


@contextmanager
def following(live: Live) -> Iterator[list[BaseException]]:
    """Follow on a thread, until the end of the context; the error that ended it."""
    stop, errors = threading.Event(), list[BaseException]()
    context = live.context(stop)

    def run() -> None:
        try:
            follow(context, TABLE, *live.places(context), FOLLOW)
        except DatawareError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    live.events.clear()
    thread.start()
    try:
        while not any(one.code == "following" for one in live.events):
            time.sleep(0.05)
        yield errors
    finally:
        stop.set()
        thread.join()


def ask(live: Live, freeze: str = "touch {frozen}", *, by_hand: bool = False) -> list[Event]:
    """Type the command elsewhere; what that terminal shows."""
    told: list[Event] = []
    context = live.context(threading.Event(), told)
    followed = find_followed(context, live.target)
    assert followed.is_alive
    assert ask_follow(context, followed, live.settings(freeze, by_hand=by_hand))
    return told


def test_the_follow_switches_and_both_terminals_say_so(live: Live) -> None:
    """The commands run where they were typed, and the follow does everything else."""
    with following(live) as errors:
        told = ask(live)
        live.assert_switched()
    assert errors == []
    for events in (told, live.events):
        (switched,) = [one for one in events if one.code == "cut-over"]
        assert switched.data["name"] == live.target
        assert [one for one in events if one.code == "freezing"]
    assert live.thaws == 0
    assert read_cutover(live.marker().detail).frozen_seconds is not None


def test_a_freeze_that_fails_elsewhere_thaws_there_and_the_follow_goes_on(live: Live) -> None:
    """Then the next request is one as if nothing had been."""
    with following(live):
        with pytest.raises(IncompleteError, match=r"no way.*open to its writers again"):
            ask(live, "touch {frozen}; echo no way; exit 3")
        assert (live.thaws, live.frozen.exists()) == (1, False)
        marker = live.marker()
        assert (marker.alive, read_cutover(marker.detail).state) == (True, CutoverState.FOLLOWING)
        ask(live)
        live.assert_switched()


def test_writers_that_were_stopped_by_hand_need_no_command_but_the_approval(live: Live) -> None:
    """The follow freezes nothing, and waits until another person has said yes."""
    with following(live):
        live.frozen.touch()
        told: list[Event] = []
        context = live.context(threading.Event(), told)

        def say_yes() -> None:
            while not (shown := [one.text() for one in told if "--approve" in one.text()]):
                time.sleep(0.05)
            assert not any(one.code == "cut-over" for one in live.events)
            markers = ParameterMarkers(context.aws, context.clock)
            token = shown[0].rpartition(" ")[2].rstrip("`")
            approve(context, markers, live.target, token, "desk")

        thread = threading.Thread(target=say_yes, daemon=True)
        thread.start()
        settings = replace(live.settings(by_hand=True), await_approval=True)
        assert ask_follow(context, find_followed(context, live.target), settings)
        thread.join()
        live.assert_switched()
    assert "Approved on desk" in [one.text() for one in told]


def test_a_request_that_is_withdrawn_before_the_freeze_changes_nothing(
    live: Live, tmp_path: Path
) -> None:
    """Ctrl-C where it was typed."""
    postpone, stop = tmp_path / "wait", threading.Event()
    postpone.touch()
    with following(live):
        context = live.context(stop)
        threading.Timer(1.0, stop.set).start()
        with pytest.raises(IncompleteError, match="withdr"):
            ask_follow(
                context, find_followed(context, live.target), live.settings(postpone=postpone)
            )
        assert not live.frozen.exists()
    assert live.marker().state is MarkerState.RUNNING


def test_whoever_asked_takes_over_once_the_follow_is_dead(
    live: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed in the middle of the freeze, seen from a machine that knows nothing of its keys."""
    monkeypatch.setattr(markers, "ALIVE_SECONDS", 3.0)
    monkeypatch.setattr(markers.ParameterMarkers.__init__, "__defaults__", (None, 3.0))
    live.events.clear()
    names = [f"dynamodb://{one}" for one in (live.source, live.target)]
    command = [sys.executable, "-m", "dataware", "migrate", *names, "--follow"]
    follower = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while "accepts" not in live.marker().detail or not live.marker().alive:
            assert follower.poll() is None
            time.sleep(0.1)
        monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "elsewhere"))
        context = live.context(threading.Event())
        followed = find_followed(context, live.target)
        freeze = f"touch {{frozen}}; kill -9 {follower.pid}"
        assert not ask_follow(context, followed, live.settings(freeze))
    finally:
        follower.kill()
        follower.wait()
    assert read_cutover(live.marker().detail).state is CutoverState.FROZEN
    with pytest.raises(IncompleteError, match="open to its writers again"):
        live.cut_over()
    assert (live.thaws, live.frozen.exists()) == (1, False)
    live.cut_over()
    live.assert_switched()
