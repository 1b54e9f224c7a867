"""One task of a verification, how far it is and what it found, as an execution carries it.

Where a state carries all of them together they share out its room; where each has a state of its
own, as for a command, it may find as much as a state holds.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.calc.multiset_digest import MultisetDigest
from dataware.verify.digests import DigestSlots
from dataware.verify.steps import TaskResult, VerifyTask
from dataware.verify.verdict import Verdict

SLOTS = 4096
"""Slots of all tasks of a step together: 64 KB of sums, whatever the number of tasks."""

DIFFERENCES = 40_000
"""Bytes of the differences that all tasks of a step name together; more are only counted."""


ROOM_ALONE = 40_000
"""Bytes of the differences that a task names which has a state of its own, beside its sums."""

WHY_LENGTH = 300


@dataclass(slots=True)
class TaskState:
    """The state of one task; `room` is for the differences that it names, in bytes."""

    task: VerifyTask
    room: int
    result: TaskResult = field(default_factory=TaskResult)
    failed: str | None = None

    @property
    def done(self) -> bool:
        """Whether the whole part was read."""
        return self.result.done

    @property
    def ended(self) -> bool:
        """Whether there is no point in calling a worker again."""
        return self.done or self.failed is not None

    def fail(self, why: str) -> None:
        """Note why the task ends before it is done."""
        self.failed = why[:WHY_LENGTH]

    def to_json(self) -> dict[str, Any]:
        """The task as an execution carries it; `ended` is what its loop asks for."""
        result = self.result
        return {
            "task": self.task.to_json(),
            "room": self.room,
            "cursor": result.cursor,
            "done": result.done,
            "ended": self.ended,
            "slots": b64encode(result.slots.to_bytes()).decode() if result.slots else None,
            "verdict": result.verdict.to_json(self.room),
            "resolved": result.resolved.text,
            "failed": self.failed,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> TaskState:
        """The task of an execution."""
        slots = data["slots"]
        result = TaskResult(
            data["cursor"],
            data["done"],
            DigestSlots.from_bytes(b64decode(slots)) if slots else None,
            Verdict.from_json(data["verdict"]),
            MultisetDigest.from_text(data["resolved"]),
        )
        return TaskState(
            VerifyTask.from_json(data["task"]), data["room"], result, data.get("failed")
        )

    @staticmethod
    def is_one(data: Mapping[str, Any]) -> bool:
        """Whether the state of a worker is a task, and not a shard of the copy."""
        return "task" in data


def new_task_states(tasks: list[VerifyTask]) -> list[TaskState]:
    """Tasks at their start, which share out what an execution can carry."""
    room = DIFFERENCES // max(1, len(tasks))
    return [TaskState(task, room) for task in tasks]
