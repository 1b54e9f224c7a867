"""A task of the verification survives the way through Step Functions, and all of them fit."""

from __future__ import annotations

import json
from hashlib import blake2b

import pytest

from dataware.calc.multiset_digest import MultisetDigest
from dataware.core.reader import Evidence, KeyFingerprint
from dataware.migrate.shard import LIMIT
from dataware.verify.comparison import Comparison
from dataware.verify.digests import SLOTS as ALL
from dataware.verify.digests import DigestForm, DigestSlots, MismatchedSlots
from dataware.verify.merge import DifferenceKind
from dataware.verify.steps import TaskResult, VerifyStep, VerifyTask
from dataware.verify.task_state import (
    DIFFERENCES,
    ROOM_ALONE,
    SLOTS,
    TaskState,
    new_task_states,
)
from dataware.verify.verdict import Side


def full(check: TaskState, letter: str = "k") -> TaskState:
    """A task that found as much as one can, in keys of a letter."""
    if check.task.step is VerifyStep.DIGEST:
        slots = check.result.slots = DigestSlots(check.task.slot_count)
        slots.add(blake2b(b"%d" % n, digest_size=16).digest() for n in range(5000))
    else:
        check.result.verdict.evidence[Evidence.CONTENT] = 10**9
        for side in DifferenceKind:
            for number in range(400):
                check.result.verdict.note(
                    side, KeyFingerprint(b"", b"", f"{number}" + letter * 1000)
                )
        check.result.resolved = MultisetDigest(10**9, (1 << 128) - 1)
    check.result.done = True
    return check


def many(step: VerifyStep, count: int, letter: str = "k") -> list[TaskState]:
    """As many tasks as the largest table has."""
    differing = MismatchedSlots(32, frozenset(range(32)))
    tasks = [
        VerifyTask(
            step,
            f"{n} of {count // 2}",
            list(Side)[n % 2],
            DigestForm.CANONICAL,
            SLOTS // count,
            differing,
        )
        for n in range(count)
    ]
    return [full(check, letter) for check in new_task_states(tasks)]


@pytest.mark.parametrize("step", [VerifyStep.DIGEST, VerifyStep.RESOLVE, VerifyStep.MERGE])
@pytest.mark.parametrize("count", [8, 128])
@pytest.mark.parametrize("letter", ["k", "\u6f22", "\U0001f680"])
def test_all_tasks_of_a_step_fit_into_an_execution(
    step: VerifyStep, count: int, letter: str
) -> None:
    """Step Functions passes 256 KB from state to state, and other things need some of it.

    What all of them found together, which then travels alone, fits as well.
    """
    done = many(step, count, letter)
    text = json.dumps([check.to_json() for check in done])
    assert len(text) < LIMIT * 0.8
    comparison = Comparison(step)
    for check in done:
        comparison.take(check.task, TaskState.from_json(check.to_json()).result)
    assert len(json.dumps(comparison.to_json(DIFFERENCES))) < LIMIT * 0.2


@pytest.mark.parametrize("step", list(VerifyStep))
@pytest.mark.parametrize("letter", ["k", "\u6f22", "\U0001f680"])
def test_a_task_with_a_state_of_its_own_fits_into_it(step: VerifyStep, letter: str) -> None:
    """With the sums of all slots, or as many differences as it names, beside the job."""
    differing = MismatchedSlots(ALL, frozenset(range(ALL)))
    task = VerifyTask(step, "199 of 200", Side.TARGET, DigestForm.CANONICAL, ALL, differing)
    state = full(TaskState(task, ROOM_ALONE), letter)
    assert len(json.dumps([state.to_json()])) < LIMIT * 0.8


@pytest.mark.parametrize("step", list(VerifyStep))
def test_a_task_comes_back_as_it_went(step: VerifyStep) -> None:
    """What it found is added up by another call, so nothing of it may be lost."""
    went = many(step, 8)[0]
    came = TaskState.from_json(json.loads(json.dumps(went.to_json())))
    assert came.to_json() == went.to_json()
    assert (came.task, came.ended) == (went.task, True)
    if went.result.slots is not None:
        assert came.result.slots is not None
        assert not came.result.slots.differing(went.result.slots).differing
    assert came.result.verdict.counts == went.result.verdict.counts
    assert came.result.resolved == went.result.resolved


def test_a_task_that_was_lost_is_named() -> None:
    """The state machine puts the error of Lambda beside a task that is as it was before."""
    check = TaskState(VerifyTask(VerifyStep.MERGE, ""), 5, TaskResult("6b6579"))
    lost = TaskState.from_json({**check.to_json(), "failed": "Sandbox.Timedout"})
    assert (lost.failed, lost.ended, lost.done) == ("Sandbox.Timedout", True, False)
    assert lost.result.cursor == "6b6579"
