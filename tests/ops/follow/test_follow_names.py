"""Going on with what is on record: the lock of a dead run is waited for, and errors are summed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    LookupFailedError,
    RefusedError,
)
from dataware.core.model import NO_MARKER, Action, Marker, MarkerState
from dataware.core.plan import Plan
from dataware.kinds import load
from dataware.ops import side_by_side
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow import follow_names
from dataware.ops.follow.after_switch import find_switched
from dataware.ops.follow.cut_over import find_followed
from dataware.ops.follow.follow_checks import check_follow
from dataware.ops.follow.follow_names import (
    LOCK_SECONDS,
    LOOK_SECONDS,
    RecordedFollow,
    _await_lock,
    _sum_up,
    find_recorded,
    follow_recorded,
)
from dataware.ops.follow.undo import find_undoable
from dataware.ops.migration_policy import FOLLOWED
from dataware.ops.side_by_side import MOST_BEGUN
from support.followed_boxes import (
    SLUG,
    FollowedBoxes,
    follow_boxes,
    follow_for_a_while,
    places,
    switch,
)
from support.plans import migration, one

REPOSITORY = load("AWS::ECR::Repository")
RECORDED = RecordedFollow(load("AWS::DynamoDB::Table"), "old", "new", NO_MARKER)
FOLLOW = CopySettings(follow=True)


BEGAN = 1000.0
"""What the clock shows when a wait begins."""


class Elsewhere:
    """A run on another machine that seems alive until a time; everything that a wait asks for."""

    def __init__(self, until: float, **detail: str) -> None:
        self.seconds = BEGAN
        self.until = BEGAN + until
        self.detail = detail
        self.pauses: list[float] = []
        self.told: list[str] = []
        self.clock = SimpleNamespace(monotonic=lambda: self.seconds)
        self.aws = SimpleNamespace(pause=self._pause)
        self.markers = self

    def get(self, _kind: str, _target: str) -> Marker:
        """The record."""
        return Marker(MarkerState.RUNNING, alive=self.seconds < self.until, detail=self.detail)

    def emit(self, happened: Any) -> None:
        """Keep what is told."""
        self.told.append(happened.text())

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


def test_the_lock_of_a_dead_run_is_waited_for_and_told_once() -> None:
    """A container that is started again elsewhere need not fail."""
    there = Elsewhere(60.0)
    _await_lock(cast("Context", there), RECORDED)
    assert 60.0 <= there.seconds - BEGAN < 70.0
    assert set(there.pauses) == {LOOK_SECONDS}
    assert there.told == ["Waiting for the lock on new, which another machine had last"]


def test_a_lock_that_nobody_has_is_not_waited_for() -> None:
    """Else the machine that had it is named."""
    free = Elsewhere(0.0)
    _await_lock(cast("Context", free), RECORDED)
    assert (free.pauses, free.told) == ([], [])
    named = Elsewhere(1.0, holder="laptop")
    _await_lock(cast("Context", named), RECORDED)
    assert named.told == ["Waiting for the lock on new, which laptop had last"]


def test_a_run_that_lives_is_not_waited_for_for_ever() -> None:
    """The follow is refused then, as any second run."""
    there = Elsewhere(float("inf"))
    _await_lock(cast("Context", there), RECORDED)
    assert there.seconds == BEGAN + LOCK_SECONDS


def test_a_refusal_goes_before_what_is_only_incomplete() -> None:
    """Going on could lose data; without errors there is nothing to raise."""
    _sum_up([])
    with pytest.raises(IncompleteError, match="stopped; lost"):
        _sum_up([IncompleteError("stopped"), LookupFailedError("lost")])
    with pytest.raises(RefusedError, match="stopped; held"):
        _sum_up([IncompleteError("stopped"), RefusedError("held")])


def plan_of(*resources: Any) -> Plan:
    """A plan."""
    return Plan("111122223333", "eu-central-1", "2026-11-29T00:00:00+00:00", resources)


def test_what_follows_a_target_of_the_same_run_is_refused() -> None:
    """It would wait for the end of a follow, which has none."""
    chained = migration("Waitlist-prod")
    with pytest.raises(RefusedError, match="cut it over first"):
        check_follow(plan_of(migration("Waitlist"), chained), FOLLOW)
    check_follow(plan_of(migration("Waitlist"), migration("Orders")), FOLLOW)
    check_follow(plan_of(migration("Waitlist"), chained), CopySettings())


def test_settings_that_a_type_cannot_carry_out_are_refused_before_anything_is_begun() -> None:
    """For each resource that would be followed."""
    kept = one(Action.IMPORT, "bucket")
    with pytest.raises(InputError, match="carries current objects only"):
        check_follow(plan_of(kept, migration("Waitlist")), replace(FOLLOW, all_versions=True))
    check_follow(plan_of(kept), replace(FOLLOW, all_versions=True))


def test_more_than_can_be_kept_alive_at_once_is_refused() -> None:
    """What stays as it is does not count."""
    many = [migration(f"table{number}") for number in range(50)]
    kept = [one(Action.IMPORT, f"bucket{number}") for number in range(9)]
    check_follow(plan_of(*many, *kept), FOLLOW)
    with pytest.raises(InputError, match="51 resources would be followed"):
        check_follow(plan_of(*many, migration("another")), FOLLOW)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """A box of two keys, and an empty one."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(2)
    return boxes


