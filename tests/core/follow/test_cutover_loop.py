"""The steps of a cut-over: what is waited for after a freeze, and what the watch must not miss."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import RefusedError, ServiceError
from dataware.core.follow.cutover import STATES, CutoverAction, CutoverState
from dataware.core.follow.cutover_loop import LEAST_SETTLE_SECONDS
from dataware.core.follow.feed import FeedRound
from support.cutover_setting import Setting

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/cut-over.md"


class SlowComparisons:
    """The feed of a source without one: each round reads both sides, and takes half a minute."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.began = 0.0
        self.read: frozenset[bytes] | None = None

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """It has no position."""
        return {}

    def poll(self, now: float) -> FeedRound:
        """What differed when the round began, once it has ended."""
        source, target = self.setting.source, self.setting.target
        if self.read is None:
            every = source.keys() | target.keys()
            self.read = frozenset(key for key in every if source.get(key) != target.get(key))
            self.began = now
        if now < self.began + 30.0:
            return FeedRound(frozenset(), {}, whole=False)
        found, self.read = self.read, None
        return FeedRound(found, {}, as_of=self.began)


def test_a_comparison_that_began_before_the_freeze_does_not_end_the_wait() -> None:
    """It has not seen what was written after it had read that key, however late it ends."""
    setting = Setting()
    feed = SlowComparisons(setting)
    setting.restart(feed)

    def write_at_the_last_moment() -> None:
        while feed.read is None or setting.now < feed.began + 15.0:
            setting.now += 0.1
            setting.loop.loop.step(setting.now)
        setting.source[b"late"] = "7"

    setting.hook = write_at_the_last_moment
    setting.run_until(CutoverState.SWITCHED, steps=3000)
    assert setting.target == setting.source


def test_it_follows_freezes_drains_verifies_and_switches() -> None:
    """One whole cut-over, in which only what changed is compared under the freeze."""
    setting = Setting()
    setting.change(b"b", "2")
    setting.run_until(CutoverState.GATED)
    setting.run_until(CutoverState.FROZEN)
    setting.change(b"c", "3")
    setting.run_until(CutoverState.SWITCHED)
    assert setting.target == setting.source
    assert setting.calls == ["freeze"]
    assert setting.compared[0] is None
    assert set(setting.compared[-1] or ()) >= {b"c"}
    assert b"a" not in set(setting.compared[-1] or ())
    assert setting.loop.frozen_seconds is not None
    assert setting.loop.frozen_seconds >= LEAST_SETTLE_SECONDS


def test_what_was_sent_before_a_slow_freeze_returned_is_waited_for() -> None:
    """The feed is read for so long after the freeze is done, however long that took."""
    setting = Setting()

    def take_long() -> None:
        setting.now += 100.0

    setting.hook = take_long
    setting.run_until(CutoverState.FROZEN)
    setting.loop.step(setting.now)
    returned = setting.now
    setting.run_until(CutoverState.DRAINED)
    assert setting.now - returned >= LEAST_SETTLE_SECONDS


def test_nothing_is_frozen_or_drained_while_writes_of_the_copy_may_arrive() -> None:
    """Also where nothing has changed, so that no key waits."""
    setting = Setting()
    setting.loop.loop.allow_carrying(setting.now + 30.0)
    setting.run_until(CutoverState.FROZEN, steps=1000)
    assert setting.now >= 1030.0
    setting.restart().loop.allow_carrying(setting.now + 90.0)
    began = setting.now
    setting.run_until(CutoverState.DRAINED, steps=2000)
    assert setting.now >= began + 90.0


def test_the_watch_names_what_was_read_and_not_yet_written_down_at_the_switch() -> None:
    """A round that was in memory when both sides were switched is read again."""
    setting = Setting()
    setting.run_until(CutoverState.VERIFIED)
    # A round is read in the middle of the switch, and its keys never reach the disk.
    setting.change(b"stray", "9")
    setting.loop.loop.step(setting.now)
    while setting.record.state is not CutoverState.SWITCHED:
        setting.loop.step(setting.now)
    setting.run_until(CutoverState.REVERSIBLE)
    assert b"stray" in setting.strays


