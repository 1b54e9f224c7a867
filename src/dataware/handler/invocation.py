"""The outside of one invocation: the account, the lock, the time that is left, the log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from dataware.aws import Account, BotocoreTransport, SystemClock
from dataware.core.errors import RefusedError
from dataware.core.kind import Kind
from dataware.core.ports import Wire
from dataware.core.run_control import NO_CONTROL, RunControl, read_no_control
from dataware.http.endpoint import Endpoint
from dataware.ops.context import Context, CreationWatch, TargetToMake
from dataware.ops.lease_keeper import LeaseMonitor
from dataware.ops.migration_job import MigrationJob
from dataware.report.jsonlines import JsonRenderer
from dataware.state import ParameterMarkers
from dataware.state.holder import execution
from dataware.wire import open_wire

MARGIN_SECONDS = 20.0
"""How long before its time is up a worker begins to end: in-flight requests are waited for."""


class LambdaContext(Protocol):
    """The part of Lambda's context object that is used here."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation."""
        ...


class NoHoldingStacks:
    """In a deployment CloudFormation creates what is missing, and no one else does."""

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """Refuse."""
        kind, wanted = targets[0]
        raise RefusedError(f"the {kind.noun} {wanted.preferred} must be declared in the stack")

    def release(self, kind: Kind, name: str) -> bool:
        """Nothing was held."""
        return False


@dataclass(frozen=True, slots=True)
class RemainingTime:
    """The time that is left: of this invocation, and of the whole deployment."""

    context: LambdaContext
    now: Callable[[], float]
    deadline: float

    @property
    def here(self) -> bool:
        """Whether this invocation has to end."""
        return self.context.get_remaining_time_in_millis() <= MARGIN_SECONDS * 1000

    @property
    def at_all(self) -> bool:
        """Whether the deployment gives up."""
        return self.now() >= self.deadline


class SeenLock:
    """The right to work on a migration, as it was last seen, with what people ask of it.

    In a deployment its execution holds the lock; for a command the record names the execution. What
    only compares is on no record, so nobody takes it away.
    """

    def __init__(self, markers: ParameterMarkers, job: MigrationJob) -> None:
        self._read: Callable[[], RunControl | None] = read_no_control
        if job.by_command:
            self._read = partial(markers.read_work, *job.record, job.execution)
        elif not job.compares_only:
            self._read = partial(markers.read_held, *job.record)
        self._control = NO_CONTROL

    def look(self) -> bool:
        """Whether the execution still has it. Raises LookupFailedError."""
        control = self._read()
        self._control = control or NO_CONTROL
        return control is not None

    def read_control(self) -> RunControl:
        """What people ask."""
        return self._control


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation that works on a job; `outside` is what the use cases are given.

    `read_control` tells what people ask of the migration.
    """

    job: MigrationJob
    outside: Context
    remaining: RemainingTime
    monitor: LeaseMonitor
    read_control: Callable[[], RunControl] = read_no_control

    def is_paused(self) -> bool:
        """Whether people pause the migration."""
        return self.read_control().is_paused

    @property
    def stopped(self) -> bool:
        """Whether the work has to stop where it is."""
        return self.remaining.here or self.remaining.at_all or self.monitor.lost


@contextmanager
def looking(name: str) -> Iterator[Context]:
    """The outside for one look; `name` is the execution in whose name the lock is held."""
    account = open_account()
    clock = SystemClock()
    with JsonRenderer(sys.stdout) as emit:
        yield Context(
            aws=account,
            markers=ParameterMarkers(account, clock, execution(name)),
            clock=clock,
            emit=emit,
            hold=NoHoldingStacks(),
            move=partial(_move, name),
        )


def _move(name: str, context: Context, region: str) -> Context:
    """The outside in another region, whose records lie there."""
    aws = context.aws.for_region(region)
    return replace(context, aws=aws, markers=ParameterMarkers(aws, context.clock, execution(name)))


@contextmanager
def working(job: MigrationJob, context: LambdaContext) -> Iterator[Invocation]:
    """The outside for work on a job. Raises Refused when its execution has lost the lock."""
    with looking(job.execution) as outside:
        lock = SeenLock(markers_of(outside), job)
        with LeaseMonitor(lock.look) as monitor:
            remaining = RemainingTime(context, outside.clock.now, job.deadline)
            yield Invocation(job, outside, remaining, monitor, lock.read_control)


def markers_of(outside: Context) -> ParameterMarkers:
    """The markers, with what only an execution needs of them."""
    if not isinstance(outside.markers, ParameterMarkers):
        raise TypeError("an execution holds its lock in the Parameter Store")
    return outside.markers


def open_account() -> Account:
    """The account of the function's role; no network."""
    return Account.open(_open_wire)


def _open_wire(access: Endpoint, on_throttle: Callable[[str], None]) -> Wire:
    return open_wire(BotocoreTransport(access), access, SystemClock(), on_throttle)
