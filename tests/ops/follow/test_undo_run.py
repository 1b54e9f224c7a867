"""A cut-over that is undone: what is carried back, kept, refused, and left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import InputError, RefusedError, ServiceError, SidesDifferError
from dataware.core.follow import cutover_loop
from dataware.core.follow.cutover import REVERSIBLE_SECONDS, CutoverState
from dataware.core.follow.feed import DifferenceResult, FeedRound, Gap, GapCause
from dataware.core.model import MarkerState
from dataware.ops.follow.cutover_run import CutoverRun, GivenUpError
from dataware.ops.follow.difference import BackgroundDifference
from dataware.ops.follow.undo import _prepare, find_undoable, report_undo, undo
from dataware.ops.follow.undo_run import UndoConflict, UndoRun
from dataware.ops.migration_policy import UNDO_FEED
from dataware.state.cutover_records import CompleteCutoverRecords
from dataware.verify.verdict import Verdict
from support.follow_memory import LogFeed
from support.followed_boxes import (
    FOLLOW,
    SLUG,
    FollowedBoxes,
    Terminal,
    follow_boxes,
    follow_for_a_while,
    go_back,
    places,
    switch,
)

KEEP, REPLACE = UndoConflict.KEEP, UndoConflict.REPLACE


def make_switched(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *,
    has_feed: bool = True,
    undo_window: bool = True,
) -> FollowedBoxes:
    """Twelve keys that were cut over a moment ago."""
    monkeypatch.setenv("DATAWARE_STATE", str(folder))
    boxes = follow_boxes(monkeypatch, has_feed=has_feed)
    boxes.fill(12)
    follow_for_a_while(boxes)
    switch(boxes, enable_undo=undo_window)
    boxes.events.clear()
    boxes.chunks.clear()
    return boxes


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """Switched, with a feed of either side."""
    return make_switched(monkeypatch, tmp_path)


def write_behind_the_switch(boxes: FollowedBoxes, key: str = "k001") -> None:
    """Somebody goes on with the old side, and somebody else with the new one."""
    boxes.put("old", key, "old side")
    boxes.put("new", key, "new side")


def set_record(boxes: FollowedBoxes, **changes: object) -> None:
    """Another record of the cut-over."""
    records = CompleteCutoverRecords(boxes.markers_of(), SLUG, "new")
    records.write(replace(records.read(), **changes))  # type: ignore[arg-type] # as the test says


@pytest.mark.parametrize("has_feed", [True, False])
def test_what_was_written_since_the_switch_is_carried_back_and_the_source_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, has_feed: bool
) -> None:
    """By the feed of the new side, or by what is on record of both."""
    boxes = make_switched(monkeypatch, tmp_path, has_feed=has_feed)
    boxes.put("new", "k001", "9")
    boxes.put("new", "k002", None)
    boxes.put("new", "more", "1")
    terminal = Terminal()
    terminal.on_freeze = lambda: boxes.put("new", "late", "1")
    context = boxes.context()
    found = find_undoable(context, "new")
    undo(context, found, places(), terminal.settings(), FOLLOW, None)
    assert boxes.boxes["old"] == boxes.boxes["new"]
    assert {"more": "1", "late": "1"}.items() <= boxes.boxes["old"].items()
    assert "k002" not in boxes.boxes["old"]
    assert terminal.calls == ["freeze"]
    assert boxes.record.state is CutoverState.FOLLOWING
    assert (boxes.record.reversible_until, boxes.record.strays) == (None, 0)
    assert boxes.marker.state is MarkerState.RUNNING
    assert not boxes.marker.alive
    assert "old holds the data again" in str(boxes.marker.detail["failure"])
    texts = boxes.texts("undoing", "phase", "freezing", "cut-over")
    assert texts[0] == "Carrying back what was written since: new → old"
    assert texts[2:4] == ["Stopping the writers of new, to switch to old", "old: verifying"]
    assert texts[4].startswith("Switched new → old after ")


def test_only_what_has_changed_is_carried_back(boxes: FollowedBoxes) -> None:
    """The feed was opened when both sides were closed, so all before that is equal."""
    boxes.put("new", "k001", "9")
    go_back(boxes)
    assert {key for chunk in boxes.chunks for key in chunk} == {b"k001"}
    assert boxes.texts("feed-gap") == []


def test_a_feed_that_was_switched_on_for_the_way_back_is_switched_off_after_it(
    boxes: FollowedBoxes,
) -> None:
    """And only that one."""
    go_back(boxes)
    assert boxes.streams == {"old"}
    assert boxes.texts("done") == ["Switched off the stream of new, which the follow had enabled"]
    assert not boxes.marker.detail.get(UNDO_FEED)


def test_without_a_feed_of_the_new_side_both_are_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which finds what differs, and changes nothing else."""
    boxes = make_switched(monkeypatch, tmp_path, undo_window=False)
    boxes.put("new", "k001", "9")
    boxes.put("new", "k002", None)
    go_back(boxes)
    assert boxes.boxes["old"] == boxes.boxes["new"]
    assert boxes.boxes["old"]["k001"] == "9"


