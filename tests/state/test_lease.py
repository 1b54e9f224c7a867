"""What a held lock may write, and what it may not write over."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from dataware.core.errors import RefusedError
from dataware.core.model import Marker, MarkerState
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder, this_process
from dataware.state.markers import ALIVE_SECONDS
from support.parameters import FakeParameters
from support.transports import ManualClock

KIND, TARGET = "dynamodb-table", "orders-prod"
WAIT = 5.0


def running(run: str) -> Marker:
    """What a run writes at its beginning."""
    return Marker(MarkerState.RUNNING, "orders", run)


def markers(store: FakeParameters, holder: Holder | str) -> ParameterMarkers:
    """Markers as one process sees them; a name stands for a process on some other machine."""
    if isinstance(holder, str):
        holder = Holder(holder, f"a boot of {holder}", 7, "1")
    return ParameterMarkers(store, store.clock, holder)


@pytest.fixture
def store() -> FakeParameters:
    """An empty Parameter Store."""
    return FakeParameters()


def test_a_lease_tells_the_time_of_aws_whatever_the_machines_clock_says(
    store: FakeParameters,
) -> None:
    """By the answer to its last write, and what has passed since."""
    ahead = ManualClock(store.clock.now() + 3600.0)
    lease = ParameterMarkers(store, ahead).begin(KIND, TARGET, running("run"))
    assert lease.service_time == store.clock.now()
    ahead.time += 9.0
    assert lease.service_time == store.clock.now() + 9.0


@pytest.mark.parametrize("ending", ["complete", "release"])
def test_a_beat_never_undoes_the_end(store: FakeParameters, ending: str) -> None:
    """A beat that is under way while the run ends is over before the last word is written."""
    lease = markers(store, "host").begin(KIND, TARGET, running("run"))
    under_way, go_on = threading.Event(), threading.Event()

    def hold_back_the_beat() -> None:
        if threading.current_thread().name == "heart":
            under_way.set()
            go_on.wait(WAIT)

    store.between = hold_back_the_beat
    keeper = threading.Thread(target=lambda: lease.send_heartbeat({}), name="heart")
    end = threading.Thread(target=lambda: getattr(lease, ending)({"end": True}))
    keeper.start()
    assert under_way.wait(WAIT)
    end.start()
    end.join(0.2)
    go_on.set()
    keeper.join(WAIT)
    end.join(WAIT)
    assert markers(store, "next").get(KIND, TARGET).detail.get("end")


@pytest.mark.parametrize("ending", ["complete", "release"])
def test_nothing_is_written_after_the_end(store: FakeParameters, ending: str) -> None:
    """A beat that comes late is not written: "running" would undo "complete"."""
    lease = markers(store, "host").begin(KIND, TARGET, running("run"))
    getattr(lease, ending)({"end": True})
    lease.send_heartbeat({})
    found = markers(store, "next").get(KIND, TARGET)
    assert found.detail.get("end")
    assert not found.alive


@pytest.mark.parametrize("word", ["send_heartbeat", "complete", "release"])
def test_a_run_that_slept_does_not_undo_the_heirs_complete(
    store: FakeParameters, word: str
) -> None:
    """A machine that wakes up after another run has completed the job leaves that on record."""
    slept = markers(store, "laptop").begin(KIND, TARGET, running("run"))
    store.clock.time += ALIVE_SECONDS + 1
    markers(store, "heir").begin(KIND, TARGET, running("run")).complete({})
    store.clock.time += 1
    with pytest.raises(RefusedError, match="lost the lock"):
        getattr(slept, word)({})
    assert markers(store, "next").get(KIND, TARGET).state is MarkerState.COMPLETE


def test_the_death_of_a_loser_lets_nobody_in(store: FakeParameters) -> None:
    """A run that lost a race and ended is not taken for the winner, which goes on elsewhere."""
    markers(store, "dead").begin(KIND, TARGET, running("run"))
    store.clock.time += ALIVE_SECONDS
    calls = iter(range(2))

    def winner_overtakes() -> None:
        if next(calls, None) is None:
            store.between = lambda: None
            markers(store, "winner").begin(KIND, TARGET, running("run"))

    store.between = winner_overtakes
    loser = replace(this_process(), born="a process that has ended since")
    with pytest.raises(RefusedError, match="has just started"):
        markers(store, loser).begin(KIND, TARGET, running("run"))
    with pytest.raises(RefusedError, match="heartbeat"):
        markers(store, this_process()).begin(KIND, TARGET, running("run"))


@pytest.mark.parametrize("ending", ["send_heartbeat", "release"])
def test_a_run_that_says_nothing_of_a_cut_over_keeps_what_was_said(
    store: FakeParameters, ending: str
) -> None:
    """Whoever lets the writers go on learns of the freeze from this record alone."""
    frozen = {"state": "frozen", "freeze_limit": 300.0, "freeze_began": 1.0}
    markers(store, "first").begin(KIND, TARGET, running("run")).release({"cutover": frozen})
    lease = markers(store, "second").begin(KIND, TARGET, running("run"))
    getattr(lease, ending)({"phase": "following"})
    found = markers(store, "third").get(KIND, TARGET)
    assert found.detail["cutover"] == frozen
    assert found.detail["phase"] == "following"
