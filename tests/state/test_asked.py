"""What people ask of a run through its record: it reaches the run, and never takes its lock."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.follow.cutover_request import CutoverRequest
from dataware.core.model import Marker, MarkerState
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import requests_in
from dataware.state.markers import ALIVE_SECONDS
from support.parameters import FakeParameters

KIND, TARGET = "dynamodb-table", "orders-prod"
REQUEST = CutoverRequest("abc", "host-2", 300.0).to_json()


@pytest.fixture
def store() -> FakeParameters:
    """An empty Parameter Store."""
    return FakeParameters()


def markers(store: FakeParameters, host: str = "host-1") -> ParameterMarkers:
    """Markers as one machine sees them."""
    return ParameterMarkers(store, store.clock, Holder(host, f"a boot of {host}", 7, "1"))


def begin(store: FakeParameters, host: str = "host-1") -> ParameterLease:
    """Take the lock."""
    begun = Marker(MarkerState.RUNNING, "orders", "run-1", "id")
    return markers(store, host).begin(KIND, TARGET, begun)


def test_a_request_is_heard_with_the_next_heartbeat_and_kept(store: FakeParameters) -> None:
    """The run writes on without having lost the lock, and says what it was asked."""
    lease = begin(store)
    markers(store, "host-2").ask(KIND, TARGET, "cutover", REQUEST)
    assert lease.requests == {}
    lease.send_heartbeat({"phase": "following"})
    assert lease.requests == {"cutover": REQUEST}
    lease.send_heartbeat({"phase": "following"})
    detail = markers(store).get(KIND, TARGET).detail
    assert (detail["phase"], detail["asked"]) == ("following", {"cutover": REQUEST})


def test_whoever_asks_again_and_again_keeps_no_dead_run_alive(store: FakeParameters) -> None:
    """Another machine may take over as soon as the run itself was silent for long enough."""
    begin(store)
    other, asks = markers(store, "host-2"), 0
    for _ in range(30):
        store.clock.time += 5
        try:
            other.ask(KIND, TARGET, "cutover", REQUEST)
        except RefusedError:
            break
        asks += 1
    assert 5 < asks < ALIVE_SECONDS / 5 + 1
    assert not other.get(KIND, TARGET).alive


def test_requests_of_several_topics_stand_beside_each_other(store: FakeParameters) -> None:
    """Each may be renewed and taken back alone."""
    lease, other = begin(store), markers(store, "host-2")
    other.ask(KIND, TARGET, "cutover", REQUEST)
    other.ask(KIND, TARGET, "rate", {"n": 5})
    lease.read_back()
    assert lease.requests == {"cutover": REQUEST, "rate": {"n": 5}}
    other.ask(KIND, TARGET, "cutover", None)
    lease.send_heartbeat({})
    assert lease.requests == {"rate": {"n": 5}}


def test_a_run_that_is_dead_released_or_complete_is_not_asked(store: FakeParameters) -> None:
    """Nobody would hear it, and its record must not look alive."""
    other = markers(store, "host-2")
    with pytest.raises(RefusedError, match="no run"):
        other.ask(KIND, TARGET, "cutover", REQUEST)
    lease = begin(store)
    store.clock.time += ALIVE_SECONDS
    with pytest.raises(RefusedError, match="no run"):
        other.ask(KIND, TARGET, "cutover", REQUEST)
    lease.release({})
    with pytest.raises(RefusedError, match="no run"):
        other.ask(KIND, TARGET, "cutover", REQUEST)
    begin(store).complete({})
    with pytest.raises(RefusedError, match="no run"):
        other.ask(KIND, TARGET, "cutover", REQUEST)
    assert markers(store).get(KIND, TARGET).state is MarkerState.COMPLETE


def test_a_request_between_two_looks_of_the_run_never_undoes_what_it_wrote(
    store: FakeParameters,
) -> None:
    """A heartbeat that comes between the look and the write of a request makes it look again."""
    lease, wrote = begin(store), []

    def beat() -> None:
        if not wrote:
            wrote.append(True)
            lease.send_heartbeat({"phase": "following"})

    other = markers(store, "host-2")
    look, write = other._store.look, other._store.write

    def write_late(*given: Any) -> Any:
        beat()
        return write(*given)

    other._store.write = write_late  # type: ignore[method-assign] # what comes in between
    assert look is not None
    other.ask(KIND, TARGET, "cutover", REQUEST)
    detail = markers(store).get(KIND, TARGET).detail
    assert (detail["phase"], requests_in(detail)) == ("following", {"cutover": REQUEST})


def test_a_request_that_is_overtaken_again_and_again_says_so(store: FakeParameters) -> None:
    """It is not known then whether the run will hear it."""
    lease = begin(store)
    other = markers(store, "host-2")
    write = other._store.write

    def write_late(*given: Any) -> Any:
        lease.send_heartbeat({})
        return write(*given)

    other._store.write = write_late  # type: ignore[method-assign] # what comes in between
    with pytest.raises(LookupFailedError, match="others write"):
        other.ask(KIND, TARGET, "cutover", REQUEST)


@pytest.mark.parametrize("raw", [None, "x", {}, {**REQUEST, "beat": "x"}])
def test_a_request_that_cannot_be_read_is_none(raw: object) -> None:
    """A run does not do what it does not understand."""
    assert CutoverRequest.from_json(raw) is None
    assert CutoverRequest.from_json(REQUEST) == CutoverRequest("abc", "host-2", 300.0)
