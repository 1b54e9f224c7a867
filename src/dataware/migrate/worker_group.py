"""Leads the processes that copy together: partitions, the one journal, the end.

What has to exist once is here: partitions are handed out, checkpoints written, skipped keys
reported, and a stop request passed on. It ends in the three ways of an engine, and always with
every process gone.

How it works, for two workers and the partitions 0/3, 1/3 and 2/3:

    worker 1 -> want         worker 2 -> want          both are ready, so leases begin
    lease 0/3 -> worker 1    lease 1/3 -> worker 2
    worker 2 -> records      checkpoints, appended to the one journal at the next tick
    worker 1 -> want         lease 2/3 -> worker 1     from its cursor in the journal, if any
    worker 2 -> want         lease none                nothing is left; worker 2 finishes and
    worker 2 -> done         worker 1 -> records, done

A worker that is gone without `done` fails the copy: the others are stopped and what they have
reported stays in the journal, from which the next run continues. A page that a worker had written
but not reported is read again; writing it twice is harmless.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dataware.core.copier import SkipReason
from dataware.core.errors import IncompleteError, WriteDeniedError
from dataware.core.events import event
from dataware.core.run_control import NO_CONTROL
from dataware.migrate.copy_state import Counts
from dataware.migrate.first_writes import FEW
from dataware.migrate.partition_source import LocalPartitions
from dataware.migrate.run_tools import RunTools
from dataware.migrate.supervisor import CopySupervisor, tasks_of
from dataware.migrate.worker import Message
from dataware.migrate.worker_task import error_of

GRACE_SECONDS = 1.2
"""How long the crew may take to end early: an engine's own grace, and the way there and back."""


class WorkerHandle(Protocol):
    """A worker, as the process that leads the crew sees it; its messages are those of `worker`."""

    def send(self, message: Message) -> None:
        """Tell it something; one that is gone hears nothing."""
        ...

    async def receive(self) -> Message | None:
        """What it tells next; None once it is gone."""
        ...

    def end(self) -> str:
        """End it at once, and say how it ended: "exit code 1", "signal 9"."""
        ...


