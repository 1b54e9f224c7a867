"""A follow that cuts over because somebody asks for it on another machine, through the record.

The commands that stop the writers and let them go on run where they were typed, so the follow asks
for each by a token and waits for its answer. Everything else is that of any cut-over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from dataware.core.copier import CopyOrder
from dataware.core.errors import LookupFailedError, ServiceError
from dataware.core.events import event
from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.cutover_request import TOPIC, CutoverRequest
from dataware.core.follow.loop import FollowStep
from dataware.core.model import MarkerState
from dataware.core.ports import Journal
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import Context
from dataware.ops.follow.cutover_run import CutoverRun, CutoverSettings
from dataware.ops.follow.follow_run import FollowRun
from dataware.ops.follow.freeze_warning import GivenUpError
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.migration_policy import Migration
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import ACCEPTS, HOOK, OUTCOME
from dataware.verify.verdict import Verdict

LOOK_SECONDS = 5.0
"""How often a follow looks whether somebody asks to cut over."""

ANSWER_SECONDS = 1.0
"""How often it looks for an answer while it cuts over."""

SILENT_SECONDS = 45.0
"""Before the freeze, a request whose process gave no heartbeat for so long is over."""


class CutoverRequestedError(Exception):
    """Somebody asks to cut over; ends a follow so that the cut-over can begin in its place."""


class RequestOverError(Exception):
    """Who asked to cut over does not any more; ends a cut-over, so that the follow goes on."""


class RemoteCutover:
    """The FreezeHooks and the CutoverGate ports by the request in the record."""

    def __init__(self, keeper: LeaseKeeper, seconds: Callable[[], float] = since_boot) -> None:
        self._keeper = keeper
        self._seconds = seconds
        self._looked = float("-inf")
        self._latest_beat = (-1, seconds())
        self._ended: set[str] = set()
        self.request: CutoverRequest | None = None
        self.served = ""
        self.is_under_way = False

    def look(self, every: float) -> CutoverRequest | None:
        """The request that is not over; the record is read where that was `every` seconds ago.

        Raises RefusedError when another run has the lock.
        """
        lease = self._keeper.lease
        if not isinstance(lease, ParameterLease):
            return None
        if self._seconds() - self._looked >= every:
            self._looked = self._seconds()
            try:
                state, _ = lease.read_back()
            except LookupFailedError:
                return self.request
            if state is not MarkerState.RUNNING:
                return self.request
        request = CutoverRequest.from_json(lease.requests.get(TOPIC))
        if request is None or request.id in self._ended:
            self.request = None
        else:
            if self.request is None or request.beat != self._latest_beat[0]:
                self._latest_beat = request.beat, self._seconds()
            self.request = request
        return self.request

    def end(self, why: str) -> None:
        """Say how the cut-over of the request ended, from the next heartbeat on."""
        if self.request is not None:
            self._ended.add(self.request.id)
            self._keeper.publish({OUTCOME: {"id": self.request.id, "given_up": why}})
        self.request, self.is_under_way = None, False

    def is_requested(self) -> bool:
        """Whether somebody asks; who dies under the freeze does not take it back."""
        request = self.look(ANSWER_SECONDS)
        if request is None or request.withdrawn or self.is_over():
            return False
        return self.is_under_way or self._seconds() - self._latest_beat[1] < SILENT_SECONDS

    def is_over(self) -> bool:
        """Whether the request that is served was taken back, or is another one by now.

        Another one has a limit, a watch and commands of its own, so that it needs a cut-over of
        its own. Once writers may be stopped the one that is under way comes to its end.
        """
        request = self.request
        if self.is_under_way:
            return False
        return request is None or request.withdrawn or self.served not in ("", request.id)

    def is_open(self, _now: float) -> bool:
        """Whether nothing postpones it where it was typed."""
        return self.request is not None and self.request.is_open

    def freeze(self) -> None:
        """Have the writers stopped."""
        self.is_under_way = True
        self._have_run("freeze")

    def thaw(self) -> None:
        """Have the writers let go on."""
        self._have_run("thaw")

    def _have_run(self, hook: str) -> None:
        """Wait until the command was run where it was typed. Raises ServiceError."""
        request = self.request
        if request is None:
            raise ServiceError(
                f"the command that asked for the cut-over has ended, so --{hook} cannot run"
            )
        if request.by_hand:
            return
        token = uuid4().hex[:8]
        self._keeper.publish({HOOK: {"id": request.id, "run": hook, "token": token}})
        self._keeper.send_heartbeat()
        end = self._seconds() + request.freeze_limit
        while self._seconds() < end:
            self._keeper.check()
            now = self.look(ANSWER_SECONDS)
            if now is None or now.id != request.id:
                break
            if now.answered == token:
                if now.failure:
                    raise ServiceError(now.failure)
                return
            threading.Event().wait(min(ANSWER_SECONDS, 0.2))
        raise ServiceError(
            f"{request.host}, where the cut-over was typed, did not answer that --{hook} was run"
        )


class RequestedCutoverRun(CutoverRun):
    """The steps of a cut-over that is over, before any writer is stopped, with its request."""

    def __init__(self, remote: RemoteCutover, *given: Any) -> None:
        super().__init__(*given)
        self._remote = remote

    def _check_end(self) -> None:
        super()._check_end()
        if self._cutover.record.state is CutoverState.FOLLOWING and self._remote.is_over():
            raise RequestOverError


class RemoteCutoverFollowRun(FollowRun):
    """The steps of a followed migration, which cuts over once somebody asks for it elsewhere."""

    def __init__(
        self, context: Context, migration: Migration, run: str, keeper: LeaseKeeper
    ) -> None:
        super().__init__(context, migration, run, keeper)
        self._remote = RemoteCutover(keeper)
        keeper.publish({ACCEPTS: [TOPIC]})

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Copy and follow; cut over when asked, and go on following where that is given up."""
        while True:
            try:
                return super()._rounds(journal, order)
            except CutoverRequestedError:
                verdict = self._cut_over(journal, order)
            if verdict is not None:
                return verdict

    def _check_requests(self, step: FollowStep) -> None:
        """Raise CutoverRequestedError where somebody asks, and no chunk is under way."""
        if step is FollowStep.CARRIED:
            return
        request = self._remote.look(LOOK_SECONDS)
        if request is not None and not request.withdrawn:
            raise CutoverRequestedError

    def _cut_over(self, journal: Journal, order: CopyOrder) -> Verdict | None:
        """Cut over; None where it was given up, and both sides are as before."""
        request, context, words = self._remote.request, self._context, self._migration.words()
        if request is None:
            return None
        text = f"Cutting over to {words['name']}, as asked on {request.host}"
        context.emit(event("note", text=text, **words))
        settings = CutoverSettings(
            self._remote,
            self._remote,
            request.freeze_limit,
            request.watch,
            by_hand=request.by_hand,
            enable_undo=request.enable_undo,
        )
        self._remote.served = request.id
        given = (settings, context, self._migration, self._run, self._keeper)
        steps = RequestedCutoverRun(self._remote, *given)
        try:
            verdict = steps._rounds(journal, order)
        except RequestOverError:
            text = f"The cut-over asked on {request.host} was withdrawn; the follow goes on"
            context.emit(event("note", text=text, **words))
            return None
        except GivenUpError as error:
            self._remote.end(str(error))
            if context.stop():
                raise
            context.emit(event("warning", text=str(error), **words))
            return None
        finally:
            self.is_on_record = steps.is_on_record
        return verdict
