"""A comparison whose tasks workers carry out; this machine adds up what they found, and judges.

The steps are those of every comparison (`dataware.verify`). Each is one execution, which has the
plan of its step beside it in the bucket:

    plan on file ── execution started ── watched ── results read ── every task done? ──> next step
                         ^                                               │ no
                         └──── what is left, by the next command ────────┘

A task counts only where a worker's result says that it was read to its end: what failed, was never
begun or left no result ends the command as incomplete. Sums of digests do not depend on which
worker read what, so nothing rests on how a service divides its data: segments of two tables hold
different keys, and their sums add up to the same all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dataware.core.errors import IncompleteError, LookupFailedError, NotFoundError
from dataware.core.events import event, format_count
from dataware.ops.context import Context
from dataware.ops.map_engine.execution import MapExecution
from dataware.ops.migration_job import MigrationJob
from dataware.verify.comparison import Comparison
from dataware.verify.steps import Readers, VerifyTask
from dataware.verify.task_state import ROOM_ALONE, TaskState
from dataware.verify.verdict import Verdict

MOST_PARTS = 200
"""Parts of a side, so that some hundred workers end at about the same time."""

PLAN_ROOM = 16 * 1024**2
"""Bytes of the differences that stand in the plan of the next step."""

FRESH_SECONDS = 3600.0
"""How old results may be that a command goes on with; older ones say too little of today."""

PART = "part"


class StepPlan(NamedTuple):
    """A step: the comparison before it, its tasks, and the executions that carry them out."""

    comparison: Mapping[str, Any]
    tasks: tuple[VerifyTask, ...]
    executions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The plan as it stands on file."""
        tasks = [task.to_json() for task in self.tasks]
        return {"comparison": self.comparison, "tasks": tasks, "executions": self.executions}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> StepPlan:
        """The plan that `to_json` wrote."""
        tasks = tuple(map(VerifyTask.from_json, data["tasks"]))
        return StepPlan(data["comparison"], tasks, tuple(data["executions"]))


class StepResult:
    """What has come back of a step: `comparison` has it taken in, `left` is what is not done."""

    def __init__(self, plan: StepPlan) -> None:
        self.comparison = Comparison.from_json(plan.comparison)
        self.reasons: list[str] = []
        self._planned = frozenset(plan.tasks)
        self._done: set[VerifyTask] = set()

    def take(self, state: TaskState) -> None:
        """Take a task in, once. Raises LookupFailedError for one that nobody has planned."""
        task = state.task
        if task not in self._planned:
            raise LookupFailedError(
                f"the results of the workers are of another comparison: {task.side} {task.part}"
            )
        if not state.done:
            self.reasons.append(state.failed or "a worker ended without a reason")
        elif task not in self._done:
            self._done.add(task)
            self.comparison.take(task, state.result)

    @property
    def left(self) -> Sequence[VerifyTask]:
        """The tasks that are not done, however that came."""
        return sorted(self._planned - self._done, key=lambda task: (task.side, task.part))


class VerificationDesk(NamedTuple):
    """What a command brings for its workers.

    `find_earlier` has the execution that an earlier command began last, `begin` names the next one
    and puts that on record, `open` has one by its name, `describe` makes its job for a number of
    workers, and `watch` waits for its end, and says why it came early, if it did.
    """

    find_earlier: Callable[[], MapExecution | None]
    begin: Callable[[], MapExecution]
    open: Callable[[str], MapExecution]
    describe: Callable[[int], MigrationJob]
    watch: Callable[[MapExecution], str]


@dataclass(frozen=True, slots=True)
class MapVerification:
    """Compares two sides by workers; `words` are those of the events."""

    context: Context
    sides: Readers
    desk: VerificationDesk
    words: Mapping[str, object]

    def compare(self, *, ordered: bool) -> Verdict:
        """What the comparison finds; goes on with what an earlier command began.

        Raises IncompleteError where a part was not compared, and LookupFailedError.
        """
        for side in (self.sides.source, self.sides.target):
            side.most_parts = MOST_PARTS
        comparison = self._resume() or Comparison.begin(self.sides, ordered=ordered)
        while comparison.step is not None:
            plan = StepPlan(comparison.to_json(PLAN_ROOM), tuple(comparison.tasks(self.sides)))
            comparison = self._carry_out(plan, plan.tasks)
        return comparison.verdict

    def _resume(self) -> Comparison | None:
        """The comparison after a step that was begun; None where a new one has to begin."""
        execution = self.desk.find_earlier()
        if execution is None or not self._is_fresh(execution):
            return None
        try:
            plan = StepPlan.from_json(execution.read_before())
        except (NotFoundError, LookupError, TypeError, ValueError):
            return None
        text = (
            f"resuming the execution {execution.name} of an earlier command; what it has compared "
            "is not read again"
        )
        self.context.emit(event("note", text=text, **self.words))
        self.desk.watch(execution)
        result = self._read(plan)
        if result.left:
            return self._carry_out(plan, result.left)
        result.comparison.advance()
        return result.comparison

    def _is_fresh(self, execution: MapExecution) -> bool:
        """Whether an execution goes on, or has ended only just."""
        progress = execution.look()
        if progress is None:
            return False
        if not progress.ended:
            return True
        age = execution.find_age(self.context.clock.now())
        return age is not None and age <= FRESH_SECONDS

    def _carry_out(self, plan: StepPlan, tasks: Sequence[VerifyTask]) -> Comparison:
        """The comparison after a step, whose `tasks` are still to be done."""
        execution = self.desk.begin()
        plan = plan._replace(executions=(*plan.executions, execution.name))
        states = [TaskState(task, ROOM_ALONE).to_json() for task in tasks]
        execution.start_items(plan.to_json(), states, self.desk.describe(len(tasks)).to_json())
        parts = format_count(len(tasks), PART)
        text = f"workers compare both sides ({tasks[0].step}: {parts}, execution {execution.name})"
        self.context.emit(event("note", text=text, **self.words))
        problem = self.desk.watch(execution)
        result = self._read(plan)
        if left := result.left:
            reasons = list(dict.fromkeys(filter(None, (*result.reasons, problem))))
            why = "; ".join(reasons[:2]) or "no worker reported on them"
            raise IncompleteError(
                f"{format_count(len(left), PART)} of {parts} not compared: {why}; run the same "
                "command again to resume"
            )
        result.comparison.advance()
        return result.comparison

    def _read(self, plan: StepPlan) -> StepResult:
        """What all executions of a step have brought, the newest first."""
        result = StepResult(plan)
        for name in reversed(plan.executions):
            result.reasons += self.desk.open(name).read_tasks(result.take)
        return result
