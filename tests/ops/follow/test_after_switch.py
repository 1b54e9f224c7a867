"""What follows a switch: stray writers are named until the way back is closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import (
    IncompleteError,
    InputError,
    RefusedError,
    ServiceError,
    SidesDifferError,
)
from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.feed import CarryOutcome, Gap, GapCause
from dataware.core.model import MarkerState
from dataware.ops.follow import after_switch
from dataware.ops.follow.after_switch import close, find_switched, watch
from dataware.state.cutover_records import CompleteCutoverRecords
from support.followed_boxes import (
    SLUG,
    FollowedBoxes,
    follow_boxes,
    follow_for_a_while,
    go_back,
    places,
    switch,
)


def make_switched(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, has_feed: bool = True
) -> FollowedBoxes:
    """Twelve keys that were cut over a moment ago."""
    monkeypatch.setenv("DATAWARE_STATE", str(folder))
    boxes = follow_boxes(monkeypatch, has_feed=has_feed)
    boxes.fill(12)
    follow_for_a_while(boxes)
    switch(boxes, enable_undo=True)
    boxes.events.clear()
    return boxes


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """Switched, with a feed of either side."""
    return make_switched(monkeypatch, tmp_path)


def set_record(boxes: FollowedBoxes, **changes: object) -> None:
    """Another record of the cut-over."""
    records = CompleteCutoverRecords(boxes.markers_of(), SLUG, "new")
    records.write(replace(records.read(), **changes))  # type: ignore[arg-type] # as the test says


def watch_for(boxes: FollowedBoxes, seconds: float | None = 0.1) -> None:
    """Watch for so long."""
    watch(boxes.context(), find_switched(boxes.context(), "new"), places(), seconds)


def test_only_what_was_switched_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With why another one is not."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(2)
    follow_for_a_while(boxes)
    with pytest.raises(InputError, match="is not cut over; see `dataware status`"):
        find_switched(boxes.context(), "new")
    switch(boxes)
    found = find_switched(boxes.context(), "new")
    assert (found.source, found.target, found.record) == ("old", "new", boxes.record)
    marker = boxes.marker
    begun = replace(marker, state=MarkerState.RUNNING)
    boxes.markers_of().begin(SLUG, "new", begun, marker)
    with pytest.raises(RefusedError, match="is being undone; finish that with `dataware undo new`"):
        find_switched(boxes.context(), "new")


@pytest.mark.parametrize("has_feed", [True, False])
def test_a_watch_names_who_writes_and_ends_with_an_error_then(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, has_feed: bool
) -> None:
    """Whatever was written since the switch, also while nobody watched."""
    boxes = make_switched(monkeypatch, tmp_path, has_feed=has_feed)
    watch_for(boxes)
    assert boxes.texts("stray-keys") == []
    boxes.put("old", "k001", "stray")
    with pytest.raises(SidesDifferError, match="1 key of old changed after the switch, and new"):
        watch_for(boxes, 0.2)
    assert boxes.record.strays == 1
    assert len(boxes.texts("stray-keys")) == 1
    assert len(boxes.texts("watching")) == 2


def test_a_watch_lasts_as_long_as_the_way_back_and_closes_it(boxes: FollowedBoxes) -> None:
    """What was switched on for it is switched off."""
    set_record(boxes, reversible_until=boxes.aws.clock.now() + 0.2)
    watch_for(boxes, None)
    assert boxes.record.state is CutoverState.CLOSED
    assert boxes.streams == {"old"}
    assert len(boxes.texts("closed")) == 1
    assert boxes.texts("done") == ["Switched off the stream of new, which the follow had enabled"]
    watch_for(boxes)
    assert boxes.texts("nothing-to-do") == [
        "Nothing to do: the cut-over to new is closed, so nothing is watched"
    ]
    assert len(boxes.texts("watching")) == 1


def test_a_watch_ends_when_a_person_asks_for_it(boxes: FollowedBoxes) -> None:
    """And leaves the way back open."""
    context = boxes.context(boxes.stop_after("watching", 3))
    watch(context, find_switched(context, "new"), places(), None)
    assert boxes.record.state is CutoverState.REVERSIBLE
    assert boxes.texts("closed") == []


def test_a_watch_on_another_machine_says_what_it_has_not_seen(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From then on it sees what the feed tells."""
    boxes.put("old", "k001", "unseen")
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "elsewhere"))
    boxes.kept.kept.clear()
    watch_for(boxes)
    assert boxes.texts("stray-gap") != []
    assert boxes.texts("stray-keys") == []


