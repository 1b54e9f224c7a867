"""Runs a seed of `plan` and `apply`, and judges it."""

from __future__ import annotations

from dataware.core.copier import CopyOutcome, SkippedKey, SkipReason, Unit
from dataware.core.model import MarkerState, OnConflict
from dataware.state.marker_value import MarkerValue, parameter_name
from dataware.state.parameter_store import ParameterStore
from support.simulator.applying import (
    NEW,
    OLD,
    SLUG,
    ApplyMachine,
    ApplyProcess,
    StackModel,
    SteppedBoxes,
    make_store,
    simulated,
)
from support.simulator.judge import BrokenPromiseError
from support.simulator.world import HOUR, World

MOST_TURNS = 4000
STRANGER, TOOL, APP = "stranger", "dataware", "app"


class ApplyPeople:
    """The operator, the app that writes to the old box until it rests, and a stranger."""

    def __init__(self, world: World) -> None:
        self.world = world
        random = world.random
        self.boxes = SteppedBoxes()
        self.boxes.make(OLD)
        self.stacks = StackModel(world, self.boxes)
        self.store = make_store(world)
        self.store.on_write = self.hear_marker
        self.machines = [ApplyMachine(world, name) for name in ("m0", "m1")]
        self.keys = [f"k{number:02d}" for number in range(random.choice((0, 3, 8, 16)))]
        self.authors: dict[str, str] = {}
        self.changed: dict[str, float] = {}
        self.shadow: dict[str, str] = {}
        self.completed_at: float | None = None
        self.broken = ""
        self.has_stranger = random.random() < 0.3
        self._rests_from = random.choice((0, 20, 120))
        self._starts_at = 0.0
        self._calm_runs = 0
        self._wrote: list[ApplyProcess] = []
        for key in self.keys:
            self._change(key)
        world.on_tick, world.on_turn = self.write_some, self.act
        world.until_busy = lambda: max(0.0, self._starts_at - world.now)

    @property
    def processes(self) -> list[ApplyProcess]:
        """Those that are alive, each once."""
        return list(dict.fromkeys(fiber.owner for fiber in self.world.alive))  # type: ignore[attr-defined] # fibers

    @property
    def _lets_in_stranger(self) -> bool:
        is_open = bool(self.keys) and self.completed_at is None
        return is_open and self.has_stranger and not self.world.calm

    @property
    def is_settled(self) -> bool:
        """Whether one more run in the calm has nothing left to do."""
        return self._calm_runs > 0

    def act(self) -> None:
        """A moment in which the operator may act."""
        world, busy = self.world, self.processes
        is_due = not busy and (world.calm or world.now >= self._starts_at)
        if is_due or (len(busy) == 1 and world.happens(0.02)):
            self._start(world.random.choice(self.machines))
        elif busy and world.happens(world.chances.stop):
            world.random.choice(busy).stops = True
        if world.happens(0.002):
            machine = world.random.choice(self.machines)
            machine.skew += world.random.choice((-90, -5, 5, 90))

    def write_some(self) -> None:
        """A moment in which somebody may write."""
        world, random = self.world, self.world.random
        there = self.boxes.boxes.get(NEW)
        if self.keys and world.turns < self._rests_from and random.random() < 0.1:
            self._change(random.choice(self.keys))
        elif self._lets_in_stranger and there is not None and random.random() < 0.02:
            key = random.choice(self.keys)
            world.say("stranger writes", key)
            there[key], self.authors[key] = f"theirs {world.number()}", STRANGER

    def write(self, owner: ApplyProcess, key: str, policy: OnConflict | None) -> CopyOutcome:
        """A write of dataware arrives, on the condition that the key is as it was looked at."""
        source, target = self.boxes.boxes[OLD], self.boxes.boxes[NEW]
        self._judge_writer(owner)
        if key not in source:
            return CopyOutcome()
        if target.get(key) == source[key]:
            return CopyOutcome(same=1)
        if key in target and policy is not OnConflict.SOURCE:
            skipped = SkippedKey(key, SkipReason.CONFLICT, "the target has its own")
            return CopyOutcome(skipped=(skipped,))
        self._put(key, source[key], policy)
        return CopyOutcome(copied=1)

    def arrive(self, unit: Unit[str]) -> None:
        """A write that got no answer arrives late; it puts what is not there."""
        target, key = self.boxes.boxes.get(NEW), unit.payload
        if target is not None and key not in target and key in self.boxes.boxes[OLD]:
            self._put(key, self.boxes.boxes[OLD][key], None)

    def _put(self, key: str, value: str, policy: OnConflict | None) -> None:
        if self.authors.get(key) == STRANGER and policy is not OnConflict.SOURCE:
            self.break_off("a stranger's value was overwritten")
        if self.completed_at is not None:
            self.break_off("dataware wrote to the target after it was complete")
        self.world.say("dataware writes", key, value)
        self.boxes.boxes[NEW][key], self.authors[key] = value, TOOL

    def _judge_writer(self, owner: ApplyProcess) -> None:
        """One run writes at a time: who was followed by another one never writes again."""
        if owner in self._wrote[:-1]:
            self.break_off(f"{owner} wrote after {self._wrote[-1]} had begun to write")
        if not self._wrote or self._wrote[-1] is not owner:
            self._wrote.append(owner)

    def hear_marker(self, value: str) -> None:
        """A value of the record arrived; if it says complete, it has to be true."""
        if '"state":"complete"' not in value or self.completed_at is not None:
            return
        stored = self._look()
        if stored is None or stored.state is not MarkerState.COMPLETE:
            return
        world, target = self.world, self.boxes.boxes.get(NEW, {})
        world.say("COMPLETE counts")
        self.completed_at = world.now
        runs = [*self.processes, *self._wrote[-1:]]
        began = min((one.began for one in runs), default=world.now)
        missing = {
            key
            for key, there in self.boxes.boxes[OLD].items()
            if self.changed[key] <= began
            and target.get(key) != there
            and self.authors.get(key) != STRANGER
        }
        if missing:
            self.break_off(f"complete, but {sorted(missing)} differ")
        if NEW in self.stacks.held:
            self.break_off("complete, but a holding stack has the target")

    def _look(self) -> MarkerValue | None:
        between, self.store.between = self.store.between, lambda: None
        try:
            looked = ParameterStore(self.store, self.store.clock).look(parameter_name(SLUG, NEW))  # type: ignore[arg-type] # the calls that markers make
        finally:
            self.store.between = between
        return None if looked.stored is None else looked.stored.value

    def judge_end(self) -> None:
        """Nothing happens any more."""
        if self.boxes.boxes[OLD] != self.shadow:
            self.break_off("the source is not as its writers left it")
        if self.keys and self.completed_at is None:
            self.break_off("it ended, and is not complete")
        if self.stacks.held or self.stacks.creating:
            self.break_off("a holding stack is left")

    def break_off(self, what: str) -> None:
        """A promise was broken, whatever code takes that for an error of its own."""
        self.broken = self.broken or f"SEED={self.world.seed}: {what}"
        raise BrokenPromiseError(self.broken)

    def _start(self, machine: ApplyMachine) -> None:
        is_due = self.completed_at is not None or not self.keys
        self._calm_runs += self.world.calm and is_due
        ApplyProcess(self.world, self, machine)
        self._starts_at = self.world.now + self.world.random.choice((0, 1, 30, 100, 500))
        if self.world.happens(0.02):
            self._starts_at += HOUR

    def _change(self, key: str) -> None:
        value = f"v{self.world.number()}"
        self.boxes.boxes[OLD][key] = self.shadow[key] = value
        self.changed[key] = self.world.now


def run_apply(world: World) -> ApplyPeople:
    """Run a world to its end. Raises BrokenPromiseError."""
    people = ApplyPeople(world)
    with simulated(world, people.boxes):
        try:
            while not (world.calm and not world.alive and people.is_settled):
                world.turn()
                if people.broken:
                    raise BrokenPromiseError(people.broken)
                if world.turns > MOST_TURNS:
                    people.break_off("it never ends")
        finally:
            for fiber in list(world.alive):
                fiber.owner.is_dead = True  # type: ignore[attr-defined] # fibers
            for fiber in list(world.alive):
                fiber.step()
    return people