class WorkerGroup:
    """One migration's copy by several processes; `run` may be called once.

    `start` begins one of them. The partitions are on record already. `trial` ends a copy of which
    the first writes are all denied, whoever makes them. `sharers` tells how many copies share the
    bounds of a run right now.
    """

    def __init__(
        self,
        start: Callable[[], WorkerHandle],
        processes: int,
        tools: RunTools,
        *,
        trial: bool = True,
        sharers: Callable[[], int] = lambda: 1,
    ) -> None:
        self._sharers = sharers
        self._sharing = 1
        self._control = NO_CONTROL
        self._start = start
        self._processes = processes
        self._tools = tools
        self._leases = LocalPartitions(tools.state.remaining())
        self._members: list[WorkerHandle] = []
        self._wanting: deque[WorkerHandle] = deque()
        self._begun = False
        self._written: Counter[WorkerHandle] = Counter()
        self._ahead: Counter[WorkerHandle] = Counter()
        self._held: dict[WorkerHandle, str] = {}
        self._denied: Counter[str] | None = Counter() if trial else None
        tools.progress.ceiling = self._ceiling
        self._settled: list[Mapping[str, Any]] = []
        self._watch = CopySupervisor(
            tools, tick=self._tick, on_halt=self._stop, grace=GRACE_SECONDS
        )

    async def run(self) -> Counts:
        """Copy what is not yet accounted for. Raises Incomplete when asked to stop."""
        try:
            async with self._watch as watch:
                for _ in range(self._processes):
                    self._members.append(self._start())
                self._share_out()
                await watch.join(tasks_of(map(self._serve, self._members)))
        finally:
            for member in self._members:
                member.end()
        watch.keep(self._flush)
        return watch.conclude()

    async def _serve(self, member: WorkerHandle) -> None:
        try:
            self._held[member] = ""
            while (message := await member.receive()) is not None:
                if message["type"] == "done":
                    return
                self._take(member, message)
            if not self._watch.halted:
                self._watch.fail(self._gone(member))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._watch.fail(error)
        finally:
            self._held.pop(member, None)

    def _take(self, member: WorkerHandle, message: Message) -> None:
        """Take a message of a process that goes on. Raises the error with which it failed."""
        kind = message["type"]
        if kind == "want":
            self._wanting.append(member)
            self._lease()
        elif kind == "records":
            for record in message["records"]:
                self._report(record)
                self._ahead[member] -= Counts.from_json(record).in_target
            self._settled += message["records"]
        elif kind == "throttled":
            self._tools.progress.count_throttle(message["reason"], message["times"])
        elif kind == "written":
            self._written[member], before = message["count"], self._written[member]
            self._ahead[member] += message["count"] - before
        elif kind == "retried":
            self._tools.progress.count_retries(message["times"])
        elif kind == "held":
            self._held[member] = message["reason"]
        elif kind == "failed":
            raise error_of(message)
        self._tools.progress.ahead(sum(max(0, ahead) for ahead in self._ahead.values()))

    def _lease(self) -> None:
        """Lease a partition to each who wants one; the first ones once all of them have begun.

        Else the quickest would have read a small source before the others have got going.
        """
        self._begun = self._begun or all(member in self._wanting for member in self._members)
        while self._begun and self._wanting:
            partition, cursor = self._leases.next() or (None, None)
            lease = {"type": "lease", "partition": partition, "cursor": cursor}
            self._wanting.popleft().send(lease)

    def _ceiling(self) -> str:
        """What holds most of those back that copy; all of them have the same bounds."""
        ((reason, _),) = Counter(self._held.values()).most_common(1) or [("", 0)]
        return reason

    def _gone(self, member: WorkerHandle) -> IncompleteError:
        return IncompleteError(
            f"one of the {self._processes} copy processes ended too early ({member.end()}), so the "
            "others were stopped: run the same command again, with fewer --processes if memory "
            "ran out"
        )

    def _report(self, record: Mapping[str, Any]) -> None:
        for skip in record["skipped_keys"]:
            self._tools.emit(event("skipped", **skip, **self._tools.progress.words))
        counts = Counts.from_json(record)
        self._tools.progress.count(counts.in_target, counts.skipped, counts.bytes)
        self._check_denied(record)

    def _check_denied(self, record: Mapping[str, Any]) -> None:
        """Raise WriteDeniedError once a few writes were denied and nobody has copied anything."""
        if self._denied is None or self._tools.progress.done:
            return
        denied = (skip for skip in record["skipped_keys"] if skip["reason"] == SkipReason.DENIED)
        self._denied.update(skip["detail"] for skip in denied)
        if (attempts := self._denied.total()) >= FEW:
            raise WriteDeniedError(self._denied.most_common(1)[0][0], attempts=attempts)

    def _tick(self) -> None:
        self._flush()
        self._share_out()

    def _share_out(self) -> None:
        """Tell each process of another number of copies that share the bounds, and what is asked.

        Both are told to all of them, once they have been started.
        """
        if (sharing := self._sharers()) != self._sharing:
            self._sharing = sharing
            self._send_all({"type": "share", "among": sharing})
        if (control := self._tools.read_control()) != self._control:
            self._control = control
            self._send_all({"type": "control", "control": control.to_json()})

    def _send_all(self, message: Message) -> None:
        for member in self._members:
            member.send(message)

    def _flush(self) -> None:
        """Write the checkpoints that have come, all at once."""
        settled, self._settled = self._settled, []
        if settled:
            self._tools.journal.append(*settled)
            for record in settled:
                self._tools.state.take(record)

    def _stop(self) -> None:
        self._leases.close()
        self._send_all({"type": "stop"})
