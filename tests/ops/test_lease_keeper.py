"""The keeper: while it cannot show that the run lives, the run may not write."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import IncompleteError, LookupFailedError, RefusedError
from dataware.ops.lease_keeper import (
    BEAT_SECONDS,
    EARLY_SECONDS,
    SILENT_SECONDS,
    LeaseKeeper,
    await_settled,
)
from dataware.state.markers import ALIVE_SECONDS
from support.world import World, WorldAws

WAIT = 60.0


class Pulse:
    """A lease whose beats do what the test says."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.beaten = threading.Event()
        self.hang = threading.Event()
        self.hang.set()

    def send_heartbeat(self, detail: Mapping[str, Any]) -> None:
        """Beat, fail, or hang."""
        del detail
        self.beaten.set()
        self.hang.wait(WAIT)
        if self.error is not None:
            raise self.error

    def complete(self, detail: Mapping[str, Any]) -> None:
        """Not used here."""
        raise AssertionError(detail)

    def delay_next_run(self, seconds: float) -> None:
        """Nothing arrives late here."""

    def release(self, detail: Mapping[str, Any]) -> None:
        """Not used here."""
        raise AssertionError(detail)


class Time:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        """The moment."""
        return self.at


def test_silence_ends_before_another_run_is_let_in() -> None:
    """The writing stops well before the lock counts as free, so that two never write at once."""
    assert SILENT_SECONDS <= ALIVE_SECONDS / 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [LookupFailedError("no network"), ValueError("a bug")])
def test_beats_that_fail_for_long_end_the_writing(error: Exception) -> None:
    """A run that nobody can see alive stops, whatever it is that keeps its beats back."""
    time, pulse = Time(), Pulse(error)
    with LeaseKeeper(pulse, every=0.01, seconds=time) as keeper:
        assert pulse.beaten.wait(WAIT)
        keeper.check()
        time.at += SILENT_SECONDS + 1
        assert keeper.lost
        with pytest.raises(IncompleteError, match="sent no heartbeat"):
            keeper.check()


def test_a_beat_says_how_old_its_figures_are() -> None:
    """The lock is renewed while nothing new is known, and nobody takes the figures for new."""
    time, beaten = Time(), list[Mapping[str, Any]]()
    pulse = Pulse()
    pulse.send_heartbeat = beaten.append  # type: ignore[method-assign] # what it is given
    keeper = LeaseKeeper(pulse, seconds=time)
    keeper.publish({"done": 1})
    keeper.send_heartbeat()
    time.at += 20
    keeper.send_heartbeat()
    assert beaten == [{"done": 1}, {"done": 1, "stale": 20}]


def test_a_beat_that_hangs_ends_the_writing() -> None:
    """A beat without an answer counts as none."""
    time, pulse = Time(), Pulse()
    pulse.hang.clear()
    with LeaseKeeper(pulse, every=0.01, seconds=time) as keeper:
        assert pulse.beaten.wait(WAIT)
        time.at += SILENT_SECONDS + 1
        assert keeper.lost
        pulse.hang.set()


def test_beats_that_get_through_keep_the_run_going() -> None:
    """However long a run lasts, a beat a little while ago is enough."""
    time, pulse = Time(), Pulse()
    keeper = LeaseKeeper(pulse, seconds=time)
    for _ in range(10):
        time.at += SILENT_SECONDS - 1
        keeper.send_heartbeat()
        assert not keeper.lost


def test_a_lock_that_is_lost_stays_lost() -> None:
    """Once another run has taken over, this one is refused for good."""
    pulse = Pulse(RefusedError("another run took the lock"))
    with LeaseKeeper(pulse, every=0.01) as keeper:
        assert pulse.beaten.wait(WAIT)
    assert keeper.lost
    with pytest.raises(RefusedError, match="took the lock"):
        keeper.check()


