"""The custom resource's events: Create and Update start an execution, Delete does nothing.

The answer always has the same physical id, also with a refusal, so that CloudFormation never
takes it for another resource.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

from dataware.core.engines.unfinished_work import refuse_service_work
from dataware.core.errors import DatawareError, LookupFailedError, RefusedError
from dataware.core.events import event
from dataware.core.model import Content, Existence, Facts, Location, Marker, MarkerState
from dataware.handler.invocation import LambdaContext, looking, markers_of
from dataware.handler.job import job_of, physical_id, place_of
from dataware.handler.source_stream import open_stream
from dataware.ops.context import Context, aws_of
from dataware.ops.marker_names import on_record
from dataware.ops.migrate import check_source, prepare_migration, refuse_content
from dataware.ops.migration_job import MigrationJob
from dataware.ops.migration_policy import CARRIER, FEED_ENABLED, Migration
from dataware.ops.probe import look


def handler(request: Mapping[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer the physical id, with the `Execution` that was started or the `TableRequestError`."""
    if request["RequestType"] == "Delete":
        return {"PhysicalResourceId": request["PhysicalResourceId"]}
    properties = request["ResourceProperties"]
    return {"PhysicalResourceId": physical_id(properties), **_start_or_refuse(request, properties)}


def _start_or_refuse(request: Mapping[str, Any], properties: Mapping[str, str]) -> dict[str, Any]:
    name = f"dataware-{request['RequestId']}"
    try:
        with looking(name) as outside:
            job = job_of(properties, execution=name, now=outside.clock.now())
            if not job.settings.follow:
                return _start_copy(outside, request, job)
            stream, enabled = open_stream(outside, job)
            job = replace(job, stream=stream)
            return {"Data": job.attributes, **_start_copy(outside, request, job, enabled)}
    except DatawareError as error:
        return {"Refusal": str(error)}
    except Exception as error:
        traceback.print_exc()
        return {"Refusal": f"dataware failed with {type(error).__name__}: {error}"}


def _start_copy(
    outside: Context, request: Mapping[str, Any], job: MigrationJob, enabled: bool = False
) -> dict[str, Any]:
    """Start a copy, unless none may begin; `enabled` says that the stream was switched on here."""
    if markers_of(outside).holds(*job.record):
        machine = request["ResourceProperties"]["Machine"]
        return {"Execution": _execution(outside, machine, job, None)}  # it was here before
    properties, marker = request["ResourceProperties"], outside.markers.get(*job.record)
    why = _rolled_back(request, marker)
    if why is None and properties.get("IfNeeded") == "true":
        why = _not_needed(outside, job, marker)
    if why is None:
        why = _verified_before(outside, job, marker) or _followed_before(outside, job, marker)
    if why is None:
        _refuse_earlier_source(request, job)
        migration = prepare_migration(outside, job.type, job.source, job.target, job.settings)
        check_source(outside, migration)
        if job.settings.follow:
            refuse_content(migration)
        else:
            why = migration.why_nothing_to_copy()
        if why is None:
            detail = {FEED_ENABLED: job.stream} if enabled else {}
            return {"Execution": _start(outside, properties["Machine"], job, migration, detail)}
    outside.emit(event("nothing-to-do", reason=why, **job.words))
    return {}


def _rolled_back(request: Mapping[str, Any], marker: Marker) -> str | None:
    """Whether an update is taken back: its source is that of an unfinished migration.

    An update that succeeded leaves no unfinished one, so the *old* properties failed.
    """
    if request["RequestType"] != "Update" or marker.state is not MarkerState.RUNNING:
        return None
    old = place_of(request["OldResourceProperties"], "Source")
    source = f"{old.name}/{old.prefix}" if old.prefix else old.name
    if marker.source != source:
        return None
    return f"the update that began to migrate {source} is being rolled back"


