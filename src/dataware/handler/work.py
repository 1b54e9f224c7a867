"""The function that copies and verifies: every step of the state machine that touches data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataware.handler import begin, copy_shard, finish
from dataware.handler.invocation import LambdaContext
from dataware.handler.variables import with_variables

STEPS: Mapping[str, Callable[[Mapping[str, Any], LambdaContext], dict[str, Any]]] = {
    "begin": begin.handler,
    "work": copy_shard.handler,
    "finish": finish.handler,
}


def handler(request: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry out one step: ``{"step": …, "event": …}``, where the event holds the job.

    A batch of a Distributed Map holds it in its ``BatchInput``.
    """
    event = request["event"]
    with with_variables(event.get("BatchInput", event)["job"].get("environment", {})):
        return STEPS[request["step"]](event, context)
