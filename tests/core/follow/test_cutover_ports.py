"""What stands between a cut-over and its ports: delays, doubts and touched keys are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from dataware.core.errors import ServiceError
from dataware.core.follow.cutover_ports import FeedMeter, TouchedKeys, UncertainOutcomes
from dataware.core.follow.feed import UNKNOWN_OUTCOME_SECONDS, CarryOutcome, FeedRound
from support.follow_memory import SideCarrier


class Rounds:
    """A feed that gives these rounds."""

    def __init__(self, *rounds: FeedRound) -> None:
        self.rounds = list(rounds)

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """From anywhere."""
        return {"from": position, "at": now}

    def poll(self, now: float) -> FeedRound:
        """The next one."""
        return self.rounds.pop(0)


def a_round(oldest: float | None = None, *, whole: bool = True) -> FeedRound:
    """A round whose oldest change was at a time."""
    return FeedRound(frozenset(), {}, oldest, whole=whole)


def test_a_record_that_the_last_whole_round_had_to_show_was_late() -> None:
    """By the time between that round and the record; the longest counts."""
    meter = FeedMeter(Rounds(a_round(1.0), a_round(94.0), a_round(199.0), a_round()))
    assert meter.open({"p": 1}, 5.0) == {"from": {"p": 1}, "at": 5.0}
    meter.poll(100.0)
    assert meter.delay == 0.0
    meter.poll(200.0)
    assert meter.delay == 6.0
    meter.poll(300.0)
    meter.poll(400.0)
    assert meter.delay == 6.0


def test_a_round_that_is_not_whole_had_to_show_nothing() -> None:
    """What it has not read is not late."""
    meter = FeedMeter(Rounds(a_round(whole=False), a_round(10.0), a_round(150.0)))
    for now in (100.0, 200.0, 300.0):
        meter.poll(now)
    assert meter.delay == 50.0


class Doubtful(SideCarrier):
    """A carrier whose next outcome, or error, is given."""

    def __init__(self, outcome: CarryOutcome | Exception) -> None:
        super().__init__({}, {})
        self.outcome = outcome

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """As given."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (CarryOutcome(carried=frozenset({b"a"})), []),
        (CarryOutcome(failed=frozenset({b"a"})), []),
        (CarryOutcome(uncertain=frozenset({b"a"})), [UNKNOWN_OUTCOME_SECONDS]),
    ],
)
def test_what_may_arrive_yet_is_told_for_the_next_run(
    outcome: CarryOutcome, told: list[float]
) -> None:
    """And nothing else delays it."""
    heard: list[float] = []
    assert UncertainOutcomes(Doubtful(outcome), heard.append).carry([b"a"], 1.0) == outcome
    assert heard == told


def test_whatever_was_sent_before_an_error_may_arrive_yet() -> None:
    """The error goes on to whoever carries."""
    heard: list[float] = []
    with pytest.raises(ServiceError):
        UncertainOutcomes(Doubtful(ServiceError("denied")), heard.append).carry([b"a"], 1.0)
    assert heard == [UNKNOWN_OUTCOME_SECONDS]


def test_keys_that_were_given_are_remembered_until_they_are_forgotten() -> None:
    """Whatever became of them."""
    touched = TouchedKeys(Doubtful(CarryOutcome(failed=frozenset({b"a"}))))
    touched.carry([b"a"], 1.0)
    touched.carry([b"b"], 2.0)
    assert touched.keys == {b"a", b"b"}
    touched.forget()
    assert touched.keys == set()
