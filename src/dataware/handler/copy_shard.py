"""Works on a shard until it is done or the time of this invocation is up.

A shard is a partition that is copied, or a task of the verification. The state machine calls the
worker again with its own answer until the shard has ended. The copy is by the engine and the
kind's copier of the command line; every write is guarded, so a shard that is copied twice is
copied once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from dataware.core.copier import CopyTools
from dataware.core.errors import DatawareError, IncompleteError, RefusedError
from dataware.core.model import Size
from dataware.core.ports import Wire
from dataware.handler.invocation import Invocation, LambdaContext, working
from dataware.handler.verification import sides_of
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import Engine, EngineSettings, ThrottleRelay
from dataware.migrate.pausable_wire import PausableWire
from dataware.migrate.run_tools import RunTools
from dataware.migrate.shard import Shard, ShardJournal
from dataware.ops.context import aws_of
from dataware.ops.migration_job import MigrationJob
from dataware.verify.pausable_stop import PausableStop
from dataware.verify.steps import carry_out
from dataware.verify.task_state import TaskState

OUT_OF_TIME = "the time of the deployment is up"


def handler(request: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work on one shard, or on the shards of a batch; answers with the same form as was asked.

    One shard is ``{"job": …, "shard": …}`` and is answered by the shard alone. A batch, as
    Distributed Map makes it, is ``{"BatchInput": {"job": …}, "Items": [shard, …]}``.
    """
    if "Items" not in request:
        shard = _shard(request["shard"])
        _work(MigrationJob.from_json(request["job"]), [shard], context)
        return shard.to_json()
    shards = [_shard(item) for item in request["Items"]]
    _work(MigrationJob.from_json(request["BatchInput"]["job"]), shards, context)
    return {
        **request,
        "Items": [shard.to_json() for shard in shards],
        "ended": all(shard.ended for shard in shards),
    }


def _shard(data: Mapping[str, Any]) -> Shard | TaskState:
    return TaskState.from_json(data) if TaskState.is_one(data) else Shard.from_json(data)


def _work(job: MigrationJob, shards: Sequence[Shard | TaskState], context: LambdaContext) -> None:
    try:
        with working(job, context) as work:
            work_on(work, shards)
    except DatawareError as error:
        for shard in shards:
            if not shard.ended:
                shard.fail(str(error))


def work_on(work: Invocation, shards: Sequence[Shard | TaskState]) -> None:
    """Work on shards one after another; a failure is noted in its shard and stops only that."""
    for shard in shards:
        if shard.ended or (work.stopped and not work.remaining.at_all):
            continue
        try:
            if work.remaining.at_all:
                raise IncompleteError(OUT_OF_TIME)
            if isinstance(shard, TaskState):
                stop = PausableStop(lambda: work.stopped, work.is_paused)
                carry_out(shard.task, sides_of(work), shard.result, stop)
            else:
                asyncio.run(_copy(work, shard))
            work.monitor.check()
        except DatawareError as error:
            shard.fail(str(error))


async def _copy(work: Invocation, shard: Shard) -> None:
    """Copy one shard, as far as the time allows. Raises RefusedError without a lock or a record."""
    if work.job.compares_only:
        raise RefusedError("nothing was copied, because this work only compares")
    throttle = ThrottleRelay()
    wire = work.outside.aws.wire(throttle)
    progress = shard.progress()
    try:
        throttle.engine = _engine(work, shard, progress, wire)
        await throttle.engine.run()
    except IncompleteError:
        if work.remaining.at_all:
            raise IncompleteError(OUT_OF_TIME) from None
        if not work.stopped:
            raise
    finally:
        shard.take(progress)
        await wire.close()


def _engine(work: Invocation, shard: Shard, state: CopyState, wire: Wire) -> Engine:
    outside, job = work.outside, work.job
    kind, order, clock, emit = job.kind, job.order, outside.clock, outside.emit
    copying = kind.require_copying()
    names = order.source.name, order.target.name
    subject = CopySubject(*names, kind.unit, copying.batch, kind.names.slug)
    size = Size(shard.items, 0, exact=False)
    progress = CopyProgress(subject, size, shard.counts, clock, emit)
    tools = RunTools(
        ShardJournal(shard),
        state,
        clock,
        emit,
        progress,
        lambda: work.stopped,
        read_control=work.read_control,
    )
    pausable = PausableWire(wire, work.read_control)
    copy_tools = CopyTools(aws_of(outside, order.target), pausable, clock)
    return Engine(copying.copier(copy_tools, order), tools, _settings(job))


def _settings(job: MigrationJob) -> EngineSettings:
    """The bounds of one worker; the rate of the whole is shared out among the workers."""
    chosen = job.settings
    rate = chosen.max_rate / job.workers if chosen.max_rate else None
    return EngineSettings(
        readers=1,
        bytes_in_flight=chosen.bytes_in_flight,
        max_rate=rate,
        parts=job.workers,
        trial=not chosen.allow_skipped,
    )
