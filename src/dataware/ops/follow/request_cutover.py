"""A cut-over that is typed on one machine while the follow goes on on another.

It asks the follow through the record, runs the commands that stop the writers and let them go on,
and tells how far it is. If the follow dies, its lock runs out, and this machine can take over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    LookupFailedError,
    RefusedError,
    SidesDifferError,
)
from dataware.core.events import event, format_count
from dataware.core.follow.cutover import STATES, CutoverRecord, CutoverState
from dataware.core.follow.cutover_request import TOPIC, CutoverRequest
from dataware.core.model import Marker, MarkerState
from dataware.core.run_control import NO_CONTROL
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import Context
from dataware.ops.control_reporter import ControlReporter
from dataware.ops.follow.approval_gate import ApprovalGate, make_approval
from dataware.ops.follow.cut_over import FollowedMigration
from dataware.ops.follow.cutover_run import CutoverSettings, switched_event
from dataware.state import ParameterMarkers
from dataware.state.cutover_records import read_cutover
from dataware.state.holder import this_process
from dataware.state.marker_value import ASKED, HOOK, OUTCOME, control_in

LOOK_SECONDS = 1.0
BEAT_SECONDS = 5.0
TELL_SECONDS = 5.0

PHASES = {
    CutoverState.COPYING: "copying",
    CutoverState.FOLLOWING: "following",
    CutoverState.GATED: "comparing both sides",
    CutoverState.FROZEN: "carrying what is left",
    CutoverState.DRAINED: "verifying",
    CutoverState.VERIFIED: "switching",
}


class AskableMarkers(Protocol):
    """The records, through which the run of one can be asked for something."""

    def get(self, kind: str, target: str) -> Marker:
        """The record of a migration."""
        ...

    def ask(self, kind: str, target: str, topic: str, request: Mapping[str, Any] | None) -> None:
        """Put a request into the record of a run that is alive."""
        ...


def ask_follow(context: Context, followed: FollowedMigration, settings: CutoverSettings) -> bool:
    """Have a follow elsewhere cut over; False where it is not alive any more.

    Raises what `CutoverRequester.request` raises.
    """
    words = {
        "kind": followed.kind.names.slug,
        "source": followed.source,
        "name": followed.target,
    }
    markers = ParameterMarkers(context.aws, context.clock)
    done = CutoverRequester(context, markers, words, settings).request()
    if not done:
        text = "The follow there is gone: continuing here, which compares both sides in full first"
        context.emit(event("warning", text=text, **words))
    return done


class CutoverRequester:
    """Asks a follow to cut over, and stays until that has ended."""

    def __init__(
        self,
        context: Context,
        markers: AskableMarkers,
        words: Mapping[str, object],
        settings: CutoverSettings,
        seconds: Callable[[], float] = since_boot,
    ) -> None:
        self._context = context
        self._markers = markers
        self._words = dict(words)
        self._settings = settings
        self._seconds = seconds
        self._request = CutoverRequest(
            uuid4().hex[:12],
            str(this_process()),
            settings.freeze_limit,
            settings.by_hand,
            enable_undo=settings.enable_undo,
            watch=settings.watch_seconds,
        )
        self._gate = settings.gate
        self._report_gate: Callable[[], None] | None = None
        self._requests: Mapping[str, Any] = {}
        self._sent: CutoverRequest | None = None
        self._beaten = self._reported_at = float("-inf")
        self._report_control = ControlReporter(context.emit, words)
        self._control = NO_CONTROL
        self._token = ""

    def request(self) -> bool:
        """Ask, and wait for the end: True once both sides are switched.

        False where the follow is not alive any more, so that this machine may take over. Raises
        IncompleteError where the cut-over was given up, and SidesDifferError where somebody wrote
        to the source after the switch.
        """
        holder = ""
        while True:
            marker = self._read()
            if marker is not None:
                if marker.state is MarkerState.COMPLETE:
                    return self._report_switch(marker)
                if not marker.alive:
                    return False
                if not holder:
                    holder = str(marker.detail.get("holder", "another machine"))
                    text = f"Asked the follow on {holder} to cut over; its commands run here"
                    self._context.emit(event("note", text=text, **self._words))
                    self._await_approval(marker)
                self._judge(marker)
            self._context.aws.pause(LOOK_SECONDS)

    def _await_approval(self, marker: Marker) -> None:
        """Keep the gate shut until another person types a token of the follow's run."""
        if not self._settings.await_approval:
            return
        approval = make_approval(marker.run)
        self._request = replace(self._request, token_digest=approval.token_digest)
        gate = ApprovalGate(
            self._settings.gate, approval, lambda: self._requests, self._context.emit, self._words
        )
        self._gate, self._report_gate = gate, gate.report

    def _read(self) -> Marker | None:
        try:
            return self._markers.get(*self._place)
        except LookupFailedError:
            return None

    @property
    def _place(self) -> tuple[str, str]:
        return str(self._words["kind"]), str(self._words["name"])

    def _judge(self, marker: Marker) -> None:
        """What the record wants of this machine. Raises IncompleteError where it is over."""
        self._requests = marker.detail.get(ASKED, {})
        outcome, hook = marker.detail.get(OUTCOME, {}), marker.detail.get(HOOK, {})
        if outcome.get("id") == self._request.id:
            raise IncompleteError(str(outcome.get("given_up")))
        record = read_cutover(marker.detail)
        if self._context.stop() and not self._request.withdrawn:
            self._request = replace(self._request, withdrawn=True)
        elif self._request.withdrawn and not record.may_be_frozen and self._is_known(marker):
            raise IncompleteError("withdrew the cut-over; the follow goes on")
        if hook.get("id") == self._request.id and hook.get("token") != self._token:
            self._run_hook(str(hook["run"]), str(hook["token"]))
        self._send()
        control = control_in(marker.detail)
        self._report_control(self._control, control)
        self._control = control
        self._report_state(record)

    def _is_known(self, marker: Marker) -> bool:
        now = CutoverRequest.from_json(marker.detail.get(ASKED, {}).get(TOPIC))
        return now is not None and now.withdrawn

    def _run_hook(self, hook: str, token: str) -> None:
        """Run a command as it was typed; what it came to travels with the next request."""
        failure, hooks = "", self._settings.hooks
        if hook == "freeze":
            self._context.emit(event("freezing", **self._words))
        try:
            (hooks.freeze if hook == "freeze" else hooks.thaw)()
        except DatawareError as error:
            failure = str(error)
        self._token = token
        self._request = replace(self._request, answered=token, failure=failure[:200])
        if hook == "thaw" and not failure:
            text = f"Restarted the writers of {self._words['source']}"
            self._context.emit(event("warning", text=text, **self._words))

    def _send(self) -> None:
        """Write what is asked where that is new, or as a heartbeat."""
        is_open = self._gate.is_open(self._context.clock.now())
        self._request = replace(self._request, is_open=is_open)
        now = self._seconds()
        if self._request == self._sent and now - self._beaten < BEAT_SECONDS:
            return
        request = replace(self._request, beat=self._request.beat + 1)
        try:
            self._markers.ask(*self._place, TOPIC, request.to_json())
        except (LookupFailedError, RefusedError):
            return
        self._request = self._sent = request
        self._beaten = now
        if self._report_gate is not None:
            # Whoever types the token at once is heard, because its digest is on record by now.
            self._report_gate()
            self._report_gate = None

    def _await_watch(self, record: CutoverRecord) -> CutoverRecord:
        """Wait while the follow watches the source, as it was asked to; what the record says then.

        It waits also until the source was read to its end once, but not for ever: the follow may
        have died.
        """
        if not self._settings.watch_seconds:
            return record
        watched = self._seconds() + self._settings.watch_seconds
        end = max(watched, self._seconds() + self._settings.freeze_limit)
        while not self._context.stop() and self._seconds() < end:
            if record.state is not CutoverState.SWITCHED and self._seconds() >= watched:
                break
            self._context.aws.pause(LOOK_SECONDS)
            if (now := self._read()) is not None:
                record = read_cutover(now.detail)
        return record

    def _report_state(self, record: CutoverRecord) -> None:
        now = self._seconds()
        if now - self._reported_at < TELL_SECONDS:
            return
        self._reported_at = now
        phase = PHASES.get(record.state, record.state.value)
        self._context.emit(event("phase", **{**self._words, "phase": phase}))

    def _report_switch(self, marker: Marker) -> bool:
        """Tell that both sides are switched, and wait until the source was watched."""
        context, words = self._context, self._words
        record = read_cutover(marker.detail)
        if not STATES[record.state].target_open:
            raise RefusedError(f"the migration into {words['name']} was completed without a switch")
        context.emit(switched_event(record.frozen_seconds, words))
        record = self._await_watch(record)
        if record.strays:
            raise SidesDifferError(
                f"{format_count(record.strays, 'key')} of {words['source']} changed after the "
                f"switch, and {words['name']} does not have those changes; the follow names them"
            )
        return True