def test_what_a_stray_wrote_is_not_replaced_though_a_comparison_sees_it_before_the_feed_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The comparison stands for the feed that the new side has not; the old side's comes late."""
    boxes = make_switched(monkeypatch, tmp_path, undo_window=False)
    monkeypatch.setattr(cutover_loop, "LEAST_SETTLE_SECONDS", 0.4)
    boxes.boxes["old"]["k003"] = "stray"
    seen, late = list[float](), [(boxes.aws.clock.now(), b"k003")]
    read_verdict, poll_feed = BackgroundDifference._read_verdict, LogFeed.poll

    def read(self: BackgroundDifference, verdict: Verdict) -> DifferenceResult:
        seen.append(boxes.aws.clock.now())
        return read_verdict(self, verdict)

    def poll(self: LogFeed, now: float) -> FeedRound:
        if self.log is boxes.logs["old"] and seen and boxes.aws.clock.now() >= seen[0] + 0.1:
            self.log.extend(late)
            late.clear()
        return poll_feed(self, now)

    monkeypatch.setattr(BackgroundDifference, "_read_verdict", read)
    monkeypatch.setattr(LogFeed, "poll", poll)
    with pytest.raises(RefusedError, match="1 key was written on both sides"):
        go_back(boxes)
    assert not late
    assert boxes.boxes["old"]["k003"] == "stray"


def test_a_key_that_both_sides_wrote_is_for_a_person_to_decide(boxes: FollowedBoxes) -> None:
    """It is listed, the new side stays open, and nobody was stopped."""
    write_behind_the_switch(boxes)
    boxes.put("new", "k005", "9")
    terminal = Terminal()
    with pytest.raises(RefusedError) as error:
        undo(
            boxes.context(),
            find_undoable(boxes.context(), "new"),
            places(),
            terminal.settings(),
            FOLLOW,
            None,
        )
    assert str(error.value) == (
        "gave up the undo, because 1 key was written on both sides since the switch; new is open "
        "to its writers, so nothing is lost; look at the keys above, then run again with "
        "--on-conflict keep (old wins) or --on-conflict replace (new wins)"
    )
    assert terminal.calls == []
    assert boxes.marker.state is MarkerState.COMPLETE
    assert boxes.record.state is CutoverState.REVERSIBLE
    assert boxes.boxes["old"]["k001"] == "old side"


@pytest.mark.parametrize(("decision", "value"), [(KEEP, "old side"), (REPLACE, "new side")])
def test_what_a_person_decides_holds_for_what_both_sides_wrote_and_nothing_else(
    boxes: FollowedBoxes, decision: UndoConflict, value: str
) -> None:
    """Also where an earlier undo was told of it, and the feeds do not tell again."""
    write_behind_the_switch(boxes)
    boxes.put("new", "k005", "9")
    with pytest.raises(RefusedError):
        go_back(boxes)
    go_back(boxes, decision)
    assert boxes.boxes["old"]["k001"] == value
    assert boxes.boxes["old"]["k005"] == "9"
    assert boxes.record.state is CutoverState.FOLLOWING


def test_what_only_the_old_side_wrote_is_named_and_stays(boxes: FollowedBoxes) -> None:
    """It is newer than what was copied."""
    boxes.put("old", "k003", "stray")
    boxes.put("new", "k001", "9")
    go_back(boxes)
    assert boxes.boxes["old"]["k003"] == "stray"
    assert boxes.boxes["old"]["k001"] == "9"
    assert len(boxes.texts("stray-keys")) == 1


def test_a_key_that_is_not_taken_back_is_for_no_decision(boxes: FollowedBoxes) -> None:
    """A person is told of it without the choice that cures nothing."""
    boxes.refused = {"k001"}
    boxes.put("new", "k001", "9")
    for decision in (None, KEEP):
        with pytest.raises(GivenUpError) as error:
            go_back(boxes, decision)
        assert "1 key cannot be carried, such as k001 (it is not taken)" in str(error.value)
        assert "--on-conflict" not in str(error.value)


