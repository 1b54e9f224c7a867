"""What is asked of a run reaches it by its record, outlives it, and never costs it the lock."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from dataware.aws import SystemClock
from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.model import Marker, MarkerState
from dataware.core.run_control import RunControl
from dataware.embedded import EmbeddedAws
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import LIMIT, control_in, parameter_name
from dataware.state.markers import ALIVE_SECONDS
from dataware.state.run_controls import ParameterControls
from support.accounts import open_account
from support.parameters import FakeParameters

KIND, TARGET = "dynamodb-table", "orders-prod"
PARAMETER = parameter_name(KIND, TARGET)


def markers(store: FakeParameters, host: str) -> ParameterMarkers:
    """Markers as a process on some machine sees them."""
    return ParameterMarkers(store, store.clock, Holder(host, f"a boot of {host}", 7, "1"))


def begin(store: FakeParameters, host: str = "host") -> ParameterLease:
    """A run that takes the lock, with what the record says as it was read."""
    marker = Marker(MarkerState.RUNNING, "orders", "run-1")
    return markers(store, host).begin(KIND, TARGET, marker)


def ask(store: FakeParameters, change: Callable[[RunControl], RunControl]) -> RunControl:
    """Ask for something from another machine."""
    controls = ParameterControls(store, store.clock)
    return controls.change(KIND, TARGET, lambda now, _at: change(now))


def pause(store: FakeParameters) -> RunControl:
    """Ask for a pause."""
    return ask(store, lambda now: RunControl(1000.0, now.max_rate, "laptop"))


@pytest.fixture
def store() -> FakeParameters:
    """An empty Parameter Store."""
    return FakeParameters()


def test_the_next_heartbeat_hears_it_and_all_later_ones_keep_it(store: FakeParameters) -> None:
    """The progress of the run goes on beside it."""
    lease = begin(store)
    asked = pause(store)
    assert not lease.control.is_paused
    for done in (1, 2):
        lease.send_heartbeat({"done": done})
        assert lease.control == asked
    found = markers(store, "reader").get(KIND, TARGET)
    assert found.detail["done"] == 2
    assert control_in(found.detail) == asked


def test_a_beat_costs_one_write_and_only_a_change_costs_a_read(store: FakeParameters) -> None:
    """Parameter Store is shared with every other caller of the account."""
    calls = []
    lease = begin(store)
    store.between = lambda: calls.append("call")
    lease.send_heartbeat({})
    assert len(calls) == 1
    pause(store)
    calls.clear()
    lease.send_heartbeat({})
    assert len(calls) <= 4
    calls.clear()
    lease.send_heartbeat({})
    assert len(calls) == 1


@pytest.mark.parametrize("ending", ["killed", "release"])
def test_it_holds_for_the_next_run_however_this_one_ended(
    store: FakeParameters, ending: str
) -> None:
    """Also where the run was killed before it had heard of it."""
    lease = begin(store)
    asked = pause(store)
    if ending == "release":
        lease.release({})
    else:
        store.clock.time += ALIVE_SECONDS
    assert begin(store, "next").control == asked


def test_a_migration_without_a_run_can_be_paused_and_gains_no_life(store: FakeParameters) -> None:
    """What somebody else writes into the record is no sign of life of the run."""
    begin(store)
    store.clock.time += ALIVE_SECONDS + 5
    pause(store)
    found = markers(store, "reader").get(KIND, TARGET)
    assert not found.alive
    assert found.heartbeat_age == pytest.approx(ALIVE_SECONDS + 5)
    assert begin(store, "next").control.is_paused


def test_a_run_that_lives_keeps_its_lock_while_somebody_asks_and_asks(
    store: FakeParameters,
) -> None:
    """Nobody takes over, and the age is that of the run's own heartbeats."""
    begin(store)
    for _ in range(5):
        store.clock.time += 8
        pause(store)
    assert markers(store, "reader").get(KIND, TARGET).heartbeat_age == pytest.approx(40)
    with pytest.raises(RefusedError, match="being migrated"):
        begin(store, "next")


def test_of_a_complete_migration_nothing_can_be_asked(store: FakeParameters) -> None:
    """And "complete" drops what was asked before."""
    lease = begin(store)
    pause(store)
    lease.complete({"verified": 7})
    assert "asked" not in markers(store, "reader").get(KIND, TARGET).detail
    with pytest.raises(RefusedError, match="complete, so there is nothing to pause"):
        pause(store)
    store.stored.clear()
    with pytest.raises(RefusedError, match="not on record"):
        pause(store)


