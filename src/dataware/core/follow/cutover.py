"""The cut-over of a followed migration: its states, and what is to be done next in each; pure.

    copying > following > gated > frozen > drained > verified > switched > reversible > closed
                  ^                 |         |          |
                  └──── thawed <────┴─────────┴──────────┘  a failure, or the limit of the freeze

The record of it lies in the marker, so any machine that holds the lock resumes from it. Three laws
keep the two sides from being open at once, whatever is killed and whichever answer is lost:

1. "frozen" counts in the marker before the freeze is asked for. So whoever finds that record knows
   that the source may be frozen, and freezes it again or thaws it.
2. The reason to go back counts in the marker before the thaw is asked for. From then on no write of
   "complete" counts that was sent earlier, because it is not the very next one after what its
   writer had seen.
3. The target is open once "complete" counts, and never before. From then on nothing thaws.

The undo is the same with the sides reversed, and opens the source by the record "following":

    reversible > undoing > undo-frozen > undo-drained > undo-verified > following
                    ^            |             |              |
                    └── thawed <─┴─────────────┴──────────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dataware.calc.rate import format_tenths

FREEZE_LIMIT = 300.0
"""Seconds after which a freeze is given up, if nothing else is said."""

REVERSIBLE_SECONDS = 86400.0
"""For how long changes can be carried back: records of a stream are kept for 24 hours (Amazon
DynamoDB Developer Guide, "Change data capture for DynamoDB Streams")."""

CLOCK_TOLERANCE = 60.0
"""By how many seconds a clock may be behind the record of a freeze and still be believed."""


_TIMES = ("freeze_began", "reversible_until", "frozen_seconds")


class CutoverState(StrEnum):
    """Where a followed migration stands; the value is the word of the marker."""

    COPYING = "copying"
    FOLLOWING = "following"
    GATED = "gated"
    FROZEN = "frozen"
    DRAINED = "drained"
    VERIFIED = "verified"
    SWITCHED = "switched"
    REVERSIBLE = "reversible"
    CLOSED = "closed"
    UNDOING = "undoing"
    UNDO_FROZEN = "undo-frozen"
    UNDO_DRAINED = "undo-drained"
    UNDO_VERIFIED = "undo-verified"


class CutoverAction(StrEnum):
    """What is to be done next.

    RECORD writes the record of the step into the marker, COMPLETE does so together with
    "complete"; nothing else is done until that write counts.
    """

    COPY = "copy"
    CARRY = "carry"
    COMPARE = "compare"
    RECORD = "record"
    FREEZE = "freeze"
    DRAIN = "drain"
    VERIFY = "verify"
    COMPLETE = "complete"
    THAW = "thaw"
    WATCH = "watch"
    STOP = "stop"
    END = "end"


@dataclass(frozen=True, slots=True)
class StateRule:
    """What holds in a state: who may write where, what ends it, and where a new process begins.

    `back` says that a failure in it thaws the source and goes back to following.
    """

    state: CutoverState
    source_open: bool
    target_open: bool
    waits_for: str
    does: str
    restart: CutoverState
    back: bool = False


_S = CutoverState
STATES: Mapping[CutoverState, StateRule] = {
    rule.state: rule
    for rule in (
        StateRule(
            _S.COPYING,
            True,
            False,
            "the last write of the copy",
            "copies, and collects the keys that change",
            _S.COPYING,
        ),
        StateRule(
            _S.FOLLOWING,
            True,
            False,
            "a request to cut over",
            "carries every change",
            _S.FOLLOWING,
        ),
        StateRule(
            _S.GATED,
            True,
            False,
            "both sides to be equal but for what has just changed, and the gate to be open",
            "compares both sides, and carries every change",
            _S.GATED,
        ),
        StateRule(
            _S.FROZEN,
            False,
            False,
            "the freeze, and the feed to be read to its end",
            "freezes the source, then carries what is left",
            _S.FROZEN,
            back=True,
        ),
        StateRule(
            _S.DRAINED,
            False,
            False,
            "the verification of what has changed",
            "compares both sides",
            _S.FROZEN,
            back=True,
        ),
        StateRule(
            _S.VERIFIED,
            False,
            False,
            'the record "complete"',
            "switches",
            _S.FROZEN,
            back=True,
        ),
        StateRule(
            _S.SWITCHED,
            False,
            True,
            "the source's feed to be read to its end once",
            "names whoever still writes to the source",
            _S.SWITCHED,
        ),
        StateRule(
            _S.REVERSIBLE,
            False,
            True,
            "the end of the time in which it can be undone",
            "names whoever still writes to the source",
            _S.REVERSIBLE,
        ),
        StateRule(_S.CLOSED, False, True, "nothing", "nothing", _S.CLOSED),
        StateRule(
            _S.UNDOING,
            False,
            True,
            "the old side to be equal but for what has just changed",
            "carries what was written since the switch back",
            _S.UNDOING,
        ),
        StateRule(
            _S.UNDO_FROZEN,
            False,
            False,
            "the freeze of the new side, and its feed to be read to its end",
            "freezes the new side, then carries what is left",
            _S.UNDO_FROZEN,
            back=True,
        ),
        StateRule(
            _S.UNDO_DRAINED,
            False,
            False,
            "the verification of what was carried back",
            "compares both sides",
            _S.UNDO_FROZEN,
            back=True,
        ),
        StateRule(
            _S.UNDO_VERIFIED,
            False,
            False,
            'the record "following"',
            "opens the old side",
            _S.UNDO_FROZEN,
            back=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class CutoverRecord:
    """What the marker says of a cut-over. Times are seconds since the epoch, by the service.

    `freeze_began` is when the freeze was decided; it stays until the thaw is known to be done.
    `back` is why the freeze is given up: where it is not empty, only the thaw is left to do.
    `frozen_seconds` is how long the writers rested until the switch, and `strays` how many keys
    somebody wrote to the source behind it. `witness` is the name of the process that switched: its
    machine knows who has written since.
    """

    state: CutoverState = CutoverState.COPYING
    freeze_limit: float = FREEZE_LIMIT
    freeze_began: float | None = None
    back: str = ""
    reversible_until: float | None = None
    frozen_seconds: float | None = None
    strays: int = 0
    witness: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON object in the marker; what says nothing is left out."""
        whole: dict[str, Any] = {"state": self.state.value, "freeze_limit": self.freeze_limit}
        optional = {
            "freeze_began": self.freeze_began,
            "back": self.back or None,
            "reversible_until": self.reversible_until,
            "frozen_seconds": self.frozen_seconds,
            "strays": self.strays or None,
            "witness": self.witness or None,
        }
        return whole | {name: value for name, value in optional.items() if value is not None}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> CutoverRecord:
        """The record of a JSON object. Raises ValueError for what this version cannot read."""
        try:
            began, until, rested = (raw.get(name) for name in _TIMES)
            record = cls(
                CutoverState(raw["state"]),
                float(raw["freeze_limit"]),
                None if began is None else float(began),
                str(raw.get("back", "")),
                None if until is None else float(until),
                None if rested is None else float(rested),
                int(raw.get("strays", 0)),
                str(raw.get("witness", "")),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("its cut-over is incomplete") from error
        if STATES[record.state].back and record.freeze_began is None:
            raise ValueError("its cut-over does not say when the freeze began")
        return record

    def describe_rest(self) -> str:
        """For how long the writers rested, as " after 12.3 s without writers"; empty if unknown."""
        rested = self.frozen_seconds
        return "" if rested is None else f" after {format_tenths(rested)} without writers"

    @property
    def may_be_frozen(self) -> bool:
        """Whether the source may be frozen, by a process that is gone perhaps."""
        return STATES[self.state].back


@dataclass(frozen=True, slots=True)
class CutoverFacts:
    """What a process knows now. What it does not know has the value that makes it wait.

    `requested`: a person asks to cut over; `gate_open`: nothing postpones it. `converged`: every
    change but the last few seconds' is carried. `difference_due`: both sides have not been
    compared since the last gap of the feed. `frozen` and `frozen_seconds`: this very process has
    frozen the source, so long ago by its monotonic clock. `settled`: the feed has been read to its
    end for so long after the freeze that nothing can be on its way. `equal`: the comparison since
    the drain. `failure`: what went wrong, or a request to stop.
    """

    copied: bool = False
    requested: bool = False
    gate_open: bool = False
    converged: bool = False
    difference_due: bool = True
    frozen: bool = False
    frozen_seconds: float = 0.0
    settled: bool = False
    dirty: int = 0
    equal: bool | None = None
    thawed: bool | None = None
    source_read: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True)
class CutoverStep:
    """What to do, the record after it, and why, where a person is to hear of it."""

    action: CutoverAction
    record: CutoverRecord
    why: str = ""


def restart_record(record: CutoverRecord) -> CutoverRecord:
    """Where a new process begins: what an earlier one froze, it has not seen frozen itself."""
    return replace(record, state=STATES[record.state].restart)


def may_be_frozen(detail: Mapping[str, Any]) -> bool:
    """Whether a cut-over that is on record may have stopped the writers of the source."""
    try:
        return CutoverRecord.from_json(detail.get("cutover", {})).may_be_frozen
    except ValueError:
        return False
