"""A followed box that is cut over: what is told, refused, given up, and left behind."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    RefusedError,
    ServiceError,
    SidesDifferError,
)
from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.cutover_ports import CutoverGate
from dataware.core.follow.cutover_request import TOPIC
from dataware.core.follow.feed import Gap, GapCause
from dataware.core.follow.written import WrittenVersion
from dataware.core.model import Marker, MarkerState, Owner, Ownership
from dataware.ops.follow import cutover_run
from dataware.ops.follow.cut_over import cut_over, find_followed
from dataware.ops.follow.cutover_run import NAMED, CutoverRun, GivenUpError, StrayKeyReporter
from dataware.ops.follow.undo_window import KnownStrays
from dataware.ops.migration_policy import UNDO_FEED
from dataware.state.follow_records import FollowFiles
from dataware.state.marker_value import ACCEPTS
from support.copying import MemoryJournal
from support.followed_boxes import (
    FOLLOW,
    SLUG,
    TYPE,
    FollowedBoxes,
    Terminal,
    follow_boxes,
    follow_for_a_while,
    places,
    switch,
)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """A box of twelve keys that was followed into another one up to now."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(12)
    follow_for_a_while(boxes)
    boxes.events.clear()
    return boxes


def give_up(boxes: FollowedBoxes, terminal: Terminal, **more: bool) -> str:
    """Why a cut-over is given up; the source is open, and nothing is switched."""
    with pytest.raises(GivenUpError) as error:
        cut_over(boxes.context(), TYPE, places(), FOLLOW, terminal.settings(**more))
    assert boxes.marker.state is MarkerState.RUNNING
    assert not boxes.marker.alive
    return str(error.value)


def fail(text: str) -> None:
    """A command that fails."""
    raise ServiceError(text)


def test_a_cut_over_carries_the_last_change_and_says_for_how_long_writers_rested(
    boxes: FollowedBoxes,
) -> None:
    """People see each phase in which they wait."""
    terminal = Terminal()
    terminal.on_freeze = lambda: boxes.put("old", "late", "1")
    cut_over(boxes.context(), TYPE, places(), FOLLOW, terminal.settings())
    assert boxes.boxes["new"] == boxes.boxes["old"]
    assert boxes.boxes["new"]["late"] == "1"
    assert terminal.calls == ["freeze"]
    assert boxes.texts("resuming", "phase", "freezing", "cut-over") == [
        "Resuming the migration: old → new",
        "new: following",
        "new: comparing",
        "Stopping the writers of old, to switch to new",
        "new: verifying",
        boxes.texts("cut-over")[0],
    ]
    assert boxes.texts("cut-over")[0].startswith("Switched old → new after ")
    assert boxes.marker.state is MarkerState.COMPLETE
    assert boxes.record.state is CutoverState.REVERSIBLE
    assert boxes.record.frozen_seconds is not None


def test_the_time_without_writers_that_is_told_is_the_one_on_record(
    boxes: FollowedBoxes,
) -> None:
    """Not how long the cut-over took."""
    terminal = Terminal()
    terminal.on_freeze = lambda: time.sleep(0.3)
    cut_over(boxes.context(), TYPE, places(), FOLLOW, terminal.settings())
    (told,) = [one.data["frozen_seconds"] for one in boxes.events if one.code == "cut-over"]
    assert told == pytest.approx(boxes.record.frozen_seconds, abs=1.0)
    assert told >= 0.3


def test_a_request_that_is_taken_back_at_the_gate_stops_nobody_and_says_so_of_nobody(
    boxes: FollowedBoxes,
) -> None:
    """The follow goes on."""
    terminal, looks = Terminal(), [20]

    def is_requested() -> bool:
        looks[0] -= 1
        return looks[0] > 0

    terminal.opened = False
    settings = terminal.settings()
    gate = cast("CutoverGate", SimpleNamespace(is_requested=is_requested, is_open=terminal.is_open))
    context = boxes.context(lambda: looks[0] < -20)
    with pytest.raises(GivenUpError, match="a person asked to stop"):
        cut_over(context, TYPE, places(), FOLLOW, replace(settings, gate=gate))
    assert boxes.texts("freezing") == []
    assert terminal.calls == []
    assert boxes.record.state is CutoverState.FOLLOWING


