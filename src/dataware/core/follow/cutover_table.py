"""What is to be done next in a cut-over, as a table of rows that are data; pure.

A cut-over and its undo (`core.follow.cutover`) are the same rows over other states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dataware.core.follow.cutover import (
    CLOCK_TOLERANCE,
    REVERSIBLE_SECONDS,
    STATES,
    CutoverAction,
    CutoverFacts,
    CutoverRecord,
    CutoverState,
    CutoverStep,
)

Condition = Callable[[CutoverRecord, CutoverFacts, float], bool]
Reason = Callable[[CutoverRecord, CutoverFacts, float], str]


@dataclass(frozen=True, slots=True)
class CutoverRow:
    """A row of the table: in these states, if the condition holds, this is done.

    `to` is the state to record; `back` tells why the freeze is given up.
    """

    states: tuple[CutoverState, ...]
    when: Condition
    action: CutoverAction
    to: CutoverState | None = None
    back: Reason | None = None


def next_step(record: CutoverRecord, facts: CutoverFacts, now: float) -> CutoverStep:
    """What a process that holds the lock does next: the first row of the table that fits."""
    for row in TABLE:
        if record.state in row.states and row.when(record, facts, now):
            return _step_of(row, record, facts, now)
    raise AssertionError(f"no row fits the state {record.state}")  # every state has a last row


def _step_of(
    row: CutoverRow, record: CutoverRecord, facts: CutoverFacts, now: float
) -> CutoverStep:
    if row.back is not None:
        why = row.back(record, facts, now)
        return CutoverStep(row.action, replace(record, back=why), why)
    if row.to is None:
        return CutoverStep(row.action, record, record.back or facts.failure)
    after = replace(record, state=row.to)
    if STATES[row.to].back and not record.may_be_frozen:
        after = replace(after, freeze_began=now)
    elif not STATES[row.to].back:
        after = replace(after, freeze_began=None, back="")
    if row.to is CutoverState.FOLLOWING:
        after = replace(after, reversible_until=None, strays=0)
    if row.to is CutoverState.SWITCHED:
        rested = round(facts.frozen_seconds, 1)
        after = replace(after, reversible_until=now + REVERSIBLE_SECONDS, frozen_seconds=rested)
    return CutoverStep(row.action, after)


def why_back(record: CutoverRecord, facts: CutoverFacts, now: float) -> str:
    """Why a freeze has to be given up; empty if it has not."""
    began = now if record.freeze_began is None else record.freeze_began
    over = max(now - began, facts.frozen_seconds) >= record.freeze_limit
    frozen = "the target" if record.state in BACK.freeze else "the source"
    reasons = {
        facts.failure: bool(facts.failure),
        f"{frozen} was frozen for {record.freeze_limit:.0f} s, which is the limit": over,
        "the clock is behind the time at which the freeze began": now < began - CLOCK_TOLERANCE,
        "the cut-over was withdrawn": not facts.requested,
        "changes were missed, so both sides must be compared again": (facts.difference_due),
        "the verification found differences": facts.equal is False,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _always(record: CutoverRecord, facts: CutoverFacts, now: float) -> bool:
    return True


def _may_freeze(record: CutoverRecord, facts: CutoverFacts, now: float) -> bool:
    return facts.gate_open and facts.converged


def _has_ended(record: CutoverRecord, facts: CutoverFacts, now: float) -> bool:
    return record.reversible_until is None or now >= record.reversible_until


@dataclass(frozen=True, slots=True)
class CutoverDirection:
    """The states of one way. `thawed` is where it goes back to, and `done` is how it ends well."""

    gated: CutoverState
    frozen: CutoverState
    drained: CutoverState
    verified: CutoverState
    thawed: CutoverState
    done: tuple[CutoverAction, CutoverState]

    @property
    def freeze(self) -> tuple[CutoverState, ...]:
        """The states in which both sides are closed."""
        return self.frozen, self.drained, self.verified


_S, _A = CutoverState, CutoverAction
FORTH = CutoverDirection(
    _S.GATED, _S.FROZEN, _S.DRAINED, _S.VERIFIED, _S.FOLLOWING, (_A.COMPLETE, _S.SWITCHED)
)
BACK = CutoverDirection(
    _S.UNDOING,
    _S.UNDO_FROZEN,
    _S.UNDO_DRAINED,
    _S.UNDO_VERIFIED,
    _S.UNDOING,
    (_A.RECORD, _S.FOLLOWING),
)
WAYS = (FORTH, BACK)


def _give_up_rows(way: CutoverDirection) -> Iterator[CutoverRow]:
    """The freeze is given up: nothing but the thaw is left, and only then one side is open."""
    yield CutoverRow(
        way.freeze, lambda r, f, _: bool(r.back) and f.thawed is True, _A.RECORD, way.thawed
    )
    yield CutoverRow(way.freeze, lambda r, f, _: bool(r.back) and f.thawed is False, _A.STOP)
    yield CutoverRow(way.freeze, lambda r, _f, _: bool(r.back), _A.THAW)
    yield CutoverRow(
        way.freeze, lambda r, f, now: bool(why_back(r, f, now)), _A.RECORD, back=why_back
    )


def _gate_rows(way: CutoverDirection) -> Iterator[CutoverRow]:
    """Before the freeze."""
    yield CutoverRow((way.gated,), lambda _r, f, _: f.difference_due, _A.COMPARE)
    yield CutoverRow((way.gated,), _may_freeze, _A.RECORD, way.frozen)
    yield CutoverRow((way.gated,), _always, _A.CARRY)


def _freeze_rows(way: CutoverDirection) -> Iterator[CutoverRow]:
    """While both sides are closed."""
    frozen, drained, verified = way.freeze
    yield CutoverRow((frozen,), lambda _r, f, _: not f.frozen, _A.FREEZE)
    yield CutoverRow((frozen,), lambda _r, f, _: f.settled and not f.dirty, _A.RECORD, drained)
    yield CutoverRow((frozen,), _always, _A.DRAIN)
    yield CutoverRow(
        (drained, verified), lambda _r, f, _: not f.frozen or f.dirty > 0, _A.RECORD, frozen
    )
    yield CutoverRow((drained,), lambda _r, f, _: f.equal is True, _A.RECORD, verified)
    yield CutoverRow((drained,), _always, _A.VERIFY)
    yield CutoverRow((verified,), lambda _r, f, _: f.equal is not True, _A.RECORD, drained)
    yield CutoverRow((verified,), _always, *way.done)


_OPEN = (_S.COPYING, _S.FOLLOWING, _S.GATED, _S.SWITCHED, _S.REVERSIBLE)
TABLE = (
    *(row for way in WAYS for row in _give_up_rows(way)),
    # Whoever gives the undo up leaves it open, and says so with "complete".
    CutoverRow(
        (_S.UNDOING,),
        lambda _r, f, _: bool(f.failure) or not f.requested,
        _A.COMPLETE,
        _S.REVERSIBLE,
    ),
    CutoverRow(_OPEN, lambda _r, f, _: bool(f.failure), _A.STOP),
    CutoverRow((_S.COPYING,), lambda _r, f, _: f.copied, _A.RECORD, _S.FOLLOWING),
    CutoverRow((_S.COPYING,), _always, _A.COPY),
    CutoverRow((_S.FOLLOWING,), lambda _r, f, _: f.requested, _A.RECORD, _S.GATED),
    CutoverRow((_S.FOLLOWING,), _always, _A.CARRY),
    CutoverRow((_S.GATED,), lambda _r, f, _: not f.requested, _A.RECORD, _S.FOLLOWING),
    *(row for way in WAYS for row in (*_gate_rows(way), *_freeze_rows(way))),
    # After the switch nothing is written to either side.
    CutoverRow((_S.SWITCHED, _S.REVERSIBLE), _has_ended, _A.RECORD, _S.CLOSED),
    CutoverRow((_S.SWITCHED,), lambda _r, f, _: f.source_read, _A.RECORD, _S.REVERSIBLE),
    CutoverRow((_S.SWITCHED, _S.REVERSIBLE), _always, _A.WATCH),
    CutoverRow((_S.CLOSED,), _always, _A.END),
)
