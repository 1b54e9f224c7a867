"""The verification of an execution: its steps, and what explains a difference.

begin ──> tasks ──(workers)──> proceed ──> tasks of the next step … ──> verdict
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.calc.json_size import fitting
from dataware.core.errors import IncompleteError
from dataware.handler.invocation import Invocation
from dataware.handler.shard import KEY_LENGTH, Shard
from dataware.handler.verify_task import DIFFERENCES, SLOTS, TaskState, new_task_states
from dataware.ops import verify
from dataware.verify.comparison import Comparison
from dataware.verify.merge import DifferenceKind
from dataware.verify.steps import Readers
from dataware.verify.verdict import LABEL_LENGTH, Verdict

KEYS = 20_000
"""Bytes of the keys that are carried of those that the copy left behind; more are only counted."""


@dataclass(frozen=True, slots=True)
class SkippedKeys:
    """What the copy left behind: how many, and the keys of them that are known."""

    count: int
    keys: frozenset[str]

    @staticmethod
    def of(shards: Sequence[Shard], before: int) -> SkippedKeys:
        """What all shards left behind; `before` counts that of earlier runs."""
        keys = sorted({one["key"] for shard in shards for one in shard.kept})
        count = before + sum(shard.counts.left for shard in shards)
        return SkippedKeys(count, frozenset(fitting(keys, KEYS)))

    def explains(self, verdict: Verdict) -> bool:
        """Whether nothing else is missing or different.

        By the keys where all of them are known on both sides, else by equal numbers.
        """
        if verdict.may_hide_differences:
            return False
        wrong = [each.label for each in verdict.listed if each.kind is not DifferenceKind.EXTRA]
        count = verdict.missing_or_different
        cut = any(len(key) >= KEY_LENGTH for key in self.keys)
        cut = cut or any(len(label) >= LABEL_LENGTH for label in wrong)
        if cut or self.count > len(self.keys) or count > len(wrong):
            return count == self.count
        return self.keys.issuperset(wrong)

    def to_json(self) -> dict[str, Any]:
        """What was left behind, as an execution carries it."""
        return {"count": self.count, "keys": sorted(self.keys)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> SkippedKeys:
        """What `to_json` wrote."""
        return SkippedKeys(data["count"], frozenset(data["keys"]))


def sides_of(work: Invocation) -> Readers:
    """The readers of both sides of a job."""
    return verify.sides_of(work.job.kind, work.job.pair, work.outside.regional)


def begin_verification(work: Invocation) -> dict[str, Any]:
    """The first step, as an execution carries it."""
    sides = sides_of(work)
    return _step(Comparison.begin(sides, ordered=work.job.kind.ordered), sides)


def advance_verification(
    work: Invocation, comparison: Comparison, done: Sequence[TaskState]
) -> dict[str, Any] | Verdict:
    """The next step, or the verdict. Raises Incomplete if a task ended before it was done."""
    for check in done:
        if not check.done:
            raise IncompleteError(check.failed or "a worker ended without a reason")
        comparison.take(check.task, check.found)
    comparison.advance()
    if comparison.step is None:
        return comparison.verdict
    return _step(comparison, sides_of(work))


def _step(comparison: Comparison, sides: Readers) -> dict[str, Any]:
    tasks = comparison.tasks(sides, SLOTS)
    return {
        "comparison": comparison.to_json(DIFFERENCES),
        "shards": [check.to_json() for check in new_task_states(tasks)],
    }
