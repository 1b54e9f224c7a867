"""One process of dataware on a machine: it takes the lock, copies, follows, and cuts over."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dataware.core.errors import DatawareError, IncompleteError, LookupFailedError, RefusedError
from dataware.core.follow.cutover import CutoverAction, CutoverRecord, CutoverState
from dataware.core.follow.cutover_loop import CutoverLoop
from dataware.core.follow.cutover_ports import CutoverPorts, CutoverRecords, UncertainOutcomes
from dataware.core.follow.cutover_table import FORTH
from dataware.core.follow.feed import UNKNOWN_OUTCOME_SECONDS, Gap, GapCause
from dataware.core.follow.loop import FollowLoop, FollowPorts, FollowStep
from dataware.core.model import Marker, MarkerState
from dataware.migrate.lease_term import SILENT_SECONDS
from dataware.state.cutover_records import (
    CompleteCutoverRecords,
    LeaseCutoverRecords,
    read_cutover,
)
from dataware.state.holder import Holder
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import CUTOVER, is_undone
from dataware.state.markers import ParameterMarkers
from support.simulator.sides import (
    BlindComparison,
    DiskDirtyKeys,
    DiskMemory,
    Outcomes,
    SimulatedCarrier,
    SimulatedComparison,
    copy_table,
)
from support.simulator.tables import StreamFeed
from support.simulator.undo import UndoDisk, make_loop, undo
from support.simulator.world import World

if TYPE_CHECKING:
    from support.simulator.people import People

KIND, SOURCE, TARGET = "dynamodb-table", "orders", "orders-prod"
BEAT_SECONDS = 10.0


class Machine:
    """A machine: its disk survives its processes; its clock is wrong by `skew`, and may jump."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.skew = world.random.uniform(-2, 2)
        self.run: str | None = None
        self.knows_undone = ""
        self.reset()

    def reset(self) -> None:
        """Begin with an empty disk."""
        self.dirty, self.memory = DiskDirtyKeys(self.world), DiskMemory(self.world)
        self.undo_window = UndoDisk(self.world)

    def now(self) -> float:
        """The time of day, as this machine has it."""
        return self.world.now + self.skew

    def monotonic(self) -> float:
        """Seconds that nobody sets."""
        return self.world.now

    async def sleep(self, seconds: float) -> None:
        """Nothing of this waits by itself."""
        raise AssertionError(seconds)


class CheckpointFirst(FollowLoop):
    """A loop that believes a round of the feed before its keys are on disk."""

    def _read_feed(self) -> Generator[FollowStep]:
        began = self._now
        try:
            change_round = self._ports.feed.poll(began)
        except LookupFailedError:
            yield FollowStep.POLL_FAILED
            return
        yield FollowStep.POLLED
        self._ports.memory.save_position(change_round.position)
        yield FollowStep.CHECKPOINTED
        self._record(change_round, began)
        self._count(change_round, began)
        yield FollowStep.RECORDED


class Unsettled(CutoverLoop):
    """A cut-over that takes the first quiet round after the freeze for the end of the feed."""

    @property
    def settle_seconds(self) -> float:
        """No time at all."""
        return 0.0


