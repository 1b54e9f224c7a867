"""Processes that carry out the tasks of a large verification, so that all processors are used.

A task's result is a value, so nothing is shared: each process opens the account again by the same
options. Small verifications stay on the threads of this process, because a process takes about a
second to begin.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import Final

from dataware.aws import Account
from dataware.cli.cores import cores
from dataware.core.errors import Incomplete
from dataware.kinds import load
from dataware.ops.checking import Found, Sides, Task, carry_out
from dataware.ops.compare import Stop, Threads, as_they_end
from dataware.ops.context import Pair
from dataware.ops.verify import sides_of

MANY_TASKS: Final = 20
"""From how many tasks of a step on processes are worth their start."""

OpenAccount = Callable[[], Account]

LOOK_SECONDS: Final = 0.2
"""How often somebody's wish to stop is looked for."""


class Processes:
    """Carries tasks out in as many processes as there are processors.

    `open_account` opens the account anew, and travels to each of them.
    """

    def __init__(self, open_account: OpenAccount, pair: Pair, sides: Sides) -> None:
        self._open_account = open_account
        self._pair = pair
        self._threads = Threads(sides)

    def results(self, tasks: Sequence[Task], stop: Stop) -> Iterator[tuple[Task, Found]]:
        """Each task with what it found, as soon as it ends."""
        count = cores()
        if len(tasks) < MANY_TASKS or count == 1:
            yield from self._threads.results(tasks, stop)
            return
        start = multiprocessing.get_context("spawn")
        ended = start.Event()
        with (
            ProcessPoolExecutor(
                count, start, initializer=_begin, initargs=(self._open_account, self._pair, ended)
            ) as pool,
            _Watch(stop, ended),
        ):
            try:
                yield from as_they_end(pool.submit, _carry_out, tasks, 2 * count)
            except BrokenProcessPool as error:
                raise Incomplete(
                    "a process of the verification was ended from outside, perhaps for want of "
                    "memory; run the same command again"
                ) from error


class _Watch:
    """Passes a wish to stop on to the processes, and ends them with the block."""

    def __init__(self, stop: Stop, ended: Event) -> None:
        self._stop = stop
        self._ended = ended
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="verify-stop", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if self._stop():
                self._ended.set()


class _Work:
    """What a process of the verification works with; set once, when it begins."""

    sides: Sides
    ended: Event


def _begin(open_account: OpenAccount, pair: Pair, ended: Event) -> None:
    # Ctrl-C reaches every process of the terminal; only the first one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Work.sides = sides_of(load(pair.type_name), pair, open_account().for_region)
    _Work.ended = ended


def _end_with_parent() -> None:
    """End this process when the one that began it is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _carry_out(task: Task) -> tuple[Task, Found]:
    found = Found()
    carry_out(task, _Work.sides, found, _Work.ended.is_set)
    return task, found
