"""One process of dataware that follows a bucket, on a machine.

The copier, the carrier, the feeds, the records of strays and what a way back writes are the
product's own, over a wire whose every answer a seed decides. Their order is that of the runs of
`dataware.ops.follow`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.errors import InputError, LookupFailedError
from dataware.core.events import format_count
from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.cutover_loop import CutoverLoop
from dataware.core.follow.cutover_ports import CutoverPorts, CutoverRecords, UncertainOutcomes
from dataware.core.follow.cutover_table import FORTH
from dataware.core.follow.feed import UNKNOWN_OUTCOME_SECONDS, Gap, find_refused
from dataware.core.follow.ledger import LedgerFeed, swap_tags
from dataware.core.follow.loop import FollowPorts
from dataware.core.follow.undo_ports import list_equal
from dataware.core.model import Location, Marker, MarkerState
from dataware.kinds.s3_bucket.follow.carrier import BucketCarrier
from dataware.kinds.s3_bucket.follow.copier import RecordingCopier
from dataware.ops.follow.difference import DifferenceFeed
from dataware.ops.follow.undo_window import STRAYS, STRAYS_MISSED, SWITCHING, KnownStrays
from dataware.state.cutover_records import (
    CompleteCutoverRecords,
    LeaseCutoverRecords,
    read_cutover,
)
from support.simulator import bucket_undo
from support.simulator.bucket_sides import (
    BlindBucketComparison,
    BucketComparison,
    BucketDisk,
    RecordsOfProcess,
    SteppedCarrier,
    first_page,
    list_tags,
)
from support.simulator.buckets import Bucket
from support.simulator.process import KIND, TARGET, Machine, Process, Unsettled
from support.simulator.wires import ProcessWires
from support.simulator.world import World

if TYPE_CHECKING:
    from support.simulator.bucket_people import BucketPeople

OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("source", "target"))
FORWARD, BACKWARD = CopyOrder(OLD, NEW), CopyOrder(NEW, OLD)


class BucketMachine(Machine):
    """A machine with the disk of a followed bucket."""

    def reset(self) -> None:
        """Begin with an empty disk."""
        super().reset()
        self.disk = BucketDisk(self.world)


class BucketProcess(Process):
    """A process that copies, follows, cuts over, watches, or goes back."""

    people: BucketPeople
    machine: BucketMachine

    def __init__(self, world: World, people: BucketPeople, machine: Machine) -> None:
        super().__init__(world, people, machine)
        self.wires = ProcessWires(world, people.s3, self.check)
        self._watched: LedgerFeed | None = None
        self._copied_late = False

    def add(self, keys: Collection[bytes], now: float) -> None:
        """Name stray keys."""
        self.people.judge.strays.update(keys)
        texts = sorted(key.decode() for key in keys)
        self.machine.disk.journal.append({"type": STRAYS, "at": now, "keys": texts})
        self.world.say("STRAYS", *texts)
        self.world.tick()

    def report_gaps(self, gaps: Collection[Gap], now: float) -> None:
        """Say that strays may go unnamed."""
        self.people.judge.unwatched = True
        self.machine.disk.journal.append({"type": STRAYS_MISSED, "at": now})
        self.world.tick()

    @property
    def is_deep(self) -> bool:
        """Whether it compares as deep as the operator asked for when the follow began."""
        return self.people.deep and self.world.rules.deep_on_record

    def open_disk(self) -> bool:
        """Open what this machine keeps; whether that is nothing yet."""
        is_new, self.machine.disk.is_opened = not self.machine.disk.is_opened, True
        return is_new

    def list_changes(self, bucket: Bucket, *, is_target: bool = False) -> LedgerFeed:
        """What is not as the follow has left it."""
        records, world = self.machine.disk.records, self.world

        def on_record() -> Any:
            return swap_tags(records.list_written()) if is_target else records.list_written()

        return LedgerFeed(lambda: list_tags(world, bucket), on_record, self.machine.monotonic)

    def compare(self, **how: Any) -> BucketComparison:
        """A comparison of both sides."""
        blind = not self.world.rules.verify
        make = BlindBucketComparison if blind else BucketComparison
        sides = (self.people.source, self.people.target)
        return make(self.world, sides, deep=self.is_deep, **how)

    def make_carrier(self, order: CopyOrder, written: Any) -> UncertainOutcomes:
        """What carries keys."""
        wire = self.wires.open()
        carrier = SteppedCarrier(self.wires, BucketCarrier(wire, wire, order, written))
        return UncertainOutcomes(carrier, self.delay_next_run)

    def make_undo_loop(self, records: LeaseCutoverRecords, witness: str) -> CutoverLoop:
        """The loop of a way back."""
        self.loop = bucket_undo.make_loop(self, records, witness)
        return self.loop

    def record_equal(self, loop: CutoverLoop) -> None:
        """Let the next follow know that what was carried back is on both sides."""
        if loop.record.state is not CutoverState.UNDO_VERIFIED:
            return
        disk = self.machine.disk
        written = RecordsOfProcess(disk.records, self.wires)
        for versions, gone in list_equal(disk.kept.records.list_written(), loop.loop.conflicts):
            written.save_written(versions)
            written.forget_written(gone)

    def _prepare_disk(self, marker: Marker) -> None:
        self._resumes = marker.state is MarkerState.RUNNING
        self._is_new = self.open_disk()
        if self._is_new:
            # Reading both sides again records what stands in the target and is equal.
            self.machine.reset()
            self.open_disk()

    def _make_loop(self, records: CutoverRecords) -> CutoverLoop:
        world, disk, machine = self.world, self.machine.disk, self.machine
        written = RecordsOfProcess(disk.records, self.wires)
        rounds: Any = BucketComparison(
            world, (self.people.source, self.people.target), deep=self.is_deep
        )
        follow = FollowPorts(
            DifferenceFeed(rounds),
            self.make_carrier(FORWARD, written),
            machine.dirty,
            machine.memory,
        )
        self._watched = self._make_watched()
        ports = CutoverPorts(records, self, self.people, self.compare(), self, self._watched)
        self.loop = (CutoverLoop if world.rules.settle else Unsettled)(
            ports, follow, seconds=machine.monotonic, witness=str(self.number)
        )
        return self.loop

    def _make_watched(self) -> LedgerFeed | None:
        if self._is_new:
            return None
        now = self.machine.now()
        try:
            keys = self.list_changes(self.people.source).poll(now).keys
        except LookupFailedError as error:
            raise InputError(str(error)) from error
        self.machine.dirty.add(keys, now)
        return self.list_changes(self.people.source)

    def _copy(self, loop: CutoverLoop) -> Iterator[None]:
        """Copy what is not copied yet, and allow carrying when its last write is settled."""
        disk, lease = self.machine.disk, self.lease
        assert lease is not None
        loop.open(self.machine.now())
        if disk.carry_from is None:
            wire = self.wires.open()
            yield from self._copy_objects(wire)
            late = self._resumes or wire.retries
            if late:
                self.delay_next_run(UNKNOWN_OUTCOME_SECONDS)
            now = loop.steady(self.machine.now())
            disk.carry_from = now + (UNKNOWN_OUTCOME_SECONDS if late else 0.0)
        ends = self.world.now + lease.unsettled_seconds
        while self.world.now < ends:
            self.world.advance(1.0)
            self.beat()
            yield
        loop.loop.allow_carrying(disk.carry_from)
        loop.copied = True

    def _copy_objects(self, wire: Any) -> Iterator[None]:
        disk = self.machine.disk
        tools: Any = CopyTools(None, wire, self.wires)  # type: ignore[arg-type] # it asks for no Aws
        written = RecordsOfProcess(disk.records, self.wires)
        copier = RecordingCopier(tools, FORWARD, written)
        pages = copier.read("", disk.cursor)
        while True:
            page = self.wires.run(first_page(pages))
            for unit in page.units:
                self.wires.run(copier.write(unit))
                self.beat()
                yield
            disk.cursor = page.cursor
            if page.cursor is None:
                return

    def _prepare_step(self, loop: CutoverLoop) -> None:
        """Refuse to switch over what others wrote, and begin what a way back needs."""
        conflicts, state = loop.loop.conflicts, loop.record.state
        if state is CutoverState.GATED and conflicts and not loop.failure:
            number = format_count(len(conflicts), "key")
            theirs = f"{number} of the target hold what the follow did not write"
            loop.failure = find_refused(conflicts.values()) or theirs
        if state in FORTH.freeze and not self._undo_window_open:
            self._undo_window_open = True
            witness = str(self.number)
            self.machine.disk.journal.append({"type": SWITCHING, "id": witness})
            self.machine.disk.open_kept(witness)
        if state is CutoverState.SWITCHED and self._watched is None:
            self.people.judge.unwatched = True
            loop.failure = loop.failure or "whoever writes to the source is not seen"

    def _watch(self, marker: Marker) -> Iterator[None]:
        """Name whoever writes to the source behind the switch, where this machine knows it."""
        is_new, journal = self.open_disk(), self.machine.disk.journal
        witness = read_cutover(marker.detail).witness
        if is_new or not KnownStrays.read(journal.records(), witness).is_seen:
            self.people.judge.unwatched = True
            raise InputError("the source has no record on this machine")
        self._watched = self.list_changes(self.people.source)
        records = CompleteCutoverRecords(self._markers, KIND, TARGET)
        nothing: Any = self
        machine = self.machine
        self.loop = CutoverLoop(
            CutoverPorts(records, self, self.people, self.compare(), self),
            FollowPorts(self._watched, nothing, machine.dirty, machine.memory),
            seconds=machine.monotonic,
        )
        yield from self._go_on(self.loop)