def test_what_is_switched_is_neither_found_nor_cut_over_again(boxes: FollowedBoxes) -> None:
    """The target has been in use since."""
    assert not find_followed(boxes.context(), "new").is_alive
    switch(boxes)
    with pytest.raises(RefusedError, match="nothing is left to cut over"):
        find_followed(boxes.context(), "new")
    with pytest.raises(RefusedError, match="has been in use since the cut-over"):
        switch(boxes)


def test_what_is_not_followed_cannot_be_cut_over(boxes: FollowedBoxes) -> None:
    """A copy alone has not carried what changed since."""
    record = Marker(MarkerState.RUNNING, "old", "run-2", batches=True)
    boxes.markers_of().begin(SLUG, "copied", record)
    with pytest.raises(InputError, match="is not followed"):
        find_followed(boxes.context(), "copied")


@pytest.mark.parametrize("accepts", [[], [TOPIC]])
def test_a_follow_elsewhere_is_asked_where_it_takes_requests(
    boxes: FollowedBoxes, accepts: list[str]
) -> None:
    """Another one has to be stopped there."""
    marker = boxes.marker
    detail = {**marker.detail, ACCEPTS: accepts}
    boxes.markers_of("far").begin(SLUG, "new", replace(marker, detail=detail), marker)
    if accepts:
        found = find_followed(boxes.context(), "new")
        assert (found.source, found.target, found.is_alive) == ("old", "new", True)
        assert found.type_name == TYPE
    else:
        with pytest.raises(RefusedError, match=r"on far, process 7 works .* takes no requests"):
            find_followed(boxes.context(), "new")


def test_a_freeze_that_fails_is_taken_back_and_nothing_is_lost(boxes: FollowedBoxes) -> None:
    """The writers go on, and people hear why and what to do."""
    terminal = Terminal()
    terminal.on_freeze = lambda: fail("no such host")
    assert give_up(boxes, terminal) == (
        "gave up the cut-over, because no such host; old is open to its writers again, so nothing "
        "is lost; run the same command again"
    )
    assert terminal.calls == ["freeze", "thaw"]
    assert boxes.record.state is CutoverState.FOLLOWING
    assert len(boxes.texts("thawed")) == 1
    assert boxes.texts("warning") == []
    switch(boxes)
    assert boxes.boxes["new"] == boxes.boxes["old"]


def test_who_stopped_the_writers_by_hand_is_told_to_let_them_go_on(boxes: FollowedBoxes) -> None:
    """No command does it."""
    terminal = Terminal()
    terminal.on_freeze = lambda: fail("no such host")
    assert "the writers of old are stopped: restart them by hand" in give_up(
        boxes, terminal, by_hand=True
    )


def test_a_thaw_that_fails_is_told_with_both_reasons_and_done_by_the_next_run(
    boxes: FollowedBoxes,
) -> None:
    """The record keeps that the source may be frozen."""
    terminal = Terminal()
    terminal.on_freeze = lambda: fail("no such host")
    terminal.on_thaw = lambda: fail("no way")
    assert give_up(boxes, terminal) == (
        "could not thaw old (no way) after giving up the cut-over, because no such host; "
        "restart its writers by hand, and run the same command again"
    )
    assert boxes.record.back == "no such host"
    assert boxes.texts("thawed") == []
    again = Terminal()
    assert "because no such host" in give_up(boxes, again)
    assert again.calls == ["thaw"]
    assert boxes.record.state is CutoverState.FOLLOWING


def test_a_person_who_stops_it_before_the_freeze_stops_no_writers(boxes: FollowedBoxes) -> None:
    """It goes on by the same command."""
    terminal = Terminal()
    terminal.opened = False
    context = boxes.context(boxes.stop_after("phase", 200))
    with pytest.raises(GivenUpError, match="stopped the cut-over of old, because a person asked"):
        cut_over(context, TYPE, places(), FOLLOW, terminal.settings())
    assert terminal.calls == []
    assert not boxes.record.may_be_frozen


def test_a_person_who_stops_it_under_the_freeze_lets_the_writers_go_on(
    boxes: FollowedBoxes,
) -> None:
    """They waited for a switch that does not come."""
    terminal, stop = Terminal(), threading.Event()
    terminal.on_freeze = stop.set
    context = boxes.context(stop.is_set)
    with pytest.raises(GivenUpError, match="gave up the cut-over, because a person asked to stop"):
        cut_over(context, TYPE, places(), FOLLOW, terminal.settings())
    assert terminal.calls == ["freeze", "thaw"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), IncompleteError("the network is gone")])
