"""A follow that is asked to cut over from another machine: the commands run where it was typed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from dataware.core.errors import (
    IncompleteError,
    LookupFailedError,
    RefusedError,
    ServiceError,
    SidesDifferError,
)
from dataware.core.events import Event
from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.cutover_request import TOPIC, CutoverRequest
from dataware.core.follow.loop import FollowStep
from dataware.core.model import Marker, MarkerState
from dataware.ops.context import Context
from dataware.ops.follow import remote_cutover
from dataware.ops.follow.cut_over import find_followed
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.follow import follow
from dataware.ops.follow.remote_cutover import (
    SILENT_SECONDS,
    CutoverRequestedError,
    RemoteCutover,
    RemoteCutoverFollowRun,
)
from dataware.ops.follow.request_cutover import ask_follow
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import HOOK, OUTCOME
from support.followed_boxes import (
    FOLLOW,
    SLUG,
    TYPE,
    FollowedBoxes,
    Terminal,
    follow_boxes,
    places,
)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """A box of twelve keys, and an empty one."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(12)
    return boxes


class Elsewhere:
    """A follow on a thread, and what its end raised."""

    def __init__(self, boxes: FollowedBoxes) -> None:
        self.boxes, self.stop = boxes, threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            follow(self.boxes.context(self.stop.is_set), TYPE, *places(), FOLLOW)
        except BaseException as error:
            self.error = error


@contextmanager
def following(boxes: FollowedBoxes) -> Iterator[Elsewhere]:
    """A follow that goes on meanwhile."""
    elsewhere = Elsewhere(boxes)
    elsewhere.thread.start()
    deadline = time.monotonic() + 30
    while "following" not in boxes.codes and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        yield elsewhere
    finally:
        elsewhere.stop.set()
        elsewhere.thread.join(30)