class Process:
    """A process; `ended` says how it ended. `step` is one step of it, in which it may be killed."""

    def __init__(self, world: World, people: People, machine: Machine) -> None:
        self.world, self.people, self.machine = world, people, machine
        self.number = world.number()
        self.ended = ""
        self.loop: CutoverLoop | None = None
        self.lease: ParameterLease | None = None
        self.detail: dict[str, Any] = {}
        self._undo_window_open = False
        self._tried = self._beaten = world.now
        name = machine.name
        self._holder = Holder(name, f"a boot of {name}", 7, "1")
        self._markers = ParameterMarkers(people.store, machine, self._holder)  # type: ignore[arg-type] # the calls that markers make
        self._steps = self._run()
        world.alive.append(self)
        world.say("START", self)

    def __str__(self) -> str:
        return f"{self.machine.name}/{self.number}"

    def step(self) -> None:
        """Take a step; an error that the command would show ends the process."""
        try:
            next(self._steps)
        except StopIteration:
            self.end("done")
        except DatawareError as error:
            self.end(f"{type(error).__name__}: {error}")

    def end(self, how: str) -> None:
        """Nothing of it runs any more."""
        self.world.say("END", self, how)
        self.ended = how
        self.world.alive.remove(self)
        self._steps = iter(())  # type: ignore[assignment] # a generator that is over

    @property
    def is_silent(self) -> bool:
        """Whether no heartbeat got through for so long that another run may have the lock."""
        return self.world.now - self._beaten > SILENT_SECONDS

    def check(self) -> None:
        """Raise where nothing may be written any more, as the permit of the wire does."""
        if self.is_silent:
            raise IncompleteError("no heartbeat got through")

    def freeze(self) -> None:
        """The hook of the people, run by this process."""
        self.check()
        self.people.freeze(self)

    def thaw(self) -> None:
        """The hook of the people, run by this process."""
        self.check()
        self.people.thaw(self)

    def add(self, keys: Collection[bytes], now: float) -> None:
        """Name stray keys."""
        self.world.tick()
        self.people.judge.strays.update(keys)
        self.machine.undo_window.strays.update(keys)
        self.world.say("STRAYS", *sorted(keys))
        self.world.tick()

    def report_gaps(self, gaps: Collection[Gap], now: float) -> None:
        """Say that strays may go unnamed."""
        self.people.judge.unwatched = self.machine.undo_window.is_missed = True
        self.world.tick()

    def _run(self) -> Iterator[None]:
        marker = self._markers.get(KIND, TARGET)
        yield
        undoes = is_undone(marker.detail)
        if undoes or (marker.state is MarkerState.COMPLETE and self.people.asks_undo()):
            yield from undo(self, marker)
            return
        if marker.state is MarkerState.COMPLETE:
            yield from self._watch(marker)
            return
        self.lease = self._take_lock(marker)
        self._beaten = self.world.now
        self.detail = dict(self.lease.detail)
        self._prepare_disk(marker)
        records = LeaseCutoverRecords(
            self.lease, self.detail.update, self.send_heartbeat, self.amend
        )
        loop = self._make_loop(records)
        yield from self._copy(loop)
        yield from self._go_on(loop)

    def _watch(self, marker: Marker) -> Iterator[None]:
        """Name whoever writes to the source behind the switch."""
        del marker
        records = CompleteCutoverRecords(self._markers, KIND, TARGET)
        yield from self._go_on(self._make_loop(records))

    def make_undo_loop(self, records: LeaseCutoverRecords, witness: str) -> CutoverLoop:
        """The loop of a way back."""
        return make_loop(self, records, witness)

    def record_equal(self, loop: CutoverLoop) -> None:
        """Nothing of what was carried back is on record."""

    def _take_lock(self, marker: Marker) -> ParameterLease:
        if self._markers.holds(KIND, TARGET):
            return self._markers.rejoin(KIND, TARGET)
        detail = {CUTOVER: CutoverRecord().to_json()}
        begun = Marker(MarkerState.RUNNING, SOURCE, "run-1", "id", detail=detail, batches=True)
        return self._markers.begin(KIND, TARGET, begun, marker)

    def take_undo_lock(self, marker: Marker, record: CutoverRecord) -> ParameterLease:
        """Take the lock to go back."""
        if marker.state is MarkerState.RUNNING and self._markers.holds(KIND, TARGET):
            self.lease = self._markers.rejoin(KIND, TARGET)
        else:
            detail = {CUTOVER: record.to_json()}
            begun = Marker(MarkerState.RUNNING, SOURCE, "run-1", "id", detail=detail, batches=True)
            self.lease = self._markers.begin(KIND, TARGET, begun, marker)
        self._beaten = self.world.now
        self.detail = dict(self.lease.detail)
        return self.lease

    def _prepare_disk(self, marker: Marker) -> None:
        """Begin anew where this machine has never followed; what others knew is lost to it."""
        if self.machine.run is None:
            self.machine.reset()
            if marker.state is MarkerState.RUNNING:
                self.machine.memory.add_gaps((Gap(GapCause.STATE_LOST),))
            self.machine.run = "run-1"
        witness = read_cutover(marker.detail).witness
        if witness and self.machine.knows_undone != witness:
            # The target was written to, and the source's feed does not tell of that.
            self.machine.memory.add_gaps((Gap(GapCause.STATE_LOST),))
            self.machine.knows_undone = witness

    def _make_loop(self, records: CutoverRecords) -> CutoverLoop:
        world, people, disk = self.world, self.people, self.machine
        outcomes = Outcomes(world, people.target, self.check, guarded=people.guarded)
        follow = FollowPorts(
            StreamFeed(world, people.source),
            UncertainOutcomes(SimulatedCarrier(people.source, outcomes), self.delay_next_run),
            disk.dirty,
            disk.memory,
            SimulatedComparison(world, people.source, people.target),
        )
        compare = SimulatedComparison if world.rules.verify else BlindComparison
        comparison = compare(world, people.source, people.target)
        ports = CutoverPorts(records, self, people, comparison, self)
        loop = (CutoverLoop if world.rules.settle else Unsettled)(
            ports, follow, seconds=disk.monotonic, witness=str(self.number)
        )
        if not world.rules.dirty_first:
            loop.loop = CheckpointFirst(loop._follow)
        self.loop = loop
        return loop

    def _copy(self, loop: CutoverLoop) -> Iterator[None]:
        """Open the feed, copy where it has not been done, and only then allow to carry."""
        world, lease = self.world, self.lease
        assert lease is not None
        began = world.now
        loop.open(self.machine.now())
        quiet_from = began
        if world.rules.wait_for_silent_runs:
            quiet_from += lease.unsettled_seconds
        if loop.record.state is CutoverState.COPYING:
            # What an earlier process of this machine has sent may arrive yet.
            quiet_from = max(quiet_from, began + UNKNOWN_OUTCOME_SECONDS)
            if not world.rules.phase_fence:
                loop.loop.allow_carrying(0.0)
            outcomes = Outcomes(world, self.people.target, self.check, guarded=self.people.guarded)
            is_late = False
            for is_unknown in copy_table(self.people.source, outcomes):
                if is_unknown:
                    is_late = True
                    quiet_from = max(quiet_from, world.now + UNKNOWN_OUTCOME_SECONDS)
                self.beat()
                loop.step(self.machine.now())
                yield
            if is_late:
                self.delay_next_run(UNKNOWN_OUTCOME_SECONDS)
        if not world.rules.not_before:
            quiet_from = world.now
        if world.rules.phase_fence or loop.loop.next_due is None:
            # By the clock of the loop, which nobody sets.
            now = loop.steady(self.machine.now())
            loop.loop.allow_carrying(now + quiet_from - world.now)
        loop.copied = True

    def _go_on(self, loop: CutoverLoop) -> Iterator[None]:
        if self.lease is None:
            loop.open(self.machine.now())
        while True:
            self.beat()
            self._prepare_step(loop)
            step = loop.step(self.machine.now())
            if step.action not in (CutoverAction.CARRY, CutoverAction.DRAIN, CutoverAction.WATCH):
                self.world.say(self, loop.record.state, step.action, step.why)
            if loop.idle:
                self.world.advance(self.world.random.uniform(0.3, 3))
            if step.action in (CutoverAction.END, CutoverAction.STOP) or loop.given_up:
                break
            yield
        self.people.hear(loop)
        if self.lease is not None:
            self.lease.release(self.detail)

    def _prepare_step(self, loop: CutoverLoop) -> None:
        """Remember under the freeze where the target's feed is."""
        if loop.record.state not in FORTH.freeze or self._undo_window_open:
            return
        if self.people.wants_undo:
            self._undo_window_open = True
            feed = StreamFeed(self.world, self.people.target)
            self.machine.undo_window.open(str(self.number), feed, self.machine.now())

    def beat(self) -> None:
        if self.lease is None or self.world.now - self._tried < BEAT_SECONDS:
            return
        try:
            self.send_heartbeat()
        except RefusedError:
            if self.loop is None or not self.loop.record.reversible_until:
                raise
        except LookupFailedError:
            return

    def send_heartbeat(self) -> None:
        assert self.lease is not None
        asked = self._tried = self.world.now
        self.lease.send_heartbeat(self.detail)
        self._beaten = asked

    def delay_next_run(self, seconds: float) -> None:
        if self.lease is not None and self.world.rules.wait_for_silent_runs:
            self.lease.delay_next_run(seconds)

    def amend(self, detail: Mapping[str, Any]) -> None:
        self._markers.amend(KIND, TARGET, "run-1", {**self.detail, **detail})
