"""Going on with what is on record: the lock of a dead run is waited for, and errors are summed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dataware.core.errors import IncompleteError, InputError, LookupFailedError, RefusedError
from dataware.core.model import Action, Marker, MarkerState
from dataware.core.plan import Plan
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow.follow_many import check_follow
from dataware.ops.follow.follow_names import (
    LOCK_SECONDS,
    RecordedFollow,
    _await_lock,
    _sum_up,
)
from support.plans import migration, one

RECORDED = RecordedFollow(load("AWS::DynamoDB::Table"), "old", "new")
FOLLOW = CopySettings(follow=True)


class Elsewhere:
    """A run on another machine that seems alive until a time; everything that a wait asks for."""

    def __init__(self, until: float) -> None:
        self.seconds = 0.0
        self.until = until
        self.told: list[str] = []
        self.clock = SimpleNamespace(monotonic=lambda: self.seconds)
        self.aws = SimpleNamespace(pause=self._pause)
        self.markers = self

    def get(self, _kind: str, _target: str) -> Marker:
        """The record."""
        return Marker(MarkerState.RUNNING, alive=self.seconds < self.until)

    def emit(self, happened: Any) -> None:
        """Keep what is told."""
        self.told.append(happened.text())

    def _pause(self, seconds: float) -> None:
        self.seconds += seconds


def test_the_lock_of_a_dead_run_is_waited_for_and_told_once() -> None:
    """A container that is started again elsewhere need not fail."""
    there = Elsewhere(60.0)
    _await_lock(cast("Context", there), RECORDED)
    assert 60.0 <= there.seconds < 70.0
    assert len(there.told) == 1


def test_a_run_that_lives_is_not_waited_for_for_ever() -> None:
    """The follow is refused then, as any second run."""
    there = Elsewhere(float("inf"))
    _await_lock(cast("Context", there), RECORDED)
    assert there.seconds == pytest.approx(LOCK_SECONDS, abs=10)


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
    with pytest.raises(RefusedError, match="cut Waitlist-prod over first"):
        check_follow(plan_of(migration("Waitlist"), chained), FOLLOW)
    check_follow(plan_of(migration("Waitlist"), migration("Orders")), FOLLOW)
    check_follow(plan_of(migration("Waitlist"), chained), CopySettings())


def test_more_than_can_be_kept_alive_at_once_is_refused() -> None:
    """What stays as it is does not count."""
    many = [migration(f"table{number}") for number in range(50)]
    kept = [one(Action.IMPORT, f"bucket{number}") for number in range(9)]
    check_follow(plan_of(*many, *kept), FOLLOW)
    with pytest.raises(InputError, match="51 resources would be followed"):
        check_follow(plan_of(*many, migration("another")), FOLLOW)