def test_without_a_record_of_what_was_copied_listings_tell_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every object would look like somebody else's."""
    boxes = make_switched(monkeypatch, tmp_path, has_feed=False)
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="has no record on this machine of what was copied"):
        watch_for(boxes)
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes.kept.kept.clear()
    with pytest.raises(InputError, match="has no record on this machine of what was copied"):
        watch_for(boxes)


def test_a_source_without_a_feed_cannot_be_watched(boxes: FollowedBoxes) -> None:
    """And that is said, with what it lacks."""
    boxes.streams.discard("old")
    with pytest.raises(InputError, match="old has no stream, so whoever writes to it is not seen"):
        watch_for(boxes)


def test_without_a_place_to_keep_what_was_read_nothing_is_watched(boxes: FollowedBoxes) -> None:
    """Such as in a function."""
    context = replace(boxes.context(), follow_states=None)
    with pytest.raises(IncompleteError, match="what was read cannot be kept here"):
        watch(context, find_switched(context, "new"), places(), 0.1)


def test_a_way_back_is_closed_once_the_source_was_read_to_its_end(boxes: FollowedBoxes) -> None:
    """Feeds of the migration's own are switched off, and a second time there is nothing to do."""
    close(boxes.context(), find_switched(boxes.context(), "new"), places())
    assert boxes.record.state is CutoverState.CLOSED
    assert boxes.streams == {"old"}
    assert len(boxes.texts("closed")) == 1
    close(boxes.context(), find_switched(boxes.context(), "new"), places())
    assert len(boxes.texts("closed")) == 1
    assert boxes.texts("nothing-to-do") == ["Nothing to do: the cut-over to new is closed already"]
    assert len(boxes.texts("done")) == 1


def test_a_stray_keeps_the_way_back_open(boxes: FollowedBoxes) -> None:
    """What it wrote is on no side that is in use."""
    boxes.put("old", "k001", "stray")
    with pytest.raises(SidesDifferError, match="1 key of old changed"):
        close(boxes.context(), find_switched(boxes.context(), "new"), places())
    assert boxes.record.state is CutoverState.REVERSIBLE
    assert "new" in boxes.streams


def test_a_source_that_cannot_be_read_to_its_end_keeps_the_way_back_open(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command goes on."""
    monkeypatch.setattr(after_switch, "READS", 3)
    steps: list[int] = []
    monkeypatch.setattr(after_switch.SourceWatch, "_step", lambda _watch: steps.append(1))
    with pytest.raises(IncompleteError, match="could not be read to their end; run the same"):
        close(boxes.context(), find_switched(boxes.context(), "new"), places())
    assert len(steps) == 3
    assert boxes.record.state is CutoverState.REVERSIBLE


def test_where_nothing_can_be_seen_it_is_closed_all_the_same_and_that_is_told(
    boxes: FollowedBoxes,
) -> None:
    """Waiting would show nothing."""
    boxes.streams.discard("old")
    close(boxes.context(), find_switched(boxes.context(), "new"), places())
    assert boxes.record.state is CutoverState.CLOSED
    (told,) = boxes.texts("stray-gap")
    assert "old has no stream" in told


def test_a_feed_that_cannot_be_switched_off_is_a_warning(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way back is closed; a person sees to the rest."""

    def fail(*_: object) -> None:
        raise ServiceError("denied")

    monkeypatch.setattr(after_switch, "switch_off", fail)
    close(boxes.context(), find_switched(boxes.context(), "new"), places())
    assert [text.split(": ")[-1] for text in boxes.texts("warning")] == ["denied", "denied"]
    assert boxes.record.state is CutoverState.CLOSED


def test_gaps_before_the_watch_are_told_and_an_undo_knows_of_them(boxes: FollowedBoxes) -> None:
    """Then whatever stands on the old side and differs is for a person."""
    boxes.gaps["old"].append(Gap(GapCause.TRIMMED))
    watch_for(boxes)
    assert len(boxes.texts("stray-gap")) == 1
    boxes.put("new", "k001", "9")
    with pytest.raises(RefusedError, match="1 key was written on both sides"):
        go_back(boxes)


def test_a_watch_neither_stops_nor_carries_nor_compares() -> None:
    """Its ports refuse or do nothing."""
    nothing = after_switch._NothingElse()
    with pytest.raises(ServiceError):
        nothing.freeze()
    with pytest.raises(ServiceError):
        nothing.thaw()
    assert not nothing.is_requested()
    assert not nothing.is_open(0.0)
    nothing.start(None)
    assert nothing.collect() is None
    assert nothing.carry([b"a"], 0.0) == CarryOutcome()
