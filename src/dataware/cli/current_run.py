"""Where a command that runs leaves its record for whoever writes how it ended.

Nothing heavy is imported here, because every start needs it; the record itself is in `run_log`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class RunRecord(Protocol):
    """The record of a command."""

    @property
    def hint(self) -> str | None:
        """How to make the report of the run, in a line; None where nobody may want one."""
        ...

    def end(self, exit_code: int, reason: str | None) -> None:
        """Keep how the command ended."""
        ...


class CurrentRun:
    """Holds the record of the running command; None before it has begun one."""

    record: RunRecord | None = None


CURRENT: ContextVar[CurrentRun | None] = ContextVar("record", default=None)


@contextmanager
def slot() -> Iterator[CurrentRun]:
    """The slot of the command that runs inside of the context."""
    run = CurrentRun()
    token = CURRENT.set(run)
    try:
        yield run
    finally:
        CURRENT.reset(token)
