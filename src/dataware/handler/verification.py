"""The verification of an execution: its steps, and what its shards have skipped.

begin ──> tasks ──(workers)──> proceed ──> tasks of the next step … ──> verdict
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from dataware.calc.json_size import fitting
from dataware.core.errors import IncompleteError
from dataware.handler.invocation import Invocation
from dataware.migrate.shard import Shard
from dataware.ops import verify
from dataware.ops.context import aws_of
from dataware.ops.migration_policy import NAMED, SkippedKeys
from dataware.verify.comparison import Comparison
from dataware.verify.steps import Readers
from dataware.verify.task_state import DIFFERENCES, SLOTS, TaskState, new_task_states
from dataware.verify.verdict import Verdict

KEYS = 20_000
"""Bytes of the keys that are carried of those that were skipped; more are only counted."""


def skipped_by(shards: Sequence[Shard]) -> SkippedKeys:
    """What the shards of this execution have skipped.

    What an earlier one has skipped is not in it, so a key of that explains no difference, and the
    next round tries it again.
    """
    records = [one for shard in shards for one in shard.kept]
    keys = frozenset(fitting(sorted({one["key"] for one in records}), KEYS))
    count = sum(shard.counts.skipped for shard in shards)
    examples = tuple(f"{one['key']}: {one['detail']}" for one in records[:NAMED])
    reason = records[0]["detail"] if records else ""
    return SkippedKeys(
        count, keys, count - sum(one["key"] in keys for one in records), examples, reason
    )


def sides_of(work: Invocation) -> Readers:
    """The readers of both sides of a job."""
    return verify.sides_of(work.job.kind, work.job.pair, partial(aws_of, work.outside))


def begin_verification(work: Invocation) -> dict[str, Any]:
    """The first step, as an execution carries it."""
    sides = sides_of(work)
    return _step(Comparison.begin(sides, ordered=work.job.kind.require_copying().ordered), sides)


def advance_verification(
    work: Invocation, comparison: Comparison, done: Sequence[TaskState]
) -> dict[str, Any] | Verdict:
    """The next step, or the verdict. Raises Incomplete if a task ended before it was done."""
    for check in done:
        if not check.done:
            raise IncompleteError(check.failed or "a worker ended without a reason")
        comparison.take(check.task, check.result)
    comparison.advance()
    if comparison.step is None:
        return comparison.verdict
    return _step(comparison, sides_of(work))


def _step(comparison: Comparison, sides: Readers) -> dict[str, Any]:
    tasks = comparison.tasks(sides, SLOTS)
    return {
        "comparison": comparison.to_json(DIFFERENCES),
        "shards": [check.to_json() for check in new_task_states(tasks)],
    }
