"""The rules of markers: one run at a time, nothing forgotten, nothing taken from the living."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.aws import SystemClock
from dataware.core.engines.card import ENGINE
from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.model import NO_MARKER, Marker, MarkerState
from dataware.core.ports import Lease
from dataware.core.run_control import NO_CONTROL
from dataware.embedded import EmbeddedAws
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder, execution, this_process
from dataware.state.marker_value import CONTROL, ROOT
from dataware.state.markers import ALIVE_SECONDS, LIST, READ, WRITE
from support.accounts import open_account
from support.parameters import FakeParameters
from support.servers import FaultProxy, drop_after

KIND, TARGET = "dynamodb-table", "orders-prod"


def running(run: str = "run-1") -> Marker:
    """What a run writes at its beginning."""
    return Marker(MarkerState.RUNNING, "orders", run, "table-id", created=True)


def markers(store: FakeParameters, holder: str = "host-1") -> ParameterMarkers:
    """Markers as one machine sees them."""
    return ParameterMarkers(store, store.clock, machine(holder))


def machine(name: str) -> Holder:
    """A process on some machine that is not this one."""
    return Holder(name, f"a boot of {name}", 7, "1")


@pytest.fixture
def store() -> FakeParameters:
    """An empty Parameter Store."""
    return FakeParameters()


def test_no_record_is_no_marker(store: FakeParameters) -> None:
    """A target that nothing was migrated into has no marker."""
    assert markers(store).get(KIND, TARGET) == NO_MARKER


def test_a_begun_migration_is_running_and_alive(store: FakeParameters) -> None:
    """Everything that the next run needs is in the record."""
    markers(store).begin(KIND, TARGET, running())
    found = markers(store).get(KIND, TARGET)
    assert (found.state, found.source, found.run) == (MarkerState.RUNNING, "orders", "run-1")
    assert (found.identity, found.created, found.alive) == ("table-id", True, True)
    assert found.detail["holder"] == "host-1, process 7"


def test_a_living_run_is_not_disturbed(store: FakeParameters) -> None:
    """A second run is refused, with run, holder, age and what to do."""
    markers(store).begin(KIND, TARGET, running())
    store.clock.time += 10
    with pytest.raises(RefusedError, match=r"run run-1 on host-1.* 10 s ago.*again in 50 s"):
        markers(store, "host-2").begin(KIND, TARGET, running("run-2"))
    assert markers(store).get(KIND, TARGET).run == "run-1"


def test_a_refusal_names_the_run_by_which_people_know_it(store: FakeParameters) -> None:
    """The id that `status` and `report` show, and the resource it holds."""
    record = replace(running(), detail={"command_run": "20261129-100000-123-ab"})
    markers(store).begin(KIND, TARGET, record)
    found = markers(store, "host-2").get(KIND, TARGET)
    assert (found.run, found.shown_run) == ("run-1", "20261129-100000-123-ab")
    wanted = f"{TARGET} is being migrated by run 20261129-100000-123-ab on host-1"
    with pytest.raises(RefusedError, match=wanted):
        markers(store, "host-2").begin(KIND, TARGET, running("run-2"))


def test_a_dead_run_is_taken_over(store: FakeParameters) -> None:
    """After the time of silence the next run goes on; the beginning stays what it was."""
    markers(store).begin(KIND, TARGET, running())
    began = markers(store).get(KIND, TARGET).detail["started"]
    store.clock.time += ALIVE_SECONDS
    assert not markers(store).get(KIND, TARGET).alive
    markers(store, "host-2").begin(KIND, TARGET, running("run-2"))
    found = markers(store).get(KIND, TARGET)
    assert (found.run, found.detail["started"], found.alive) == ("run-2", began, True)


def test_a_released_marker_is_taken_over_at_once(store: FakeParameters) -> None:
    """A run that ended in order leaves "running", and its progress, to the next one."""
    markers(store).begin(KIND, TARGET, running()).release({"copied": 5})
    found = markers(store).get(KIND, TARGET)
    assert (found.state, found.alive, found.detail["copied"]) == (MarkerState.RUNNING, False, 5)
    markers(store, "host-2").begin(KIND, TARGET, running("run-2"))


def test_a_complete_marker_stays(store: FakeParameters) -> None:
    """Complete is final until another migration begins."""
    markers(store).begin(KIND, TARGET, running()).complete({"copied": 78})
    found = markers(store).get(KIND, TARGET)
    assert (found.state, found.alive, found.detail["copied"]) == (MarkerState.COMPLETE, False, 78)
    markers(store).begin(KIND, TARGET, running("run-2"))
    assert markers(store).get(KIND, TARGET).state is MarkerState.RUNNING


def test_beats_keep_a_run_alive(store: FakeParameters) -> None:
    """A run that beats is never taken over, however long it lasts."""
    lease = markers(store).begin(KIND, TARGET, running())
    for send_heartbeat in range(10):
        store.clock.time += ALIVE_SECONDS / 3
        lease.send_heartbeat({"copied": send_heartbeat})
        with pytest.raises(RefusedError):
            markers(store, "host-2").begin(KIND, TARGET, running("run-2"))
    assert markers(store).get(KIND, TARGET).detail["copied"] == 9


@pytest.mark.parametrize("ending", ["send_heartbeat", "complete", "release"])
def test_a_run_that_was_taken_over_stops(store: FakeParameters, ending: str) -> None:
    """A run that wakes up after its lock went to another one may not go on, nor end it."""
    slept: Lease = markers(store).begin(KIND, TARGET, running())
    store.clock.time += ALIVE_SECONDS + 1
    heir = markers(store, "host-2").begin(KIND, TARGET, running("run-2"))
    with pytest.raises(RefusedError, match=r"lost the lock on .*: another run took it"):
        getattr(slept, ending)({})
    kept = markers(store).get(KIND, TARGET)
    assert (kept.state, kept.alive) == (MarkerState.RUNNING, True), "nobody else is let in"
    heir.send_heartbeat({"copied": 1})
    found = markers(store).get(KIND, TARGET)
    assert (found.run, found.state, found.alive) == ("run-2", MarkerState.RUNNING, True)


def test_a_silent_run_that_nobody_replaced_goes_on(store: FakeParameters) -> None:
    """A machine that slept keeps its lock if nobody wanted it."""
    lease = markers(store).begin(KIND, TARGET, running())
    store.clock.time += 10 * ALIVE_SECONDS
    lease.send_heartbeat({})
    lease.complete({})


def test_a_loser_does_not_disturb_the_winner(store: FakeParameters) -> None:
    """The write of a run that came too late costs the holder nothing."""
    markers(store).begin(KIND, TARGET, running("dead"))
    store.clock.time += ALIVE_SECONDS
    leases: list[Lease] = []

    def overtake() -> None:
        store.between = lambda: None
        leases.append(markers(store, "host-2").begin(KIND, TARGET, running("winner")))

    # The loser's third call is the write, after a refused creation and a read.
    store.between = _after(2, overtake)
    with pytest.raises(RefusedError, match="has just started"):
        markers(store, "host-3").begin(KIND, TARGET, running("loser"))
    leases[0].send_heartbeat({})
    leases[0].complete({})
    assert markers(store).get(KIND, TARGET).run == "winner"


def _after(calls: int, action: Callable[[], None]) -> Callable[[], None]:
    """An action that waits for some calls to pass."""
    passed = iter(range(calls))

    def between() -> None:
        if next(passed, None) is None:
            action()

    return between


def test_a_lost_answer_to_the_first_write_is_no_other_run(store: FakeParameters) -> None:
    """When the SDK repeats a write that had succeeded, the run recognises itself."""
    write = store.put_parameter

    def twice(**given: Any) -> Any:
        store.put_parameter = write  # type: ignore[method-assign] # the repetition of the SDK
        write(**given)
        return write(**given)

    store.put_parameter = twice  # type: ignore[method-assign] # the repetition of the SDK
    markers(store).begin(KIND, TARGET, running()).send_heartbeat({})


RUNS = "ABC"


def race(store: FakeParameters, order: str) -> list[str]:
    """The runs that got the lock when their calls were answered in this order."""
    gates = {run: threading.Semaphore(0) for run in RUNS}
    parked = threading.Semaphore(0)
    ended: set[str] = set()
    won: list[str] = []

    def wait_for_turn() -> None:
        parked.release()
        gates[threading.current_thread().name].acquire()

    def contend(run: str) -> None:
        try:
            markers(store, run).begin(KIND, TARGET, running(run))
            won.append(run)
        except RefusedError:
            pass
        finally:
            ended.add(run)
            parked.release()

    store.between = wait_for_turn
    threads = [threading.Thread(target=contend, args=run, name=run) for run in RUNS]
    for thread in threads:
        thread.start()
        parked.acquire()
    for run in order + RUNS * 12:
        if run not in ended:
            gates[run].release()
            parked.acquire()
    for thread in threads:
        thread.join()
    return won


@settings(max_examples=100, deadline=None)
@given(st.text(RUNS, max_size=9), st.sampled_from(["none", "dead", "alive"]))
def test_no_order_of_calls_gives_two_runs_the_lock(order: str, before: str) -> None:
    """Of runs whose calls interleave in any way, exactly one begins; none while one is alive."""
    store = FakeParameters()
    if before != "none":
        markers(store).begin(KIND, TARGET, running("old"))
    if before == "dead":
        store.clock.time += ALIVE_SECONDS
    assert len(race(store, order)) == (0 if before == "alive" else 1)


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("GetParameter", READ), ("GetParametersByPath", LIST), ("PutParameter", WRITE)],
)
def test_denials_name_the_permission(
    store: FakeParameters, operation: str, permission: str
) -> None:
    """A marker that may not be seen is unknown, never "none"."""
    store.denied = {operation}
    calls: dict[str, Callable[[], object]] = {
        READ: lambda: markers(store).get(KIND, TARGET),
        LIST: lambda: markers(store).all(),
        WRITE: lambda: markers(store).begin(KIND, TARGET, running()),
    }
    with pytest.raises(LookupFailedError) as caught:
        calls[permission]()
    assert caught.value.problem is not None
    assert caught.value.problem.permission == permission


def test_unreadable_markers_are_unknown(store: FakeParameters) -> None:
    """What a newer version wrote is neither ignored nor overwritten, and says what to do."""
    markers(store).begin(KIND, TARGET, running())
    parameter = store.stored[f"{ROOT}/{KIND}/{TARGET}"]
    parameter["Value"] = json.dumps({"version": 9})
    store.clock.time += 2 * ALIVE_SECONDS
    for act in (
        lambda: markers(store).get(KIND, TARGET),
        lambda: markers(store).begin(KIND, TARGET, running()),
    ):
        with pytest.raises(
            LookupFailedError, match=r"by a newer version of dataware .*: upgrade dataware"
        ):
            act()
    assert json.loads(parameter["Value"]) == {"version": 9}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"version":9,"target":7}', "was written by a newer version of dataware (its format is 9"),
        ("walking", "this version of dataware cannot read the marker"),
    ],
)
def test_an_unreadable_marker_hides_no_other(store: FakeParameters, text: str, words: str) -> None:
    """It is listed as unknown, with why; the name of the parameter tells of which target it is."""
    for target in ("a", TARGET, "z"):
        markers(store).begin(KIND, target, running())
    store.stored[f"{ROOT}/{KIND}/{TARGET}"]["Value"] = text
    store.clock.time += 7
    found = {(kind, target): marker for kind, target, marker in markers(store).all()}
    assert {at: marker.state for at, marker in found.items()} == {
        (KIND, "a"): MarkerState.RUNNING,
        (KIND, TARGET): MarkerState.UNKNOWN,
        (KIND, "z"): MarkerState.RUNNING,
    }
    unseen = found[KIND, TARGET]
    assert (unseen.heartbeat_age, unseen.alive) == (7.0, False)
    assert unseen.problem is not None
    assert words in unseen.problem.detail


def test_all_markers_are_listed_over_pages(aws_server: EmbeddedAws) -> None:
    """The service lists ten at a time; every kind and target comes back."""
    book = ParameterMarkers(open_account(), SystemClock())
    targets = {(kind, f"target_{number}.x") for kind in ("a-kind", "b") for number in range(12)}
    for kind, target in sorted(targets):
        book.begin(kind, target, running()).complete({})
    found = book.all()
    assert {(kind, target) for kind, target, _ in found} == targets
    assert {marker.state for _, _, marker in found} == {MarkerState.COMPLETE}


def test_a_record_whose_deletion_had_no_answer_is_gone(fault_proxy: FaultProxy) -> None:
    """The SDK's second try is told that there is none."""
    book = ParameterMarkers(open_account(), SystemClock())
    book.begin(KIND, TARGET, running()).release({})
    fault_proxy.add(drop_after, operation="DeleteParameter", times=1)
    book.remove(KIND, TARGET, book.get(KIND, TARGET), lambda _stored: None)
    assert fault_proxy.count("DeleteParameter") == 2
    assert book.get(KIND, TARGET).state is MarkerState.NONE


