"""The record of a cut-over: what counts is believed, and "complete" is never undone or doubled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError

from dataware.core.errors import IncompleteError, LookupFailedError, RefusedError
from dataware.core.follow.cutover import STATES, CutoverRecord, CutoverState
from dataware.core.model import Marker, MarkerState
from dataware.core.ports import Lease
from dataware.state import ParameterMarkers
from dataware.state.cutover_records import (
    CompleteCutoverRecords,
    LeaseCutoverRecords,
    read_cutover,
)
from dataware.state.follow_records import CutoverRecordFactory
from dataware.state.holder import Holder
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import (
    CUTOVER,
    LIMIT,
    SWITCHED_WORDS,
    MarkerValue,
    decode,
    encode,
    was_switched,
)
from dataware.state.markers import ALIVE_SECONDS
from support.parameters import FakeParameters

KIND, TARGET = "dynamodb-table", "orders-prod"
FROZEN = CutoverRecord(CutoverState.FROZEN, 300.0, 1_800_000_000.0)
SWITCHED = CutoverRecord(CutoverState.SWITCHED, 300.0, None, "", 1_800_086_400.0)
BACK = CutoverRecord(CutoverState.FROZEN, 300.0, 1_800_000_000.0, "a reason")


class SilentParameters(FakeParameters):
    """Parameters of which some writes have no answer: they arrive ("lost"), or wait in `late`."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[str] = []
        self.late: list[Callable[[], object]] = []

    def put_parameter(self, **given: Any) -> Any:
        """Write as the next outcome says."""
        outcome = self.outcomes.pop(0) if self.outcomes else ""
        if not outcome:
            return super().put_parameter(**given)
        if outcome == "lost":
            super().put_parameter(**given)
        else:
            self.late.append(lambda: FakeParameters.put_parameter(self, **given))
        raise ReadTimeoutError(endpoint_url="https://ssm")


@pytest.fixture
def store() -> SilentParameters:
    """An empty Parameter Store."""
    return SilentParameters()


def markers(store: FakeParameters, host: str = "host-1") -> ParameterMarkers:
    """Markers as one machine sees them."""
    return ParameterMarkers(store, store.clock, Holder(host, f"a boot of {host}", 7, "1"))


def begin(
    store: FakeParameters, host: str = "host-1"
) -> tuple[ParameterLease, LeaseCutoverRecords]:
    """Take the lock, and keep the record of a cut-over under it."""
    begun = Marker(MarkerState.RUNNING, "orders", "run-1", "id", batches=True)
    lease = markers(store, host).begin(KIND, TARGET, begun)
    detail: dict[str, Any] = {}
    records = LeaseCutoverRecords(
        lease,
        detail.update,
        lambda: lease.send_heartbeat(detail),
        lambda more: markers(store, host).amend(KIND, TARGET, "run-1", {**detail, **more}),
    )
    return lease, records


def test_what_is_written_is_read(store: SilentParameters) -> None:
    """By the run itself, and by everybody else."""
    _, records = begin(store)
    assert records.read() == CutoverRecord()
    records.write(FROZEN)
    assert records.read() == FROZEN
    assert read_cutover(markers(store).get(KIND, TARGET).detail) == FROZEN


def test_whoever_takes_over_keeps_the_record_as_it_is_by_then(store: SilentParameters) -> None:
    """Also where it has changed since the new run has looked at it."""
    _, records = begin(store)
    records.write(FROZEN)
    store.clock.time += ALIVE_SECONDS
    _, other = begin(store, "host-2")
    assert other.read() == FROZEN
    with pytest.raises(RefusedError):
        records.read()


def test_a_write_without_an_answer_is_read_back(store: SilentParameters) -> None:
    """It may count or not, and heartbeats do not say it again meanwhile."""
    _, records = begin(store)
    store.outcomes = ["late"]
    with pytest.raises(LookupFailedError):
        records.write(FROZEN)
    assert records.read() == CutoverRecord()
    store.outcomes = ["lost"]
    with pytest.raises(LookupFailedError):
        records.write(FROZEN)
    assert records.read() == FROZEN


def test_a_completion_without_an_answer_is_found_and_the_lock_is_let_go(
    store: SilentParameters,
) -> None:
    """The record says complete, and nothing that the run still sends undoes it."""
    lease, records = begin(store)
    records.write(FROZEN)
    store.outcomes = ["lost"]
    with pytest.raises(LookupFailedError):
        records.complete(SWITCHED)
    assert records.read() == SWITCHED
    lease.send_heartbeat({})
    lease.release({})
    assert markers(store).get(KIND, TARGET).state is MarkerState.COMPLETE


def complete_late(
    store: SilentParameters,
) -> tuple[LeaseCutoverRecords, Callable[[], object]]:
    """Complete without an answer; what is called second lets the write arrive after all."""
    _, records = begin(store)
    records.write(FROZEN)
    store.outcomes = ["late"]
    with pytest.raises(LookupFailedError):
        records.complete(SWITCHED)
    return records, store.late.pop()


def test_a_completion_that_is_late_never_counts_once_another_record_does(
    store: SilentParameters,
) -> None:
    """So what is thawed after the reason for it is on record stays open alone."""
    records, arrive = complete_late(store)
    records.write(BACK)
    arrive()
    assert records.read() == BACK
    assert markers(store).get(KIND, TARGET).state is MarkerState.RUNNING


