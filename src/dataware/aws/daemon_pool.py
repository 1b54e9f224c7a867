"""Threads that never hold the process back.

The standard pool joins its threads when the interpreter ends, so that one request to a silent
server would keep a stopped command alive for as long as its time-out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonPool(Executor):
    """At most `threads` calls at once, on threads that end with the process."""

    def __init__(self, threads: int, name: str) -> None:
        self._most = threads
        self._name = name
        self._calls: SimpleQueue[tuple[Future[Any] | None, Callable[[], Any]] | None] = (
            SimpleQueue()
        )
        self._lock = threading.Lock()
        self._idle = 0
        self._started = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call as soon as a thread is free."""
        future: Future[T] = Future()
        self._put(future, partial(_run, future, partial(fn, *args, **kwargs)))
        return future

    def start(self, call: Callable[[], None]) -> None:
        """Run a call as soon as a thread is free; it raises nothing, and nobody waits for it."""
        self._put(None, call)

    def _put(self, future: Future[Any] | None, call: Callable[[], None]) -> None:
        self._calls.put((future, call))
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._started < self._most:
                name = f"{self._name}-{self._started}"
                self._started += 1
                threading.Thread(target=self._work, name=name, daemon=True).start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let idle threads end, and busy ones after their call; `wait` is not for them."""
        if cancel_futures:
            self._cancel()
        for _ in range(self._started):
            self._calls.put(None)

    def _cancel(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except Empty:
                return
            if call is not None and call[0] is not None:
                call[0].cancel()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call[1]()
            del call  # or the last answer would stay in memory while the thread is idle
            with self._lock:
                self._idle += 1


def _run(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
