"""Whole runs of `plan` and `apply`, two at once, against boxes and CloudFormation in memory.

The plan, its decision, the record and its lock, the creation, the copy, the verification and what
is concluded from them are the product's own; the resources are those of `support.world`, because
what they are does not matter for any of that.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from dataware.core.copier import CopyOutcome, Unit
from dataware.core.errors import DatawareError, RefusedError, ServiceError
from dataware.core.model import Content, Existence, Facts, OnConflict, Size, Wanted, absent
from dataware.core.ports import Lease
from dataware.ops import creation_group, lease_keeper, probe, run_migration
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings, CreationWatch, TargetToMake
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.plan import make_plan
from dataware.state import lease as lease_module
from dataware.state.holder import Holder
from dataware.state.markers import ParameterMarkers
from dataware.verify import run as verification
from support.copying import MemoryJournal
from support.simulator.fibers import (
    Fiber,
    FiberThreading,
    Owner,
    Pool,
    SteppedAsyncio,
    here,
    moment,
    wait,
)
from support.simulator.store import LateParameters
from support.simulator.world import World
from support.world import BoxCopier, BoxReader, WorldAws, box_kind, change_card
from support.world import World as Boxes

BEAT_SECONDS = 5.0
OLD, NEW = "old", "new"
BOX = Wanted("Box", "Memory::Box", NEW, (OLD,))
SLUG = "memory-box"


class SteppedBoxes(Boxes):
    """Boxes of a world; whatever is asked of them takes a moment."""

    def moment(self, what: str) -> None:
        """A moment of whoever asks."""
        del what
        moment()

    def facts(self, name: str) -> Facts:
        """What a probe sees."""
        moment()
        marker = here().owner.markers.get(SLUG, name)
        if name not in self.boxes:
            return replace(absent(name), marker=marker)
        content = Content.DATA if self.boxes[name] else Content.EMPTY
        size = Size(len(self.boxes[name]), 0)
        identity = str(self.identities[name])
        return Facts(name, Existence.EXISTS, content, marker=marker, identity=identity, size=size)


@dataclass(frozen=True)
class SteppedCopier(BoxCopier):
    """Writes that fail, that are throttled, and whose answers are lost; each is tried again."""

    async def write(self, unit: Unit[Any]) -> CopyOutcome:
        """Write one key, as the wire and its permit do."""
        owner, world = here().owner, here().world
        while True:
            moment()
            if world.rules.wait_for_silent_runs:
                owner.check()
            if world.happens(world.chances.fail):
                await asyncio.sleep(0.5)
                continue
            if world.happens(world.chances.unknown):
                if world.random.random() < 0.5:
                    world.later(20 * world.random.random(), lambda: owner.people.arrive(unit))
                await asyncio.sleep(1.0)
                continue
            if world.happens(world.chances.fail / 3):
                return CopyOutcome(copied=1)  # so it says, and the verification has to find it
            return owner.people.write(owner, unit.payload, self.order.on_conflict)


class SteppedAws(WorldAws):
    """The control plane; nothing of it is asked for but waiting."""

    def pause(self, seconds: float) -> None:
        """Wait."""
        wait(seconds)


class StackModel:
    """CloudFormation as holding stacks see it: it goes on by itself, whoever is killed."""

    def __init__(self, world: World, boxes: SteppedBoxes) -> None:
        self._world, self._boxes = world, boxes
        self.creating: set[str] = set()
        self.held: set[str] = set()

    def begin(self, name: str) -> None:
        """Begin to create a resource, which succeeds or is rolled back later."""
        self._world.say("stack begins", name, "by", here())
        self.creating.add(name)
        fails = self._world.happens(0.1)
        self._world.later(self._world.random.uniform(1, 90), lambda: self._end(name, fails=fails))

    def _end(self, name: str, *, fails: bool) -> None:
        self.creating.discard(name)
        if not fails:
            self._boxes.boxes[name] = {}
            self._boxes.identities[name] = self._world.number()
            self.held.add(name)

    def create_together(
        self, targets: list[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """Create what is asked for, and let it go once it is on record."""
        del filled
        for _, wanted in targets:
            name = wanted.preferred
            moment()
            if name in self._boxes.boxes or name in self.creating:
                watch.report_failed(wanted, ServiceError(f"{name} exists"))
                continue
            self.begin(name)
            while name in self.creating:
                wait(2.0)
            here().world.say("stack made", name, name in self._boxes.boxes)
            if name not in self._boxes.boxes:
                watch.report_failed(wanted, ServiceError(f"{name} could not be created"))
                continue
            watch.report_made(wanted)
            watch.await_recorded([wanted])
            moment()
            self.held.discard(name)

    def release(self, _kind: object, name: str) -> bool:
        """Remove what a killed run left."""
        moment()
        while name in self.creating:
            wait(2.0)
        moment()
        was_held = name in self.held
        here().world.say("released", name, was_held, "by", here())
        self.held.discard(name)
        return was_held


class ApplyMachine:
    """A machine with its clock and its journal."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.skew = 0.0
        self.journal = MemoryJournal()
        self.holder: ApplyProcess | None = None

    def now(self) -> float:
        """The time of day, as this machine has it."""
        return self.world.now + self.skew

    def monotonic(self) -> float:
        """Seconds that nobody sets."""
        return self.world.now

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class JournalOfProcess:
    """The Journal port of one process; who is killed writes nothing any more."""

    def __init__(self, machine: ApplyMachine) -> None:
        self._machine = machine

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Every record."""
        return self._machine.journal.records()

    def append(self, *records: Mapping[str, Any]) -> None:
        """Keep records, or die before."""
        moment()
        self._machine.journal.append(*records)

    def restart(self) -> None:
        """Forget every record."""
        moment()
        self._machine.journal.restart()

    def close(self) -> None:
        """Let others have it."""
        self._machine.holder = None


class Journals:
    """The Journals port of one machine."""

    def __init__(self, machine: ApplyMachine, process: ApplyProcess) -> None:
        self._machine, self._process = machine, process

    def open(self, _kind: str, _target: str) -> JournalOfProcess:
        """Open it. Raises RefusedError while another run has it."""
        moment()
        holder = self._machine.holder
        if holder is not None and not holder.is_dead and holder is not self._process:
            raise RefusedError("another run has the journal")
        self._machine.holder = self._process
        return JournalOfProcess(self._machine)

    def read(self, _kind: str, _target: str) -> tuple[Mapping[str, Any], ...]:
        """Nothing that a status would show."""
        return ()


class ApplyProcess(Owner):
    """One `dataware plan`, and `dataware apply` of it, at once or later from a file."""

    def __init__(self, world: World, people: Any, machine: ApplyMachine) -> None:
        self.world, self.people, self.machine = world, people, machine
        self.number, self.began = world.number(), world.now
        self.stops = self.is_beating = False
        self.keeper: LeaseKeeper | None = None
        holder = Holder(machine.name, f"a boot of {machine.name}", 7, "1")
        self.markers = ParameterMarkers(people.store, machine, holder)
        world.say("START", self)
        Fiber(world, self, self._work)

    def __str__(self) -> str:
        return f"{self.machine.name}/{self.number}"

    def _work(self) -> None:
        world, how = self.world, "done"
        context = Context(
            aws=SteppedAws(self.people.boxes),  # type: ignore[arg-type] # what is asked of it
            markers=self.markers,
            clock=self.machine,
            emit=lambda _event: None,
            hold=self.people.stacks,
            journals=Journals(self.machine, self),
            stop=lambda: self.stops,
        )
        settings = CopySettings(on_conflict=OnConflict.SOURCE if world.calm else None)
        try:
            plan = make_plan(context, [BOX], report=False)
            saved = world.random.random() < 0.3
            for _ in range(world.random.randrange(8) if saved else 0):
                wait(20.0)
            self.began = world.now
            apply_plan(context, plan, settings, saved=saved)
        except DatawareError as error:
            how = f"{type(error).__name__}: {error}"
        finally:
            self.keeper = None
            world.say("END", self, "killed" if self.is_dead else how)

    def check(self) -> None:
        """Raise where nothing may be written any more, as the permit of the wire does."""
        if self.keeper is not None:
            self.keeper.check()

    def keep(self, lease: Lease, asked: float, on_control: Any, *, at_once: int) -> LeaseKeeper:
        """What stands for the thread that keeps a lock alive."""
        del at_once
        self.keeper = SteppedKeeper(
            lease, beat=asked, seconds=self.machine.monotonic, on_control=on_control
        )
        return self.keeper

    def beat(self) -> None:
        """Renew the lock, if it is time."""
        keeper = self.keeper
        if keeper is None or self.is_beating or self.world.now - keeper._tried < BEAT_SECONDS:
            return
        keeper._tried, self.is_beating = self.world.now, True
        try:
            keeper.send_heartbeat()
        except RefusedError as error:
            keeper._lost = error
        except DatawareError:
            pass
        finally:
            self.is_beating = False


class SteppedKeeper(LeaseKeeper):
    """A keeper without a thread of its own."""

    def __enter__(self) -> SteppedKeeper:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing runs."""
        here().owner.keeper = None


