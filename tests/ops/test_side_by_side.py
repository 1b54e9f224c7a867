"""Several resources at the same time: bounded, each for itself, and no less safe than one."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import (
    ConflictError,
    DatawareError,
    IncompleteError,
    RefusedError,
    ServiceError,
    WriteDeniedError,
)
from dataware.core.kind import Kind
from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    Marker,
    MarkerState,
    Wanted,
    absent,
)
from dataware.core.plan import Planned
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings, CreationWatch, TargetToMake
from dataware.ops.plan import make_plan
from dataware.ops.run_bounds import RunBounds
from dataware.ops.run_outcome import EnvironmentOutcome, Outcome, sum_up, sum_up_environments
from dataware.ops.side_by_side import split_into_lanes, work_side_by_side
from support.world import World, WorldHold, install

NAMES = [f"box{number:02}" for number in range(20)]
PLAIN = CopySettings()


@dataclass(frozen=True)
class WatchedHold(WorldHold):
    """Creates boxes, and keeps which were created together; `broken` ones fail."""

    together: list[list[str]] = field(default_factory=list)
    broken: frozenset[str] = frozenset()

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        self.together.append([wanted.preferred for _, wanted in targets])
        super().create_together(targets, watch, filled=filled)

    def create(self, kind: Kind, wanted: Wanted) -> None:
        if wanted.preferred in self.broken:
            raise ServiceError(f"CloudFormation did not create {wanted.preferred}")
        super().create(kind, wanted)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """Twenty boxes with three keys each."""
    boxes = {f"old-{name}": {f"{name}-{key}": "v" for key in "abc"} for name in NAMES}
    world = World(boxes=boxes, identities=dict.fromkeys(boxes, 1))
    install(monkeypatch, world)
    return world


def wanted(name: str) -> Wanted:
    """A box that is to be filled from its older name."""
    return Wanted(name, "Memory::Box", name, (f"old-{name}",))


def apply_all(there: World, context: Context | None = None, settings: CopySettings = PLAIN) -> None:
    """Plan and carry out all twenty."""
    context = context or there.context()
    plan = make_plan(context, [wanted(name) for name in NAMES], report=False)
    apply_plan(context, plan, settings)


def check_whole(there: World) -> None:
    """Every target holds what its source holds, and is on record as complete."""
    for name in NAMES:
        assert there.boxes[name] == there.boxes[f"old-{name}"]
        assert there.markers[name].state is MarkerState.COMPLETE


def test_twenty_are_created_together_and_filled(there: World) -> None:
    """By one stack; every event says whose it is; the second run has nothing to do."""
    hold = WatchedHold(there)
    apply_all(there, replace(there.context(), hold=hold))
    check_whole(there)
    assert [sorted(names) for names in hold.together] == [NAMES]
    for code in ("migrating", "found", "batch", "migrated", "verified"):
        told = [event.data["name"] for event in there.events if event.code == code]
        assert set(told) == set(NAMES), code
    there.log.clear()
    apply_all(there)
    assert there.log == []


def test_plain_creations_are_a_stack_of_their_own(there: World) -> None:
    """What is filled and what stays empty are two needs, so that there are two stacks."""
    hold = WatchedHold(there)
    context = replace(there.context(), hold=hold)
    empty = [replace(wanted(f"empty{n}"), fallbacks=()) for n in range(3)]
    some = [wanted(name) for name in NAMES[:3]]
    apply_plan(context, make_plan(context, [*empty, *some], report=False), PLAIN)
    assert sorted(map(sorted, hold.together)) == [NAMES[:3], ["empty0", "empty1", "empty2"]]
    assert sorted(there.events.texts("created")) == [
        f"Created memory box: empty{n}" for n in range(3)
    ]


def test_one_that_fails_holds_up_no_other(there: World) -> None:
    """Nineteen are complete; the end names the one, and the next run finishes only that."""
    hold = WatchedHold(there, broken=frozenset({"box07"}))
    with pytest.raises(IncompleteError, match="did not create box07"):
        apply_all(there, replace(there.context(), hold=hold))
    assert [name for name in NAMES if name not in there.boxes] == ["box07"]
    assert [event.data["name"] for event in there.events if event.code == "incomplete"] == ["box07"]
    there.log.clear()
    apply_all(there)
    check_whole(there)
    assert {step for step in there.log if step.startswith("write")} == {
        f"write box07-{key}" for key in "abc"
    }


def test_a_denied_write_holds_up_no_other(there: World) -> None:
    """The others are complete, and the next run touches only the one."""
    there.denied = {f"box03-{key}" for key in "abc"}
    with pytest.raises(IncompleteError, match="nothing was copied to box03"):
        apply_all(there)
    there.denied = set()
    there.log.clear()
    apply_all(there)
    check_whole(there)
    assert all("box03" in step for step in there.log if step.startswith(("write", "verify")))


def test_a_wish_to_stop_reaches_all_and_the_next_run_finishes(there: World) -> None:
    """What was complete by then is not touched again."""
    stop = lambda: sum(step == "complete" for step in there.log) >= 5  # noqa: E731
    with pytest.raises(IncompleteError):
        apply_all(there, there.context(stop), replace(PLAIN, max_parallel=2))
    done = [name for name in NAMES if there.markers[name].state is MarkerState.COMPLETE]
    assert 5 <= len(done) < len(NAMES)
    there.log.clear()
    apply_all(there)
    check_whole(there)
    assert not any(name in step for step in there.log for name in done)


@pytest.mark.parametrize("most", [1, 2, 8])
def test_no_more_copy_at_once_than_allowed(
    there: World, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are created and wait for their turn write nothing."""
    inside, highest, lock = set[str](), [0], threading.Lock()
    live = World.moment

    def count(self: World, what: str) -> None:
        live(self, what)
        if what.startswith("write"):
            name = what.split()[1].partition("-")[0]
            with lock:
                inside.add(name)
                highest[0] = max(highest[0], len(inside))
            time.sleep(0.002)
        elif what.startswith("verify box"):
            with lock:
                inside.discard(what.split()[1])

    monkeypatch.setattr(World, "moment", count)
    apply_all(there, settings=replace(PLAIN, max_parallel=most))
    check_whole(there)
    assert highest[0] == most


