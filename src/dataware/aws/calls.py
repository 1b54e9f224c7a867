"""Calls of services that nobody has to wait for who wants to stop.

The SDK bounds the silence between two bytes, by minutes, and no answer as a whole; nothing ends a
call from outside. So each call runs on a thread that can be left behind: who waits for it goes on
as soon as a person asks to stop, and the thread ends with the process.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from botocore.response import StreamingBody

from dataware.aws.threads import DaemonPool
from dataware.core.errors import Incomplete

T = TypeVar("T")
Stop = Callable[[], bool]

LOOKS = ("BatchGet", "Describe", "Get", "Head", "List", "Scan", "Simulate")
"""How the operations begin that only look, so that nothing is lost without their answer."""

MOMENT_SECONDS = 0.4
"""How long an operation that changes something is still waited for once somebody asks to stop."""

POLL_SECONDS = 0.1


class Calls:
    """Makes calls, and gives them up once `stop` is true; without `stop` it waits for each.

    A look is given up at once, and none is begun any more. What changes something is given a
    moment, also when it begins only then: so a run can say that it has ended.
    """

    def __init__(self, stop: Stop | None = None) -> None:
        self._stop = stop
        # Who calls bounds how much is under way at once; here a limit could only be in the way.
        self._pool = DaemonPool(sys.maxsize, "dataware-call")
        self._thread = threading.local()

    def answer(self, operation: str, call: Callable[[], T]) -> T:
        """What `call` returns or raises. Raises Incomplete when it is given up."""
        stop = self._stop
        if stop is None or self._is_left_alone:
            return call()
        moment = 0.0 if operation.startswith(LOOKS) else MOMENT_SECONDS
        if stop() and not moment:
            raise _given_up(operation)
        under_way = self._pool.submit(self._left_alone, call)
        until: float | None = None
        while not wait([under_way], POLL_SECONDS).done:
            if stop():
                now = time.monotonic()
                until = now + moment if until is None else until
                if now >= until:
                    raise _given_up(operation)
        return under_way.result()

    def body(self, operation: str, body: StreamingBody) -> StreamingBody:
        """A body whose every read can be given up as well."""
        return StreamingBody(_Stream(self, operation, body), None)

    def pause(self, seconds: float) -> None:
        """Wait between two calls. Raises Incomplete as soon as somebody asks to stop."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stop is not None and self._stop():
                raise Incomplete("stopped while waiting for AWS; run the same command again")
            time.sleep(min(left, POLL_SECONDS))

    @property
    def _is_left_alone(self) -> bool:
        """Whether this thread is one that can be left behind, as in a call within a call."""
        return getattr(self._thread, "left_alone", False)

    def _left_alone(self, call: Callable[[], T]) -> T:
        self._thread.left_alone = True
        return call()


@dataclass(frozen=True, slots=True)
class _Stream:
    """The bytes of a body, for another body that gives up; the inner one checks the length."""

    calls: Calls
    operation: str
    body: StreamingBody

    def read(self, amount: int | None = None) -> Any:
        return self.calls.answer(self.operation, partial(self.body.read, amount))

    def close(self) -> None:
        self.body.close()


def _given_up(operation: str) -> Incomplete:
    return Incomplete(f"stopped before AWS answered {operation}; run the same command again")