def test_a_freeze_that_fails_leaves_the_new_side_open(boxes: FollowedBoxes) -> None:
    """The record says complete again, and the same command goes on."""

    def fail() -> None:
        raise ServiceError("no such host")

    boxes.put("new", "k001", "9")
    for by_hand, after in (
        (False, "new is open to its writers, so nothing is lost"),
        (True, "nothing is lost, but the writers of new are stopped: restart them by hand"),
    ):
        terminal, context = Terminal(), boxes.context()
        terminal.on_freeze = fail
        settings = terminal.settings(by_hand=by_hand)
        with pytest.raises(GivenUpError) as error:
            undo(context, find_undoable(context, "new"), places(), settings, FOLLOW, None)
        assert str(error.value) == (
            f"gave up the undo, because no such host; {after}; run the same command again"
        )
        assert terminal.calls == ["freeze", "thaw"]
        assert boxes.marker.state is MarkerState.COMPLETE
    assert len(boxes.texts("thawed")) == 2
    go_back(boxes)
    assert boxes.boxes["old"] == boxes.boxes["new"]


def test_a_person_who_stops_it_leaves_the_new_side_open(boxes: FollowedBoxes) -> None:
    """Before the freeze nobody was stopped."""
    terminal = Terminal()
    terminal.opened = False
    context = boxes.context(boxes.stop_after("undoing", 100))
    with pytest.raises(GivenUpError, match="because a person asked to stop; new is open"):
        undo(context, find_undoable(context, "new"), places(), terminal.settings(), FOLLOW, None)
    assert terminal.calls == []
    assert boxes.marker.state is MarkerState.COMPLETE