def interrupt() -> None:
    """Press Ctrl-C while the main thread waits."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@pytest.fixture
def python_handles_sigint() -> Iterator[None]:
    """As in a terminal: a shell that starts the tests in the background has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_handles_sigint")
@pytest.mark.parametrize("press", [interrupt, _thread.interrupt_main], ids=["while", "before"])
@pytest.mark.parametrize("at", [1, 3])
def test_a_second_ctrl_c_ends_them_all(there: World, at: int, press: Callable[[], None]) -> None:
    """Whoever waits is interrupted, also while it begins them, and what is under way hears it.

    `interrupt_main` notes a signal and wakes nobody, as one does that comes just before a wait.
    """
    context = there.context()
    stopped, begun, missed = threading.Event(), threading.Semaphore(0), threading.Event()

    def work(beside: Context, _planned: Planned) -> None:
        begun.release()
        while not beside.stop():
            time.sleep(0.01)
        stopped.set()
        raise IncompleteError("stopped")

    def press_when_begun() -> None:
        for _ in range(at):
            begun.acquire()
        press()
        if not stopped.wait(30):
            missed.set()
            interrupt()

    plan = make_plan(context, [wanted(name) for name in NAMES[:3]], report=False)
    presser = threading.Thread(target=press_when_begun)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        work_side_by_side(context, split_into_lanes(plan.resources), work)
    presser.join()
    assert not missed.is_set()


def test_an_error_that_nobody_expected_is_raised(there: World) -> None:
    """Once the others have ended."""
    context, done = there.context(), list[str]()

    def work(_context: Context, planned: Planned) -> None:
        if planned.wanted.preferred == "box00":
            raise ZeroDivisionError
        time.sleep(0.02)
        done.append(planned.wanted.preferred)

    plan = make_plan(context, [wanted(name) for name in NAMES[:3]], report=False)
    with pytest.raises(ZeroDivisionError):
        work_side_by_side(context, split_into_lanes(plan.resources), work)
    assert sorted(done) == ["box01", "box02"]


def planned(target: str, source: str | None) -> Planned:
    """A migration as a plan has it."""
    decision = Decision(Action.MIGRATE, 3, "", source=source)
    facts = Facts("s", Existence.EXISTS, Content.DATA)
    return Planned(Wanted(target, "Memory::Box", target), absent(target), (facts,), decision)


pairs = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=8)


@given(pairs)
def test_what_touches_the_same_is_never_beside_each_other(pairs: list[tuple[str, str]]) -> None:
    """No name is in two lanes; a lane keeps the order of the plan, and nothing is lost."""
    resources = [planned(*pair) for pair in pairs]
    lanes = split_into_lanes(resources)
    names = [
        {name for one in lane for name in (one.wanted.preferred, one.decision.source)}
        for lane in lanes
    ]
    assert sum(map(len, names)) == len(set().union(*names))
    assert sorted(map(id, resources)) == sorted(id(one) for lane in lanes for one in lane)
    order = {id(one): number for number, one in enumerate(resources)}
    for lane in lanes:
        assert [order[id(one)] for one in lane] == sorted(order[id(one)] for one in lane)


DONE, DENIED, OPEN = None, WriteDeniedError("denied"), IncompleteError("open")
BROKEN, REFUSED, CONFLICT = ServiceError("broken"), RefusedError("lock"), ConflictError("conflict")


