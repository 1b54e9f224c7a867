"""Begins a copy: parts the source into shards, from where an earlier run ended.

Little data is copied and verified at once, in this very call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dataware.core.copier import CopyTools
from dataware.core.events import event
from dataware.core.model import Size
from dataware.handler.copy_shard import work_on
from dataware.handler.finish import COPY, LITTLE, finish
from dataware.handler.invocation import Invocation, LambdaContext, working
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import ThrottleRelay
from dataware.migrate.shard import Shard, shared_out
from dataware.ops.context import aws_of
from dataware.ops.migration_job import MigrationJob
from dataware.ops.migration_policy import restore_snapshot


def handler(request: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer ``{"outcome": "copy", "shards": […]}``, or what `finish` answers."""
    with working(MigrationJob.from_json(request["job"]), context) as work:
        progress, size = asyncio.run(_begin(work, request.get("checkpoint")))
        shards = _shards(progress, size)
        if size.exact and size.items <= LITTLE:
            work_on(work, shards)
        if all(shard.ended for shard in shards):
            return finish(work, progress, shards)
        return {
            "outcome": COPY,
            "job": work.job.to_json(),
            "before": progress.snapshot(),
            "shards": [shard.to_json() for shard in shards],
        }


async def _begin(work: Invocation, checkpoint: str | None) -> tuple[CopyState, Size]:
    """The progress to go on from, and the size of the source."""
    job, emit = work.job, work.outside.emit
    wire = work.outside.aws.wire(ThrottleRelay())
    try:
        aws = aws_of(work.outside, job.order.target)
        copier = job.kind.require_copying().copier(
            CopyTools(aws, wire, work.outside.clock), job.order
        )
        size = await copier.size()
        words = {"unit": job.kind.unit, **job.words}
        emit(event("found" if size.exact else "found-about", count=size.items, **words))
        snapshot = restore_snapshot(checkpoint)
        progress = CopyState.of([snapshot] if snapshot else [])
        if progress.partitions:
            emit(event("resumed-at", count=progress.counts.in_target, **words))
        else:
            progress.partitions = list(await copier.partitions())
    finally:
        await wire.close()
    return progress, size


def _shards(progress: CopyState, size: Size) -> list[Shard]:
    """What is not finished; the estimate is shared out evenly."""
    each = -(-size.items // max(len(progress.partitions), 1))
    return shared_out(
        [Shard(partition, cursor, each) for partition, cursor in progress.remaining()]
    )
