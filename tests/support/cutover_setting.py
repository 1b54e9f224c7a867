"""Everything around the steps of a cut-over, in memory, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.follow.cutover import FREEZE_LIMIT, CutoverRecord, CutoverState, CutoverStep
from dataware.core.follow.cutover_loop import CutoverLoop
from dataware.core.follow.cutover_ports import CutoverPorts
from dataware.core.follow.feed import CarryOutcome, ChangeFeed, DifferenceResult, FeedRound, Gap
from dataware.core.follow.loop import FollowPorts
from support.follow_memory import LogFeed, MemoryDirtyKeys, MemoryFollow, SideCarrier


class Setting:
    """Everything around a cut-over, in memory.

    `hook` runs within the freeze, `thaw_hook` within the thaw, `before_collect` before a comparison
    gives what it found, `before_poll` and `before_carry` before a round and a chunk. `day` is by
    how much the time of day is ahead of the clock that is never set. `results` are what the next
    comparisons find, where that is not what differs.
    """

    def __init__(self, state: CutoverState = CutoverState.FOLLOWING) -> None:
        self.now = 1000.0
        self.day = 0.0
        self.log: list[tuple[float, bytes]] = []
        self.source: dict[bytes, str] = {b"a": "1"}
        self.target = dict(self.source)
        self.record = CutoverRecord(state)
        self.outcomes: list[str] = []
        self.hook: Callable[[], None] = lambda: None
        self.thaw_hook: Callable[[], None] = lambda: None
        self.before_collect: Callable[[], None] = lambda: None
        self.before_poll: Callable[[], None] = lambda: None
        self.before_carry: Callable[[], None] = lambda: None
        self.results: list[DifferenceResult | None] = []
        self.requested = self.opened = True
        self.calls: list[str] = []
        self.written: list[CutoverRecord] = []
        self.completed: list[CutoverRecord] = []
        self.strays: set[bytes] = set()
        self.gaps: list[Gap] = []
        self.compared: list[Collection[bytes] | None] = []
        self.memory, self.dirty = MemoryFollow(), MemoryDirtyKeys()
        self.watched: ChangeFeed | None = None
        self.loop = self.restart()

    def restart(
        self,
        feed: ChangeFeed | None = None,
        *,
        freeze_limit: float = FREEZE_LIMIT,
        witness: str = "",
    ) -> CutoverLoop:
        """A new process on the same machine."""
        self.feed = _HookedFeed(feed or LogFeed(self.log), self)
        carrier = _HookedCarrier(self)
        follow = FollowPorts(self.feed, carrier, self.dirty, self.memory)
        ports = CutoverPorts(self, self, self, self, self, self.watched)
        self.loop = CutoverLoop(
            ports,
            follow,
            seconds=lambda: self.now,
            freeze_limit=freeze_limit,
            witness=witness,
        )
        self.loop.open(self.now + self.day)
        self.loop.loop.allow_carrying(0.0)
        self.loop.copied = True
        return self.loop

    def change(self, key: bytes, value: str) -> None:
        """An app writes to the source."""
        self.source[key] = value
        self.log.append((self.now, key))

    def read(self) -> CutoverRecord:
        """The record."""
        return self.record

    def write(self, record: CutoverRecord) -> None:
        """Write, as the next outcome says."""
        outcome = self.outcomes.pop(0) if self.outcomes else "done"
        self.written.append(record)
        if outcome in ("done", "lost"):
            self.record = record
        if outcome != "done":
            raise LookupFailedError("no answer")

    def complete(self, record: CutoverRecord) -> None:
        """Write together with "complete"."""
        self.completed.append(record)
        self.write(record)

    def freeze(self) -> None:
        """Stop the writers."""
        self.calls.append("freeze")
        self.hook()

    def thaw(self) -> None:
        """Let them go on."""
        self.calls.append("thaw")
        self.thaw_hook()

    def is_requested(self) -> bool:
        """Whether somebody asks."""
        return self.requested

    def is_open(self, now: float) -> bool:
        """Whether nothing postpones it."""
        return self.opened

    def start(self, keys: Collection[bytes] | None) -> None:
        """Begin to compare."""
        self.compared.append(keys)

    def collect(self) -> DifferenceResult | None:
        """Compare."""
        self.before_collect()
        if self.results:
            return self.results.pop(0)
        keys = self.compared[-1]
        every = self.source.keys() | self.target.keys() if keys is None else keys
        return DifferenceResult(
            {key for key in every if self.source.get(key) != self.target.get(key)}
        )

    def add(self, keys: Collection[bytes], now: float) -> None:
        """Name strays."""
        self.strays |= set(keys)

    def report_gaps(self, gaps: Collection[Gap], now: float) -> None:
        """Say what was not seen."""
        self.gaps += gaps

    def step(self, seconds: float = 0.1) -> CutoverStep:
        """One step, so much later."""
        self.now += seconds
        return self.loop.step(self.now + self.day)

    def run_until(self, *states: CutoverState, steps: int = 400) -> None:
        """Step, a tenth of a second each, until the record says one of `states`."""
        for _ in range(steps):
            self.step()
            if self.record.state in states:
                return
        raise AssertionError(f"it stays {self.record.state}")

    def run_for(self, seconds: float) -> None:
        """Step for so long."""
        for _ in range(round(seconds * 10)):
            self.step()


class _HookedFeed:
    """A feed that counts how often it is opened."""

    def __init__(self, feed: ChangeFeed, setting: Setting) -> None:
        self.feed, self.setting, self.opened = feed, setting, 0

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Open it."""
        self.opened += 1
        return self.feed.open(position, now)

    def poll(self, now: float) -> FeedRound:
        """Read a round."""
        self.setting.before_poll()
        return self.feed.poll(now)


class _HookedCarrier(SideCarrier):
    """A carrier between the sides of a setting."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting.source, setting.target)
        self.setting = setting

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Carry keys."""
        self.setting.before_carry()
        return super().carry(keys, now)