class Told:
    """A lease that keeps what it is told; each beat is waited for, and `error` makes it fail."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.beats: list[Mapping[str, Any]] = []
        self._came = threading.Semaphore(0)

    def send_heartbeat(self, detail: Mapping[str, Any]) -> None:
        """Keep it."""
        self.beats.append(dict(detail))
        self._came.release()
        if self.error is not None:
            raise self.error

    def wait(self, beats: int) -> None:
        """Until so many more beats have come."""
        for _ in range(beats):
            assert self._came.acquire(timeout=WAIT)

    def complete(self, detail: Mapping[str, Any]) -> None:
        """Not used here."""
        raise AssertionError(detail)

    def delay_next_run(self, seconds: float) -> None:
        """Nothing arrives late here."""

    def release(self, detail: Mapping[str, Any]) -> None:
        """Not used here."""
        raise AssertionError(detail)


def test_the_first_beats_of_a_phase_come_early() -> None:
    """A phase of a few seconds is seen from elsewhere; figures alone begin no new phase."""
    lease = Told()
    with LeaseKeeper(lease, every=3600, early=(0.001, 0.001)) as keeper:
        lease.wait(2)
        keeper.publish({"phase": "copying", "done": 1})
        lease.wait(2)
        keeper.publish({"phase": "copying", "done": 2})
        keeper.publish({"phase": "verifying"})
        lease.wait(2)
    assert [send_heartbeat.get("phase") for send_heartbeat in lease.beats] == [
        *(None, None, "copying", "copying", "verifying", "verifying")
    ]


def test_a_beat_that_fails_is_not_soon_repeated() -> None:
    """A service that is asked too often gets the usual beats only, until the next phase."""
    lease = Told(LookupFailedError("throttled"))
    with LeaseKeeper(lease, every=3600, early=(0.001,) * 9) as keeper:
        lease.wait(1)
        keeper.publish({"phase": "copying"})
        lease.wait(1)
    assert len(lease.beats) == 2


def test_phases_that_change_all_the_time_keep_no_beat_back() -> None:
    """The lock is renewed however short the phases are."""
    time, lease = Time(), Told()
    with LeaseKeeper(lease, every=10, early=(3600,), seconds=time) as keeper:
        time.at += 10
        keeper.publish({"phase": "looking"})
        lease.wait(1)
        time.at += 10
        keeper.publish({"phase": "copying"})
        lease.wait(1)


def test_early_beats_stay_below_the_quota() -> None:
    """Never more than one a second, and the usual pace from a few seconds on."""
    assert min(EARLY_SECONDS) >= 1
    assert sum(EARLY_SECONDS) < BEAT_SECONDS


def test_a_beat_that_got_through_renews_the_term() -> None:
    """Nothing is sent once no beat has got through for a while, or the lock is lost."""
    time, pulse = Time(), Pulse()
    keeper = LeaseKeeper(pulse, seconds=time)
    assert keeper.term.current
    time.at += SILENT_SECONDS
    assert not keeper.term.current
    keeper.send_heartbeat()
    assert keeper.term.current


def test_a_lock_that_took_long_to_get_is_not_fresh() -> None:
    """The term begins when the lock was asked for: the process may have stood still since."""
    time, pulse = Time(), Pulse()
    asked = time.at
    time.at += SILENT_SECONDS + 1
    keeper = LeaseKeeper(pulse, seconds=time, beat=asked)
    assert not keeper.term.current
    assert keeper.lost


def test_what_may_arrive_yet_is_waited_for() -> None:
    """Until nothing can come any more, and no longer than the lock is held."""
    left = iter([3.0, 3.0, 2.0, 0.0])
    pulse = Pulse()
    type(pulse).unsettled_seconds = property(lambda _self: next(left))  # type: ignore[attr-defined]
    world, waits = World(), list[float]()
    context = replace(world.context(), aws=Pausing(waits))
    try:
        await_settled(context, LeaseKeeper(pulse, seconds=Time()), {"name": "new"})
    finally:
        del type(pulse).unsettled_seconds  # type: ignore[attr-defined]
    assert len(waits) == 2
    assert "waiting for 3 s" in world.events.texts("warning")[0]


class Pausing(WorldAws):
    """An account whose pauses are counted."""

    def __init__(self, waits: list[float]) -> None:
        super().__init__(World())
        object.__setattr__(self, "pause", waits.append)
