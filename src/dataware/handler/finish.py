"""Ends a copy, and each step of its verification, which reads both sides again.

It answers by one of the outcomes below, and writes nothing: the verdict goes into the record when
`is_complete` sees it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dataware.core.errors import DatawareError, IncompleteError
from dataware.core.events import event, format_count
from dataware.core.model import Location
from dataware.handler.invocation import Invocation, LambdaContext, working
from dataware.handler.verification import (
    advance_verification,
    begin_verification,
    sides_of,
    skipped_by,
)
from dataware.migrate.copy_state import CopyState
from dataware.migrate.shard import Shard
from dataware.ops.migration_job import MigrationJob
from dataware.ops.migration_outcome import report_decision
from dataware.ops.migration_policy import (
    COMPLETING,
    CompletedCopy,
    MigrationDecision,
    MigrationStep,
    SkippedKeys,
)
from dataware.verify.comparison import Comparison
from dataware.verify.run import compare
from dataware.verify.task_state import TaskState
from dataware.verify.verdict import Verdict

COPY, VERIFY, AGAIN, DONE, FAILED = "copy", "verify", "again", "done", "failed"
"""Work on shards, by copying or by verifying; begin another round; verified; given up."""

LITTLE = 5000
"""Up to how many items or objects are copied, or verified, in one call."""


def handler(request: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer with an outcome for ``{"job": …, "before": …, "shards": […]}``.

    During the verification ``comparison`` and ``left`` stand there, too.
    """
    progress = CopyState.of([request["before"]])
    with working(MigrationJob.from_json(request["job"]), context) as work:
        if "comparison" in request:
            return _continue_verification(work, progress, request)
        return finish(work, progress, [Shard.from_json(shard) for shard in request["shards"]])


def finish(work: Invocation, progress: CopyState, shards: Sequence[Shard]) -> dict[str, Any]:
    """The outcome of a copy; `progress` is that of the runs before."""
    for shard in shards:
        if record := shard.record():
            progress.take(record)
    if not progress.finished:
        return _failure_outcome(_unfinished_reason(work.job, progress, shards), progress)
    copy = CompletedCopy(work.job.round, progress, skipped_by(shards))
    if work.job.settings.follow:
        return _end_followed_copy(work, copy)
    if (decision := work.job.policy.judge_copy(copy)) is not None:
        return _carry_out(work, decision, None)
    work.outside.emit(event("verifying", **work.job.words))
    try:
        if progress.counts.done > LITTLE:
            return _verify(work, copy, begin_verification(work))
        return _judge_verdict(work, copy, _compare_sides(work))
    except DatawareError as error:
        return _failure_outcome(str(error), progress)


def _end_followed_copy(work: Invocation, copy: CompletedCopy) -> dict[str, Any]:
    """What changed meanwhile is carried afterwards, so both sides are compared at the cut-over."""
    if (decision := work.job.policy.judge_followed_copy(copy)) is not None:
        return _carry_out(work, decision, None)
    return {"outcome": DONE, "verified": 0, "unit": work.job.kind.unit}


def _continue_verification(
    work: Invocation, progress: CopyState, request: Mapping[str, Any]
) -> dict[str, Any]:
    """The outcome of a step of the verification."""
    copy = CompletedCopy(work.job.round, progress, SkippedKeys.from_json(request["skipped"]))
    comparison = Comparison.from_json(request["comparison"])
    try:
        done = [TaskState.from_json(check) for check in request["shards"]]
        following = advance_verification(work, comparison, done)
    except DatawareError as error:
        return _failure_outcome(_unverified_reason(work.job, str(error)), progress)
    if isinstance(following, Verdict):
        return _judge_verdict(work, copy, following)
    return _verify(work, copy, following)


def _verify(work: Invocation, copy: CompletedCopy, step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "outcome": VERIFY,
        "job": work.job.to_json(),
        "before": copy.state.snapshot(),
        "skipped": copy.skipped.to_json(),
        **step,
    }


def _judge_verdict(work: Invocation, copy: CompletedCopy, verdict: Verdict) -> dict[str, Any]:
    return _carry_out(work, work.job.policy.judge(copy, verdict), verdict)


def _carry_out(
    work: Invocation, decision: MigrationDecision, verdict: Verdict | None
) -> dict[str, Any]:
    """Report a decision, and answer with the outcome that carries it out."""
    job = work.job
    report_decision(work.outside, job.kind, decision, verdict, job.words)
    if decision.step in COMPLETING and verdict is not None:
        return {"outcome": DONE, "verified": verdict.compared, "unit": job.kind.unit}
    if decision.step is MigrationStep.COPY_AGAIN:
        return {"outcome": AGAIN, "job": job.again().to_json()}
    return _failure_outcome(decision.why)


def _failure_outcome(reason: str, progress: CopyState | None = None) -> dict[str, Any]:
    """The end without a verdict; `progress` is what the next run may go on from."""
    cause = {"reason": reason, "checkpoint": progress.compact() if progress else None}
    return {"outcome": FAILED, "cause": json.dumps(cause)}


def _unfinished_reason(job: MigrationJob, progress: CopyState, shards: Sequence[Shard]) -> str:
    target, arrived = job.target.name, format_count(progress.counts.in_target, job.kind.unit)
    reasons = list(dict.fromkeys(shard.failed for shard in shards if shard.failed))
    why = "; ".join(reasons[:2]) or "a worker ended without a reason"
    return (
        f"not everything is in {target} yet, only {arrived}: {why}. The next deployment resumes "
        f"there, and so does {by_hand(job)}"
    )


def _compare_sides(work: Invocation) -> Verdict:
    sides = sides_of(work)
    try:
        return compare(
            sides.source,
            sides.target,
            ordered=work.job.kind.require_copying().ordered,
            stop=lambda: work.stopped,
        )
    except IncompleteError:
        work.monitor.check()
        why = "there was no time left to verify it in this deployment"
        raise IncompleteError(_unverified_reason(work.job, why)) from None


def _unverified_reason(job: MigrationJob, why: str) -> str:
    return (
        f"everything is copied to {job.target.name}, but not verified: {why}. "
        f"Run {by_hand(job)}, which verifies it, and deploy again"
    )


def by_hand(job: MigrationJob) -> str:
    """The command that does the same outside of a deployment."""
    sides = " ".join(_address(job, place) for place in (job.source, job.target))
    return f"`dataware migrate {sides}`"


def _address(job: MigrationJob, place: Location) -> str:
    if place.name.startswith("arn:"):
        return place.name
    scheme = job.kind.require_copying().scheme
    return f"{scheme}://{place.name}" + (f"/{place.prefix}" if place.prefix else "")
