"""What a cut-over waits for before it stops the writers, and while they are stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.follow.cutover import CutoverAction, CutoverState
from dataware.core.follow.cutover_loop import (
    CONVERGED_SECONDS,
    LEAST_SETTLE_SECONDS,
    MOST_SETTLE_SECONDS,
    SETTLE_FACTOR,
)
from dataware.core.follow.feed import DifferenceResult, FeedRound, Gap, GapCause
from support.cutover_setting import Setting
from support.follow_memory import LogFeed


class UnendingFeed(LogFeed):
    """A feed that is never read to its end."""

    def poll(self, now: float) -> FeedRound:
        """A round that is not whole."""
        return replace(super().poll(now), whole=False)


def test_nobody_is_stopped_before_the_copy_is_done() -> None:
    """The copy goes on by itself, and the record says so."""
    setting = Setting(CutoverState.COPYING)
    setting.loop.copied = False
    assert not type(setting.loop).copied
    assert [setting.step().action for _ in range(5)] == [CutoverAction.COPY] * 5
    setting.loop.copied = True
    setting.step()
    assert setting.record.state is CutoverState.FOLLOWING


def test_nobody_is_stopped_while_the_feed_is_not_read_to_its_end() -> None:
    """What is not read may be anything."""
    setting = Setting()
    setting.restart(UnendingFeed(setting.log))
    setting.run_for(20.0)
    assert setting.record.state is CutoverState.GATED
    assert setting.calls == []


def test_nobody_is_stopped_while_keys_wait_to_be_carried() -> None:
    """Such as those of which a write got no answer."""
    setting = Setting()
    setting.run_until(CutoverState.GATED)
    setting.dirty.add([b"stuck"], setting.now)
    setting.dirty.put_back(setting.dirty.take(1, setting.now), setting.now + 25.0)
    began = setting.now
    setting.run_until(CutoverState.FROZEN)
    assert setting.now > began + 25.0


@pytest.mark.parametrize(("late", "is_frozen"), [(0.0, True), (1.0, False)])
def test_both_sides_may_have_been_equal_so_long_ago_and_no_longer(
    late: float, *, is_frozen: bool
) -> None:
    """A feed that does not answer tells nothing of what has changed since."""
    setting = Setting()
    setting.opened = False
    setting.run_until(CutoverState.GATED)
    setting.run_for(5.0)

    def fail() -> None:
        raise LookupFailedError("no answer")

    setting.before_poll, setting.opened = fail, True
    setting.loop._caught_up_at = setting.now - CONVERGED_SECONDS - late
    setting.step(0.0)
    assert (setting.record.state is CutoverState.FROZEN) == is_frozen


def test_the_drain_ends_with_a_round_that_shows_nothing_new() -> None:
    """Whatever still comes after the wait is carried, and waited for once more."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    until = setting.now + 2 * LEAST_SETTLE_SECONDS
    while setting.now < until:
        setting.change(b"late", str(setting.now))
        setting.step()
        assert setting.record.state is CutoverState.FROZEN
    setting.run_until(CutoverState.DRAINED)
    assert setting.loop.loop.quiet_rounds > 0
    assert setting.target == setting.source


def test_the_wait_grows_with_the_longest_delay_of_a_record_and_has_an_end() -> None:
    """The app waits meanwhile."""
    setting = Setting()
    assert setting.loop.settle_seconds == LEAST_SETTLE_SECONDS
    setting.run_until(CutoverState.GATED)
    setting.opened = False
    setting.run_for(1.0)
    setting.log.append((setting.now - 5.0, b"a"))
    setting.run_for(1.0)
    delay = setting.loop.settle_seconds / SETTLE_FACTOR
    assert 4.0 < delay < 6.0
    setting.log.append((setting.now - 900.0, b"a"))
    setting.run_for(1.0)
    assert setting.loop.settle_seconds == MOST_SETTLE_SECONDS


def test_what_both_sides_differ_in_is_carried_and_the_rest_compared_anew() -> None:
    """A comparison that could not list all keys is made once more."""
    setting = Setting()
    setting.source[b"unseen"] = "7"
    setting.results = [DifferenceResult({b"unseen"}, complete=False)]
    setting.run_until(CutoverState.FROZEN)
    assert setting.compared == [None, None]
    assert setting.target == setting.source


def test_a_comparison_during_which_changes_were_missed_is_begun_anew() -> None:
    """What it had read by then may have changed since."""
    setting = Setting()
    setting.results = [None] * 10
    setting.run_until(CutoverState.GATED)
    setting.run_for(0.5)
    setting.memory.gaps = [Gap(GapCause.TRIMMED)]
    setting.run_for(0.5)
    assert setting.compared == [None]
    setting.memory.gaps, setting.results = [], []
    setting.run_until(CutoverState.FROZEN)
    assert setting.compared == [None, None]


def test_under_the_freeze_what_was_carried_since_the_comparison_is_compared() -> None:
    """Without a comparison before it, all is."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    setting.change(b"late", "8")
    setting.run_until(CutoverState.VERIFIED)
    assert setting.compared == [None, frozenset({b"late"})]
    setting.restart()
    setting.run_until(CutoverState.SWITCHED)
    assert setting.compared[2] is None


def test_a_clock_that_is_set_forward_shortens_no_wait() -> None:
    """Both the freeze and what keys wait for go by what went by."""
    setting = Setting()
    setting.day = 5_000.0
    setting.restart()
    assert setting.loop.steady(setting.now + 5_000.0) == setting.now + 5_000.0
    setting.run_until(CutoverState.FROZEN)
    setting.day += 100.0
    began = setting.now
    assert setting.loop.steady(setting.now + setting.day) == pytest.approx(began + 5_000.0)
    setting.run_until(CutoverState.DRAINED)
    assert setting.now >= began + LEAST_SETTLE_SECONDS


def test_how_long_the_writers_rested_is_on_record_and_told_of_a_switch_alone() -> None:
    """From the question to freeze until the switch counts."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    asked = setting.now + 0.1
    setting.run_until(CutoverState.VERIFIED)
    assert setting.loop.frozen_seconds is None
    setting.run_until(CutoverState.SWITCHED)
    assert setting.loop.frozen_seconds == pytest.approx(setting.now - asked)
    assert setting.record.frozen_seconds == pytest.approx(setting.now - asked, abs=0.1)


def test_it_says_when_there_is_nothing_to_do_so_that_whoever_steps_can_rest() -> None:
    """Neither after a change, nor after a record, nor in a comparison."""
    setting = Setting()
    assert not setting.loop.idle
    for _ in range(200):
        step = setting.step()
        if step.action is CutoverAction.RECORD:
            assert not setting.loop.idle
            assert setting.loop.done is None
    setting.run_until(CutoverState.REVERSIBLE)
    assert setting.step().action is CutoverAction.WATCH
    assert setting.loop.idle
    quiet = Setting()
    quiet.requested = False
    quiet.run_for(2.0)
    assert quiet.loop.idle
    quiet.change(b"k", "1")
    assert False in [quiet.step() and quiet.loop.idle for _ in range(4)]
