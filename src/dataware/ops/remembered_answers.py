"""AWS for the length of one plan, which asks nothing of it twice.

A probe and the comparison before an adoption ask for the same settings of a resource. Within one
plan the first answer serves both: it costs half, and both see the same moment.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from threading import Lock
from typing import Any, cast

from dataware.core.ports import Aws
from dataware.ops.context import Context

REMEMBERED = ("describe_", "get_")
"""How the calls begin whose answers are kept: those that look at one thing, and list nothing."""

NOTHING_THERE = 404
"""The status of an answer that a setting is not there; other refusals are asked for again."""


def remember_answers(context: Context) -> Context:
    """The same context, whose account answers a question that was asked before from memory."""
    return replace(context, aws=cast("Aws", _RememberingAws(context.aws)))


class _RememberingAws:
    """An account in one region; all but its clients is that of the account itself."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._memory = _Memory()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._aws, name)

    def client(self, service: str) -> Any:
        """The shared client, with memory."""
        return _RememberingClient(self._aws.client(service), service, self._memory)


class _RememberingClient:
    """A client of the SDK; all but its looks is the client itself."""

    def __init__(self, client: Any, service: str, memory: _Memory) -> None:
        self._client, self._service, self._memory = client, service, memory

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if not name.startswith(REMEMBERED) or name in {"get_paginator", "get_waiter"}:
            return call

        def ask(**arguments: Any) -> Any:
            key = (self._service, name, repr(sorted(arguments.items())))
            return self._memory.recall(key, lambda: call(**arguments))

        return ask


class _Memory:
    """What was answered, or refused because there is nothing; for any thread."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str], Any] = {}
        self._lock = Lock()

    def recall(self, key: tuple[str, str, str], ask: Callable[[], Any]) -> Any:
        """The answer, asked for if it is not known. Raises what the call raises."""
        with self._lock:
            answer = self._answers.get(key)
        if answer is None:
            answer = _attempt(ask)
            with self._lock:
                self._answers[key] = answer
        if isinstance(answer, Exception):
            raise answer
        return deepcopy(answer)


def _attempt(ask: Callable[[], Any]) -> Any:
    """The answer, or the error that says that there is nothing; raises any other."""
    try:
        return ask()
    except Exception as error:
        answer = getattr(error, "response", None) or {}
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status != NOTHING_THERE:
            raise
        return error
