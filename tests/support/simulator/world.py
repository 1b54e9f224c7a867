"""A world of one seed: its time, its chance, what is under way in it, and what dies."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.simulator.process import Process

HOUR = 3600.0
CALM_AFTER = 260
"""Turns after which nothing fails any more, so that every run has to end."""


class KilledError(BaseException):
    """The process was killed; nothing of it runs any more. No code of the product may catch it."""


@dataclass(frozen=True)
class Rules:
    """The rules of the product; a test switches one off to see that it matters."""

    gap_rule: bool = True
    phase_fence: bool = True
    not_before: bool = True
    dirty_first: bool = True
    wait_for_silent_runs: bool = True
    settle: bool = True
    verify: bool = True
    undo_window: bool = True
    swap: bool = True
    ledger: bool = True
    deep_on_record: bool = True


@dataclass(frozen=True)
class Chances:
    """How often, of every call, something goes wrong."""

    kill: float = 0.0
    pause: float = 0.0
    other: float = 0.0
    fail: float = 0.0
    unknown: float = 0.0
    stop: float = 0.004


class World:
    """What everything in a run shares. `stack` are the processes that are in a call, outermost
    first: the innermost one acts, the others stand still in the middle of their calls.
    """

    def __init__(self, seed: int, rules: Rules, chances: Chances, *, tracing: bool = False) -> None:
        self.seed = seed
        self.rules, self.chances = rules, chances
        self.random = Random(seed)
        self.now = 1_800_000_000.0
        self.calm = False
        self.turns = 0
        self.stack: list[Process] = []
        self.alive: list[Process] = []
        self.trace: list[str] | None = [] if tracing else None
        self.on_tick: Callable[[], None] = lambda: None
        self.on_turn: Callable[[], None] = lambda: None
        self.until_busy: Callable[[], float] = lambda: 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = 0

    def say(self, *words: object) -> None:
        """Keep a line of what happens, where somebody reads it."""
        if self.trace is not None:
            self.trace.append(" ".join([f"{self.now - 1.8e9:10.2f}", *map(str, words)]))

    def number(self) -> int:
        """A number that was never given before."""
        self._numbers += 1
        return self._numbers

    def happens(self, chance: float) -> bool:
        """Whether something of that chance happens now; never once it is calm."""
        return not self.calm and self.random.random() < chance

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._events, (self.now + seconds, self.number(), action))

    def advance(self, seconds: float) -> None:
        """Let time pass, and happen what happens meanwhile."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            at, _, action = heapq.heappop(self._events)
            self.now = max(self.now, at)
            action()
        self.now = max(self.now, end)

    def tick(self) -> None:
        """A moment in the middle of a call, in which everything else may happen.

        Raises KilledError where the process dies in it.
        """
        self.advance(self.random.random() * 0.3)
        self.on_tick()
        if self.calm or not self.stack:
            return
        roll, chances, process = self.random.random(), self.chances, self.stack[-1]
        if roll < chances.kill:
            self.say("KILL", process)
            raise KilledError
        if roll < chances.kill + chances.pause:
            self._pause(process)
        elif roll < chances.kill + chances.pause + chances.other:
            for _ in range(self.random.randrange(1, 8)):
                self._step_another()

    def _pause(self, process: Process) -> None:
        """Let a process stand still where it is, while the others go on."""
        seconds = self.random.choice((3.0, 40.0, 90.0, 250.0, 600.0))
        self.say("PAUSE", process, seconds)
        end = self.now + seconds
        while self.now < end:
            self.on_turn()
            if not self._step_another():
                self.advance(min(end - self.now, self.random.uniform(1, 30)) + 0.001)

    def _step_another(self) -> bool:
        """Take a step of a process that is not in a call; whether there was one."""
        free = [process for process in self.alive if process not in self.stack]
        if free:
            self.step(self.random.choice(free))
        return bool(free)

    def turn(self) -> None:
        """Let something happen: a step of a process, or time passes."""
        self.turns += 1
        self.calm = self.calm or self.turns > CALM_AFTER
        self.on_turn()
        if not self._step_another():
            self.advance(self.random.uniform(1, 20) + self.random.random() * self.until_busy() / 4)
            self.on_tick()

    def step(self, process: Process) -> None:
        """Take one step of a process, which may die in it."""
        self.stack.append(process)
        try:
            process.step()
        except KilledError:
            process.end("killed")
        finally:
            self.stack.pop()
