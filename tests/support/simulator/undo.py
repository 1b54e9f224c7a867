"""The way back: a process that carries what the target got since the switch to the source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.cutover_loop import CutoverLoop
from dataware.core.follow.cutover_ports import CutoverPorts, UncertainOutcomes
from dataware.core.follow.feed import (
    CarryOutcome,
    Conflict,
    DifferenceResult,
    FullDifference,
    Gap,
    GapCause,
)
from dataware.core.follow.loop import FollowPorts
from dataware.core.follow.undo_ports import BothSidesFeed, OldSide, UndoCarrier, UndoWritten
from dataware.core.follow.written import NOT_WRITTEN, WrittenVersion
from dataware.core.model import Marker, MarkerState
from dataware.state.cutover_records import LeaseCutoverRecords, read_cutover
from dataware.state.marker_value import CUTOVER
from support.simulator.sides import (
    MISSING,
    BlindComparison,
    DiskDirtyKeys,
    DiskMemory,
    Outcomes,
    SimulatedComparison,
)
from support.simulator.tables import StreamFeed, Table
from support.simulator.world import World

if TYPE_CHECKING:
    from support.simulator.process import Process


class DiskWritten:
    """What a way back wrote, on the disk of a machine."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.rows: dict[bytes, WrittenVersion] = {}

    def find_written(self, keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """Those that are on record."""
        return {key: self.rows[key] for key in keys if key in self.rows}

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Put versions on record."""
        self._world.tick()
        self.rows.update(versions)
        self._world.tick()

    def forget_written(self, keys: Collection[bytes]) -> None:
        """Nothing is forgotten."""
        raise AssertionError(keys)


class UndoDisk:
    """What a machine keeps for the way back of the switch by `witness`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.reset("")

    def reset(self, witness: str) -> None:
        """Begin anew."""
        self.witness = witness
        self.dirty, self.memory = DiskDirtyKeys(self._world), DiskMemory(self._world)
        self.written = DiskWritten(self._world)
        self.strays: set[bytes] = set()
        self.is_missed = False

    def open(self, witness: str, feed: StreamFeed, now: float) -> None:
        """Remember where the target's feed is, under the freeze."""
        self.reset(witness)
        if self._world.rules.undo_window:
            self.memory.save_position(feed.open(None, now))


class ChosenDifference:
    """A comparison of which some keys do not count."""

    def __init__(
        self,
        comparison: SimulatedComparison,
        choose: Callable[[Collection[bytes]], frozenset[bytes]],
    ) -> None:
        self._comparison = comparison
        self._choose = choose

    def start(self, keys: Collection[bytes] | None = None) -> None:
        """Begin."""
        self._comparison.start(keys)

    def collect(self) -> DifferenceResult | None:
        """The keys that count."""
        result = self._comparison.collect()
        return None if result is None else DifferenceResult(self._choose(result.keys))


class GuardedCarrier:
    """The Carrier port between tables, which replaces only what is explained."""

    def __init__(self, new: Table, outcomes: Outcomes, written: UndoWritten) -> None:
        self._new = new
        self._outcomes = outcomes
        self._written = written

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Carry a chunk."""
        world, old = self._outcomes.world, self._outcomes.target
        world.tick()
        found: dict[str, set[bytes]] = {"done": set(), "failed": set(), "unknown": set()}
        conflicts, writes = [], {}
        for key in sorted(keys):
            there, seen = self._new.items.get(key), old.items.get(key, MISSING)
            version = self._written.find_written([key]).get(key, NOT_WRITTEN)
            if seen not in (MISSING, there) and not version.explains(str(seen)):
                conflicts.append(Conflict(key, "somebody else wrote it"))
                continue
            settled = NOT_WRITTEN if seen == MISSING else version.settle(str(seen))
            writes[key] = there, seen, settled
        self._written.save_written(
            {
                key: settled._replace(intended=str(there))
                for key, (there, _, settled) in writes.items()
                if there is not None
            }
        )
        for key, (there, seen, _) in writes.items():
            outcome = self._outcomes.write(key, there, seen)
            found["failed" if outcome == "conflict" else outcome].add(key)
        self._written.save_written({key: _left(writes[key][0]) for key in found["done"]})
        return CarryOutcome(
            frozenset(found["done"]),
            frozenset(found["failed"]),
            frozenset(found["unknown"]),
            tuple(conflicts),
        )


def _left(value: int | None) -> WrittenVersion:
    """What is on record once a value was written, or deleted."""
    return WrittenVersion() if value is None else WrittenVersion(str(value), str(value))


class UndoHooks:
    """What stops the app on the target, and continues it; nothing postpones the way back."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def freeze(self) -> None:
        """Stop it."""
        self._process.check()
        self._process.people.freeze_new(self._process)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.check()
        self._process.people.thaw_new(self._process)

    def is_requested(self) -> bool:
        """Whoever starts it asks."""
        return True

    def is_open(self, _now: float) -> bool:
        """Nothing postpones it."""
        return True


def undo(process: Process, marker: Marker) -> Iterator[None]:
    """Carry back, and open the source; or give it up, and the record says complete again."""
    world, people = process.world, process.people
    record = read_cutover(marker.detail)
    if marker.state is MarkerState.COMPLETE:
        if record.state not in (CutoverState.SWITCHED, CutoverState.REVERSIBLE):
            people.wants_undo = False  # its time is over
            return
        record = replace(record, state=CutoverState.UNDOING)
    lease = process.take_undo_lock(marker, record)
    yield
    records = LeaseCutoverRecords(
        lease, process.detail.update, process.send_heartbeat, process.amend
    )
    loop = process.make_undo_loop(records, record.witness)
    now = process.machine.now()
    loop.open(now)
    loop.loop.allow_carrying(loop.steady(now) + lease.unsettled_seconds)
    loop.copied = True
    while loop.record.state not in (CutoverState.FOLLOWING, CutoverState.REVERSIBLE):
        process.beat()
        if loop.loop.conflicts and people.decide() is None and not loop.failure:
            loop.failure = "both sides wrote"
        # What one process has listed, the next one finds again by comparing alone.
        if people.decide() == "keep" or not world.rules.verify:
            people.judge.kept |= loop.loop.conflicts.keys()
        process.record_equal(loop)
        step = loop.step(process.machine.now())
        world.say(process, loop.record.state, step.action, step.why)
        if step.why and step.action.value == "stop":
            break
        if loop.idle:
            world.advance(world.random.uniform(0.3, 3))
        yield
    lease.release({**process.detail, CUTOVER: loop.record.to_json()})


def find_gone(new: Table, old: Table, keys: Collection[bytes]) -> frozenset[bytes]:
    """Those of `keys` that neither table has."""
    return frozenset(key for key in keys if key not in new.items and key not in old.items)


def make_loop(process: Process, records: LeaseCutoverRecords, witness: str) -> CutoverLoop:
    """The loop of a way back."""
    world, people, machine = process.world, process.people, process.machine
    disk, lost = machine.undo_window, (Gap(GapCause.STATE_LOST),)
    is_seen = disk.witness == witness
    if not is_seen:
        disk.reset(witness)
        disk.memory.add_gaps(lost)
        disk.is_missed = True
    replaces = people.decide() == "replace"
    written = UndoWritten(disk.written, replaces=replaces)
    feed = StreamFeed(world, people.source) if is_seen and not disk.is_missed else None
    old = OldSide(feed, machine.memory, written, process, disk.strays, is_known=not disk.is_missed)
    people.judge.known_strays = old.strays
    holder: list[CutoverLoop] = []

    def leave_kept(keys: Collection[bytes]) -> frozenset[bytes]:
        kept = holder[0].loop.conflicts.keys() if people.decide() == "keep" else frozenset()
        return frozenset(keys) - kept

    def compare(choose: Callable[[Collection[bytes]], frozenset[bytes]]) -> ChosenDifference:
        blind = choose is count and not world.rules.verify
        make = BlindComparison if blind else SimulatedComparison
        return ChosenDifference(make(world, people.target, people.source), choose)

    def count(keys: Collection[bytes]) -> frozenset[bytes]:
        return leave_kept(old.choose(keys))

    outcomes = Outcomes(world, people.source, process.check, guarded=True)
    carrier = GuardedCarrier(people.target, outcomes, written)
    difference: FullDifference = compare(leave_kept)
    follow = FollowPorts(
        BothSidesFeed(StreamFeed(world, people.target), old),
        UndoCarrier(
            UncertainOutcomes(carrier, process.delay_next_run),
            old,
            replaces=replaces,
            find_gone=lambda keys: find_gone(people.target, people.source, keys),
        ),
        disk.dirty,
        disk.memory,
        difference,
    )
    hooks = UndoHooks(process)
    comparison = compare(count)
    ports = CutoverPorts(records, hooks, hooks, comparison, process)
    loop = CutoverLoop(ports, follow, seconds=machine.monotonic)
    holder.append(loop)
    process.loop = loop
    return loop