def _not_needed(outside: Context, job: MigrationJob, marker: Marker) -> str | None:
    """Why there is nothing to copy, for who asks only in case; what is unknown has to be copied."""
    source = _look(outside, job, job.source)
    if source.existence is Existence.ABSENT:
        return f"there is no {job.kind.noun} {source.name}"
    if source.existence is Existence.EXISTS and source.content is Content.EMPTY:
        return f"{source.name} holds no data"
    if marker.state is not MarkerState.RUNNING and _look(outside, job, job.target).holds_data:
        return f"{job.target.name} already holds other data"
    return None


def _verified_before(outside: Context, job: MigrationJob, marker: Marker) -> str | None:
    """Whether the data arrived once: copied again, it would bring back what was deleted since.

    The source may be gone by now.
    """
    source, target = on_record(job.kind, job.order)
    if marker.state is not MarkerState.COMPLETE or marker.source != source:
        return None
    if marker.identity not in {None, _look(outside, job, job.target).identity}:
        return None
    return f"{target} has the verified data of {source} already"


def _refuse_earlier_source(request: Mapping[str, Any], job: MigrationJob) -> None:
    """Raise RefusedError where a target is renamed and the source stays.

    An update that succeeded had filled the earlier target, and the app has used that since.
    """
    if request["RequestType"] != "Update":
        return
    old = request["OldResourceProperties"]
    before = place_of(old, "Target")
    if old["Type"] != job.type or before.name == job.target.name:
        return
    if place_of(old, "Source") == job.source:
        raise RefusedError(
            f"{job.target.name} would be filled from {job.source.name}, as {before.name} was, "
            f"which may hold newer data: name {before.name} as its source, or copy "
            f"{job.source.name} again under a new construct id"
        )


def _followed_before(outside: Context, job: MigrationJob, marker: Marker) -> str | None:
    """Whether the function of this stack carries already: a copy beside it could bring back what
    it deletes.
    """
    source, target = on_record(job.kind, job.order)
    is_same = marker.source == source and marker.detail.get(CARRIER) == job.carrier
    if not job.settings.follow or marker.state is not MarkerState.RUNNING or not is_same:
        return None
    if marker.identity not in {None, _look(outside, job, job.target).identity}:
        return None
    return f"{target} follows {source} already"


def _look(outside: Context, job: MigrationJob, place: Location) -> Facts:
    there = replace(outside, aws=aws_of(outside, place))
    return look(there, job.kind, place.name)


def _start(
    outside: Context,
    machine: str,
    job: MigrationJob,
    migration: Migration,
    detail: Mapping[str, object],
) -> str:
    """Take the lock in the name of the execution, and start it."""
    refuse_service_work(migration.marker, job.source.name, job.target.name)
    marker = migration.begin_marker(uuid4().hex[:12])
    marker = replace(marker, detail={**_without_carrier(marker.detail), **detail})
    lease = markers_of(outside).begin(*job.record, marker, migration.marker)
    checkpoint = migration.checkpoint_into(migration.target.identity)
    try:
        outside.emit(event("resuming" if migration.resumes else "copying", **job.words))
        return _execution(outside, machine, job, checkpoint)
    except BaseException:
        with suppress(DatawareError):
            lease.release(lease.detail)
        raise


def _without_carrier(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in detail.items() if name != CARRIER}


def _execution(outside: Context, machine: str, job: MigrationJob, checkpoint: Any) -> str:
    """Start the execution that copies."""
    text = json.dumps({"job": job.to_json(), "checkpoint": checkpoint})
    return start(outside, machine, job.execution, text)


def start(outside: Context, machine: str, name: str, text: str) -> str:
    """Start an execution; one of that name, which an earlier try started, is as good. Its ARN.

    Raises LookupFailedError.
    """
    states = outside.aws.client("stepfunctions")
    try:
        with outside.aws.translate_errors("the state machine", "states:StartExecution"):
            answer = states.start_execution(stateMachineArn=machine, name=name, input=text)
            return str(answer["executionArn"])
    except LookupFailedError as error:
        if error.code != "ExecutionAlreadyExists":
            raise
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
