"""A command that is run again finds its goal reached, and believes that no further than it sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import InputError, LookupFailedError, RefusedError, SidesDifferError
from dataware.core.follow.cutover import CutoverState
from dataware.core.kind import Kind
from dataware.core.model import Facts, Marker, MarkerState, Problem
from dataware.ops.follow import reached_goal
from dataware.ops.follow.follow import follow
from dataware.ops.follow.reached_goal import find_undone, report_switched, report_undone
from dataware.state.cutover_records import CompleteCutoverRecords
from support.followed_boxes import (
    FOLLOW,
    SLUG,
    TYPE,
    FollowedBoxes,
    follow_boxes,
    follow_for_a_while,
    go_back,
    places,
    switch,
)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """Twelve keys that are followed."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(12)
    follow_for_a_while(boxes)
    return boxes


def set_record(boxes: FollowedBoxes, **changes: object) -> None:
    """Another record of the cut-over."""
    records = CompleteCutoverRecords(boxes.markers_of(), SLUG, "new")
    records.write(replace(records.read(), **changes))  # type: ignore[arg-type] # as the test says


def lose(boxes: FollowedBoxes, name: str) -> None:
    """Somebody deletes a box."""
    del boxes.boxes[name]


def test_what_is_not_switched_yet_is_left_to_the_cut_over(boxes: FollowedBoxes) -> None:
    """A follow, and a copy that is complete without one; what is not on record is an error."""
    assert not report_switched(boxes.context(), "new")
    boxes.markers_of().begin(SLUG, "copied", Marker(MarkerState.COMPLETE, "old", "run-2"))
    assert not report_switched(boxes.context(), "copied")
    with pytest.raises(InputError, match="no migration into nowhere is recorded"):
        report_switched(boxes.context(), "nowhere")
    assert boxes.texts("nothing-to-do") == []


def test_what_is_switched_is_told_and_a_follow_of_it_ends_well(boxes: FollowedBoxes) -> None:
    """Nothing of either side is changed by that, also once the cut-over is closed."""
    switch(boxes)
    before = {name: dict(box) for name, box in boxes.boxes.items()}
    assert report_switched(boxes.context(), "new")
    follow(boxes.context(), TYPE, *places(), FOLLOW)
    set_record(boxes, state=CutoverState.CLOSED, strays=3)
    assert report_switched(boxes.context(), "new")
    in_use = "Nothing to do: new has been in use since the cut-over from old"
    assert boxes.texts("nothing-to-do") == [
        f"{in_use}; `dataware watch new` names whoever still writes to old",
        f"{in_use}; to start over: `dataware forget new`",
        in_use,
    ]
    assert boxes.boxes == before


def test_writes_behind_the_switch_are_no_less_a_difference_the_second_time(
    boxes: FollowedBoxes,
) -> None:
    """Until the cut-over is closed, by which a person accepts them."""
    switch(boxes)
    set_record(boxes, strays=2)
    with pytest.raises(SidesDifferError, match="2 keys of old changed after the switch, and new"):
        report_switched(boxes.context(), "new")
    with pytest.raises(SidesDifferError, match="`dataware close new` ends the watch"):
        follow(boxes.context(), TYPE, *places(), FOLLOW)


def test_a_target_that_is_gone_or_another_one_since_is_no_reached_goal(
    boxes: FollowedBoxes,
) -> None:
    """The record alone would say that all is well."""
    switch(boxes)
    boxes.identities["new"] += 1
    with pytest.raises(RefusedError, match="new is another memory box than the one that was fill"):
        report_switched(boxes.context(), "new")
    lose(boxes, "new")
    with pytest.raises(RefusedError, match=r"a memory box new, .*, does not exist any more"):
        report_switched(boxes.context(), "new")


def test_what_cannot_be_seen_is_not_called_reached(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says which question got no answer."""
    switch(boxes)
    monkeypatch.setattr(reached_goal, "probe_name", unseen)
    with pytest.raises(LookupFailedError, match=r"whether new still exists is unknown: .*Denied"):
        report_switched(boxes.context(), "new")


def unseen(_aws: object, _kind: Kind, name: str) -> Facts:
    """A look that is denied."""
    return Facts(name, schema=None, problems=(Problem("DescribeBox", "AccessDenied", "box:Look"),))


def test_an_undo_that_is_done_is_told_while_its_source_is_there(boxes: FollowedBoxes) -> None:
    """Also while the source is followed again; a cut-over and its way back are not done yet."""
    assert find_undone(boxes.context(), "new") is None
    switch(boxes)
    assert find_undone(boxes.context(), "new") is None
    go_back(boxes)
    for _ in range(2):
        undone = find_undone(boxes.context(), "new")
        assert undone is not None
        report_undone(boxes.context(), undone, places()[0])
        follow_for_a_while(boxes)
    told = "Nothing to do: the cut-over to new was undone, and old has been in use since; "
    assert boxes.texts("nothing-to-do") == 2 * [
        f"{told}`dataware migrate --follow` begins a new one"
    ]
    lose(boxes, "old")
    with pytest.raises(RefusedError, match="a memory box old, which the cut-over was undone to, "):
        report_undone(boxes.context(), undone, places()[0])
