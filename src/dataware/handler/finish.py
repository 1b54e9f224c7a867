"""Ends a copy, and each step of its verification, which reads both sides afresh.

It answers by one of the outcomes below, and writes nothing: the verdict goes into the record when
`is_complete` sees it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dataware.core.causes import advise, list_causes
from dataware.core.errors import DatawareError, IncompleteError
from dataware.core.events import event as happened
from dataware.core.events import format_count
from dataware.core.kind import Location, SkipReason
from dataware.core.model import OnConflict
from dataware.handler.invocation import Invocation, LambdaContext, working
from dataware.handler.job import MigrationJob
from dataware.handler.shard import Shard
from dataware.handler.verification import (
    SkippedKeys,
    advance_verification,
    begin_verification,
    sides_of,
)
from dataware.handler.verify_task import TaskState
from dataware.migrate import CopyState
from dataware.ops.migration_outcome import report_verdict
from dataware.ops.run_migration import ROUNDS
from dataware.ops.verify import why_different
from dataware.verify.comparison import Comparison
from dataware.verify.run import compare
from dataware.verify.verdict import Verdict

COPY, VERIFY, AGAIN, DONE, FAILED = "copy", "verify", "again", "done", "failed"
"""Work on shards, by copying or by verifying; begin another round; verified; given up."""

LITTLE = 5000
"""Up to how many items or objects are copied, or verified, in one call."""

NAMED = 5
"""Keys that a reason names, so that it fits into an event of the stack."""


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer with an outcome for ``{"job": …, "before": …, "shards": […]}``.

    During the verification ``comparison`` and ``left`` stand there, too.
    """
    progress = CopyState.of([event["before"]])
    with working(MigrationJob.from_json(event["job"]), context) as work:
        if "comparison" in event:
            return _continue_verification(work, progress, event)
        return finish(work, progress, [Shard.from_json(shard) for shard in event["shards"]])


def finish(work: Invocation, progress: CopyState, shards: Sequence[Shard]) -> dict[str, Any]:
    """The outcome of a copy; `progress` is that of the runs before."""
    left = SkippedKeys.of(shards, progress.counts.left)
    for shard in shards:
        if record := shard.record():
            progress.take(record)
    if not progress.finished:
        return _failure_outcome(_unfinished_reason(work.job, progress, shards), progress)
    if reason := _left_behind(work.job, progress, shards):
        return _failure_outcome(reason)
    work.outside.emit(happened("verifying", **work.job.words))
    try:
        if progress.counts.done > LITTLE:
            return _verify(work, progress, left, begin_verification(work))
        return _outcome_of_verdict(work, progress, left, _compare_sides(work))
    except DatawareError as error:
        return _failure_outcome(str(error), progress)


def _continue_verification(
    work: Invocation, progress: CopyState, event: Mapping[str, Any]
) -> dict[str, Any]:
    """The outcome of a step of the verification."""
    left, comparison = (
        SkippedKeys.from_json(event["left"]),
        Comparison.from_json(event["comparison"]),
    )
    try:
        done = [TaskState.from_json(check) for check in event["shards"]]
        following = advance_verification(work, comparison, done)
    except DatawareError as error:
        return _failure_outcome(_unverified_reason(work.job, str(error)), progress)
    if isinstance(following, Verdict):
        return _outcome_of_verdict(work, progress, left, following)
    return _verify(work, progress, left, following)


def _verify(
    work: Invocation, progress: CopyState, left: SkippedKeys, step: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "outcome": VERIFY,
        "job": work.job.to_json(),
        "before": progress.snapshot(),
        "left": left.to_json(),
        **step,
    }