def test_an_undo_that_dies_under_its_freeze_is_gone_on_with(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides are closed, and people are told so."""
    terminal, hold = Terminal(), CutoverRun._hold

    def die(*_: object) -> None:
        monkeypatch.setattr(CutoverRun, "_hold", hold)
        raise KeyboardInterrupt

    terminal.on_freeze = lambda: monkeypatch.setattr(CutoverRun, "_hold", die)
    boxes.put("new", "k001", "9")
    context = boxes.context()
    with pytest.raises(KeyboardInterrupt):
        undo(context, find_undoable(context, "new"), places(), terminal.settings(), FOLLOW, None)
    assert boxes.record.state is CutoverState.UNDO_FROZEN
    (warning,) = boxes.texts("warning")
    assert warning.startswith("the writers of new may still be stopped")
    again = go_back(boxes)
    assert again.calls == ["freeze"]
    assert boxes.boxes["old"] == boxes.boxes["new"]


def test_the_follow_goes_on_after_an_undo_and_takes_nothing_for_somebody_elses(
    boxes: FollowedBoxes,
) -> None:
    """It compares in full once, and then it can be cut over again."""
    boxes.put("new", "k001", "9")
    boxes.put("new", "k002", None)
    go_back(boxes)
    boxes.put("old", "k001", "10")
    boxes.events.clear()
    follow_for_a_while(boxes)
    assert len(boxes.texts("feed-gap")) == 1
    assert boxes.texts("skipped") == []
    assert boxes.boxes["old"] == boxes.boxes["new"]
    boxes.events.clear()
    follow_for_a_while(boxes)
    assert boxes.texts("feed-gap") == []
    switch(boxes)
    assert boxes.record.state is CutoverState.REVERSIBLE


def test_a_way_back_whose_feed_has_a_gap_compares_both_sides(boxes: FollowedBoxes) -> None:
    """What was missed is found by that."""
    boxes.put("new", "k001", "9")
    boxes.boxes["new"]["k004"] = "unseen"
    boxes.gaps["new"] = [Gap(GapCause.TRIMMED)]
    go_back(boxes)
    assert boxes.boxes["old"]["k004"] == "unseen"
    assert boxes.boxes["old"] == boxes.boxes["new"]


def test_on_another_machine_what_the_old_side_was_written_is_not_known(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So whatever stands there and differs is for a person to decide."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "elsewhere"))
    boxes.kept.kept.clear()
    boxes.put("new", "k001", "9")
    with pytest.raises(RefusedError, match="1 key was written on both sides"):
        go_back(boxes)
    (told,) = boxes.texts("stray-gap")
    assert "is not known here" in told
    go_back(boxes, REPLACE)
    assert boxes.boxes["old"] == boxes.boxes["new"]


def test_what_was_not_cut_over_is_not_undone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The source is in use still."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(2)
    follow_for_a_while(boxes)
    with pytest.raises(InputError, match="is not cut over, so old is in use"):
        find_undoable(boxes.context(), "new")


def test_a_way_back_that_is_closed_or_over_is_refused_with_another_way(
    boxes: FollowedBoxes,
) -> None:
    """Changes are kept for so long for sure."""
    until = boxes.record.reversible_until
    assert until == pytest.approx(boxes.aws.clock.now() + REVERSIBLE_SECONDS, abs=30)
    set_record(boxes, reversible_until=boxes.aws.clock.now() - 7200)
    with pytest.raises(
        RefusedError, match=r"could be undone until 2 h ago.*`dataware migrate` copies"
    ):
        find_undoable(boxes.context(), "new")
    set_record(boxes, reversible_until=None)
    assert find_undoable(boxes.context(), "new").source == "old"
    set_record(boxes, state=CutoverState.CLOSED)
    with pytest.raises(RefusedError, match="the cut-over to new is closed"):
        find_undoable(boxes.context(), "new")


def test_a_target_that_is_another_one_by_now_is_not_gone_back_from(boxes: FollowedBoxes) -> None:
    """What it holds was never carried."""
    found = find_undoable(boxes.context(), "new")
    boxes.identities["new"] += 1
    with pytest.raises(RefusedError, match="new is another memory box than the one"):
        undo(boxes.context(), found, places(), Terminal().settings(), FOLLOW, None)
    assert boxes.marker.state is MarkerState.COMPLETE


def test_a_run_that_is_alive_is_stopped_first(boxes: FollowedBoxes) -> None:
    """Two would undo and carry at the same time."""
    marker = boxes.marker
    boxes.markers_of("far").begin(SLUG, "new", replace(marker, state=MarkerState.RUNNING), marker)
    with pytest.raises(RefusedError, match="on far, process 7 works on the migration into new"):
        find_undoable(boxes.context(), "new")


def test_an_old_side_that_cannot_be_gone_back_to_is_refused_before_anything(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a bucket whose versions would be gone."""
    found = find_undoable(boxes.context(), "new")
    following = found.kind.require_copying().following
    assert following is not None

    def check(_aws: object, place: object) -> None:
        raise RefusedError(f"{places()[0] == place}")

    kind = replace(
        found.kind,
        copying=replace(
            found.kind.require_copying(),
            following=lambda: replace(following(), check_undo=check),
        ),
    )
    for carry_out in (
        lambda: report_undo(boxes.context(), replace(found, kind=kind), places()),
        lambda: undo(
            boxes.context(),
            replace(found, kind=kind),
            places(),
            Terminal().settings(),
            FOLLOW,
            None,
        ),
    ):
        with pytest.raises(RefusedError, match="True"):
            carry_out()


def test_before_an_undo_people_read_what_it_would_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """How, for how long it is open, and what is not known."""
    boxes = make_switched(monkeypatch, tmp_path)
    report_undo(boxes.context(), find_undoable(boxes.context(), "new"), places())
    assert boxes.texts("note") == [
        "What was written to new since the switch is carried back by its stream",
        "This writes to old, which holds the data again afterwards",
        "It can be undone for another 24 h",
    ]
    boxes.events.clear()
    boxes.streams.clear()
    report_undo(boxes.context(), find_undoable(boxes.context(), "new"), places())
    assert boxes.texts("note")[0].endswith("is carried back by comparing both sides")
    assert boxes.texts("note")[-1] == "Some writes to old since the switch may be unknown"


def test_before_an_undo_people_read_how_many_keys_changed_behind_the_switch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the watch has seen them."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(3)
    follow_for_a_while(boxes)
    boxes.on_event["cut-over"] = lambda: boxes.put("old", "k001", "stray")
    with pytest.raises(SidesDifferError):
        switch(boxes, watch=0.3)
    report_undo(boxes.context(), find_undoable(boxes.context(), "new"), places())
    assert "1 key of old changed after the switch" in boxes.texts("note")
    assert "Some writes to old since the switch may be unknown" not in boxes.texts("note")


def test_an_undo_has_a_record_that_keeps_the_migration_and_drops_its_end(
    boxes: FollowedBoxes,
) -> None:
    """What the run before was asked, and why it ended, is not this one's."""
    found = find_undoable(boxes.context(), "new")
    marker = replace(found.marker, detail={**found.marker.detail, "failure": {"reason": "x"}})
    prepared = replace(_prepare(boxes.context(), found, places(), FOLLOW), marker=marker)
    begun = prepared.begin_marker("another")
    assert begun.state is MarkerState.RUNNING
    assert (begun.source, begun.run) == (marker.source, marker.run)
    assert (begun.identity, begun.created) == (marker.identity, marker.created)
    assert "failure" not in begun.detail
    assert begun.detail["cutover"]["state"] == CutoverState.UNDOING.value
    assert begun.detail["cutover"]["witness"] == boxes.record.witness


def test_the_steps_of_an_undo_watch_nothing_and_make_nothing() -> None:
    """The old side is open at its end, and the new one is nobody's source."""
    assert UndoRun._make_watched(None, None) is None  # type: ignore[arg-type] # looks at neither
