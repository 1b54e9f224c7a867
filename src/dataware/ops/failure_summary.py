"""How a run ended without finishing, in a form small enough for its record."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.core.errors import DatawareError, IncompleteError, RefusedError
from dataware.http.endpoint import without_credentials

WHY_LENGTH = 300
"""Characters of a reason; the record has to fit a parameter of 4 KB."""

CARRIED = (
    *("checkpoint", "identity", "done", "total", "skipped", "unit"),
    *("followed", "guarded", "feed_enabled", "undo_feed", "object_headers"),
    *("carrier",),
)
"""What the next run goes on with; the rest of a record is about the run that wrote it."""


def ending(error: BaseException) -> dict[str, object]:
    """The exit code and the reason of a run that `error` ended.

    What was not expected is named only by its class, because its text may hold data.
    """
    if isinstance(error, DatawareError):
        code, why = error.exit_code, without_credentials(error.public)
    elif isinstance(error, KeyboardInterrupt):
        code, why = IncompleteError.exit_code, "stopped immediately by a person or the system"
    else:
        code, why = 1, f"unexpected error, {type(error).__name__}"
    return {
        "exit_code": code,
        "reason": why if len(why) <= WHY_LENGTH else f"{why[: WHY_LENGTH - 1]}…",
    }


def state_of(exit_code: object) -> str:
    """The state of a run that ended with an exit code: failed, stopped or incomplete."""
    return {RefusedError.exit_code: "stopped", IncompleteError.exit_code: "incomplete"}.get(
        exit_code if isinstance(exit_code, int) else 1, "failed"
    )


def carry_over(detail: Mapping[str, object]) -> dict[str, object]:
    """What of an earlier run's record the next run goes on with."""
    return {name: detail[name] for name in CARRIED if name in detail}
