"""Polls the execution; between two polls the lock stays alive by what is written here.

It is the only writer of the record while an execution runs, so that no late heartbeat can undo
its end. A failure is raised with its reason, with which the stack rolls back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dataware.core.errors import DatawareError, IncompleteError, LookupFailedError, RefusedError
from dataware.core.events import event
from dataware.core.follow.feed import UNKNOWN_OUTCOME_SECONDS
from dataware.core.model import MarkerState
from dataware.handler.invocation import LambdaContext, looking, markers_of
from dataware.ops.context import Context
from dataware.ops.failure_summary import ending
from dataware.ops.migration_job import MigrationJob
from dataware.ops.migration_policy import CARRIER, FOLLOWED

RUNNING, SUCCEEDED = frozenset({"RUNNING", "PENDING_REDRIVE"}), "SUCCEEDED"
REASON_LENGTH = 1500
"""Characters of a reason; the whole answer to CloudFormation may have 4 KB."""

GRACE_SECONDS = 120
"""How long after its deadline a copy may take to end in order."""

OVERDUE = "the copy did not end in time; the next deployment resumes there"


def handler(request: Mapping[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer whether the data has arrived and was verified. Raises with the reason if it cannot."""
    arn = request["Execution"]
    with looking(arn.rpartition(":")[2]) as outside:
        execution = _execution(outside, arn)
        job = _job(execution)
        if execution["status"] in RUNNING:
            if outside.clock.now() > job.deadline + GRACE_SECONDS:
                raise _release(outside, job, OVERDUE, {})
            _beat(outside, job)
            return {"IsComplete": False}
        if execution["status"] != SUCCEEDED:
            raise _release(outside, job, *_cause(execution))
        if job.settings.follow:
            return _begin_following(outside, job, execution)
        _complete(outside, job, json.loads(execution["output"]))
    return {"IsComplete": True}


def _begin_following(
    outside: Context, job: MigrationJob, execution: Mapping[str, Any]
) -> dict[str, Any]:
    """Put on record that changes are carried, once no write of the copy may arrive any more.

    The stack makes the event source after the answer, so nothing is carried before it.
    """
    if outside.clock.now() < execution["stopDate"].timestamp() + UNKNOWN_OUTCOME_SECONDS:
        _beat(outside, job)
        return {"IsComplete": False}
    following = {FOLLOWED: True, CARRIER: job.carrier, "phase": "following"}
    try:
        lease = markers_of(outside).rejoin(*job.record)
    except RefusedError:
        if outside.markers.get(*job.record).detail.get(CARRIER) != job.carrier:
            raise
    else:
        lease.release({**_without_checkpoint(lease.detail), **following})
    return {"IsComplete": True, "Data": job.attributes}


def _without_checkpoint(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in detail.items() if name != "checkpoint"}


def _execution(outside: Context, arn: str) -> dict[str, Any]:
    states = outside.aws.client("stepfunctions")
    with outside.aws.translate_errors("the execution", "states:DescribeExecution"):
        answer: dict[str, Any] = states.describe_execution(executionArn=arn)
    return answer


def _job(execution: Mapping[str, Any]) -> MigrationJob:
    return MigrationJob.from_json(json.loads(execution["input"])["job"])


def _beat(outside: Context, job: MigrationJob) -> None:
    """Keep the lock; a beat that only fails is tried again by the next poll."""
    try:
        lease = markers_of(outside).rejoin(*job.record)
        lease.send_heartbeat(lease.detail)
    except LookupFailedError as error:
        outside.emit(event("warning", text=str(error), **job.words))


def _complete(outside: Context, job: MigrationJob, verdict: Mapping[str, Any]) -> None:
    """Write "complete", unless an earlier poll, whose answer was lost, has done so."""
    try:
        lease = markers_of(outside).rejoin(*job.record)
    except RefusedError:
        if outside.markers.get(*job.record).state is MarkerState.COMPLETE:
            return
        raise
    lease.complete({"verified": verdict["verified"], "unit": verdict["unit"]})


def give_up(arn: str, why: str) -> DatawareError:
    """Release the lock of an execution that nobody looks after any more; its error, to be raised.

    Its workers stop by themselves once they see that the lock is lost.
    """
    with looking(arn.rpartition(":")[2]) as outside, suppress(DatawareError):
        job = _job(_execution(outside, arn))
        return _release(outside, job, why, {})
    return IncompleteError(why[:REASON_LENGTH])


def reason_of(execution: Mapping[str, Any]) -> str:
    """Why an execution ended."""
    return _cause(execution)[0]


def _release(
    outside: Context, job: MigrationJob, why: str, known: Mapping[str, Any]
) -> DatawareError:
    """Release the lock with what the next run resumes from; the error, to be raised."""
    with suppress(DatawareError):
        lease = markers_of(outside).rejoin(*job.record)
        lease.release({**lease.detail, **known, "failure": ending(IncompleteError(why))})
    outside.emit(event("incomplete", reason=why, **job.words))
    return IncompleteError(why[:REASON_LENGTH])


def _cause(execution: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The reason, and what `finish` knows of the progress.

    Where a Lambda function or Step Functions itself failed, the progress on record stands.
    """
    cause = execution.get("cause") or ""
    with suppress(ValueError):
        data = json.loads(cause)
        if isinstance(data, dict) and "reason" in data:
            return str(data["reason"]), {"checkpoint": data["checkpoint"]}
        if isinstance(data, dict) and "errorMessage" in data:
            return str(data["errorMessage"]), {}
    status = str(execution["status"]).replace("_", " ").lower()
    error = ": ".join(word for word in (execution.get("error"), cause) if word)
    return f"the execution {execution['name']} ended as {status} {error}".rstrip(), {}
