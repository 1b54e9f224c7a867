"""What fails in a cut-over: the writers go on where they were, and people hear why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dataware.core.errors import DatawareError, LookupFailedError, RefusedError, ServiceError
from dataware.core.follow.cutover import CutoverAction, CutoverState
from dataware.core.follow.feed import DifferenceResult, Gap, GapCause
from support.cutover_setting import Setting


def fail(error: DatawareError) -> Callable[[], None]:
    """What raises an error."""

    def raise_error() -> None:
        raise error

    return raise_error


def assert_given_up(setting: Setting, why: str) -> None:
    """The writers go on with the source, nothing was switched, and the reason is told."""
    setting.run_until(CutoverState.FOLLOWING)
    assert setting.calls[-1] == "thaw"
    assert setting.completed == []
    assert why in setting.loop.given_up
    assert (setting.record.back, setting.record.freeze_began) == ("", None)
    assert setting.loop.failure == ""
    assert setting.loop.frozen_seconds is None


def test_a_carry_that_cannot_go_on_ends_the_freeze_and_not_the_process() -> None:
    """A denied write, for instance."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    setting.change(b"late", "1")

    def fail_once() -> None:
        setting.before_carry = lambda: None
        raise ServiceError("denied")

    setting.before_carry = fail_once
    assert_given_up(setting, "denied")


def test_a_cut_over_that_was_given_up_is_not_begun_again_by_the_same_process() -> None:
    """Whoever asked for it looks at the reason first, and changes are carried meanwhile."""
    setting = Setting()
    setting.hook = fail(ServiceError("no such host"))
    setting.run_until(CutoverState.FROZEN)
    assert_given_up(setting, "no such host")
    setting.hook = lambda: None
    setting.change(b"k", "1")
    assert [setting.step().action for _ in range(40)] == [CutoverAction.CARRY] * 40
    assert setting.target == setting.source


def test_before_the_freeze_a_carry_that_cannot_go_on_ends_the_process() -> None:
    """Nobody waits for the switch, so the error is for whoever runs it."""
    setting = Setting()
    setting.run_until(CutoverState.GATED)
    setting.change(b"late", "1")
    setting.before_carry = fail(ServiceError("denied"))
    with pytest.raises(ServiceError, match="denied"):
        setting.run_for(5.0)
    assert setting.calls == []


@pytest.mark.parametrize("hook", ["before_carry", "before_collect", "thaw_hook"])
def test_a_lost_lock_ends_it_wherever_that_is_heard_of(hook: str) -> None:
    """Whoever holds the lock now decides."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    setting.step()
    setting.change(b"late", "1")
    setattr(setting, hook, fail(RefusedError("another run has the lock")))
    if hook == "thaw_hook":
        setting.requested = False
    with pytest.raises(RefusedError):
        setting.run_until(CutoverState.SWITCHED)
    assert setting.completed == []


def test_a_verification_that_fails_ends_the_freeze() -> None:
    """Nothing is switched that was not compared."""
    setting = Setting()
    setting.run_until(CutoverState.DRAINED)
    setting.before_collect = fail(LookupFailedError("no answer"))
    assert_given_up(setting, "no answer")


@pytest.mark.parametrize("found", [DifferenceResult({b"a"}), DifferenceResult((), complete=False)])
def test_a_verification_that_does_not_show_that_both_are_equal_ends_the_freeze(
    found: DifferenceResult,
) -> None:
    """Also one that found nothing, and could not look at all."""
    setting = Setting()
    setting.run_until(CutoverState.DRAINED)
    setting.results = [found]
    setting.step()
    setting.step()
    assert setting.record.state is not CutoverState.VERIFIED
    assert_given_up(setting, "the verification found differences")


def test_changes_that_are_missed_under_the_freeze_end_it() -> None:
    """What was missed is on neither side, as far as is known."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    setting.step()
    setting.memory.gaps = [Gap(GapCause.TRIMMED)]
    assert_given_up(setting, "changes were missed")


def test_a_thaw_that_fails_stops_the_process_with_both_reasons() -> None:
    """The record still says that the source may be frozen, so the next process thaws it."""
    setting = Setting()
    setting.run_until(CutoverState.FROZEN)
    setting.step()
    setting.requested, setting.thaw_hook = False, fail(ServiceError("no such host"))
    steps = [setting.step() for _ in range(3)]
    actions = [step.action for step in steps]
    assert actions == [CutoverAction.RECORD, CutoverAction.THAW, CutoverAction.STOP]
    assert (steps[-1].why, setting.loop.failure) == ("the cut-over was withdrawn", "no such host")
    assert setting.record.may_be_frozen
    setting.thaw_hook = lambda: None
    setting.restart()
    setting.run_until(CutoverState.FOLLOWING)
    assert setting.calls == ["freeze", "thaw", "thaw"]


def test_the_limit_of_a_freeze_is_that_with_which_it_began() -> None:
    """Another process may be told another one; the people who wait were told the first."""
    setting = Setting()
    setting.restart(freeze_limit=77.0)
    setting.run_until(CutoverState.FROZEN)
    assert setting.record.freeze_limit == 77.0
    setting.restart(freeze_limit=5.0)
    setting.run_until(CutoverState.SWITCHED)
    assert setting.record.freeze_limit == 77.0
    waiting = Setting()
    waiting.restart(freeze_limit=5.0)
    waiting.run_until(CutoverState.FOLLOWING, CutoverState.GATED)
    assert waiting.record.freeze_limit == 5.0
    waiting.run_until(CutoverState.FROZEN)
    assert_given_up(waiting, "frozen for 5 s, which is the limit")


def test_the_switch_alone_is_written_together_with_complete() -> None:
    """And names the process that made it."""
    setting = Setting()
    setting.restart(witness="first")
    setting.run_until(CutoverState.REVERSIBLE)
    assert [one.state for one in setting.completed] == [CutoverState.SWITCHED]
    names = {one.witness for one in setting.written if one.state is not CutoverState.SWITCHED}
    assert names == {"", "first"}
    before = [one for one in setting.written if one.may_be_frozen]
    assert {one.witness for one in before} == {""}
    assert setting.record.witness == "first"
    setting.restart(witness="second")
    setting.change(b"stray", "1")
    setting.run_for(2.0)
    assert (setting.record.witness, setting.record.strays) == ("first", 1)
