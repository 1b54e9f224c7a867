"""Calls of services that nobody has to wait for who wants to stop.

The SDK bounds the silence between two bytes, by minutes, and no answer as a whole; nothing ends a
call from outside. So each call runs on a thread that can be abandoned: who waits for it goes on
as soon as a person asks to stop, and the thread ends with the process.

Hundreds of calls are under way while a fleet is planned. One thread looks whether any of them is to
be given up; if each looked for itself, that would cost as much as the calls.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, TypeVar

from botocore.response import StreamingBody

from dataware.aws.daemon_pool import DaemonPool
from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.model import Problem

T = TypeVar("T")
Stop = Callable[[], bool]

LOOKS = ("BatchGet", "Describe", "Get", "Head", "List", "Scan", "Simulate")
"""How the operations begin that only look, so that nothing is lost without their answer."""

MOMENT_SECONDS = 0.4
"""How long an operation that changes something is still waited for once somebody asks to stop."""

POLL_SECONDS = 0.1

ANSWER_SECONDS = 120.0
"""How long one try of a call may take as a whole: the SDK bounds the silence between bytes only."""

PIECE_BYTES = 1024**2
"""How much of a body is read within that time."""


IDLE_LOOKS = 20
"""How often the thread that looks after the calls finds none before it ends."""


@dataclass(slots=True, eq=False)
class _Attempt:
    """A call under way, when its last try began, and what came of it once `ended` is released.

    `moment` is how long it is waited for once somebody asks to stop, which it is `until` then.
    """

    operation: str
    moment: float
    begun: float = field(default_factory=time.monotonic)
    until: float | None = None
    ended: threading.Lock = field(default_factory=threading.Lock)
    answer: Any = None
    error: BaseException | None = None


class InterruptibleCalls:
    """Makes calls, and gives them up once `stop` is true, or an answer takes `answer_seconds`.

    Without either it waits for each, on the thread that makes it.

    A look is given up at once, and none is begun any more. What changes something is given a
    moment, also when it begins only then: so a run can say that it has ended.
    """

    def __init__(self, stop: Stop | None = None, answer_seconds: float = inf) -> None:
        self._stop = stop or _never
        self._answer_seconds = answer_seconds
        self._waits_for_all = stop is None and answer_seconds == inf
        # Who calls bounds how much is under way at once; here a limit could only be in the way.
        self._pool = DaemonPool(sys.maxsize, "dataware-call")
        self._thread = threading.local()
        self._lock = threading.Lock()
        self._under_way: set[_Attempt] = set()
        self._is_watched = False

    def answer(self, operation: str, call: Callable[[], T]) -> T:
        """What `call` returns or raises.

        Raises Incomplete when it is given up, and LookupFailedError for an answer that never ends.
        """
        if self._waits_for_all or self._is_left_alone:
            return call()
        moment = 0.0 if operation.startswith(LOOKS) else MOMENT_SECONDS
        if not moment and self._stop():
            raise _given_up(operation)
        attempt = _Attempt(operation, moment)
        attempt.ended.acquire()
        self._watch(attempt)
        self._pool.start(partial(self._left_alone, attempt, call))
        attempt.ended.acquire()  # a signal is handled meanwhile, which may make `stop` true
        try:
            if attempt.error is not None:
                raise attempt.error
            return attempt.answer  # type: ignore[no-any-return]  # it is that of `call`
        finally:
            del attempt  # or the error would keep what it was raised from in memory

    def _watch(self, attempt: _Attempt) -> None:
        """Let a call be given up in time."""
        with self._lock:
            self._under_way.add(attempt)
            begins, self._is_watched = not self._is_watched, True
        if begins:
            threading.Thread(target=self._look_after, name="dataware-watch", daemon=True).start()

    def _look_after(self) -> None:
        """Give up calls, until there have been none for a while."""
        idle = 0
        while idle < IDLE_LOOKS:
            time.sleep(POLL_SECONDS)
            with self._lock:
                attempts = tuple(self._under_way)
                idle = 0 if attempts else idle + 1
                self._is_watched = idle < IDLE_LOOKS
            if attempts:
                self._give_up(attempts, time.monotonic(), stops=self._stop())

    def _give_up(self, attempts: Iterable[_Attempt], now: float, *, stops: bool) -> None:
        """End the wait for those of the calls that take too long, or are not wanted any more."""
        for one in attempts:
            if now - one.begun >= self._answer_seconds:
                self._end(one, error=_endless(one.operation, self._answer_seconds))
            elif stops:
                one.until = now + one.moment if one.until is None else one.until
                if now >= one.until:
                    self._end(one, error=_given_up(one.operation))

    def _end(
        self, attempt: _Attempt, answer: Any = None, error: BaseException | None = None
    ) -> None:
        """Hand over what came of a call; what comes of it later is dropped."""
        with self._lock:
            if attempt not in self._under_way:
                return
            self._under_way.remove(attempt)
        attempt.answer, attempt.error = answer, error
        attempt.ended.release()

    def count_tries(self, client: Any) -> None:
        """Let a client tell when it tries a call once more, which starts its time again."""
        client.meta.events.register("before-send.*.*", self._begin)

    def body(self, operation: str, body: StreamingBody) -> StreamingBody:
        """A body whose every read can be given up as well."""
        return StreamingBody(_Stream(self, operation, body), None)

    def pause(self, seconds: float) -> None:
        """Wait between two calls. Raises Incomplete as soon as somebody asks to stop."""
        until = time.monotonic() + seconds
        while (seconds_left := until - time.monotonic()) > 0:
            if self._stop():
                raise IncompleteError("stopped while waiting for AWS; run the same command again")
            time.sleep(min(seconds_left, POLL_SECONDS))

    @property
    def _is_left_alone(self) -> bool:
        """Whether this thread is one that can be abandoned, as in a call within a call."""
        return getattr(self._thread, "attempt", None) is not None

    def _left_alone(self, attempt: _Attempt, call: Callable[[], Any]) -> None:
        self._thread.attempt = attempt
        try:
            answer = call()
        except BaseException as error:
            self._end(attempt, error=error)
        else:
            self._end(attempt, answer)
        finally:
            self._thread.attempt = None

    def _begin(self, **_: Any) -> None:
        if (attempt := getattr(self._thread, "attempt", None)) is not None:
            attempt.begun = time.monotonic()


@dataclass(frozen=True, slots=True)
class _Stream:
    """The bytes of a body, for another body that gives up; the inner one checks the length."""

    calls: InterruptibleCalls
    operation: str
    body: StreamingBody

    def read(self, amount: int | None = None) -> Any:
        """All that was asked for, or all there is, a piece at a time."""
        pieces: list[bytes] = []
        bytes_left = sys.maxsize if amount is None else amount
        while bytes_left > 0:
            read_piece = partial(self.body.read, min(bytes_left, PIECE_BYTES))
            piece: bytes = self.calls.answer(self.operation, read_piece)
            if not piece:
                break
            pieces.append(piece)
            bytes_left -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self.body.close()


def _never() -> bool:
    return False


def _endless(operation: str, seconds: float) -> LookupFailedError:
    return LookupFailedError(
        f"{operation} got no complete response within {seconds:g} s: check the network and "
        "proxies, and run the same command again",
        Problem(operation, "EndlessAnswer", None, f"no complete response in {seconds:g} s"),
    )


def _given_up(operation: str) -> IncompleteError:
    return IncompleteError(
        f"stopped before AWS responded to {operation}; run the same command again"
    )
