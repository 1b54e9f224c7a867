"""Threads of which one at a time goes on, in the order that a seed decides.

A whole run of a command is plain code that waits and starts threads, so each thread of it becomes a
fiber: it goes on when the world lets it take a step, and rests in the middle of what it does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Self, TypeVar

from support.simulator.stepped_loop import SteppedLoop
from support.simulator.world import KilledError, World

T = TypeVar("T")
_HERE = threading.local()
CLOSING_STEPS = 3


class Owner:
    """The process of a fiber; `beat` is called now and then."""

    is_dead = False

    def beat(self) -> None:
        """Nothing is kept alive."""


class Fiber:
    """A thread of a simulated process; `is_over` once it has ended."""

    def __init__(self, world: World, owner: Any, work: Callable[[], None]) -> None:
        self.world, self.owner = world, owner
        self._work = work
        self._go, self._rests = threading.Semaphore(0), threading.Semaphore(0)
        self.is_over = self.in_store = False
        threading.Thread(target=self._run, daemon=True).start()
        world.alive.append(self)  # type: ignore[arg-type] # it takes steps

    def __str__(self) -> str:
        return str(self.owner)

    def step(self) -> None:
        """Let it go on until it rests, or ends."""
        self._go.release()
        self._rests.acquire()
        if self.is_over:
            self.world.alive.remove(self)  # type: ignore[arg-type] # as above

    def rest(self) -> None:
        """Let others go on; called on the thread itself."""
        self._rests.release()
        self._go.acquire()
        if self.owner.is_dead:
            raise KilledError

    def _run(self) -> None:
        _HERE.fiber = self
        self._go.acquire()
        try:
            if not self.owner.is_dead:
                with suppress(KilledError):
                    self._work()
        finally:
            self.is_over = True
            self._rests.release()


def here() -> Fiber:
    """The fiber that goes on."""
    fiber: Fiber = _HERE.fiber
    return fiber


def moment(*, in_store: bool = False) -> None:
    """A moment in the middle of a call, in which anything may happen, also the end."""
    fiber = here()
    owner, world = fiber.owner, fiber.world
    if owner.is_dead:
        raise KilledError
    was, fiber.in_store = fiber.in_store, fiber.in_store or in_store
    try:
        world.tick()
    except KilledError:
        owner.is_dead = True
        raise
    finally:
        fiber.in_store = was
    if in_store or was:
        return
    owner.beat()
    if world.random.random() < 0.3:
        fiber.rest()


def wait(seconds: float) -> None:
    """Let time pass."""
    fiber = here()
    if not fiber.owner.is_dead:
        fiber.world.advance(seconds)
    moment()


def run_stepped(work: Coroutine[Any, Any, T]) -> T:
    """What stands for `asyncio.run` in a fiber."""
    world = here().world
    loop = SteppedLoop(lambda: world.now)
    task = loop.create_task(work)
    try:
        loop.take_steps()
        while not task.done():
            due = loop.next_due
            assert due is not None, "everything waits, and nothing is to come"
            wait(max(0.0, due - world.now))
            loop.take_steps()
    except KilledError:
        _close(loop)
        raise
    done: T = task.result()
    return done


def _close(loop: SteppedLoop) -> None:
    """End what a killed process has begun; none of it can do anything any more."""
    for _ in range(CLOSING_STEPS):
        left = asyncio.all_tasks(loop)  # type: ignore[arg-type] # what tasks ask of a loop
        for task in left:
            task.cancel()
        loop.take_steps()


class SteppedAsyncio:
    """What stands for the module `asyncio` where only `run` is used."""

    run = staticmethod(run_stepped)
    sleep = staticmethod(asyncio.sleep)


class FiberThread:
    """What stands for `threading.Thread`."""

    def __init__(self, target: Callable[..., Any], args: Iterable[Any] = (), **_: Any) -> None:
        self._target, self._args = target, tuple(args)

    def start(self) -> None:
        """Begin, when the world lets it."""
        fiber = here()
        Fiber(fiber.world, fiber.owner, lambda: self._target(*self._args))


class FiberCondition:
    """What stands for `threading.Condition`; nobody can come in between."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is held."""

    def wait_for(self, is_true: Callable[[], bool]) -> None:
        """Wait, and let others go on."""
        while not is_true():
            wait(0.5)

    def notify_all(self) -> None:
        """Whoever waits looks by himself."""


class FiberLock:
    """What stands for `threading.Lock`."""

    is_held = False

    def __enter__(self) -> Self:
        while self.is_held:
            here().world.advance(0.1)
            here().rest()
        self.is_held = True
        return self

    def __exit__(self, *_error: object) -> None:
        self.is_held = False


class FiberThreading:
    """What stands for the module `threading`."""

    Thread, Condition, Lock = FiberThread, FiberCondition, FiberLock


class Pool:
    """What stands for a pool of threads: each piece of work is done when it is given."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """As many threads as anybody likes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """All is done."""

    def submit(self, work: Callable[..., T], *given: Any) -> Future[T]:
        """Do it."""
        done: Future[T] = Future()
        try:
            done.set_result(work(*given))
        except BaseException as error:
            done.set_exception(error)
        return done

    def map(self, work: Callable[..., T], *given: Iterable[Any]) -> Iterator[T]:
        """Do all of it."""
        return iter([work(*one) for one in zip(*given, strict=False)])
