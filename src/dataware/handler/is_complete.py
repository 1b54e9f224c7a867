"""Polls the execution; between two polls the lock stays alive by what is written here.

It is the only writer of the record while an execution runs, so that no late sign of life can undo
its end. A failure is raised with its reason: the stack rolls back and shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dataware.core.errors import CannotSee, DatawareError, Incomplete, Refused
from dataware.core.events import event as happened
from dataware.core.model import MarkerState
from dataware.handler.job import Job
from dataware.handler.outside import LambdaContext, looking, markers_of
from dataware.ops.context import Context
from dataware.ops.ending import ending

RUNNING, SUCCEEDED = frozenset({"RUNNING", "PENDING_REDRIVE"}), "SUCCEEDED"
REASON_LENGTH = 1500
"""Characters of a reason; the whole answer to CloudFormation may have 4 KB."""


def handler(event: Mapping[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer whether the data has arrived and was verified. Raises with the reason if it cannot."""
    if event["RequestType"] == "Delete":
        return {"IsComplete": True}
    if refusal := event.get("Refusal"):
        raise Refused(refusal[:REASON_LENGTH])
    arn = event.get("Execution")
    if arn is None:
        return {"IsComplete": True}
    with looking(arn.rpartition(":")[2]) as outside:
        with outside.aws.looking_at("the execution", "states:DescribeExecution"):
            found = outside.aws.client("stepfunctions").describe_execution(executionArn=arn)
        job = Job.from_json(json.loads(found["input"])["job"])
        if found["status"] in RUNNING:
            _beat(outside, job)
            return {"IsComplete": False}
        if found["status"] != SUCCEEDED:
            raise _failure(outside, job, found)
        _complete(outside, job, json.loads(found["output"]))
    return {"IsComplete": True}


def _beat(outside: Context, job: Job) -> None:
    """Keep the lock; a beat that only fails is tried again by the next poll."""
    try:
        lease = markers_of(outside).rejoin(*job.record)
        lease.beat(lease.detail)
    except CannotSee as error:
        outside.emit(happened("warning", text=str(error), **job.words))


def _complete(outside: Context, job: Job, verdict: Mapping[str, Any]) -> None:
    """Write "complete", unless an earlier poll, whose answer was lost, has done so."""
    try:
        lease = markers_of(outside).rejoin(*job.record)
    except Refused:
        if outside.markers.get(*job.record).state is MarkerState.COMPLETE:
            return
        raise
    lease.complete({"verified": verdict["verified"], "unit": verdict["unit"]})


def _failure(outside: Context, job: Job, found: Mapping[str, Any]) -> DatawareError:
    """Release the lock with what the next run goes on from, and say why the execution ended."""
    reason, known = _cause(found)
    with suppress(DatawareError):
        lease = markers_of(outside).rejoin(*job.record)
        lease.release({**lease.detail, **known, "ended": ending(Incomplete(reason))})
    outside.emit(happened("incomplete", why=reason, **job.words))
    return Incomplete(reason[:REASON_LENGTH])


def _cause(found: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The reason, and what `finish` knows of the progress.

    Where a Lambda function or Step Functions itself failed, the progress on record stands.
    """
    cause = found.get("cause") or ""
    with suppress(ValueError):
        data = json.loads(cause)
        if isinstance(data, dict) and "reason" in data:
            return str(data["reason"]), {"checkpoint": data["checkpoint"]}
        if isinstance(data, dict) and "errorMessage" in data:
            return str(data["errorMessage"]), {}
    status = str(found["status"]).replace("_", " ").lower()
    error = ": ".join(word for word in (found.get("error"), cause) if word)
    return f"the execution {found['name']} ended as {status} {error}".rstrip(), {}
