"""A box that is followed into another one: what is carried, told, kept and gone on with."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dataware.core.copier import SkipReason
from dataware.core.errors import IncompleteError, LookupFailedError, RefusedError
from dataware.core.follow.cutover import CutoverRecord, CutoverState
from dataware.core.follow.feed import Gap, GapCause
from dataware.core.follow.loop import FollowLoop, FollowStep
from dataware.core.follow.steady_time import SteadyTime
from dataware.core.model import MarkerState, Owner, Ownership
from dataware.ops.follow import follow_run
from dataware.ops.follow.follow import follow
from dataware.ops.follow.follow_run import COPIED, WHY, FeedThread
from dataware.ops.migration_policy import CARRIER, FEED_ENABLED, FOLLOWED
from dataware.state.marker_value import CUTOVER
from support.copying import Killed
from support.followed_boxes import (
    FOLLOW,
    SLUG,
    TYPE,
    FollowedBoxes,
    follow_boxes,
    follow_for_a_while,
    places,
)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """A box of twelve keys, and an empty one."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(12)
    return boxes


def follow_until_equal(boxes: FollowedBoxes, settings: Any = FOLLOW, looks: int = 3000) -> str:
    """Follow until both sides are the same for a while; what it says in the end."""
    left = [looks, 20]

    def stop() -> bool:
        left[0] -= 1
        if "following" in boxes.codes and boxes.boxes["old"] == boxes.boxes["new"]:
            left[1] -= 1
        return min(left) < 0

    with pytest.raises(IncompleteError) as error:
        follow(boxes.context(stop), TYPE, *places(), settings)
    return str(error.value)


def test_what_changes_is_carried_until_a_person_stops_it(boxes: FollowedBoxes) -> None:
    """It says how far it is, what is left, and how to go on; and it never says complete."""
    boxes.on_event["following"] = lambda: boxes.put("old", "k001", None)
    boxes.on_event["found"] = lambda: boxes.put("old", "k002", "during the copy")
    assert follow_until_equal(boxes) == (
        "stopped following old; 0 changed keys not carried yet; run the same command again to "
        "resume"
    )
    assert boxes.boxes["new"] == boxes.boxes["old"]
    assert boxes.boxes["new"]["k002"] == "during the copy"
    assert boxes.texts("following") == [
        "Following old → new by its stream; Ctrl-C stops, and loses nothing"
    ]
    marker = boxes.marker
    assert (marker.state, marker.alive) == (MarkerState.RUNNING, False)
    assert marker.detail[FOLLOWED] is True
    assert (marker.detail["dirty"], marker.detail["gaps"], marker.detail["conflicts"]) == (0, 0, 0)
    assert marker.detail["unit"] == "key"
    assert marker.detail["carried"] >= 1


def test_the_next_run_copies_nothing_again_and_carries_what_has_changed_since(
    boxes: FollowedBoxes,
) -> None:
    """By what was kept on this machine."""
    follow_for_a_while(boxes)
    boxes.events.clear()
    boxes.chunks.clear()
    boxes.put("old", "k005", "7")
    follow_until_equal(boxes)
    assert boxes.boxes["new"]["k005"] == "7"
    assert "found" not in boxes.codes
    assert boxes.texts("feed-gap") == []
    assert {key for chunk in boxes.chunks for key in chunk} == {b"k005"}