@pytest.mark.parametrize("left_by", ["nobody", "released"])
def test_of_many_runs_at_once_one_wins(aws_server: EmbeddedAws, left_by: str) -> None:
    """On a real server, sixteen runs that begin together get one lock."""
    aws = open_account()
    if left_by == "released":
        ParameterMarkers(aws, SystemClock()).begin(KIND, TARGET, running("old")).release({})

    def contend(number: int) -> bool:
        book = ParameterMarkers(aws, SystemClock(), machine(f"host-{number}"))
        try:
            book.begin(KIND, TARGET, running(f"run-{number}"))
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(contend, range(16))) == 1


def test_a_run_that_died_on_this_machine_is_followed_at_once(store: FakeParameters) -> None:
    """After kill -9 the next run here need not wait until the heartbeat is old."""
    dead = replace(this_process(), born="1")
    ParameterMarkers(store, store.clock, dead).begin(KIND, TARGET, running("killed"))
    assert not markers(store).get(KIND, TARGET).alive
    markers(store).begin(KIND, TARGET, running("killed"))
    assert markers(store).get(KIND, TARGET).alive


def of_execution(store: FakeParameters, name: str = "copy-1") -> ParameterMarkers:
    """Markers as every process of an execution sees them."""
    return ParameterMarkers(store, store.clock, execution(name))


