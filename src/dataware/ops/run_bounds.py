"""What the migrations of one run share: how many go on at once, memory, rate, processes, readers.

How it works, for a run of three migrations with `--max-rate 900`:

    one copies                    900 a second, all writers, all memory
    a second one begins           450 a second for each, and half of the rest
    the first one ends            900 a second for the second

Each copy asks several times a second how many copies there are, so what they take together is never
more than one alone would. Processes are lent: who gets none copies within this process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dataware.core.errors import IncompleteError

AT_ONCE = 8
"""Migrations that nobody has to ask for; each of them takes up to a few requests in flight."""

POLL_SECONDS = 0.1

VERIFY_READERS = 8
"""Parts that all verifications of a run read at the same time within this process."""


class RunBounds:
    """The bounds of a run of `at_once` migrations at a time. For any thread."""

    def __init__(self, at_once: int = 1) -> None:
        self.at_once = at_once
        self.verifying = threading.BoundedSemaphore(VERIFY_READERS)
        self._slots = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._copying = self._following = 0
        self._lent = 0

    @property
    def shared(self) -> bool:
        """Whether there may be another migration beside one."""
        return self.at_once > 1

    @contextmanager
    def slot(self, stop: Callable[[], bool]) -> Iterator[None]:
        """Be one of those that copy or verify. Raises Incomplete if asked to stop before that."""
        while not self._slots.acquire(timeout=POLL_SECONDS):
            if stop():
                raise IncompleteError("stopped before its turn came; run the same command again")
        try:
            yield
        finally:
            self._slots.release()

    @contextmanager
    def copying(self) -> Iterator[Callable[[], int]]:
        """Be one of those that copy; yields what tells how many they are."""
        with self._lock:
            self._copying += 1
        try:
            yield lambda: self._copying
        finally:
            with self._lock:
                self._copying -= 1

    @contextmanager
    def following(self) -> Iterator[Callable[[], int]]:
        """Be one of those that carry changes; yields what tells how many they are."""
        with self._lock:
            self._following += 1
        try:
            yield lambda: self._following
        finally:
            with self._lock:
                self._following -= 1

    @contextmanager
    def processes(self, wanted: int, most: int) -> Iterator[int]:
        """Borrow up to `wanted` of the `most` processes of the run; yields how many it got."""
        with self._lock:
            lent = max(0, min(wanted, most - self._lent))
            self._lent += lent
        try:
            yield lent
        finally:
            with self._lock:
                self._lent -= lent
