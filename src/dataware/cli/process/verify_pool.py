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
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Final

from dataware.cli.process.cpu_count import cores
from dataware.cli.process.malloc import limit_malloc_arenas
from dataware.cli.process.open_account import OpenAccount
from dataware.core.errors import IncompleteError
from dataware.kinds import load
from dataware.ops.context import ComparisonSpec, reach
from dataware.ops.verify import sides_of
from dataware.verify.pausable_stop import PausableStop
from dataware.verify.run import Stop, TaskRunner, as_they_end
from dataware.verify.steps import Count, Readers, TaskResult, VerifyTask, carry_out, ignore_count

MANY_TASKS: Final = 20
"""From how many tasks of a step on processes are worth their start."""


LOOK_SECONDS: Final = 0.2
"""How often a stop request is looked for."""


class ProcessPool:
    """Carries tasks out in as many processes as there are processors.

    `open_account` opens the account again in each of them. What is too little for them
    is left to `threads`.
    """

    def __init__(
        self, open_account: OpenAccount, pair: ComparisonSpec, threads: TaskRunner
    ) -> None:
        self._open_account = open_account
        self._pair = pair
        self._threads = threads

    def results(
        self, tasks: Sequence[VerifyTask], stop: Stop, count: Count = ignore_count
    ) -> Iterator[tuple[VerifyTask, TaskResult]]:
        """Each task with what it found, as soon as it ends."""
        processes = cores()
        if len(tasks) < MANY_TASKS or processes == 1:
            yield from self._threads.results(tasks, stop, count)
            return
        start = multiprocessing.get_context("spawn")
        shared = _Shared(start.Event(), start.Event(), start.Value("q", 0))
        arguments = (self._open_account, self._pair, shared)
        with (
            ProcessPoolExecutor(processes, start, initializer=_begin, initargs=arguments) as pool,
            _Watch(stop, shared, count),
        ):
            try:
                yield from as_they_end(pool.submit, _carry_out, tasks, 2 * processes)
            except BrokenProcessPool as error:
                raise IncompleteError(
                    "a process of the verification was killed, perhaps out of memory; run the "
                    "same command again"
                ) from error


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all processes share: that work has ended, that it is paused, how much was read."""

    ended: Event
    paused: Event
    read: Synchronized[int]

    @property
    def stop(self) -> PausableStop:
        """The stop request as the processes hear it."""
        return PausableStop(self.ended.is_set, self.paused.is_set)

    def pause(self, *, on: bool) -> None:
        """Let the processes wait, or go on."""
        if on != self.paused.is_set():
            (self.paused.set if on else self.paused.clear)()

    def count(self, more: int) -> None:
        """Count records that were read."""
        with self.read.get_lock():
            self.read.value += more


class _Watch:
    """Passes on a stop request and how much was read, and ends the processes with the block."""

    def __init__(self, stop: Stop, shared: _Shared, count: Count) -> None:
        self._stop = stop
        self._shared = shared
        self._count = count
        self._counted = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="verify-stop", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._shared.ended.set()
        self._thread.join()
        self._pass_on()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            stop = self._stop
            if isinstance(stop, PausableStop):
                self._shared.pause(on=stop.is_paused())
                stop = stop.is_stopped
            if stop():
                self._shared.ended.set()
            self._pass_on()

    def _pass_on(self) -> None:
        count = self._shared.read.value
        self._count(count - self._counted)
        self._counted = count


class _Work:
    """What a process of the verification works with; set once, when it begins."""

    sides: Readers
    shared: _Shared


def _begin(open_account: OpenAccount, pair: ComparisonSpec, shared: _Shared) -> None:
    # Ctrl-C reaches every process of the terminal; only the first one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_malloc_arenas()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    stop = shared.ended.is_set
    opened = cache(lambda profile: open_account(stop=stop, profile=profile))
    _Work.sides = sides_of(
        load(pair.type_name), pair, lambda place: reach(opened(place.profile), place)
    )
    _Work.shared = shared


def _end_with_parent() -> None:
    """End this process when the one that began it is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _carry_out(task: VerifyTask) -> tuple[VerifyTask, TaskResult]:
    result = TaskResult()
    shared = _Work.shared
    carry_out(task, _Work.sides, result, shared.stop, shared.count)
    return task, result