def test_any_process_of_an_execution_may_take_its_lease_up_again(store: FakeParameters) -> None:
    """One process begins, another beats, a third one ends; nobody else gets in between."""
    of_execution(store).begin(KIND, TARGET, running())
    for _ in range(3):
        store.clock.time += ALIVE_SECONDS - 1
        lease = of_execution(store).rejoin(KIND, TARGET)
        lease.send_heartbeat({**lease.detail, "copied": 5})
        with pytest.raises(RefusedError, match="execution copy-1"):
            markers(store).begin(KIND, TARGET, running("run-2"))
    of_execution(store).rejoin(KIND, TARGET).complete({"verified": 5})
    found = markers(store).get(KIND, TARGET)
    assert (found.state, found.run, found.detail["verified"]) == (MarkerState.COMPLETE, "run-1", 5)


def test_a_lease_that_was_taken_over_is_not_taken_up_again(store: FakeParameters) -> None:
    """The heir is not disturbed, also when it goes on under the same run."""
    of_execution(store).begin(KIND, TARGET, running())
    store.clock.time += ALIVE_SECONDS + 1
    markers(store).begin(KIND, TARGET, running())
    with pytest.raises(RefusedError, match="execution copy-1 lost the lock"):
        of_execution(store).rejoin(KIND, TARGET)
    assert not of_execution(store).holds(KIND, TARGET)


