"""The requests of a process that are on their way: a seed decides which one is answered next.

What sends them, tries them again and judges the answers is the product's own. Here a request is
throttled, refused for a moment, lost on its way, or carried out without an answer, be it at once or
much later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol, TypeVar

from dataware.core.follow.feed import UNKNOWN_OUTCOME_SECONDS
from dataware.core.ports import Permit, Request, Response
from dataware.wire import RetryBudget, RetryingWire
from support.simulator.stepped_loop import SteppedLoop
from support.simulator.world import World

T = TypeVar("T")

BUDGET = RetryBudget(attempts=4, seconds=60.0, base=0.2, cap=5.0)
"""Smaller than that of the product, so that it is spent now and then."""

THROTTLED = Response(503, {}, b"<Error><Code>SlowDown</Code></Error>")
BROKEN = Response(500, {}, b"<Error><Code>InternalError</Code></Error>")
BUSY = Response(409, {}, b"<Error><Code>ConditionalRequestConflict</Code></Error>")
"""Amazon S3 User Guide, "Add preconditions to S3 operations with conditional requests"."""


class Service(Protocol):
    """Whoever answers requests."""

    def answer(self, request: Request, between: Callable[[], None]) -> Response:
        """Carry a request out; what takes a while calls `between` in the middle of it."""
        ...


class ProcessWires:
    """The wires of one process, and the loop on which they are used.

    `check` says before each request whether the process may send anything at all.
    """

    permit: Permit | None = None

    def __init__(self, world: World, service: Service, check: Callable[[], None]) -> None:
        self.world, self._service = world, service
        self._check = check
        self._loop = SteppedLoop(lambda: world.now)
        self._sent: list[tuple[Request, asyncio.Future[Response]]] = []
        self.is_dead = False

    def open(self) -> RetryingWire:
        """A wire of the product."""
        return RetryingWire(self, self, self.world.random.random, lambda _reason: None, BUDGET)

    def now(self) -> float:
        """Seconds of the world."""
        return self.world.now

    monotonic = now

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def exchange(self, request: Request) -> Response:
        """Send one request."""
        self._check()
        answered: asyncio.Future[Response] = self._loop.create_future()
        self._sent.append((request, answered))
        return await answered

    async def close(self) -> None:
        """Nothing to release."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end of `work`; whoever is killed meanwhile does nothing any more."""
        task = self._loop.create_task(work)
        try:
            self._loop.take_steps()
            while not task.done():
                self._answer_one()
                self._loop.take_steps()
        except BaseException:
            self.is_dead = True
            self._leave_behind()
            raise
        done: T = task.result()
        return done

    def _leave_behind(self) -> None:
        """What a killed process has sent may arrive all the same."""
        for request, _ in self._sent:
            if request.method in ("PUT", "DELETE") and self.world.random.random() < 0.5:
                self.world.later(5 * self.world.random.random(), partial(self._serve_late, request))
        self._sent.clear()

    def _answer_one(self) -> None:
        """Let one request be answered, or time pass."""
        world = self.world
        if self._sent:
            request, answered = self._sent.pop(world.random.randrange(len(self._sent)))
            outcome = self._serve(request)
            if answered.done():
                return
            if isinstance(outcome, OSError):
                answered.set_exception(outcome)
            else:
                answered.set_result(outcome)
            return
        due = self._loop.next_due
        assert due is not None, "everything waits, and nothing is to come"
        world.advance(max(0.0, due - world.now))

    def _serve(self, request: Request) -> Response | OSError:
        world, service = self.world, self._service
        if world.random.random() < 0.25:
            world.tick()
        writes = request.method in ("PUT", "DELETE")
        if world.happens(world.chances.fail):
            refusals = (THROTTLED, BROKEN, ConnectionResetError("reset"), BUSY)
            return world.random.choice(refusals if writes else refusals[:3])
        if world.happens(world.chances.unknown):
            how = world.random.choice(("lost answer", "never", "late")) if writes else "never"
            if how == "lost answer":
                service.answer(request, world.tick)
            elif how == "late":
                seconds = world.random.random() ** 2 * (UNKNOWN_OUTCOME_SECONDS - 5)
                world.later(seconds, partial(self._serve_late, request))
            return TimeoutError("no answer")
        answer = service.answer(request, world.tick)
        if world.random.random() < 0.1:
            world.tick()
        return answer

    def _serve_late(self, request: Request) -> None:
        self._service.answer(request, lambda: None)
