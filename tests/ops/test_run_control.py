"""Pause, resume, throttle: what people are told, and what the record says then."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise

import pytest

from dataware.core.errors import InputError, LookupFailedError, RefusedError
from dataware.core.model import Marker, MarkerState
from dataware.core.run_control import NO_CONTROL, RunControl
from dataware.kinds import s3_bucket as bucket_kind
from dataware.ops.context import Context
from dataware.ops.control_reporter import ControlReporter
from dataware.ops.engine_leftovers import describe_pause_of_work
from dataware.ops.run_control import pause, resume, throttle
from dataware.ops.status import runs_on_record, status
from dataware.report.runs import show_runs
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder
from dataware.state.lease import ParameterLease
from dataware.state.markers import ALIVE_SECONDS
from dataware.state.run_controls import ParameterControls
from support.copying import Events
from support.parameters import FakeParameters
from support.world import World

KIND, TARGET = "dynamodb-table", "new"


class Desk:
    """A person beside a run of another machine."""

    def __init__(self) -> None:
        self.store, self.world = FakeParameters(), World()
        self.store.clock.time = 1_764_450_000.0
        reader = Holder("laptop", "a boot of laptop", 7, "1")
        read = ParameterMarkers(self.store, self.store.clock, reader)
        self.context: Context = replace(self.world.context(), markers=read)
        self.controls = ParameterControls(self.store, self.store.clock)

    def run(self, **detail: object) -> ParameterLease:
        """A run that begins, and has got so far."""
        holder = Holder("far", "a boot of far", 9, "1")
        far = ParameterMarkers(self.store, self.store.clock, holder)
        lease = far.begin(KIND, TARGET, Marker(MarkerState.RUNNING, "old", "run-1"))
        lease.send_heartbeat(detail)
        return lease

    def control(self) -> RunControl:
        """What is asked now."""
        return runs_on_record(self.context)[0].control

    @property
    def last(self) -> str:
        """The last line."""
        return self.world.events[-1].text()


@pytest.fixture
def desk() -> Desk:
    """Nothing on record yet."""
    return Desk()


def test_a_pause_says_when_it_begins_and_how_it_ends(desk: Desk) -> None:
    """The run is alive, so it hears of it; a second pause changes nothing."""
    lease = desk.run()
    pause(desk.context, desk.controls, TARGET, "laptop")
    assert desk.last == (
        "Paused the migration into new: the run stops within 10 s; `dataware resume new` continues "
        "it"
    )
    began = desk.control().paused_at
    desk.store.clock.time += 30
    lease.send_heartbeat({})
    pause(desk.context, desk.controls, "dynamodb://new", "laptop")
    assert desk.control().paused_at == began
    assert desk.last == (
        "Nothing to do: the migration into new is paused already: the run stops within 10 s; "
        "`dataware resume new` continues it"
    )


def test_where_no_run_is_alive_the_next_one_waits(desk: Desk) -> None:
    """And after `resume` its command has to be run again."""
    desk.run()
    desk.store.clock.time += ALIVE_SECONDS
    pause(desk.context, desk.controls, TARGET, "laptop")
    assert "no run is alive, and the next one waits" in desk.last
    resume(desk.context, desk.controls, TARGET, "laptop")
    assert "no run is alive, so run its command again" in desk.last
    assert desk.control() == NO_CONTROL
    resume(desk.context, desk.controls, TARGET, "laptop")
    assert desk.last == "Nothing to do: the migration into new is not paused"


def test_a_rate_and_a_pause_leave_each_other_alone(desk: Desk) -> None:
    """Each command changes its own half."""
    desk.run()
    throttle(desk.context, desk.controls, TARGET, 1200.0, "laptop")
    assert desk.last.startswith("Held the migration into new at 1,200 items a second: the run")
    pause(desk.context, desk.controls, TARGET, "laptop")
    assert (desk.control().is_paused, desk.control().max_rate) == (True, 1200.0)
    throttle(desk.context, desk.controls, TARGET, None, "laptop")
    assert (desk.control().is_paused, desk.control().max_rate) == (True, None)
    throttle(desk.context, desk.controls, TARGET, 5.0, "laptop")
    resume(desk.context, desk.controls, TARGET, "laptop")
    assert (desk.control().is_paused, desk.control().max_rate) == (False, 5.0)


def test_writers_that_a_cut_over_stopped_are_not_kept_waiting(desk: Desk) -> None:
    """A pause is refused while they may be stopped."""
    desk.run(cutover={"state": "frozen", "freeze_limit": 300.0, "freeze_began": 1.0})
    with pytest.raises(RefusedError, match="may have stopped the writers of old"):
        pause(desk.context, desk.controls, TARGET, "laptop")
    assert desk.control() == NO_CONTROL


def test_what_is_complete_or_unknown_cannot_be_asked_for_anything(desk: Desk) -> None:
    """The sentence says which of them it is."""
    with pytest.raises(InputError, match="no migration into new is recorded"):
        pause(desk.context, desk.controls, TARGET, "laptop")
    desk.run().complete({"verified": 7})
    with pytest.raises(RefusedError, match="is complete"):
        pause(desk.context, desk.controls, TARGET, "laptop")
    with pytest.raises(RefusedError, match="is complete"):
        throttle(desk.context, desk.controls, TARGET, 5.0, "laptop")


def test_of_what_is_complete_nothing_waits_and_no_rate_holds(desk: Desk) -> None:
    """So what ends a pause or a rate has nothing to do, however often it is typed."""
    desk.run().complete({"verified": 7})
    resume(desk.context, desk.controls, TARGET, "laptop")
    throttle(desk.context, desk.controls, TARGET, None, "laptop")
    told = "Nothing to do: the migration into new is complete, so nothing of it waits"
    assert [one.text() for one in desk.world.events] == [told, told]


def test_status_says_since_when_and_how_it_goes_on(desk: Desk) -> None:
    """In a line and in a table, in place of a rate that is none any more."""
    desk.run(phase="copying", done=5, total=10, unit="item", rate=100.0, seconds_left=3)
    pause(desk.context, desk.controls, TARGET, "laptop")
    status(desk.context)
    words = "paused since 2025-11-29 21:00 UTC from laptop, `dataware resume new` continues it"
    assert words in desk.last
    assert "100/s" not in desk.last
    shown = io.StringIO()
    show_runs(runs_on_record(desk.context), shown, color=False)
    assert words in " ".join(shown.getvalue().split())
    assert "100/s" not in shown.getvalue()
    assert desk.world.events[-1].data["control"] == desk.control().to_json()


def test_a_run_tells_each_change_once() -> None:
    """The lines of a run, as its own terminal shows them."""
    events = Events()
    reporter = ControlReporter(
        events, {"kind": KIND, "source": "old", "name": "a b", "unit": "item"}
    )
    states = [
        NO_CONTROL,
        RunControl(1_764_450_000.0, None, "laptop"),
        RunControl(1_764_450_000.0, 1500.0, "laptop"),
        RunControl(None, 1500.0, "desk"),
        NO_CONTROL,
    ]
    for before, now in pairwise(states):
        reporter(before, now)
    assert [one.text() for one in events] == [
        "Paused since 2025-11-29 21:00 UTC from laptop: a b gets nothing more until `dataware "
        "resume 'a b'`",
        "Held at 1,500/s by `dataware throttle`: old → a b",
        "Ended the pause: old → a b",
        "Continuing at the rate of the command: old → a b",
    ]


@pytest.mark.parametrize(
    ("engine", "work", "alive", "said"),
    [
        (
            "restore",
            {"state": "CREATING"},
            True,
            "its restore goes on, because DynamoDB cannot pause",
        ),
        ("bulk", {"state": "IN_PROGRESS"}, True, "its export or bulk put goes on"),
        ("export-import", {"state": "asked for"}, False, "its export or import goes on"),
        ("map", {"state": "RUNNING"}, False, "its workers wait within 15 seconds"),
        ("restore", None, True, "the run stops within 10 s"),
    ],
)
def test_a_pause_says_what_a_service_goes_on_with(
    desk: Desk, engine: str, work: object, alive: bool, said: str
) -> None:
    """It does not answer as if nothing were written any more."""
    desk.run(engine={"name": engine}, work=work)
    if not alive:
        desk.store.clock.time += ALIVE_SECONDS
    pause(desk.context, desk.controls, TARGET, "laptop")
    assert said in desk.last
    assert "`dataware resume new` continues it" in desk.last


def test_a_pause_of_an_engine_that_this_version_does_not_have_is_refused(desk: Desk) -> None:
    """A newer version has begun it, which alone knows what to stop."""
    desk.run(engine={"name": "no such"}, work={"state": "RUNNING"})
    with pytest.raises(LookupFailedError, match=r"engine is 'no such'.* upgrade dataware"):
        pause(desk.context, desk.controls, TARGET, "laptop")


@pytest.mark.parametrize("alive", [True, False])
def test_a_pause_of_a_job_needs_a_run_that_ends_it(desk: Desk, alive: bool) -> None:
    """Without one the job copies on, and that is said."""
    bucket = bucket_kind.KIND.names.slug
    detail = {"engine": {"name": "batch"}, "work": {"state": "Active"}}
    record = Marker(MarkerState.RUNNING, "old", "run-1", alive=alive, detail=detail)
    said = describe_pause_of_work(bucket, record)
    assert ("its job is ended" if alive else "no run is alive to end its job") in said