def _keep_alive(lease: Lease, asked: float, on_control: Any, *, at_once: int) -> LeaseKeeper:
    keeper: LeaseKeeper = here().owner.keep(lease, asked, on_control, at_once=at_once)
    return keeper


@contextmanager
def simulated(world: World, boxes: SteppedBoxes) -> Iterator[None]:
    """Put the boxes into the catalogue, and fibers in the place of threads and of time."""

    def copier(_tools: Any, order: Any) -> SteppedCopier:
        return SteppedCopier(boxes, order)

    def reader(_aws: Any, place: Any, *, all_versions: bool, deep: bool) -> BoxReader:
        del all_versions, deep
        return BoxReader(boxes, place if world.rules.verify else replace(place, name=OLD))

    module = ModuleType("dataware.kinds.memory_box")
    module.__dict__["KIND"] = change_card(box_kind(boxes), copier=copier, reader=reader)

    def now() -> float:
        found: float = here().owner.machine.now()
        return found

    clock = SimpleNamespace(time=now)
    stands_for: tuple[tuple[Any, str, Any], ...] = (
        (run_migration, "keep_alive", _keep_alive),
        (run_migration, "asyncio", SteppedAsyncio),
        (run_migration, "since_boot", lambda: world.now),
        (run_migration, "uuid4", lambda: SimpleNamespace(hex=f"{world.number():032x}")),
        (lease_keeper, "time", clock),
        (creation_group, "threading", FiberThreading),
        (lease_module, "threading", FiberThreading),
        (probe, "ThreadPoolExecutor", Pool),
        (verification, "ThreadPoolExecutor", Pool),
        (sys.modules["dataware.kinds"], "CATALOGUE", {"Memory::Box": "memory_box"}),
    )
    with ExitStack() as stack:
        stack.enter_context(patch.dict(sys.modules, {module.__name__: module}))
        for where, name, instead in stands_for:
            stack.enter_context(patch.object(where, name, instead))
        yield


def make_store(world: World) -> LateParameters:
    """A Parameter Store of which each call takes a moment."""
    store = LateParameters(world)
    store.between = lambda: moment(in_store=True)
    return store
