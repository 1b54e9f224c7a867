"""The function that CloudFormation calls, and that looks after a copy until it has ended.

A request of CloudFormation starts two executions of the state machine: one copies, the other one
calls here again and again, as ``{"watch": …}``, until the copy has ended and CloudFormation has
its answer. So the answer does not depend on how the copy ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dataware.core.errors import DatawareError, LookupFailedError
from dataware.handler import is_complete, on_event
from dataware.handler.invocation import LambdaContext, looking
from dataware.handler.job import job_of
from dataware.handler.reply import REQUEST_FIELDS, reply
from dataware.handler.source_stream import close_stream
from dataware.handler.variables import with_variables

LEAST_SECONDS = 2
"""Between two looks: an execution has room for 25,000 events in its history, and a look takes ten
(AWS Step Functions Developer Guide, "Service quotas")."""


def handler(request: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take a request of CloudFormation, or look at a copy once more."""
    if "watch" in request:
        return _look(request["watch"], context)
    properties = request["ResourceProperties"]
    if request["RequestType"] == "Delete":
        _let_go(properties)
        reply(request, request["PhysicalResourceId"])
        return {}
    with with_variables(properties.get("Environment", {})):
        answer = on_event.handler(request, context)
        arn, refusal = answer.get("Execution"), answer.get("Refusal")
        if arn is not None:
            refusal = _start_watch(request, answer["PhysicalResourceId"], arn)
        if arn is None or refusal:
            reply(request, answer["PhysicalResourceId"], refusal, answer.get("Data"))
    return {}


def _let_go(properties: Mapping[str, Any]) -> None:
    """Switch off the stream that was switched on by consent; nothing else is touched, ever."""
    if properties.get("EnableStream") != "true":
        return
    with with_variables(properties.get("Environment", {})), looking("delete") as outside:
        close_stream(outside, job_of(properties, execution="delete", now=outside.clock.now()))


def _start_watch(request: Mapping[str, Any], physical_id: str, arn: str) -> str | None:
    """Start the execution that looks after another one; why it cannot, if so."""
    properties = request["ResourceProperties"]
    watch = {
        "request": {name: request[name] for name in REQUEST_FIELDS},
        "id": physical_id,
        "execution": arn,
        "every": max(LEAST_SECONDS, int(properties["Every"])),
        "environment": properties.get("Environment", {}),
    }
    name = arn.rpartition(":")[2]
    try:
        with looking(name) as outside:
            text = json.dumps({"watch": watch})
            on_event.start(outside, properties["Machine"], f"{name}-watch", text)
    except DatawareError as error:
        return str(is_complete.give_up(arn, str(error)))
    return None


def _look(watch: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer CloudFormation if the copy has ended, and say whether it has.

    Raises what a later look may not meet any more; the state machine tries again, and in the end
    hands what it met on as `lost`.
    """
    with with_variables(watch["environment"]):
        refusal: str | None = None
        data: Mapping[str, str] = {}
        try:
            if lost := watch.get("lost"):
                raise is_complete.give_up(watch["execution"], _why_lost(lost))
            answer = is_complete.handler({"Execution": watch["execution"]}, context)
            if not answer["IsComplete"]:
                return {"ended": False}
            data = answer.get("Data", {})
        except LookupFailedError:
            raise
        except DatawareError as error:
            refusal = str(error)
        reply(watch["request"], watch["id"], refusal, data)
    return {"ended": True}


def _why_lost(lost: Mapping[str, str]) -> str:
    """Why nothing looked after the copy, from what the state machine caught."""
    execution = {"status": "failed", "name": "that looks after the copy"}
    return is_complete.reason_of({**execution, "error": lost["Error"], "cause": lost["Cause"]})