def test_a_completion_that_arrives_before_another_record_is_believed(
    store: SilentParameters,
) -> None:
    """The other record does not count then, and the run is told to read."""
    records, arrive = complete_late(store)
    arrive()
    with pytest.raises(LookupFailedError, match="says complete"):
        records.write(BACK)
    assert records.read() == SWITCHED


def test_a_release_after_the_end_undoes_nothing(store: SilentParameters) -> None:
    """A process that ends lets go of its lock, which it may have lost to its own completion."""
    lease, _ = begin(store)
    lease.complete({})
    lease.release({})
    assert markers(store).get(KIND, TARGET).state is MarkerState.COMPLETE


def test_after_the_switch_the_record_goes_on_without_a_lock(store: SilentParameters) -> None:
    """Until another migration into the target begins."""
    _, records = begin(store)
    records.complete(SWITCHED)
    watch = CompleteCutoverRecords(markers(store, "host-2"), KIND, TARGET)
    after = CutoverRecord(CutoverState.REVERSIBLE, 300.0, None, "", SWITCHED.reversible_until)
    watch.write(after)
    assert watch.read() == records.read() == after
    begin(store, "host-3")
    with pytest.raises(RefusedError):
        watch.write(after)


def test_the_next_run_waits_for_what_was_sent_also_after_a_release(
    store: SilentParameters,
) -> None:
    """A write without an answer may arrive though the run that sent it has ended well."""
    lease, _ = begin(store)
    lease.delay_next_run(60.0)
    lease.release({})
    store.clock.time += 20
    heir, _ = begin(store, "host-2")
    assert heir.unsettled_seconds == pytest.approx(40, abs=1)


def test_the_record_of_a_cut_over_is_never_given_up_for_want_of_room() -> None:
    """All other progress goes first."""
    detail = {CUTOVER: FROZEN.to_json(), "phase": "x" * LIMIT, "reason": "y" * LIMIT}
    value = MarkerValue(
        MarkerState.RUNNING, TARGET, "s", "r", None, False, "2026", "h", detail=detail
    )
    text = encode(value)
    assert len(text) <= LIMIT
    assert read_cutover(decode(text).detail) == FROZEN


def test_a_record_of_another_version_stops(store: SilentParameters) -> None:
    """A state that is not known is not taken for one that is."""
    with pytest.raises(LookupFailedError, match="use the version that wrote it"):
        read_cutover({CUTOVER: {"state": "thawing", "freeze_limit": 1.0}})


def test_the_words_of_a_switched_record_are_those_of_states_with_an_open_target() -> None:
    """`migrate` reads them without the states, which are not part of what runs in Lambda."""
    assert {state.value for state, rule in STATES.items() if rule.target_open} == SWITCHED_WORDS
    assert was_switched({CUTOVER: CutoverRecord(CutoverState.REVERSIBLE).to_json()})
    assert not was_switched({CUTOVER: CutoverRecord(CutoverState.FROZEN).to_json()})
    assert not was_switched({})


def test_a_lock_without_a_record_of_its_own_keeps_no_cut_over(store: SilentParameters) -> None:
    """Such as that of an execution."""
    maker = CutoverRecordFactory(markers(store))
    with pytest.raises(IncompleteError, match="cannot keep the record of a cut-over"):
        maker((KIND, TARGET, "run-1"), cast("Lease", object()), lambda _: None, lambda: None)


def test_the_records_of_a_lock_go_on_after_its_switch(store: SilentParameters) -> None:
    """What else stands on record stays."""
    lease, _ = begin(store)
    detail: dict[str, Any] = {"phase": "x"}
    records = CutoverRecordFactory(markers(store))(
        (KIND, TARGET, "run-1"), lease, detail.update, lambda: lease.send_heartbeat(detail)
    )
    records.write(FROZEN)
    records.complete(SWITCHED)
    strays = replace(SWITCHED, strays=2)
    records.write(strays)
    assert records.read() == strays
    marker = markers(store).get(KIND, TARGET)
    assert (marker.state, marker.run) == (MarkerState.COMPLETE, "run-1")


def test_what_was_not_cut_over_has_no_record_after_the_switch(store: SilentParameters) -> None:
    """And what is complete is not completed again."""
    lease, _ = begin(store)
    after = CompleteCutoverRecords(markers(store), KIND, TARGET)
    with pytest.raises(RefusedError, match="has not been cut over"):
        after.read()
    lease.complete({})
    with pytest.raises(RefusedError, match="has not been cut over"):
        after.read()
    with pytest.raises(RefusedError, match="is complete already"):
        after.complete(SWITCHED)


@pytest.mark.parametrize("write", ["write", "complete"])
def test_a_lock_that_another_run_has_is_lost_whatever_was_to_be_written(
    store: SilentParameters, write: str
) -> None:
    """The other run's record counts."""
    _, records = begin(store)
    store.clock.time += ALIVE_SECONDS
    _, other = begin(store, "host-2")
    other.write(FROZEN)
    with pytest.raises(RefusedError, match="lost the lock"):
        getattr(records, write)(SWITCHED)
    assert other.read() == FROZEN