def _outcome_of_verdict(
    work: Invocation, progress: CopyState, left: SkippedKeys, verdict: Verdict
) -> dict[str, Any]:
    if not left.explains(verdict):
        return _differs(work.job, verdict, why_different(verdict, progress.counts.tally))
    if not verdict.compared:
        why = f"{work.job.source.name} is empty, so nothing was copied"
        work.outside.emit(happened("nothing-to-do", why=why, **work.job.words))
        return {"outcome": DONE, "verified": 0, "unit": work.job.kind.unit}
    work.outside.emit(happened("migrated", **work.job.words))
    report_verdict(work.outside, work.job.kind, verdict, work.job.words)
    return {"outcome": DONE, "verified": verdict.compared, "unit": work.job.kind.unit}


def _failure_outcome(reason: str, progress: CopyState | None = None) -> dict[str, Any]:
    """The end without a verdict; `progress` is what the next run may go on from."""
    cause = {"reason": reason, "checkpoint": progress.compact() if progress else None}
    return {"outcome": FAILED, "cause": json.dumps(cause)}


def _unfinished_reason(job: MigrationJob, progress: CopyState, shards: Sequence[Shard]) -> str:
    target, arrived = job.target.name, format_count(progress.counts.in_target, job.kind.unit)
    reasons = list(dict.fromkeys(shard.failed for shard in shards if shard.failed))
    why = "; ".join(reasons[:2]) or "a worker ended without a reason"
    return (
        f"not everything is in {target} yet, only {arrived}: {why}. "
        f"The next deployment goes on from there, and so does {by_hand(job)}"
    )


def _left_behind(job: MigrationJob, progress: CopyState, shards: Sequence[Shard]) -> str | None:
    """Why what was left behind is not all right; None if nobody minds."""
    troubles = Counter(progress.troubles)
    if job.settings.on_conflict is OnConflict.TARGET:
        troubles.pop(SkipReason.CONFLICT, None)
    if not troubles or (job.settings.accept_left and progress.counts.in_target):
        return None
    kept = [f"{left['key']}: {left['why']}" for shard in shards for left in shard.kept]
    examples = f", such as {'; '.join(kept[:NAMED])}" if kept else ""
    return (
        f"{format_count(sum(troubles.values()), job.kind.unit)} of {job.source.name} not copied to "
        f"{job.target.name} ({list_causes(troubles)}){examples}; the log of the deployment names "
        f"each of them. Nothing was replaced; {advise(troubles, on_conflict='on_conflict')}; then "
        "deploy again, or accept what was skipped by accept_left"
    )


def _compare_sides(work: Invocation) -> Verdict:
    sides = sides_of(work)
    try:
        return compare(
            sides.source,
            sides.target,
            ordered=work.job.kind.ordered,
            stop=lambda: work.stopped,
        )
    except IncompleteError:
        work.guard.check()
        why = "there was not the time to verify it within the deployment"
        raise IncompleteError(_unverified_reason(work.job, why)) from None


def _unverified_reason(job: MigrationJob, why: str) -> str:
    return (
        f"everything is copied to {job.target.name}, but not verified: {why}. "
        f"Run {by_hand(job)}, which verifies it, and deploy again"
    )


def _differs(job: MigrationJob, verdict: Verdict, why: str) -> dict[str, Any]:
    """Copy what is missing, up to a bound; the sides differ because something is written."""
    if job.round < ROUNDS:
        return {"outcome": AGAIN, "job": job.again().to_json()}
    named = "; ".join(f"{one.kind}: {one.label}" for one in verdict.listed[:NAMED])
    found = f"{verdict.summary()}: {named}" if named else verdict.summary()
    return _failure_outcome(
        f"{job.source.name} and {job.target.name} still differ after {ROUNDS} copies "
        f"({found}): {why} and deploy again"
    )


def by_hand(job: MigrationJob) -> str:
    """The command that does the same outside of a deployment."""
    sides = " ".join(_address(job, place) for place in (job.source, job.target))
    return f"`dataware migrate {sides}`"


def _address(job: MigrationJob, place: Location) -> str:
    if place.name.startswith("arn:"):
        return place.name
    return f"{job.kind.scheme}://{place.name}" + (f"/{place.prefix}" if place.prefix else "")