@pytest.mark.parametrize("ending", ["complete", "release"])
def test_an_ended_lease_is_not_taken_up_again(store: FakeParameters, ending: str) -> None:
    """A late poll cannot make "running" of what has ended."""
    lease = of_execution(store).begin(KIND, TARGET, running())
    getattr(lease, ending)({})
    with pytest.raises(RefusedError):
        of_execution(store).rejoin(KIND, TARGET)


def test_a_takeover_between_reading_and_writing_is_seen(store: FakeParameters) -> None:
    """A poll that comes too late finds the heir's write in the answer to its own."""
    of_execution(store).begin(KIND, TARGET, running())
    store.clock.time += ALIVE_SECONDS + 1
    late = of_execution(store).rejoin(KIND, TARGET)
    markers(store).begin(KIND, TARGET, running("run-2"))
    with pytest.raises(RefusedError, match="lost the lock"):
        late.send_heartbeat({})


def test_work_goes_on_while_the_record_names_it(store: FakeParameters) -> None:
    """Whoever holds the lock, or nobody; not once the record names other work, or is complete."""
    keeper = markers(store)
    work = {ENGINE: {"name": "map", "execution": "run-1-1"}}
    lease = keeper.begin(KIND, TARGET, replace(running(), detail=work))
    workers = markers(store, "a worker")
    assert workers.read_work(KIND, TARGET, "run-1-1") == NO_CONTROL
    assert workers.read_work(KIND, TARGET, "run-1-2") is None
    assert workers.read_work(KIND, "other", "run-1-1") is None
    asked = {"max_rate": 5.0, "paused_at": None, "by": "host-2"}
    markers(store, "host-2").ask(KIND, TARGET, CONTROL, asked)
    control = workers.read_work(KIND, TARGET, "run-1-1")
    assert control is not None and control.max_rate == 5.0
    store.clock.time += ALIVE_SECONDS * 100
    assert workers.read_work(KIND, TARGET, "run-1-1") is not None
    lease = markers(store).begin(KIND, TARGET, replace(running(), detail=work))
    lease.send_heartbeat({ENGINE: {"name": "map", "execution": None}})
    assert workers.read_work(KIND, TARGET, "run-1-1") is None
    lease.complete({})
    assert workers.read_work(KIND, TARGET, "run-1-1") is None