def test_a_process_that_dies_under_the_freeze_says_so_and_the_next_one_goes_on(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """It freezes again what may be frozen, and waits and verifies once more."""
    terminal = Terminal()

    terminal.on_freeze = lambda: monkeypatch.setattr(CutoverRun, "_hold", die)
    hold = CutoverRun._hold

    def die(*_: object) -> None:
        monkeypatch.setattr(CutoverRun, "_hold", hold)
        raise error

    with pytest.raises(type(error)):
        cut_over(boxes.context(), TYPE, places(), FOLLOW, terminal.settings())
    assert boxes.texts("warning") == [
        "the writers of old may still be stopped; run the same command again, which "
        "continues, or restarts them"
    ]
    assert boxes.record.state is CutoverState.FROZEN
    boxes.events.clear()
    again = switch(boxes)
    assert again.calls == ["freeze"]
    assert len(boxes.texts("freezing")) == 1
    assert boxes.boxes["new"] == boxes.boxes["old"]


def test_a_key_that_no_service_takes_holds_the_cut_over_back(boxes: FollowedBoxes) -> None:
    """No decision between both sides cures it, so it is named with its cause."""
    boxes.refused = {"k001"}
    boxes.put("old", "k001", "7")
    terminal = Terminal()
    assert "because 1 key cannot be carried, such as k001 (it is not taken)" in give_up(
        boxes, terminal
    )
    assert terminal.calls == []


def test_what_somebody_else_wrote_to_the_target_holds_the_cut_over_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stack's app may write there, and nobody's value is replaced."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(4)
    boxes.owners["new"] = Owner(Ownership.OTHER_STACK, "app", "Box")
    follow_for_a_while(boxes)
    boxes.boxes["new"]["k001"] = "theirs"
    boxes.put("old", "k001", "7")
    terminal = Terminal()
    assert "because 1 key of the target holds what the follow did not write" in give_up(
        boxes, terminal
    )
    assert (terminal.calls, boxes.boxes["new"]["k001"]) == ([], "theirs")


@pytest.mark.parametrize("has_feed", [True, False])
def test_whoever_writes_to_the_source_behind_the_switch_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, has_feed: bool
) -> None:
    """By the feed of the source, or by its listing."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch, has_feed=has_feed)
    boxes.fill(12)
    follow_for_a_while(boxes)
    boxes.on_event["cut-over"] = lambda: boxes.put("old", "k001", "stray")
    terminal = Terminal()
    with pytest.raises(SidesDifferError, match="1 key of old changed after the switch, and new"):
        cut_over(boxes.context(), TYPE, places(), FOLLOW, terminal.settings(watch=0.3))
    assert boxes.marker.state is MarkerState.COMPLETE
    assert boxes.record.strays == 1
    (told,) = boxes.texts("stray-keys")
    assert "k001" in told
    assert boxes.boxes["new"]["k001"] == "0"


def test_a_watch_ends_no_sooner_than_the_source_is_read_to_its_end(boxes: FollowedBoxes) -> None:
    """However short it is: whoever waits elsewhere for its end sees it in the record."""
    boxes.fill(12)
    switch(boxes, watch=0.0001)
    assert boxes.record.state is CutoverState.REVERSIBLE


def test_a_write_that_was_begun_and_never_arrived_is_no_stray(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is on record, and looked at before the freeze; else the watch would name its key."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch, has_feed=False)
    boxes.fill(3)
    follow_for_a_while(boxes)
    run = str(boxes.marker.run)
    state = FollowFiles(boxes.context().aws).open(SLUG, "new", run, ())
    assert not state.is_new
    state.save_written({b"begun": WrittenVersion(intended="tag")})
    state.close()
    switch(boxes, watch=0.2)
    assert boxes.texts("stray-keys") == []


def test_a_source_without_any_feed_is_cut_over_by_comparing_and_not_watched(
    boxes: FollowedBoxes,
) -> None:
    """That nobody is named then is told."""
    boxes.streams.clear()
    boxes.put("old", "k003", None)
    boxes.put("old", "more", "1")
    switch(boxes)
    assert boxes.boxes["new"] == boxes.boxes["old"]
    (told,) = boxes.texts("stray-gap")
    assert "it has no feed of changes" in told
    assert boxes.record.state is CutoverState.SWITCHED


def test_few_strays_are_all_named_and_of_many_the_first() -> None:
    """With how many more there are; the journal has each."""
    told: list[str] = []
    journal = MemoryJournal()

    class Ears:
        """Hears events."""

        def emit(self, happened: object) -> None:
            """Keep the text."""
            told.append(happened.text())  # type: ignore[attr-defined] # an event

    words = {"kind": SLUG, "source": "old", "name": "new"}
    reporter = StrayKeyReporter(Ears(), journal, words)  # type: ignore[arg-type] # as much as is used
    few = [b"k%02d" % number for number in range(NAMED)]
    reporter.add(few, 5.0)
    reporter.add([*few, b"z1", b"z2"], 6.0)
    assert "more" not in told[0]
    assert "k09 and 2 more" in told[1]
    assert len(reporter.keys) == NAMED + 2
    assert [one["at"] for one in journal.records()] == [5.0, 6.0]
    reporter.report_gaps([Gap(GapCause.TRIMMED), Gap(GapCause.TRIMMED, 1.0)], 7.0)
    assert len(told) == 3
    assert list(journal.records())[-1] == {"type": "strays-missed", "at": 7.0}


def test_the_way_back_is_known_from_the_freeze_on(boxes: FollowedBoxes) -> None:
    """Its feed is switched on only where a person allowed that."""
    switch(boxes, enable_undo=True)
    assert "new" in boxes.streams
    assert len(boxes.texts("feed-enabled")) == 1
    assert boxes.marker.detail[UNDO_FEED] == "stream-of-new"
    records = boxes.kept.read(SLUG, "new")
    known = KnownStrays.read(records, boxes.record.witness)
    assert (known.is_seen, known.are_all, known.keys) == (True, True, frozenset())
    assert [one["type"] for one in records].count("switching") == 1


def test_the_way_back_begins_with_the_freeze_and_not_before(boxes: FollowedBoxes) -> None:
    """What was carried until then is on both sides."""
    seen: list[bool] = []

    def look() -> None:
        records = boxes.kept.read(SLUG, "new")
        seen.append("switching" in [one["type"] for one in records])

    terminal = Terminal()
    boxes.on_event["freezing"] = look
    terminal.on_freeze = look
    cut_over(boxes.context(), TYPE, places(), FOLLOW, terminal.settings())
    assert seen == [False, True]


def test_without_consent_nothing_is_switched_on_and_without_an_answer_people_are_warned(
    boxes: FollowedBoxes,
) -> None:
    """Nothing of the way back stops the cut-over."""
    boxes.silent.add("new")
    switch(boxes)
    assert "new" not in boxes.streams
    assert UNDO_FEED not in boxes.marker.detail
    (warning,) = boxes.texts("warning")
    assert "can be carried back by comparing only: no answer about new" in warning


def test_while_writers_wait_nobody_waits_long_for_a_rate(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the freeze the rate of the person holds."""
    rests: list[float] = []
    monkeypatch.setattr(cutover_run, "FROZEN_REST", 0.002)
    monkeypatch.setattr(cutover_run, "LONGEST_REST", 0.004)

    class Waits:
        """Counts waits instead of waiting for long."""

        def wait(self, seconds: float) -> None:
            """Wait."""
            rests.append(seconds)

    monkeypatch.setattr(
        cutover_run, "threading", type("threading", (), {"Event": staticmethod(Waits)})
    )
    boxes.put("old", "before", "1")
    terminal = Terminal()
    terminal.on_freeze = lambda: boxes.put("old", "late", "1")
    rated = replace(FOLLOW, max_rate=2.0)
    cut_over(boxes.context(), TYPE, places(), rated, terminal.settings(watch=0.0))
    carried = [one for one in rests if one in (0.002, 0.004)]
    # A key that the comparison sees before its record comes is carried twice.
    assert set(carried) == {0.004, 0.002}
    assert carried == sorted(carried, reverse=True)
    assert all(len(chunk) <= 2 for chunk in boxes.chunks)


def test_without_a_place_for_the_record_nothing_is_cut_over(boxes: FollowedBoxes) -> None:
    """Such as in a function."""
    context = replace(boxes.context(), cutover_records=None)
    with pytest.raises(DatawareError, match="record of a cut-over cannot be kept here"):
        cut_over(context, TYPE, places(), FOLLOW, Terminal().settings())
