"""The record under writes that come late, twice or out of order: "complete" stays, one run writes.

A model: a Parameter Store whose writes may be held back and delivered later, also again, and runs
that stand still at any place.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.aws import SystemClock
from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.model import Marker, MarkerState
from dataware.migrate.lease_term import SILENT_SECONDS
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder, this_process
from dataware.state.lease import ParameterLease
from dataware.state.markers import ALIVE_SECONDS, SETTLED_SECONDS
from support.accounts import open_account
from support.parameters import FakeParameters
from support.servers import FaultProxy, Gate

KIND, TARGET = "dynamodb-table", "orders-prod"
NAME = f"/dataware/markers/{KIND}/{TARGET}"


class LateParameters(FakeParameters):
    """A Parameter Store that may take a write later than its caller gave up on it.

    `fate` says what becomes of the next write: "now", "lost answer" (taken, and nobody is told),
    "late" (taken when `deliver` is called), "twice" (taken, and again when `deliver` is called).
    """

    def __init__(self) -> None:
        super().__init__()
        self.fate = "now"
        self.late: list[Mapping[str, Any]] = []

    def put_parameter(self, **given: Any) -> Mapping[str, Any]:
        if not given["Overwrite"] and given["Name"] in self.stored:
            return super().put_parameter(**given)
        fate, self.fate = self.fate, "now"
        if fate in ("late", "twice"):
            self.late.append(given)
        if fate == "late":
            raise LookupFailedError("no answer")
        answer = super().put_parameter(**given)
        if fate == "lost answer":
            raise LookupFailedError("no answer")
        return answer

    def deliver(self, position: int) -> None:
        """One of the writes that are under way arrives."""
        given = self.late.pop(position % len(self.late))
        if given["Overwrite"] or given["Name"] not in self.stored:
            super().put_parameter(**given)


def markers(store: FakeParameters, host: str) -> ParameterMarkers:
    """Markers as a process on some other machine sees them."""
    return ParameterMarkers(store, store.clock, Holder(host, f"a boot of {host}", 7, "1"))


def running(run: str = "run", *, batches: bool = False) -> Marker:
    """What a run writes at its beginning."""
    return Marker(MarkerState.RUNNING, "orders", run, batches=batches)


def state(store: FakeParameters) -> MarkerState:
    """What everybody reads."""
    return markers(store, "reader").get(KIND, TARGET).state


@pytest.fixture
def store() -> LateParameters:
    """An empty Parameter Store."""
    return LateParameters()


def test_a_refused_run_whose_write_waits_undoes_nothing(store: LateParameters) -> None:
    """Two runs take over; the write of one is throttled until the other has completed."""
    markers(store, "dead").begin(KIND, TARGET, running())
    store.clock.time += ALIVE_SECONDS
    store.fate = "late"
    with pytest.raises(LookupFailedError):
        markers(store, "throttled").begin(KIND, TARGET, running())
    markers(store, "heir").begin(KIND, TARGET, running()).complete({})
    store.deliver(0)
    assert json.loads(store.stored[NAME]["Value"])["state"] == "running", "it did arrive"
    assert state(store) is MarkerState.COMPLETE
    assert [marker.state for *_, marker in markers(store, "reader").all()] == [MarkerState.COMPLETE]


@pytest.mark.parametrize("waiting", [0.0, ALIVE_SECONDS])
def test_the_first_beat_of_a_paused_run_undoes_nothing(
    store: LateParameters, waiting: float
) -> None:
    """A run stands still between taking the lock and its first beat, and another one completes."""
    paused = markers(store, "paused").begin(KIND, TARGET, running())
    clock, store.clock = store.clock, type(store.clock)(store.clock.time + ALIVE_SECONDS)
    markers(store, "heir").begin(KIND, TARGET, running()).complete({})
    clock.time += waiting  # its own clock may have stood still
    with pytest.raises(RefusedError, match="lost the lock"):
        paused.send_heartbeat({})
    assert state(store) is MarkerState.COMPLETE
    assert json.loads(store.stored[NAME]["Value"])["state"] == "complete", "other tools read it"


def test_a_beat_of_the_same_run_that_arrives_after_its_end_undoes_nothing(
    store: LateParameters,
) -> None:
    """A beat is given up on, the run completes, and then the beat arrives."""
    lease = markers(store, "host").begin(KIND, TARGET, running())
    store.fate = "late"
    with pytest.raises(LookupFailedError):
        lease.send_heartbeat({})
    lease.complete({"copied": 7})
    store.deliver(0)
    assert state(store) is MarkerState.COMPLETE


@pytest.mark.parametrize("word", ["send_heartbeat", "complete", "release"])
def test_a_write_that_is_sent_twice_is_one(store: LateParameters, word: str) -> None:
    """The answer is lost, the SDK asks again, and the lock is still held."""
    lease = markers(store, "host").begin(KIND, TARGET, running())
    write = super(LateParameters, store).put_parameter
    calls = iter([True])

    def twice(**given: Any) -> Mapping[str, Any]:
        if next(calls, False):
            write(**given)
        return write(**given)

    store.put_parameter = twice  # type: ignore[method-assign] # the repetition of the SDK
    getattr(lease, word)({"copied": 1})
    found = markers(store, "reader").get(KIND, TARGET)
    assert (found.detail["copied"], found.alive) == (1, word == "send_heartbeat")


def test_a_release_that_arrives_late_opens_no_lock_that_was_taken_again(
    store: LateParameters,
) -> None:
    """The same run asks again before its own release has arrived: it has no second lease."""
    lease = markers(store, "host").begin(KIND, TARGET, running())
    store.fate = "late"
    with pytest.raises(LookupFailedError):
        lease.release({})
    with pytest.raises(RefusedError, match="is being migrated"):
        markers(store, "host").begin(KIND, TARGET, running())
    store.deliver(0)
    assert markers(store, "heir").begin(KIND, TARGET, running()).detail == {}


def test_a_record_that_completed_since_the_plan_is_not_begun_again(store: LateParameters) -> None:
    """Between the look of a run and its write another one completes: nothing is written over."""
    seen = markers(store, "reader").get(KIND, TARGET)
    markers(store, "first").begin(KIND, TARGET, running()).release({})
    resumed = markers(store, "reader").get(KIND, TARGET)
    with pytest.raises(RefusedError, match="has changed since the plan"):
        markers(store, "second").begin(KIND, TARGET, running(), seen)
    markers(store, "heir").begin(KIND, TARGET, running(), resumed).complete({})
    with pytest.raises(RefusedError, match="it was running and is complete"):
        markers(store, "second").begin(KIND, TARGET, running(), resumed)
    assert state(store) is MarkerState.COMPLETE


def test_a_record_of_the_former_format_counts_until_it_is_replaced(store: LateParameters) -> None:
    """It says nothing of what its writer had seen; a late one of it does not undo "complete"."""
    lease = markers(store, "host").begin(KIND, TARGET, running())
    text = json.loads(store.stored[NAME]["Value"])
    added = ("after", "lease", "batches", "settled")
    former = json.dumps({k: v for k, v in text.items() if k not in added} | {"version": 1})
    put = {"Name": NAME, "Value": former, "Overwrite": True}
    store.stored.clear()
    store.versions.clear()
    for _ in range(3):
        store.put_parameter(**put)
    assert state(store) is MarkerState.RUNNING
    store.clock.time += ALIVE_SECONDS
    lease = markers(store, "heir").begin(KIND, TARGET, running())
    lease.complete({})
    store.put_parameter(**put)
    assert state(store) is MarkerState.COMPLETE


def test_what_was_sent_without_conditions_is_waited_for(store: LateParameters) -> None:
    """After a silent run that may write without conditions, its heir knows for how long."""
    markers(store, "silent").begin(KIND, TARGET, running(batches=True))
    store.clock.time += ALIVE_SECONDS
    heir = markers(store, "heir").begin(KIND, TARGET, running())
    assert heir.unsettled_seconds == pytest.approx(SETTLED_SECONDS - ALIVE_SECONDS, abs=1)
    store.clock.time += ALIVE_SECONDS
    third = markers(store, "third").begin(KIND, TARGET, running())
    assert third.unsettled_seconds == pytest.approx(SETTLED_SECONDS - 2 * ALIVE_SECONDS, abs=1)
    store.clock.time += SETTLED_SECONDS
    third.send_heartbeat({})
    assert third.unsettled_seconds == 0


@pytest.mark.parametrize("batches", [True, False])
def test_a_run_that_ended_in_order_is_not_waited_for(store: LateParameters, batches: bool) -> None:
    """Nothing of it is under way."""
    markers(store, "first").begin(KIND, TARGET, running(batches=batches)).release({})
    assert markers(store, "heir").begin(KIND, TARGET, running()).unsettled_seconds == 0


class Run:
    """A run of the model: it stands still whenever the test does not step it."""

    def __init__(self, name: str, store: LateParameters) -> None:
        self.name, self.store = name, store
        self.lease: ParameterLease | None = None
        self.fresh_until = 0.0

    def attempt(self, action: Callable[[], object]) -> None:
        """Do something with the record, which renews the term of the lock if it is answered."""
        asked = self.store.clock.time
        try:
            action()
        except LookupFailedError:
            return
        except RefusedError:
            self.lease = None
            return
        self.fresh_until = asked + SILENT_SECONDS if self.lease else 0.0

    def begin(self) -> None:
        """Take the lock, or be refused."""
        if self.lease is None:
            self.fresh_until = 0.0
            self.attempt(self._take)

    def send_heartbeat(self) -> None:
        """Give a sign of life."""
        if self.lease is not None:
            lease = self.lease
            self.attempt(lambda: lease.send_heartbeat({}))

    def end(self, word: str) -> None:
        """Complete or release; whether it was answered, the run is over."""
        if self.lease is not None:
            lease, self.lease = self.lease, None
            self.fresh_until = 0.0
            self.attempt(lambda: getattr(lease, word)({}))

    def _take(self) -> None:
        seen = markers(self.store, self.name).get(KIND, TARGET)
        if seen.state is not MarkerState.COMPLETE:
            self.lease = markers(self.store, self.name).begin(KIND, TARGET, running(), seen)

    @property
    def writes(self) -> bool:
        """Whether it believes to hold the lock, and so may send something."""
        return self.lease is not None and self.store.clock.time < self.fresh_until


STEPS = st.tuples(
    st.sampled_from(
        ["begin", "send_heartbeat", "send_heartbeat", "complete", "release", "pass", "deliver"]
    ),
    st.integers(0, 2),
    st.sampled_from(["now", "now", "now", "late", "lost answer", "twice"]),
    st.sampled_from([1.0, SILENT_SECONDS, ALIVE_SECONDS]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_whatever_comes_late_one_run_writes_and_complete_stays(
    steps: list[tuple[str, int, str, float]],
) -> None:
    """Runs pause, die and go on, writes arrive late, twice, out of order or without an answer."""
    store = LateParameters()
    runs = [Run(name, store) for name in "ABC"]
    completed = False
    for what, number, fate, seconds in steps:
        run = runs[number]
        store.fate = fate
        if what == "begin":
            run.begin()
        elif what == "send_heartbeat":
            run.send_heartbeat()
        elif what in ("complete", "release"):
            run.end(what)
        elif what == "deliver" and store.late:
            store.deliver(number)
        else:
            store.clock.time += seconds
        store.fate = "now"
        assert sum(each.writes for each in runs) <= 1, "two runs believe to hold the lock"
        completed = completed or state(store) is MarkerState.COMPLETE
        if completed:
            assert state(store) is MarkerState.COMPLETE


@pytest.mark.parametrize("late", ["takeover", "send_heartbeat"])
def test_a_write_that_a_server_takes_late_undoes_nothing(
    fault_proxy: FaultProxy, late: str
) -> None:
    """On a real server, whose answer to one write is held back until another run has completed."""
    gate, account = Gate(), open_account()
    clock = SystemClock()

    def on(host: str) -> ParameterMarkers:
        return ParameterMarkers(account, clock, Holder(host, f"boot of {host}", 7, "1"), 0.0)

    slow = on("slow").begin(KIND, TARGET, running())
    fault_proxy.add(gate, operation="PutParameter", skip=int(late == "takeover"), times=1)
    with ThreadPoolExecutor(1) as pool:
        if late == "send_heartbeat":
            held = pool.submit(slow.send_heartbeat, {})
        else:
            held = pool.submit(on("second").begin, KIND, TARGET, running())
        while fault_proxy.count("PutParameter") < (2 if late == "send_heartbeat" else 3):
            time.sleep(0.01)
        on("heir").begin(KIND, TARGET, running()).complete({"copied": 7})
        gate.open()
        with pytest.raises(RefusedError):
            held.result()
    found = on("reader").get(KIND, TARGET)
    assert (found.state, found.detail["copied"]) == (MarkerState.COMPLETE, 7)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one boot from another")
def test_a_run_of_this_machine_is_not_waited_for(store: LateParameters) -> None:
    """It counts by the same clock, which went on while it stood still."""
    here = ParameterMarkers(store, store.clock, replace(this_process(), pid=os.getppid()))
    here.begin(KIND, TARGET, running(batches=True))
    store.clock.time += ALIVE_SECONDS
    assert markers(store, "heir").begin(KIND, TARGET, running()).unsettled_seconds == 0
