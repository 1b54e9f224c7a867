"""What a person need not read twice: the lines of decisions that the plan below them shows."""

from __future__ import annotations

from collections.abc import Callable

from dataware.core.events import Event

DECISIONS = frozenset(
    {"keeping", "importing", "importing-empty", "referencing", "migrating", "migrating-into"}
    | {"resuming", "preferred-empty", "fallback-empty", "creating", "using-existing"}
    | {"deferred", "stopped", "stopped-by-guard", "loss-allowed"}
)
"""Codes of lines that tell of a decision."""

SENTENCES = frozenset({"warning", "note"})
PLAN = "plan"
"""What a warning is about that belongs to no single resource."""


def without_decisions(emit: Callable[[Event], None]) -> Callable[[Event], None]:
    """`emit` for a display that shows a plan: it hears of no decision until the plan was shown."""
    planned = False

    def report(happened: Event) -> None:
        nonlocal planned
        if planned or not _is_in_plan(happened):
            emit(happened)
        planned = planned or happened.code == "plan"

    return report


def _is_in_plan(happened: Event) -> bool:
    if happened.code in SENTENCES:
        return "name" in happened.data or happened.data.get("about") == PLAN
    return happened.code in DECISIONS
