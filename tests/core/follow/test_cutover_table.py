"""What the rows of the table put on record, and what they tell people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.follow.cutover import (
    CLOCK_TOLERANCE,
    CutoverAction,
    CutoverFacts,
    CutoverRecord,
    CutoverState,
)
from dataware.core.follow.cutover_table import BACK, FORTH, CutoverDirection, next_step, why_back

NOW = 1_000_000.0
READY = CutoverFacts(
    copied=True, requested=True, gate_open=True, converged=True, difference_due=False
)
DRAINED = replace(READY, frozen=True, settled=True)


@pytest.mark.parametrize("way", [FORTH, BACK])
def test_a_freeze_began_when_it_was_decided_whatever_follows_in_it(way: CutoverDirection) -> None:
    """So that its limit is one for all processes that go on with it."""
    record = next_step(CutoverRecord(way.gated), READY, NOW).record
    assert (record.state, record.freeze_began) == (way.frozen, NOW)
    for state in (way.drained, way.verified):
        record = next_step(record, replace(DRAINED, equal=True), NOW + 7).record
        assert (record.state, record.freeze_began) == (state, NOW)
    back = next_step(record, replace(DRAINED, dirty=1), NOW + 9).record
    assert (back.state, back.freeze_began) == (way.frozen, NOW)


def test_the_reason_to_go_back_names_the_side_that_was_frozen() -> None:
    """People of both sides read it."""
    late = NOW + 1000
    forth = CutoverRecord(CutoverState.FROZEN, 60.0, NOW)
    assert why_back(forth, DRAINED, late) == "the source was frozen for 60 s, which is the limit"
    back = CutoverRecord(CutoverState.UNDO_DRAINED, 60.0, NOW)
    assert why_back(back, DRAINED, late) == "the target was frozen for 60 s, which is the limit"


def test_a_clock_may_be_behind_by_so_much_and_no_more() -> None:
    """The service's and this machine's differ by some seconds."""
    record = CutoverRecord(CutoverState.FROZEN, 300.0, NOW)
    assert why_back(record, DRAINED, NOW - CLOCK_TOLERANCE) == ""
    assert "clock" in why_back(record, DRAINED, NOW - CLOCK_TOLERANCE - 0.001)
    assert why_back(replace(record, freeze_began=None), DRAINED, NOW) == ""


def test_the_way_back_opens_the_source_as_it_was_before_the_switch() -> None:
    """Nobody is a stray any more, and there is nothing to go back to."""
    record = CutoverRecord(
        CutoverState.UNDO_VERIFIED, 300.0, NOW, reversible_until=NOW + 9, strays=3, witness="w"
    )
    step = next_step(record, replace(DRAINED, equal=True), NOW)
    assert step.action is CutoverAction.RECORD
    assert step.record == CutoverRecord(CutoverState.FOLLOWING, 300.0, witness="w")


def test_the_switch_puts_on_record_for_how_long_the_writers_rested() -> None:
    """In tenths of a second, which the clocks are good for."""
    record = CutoverRecord(CutoverState.VERIFIED, 300.0, NOW)
    facts = replace(DRAINED, equal=True, frozen_seconds=12.3456)
    assert next_step(record, facts, NOW).record.frozen_seconds == 12.3


def test_what_a_process_does_not_know_makes_it_wait() -> None:
    """Facts that nobody has found out lead to no freeze, no switch and no thaw."""
    unknown = CutoverFacts()
    waits = {
        CutoverState.COPYING: CutoverAction.COPY,
        CutoverState.FOLLOWING: CutoverAction.CARRY,
    }
    for state, action in waits.items():
        assert next_step(CutoverRecord(state), unknown, NOW).action is action
    asked = CutoverFacts(requested=True)
    assert next_step(CutoverRecord(FORTH.gated), asked, NOW).action is CutoverAction.COMPARE
    compared = replace(asked, difference_due=False)
    assert next_step(CutoverRecord(FORTH.gated), compared, NOW).action is CutoverAction.CARRY
    for lacking in ({"gate_open": True}, {"converged": True}):
        some = replace(compared, **lacking)
        assert next_step(CutoverRecord(FORTH.gated), some, NOW).action is CutoverAction.CARRY
    frozen = CutoverRecord(FORTH.frozen, 300.0, NOW)
    assert next_step(frozen, compared, NOW).action is CutoverAction.FREEZE
    assert next_step(frozen, replace(compared, frozen=True), NOW).action is CutoverAction.DRAIN
    drained = CutoverRecord(FORTH.drained, 300.0, NOW)
    known = replace(compared, frozen=True)
    assert next_step(drained, known, NOW).action is CutoverAction.VERIFY
    assert next_step(CutoverRecord(CutoverState.SWITCHED), unknown, NOW).record.strays == 0


def test_the_record_says_who_switched_and_how_many_strays_there_are() -> None:
    """Whoever reads it elsewhere has nothing else."""
    record = CutoverRecord(CutoverState.REVERSIBLE, reversible_until=NOW, strays=4, witness="w")
    raw = record.to_json()
    assert (raw["strays"], raw["witness"]) == (4, "w")
    assert CutoverRecord.from_json(raw) == record
    assert "strays" not in CutoverRecord().to_json()