def test_only_the_living_holder_holds(store: FakeParameters) -> None:
    """Workers ask this, and stop when it is no longer so."""
    assert not of_execution(store).holds(KIND, TARGET)
    of_execution(store).begin(KIND, TARGET, running())
    assert of_execution(store).holds(KIND, TARGET)
    assert not of_execution(store, "copy-2").holds(KIND, TARGET)
    store.clock.time += ALIVE_SECONDS
    assert not of_execution(store).holds(KIND, TARGET)


def test_a_record_comes_with_the_command_that_deletes_it(store: FakeParameters) -> None:
    """It names this very parameter, and where it lies."""
    markers(store).begin(KIND, TARGET, running())
    for marker in (markers(store).get(KIND, TARGET), markers(store).all()[0][-1]):
        assert marker.removal == ("dataware forget orders-prod --region eu-central-1")


def test_a_run_does_not_go_on_by_an_older_record_of_its_work(store: FakeParameters) -> None:
    """What was begun since it was read would be begun once more."""
    keeper = markers(store)
    lease = keeper.begin(KIND, TARGET, replace(running(), detail={ENGINE: {"name": "batch"}}))
    seen = keeper.get(KIND, TARGET)
    lease.send_heartbeat({ENGINE: {"name": "batch", "job": "job-1"}})
    store.clock.time += ALIVE_SECONDS
    with pytest.raises(RefusedError, match="another run has gone on with it"):
        markers(store, "later").begin(KIND, TARGET, replace(running(), run=seen.run), seen)
    now = keeper.get(KIND, TARGET)
    markers(store, "later").begin(KIND, TARGET, replace(running(), run=now.run), now)