def test_a_run_without_what_the_last_one_kept_compares_both_sides(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And tells of the gap, and of its end."""
    follow_for_a_while(boxes)
    boxes.events.clear()
    boxes.put("old", "k005", None)
    boxes.put("old", "more", "1")
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "elsewhere"))
    follow_until_equal(boxes)
    assert boxes.boxes["new"] == boxes.boxes["old"]
    (told,) = boxes.texts("feed-gap")
    assert WHY[GapCause.STATE_LOST] in told
    assert len(boxes.texts("feed-gap-closed")) == 1


def test_a_gap_of_the_feed_is_told_once_and_closed_by_a_comparison(boxes: FollowedBoxes) -> None:
    """Its keys are carried like any other."""
    boxes.on_event["following"] = lambda: boxes.gaps["old"].append(Gap(GapCause.TRIMMED))
    boxes.boxes["old"]["unseen"] = "1"
    boxes.on_event["feed-gap"] = lambda: boxes.boxes["old"].update(later="1")
    follow_until_equal(boxes)
    (told,) = boxes.texts("feed-gap")
    assert "records were removed before they were read" in told
    assert boxes.codes.index("feed-gap") < boxes.codes.index("feed-gap-closed")
    assert boxes.boxes["new"]["unseen"] == "1"


def test_every_cause_of_a_gap_has_its_words() -> None:
    """Else a rare one ends the follow."""
    assert set(WHY) == set(GapCause)


def test_a_source_without_a_feed_is_compared_again_and_again(boxes: FollowedBoxes) -> None:
    """What differed before a comparison began is found by it."""
    boxes.streams.clear()
    boxes.on_event["following"] = lambda: boxes.boxes["old"].update(k001="7", more="1")
    follow_until_equal(boxes)
    assert boxes.boxes["new"]["k001"] == "7"
    assert "by comparing both sides again and again" in boxes.texts("following")[0]
    assert boxes.streams == set()
    assert boxes.texts("feed-gap") == []


def test_a_feed_is_switched_on_where_a_person_allowed_that_and_it_is_on_record(
    boxes: FollowedBoxes,
) -> None:
    """So that it is switched off again, and only by whoever has done it."""
    boxes.streams.clear()
    follow_for_a_while(boxes, replace(FOLLOW, enable_feed=True))
    assert boxes.streams == {"old"}
    assert boxes.marker.detail[FEED_ENABLED] == "stream-of-old"
    assert len(boxes.texts("feed-enabled")) == 1
    boxes.events.clear()
    follow_for_a_while(boxes, replace(FOLLOW, enable_feed=True))
    assert boxes.texts("feed-enabled") == []
    assert boxes.marker.detail[FEED_ENABLED] == "stream-of-old"


def test_what_somebody_else_wrote_to_a_guarded_target_stays_and_is_named_once(
    boxes: FollowedBoxes,
) -> None:
    """The end says how many such keys there are."""
    boxes.owners["new"] = Owner(Ownership.OTHER_STACK, "app", "Box")

    def write_on_both() -> None:
        boxes.boxes["new"]["k001"] = "theirs"
        boxes.put("old", "k001", "7")

    boxes.on_event["following"] = write_on_both
    boxes.on_event["skipped"] = lambda: boxes.put("old", "k001", "8")
    said = follow_until_equal(boxes, looks=300)
    assert "0 changed keys not carried yet and 1 conflict kept" in said
    assert len(boxes.texts("skipped")) == 1
    assert "k001" in boxes.texts("skipped")[0]
    assert boxes.boxes["new"]["k001"] == "theirs"


def test_lots_are_as_small_as_the_rate_and_rest_between_them(boxes: FollowedBoxes) -> None:
    """A chunk of a second's keys is followed by a second."""

    def change_all() -> None:
        for number in range(12):
            boxes.put("old", f"k{number:03}", "7")

    boxes.on_event["following"] = change_all
    follow_until_equal(boxes, replace(FOLLOW, max_rate=5.0))
    assert max(map(len, boxes.chunks)) == 5
    assert boxes.aws.pauses.count(1.0) >= 2
    boxes.aws.pauses.clear()
    boxes.chunks.clear()
    boxes.on_event["following"] = change_all
    boxes.put("old", "k001", "8")
    follow_until_equal(boxes)
    assert max(map(len, boxes.chunks)) == 12
    assert 0.0 in boxes.aws.pauses
    assert set(boxes.aws.pauses) <= {0.0, follow_run.POLL_SECONDS}


def test_a_rate_below_one_key_a_second_carries_one_at_a_time(boxes: FollowedBoxes) -> None:
    """And no rest is so long that another rate is not heard of."""
    boxes.on_event["following"] = lambda: boxes.put("old", "k001", "7")
    follow_until_equal(boxes, replace(FOLLOW, max_rate=0.001))
    assert boxes.chunks == [(b"k001",)]
    assert follow_run.LONGEST_REST in boxes.aws.pauses


def test_without_a_place_for_keys_nothing_is_followed(boxes: FollowedBoxes) -> None:
    """They could not be kept over the end of the process."""
    context = replace(boxes.context(), follow_states=None)
    with pytest.raises(IncompleteError, match="dirty keys cannot be kept here"):
        follow(context, TYPE, *places(), FOLLOW)
    assert boxes.boxes["new"] == {}


def test_a_feed_that_does_not_answer_at_the_beginning_ends_the_run(boxes: FollowedBoxes) -> None:
    """Nothing is copied whose changes would be missed."""
    boxes.silent.add("old")
    with pytest.raises(IncompleteError, match="no answer about old"):
        follow(boxes.context(), TYPE, *places(), FOLLOW)
    assert boxes.boxes["new"] == {}


def test_a_copy_that_cannot_end_keeps_the_follow_from_beginning(boxes: FollowedBoxes) -> None:
    """What it left out would look carried."""
    boxes.archived.add("k001")
    with pytest.raises(IncompleteError, match=r"archived|skipped"):
        follow(boxes.context(), TYPE, *places(), FOLLOW)
    assert "following" not in boxes.codes


def test_a_target_that_holds_something_is_not_followed_into(boxes: FollowedBoxes) -> None:
    """A follow replaces what stands under a key."""
    boxes.boxes["new"]["theirs"] = "1"
    with pytest.raises(RefusedError, match="may not be empty"):
        follow(boxes.context(), TYPE, *places(), FOLLOW)
    assert boxes.boxes["new"] == {"theirs": "1"}


def test_a_follow_that_finds_the_writers_stopped_says_so(boxes: FollowedBoxes) -> None:
    """A cut-over that died may have left them so; nobody else lets them go on."""
    follow_for_a_while(boxes)
    boxes.events.clear()
    frozen = CutoverRecord(CutoverState.FROZEN, 300.0, boxes.aws.clock.now())
    marker = boxes.marker
    detail = {**marker.detail, CUTOVER: frozen.to_json()}
    lease = boxes.markers_of().begin(SLUG, "new", replace(marker, detail=detail), marker)
    lease.release(detail)
    follow_for_a_while(boxes)
    (warning,) = boxes.texts("warning")
    assert "a cut-over may have stopped the writers of old" in warning
    assert boxes.record == frozen


def test_what_was_carried_in_the_account_is_settled_before_keys_are_carried_here(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function that carried may have sent something until it saw the lock."""
    follow_for_a_while(boxes)
    marker = boxes.marker
    detail = {**marker.detail, CARRIER: "function"}
    boxes.markers_of().begin(SLUG, "new", replace(marker, detail=detail), marker).release(detail)
    boxes.chunks.clear()
    boxes.put("old", "k001", "7")
    follow_for_a_while(boxes)
    assert boxes.chunks == []
    monkeypatch.setattr(follow_run, "HAND_OVER_SECONDS", 0.0)
    follow_until_equal(boxes)
    assert boxes.chunks == [(b"k001",)]


def test_after_a_copy_that_was_gone_on_with_carrying_waits_for_what_may_arrive_yet(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first copy without repetitions has sent nothing that got no answer."""
    monkeypatch.setattr(follow_run, "UNKNOWN_OUTCOME_SECONDS", 0.4)
    boxes.on_event["found"] = lambda: setattr(boxes, "kill_at", 3)
    with pytest.raises(Killed):
        follow(boxes.context(), TYPE, *places(), FOLLOW)
    boxes.kill_at, ended = None, list[float]()
    boxes.on_event["copy-totals"] = lambda: ended.append(boxes.aws.clock.now())
    follow_for_a_while(boxes)
    (since,) = [one["carry_from"] for one in boxes.kept.read(SLUG, "new") if one["type"] == COPIED]
    assert since >= ended[0] + 0.3


def test_a_first_copy_makes_nobody_wait(boxes: FollowedBoxes, monkeypatch: Any) -> None:
    """Everything that it sent was answered."""
    monkeypatch.setattr(follow_run, "UNKNOWN_OUTCOME_SECONDS", 50.0)
    follow_for_a_while(boxes)
    times = [one["carry_from"] for one in boxes.kept.read(SLUG, "new") if one["type"] == COPIED]
    assert times[0] <= boxes.aws.clock.now()


class Steps:
    """A loop that takes these steps, and raises those that are errors."""

    def __init__(self, *steps: FollowStep | Exception) -> None:
        self.steps, self.taken = list(steps), threading.Event()

    def step(self, _now: float) -> FollowStep:
        """The next one; the last one for ever."""
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        if len(self.steps) == 1:
            self.taken.set()
        return step


def make_thread(steps: Steps) -> FeedThread:
    """A thread that reads beside a copy."""
    return FeedThread(cast("FollowLoop", steps), SteadyTime(lambda: 0.0, lambda: 0.0))


def test_the_feed_is_read_beside_the_copy_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits in between is asked again."""
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.001)
    steps = Steps(FollowStep.POLLED, FollowStep.IDLE, FollowStep.POLL_FAILED, FollowStep.POLLED)
    thread = make_thread(steps)
    with thread.reading():
        assert steps.taken.wait(10.0)
    assert not thread.failed


def test_a_feed_that_cannot_be_read_ends_the_copy_with_its_error() -> None:
    """Changes that nobody has read would be missed."""
    thread = make_thread(Steps(FollowStep.POLLED, LookupFailedError("it is gone")))
    with pytest.raises(LookupFailedError, match="it is gone"), thread.reading():
        while not thread.failed:
            pass


def test_a_journal_is_gone_on_with_where_its_copy_left_nothing_out_for_good() -> None:
    """Such keys are carried, or kept and listed."""
    judge = follow_run.FollowRun._may_go_on
    run = cast("Any", None)
    for skipped, finished, goes_on in (
        ({}, True, True),
        ({SkipReason.CONFLICT: 1, SkipReason.CHANGED: 2}, True, True),
        ({SkipReason.ARCHIVED: 1}, True, False),
        ({SkipReason.ARCHIVED: 0}, True, True),
        ({SkipReason.ARCHIVED: 1}, False, True),
    ):
        state = SimpleNamespace(skip_reasons=skipped, finished=finished)
        assert judge(run, cast("Any", state)) is goes_on
