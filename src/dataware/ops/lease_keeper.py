"""Looks after a lease from a thread of its own, through creation, copy and verification.

Whoever holds it alone renews it (`LeaseKeeper`); one of many workers of an execution that holds it
only asks whether it is still held (`LeaseMonitor`).
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from dataware.calc.rate import rough
from dataware.core.errors import DatawareError, IncompleteError, LookupFailedError, RefusedError
from dataware.core.events import event
from dataware.core.ports import Lease
from dataware.core.run_control import NO_CONTROL, RunControl
from dataware.migrate.lease_term import NO_HEARTBEAT, SILENT_SECONDS, LeaseTerm, since_boot
from dataware.ops.context import Context

BEAT_SECONDS = 10.0

CLOSE_BEAT_SECONDS = 5.0
"""The same where few beats go on at once, so that what people ask of a run is soon done."""

EARLY_SECONDS = (1.0, 1.0, 2.0)
"""The waits before the first beats of a phase, so that one of a few seconds is seen from elsewhere.

They are few, and one a second at most, because every caller of an account and region shares the
throughput of Parameter Store (AWS Systems Manager User Guide, "Changing Parameter Store
throughput").
"""

FEW = 4
"""Migrations at once of which each sends the early beats, for which more would lack throughput."""

SETTLING_SECONDS = 1.0
"""How long one wait lasts for what may arrive yet."""

STALE_SECONDS = 3
"""From what age on a beat says how old the progress is that it carries."""

PATIENCE_SECONDS = 5.0
"""How long the end waits for a beat that is under way; one that hangs ends with the process."""


ASKING_SECONDS = 15.0
"""How often a worker asks whether its execution still has the lock."""

LOST = (
    "nothing more is copied, because the deployment failed or lost the lock on the target to "
    "another run; see `dataware status`"
)


class _LeaseThread(ABC):
    """A thread that runs while this is entered."""

    def __init__(self) -> None:
        self._ended = False
        self._stirred = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = True
        self._stirred.set()
        self._thread.join(PATIENCE_SECONDS)

    @abstractmethod
    def _run(self) -> None:
        """What the thread does, until it has ended."""


class LeaseMonitor(_LeaseThread):
    """Asks `holds` at once and then every so often; writes nothing.

    Once the deployment has failed, is over, or another run took over, workers must not go on. A
    question without an answer changes nothing, because writes are guarded by conditions, too.
    """

    def __init__(self, holds: Callable[[], bool], every: float = ASKING_SECONDS) -> None:
        super().__init__()
        self._holds = holds
        self._every = every
        self.lost = False

    def check(self) -> None:
        """Raise Refused once the lock is lost."""
        if self.lost:
            raise RefusedError(LOST)

    def __enter__(self) -> Self:
        self._ask()
        self.check()
        return super().__enter__()

    def _run(self) -> None:
        while not self.lost and not self._stirred.wait(self._every):
            self._ask()

    def _ask(self) -> None:
        try:
            self.lost = not self._holds()
        except LookupFailedError:
            return


class LeaseKeeper(_LeaseThread):
    """Beats while it is entered; what was last published travels with every beat.

    A beat that only fails is tried again, at the usual pace. The first beats of each phase come
    early; all of them come from one thread, one after another. A lost lock is remembered, and
    `check` raises it; so it does once no beat has got through for `SILENT_SECONDS`, be it slow,
    refused or hanging.
    """

    def __init__(
        self,
        lease: Lease,
        every: float = BEAT_SECONDS,
        early: Sequence[float] = EARLY_SECONDS,
        seconds: Callable[[], float] = since_boot,
        beat: float | None = None,
        on_control: Callable[[RunControl, RunControl], None] | None = None,
    ) -> None:
        """Keep `lease` alive, which was asked for at `beat`, in `seconds`; now, if not said.

        `on_control` hears what people asked before and ask now, from the thread of a heartbeat.
        """
        super().__init__()
        self._lease = lease
        self._every = every
        self._early = early
        self._seconds = seconds
        self._tried = seconds()
        self._beaten = self._tried if beat is None else beat
        self._detail: Mapping[str, object] = {}
        self._published = self._beaten
        self._lost: DatawareError | None = None
        self._on_control = on_control
        self._control = NO_CONTROL
        passed = self._tried - self._beaten
        self.term = LeaseTerm(
            self._beaten, time.time() - passed, seconds=seconds, on_clock_stop=self._beat_now
        )
        self._report_control()

    def publish(self, detail: Mapping[str, object]) -> None:
        """What the marker says from the next beat on; adds to what was published before."""
        before, self._detail = self._detail, {**self._detail, **detail}
        self._published = self._seconds()
        if self._detail.get("phase") != before.get("phase"):
            self._stirred.set()

    @property
    def detail(self) -> Mapping[str, object]:
        """What was published so far."""
        return self._detail

    @property
    def lost(self) -> bool:
        """Whether another run has taken the lock, or might do so because this one is not seen."""
        return self._lost is not None or self._silent

    @property
    def _silent(self) -> bool:
        return self._seconds() - self._beaten > SILENT_SECONDS

    def check(self) -> None:
        """Raise Refused once the lock is lost, and Incomplete while it may be."""
        if self._lost is not None:
            raise self._lost
        if self._silent:
            raise IncompleteError(NO_HEARTBEAT)

    def send_heartbeat(self) -> None:
        """Renew the lock now. Raises Refused when it is lost."""
        beat, beat_at = self._seconds(), time.time()
        stale = round(beat - self._published)
        self._lease.send_heartbeat(
            {**self._detail, "stale": stale} if stale >= STALE_SECONDS else self._detail
        )
        self._beaten = beat
        self.term.renew(beat, beat_at)
        self._report_control()

    def read_control(self) -> RunControl:
        """What people ask of the run, as of the last heartbeat."""
        return self._lease.control

    @property
    def lease(self) -> Lease:
        """The lease that is kept alive."""
        return self._lease

    def delay_next_run(self, seconds: float) -> None:
        """Say from the next beat on that something may arrive until `seconds` from now."""
        self._lease.delay_next_run(seconds)

    @property
    def unsettled_seconds(self) -> float:
        """For how long something may arrive yet that an earlier run sent without conditions."""
        return self._lease.unsettled_seconds

    @property
    def service_time(self) -> float:
        """The time of AWS, in seconds since the epoch; that of this machine may be wrong."""
        return self._lease.service_time

    def _run(self) -> None:
        waits = iter(self._early)
        while not self._ended:
            if self._stirred.wait(min(self._until_due(), next(waits, self._every))):
                self._stirred.clear()
                waits = iter(self._early)
                # Phases that follow each other quickly must not keep the usual beat back.
                if self._ended or self._until_due() > 0:
                    continue
            self._tried = self._seconds()
            try:
                self.send_heartbeat()
            except RefusedError as error:
                self._lost = error
                self.term.end(error)
                return
            except DatawareError:
                # The next beat may get through; the lock outlives several misses.
                waits = iter(())

    def _report_control(self) -> None:
        if self._on_control is None:
            return
        before, self._control = self._control, self._lease.control
        if self._control != before:
            self._on_control(before, self._control)

    def _beat_now(self) -> None:
        """The lock is in doubt, so the next beat is due at once."""
        self._tried = float("-inf")
        self._stirred.set()

    def _until_due(self) -> float:
        """The seconds until the usual beat."""
        return max(0.0, self._tried + self._every - self._seconds())


def keep_alive(
    lease: Lease,
    beat: float,
    on_control: Callable[[RunControl, RunControl], None],
    *,
    at_once: int,
) -> LeaseKeeper:
    """The keeper of one of `at_once` leases, as often as their number allows."""
    few = at_once <= FEW
    return LeaseKeeper(
        lease,
        every=CLOSE_BEAT_SECONDS if few else BEAT_SECONDS,
        early=EARLY_SECONDS if few else (),
        beat=beat,
        on_control=on_control,
    )


def await_settled(context: Context, keeper: LeaseKeeper, words: Mapping[str, object]) -> None:
    """Wait while something may arrive yet that an earlier run sent without conditions.

    What is verified and in use after that, nothing replaces. Raises Incomplete when a person asks
    to stop, and what `LeaseKeeper.check` raises.
    """
    seconds = keeper.unsettled_seconds
    if seconds > 0:
        text = (
            f"waiting for {rough(seconds)}: the previous run did not end cleanly, and until "
            "then AWS may still accept requests that it signed"
        )
        context.emit(event("warning", text=text, **words))
    while keeper.unsettled_seconds > 0:
        context.aws.pause(SETTLING_SECONDS)
        keeper.check()