@pytest.mark.parametrize(
    ("errors", "raised", "code"),
    [
        ([BROKEN], ServiceError, 1),
        ([BROKEN, DONE], IncompleteError, 4),
        ([BROKEN, BROKEN], ServiceError, 1),
        ([DENIED], WriteDeniedError, 1),
        ([DENIED, DENIED], WriteDeniedError, 1),
        ([DONE, DENIED], IncompleteError, 4),
        ([DENIED, BROKEN], IncompleteError, 4),
        ([DENIED, OPEN], IncompleteError, 4),
        ([DONE, OPEN], IncompleteError, 4),
        ([REFUSED, BROKEN, OPEN], RefusedError, 3),
        ([CONFLICT], ConflictError, 3),
        ([DONE, CONFLICT, OPEN], RefusedError, 3),
    ],
)
def test_one_error_speaks_for_all(
    errors: list[ServiceError | None], raised: type[Exception], code: int
) -> None:
    """A refusal first, then what can go on, then what changed nothing; each reason is in it."""
    outcomes = [Outcome(planned(f"t{n}", f"s{n}"), error) for n, error in enumerate(errors)]
    with pytest.raises(raised) as caught:
        sum_up(outcomes)
    assert type(caught.value) is raised
    assert caught.value.exit_code == code  # type: ignore[attr-defined]  # of a DatawareError
    assert all(str(error) in str(caught.value) for error in errors if error is not None)


def test_many_reasons_are_cut(there: World) -> None:
    """The end of a long run is a line to read; each reason stands above."""
    outcomes = [Outcome(planned(f"t{n}", None), IncompleteError(f"why {n}")) for n in range(30)]
    with pytest.raises(IncompleteError, match="why 4; and 25 more, see above"):
        sum_up(outcomes)


def test_a_refusal_of_one_lets_the_others_end(there: World) -> None:
    """Another run that is alive holds one target, and the exit code says that it was refused."""
    there.markers["box05"] = Marker(MarkerState.RUNNING, source="old-box05", alive=True)
    there.make("box05")
    with pytest.raises(RefusedError, match="another run is alive"):
        apply_all(there)
    del there.markers["box05"]
    assert sum(one.state is MarkerState.COMPLETE for one in there.markers.values()) == 19


def test_shares_and_loans_add_up() -> None:
    """Threads that come and go at random never take more than there is, and give it all back."""
    bounds, most, wrong = RunBounds(3), 4, list[str]()
    lent, lock = [0], threading.Lock()

    def borrow() -> None:
        for _ in range(200):
            with bounds.processes(3, most) as got, bounds.copying() as sharers:
                with lock:
                    lent[0] += got
                    if lent[0] > most:
                        wrong.append(f"{lent[0]} lent")
                if not 1 <= sharers() <= 8:
                    wrong.append(f"{sharers()} share")
                with lock:
                    lent[0] -= got

    threads = [threading.Thread(target=borrow) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with bounds.processes(9, most) as got, bounds.copying() as sharers:
        assert (got, sharers()) == (most, 1)


def test_who_waits_for_a_turn_hears_a_wish_to_stop() -> None:
    """It does not begin, and says so."""
    bounds = RunBounds(1)
    with (
        bounds.slot(lambda: False),
        pytest.raises(IncompleteError, match="before its turn"),
        bounds.slot(lambda: True),
    ):
        raise AssertionError


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([EnvironmentOutcome(begun=True)], 0),
        ([EnvironmentOutcome(BROKEN)], 1),
        ([EnvironmentOutcome(BROKEN), EnvironmentOutcome(DENIED)], 1),
        ([EnvironmentOutcome(BROKEN), EnvironmentOutcome()], 1),
        ([EnvironmentOutcome(BROKEN), EnvironmentOutcome(begun=True)], 4),
        ([EnvironmentOutcome(DENIED), EnvironmentOutcome(begun=True)], 4),
        ([EnvironmentOutcome(OPEN), EnvironmentOutcome(BROKEN)], 4),
        ([EnvironmentOutcome(begun=True), EnvironmentOutcome(OPEN)], 4),
        ([EnvironmentOutcome(OPEN), EnvironmentOutcome(REFUSED)], 3),
        ([EnvironmentOutcome(CONFLICT), EnvironmentOutcome(begun=True)], 3),
    ],
)
def test_environments_end_as_resources_do(outcomes: list[EnvironmentOutcome], code: int) -> None:
    """One exit code and one sentence for all accounts and regions of an app."""
    errors = [one.error for one in outcomes if one.error]
    if not errors:
        sum_up_environments(outcomes)
        return
    with pytest.raises(DatawareError) as caught:
        sum_up_environments(outcomes)
    assert caught.value.exit_code == code
    assert all(str(error) in str(caught.value) for error in errors)