def put_record(boxes: FollowedBoxes, source: str | None = "old", **detail: Any) -> None:
    """The record of a run into the new box that has ended."""
    begun = Marker(MarkerState.RUNNING, source, "run-1")
    boxes.markers_of().begin(SLUG, "new", begun).release(detail)


def test_a_followed_migration_is_found_by_its_target(boxes: FollowedBoxes) -> None:
    """With both names; once it is cut over it is complete, and no mistake."""
    follow_for_a_while(boxes)
    found = find_recorded(boxes.context(), "new")
    assert (found.kind.names.slug, found.source, found.target) == (SLUG, "old", "new")
    assert not found.is_complete
    switch(boxes)
    assert find_recorded(boxes.context(), "new").is_complete


@pytest.mark.parametrize(("source", "detail"), [("old", {}), (None, {FOLLOWED: True})])
def test_a_migration_that_is_not_followed_is_not_gone_on_with(
    boxes: FollowedBoxes, source: str | None, detail: dict[str, bool]
) -> None:
    """It says how to begin."""
    put_record(boxes, source, **detail)
    with pytest.raises(InputError, match="into new is not followed; begin with"):
        find_recorded(boxes.context(), "new")


def test_what_no_record_names_is_an_error(boxes: FollowedBoxes) -> None:
    """Nothing is begun."""
    with pytest.raises(InputError, match="no migration into nothing is recorded"):
        find_recorded(boxes.context(), "nothing")


def test_a_type_that_is_not_followed_is_refused(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its record says."""
    follow_for_a_while(boxes)
    monkeypatch.setattr(follow_names, "kind_of_record", lambda *_: REPOSITORY)
    with pytest.raises(InputError, match="cannot follow a repository yet"):
        find_recorded(boxes.context(), "new")


@pytest.mark.parametrize("find", [find_recorded, find_followed, find_switched, find_undoable])
def test_the_record_of_a_type_that_another_version_knows_says_so(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch, find: Callable[[Context, str], object]
) -> None:
    """Whatever is asked of it, in one sentence."""
    follow_for_a_while(boxes)
    if find in (find_switched, find_undoable):
        switch(boxes)
    monkeypatch.setattr("dataware.kinds.CATALOGUE", {})
    with pytest.raises(InputError, match="record of new is of a memory-box, which this version"):
        find(boxes.context(), "new")


ASKED = ContextVar("ASKED", default="nothing")


class Follows:
    """What `follow` does for each target, in its own thread; an error of a name ends it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **errors: BaseException) -> None:
        self.errors = errors
        self.asked: list[tuple[str, str, str]] = []
        self.seen: list[str] = []
        self.ended: list[str] = []
        self.all_begun = threading.Barrier(2, timeout=30)
        self.waits = False
        monkeypatch.setattr(follow_names, "follow", self.follow)

    def follow(
        self, context: Context, cfn_type: str, source: Any, target: Any, settings: CopySettings
    ) -> None:
        """Wait for the other one, then until a person asks to stop."""
        assert settings is FOLLOW
        thread = threading.current_thread()
        assert (thread.daemon, thread.name) == (True, f"follow into {target.name}")
        self.asked.append((cfn_type, source.name, target.name))
        self.seen.append(f"{context.aws.region} {ASKED.get()}")
        if self.waits:
            self.all_begun.wait()
        if error := self.errors.get(target.name):
            raise error
        if self.waits:
            while not context.stop():
                threading.Event().wait(0.005)
        self.ended.append(target.name)


