"""Verification: reads both sides again and compares them; shares nothing with the copy.

The steps stand in `steps`; this carries them out and takes their results together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Protocol

from dataware.core.errors import IncompleteError
from dataware.core.reader import Reader
from dataware.verify.comparison import Comparison
from dataware.verify.progress import VerifyProgress
from dataware.verify.steps import (
    Count,
    Readers,
    TaskResult,
    VerifyStep,
    VerifyTask,
    carry_out,
    ignore_count,
)
from dataware.verify.verdict import LISTED, Verdict

__all__ = ["LISTED", "TaskRunner", "ThreadRunner", "Verdict", "compare"]

READERS = 8
"""Tasks that are carried out at the same time."""

Stop = Callable[[], bool]


class TaskRunner(Protocol):
    """Who carries tasks out."""

    def results(
        self, tasks: Sequence[VerifyTask], stop: Stop, count: Count = ignore_count
    ) -> Iterator[tuple[VerifyTask, TaskResult]]:
        """Each task with what it found, in any order; some are not done once `stop` is true.

        `count` counts the records as they are read, from any thread.
        """
        ...


class ThreadRunner:
    """Carries tasks out on threads of this process.

    `turn` bounds how many tasks go on at once, of this verification and of others that share it.
    """

    def __init__(self, sides: Readers, turn: AbstractContextManager[object] | None = None) -> None:
        self._sides = sides
        self._turn = turn or nullcontext()

    def results(
        self, tasks: Sequence[VerifyTask], stop: Stop, count: Count = ignore_count
    ) -> Iterator[tuple[VerifyTask, TaskResult]]:
        """Each task with what it found, as soon as it ends."""
        with ThreadPoolExecutor(READERS, thread_name_prefix="verify") as pool:
            ended = False

            def run_task(task: VerifyTask) -> tuple[VerifyTask, TaskResult]:
                result = TaskResult()
                with self._turn:
                    carry_out(task, self._sides, result, lambda: ended or stop(), count)
                return task, result

            try:
                yield from as_they_end(pool.submit, run_task, tasks, READERS)
            finally:
                ended = True


def as_they_end(
    submit: Callable[..., Future[tuple[VerifyTask, TaskResult]]],
    work: Callable[[VerifyTask], tuple[VerifyTask, TaskResult]],
    tasks: Iterable[VerifyTask],
    at_once: int,
) -> Iterator[tuple[VerifyTask, TaskResult]]:
    """Results in the order of ending; no more are held than are under way."""
    waiting = iter(tasks)
    running = {submit(work, task) for task in islice(waiting, at_once)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        running |= {submit(work, task) for task in islice(waiting, len(done))}
        while done:
            yield done.pop().result()


def compare(
    source: Reader,
    target: Reader,
    *,
    ordered: bool,
    stop: Stop = lambda: False,
    runner: TaskRunner | None = None,
    progress: VerifyProgress | None = None,
) -> Verdict:
    """Compare two sides. Raises IncompleteError on a stop, LookupFailedError for an unseen side."""
    sides = Readers(source, target)
    runner = runner or ThreadRunner(sides)
    _check(stop)
    comparison = Comparison.begin(sides, ordered=ordered)
    count = progress.read if progress else ignore_count
    while comparison.step is not None:
        if progress:
            progress.begin(1 if comparison.step is VerifyStep.MERGE else 2)
        for task, result in runner.results(comparison.tasks(sides), stop, count):
            if not result.done:
                _check(lambda: True)
            comparison.take(task, result)
        comparison.advance()
    return comparison.verdict


def _check(stop: Stop) -> None:
    if stop():
        raise IncompleteError(
            "the verification was stopped before it finished; run the same command again"
        )
