"""Who starts and stops processes, asks to cut over, and writes: the operator and the apps."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from dataware.core.errors import ServiceError
from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.cutover_loop import CutoverLoop
from support.simulator.judge import Judge
from support.simulator.process import Machine, Process
from support.simulator.sides import RUDE, STRANGER
from support.simulator.store import LateParameters
from support.simulator.tables import Stream, Table
from support.simulator.world import HOUR, World

APP = "app"
MOST_MACHINES = 2


class Side(Protocol):
    """A table or a bucket."""

    items: dict[bytes, Any]
    authors: dict[bytes, str]
    judge: Callable[[Any, bytes, str], None]

    def write(self, key: bytes, value: Any, author: str) -> None:
        """Put or delete."""


class People:
    """The operator, the app, and others who write where they should not.

    The app writes to the source, rests while it is frozen, and writes to the target once the
    operator has read "complete". A rude writer writes to the source whatever anybody says; a
    stranger writes to the target of a guarded migration. All of this is decided by the seed.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        random = world.random
        self.delay = random.choice((0.0, 2.0, 2.0, 8.0, 40.0))
        split = random.choice((0.0, 0.05, 0.3))
        roots = random.randrange(1, 4)
        self.source = self._make_source(roots, split)
        # Of its own, so that the rest of a seed is as it would be without.
        undoing = Random(world.seed * 7919 + 1)
        self.wants_undo = undoing.random() < 0.5 and (
            world.rules.verify or not world.rules.undo_window
        )
        self.decision = undoing.choice((None, "keep", "replace"))
        self.target = self._make_target()
        self.store = LateParameters(world)
        self.judge = self._make_judge()
        self.machines = [self._make_machine(f"m{number}") for number in range(MOST_MACHINES)]
        self.keys = [b"k%02d" % number for number in range(random.choice((6, 20, 30)))]
        self.pace = random.choice((0.02, 0.1, 0.4))
        # What a stranger wrote and took away again is only found by a comparison.
        self.guarded = random.random() < 0.3 and world.rules.verify
        self.has_rude_writer = random.random() < 0.2
        self.is_frozen = self.is_switched = self.is_closed = self.is_new_frozen = False
        self._asks_from = random.randrange(10, 150)
        self._opens_at = world.now + random.choice((0, 0, 200))
        self._asks_again_at = 0.0
        self._starts_at = 0.0
        for key in self.keys[: random.randrange(len(self.keys))]:
            self.source.write(key, self._make_value(APP), APP)
        world.on_tick, world.on_turn = self.write, self.act
        world.until_busy = lambda: max(0.0, self._starts_at - world.now)

    def write(self) -> None:
        """A moment in which somebody may write."""
        random = self.world.random
        roll = random.random()
        if roll < self.pace:
            if self.is_switched:
                if not self.is_new_frozen:
                    self._change(self.target, APP)
            elif not self.is_frozen:
                self._change(self.source, APP)
        elif roll > 0.98 and self.world.happens(0.5):
            if self.has_rude_writer:
                self._change(self.source, RUDE)
            elif self.guarded and not self.is_frozen and not self.is_switched:
                self._change(self.target, STRANGER)

    def act(self) -> None:
        """A moment in which the operator may act."""
        world, random = self.world, self.world.random
        busy = len(world.alive)
        if not busy and (world.calm or world.now >= self._starts_at):
            self._start(random.choice(self.machines))
        elif busy == 1 and world.happens(0.01):
            other = [one for one in self.machines if one is not world.alive[0].machine]
            self._start(random.choice(other))
        elif busy and world.happens(world.chances.stop):
            self._stop(random.choice(world.alive))
        elif busy and self.asks_undo() and world.turns % 20 == 0:
            for process in world.alive:
                record = process.loop and process.loop.record
                if record and record.state in (CutoverState.SWITCHED, CutoverState.REVERSIBLE):
                    self._stop(process)
        if world.happens(0.002):
            random.choice(self.machines).skew += random.choice((-90, -5, 5, 90))
        if self.judge.completed_at is not None and not self.is_switched and random.random() < 0.1:
            self.is_switched = True
            world.say("the app is switched")
        elif self.judge.is_undone and self.is_switched and random.random() < 0.1:
            self.is_switched = self.is_new_frozen = False
            self.wants_undo = False
            world.say("the app is back")

    def asks_undo(self) -> bool:
        """Whether the operator wants to go back."""
        judge = self.judge
        return self.wants_undo and self.is_switched and judge.completed_at is not None

    def decide(self) -> str | None:
        """What is to become of keys that both sides wrote; in the end somebody decides."""
        return self.decision or ("keep" if self.world.calm else None)

    def freeze_new(self, process: Process) -> None:
        """Stop the app on the target; what it has sent arrives a little later."""
        world = self.world
        self._wait_for_hook()
        if not world.happens(world.chances.fail):
            world.say("FREEZE of the target by", process)
            was_frozen, self.is_new_frozen = self.is_new_frozen, True
            if not was_frozen and world.random.random() < 0.3:
                world.later(2 * world.random.random(), lambda: self._change(self.target, APP))
        world.tick()
        if not self.is_new_frozen:
            raise ServiceError("the hook did nothing")

    def thaw_new(self, process: Process) -> None:
        """Let the app go on with the target."""
        world = self.world
        self._wait_for_hook()
        if not world.happens(world.chances.fail):
            world.say("THAW of the target by", process)
            self.judge.hear_thaw_new(process)
            self.is_new_frozen = False
        world.tick()
        if self.is_new_frozen:
            raise ServiceError("the hook did nothing")

    def is_requested(self) -> bool:
        """Whether the operator asks to cut over."""
        asks = self.world.calm or self.world.turns > self._asks_from
        return asks and self.world.now >= self._asks_again_at

    def is_open(self, now: float) -> bool:
        """Whether it may begin."""
        return self.world.calm or self.world.now >= self._opens_at

    def freeze(self, process: Process) -> None:
        """Stop the app; what it has sent arrives a little later."""
        world = self.world
        self._wait_for_hook()
        if not world.happens(world.chances.fail):
            world.say("FREEZE by", process)
            was_frozen, self.is_frozen = self.is_frozen, True
            if not (was_frozen or self.is_switched) and world.random.random() < 0.3:
                world.later(2 * world.random.random(), lambda: self._change(self.source, APP))
        world.tick()
        if world.happens(world.chances.fail):
            raise ServiceError("the hook failed")
        if not self.is_frozen:
            raise ServiceError("the hook did nothing")

    def thaw(self, process: Process) -> None:
        """Let the app go on."""
        world = self.world
        self._wait_for_hook()
        if not world.happens(world.chances.fail):
            world.say("THAW by", process)
            self.judge.hear_thaw(process)
            self.is_frozen = False
        world.tick()
        if self.is_frozen:
            raise ServiceError("the hook did nothing")

    def hear(self, loop: CutoverLoop) -> None:
        """Learn how a process ended; ask again later, and clear away what stood in the way."""
        world = self.world
        self.is_closed = loop.record.state is CutoverState.CLOSED
        self._asks_again_at = world.now + world.random.choice((1, 60))
        for key in [key for key, author in self.target.authors.items() if author == STRANGER]:
            if world.calm and not self.is_switched and key in self.target.items:
                self.target.write(key, None, APP)

    def _wait_for_hook(self) -> None:
        """A hook takes its time, in which anything may happen."""
        for _ in range(4):
            self.world.tick()

    def _start(self, machine: Machine) -> None:
        self._start_process(machine)
        self._starts_at = self.world.now + self.world.random.choice((0, 1, 30, 100))
        if self.world.happens(0.05):
            self._starts_at += self.world.random.choice((3, 21, 30)) * HOUR

    def _stop(self, process: Process) -> None:
        """Ask a process to end, as Ctrl-C does."""
        if process.loop is not None:
            process.loop.failure = "a person asked to stop"

    def _change(self, side: Side, author: str) -> None:
        random = self.world.random
        key = random.choice(self.keys)
        value = None if random.random() < 0.3 else self._make_value(author)
        side.write(key, value, author)

    def _make_source(self, roots: int, split: float) -> Any:
        return Table(self.world, "source", Stream(self.world, roots, self.delay, split))

    def _make_target(self) -> Any:
        split = 0.3 if self.wants_undo else 0.0
        return Table(self.world, "target", Stream(self.world, 1, 0.0, split))

    def _make_judge(self) -> Judge:
        return Judge(self.world, self)

    def _make_machine(self, name: str) -> Machine:
        return Machine(self.world, name)

    def _start_process(self, machine: Machine) -> None:
        Process(self.world, self, machine)

    def _make_value(self, author: str) -> Any:
        """What nobody has written yet."""
        del author
        return self.world.number()