def followed(boxes: FollowedBoxes, *names: str, is_complete: bool = False) -> list[Any]:
    """Some migrations from the old box, in the place where the boxes are."""
    assert boxes.kind is not None
    kind, (old, new) = boxes.kind, places()
    marker = Marker(MarkerState.COMPLETE, "old", "run") if is_complete else NO_MARKER
    return [
        (RecordedFollow(kind, "old", name, marker), (old, replace(new, name=name)))
        for name in names
    ]


def test_each_is_followed_from_where_it_was_to_where_it_goes(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a thread has of the command comes along."""
    follows = Follows(monkeypatch)
    ASKED.set("something")
    follow_recorded(boxes.context(), followed(boxes, "new"), FOLLOW)
    assert follows.asked == [("Memory::Box", "old", "new")]
    assert follows.seen == [f"{boxes.aws.region} something"]


def test_what_is_cut_over_is_told_and_left_alone(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is started again ends well, and any number of them is fine."""
    follows = Follows(monkeypatch)
    names = [f"box{number}" for number in range(MOST_BEGUN + 1)]
    for name in names:
        boxes.make(name)
    done = followed(boxes, *names, is_complete=True)
    follow_recorded(boxes.context(), [*done, *followed(boxes, "new")], FOLLOW)
    assert follows.ended == ["new"]
    assert boxes.texts("note")[0] == "Nothing to follow into box0: it is complete"
    assert len(boxes.texts("note")) == len(names)


def test_a_target_that_is_gone_since_it_was_complete_is_told_beside_the_others(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that ended well then would hide that its data is lost."""
    follows = Follows(monkeypatch)
    done = followed(boxes, "gone", is_complete=True)
    with pytest.raises(RefusedError, match="memory box gone, which was complete, does not exist"):
        follow_recorded(boxes.context(), [*done, *followed(boxes, "new")], FOLLOW)
    assert follows.ended == ["new"]
    assert len(boxes.texts("incomplete")) == 1


def test_more_than_one_process_can_follow_are_refused(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any of them is begun."""
    follows = Follows(monkeypatch)
    names = [f"box{number}" for number in range(MOST_BEGUN + 1)]
    with pytest.raises(InputError, match="name 50 at most"):
        follow_recorded(boxes.context(), followed(boxes, *names), FOLLOW)
    follow_recorded(boxes.context(), followed(boxes, *names[1:]), FOLLOW)
    assert sorted(follows.ended) == sorted(names[1:])


@pytest.mark.parametrize(
    ("error", "raised"),
    [(LookupFailedError("no answer"), IncompleteError), (RefusedError("held"), RefusedError)],
)
def test_one_that_fails_holds_up_no_other(
    boxes: FollowedBoxes,
    monkeypatch: pytest.MonkeyPatch,
    error: DatawareError,
    raised: type[Exception],
) -> None:
    """It is told at once, and the command ends with it once the others are stopped."""
    follows = Follows(monkeypatch, bad=error)
    follows.waits = True

    def stop() -> bool:
        return "incomplete" in boxes.codes

    with pytest.raises(raised, match=str(error)) as caught:
        follow_recorded(boxes.context(stop), followed(boxes, "bad", "good"), FOLLOW)
    assert follows.ended == ["good"]
    assert str(error) in boxes.texts("incomplete")[0]
    assert raised is RefusedError or caught.value.__cause__ is error


def test_a_second_signal_ends_all_of_them(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that can end well do so within a moment."""
    follows = Follows(monkeypatch)
    follows.waits = True

    def press_ctrl_c(_ended: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(follow_names, "wait_for", press_ctrl_c)
    monkeypatch.setattr(side_by_side, "HALT_SECONDS", 30)
    with pytest.raises(KeyboardInterrupt):
        follow_recorded(boxes.context(), followed(boxes, "one", "two"), FOLLOW)
    assert sorted(follows.ended) == ["one", "two"]


def test_a_defect_is_no_error_of_a_migration(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised as it is, whichever thread it was in."""
    Follows(monkeypatch, new=ZeroDivisionError("a defect"))
    with pytest.raises(ZeroDivisionError, match="a defect"):
        follow_recorded(boxes.context(), followed(boxes, "new"), FOLLOW)


def test_a_lock_lies_where_the_target_is(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is followed from there."""
    follows = Follows(monkeypatch)
    moved: list[str] = []

    def move(context: Context, region: str) -> Context:
        moved.append(region)
        return context

    ((recorded, (old, new)),) = followed(boxes, "new")
    context = replace(boxes.context(), move=move)
    follow_recorded(context, [(recorded, (old, replace(new, region="eu-north-1")))], FOLLOW)
    assert moved == ["eu-north-1"]
    assert follows.ended == ["new"]
