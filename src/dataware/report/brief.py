"""What a person need not read twice: decisions that a plan below them shows, repeated looks."""

from __future__ import annotations

from collections.abc import Callable, Set

from dataware.core.events import Event

DECISIONS = frozenset(
    {"keeping", "importing", "importing-empty", "referencing", "migrating", "migrating-into"}
    | {"resuming", "preferred-empty", "fallback-empty", "creating", "using-existing"}
    | {"deferred", "stopped", "stopped-by-guard", "loss-allowed"}
)
"""Codes of lines that tell of a decision."""

SENTENCES = frozenset({"warning", "note"})
NEEDED_IN_LOGS = frozenset({"stopped", "stopped-by-guard", "loss-allowed"}) | SENTENCES
"""Codes that people search a log for."""

PLAN = "plan"
"""What a warning is about that belongs to no single resource."""

REPEATED = {"looking": ("account", "region"), "saved": ("path",)}
"""Codes of what a command does several times, and the fields that say what it did it to."""


def without_decisions(
    emit: Callable[[Event], None], keeps: Set[str] = frozenset()
) -> Callable[[Event], None]:
    """`emit` for a display that shows a plan: it hears of no decision until the plan was shown.

    Codes in `keeps` are told all the same.
    """
    planned = False

    def report(happened: Event) -> None:
        nonlocal planned
        if planned or happened.code in keeps or not _is_in_plan(happened):
            emit(happened)
        planned = planned or happened.code == "plan"

    return report


def _is_in_plan(happened: Event) -> bool:
    if happened.code in SENTENCES:
        return "name" in happened.data or happened.data.get("about") == PLAN
    return happened.code in DECISIONS


class RepetitionFilter:
    """Lets a display hear of the first look and of each saved file once, over a whole command."""

    def __init__(self) -> None:
        self._reported: set[tuple[object, ...]] = set()

    def over(self, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        """`emit` without what was told before."""

        def report(happened: Event) -> None:
            if happened.code in REPEATED:
                about = tuple(happened.data.get(name) for name in REPEATED[happened.code])
                if (happened.code, *about) in self._reported:
                    return
                self._reported.add((happened.code, *about))
            emit(happened)

        return report