def ask(
    boxes: FollowedBoxes,
    settings: CutoverSettings,
    stop: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Ask the follow from another machine; what was told there."""
    told: list[Event] = []
    context = replace(boxes.context(stop, host="far"), emit=told.append)
    assert ask_follow(context, find_followed(context, "new"), settings)
    return [one.text() for one in told]


def test_the_commands_run_where_it_was_typed_and_both_terminals_tell_of_the_switch(
    boxes: FollowedBoxes,
) -> None:
    """The follow ends well, because both sides are switched."""
    terminal = Terminal()
    terminal.on_freeze = lambda: boxes.put("old", "late", "1")
    with following(boxes) as elsewhere:
        told = ask(boxes, terminal.settings())
        elsewhere.thread.join(30)
    assert elsewhere.error is None
    assert terminal.calls == ["freeze"]
    assert boxes.boxes["new"] == boxes.boxes["old"]
    assert boxes.boxes["new"]["late"] == "1"
    assert boxes.marker.state is MarkerState.COMPLETE
    assert told[0].startswith("Asked the follow on ")
    assert "Stopping the writers of old, to switch to new" in told
    assert told[-1].startswith("Switched old → new after ")
    assert any(one.startswith("Cutting over to new, as asked on ") for one in boxes.texts("note"))


def test_a_cut_over_that_is_given_up_is_told_where_it_was_typed_and_the_follow_goes_on(
    boxes: FollowedBoxes,
) -> None:
    """Another request is a new one."""
    terminal = Terminal()

    def fail() -> None:
        raise ServiceError("no such host")

    terminal.on_freeze = fail
    with following(boxes) as elsewhere:
        with pytest.raises(IncompleteError, match="gave up the cut-over, because no such host"):
            ask(boxes, terminal.settings())
        assert terminal.calls == ["freeze", "thaw"]
        assert elsewhere.thread.is_alive()
        boxes.put("old", "k001", "7")
        again = Terminal()
        ask(boxes, again.settings())
        elsewhere.thread.join(30)
    assert again.calls == ["freeze"]
    assert boxes.boxes["new"]["k001"] == "7"
    assert any("because no such host" in text for text in boxes.texts("warning"))


def test_who_stops_the_writers_by_hand_has_no_command_run(boxes: FollowedBoxes) -> None:
    """Whoever asks says that they rest."""
    terminal = Terminal()
    with following(boxes):
        ask(boxes, terminal.settings(by_hand=True))
    assert terminal.calls == []
    assert boxes.marker.state is MarkerState.COMPLETE


def test_a_request_that_is_taken_back_before_the_freeze_leaves_the_follow_as_it_was(
    boxes: FollowedBoxes,
) -> None:
    """Nobody was stopped."""
    terminal, looks = Terminal(), [0]
    terminal.opened = False

    def stop() -> bool:
        looks[0] += 1
        return looks[0] > 40

    with following(boxes) as elsewhere:
        with pytest.raises(IncompleteError, match="withdrew the cut-over; the follow goes on"):
            ask(boxes, terminal.settings(), stop)
        assert elsewhere.thread.is_alive()
    assert terminal.calls == []
    assert boxes.marker.state is MarkerState.RUNNING
    assert not boxes.record.may_be_frozen


def test_a_request_after_one_that_was_taken_back_is_cut_over_by_its_own_words(
    boxes: FollowedBoxes,
) -> None:
    """The commands of the second one have let the writers go on; the first one had none."""
    first, second = Terminal(), Terminal()
    first.opened = False

    def is_heard() -> bool:
        return any("as asked on" in text for text in boxes.texts("note"))

    def fail() -> None:
        raise ServiceError("no such host")

    second.on_freeze = fail
    with following(boxes):
        with pytest.raises(IncompleteError, match="withdrew the cut-over"):
            ask(boxes, first.settings(by_hand=True), is_heard)
        with pytest.raises(IncompleteError, match="old is open to its writers again"):
            ask(boxes, second.settings())
    assert any("was withdrawn; the follow goes on" in text for text in boxes.texts("note"))


def test_strays_are_named_by_the_follow_and_counted_where_it_was_typed(
    boxes: FollowedBoxes,
) -> None:
    """Both end with that; the follow watches for as long as was asked there."""
    boxes.on_event["cut-over"] = lambda: boxes.put("old", "k001", "stray")
    with following(boxes) as elsewhere:
        with pytest.raises(SidesDifferError, match=r"1 key of old changed .*; the follow names"):
            ask(boxes, Terminal().settings(watch=1.0))
        elsewhere.thread.join(30)
    assert isinstance(elsewhere.error, SidesDifferError)


def test_a_follow_that_is_gone_is_told_so_that_this_machine_takes_over(
    boxes: FollowedBoxes,
) -> None:
    """Its lock is free."""
    with following(boxes):
        found = find_followed(boxes.context(), "new")
    told: list[Event] = []
    context = replace(boxes.context(host="far"), emit=told.append)
    assert not ask_follow(context, found, Terminal().settings())
    assert "The follow there is gone: continuing here" in told[-1].text()


class Keeper:
    """Keeps a lease without a thread; `answers` are done within the next beats."""

    def __init__(self, lease: ParameterLease) -> None:
        self.lease = lease
        self.detail: dict[str, Any] = {}
        self.beats = 0
        self.on_beat: Callable[[], None] = lambda: None
        self.is_lost = False

    def publish(self, detail: Mapping[str, Any]) -> None:
        """What the next beat says."""
        self.detail.update(detail)

    def send_heartbeat(self) -> None:
        """Beat."""
        self.beats += 1
        self.lease.send_heartbeat(self.detail)
        self.on_beat()

    def check(self) -> None:
        """Whether the lock is held."""
        if self.is_lost:
            raise RefusedError("another run has the lock")


class Asked:
    """A held lock, a request that others write into its record, and a clock."""

    def __init__(self, boxes: FollowedBoxes) -> None:
        self.boxes, self.now = boxes, 100.0
        marker = Marker(MarkerState.RUNNING, "old", "run-1", batches=True)
        self.keeper = Keeper(boxes.markers_of().begin(SLUG, "new", marker))
        self.asked = RemoteCutover(cast("LeaseKeeper", self.keeper), lambda: self.now)
        self.request = CutoverRequest("id-1", "far", 20.0)

    def send(self, **changes: Any) -> None:
        """Write the request."""
        self.request = replace(self.request, **changes)
        self.boxes.markers_of("far").ask(SLUG, "new", TOPIC, self.request.to_json())


@pytest.fixture
def asked(boxes: FollowedBoxes) -> Asked:
    """A run that is asked by others."""
    return Asked(boxes)


def test_a_request_is_seen_at_the_next_look_and_not_before(asked: Asked) -> None:
    """Each look is a call of the service."""
    assert asked.asked.look(5.0) is None
    asked.send()
    asked.now += 4.9
    assert asked.asked.look(5.0) is None
    asked.now += 0.1
    assert asked.asked.look(5.0) == asked.request
    assert asked.asked.is_requested()
    assert asked.asked.is_open(0.0)
    asked.send(is_open=False)
    asked.now += 5.0
    asked.asked.look(5.0)
    assert not asked.asked.is_open(0.0)


def test_a_look_without_an_answer_changes_nothing(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked stands."""
    asked.send()
    asked.now += 9.0
    asked.asked.look(0.0)

    def fail(_lease: object) -> None:
        raise LookupFailedError("no answer")

    monkeypatch.setattr(ParameterLease, "read_back", fail)
    asked.now += 9.0
    assert asked.asked.look(0.0) == asked.request


def test_once_the_record_says_complete_the_request_stands_as_it_was(asked: Asked) -> None:
    """The switch is what it asked for."""
    asked.send()
    asked.asked.look(0.0)
    asked.keeper.lease.try_complete({})
    assert asked.asked.look(0.0) == asked.request


def test_a_request_whose_process_is_silent_is_over_before_the_freeze(asked: Asked) -> None:
    """Under the freeze it is not: whoever died has not taken it back."""
    asked.send()
    assert asked.asked.is_requested()
    asked.now += SILENT_SECONDS - 0.1
    assert asked.asked.is_requested()
    asked.now += 0.1
    assert not asked.asked.is_requested()
    asked.send(beat=1)
    assert asked.asked.is_requested()
    asked.now += 10 * SILENT_SECONDS
    asked.asked.is_under_way = True
    assert asked.asked.is_requested()
    asked.send(withdrawn=True)
    assert not asked.asked.is_requested()


def test_a_request_that_has_ended_is_not_asked_again(asked: Asked) -> None:
    """Its outcome is on record; another one is a new one."""
    asked.send()
    asked.asked.look(0.0)
    asked.asked.is_under_way = True
    asked.asked.end("a reason")
    assert asked.keeper.detail[OUTCOME] == {"id": "id-1", "given_up": "a reason"}
    assert asked.asked.request is None
    assert not asked.asked.is_under_way
    assert asked.asked.look(0.0) is None
    assert not asked.asked.is_open(0.0)
    asked.send(id="id-2")
    assert asked.asked.look(0.0) == asked.request
    asked.asked.end("again")
    asked.asked.end("nobody asks")
    assert asked.keeper.detail[OUTCOME] == {"id": "id-2", "given_up": "again"}


@pytest.mark.parametrize("hook", ["freeze", "thaw"])
def test_a_command_is_run_elsewhere_and_its_answer_waited_for(asked: Asked, hook: str) -> None:
    """By a token, so that an old answer is none."""
    asked.send(answered="an old token")
    asked.asked.look(0.0)

    def answer() -> None:
        told = asked.keeper.detail[HOOK]
        assert (told["id"], told["run"]) == ("id-1", hook)
        asked.send(answered=told["token"])

    asked.keeper.on_beat = answer
    getattr(asked.asked, hook)()
    assert asked.keeper.beats == 1
    assert asked.asked.is_under_way == (hook == "freeze")


def test_a_command_that_fails_elsewhere_fails_here(asked: Asked) -> None:
    """With its own words."""
    asked.send()
    asked.asked.look(0.0)
    asked.keeper.on_beat = lambda: asked.send(
        answered=asked.keeper.detail[HOOK]["token"], failure="exit code 7"
    )
    with pytest.raises(ServiceError, match="exit code 7"):
        asked.asked.freeze()


def test_a_command_that_nobody_answers_fails_after_the_limit_of_the_freeze(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or at once where the request is another one by now, or the lock is lost."""
    asked.send()
    asked.asked.look(0.0)
    began = asked.now

    class Waits:
        """Lets time pass."""

        def wait(self, seconds: float) -> None:
            """A wait."""
            asked.now += max(seconds, 0.1)

    monkeypatch.setattr(
        remote_cutover, "threading", type("threading", (), {"Event": staticmethod(Waits)})
    )
    with pytest.raises(ServiceError, match="far, where the cut-over was typed, did not answer"):
        asked.asked.freeze()
    assert asked.now - began == pytest.approx(20.0, abs=0.5)
    began = asked.now
    asked.keeper.on_beat = lambda: asked.send(id="id-2")
    with pytest.raises(ServiceError, match="did not answer that --thaw was run"):
        asked.asked.thaw()
    assert asked.now - began < 1.0
    asked.keeper.on_beat, asked.keeper.is_lost = (lambda: None), True
    with pytest.raises(RefusedError):
        asked.asked.thaw()


def test_without_a_request_no_command_can_be_run(asked: Asked) -> None:
    """And by hand none has to be."""
    with pytest.raises(ServiceError, match=r"that asked .* has ended, so --freeze"):
        asked.asked.freeze()
    asked.send(by_hand=True)
    asked.asked.look(0.0)
    asked.asked.freeze()
    assert asked.keeper.beats == 0


def test_another_sort_of_lock_can_be_asked_nothing(asked: Asked) -> None:
    """Such as that of an execution."""
    keeper = cast("LeaseKeeper", type("Other", (), {"lease": object()})())
    assert RemoteCutover(keeper).look(0.0) is None


def test_a_lot_that_is_under_way_is_settled_before_the_cut_over_begins(asked: Asked) -> None:
    """Else its keys would wait for a minute."""
    run = RemoteCutoverFollowRun.__new__(RemoteCutoverFollowRun)
    run._remote = asked.asked
    asked.send()
    run._check_requests(FollowStep.CARRIED)
    with pytest.raises(CutoverRequestedError):
        run._check_requests(FollowStep.SETTLED)
    asked.send(withdrawn=True)
    asked.now += 10.0
    run._check_requests(FollowStep.IDLE)


def test_a_request_that_is_gone_again_begins_nothing(boxes: FollowedBoxes, asked: Asked) -> None:
    """The follow goes on."""
    run = RemoteCutoverFollowRun.__new__(RemoteCutoverFollowRun)
    run._remote = asked.asked
    run._context = cast("Context", boxes.context())
    run._migration = cast("Any", type("Migration", (), {"words": lambda _self: {}})())
    assert run._cut_over(cast("Any", None), cast("Any", None)) is None
    assert boxes.record.state is CutoverState.COPYING
