"""What a copying process does: it copies the partitions that its crew leases to it.

It writes no file. Whatever it has to tell goes to the process that leads the crew, as messages:

    want         a reader is free: lease it a partition
    records      checkpoints, for the one journal
    throttled    how often the service asked to slow down, and why
    retried      requests that were sent again
    held         which bound that a person has set holds it back; without a reason none does
    written      how many are done since the start, also of pages that are in no record yet
    done         everything that was leased is copied
    failed       the work has ended before that, with an error

and it is told:

    lease        a partition, with the cursor after which it goes on; without one there are no more
    stop         the copy ends early
    share        among how many copies of the run the bounds are shared out from now on
    control      what people ask of the run from now on
    alive        the leading process runs
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dataware.core.copier import Copier
from dataware.core.model import Size
from dataware.core.ports import Clock
from dataware.core.run_control import NO_CONTROL, RunControl
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.engine import Engine, EngineSettings
from dataware.migrate.partition_source import RemotePartitions
from dataware.migrate.run_tools import RunTools
from dataware.migrate.worker_task import error_json

Message = Mapping[str, Any]
Send = Callable[[Message], None]

_NOBODY_COUNTS = CopySubject("", "", "", batch=sys.maxsize)


class Worker:
    """One process's part of a copy; `send` tells the leading process. For one event loop."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._progress = CopyState()
        self._leases = RemotePartitions(self._progress, lambda: send({"type": "want"}))
        self._throttles: Counter[str] = Counter()
        self._retries: Callable[[], int] = lambda: 0
        self._retries_reported = 0
        self._meter = CopyProgress(_NOBODY_COUNTS, Size(0, 0), Counts(), clock, _ignore)
        self._written_reported = 0
        self._held_reported = ""
        self._engine: Engine | None = None
        self._stopped = False
        self._sharing = 1
        self._control = NO_CONTROL

    def sharing(self) -> int:
        """Among how many copies of the run the bounds are shared out."""
        return self._sharing

    def read_control(self) -> RunControl:
        """What people ask of the run."""
        return self._control

    def handle_message(self, message: Message) -> None:
        """Take a message of the leading process."""
        if message["type"] == "stop":
            self._stopped = True
        elif message["type"] == "share":
            self._sharing = message["among"]
        elif message["type"] == "control":
            self._control = RunControl.from_json(message["control"])
            if self._engine is not None:
                self._engine.adapt()
        elif message["type"] == "lease":
            if message["partition"] is None:
                self._leases.close()
            else:
                self._leases.give(message["partition"], message["cursor"])

    def slow_down(self, reason: str) -> None:
        """The service asked to slow down."""
        self._throttles[reason] += 1
        if self._engine is not None:
            self._engine.slow_down(reason)

    async def run(
        self, copier: Copier[Any], settings: EngineSettings, retries: Callable[[], int] = lambda: 0
    ) -> None:
        """Copy what is leased, until there is no more. Raises what an engine raises.

        `retries` tells how many requests were sent again so far.
        """
        self._retries = retries
        self._engine = self._make_engine(copier, settings)
        await self._engine.run()

    def done(self) -> None:
        """Tell that everything that was leased is copied."""
        self._report()
        self._send({"type": "done"})

    def report_failure(self, error: Exception) -> None:
        """Tell that the work has ended before that, and why."""
        self._report()
        self._send({"type": "failed", **error_json(error)})

    def _make_engine(self, copier: Copier[Any], settings: EngineSettings) -> Engine:
        tools = RunTools(
            _Records(self._send),
            self._progress,
            self._clock,
            _ignore,
            self._meter,
            lambda: self._stopped,
            lambda _detail: self._report(),
            self.read_control,
        )
        return Engine(copier, tools, settings, self._leases, self.sharing)

    def _report(self) -> None:
        throttles, self._throttles = self._throttles, Counter()
        for reason, times in throttles.items():
            self._send({"type": "throttled", "reason": reason, "times": times})
        if more := self._retries() - self._retries_reported:
            self._retries_reported += more
            self._send({"type": "retried", "times": more})
        if self._meter.held != self._held_reported:
            self._held_reported = self._meter.held
            self._send({"type": "held", "reason": self._held_reported})
        if self._meter.done > self._written_reported:
            self._written_reported = self._meter.done
            self._send({"type": "written", "count": self._written_reported})


def _ignore(_event: object) -> None:
    """The leading process reports everything, from the records."""


class _Records:
    """The Journal port of a worker: the leading process writes.

    Nothing of a worker rests on what it has sent, so it need not wait for the disk.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Nothing: what is leased carries its cursor."""
        return iter(())

    def restart(self) -> None:
        """Nothing is kept that could be void."""

    def append(self, *records: Mapping[str, Any]) -> None:
        """Send records."""
        self._send({"type": "records", "records": list(records)})

    def close(self) -> None:
        """Nothing is open."""
