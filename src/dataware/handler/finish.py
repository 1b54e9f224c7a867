"""Ends a copy: adds the shards up, reads both sides afresh and compares them.

It answers by one of the outcomes below, and writes nothing: the verdict goes into the record when
`is_complete` sees it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dataware.core.diff import Side
from dataware.core.errors import DatawareError, Incomplete
from dataware.core.events import counted
from dataware.core.events import event as happened
from dataware.core.kind import Place, Trouble
from dataware.core.model import OnConflict
from dataware.handler.job import Job
from dataware.handler.outside import LambdaContext, Work, working
from dataware.handler.shard import KEY_LENGTH, Shard
from dataware.migrate import Progress
from dataware.ops.carry import ROUNDS, tell_verdict
from dataware.ops.compare import Verdict, compare
from dataware.ops.verify import reader

COPY, AGAIN, DONE, FAILED = "copy", "again", "done", "failed"
"""Copy the shards; begin another round; verified; given up."""

NAMED = 5
"""Keys that a reason names, so that it fits into an event of the stack."""


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer with an outcome for ``{"job": …, "before": …, "shards": […]}``."""
    progress = Progress.of([event["before"]])
    shards = [Shard.from_json(shard) for shard in event["shards"]]
    with working(Job.from_json(event["job"]), context) as work:
        return finish(work, progress, shards)


def finish(work: Work, progress: Progress, shards: Sequence[Shard]) -> dict[str, Any]:
    """The outcome of a copy; `progress` is that of the runs before."""
    resumed = progress.counts.left
    for shard in shards:
        if shard.done or shard.cursor is not None:
            progress.take(shard.record())
    if not progress.finished:
        return _failed(_unfinished(work.job, progress, shards), progress)
    if reason := _left_behind(work.job, progress, shards):
        return _failed(reason)
    try:
        verdict = _verify(work)
    except DatawareError as error:
        return _failed(str(error), progress)
    if _unexplained(verdict, shards, resumed):
        return _differs(work.job, verdict)
    work.outside.emit(happened("migrated", **work.job.words))
    tell_verdict(work.outside, work.job.kind, verdict, work.job.words)
    return {"outcome": DONE, "verified": verdict.compared, "unit": work.job.kind.unit}


def _failed(reason: str, progress: Progress | None = None) -> dict[str, Any]:
    """The end without a verdict; `progress` is what the next run may go on from."""
    cause = {"reason": reason, "checkpoint": progress.compact() if progress else None}
    return {"outcome": FAILED, "cause": json.dumps(cause)}


def _unfinished(job: Job, progress: Progress, shards: Sequence[Shard]) -> str:
    target, arrived = job.target.name, counted(progress.counts.done, job.kind.unit)
    reasons = list(dict.fromkeys(shard.failed for shard in shards if shard.failed))
    why = "; ".join(reasons[:2]) or "a worker ended without a reason"
    return (
        f"not everything is in {target} yet, only {arrived}: {why}. "
        f"The next deployment goes on from there, and so does {by_hand(job)}"
    )


def _left_behind(job: Job, progress: Progress, shards: Sequence[Shard]) -> str | None:
    """Why what was left behind is not all right; None if nobody minds."""
    troubles = Counter(progress.troubles)
    if job.settings.on_conflict is OnConflict.TARGET:
        troubles.pop(Trouble.CONFLICT, None)
    if not troubles or job.settings.accept_left:
        return None
    listed = ", ".join(f"{n:,} {trouble}" for trouble, n in sorted(troubles.items()))
    kept = [f"{left['key']}: {left['why']}" for shard in shards for left in shard.kept]
    return (
        f"{counted(sum(troubles.values()), job.kind.unit)} of {job.source.name} not copied to "
        f"{job.target.name} ({listed}), such as {'; '.join(kept[:NAMED]) or 'those in the log'}. "
        "Nothing was replaced; cure the causes, choose by on_conflict, or accept them by "
        "accept_left"
    )


def _verify(work: Work) -> Verdict:
    job, outside = work.job, work.outside
    outside.emit(happened("verifying", **job.words))
    sides = [
        reader(outside, job.kind, place, all_versions=job.settings.all_versions, deep=False)
        for place in (job.source, job.target)
    ]
    try:
        return compare(*sides, ordered=job.kind.ordered, stop=lambda: work.stopped)
    except Incomplete:
        work.guard.check()
        raise Incomplete(
            f"everything is copied to {job.target.name}, but there was not the time to verify it "
            f"within the deployment: run {by_hand(job)}, which verifies it, and deploy again"
        ) from None


def _unexplained(verdict: Verdict, shards: Sequence[Shard], resumed: int) -> bool:
    """Whether something is missing or different that the copy did not report as left behind."""
    wrong = verdict.counts[Side.MISSING] + verdict.counts[Side.DIFFERENT]
    left = resumed + sum(shard.counts.left for shard in shards)
    kept = {one["key"] for shard in shards for one in shard.kept}
    if left > len(kept) or any(len(key) >= KEY_LENGTH for key in kept):
        return wrong != left  # not all keys are known, so the numbers have to be the same
    return any(
        difference.label not in kept
        for difference in verdict.listed
        if difference.side is not Side.EXTRA
    )


def _differs(job: Job, verdict: Verdict) -> dict[str, Any]:
    """Copy what is missing, up to a bound; the source is probably being written to."""
    if job.round < ROUNDS:
        return {"outcome": AGAIN, "job": job.again().to_json()}
    named = "; ".join(f"{one.side}: {one.label}" for one in verdict.listed[:NAMED])
    return _failed(
        f"{job.source.name} and {job.target.name} still differ after {ROUNDS} copies "
        f"({verdict.summary()}: {named}): the source is probably being written to, so pause its "
        "writers and deploy again"
    )


def by_hand(job: Job) -> str:
    """The command that does the same outside of a deployment."""
    sides = " ".join(_address(job, place) for place in (job.source, job.target))
    return f"`dataware migrate {sides}`"


def _address(job: Job, place: Place) -> str:
    if place.name.startswith("arn:"):
        return place.name
    return f"{job.kind.scheme}://{place.name}" + (f"/{place.prefix}" if place.prefix else "")
