"""The use case "status --watch": what runs, as it goes on, from any terminal or machine.

It reads the records and nothing else, so it neither needs nor disturbs the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dataware.calc.rate import rough
from dataware.core.errors import ServiceError
from dataware.core.events import event
from dataware.ops.context import Context
from dataware.ops.control_reporter import describe_control
from dataware.ops.status import (
    COMPLETE,
    RUNNING,
    UNKNOWN,
    MigrationStatus,
    amount,
    check_seen,
    pace,
    run_details,
    runs_on_record,
)

LOOKS = 2
"""Looks in a row that have to find nothing: between two migrations of one run there is a moment
in which none is on record as running."""

Key = tuple[str, str]


class Watcher:
    """Looks again and again until nothing runs; `wait` lasts until the next look."""

    def __init__(
        self,
        context: Context,
        wait: Callable[[], None],
        name: str | None = None,
        resolve: Callable[[str], str] = str,
    ) -> None:
        self._context = context
        self._wait = wait
        self._name = name
        self._resolve = resolve
        self._known: dict[Key, MigrationStatus] | None = None
        self._blind = False

    def watch(self) -> None:
        """Watch until nothing runs. Raises LookupFailedError, and InputError for an unknown name.

        Only the first look has to succeed: a later one that fails is warned of once, and tried
        again. A record that cannot be read is warned of at once, and raised at the end.
        """
        idle = 0
        while True:
            runs = self._look()
            if runs is not None:
                self._report(runs)
                idle = 0 if any(run.state == RUNNING for run in runs.values()) else idle + 1
            if idle >= LOOKS:
                break
            self._wait()
        last_runs = list((self._known or {}).values())
        sure = "" if all(run.state != UNKNOWN for run in last_runs) else ", as far as is known"
        self._context.emit(event("done", text=f"No migration is running{sure}"))
        check_seen(last_runs)

    def _look(self) -> dict[Key, MigrationStatus] | None:
        try:
            # A record that goes away while it is watched is no wrong name.
            name = self._name if self._known is None else None
            runs = runs_on_record(self._context, name, self._resolve)
        except ServiceError as error:
            if self._known is None:
                raise
            if not self._blind:
                text = f"cannot read the records, retrying: {error}"
                self._context.emit(event("warning", text=text))
            self._blind = True
            return None
        if self._blind:
            self._context.emit(event("note", text="the records can be read again"))
        self._blind = False
        last_runs = self._known
        if last_runs is None or self._name is None:
            return {run.key: run for run in runs}
        return {run.key: run for run in runs if run.key in last_runs or run.is_into(self._name)}

    def _report(self, runs: Mapping[Key, MigrationStatus]) -> None:
        first, before = self._known is None, self._known or {}
        for key, run in runs.items():
            if run.state == RUNNING:
                self._report_running(run)
            elif run.state == UNKNOWN:
                if key not in before or before[key].state != UNKNOWN:
                    self._context.emit(event("warning", text=run.why))
            elif not first and _has_ended(before.get(key), run):
                code = "migration-completed" if run.state == COMPLETE else "migration-ended"
                self._context.emit(event(code, progress=run_details(run), **run.words()))
        for key, run in before.items():
            if key not in runs and run.state == RUNNING:
                words = {**run.words(), "state": "removed"}
                self._context.emit(
                    event("migration-ended", progress=": its record is gone", **words)
                )
        self._known = dict(runs)

    def _report_running(self, run: MigrationStatus) -> None:
        phase = str(run.detail.get("phase") or RUNNING)
        far = " ".join(part for part in (phase, amount(run)) if part)
        words = {**run.words(), "phase": phase}
        words["age"] = round(run.figures_age or 0)
        words["eta"] = rough(
            run.number("seconds_left") if run.detail.get("seconds_left") is not None else None
        )
        control = describe_control(run.control, run.target)
        progress = ", ".join([far, *pace(run), *([control] if control else [])])
        self._context.emit(event("watch-progress", progress=progress, **words))


def _has_ended(before: MigrationStatus | None, now: MigrationStatus) -> bool:
    """Whether a run ended since the last look, be it that it also began since."""
    return before is None or before.state == RUNNING or before.run != now.run
