"""Clients of the SDK that read and never write; a table they may have exported."""

from __future__ import annotations

from typing import Any

from dataware.core.errors import RefusedError
from dataware.core.read_only_wire import exports_into_own_bucket, write_refusal

_READING = ("Get", "List", "Head", "Describe", "BatchGet", "Scan", "Query", "Assume")
"""How the names of operations begin that change nothing in an account; a role is assumed by STS."""


def reads_operation(operation: str) -> bool:
    """Whether an operation of the SDK changes nothing."""
    return operation.startswith(_READING)


def refuse_writes(client: Any) -> None:
    """Let a client raise RefusedError for every operation that may change something.

    An export is none, where it goes into a bucket that dataware makes.
    """

    def check(model: Any, params: Any, **_: Any) -> None:
        if reads_operation(model.name):
            return
        if not exports_into_own_bucket(model.name, params.get("body")):
            raise RefusedError(write_refusal(f"{model.service_model.service_name}:{model.name}"))

    client.meta.events.register_first("before-call", check)