def test_a_completion_that_comes_first_stands(store: FakeParameters) -> None:
    """The change does not count, and people who read the parameter by hand see "complete"."""
    lease, calls = begin(store), iter(range(9))

    def complete_before_the_write() -> None:
        if next(calls, 9) == 1:
            store.between = lambda: None
            lease.complete({"verified": 7})

    store.between = complete_before_the_write
    with pytest.raises(RefusedError, match="is complete"):
        pause(store)
    assert markers(store, "reader").get(KIND, TARGET).state is MarkerState.COMPLETE
    assert json.loads(store.stored[PARAMETER]["Value"])["state"] == "complete"


def test_a_write_that_was_sent_twice_is_one_change(store: FakeParameters) -> None:
    """The SDK asks again where an answer got lost; the first one counts."""
    lease = begin(store)
    put, sent = store.put_parameter, []

    def put_twice(**given: object) -> object:
        if not sent:
            sent.append(put(**given))
        return put(**given)

    store.put_parameter = put_twice  # type: ignore[method-assign, assignment] # a lost answer
    asked = pause(store)
    assert len(sent) == 1
    lease.send_heartbeat({})
    assert lease.control == asked


def test_a_run_that_took_over_meanwhile_hears_it_too(store: FakeParameters) -> None:
    """The next run has the lock when the change is written: it is tried again on its record."""
    begin(store)
    store.clock.time += ALIVE_SECONDS
    calls, leases = iter(range(9)), []

    def overtake() -> None:
        if next(calls, 9) == 1:
            store.between = lambda: None
            leases.append(begin(store, "next"))

    store.between = overtake
    asked = pause(store)
    leases[0].send_heartbeat({})
    assert leases[0].control == asked


@pytest.mark.parametrize("seed", range(60))
def test_in_any_order_what_was_asked_last_holds_and_nobody_loses_the_lock(
    store: FakeParameters, seed: int
) -> None:
    """Heartbeats and changes come between each other's calls."""
    order, busy = random.Random(seed), [False]
    lease, last = begin(store), [RunControl()]

    def change() -> None:
        wanted = RunControl(order.choice([None, 5.0]), float(order.randrange(1, 9)), "desk")
        last[0] = ask(store, lambda _: wanted)

    def beat() -> None:
        lease.send_heartbeat({"done": order.randrange(99)})

    def come_between() -> None:
        if not busy[0] and order.random() < 0.3:
            busy[0] = True
            try:
                (change if working[0] is beat else beat)()
            finally:
                busy[0] = False

    store.between, working = come_between, [beat]
    for _ in range(12):
        working[0] = order.choice([beat, change])
        # Whoever is overtaken again and again gives up, and the next heartbeat tries again.
        with suppress(LookupFailedError):
            working[0]()
    store.between = lambda: None
    change()
    beat()
    found = markers(store, "reader").get(KIND, TARGET)
    assert found.alive
    assert lease.control == last[0]
    assert control_in(found.detail) == last[0]


def test_it_is_kept_where_progress_has_to_go(store: FakeParameters) -> None:
    """A record holds 4 KB: what people ask for is no progress."""
    lease = begin(store)
    asked = pause(store)
    lease.send_heartbeat({"checkpoint": "x" * LIMIT, "reason": "y" * LIMIT, "phase": "z" * 3000})
    value = store.stored[PARAMETER]["Value"]
    lease.send_heartbeat({"checkpoint": "x" * LIMIT, "reason": "y" * LIMIT, "phase": "z" * 3000})
    assert len(value) <= LIMIT
    assert control_in(markers(store, "reader").get(KIND, TARGET).detail) == asked


def test_a_record_that_asks_for_what_cannot_be_is_unreadable(store: FakeParameters) -> None:
    """A rate of zero is not taken for no limit."""
    begin(store)
    pause(store)
    raw = json.loads(store.stored[PARAMETER]["Value"])
    raw["detail"]["asked"]["control"]["max_rate"] = 0
    store.stored[PARAMETER]["Value"] = json.dumps(raw)
    with pytest.raises(LookupFailedError, match="cannot read"):
        markers(store, "reader").get(KIND, TARGET)


def test_a_run_that_is_stopped_right_after_somebody_asked_lets_the_next_one_in(
    aws_server: EmbeddedAws,
) -> None:
    """Its last write has to be looked after, although no look is begun any more after a stop."""
    asked: list[bool] = []
    clock, marker = SystemClock(), Marker(MarkerState.RUNNING, "orders", "run-1")
    stopped = ParameterMarkers(open_account(stop=lambda: bool(asked)), clock)
    lease = stopped.begin(KIND, TARGET, marker)
    account = open_account()
    controls = ParameterControls(account, clock)
    controls.change(KIND, TARGET, lambda now, _at: replace(now, paused_at=1000.0))
    asked.append(True)
    lease.release({"done": 7})
    found = ParameterMarkers(account, clock).get(KIND, TARGET)
    assert (found.alive, found.detail["done"]) == (False, 7)
    assert control_in(found.detail).is_paused
