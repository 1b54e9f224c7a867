"""A cut-over that waits for an approval: who waits, who says yes, and which yes counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import RefusedError
from dataware.core.follow.approval import TOPIC, Approval
from dataware.core.follow.cutover_request import TOPIC as REQUEST
from dataware.core.follow.cutover_request import CutoverRequest
from dataware.core.model import Marker, MarkerState
from dataware.ops.context import Context
from dataware.ops.follow.approval_gate import ApprovalGate, make_approval
from dataware.ops.follow.approve import approve
from dataware.ops.status import runs_on_record, status
from dataware.state import ParameterMarkers
from dataware.state.cutover_records import list_token_digests
from dataware.state.holder import Holder
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import APPROVAL, ASKED, OUTCOME
from dataware.state.markers import ALIVE_SECONDS
from support.cli import run
from support.copying import Events
from support.parameters import FakeParameters
from support.world import World

KIND, TARGET = "dynamodb-table", "new"
WORDS = {"kind": KIND, "source": "old", "name": TARGET}


class Gate:
    """What people say about when to cut over."""

    requested = opened = True

    def is_requested(self) -> bool:
        """As the test says."""
        return self.requested

    def is_open(self, _now: float) -> bool:
        """As the test says."""
        return self.opened


class Desk:
    """A person beside a follow of another machine, whose cut-over waits for an approval."""

    def __init__(self) -> None:
        self.store, self.world = FakeParameters(), World()
        self.store.clock.time = 1_764_450_000.0
        self.markers = ParameterMarkers(
            self.store, self.store.clock, Holder("laptop", "a boot of laptop", 7, "1")
        )
        self.context: Context = replace(self.world.context(), markers=self.markers)
        holder = Holder("far", "a boot of far", 9, "1")
        far = ParameterMarkers(self.store, self.store.clock, holder)
        running = Marker(MarkerState.RUNNING, "old", "run-1")
        self.lease: ParameterLease = far.begin(KIND, TARGET, running)
        self.approval = make_approval("run-1")

    def approve(self, token: str) -> None:
        """Type the token."""
        approve(self.context, self.markers, TARGET, token, "laptop")

    def gate(self, gate: Gate) -> ApprovalGate:
        """The gate of the run, which hears by its heartbeats."""
        return ApprovalGate(
            gate, self.approval, lambda: self.lease.requests, self.world.events, WORDS
        )


@pytest.fixture
def desk() -> Desk:
    """A follow that is alive."""
    return Desk()


def test_the_gate_opens_with_the_token_and_stays_open(desk: Desk) -> None:
    """What else postpones it still does; who asks still has to."""
    token_digest = {APPROVAL: {"token_digest": desk.approval.token_digest}}
    desk.lease.send_heartbeat({"followed": True, "dirty": 0, **token_digest})
    inner = Gate()
    gate = desk.gate(inner)
    gate.report()
    assert desk.world.events[-1].text() == (
        f"Waiting for an approval: `dataware cutover new --approve {desk.approval.token}`"
    )
    assert gate.is_requested()
    assert not gate.is_open(0.0)
    status(desk.context, TARGET)
    assert "a cut-over waits for an approval" in desk.world.events[-1].text()
    assert desk.approval.token not in str(runs_on_record(desk.context)[0].detail)
    desk.approve(desk.approval.token)
    assert desk.world.events[-1].text().startswith("Approved the cut-over to new")
    assert not gate.is_open(0.0), "the run hears of it with its next heartbeat"
    desk.lease.send_heartbeat({"followed": True})
    assert gate.is_open(0.0)
    assert desk.world.events[-1].text() == "Approved on laptop"
    inner.opened = inner.requested = False
    assert not gate.is_open(0.0)
    assert not gate.is_requested()
    inner.opened = True
    desk.markers.ask(KIND, TARGET, TOPIC, None)
    desk.lease.send_heartbeat({})
    assert gate.is_open(0.0), "an approval that was given is not taken back by a later request"


@pytest.mark.parametrize("token", ["", "guess", "0" * 16])
def test_a_token_of_something_else_is_refused_and_changes_nothing(desk: Desk, token: str) -> None:
    """It may be that of the cut-over before, which was given up."""
    desk.lease.send_heartbeat({APPROVAL: {"token_digest": desk.approval.token_digest}})
    with pytest.raises(RefusedError, match="not that of the cut-over to new that waits now"):
        desk.approve(token)
    desk.lease.send_heartbeat({})
    assert not desk.gate(Gate()).is_open(0.0)


def test_a_token_of_another_run_of_the_same_table_is_refused(desk: Desk) -> None:
    """It is bound to the run that showed it."""
    other = Approval("run-0", desk.approval.token)
    desk.lease.send_heartbeat({APPROVAL: {"token_digest": other.token_digest}})
    with pytest.raises(RefusedError, match="not that of the cut-over"):
        desk.approve(desk.approval.token)


def test_nothing_waits_where_no_run_is_alive_or_none_asked(desk: Desk) -> None:
    """A yes that nobody hears would count for the next one."""
    desk.lease.send_heartbeat({"followed": True})
    with pytest.raises(RefusedError, match="no cut-over to new waits for an approval"):
        desk.approve(desk.approval.token)
    desk.lease.send_heartbeat({APPROVAL: {"token_digest": desk.approval.token_digest}})
    desk.store.clock.time += ALIVE_SECONDS
    with pytest.raises(RefusedError, match="no cut-over to new waits for an approval"):
        desk.approve(desk.approval.token)


def test_a_cut_over_that_is_asked_elsewhere_waits_by_its_request(desk: Desk) -> None:
    """Until it is withdrawn, or has ended."""
    request = CutoverRequest("id", "host", 300.0, token_digest=desk.approval.token_digest)

    def token_digests(request: CutoverRequest, **detail: Any) -> list[str]:
        return list_token_digests({ASKED: {REQUEST: request.to_json()}, **detail})

    assert token_digests(request) == [desk.approval.token_digest]
    assert token_digests(replace(request, withdrawn=True)) == []
    assert token_digests(request, **{OUTCOME: {"id": "id", "given_up": "why"}}) == []
    assert token_digests(replace(request, token_digest="")) == []
    assert list_token_digests({}) == []
    desk.markers.ask(KIND, TARGET, REQUEST, request.to_json())
    desk.approve(desk.approval.token)
    asked: Mapping[str, Any] = desk.markers.get(KIND, TARGET).detail[ASKED]
    assert desk.approval.is_given(asked)


def test_no_two_cut_overs_have_the_same_token() -> None:
    """Also those of the same run; nobody guesses 64 bits, and a person can type them."""
    assert make_approval("run-1").token != make_approval("run-1").token
    assert re.fullmatch("[0-9a-f]{16}", make_approval("run-1").token)


def test_nobody_makes_a_gate_that_is_open_already(desk: Desk) -> None:
    """Only the token opens it."""
    with pytest.raises(TypeError):
        ApprovalGate(Gate(), desk.approval, dict, Events(), WORDS, True)  # type: ignore[call-arg] # not taken


@pytest.mark.parametrize("option", ["--frozen", "--await-approval", "--freeze=true"])
def test_who_approves_does_not_say_how_it_is_done(option: str) -> None:
    """That says who waits; nothing is asked of AWS."""
    ran = run("cutover", "Orders", "--approve", "3f2c9b1d7a604e58", option)
    assert ran.code == 1
    assert "--approve only approves a cut-over that waits elsewhere" in ran.err