def test_a_failure_is_recorded_before_the_writers_go_on_and_the_request_is_over() -> None:
    """The reason is kept for people, and the same process does not freeze again by itself."""
    setting = Setting()

    def fail() -> None:
        raise ServiceError("no way")

    setting.hook = fail
    setting.run_until(CutoverState.FROZEN)
    setting.run_until(CutoverState.FOLLOWING)
    assert setting.calls == ["freeze", "thaw"]
    assert setting.loop.given_up == "no way"
    for _ in range(50):
        setting.now += 0.1
        assert setting.loop.step(setting.now).action is CutoverAction.CARRY


@pytest.mark.parametrize("outcome", ["lost", "never"])
def test_a_completion_without_an_answer_is_read_before_anything_is_done(outcome: str) -> None:
    """What counts is believed: it is switched, or it is tried again."""
    setting = Setting()
    setting.run_until(CutoverState.VERIFIED)
    setting.outcomes = [outcome]
    setting.loop.step(setting.now)
    assert (setting.record.state is CutoverState.SWITCHED) == (outcome == "lost")
    assert setting.loop.record == setting.record
    setting.run_until(CutoverState.SWITCHED, CutoverState.REVERSIBLE)
    assert setting.calls == ["freeze"]


def test_a_new_process_freezes_and_verifies_all_again() -> None:
    """What the one before has seen died with it."""
    setting = Setting()
    setting.run_until(CutoverState.VERIFIED)
    setting.restart()
    setting.run_until(CutoverState.SWITCHED)
    assert setting.calls == ["freeze", "freeze"]
    assert setting.compared[-1] is None


def test_the_downtime_is_that_of_the_writers_and_not_of_the_process_that_ends_it() -> None:
    """Whoever takes over counts from the freeze on record; alone its own clock counts."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    began = setting.record.freeze_began
    assert began is not None
    setting.run_until(CutoverState.VERIFIED)
    setting.now += 40.0
    setting.restart()
    setting.run_until(CutoverState.SWITCHED)
    rested = setting.record.frozen_seconds
    assert rested == pytest.approx(setting.now - began, abs=0.2)
    assert setting.loop.frozen_seconds == pytest.approx(rested, abs=0.2)
    alone = Setting()
    alone.run_until(CutoverState.SWITCHED)
    assert alone.record.frozen_seconds == pytest.approx(alone.loop.frozen_seconds or 0.0, abs=0.2)
    assert (alone.record.frozen_seconds or 0.0) < rested - 30.0


def test_a_watch_on_another_machine_says_what_it_has_not_seen() -> None:
    """Without a position nobody knows who wrote since the switch."""
    setting = Setting()
    setting.run_until(CutoverState.SWITCHED)
    setting.memory.saved = None
    setting.restart()
    assert setting.gaps


def test_a_lost_lock_ends_it_without_a_thaw() -> None:
    """Whoever holds the lock now decides about the writers."""
    setting = Setting()

    def lose() -> None:
        raise RefusedError("another run has the lock")

    setting.hook = lose
    setting.run_until(CutoverState.FROZEN)
    with pytest.raises(RefusedError):
        setting.loop.step(setting.now)
    assert "thaw" not in setting.calls


def test_the_page_for_operators_names_every_state_as_it_is() -> None:
    """The table of states on the page is the one of the code."""
    text = PAGE.read_text("utf-8")
    for state, rule in STATES.items():
        sides = [
            "open" if is_open else "closed" for is_open in (rule.source_open, rule.target_open)
        ]
        assert f"| {state} | {rule.waits_for} | {sides[0]} | {sides[1]} |" in text
