"""The order of steps of a follow, one at a time, so that it may die after any of them.

    POLLED        one round of the feed is in memory
    RECORDED      its keys and gaps are on disk
    CHECKPOINTED  the feed goes on after it next time       (only now: its keys are safe)
    COMPARING     a gap is open: a full difference has begun
    COMPARED      its keys are on disk, and the gap is closed if those are all that differ
    CARRIED       the current state of a chunk of keys is in the target
    SETTLED       the chunk is forgotten, or put back

It has no clock, no thread and no sleep: whoever drives it says what time it is, waits after IDLE
and POLL_FAILED, and ends it by not calling it any more. What it needs to go on is on disk.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum

from dataware.core.errors import DatawareError, LookupFailedError
from dataware.core.follow.feed import (
    RETRY_SECONDS,
    UNKNOWN_OUTCOME_SECONDS,
    Carrier,
    CarryOutcome,
    ChangeFeed,
    Conflict,
    DirtyKeys,
    FeedRound,
    FollowMemory,
    FollowProgress,
    FullDifference,
    Gap,
)


class FollowStep(StrEnum):
    """What one step of a follow did."""

    POLLED = "polled"
    POLL_FAILED = "poll-failed"
    RECORDED = "recorded"
    CHECKPOINTED = "checkpointed"
    COMPARING = "comparing"
    COMPARE_FAILED = "compare-failed"
    COMPARED = "compared"
    CARRIED = "carried"
    SETTLED = "settled"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class FollowPorts:
    """What a follow works with; `difference` is None where the feed itself compares both sides."""

    feed: ChangeFeed
    carrier: Carrier
    dirty: DirtyKeys
    memory: FollowMemory
    difference: FullDifference | None = None


class FollowLoop:
    """A follow in steps; open the feed before the copy begins, and drive `step` from then on.

    `chunk` keys are carried together, and up to `chunks` times between two rounds of the feed, so
    that a backlog keeps no change from being read. `quiet_rounds` counts the whole rounds in a row
    that brought nothing while nothing was dirty, and `is_whole` says that the last round was whole.
    `newest` is the time of the newest change so far; `failure` is why the last poll or comparison
    failed. While it is `paused` only the feed is read, which forgets what is not read for long.
    """

    def __init__(self, ports: FollowPorts, *, chunk: int = 1000, chunks: int = 20) -> None:
        self._ports = ports
        self.chunk, self._chunks = chunk, chunks
        self.paused = False
        self._carry_from: float | None = None
        self._comparing: tuple[Gap, ...] | None = None
        self._whole_at: float | None = None
        self._now = 0.0
        self.is_whole = False
        self._carried = self._rounds = 0
        self.newest: float | None = None
        self.quiet_rounds = 0
        self.failure: DatawareError | None = None
        self.conflicts: dict[bytes, Conflict] = {}
        self._steps = self._run()

    def open(self, now: float) -> None:
        """Open the feed where it was left, or begin it; changes from here on are not missed."""
        memory = self._ports.memory
        memory.save_position(self._ports.feed.open(memory.position(), now))
        self._ports.dirty.end_loans(now + UNKNOWN_OUTCOME_SECONDS)

    def allow_carrying(self, not_before: float) -> None:
        """Carry from `not_before` on: the last write of the copy is acknowledged.

        Where a write of the copy had no answer, `not_before` is `UNKNOWN_OUTCOME_SECONDS` later.
        """
        self._carry_from = not_before

    def step(self, now: float) -> FollowStep:
        """Take the next step. Raises what the ports raise, after which the loop is over."""
        self._now = now
        return next(self._steps)

    @property
    def next_due(self) -> float | None:
        """When carrying can go on, if it waits for a time alone."""
        if self._carry_from is None:
            return None
        due = self._ports.dirty.next_due()
        return None if due is None else max(due, self._carry_from)

    def open_gaps(self) -> tuple[Gap, ...]:
        """The gaps that no full difference has closed yet."""
        return self._ports.memory.open_gaps()

    def report_progress(self, now: float) -> FollowProgress:
        """How far the follow is."""
        oldest = self._ports.dirty.oldest()
        moments = [at for at in (self._whole_at, oldest) if at is not None]
        lag = None if self._whole_at is None else max(0.0, now - min(moments))
        gaps = len(self._ports.memory.open_gaps())
        dirty, conflicts = self._ports.dirty.count(), len(self.conflicts)
        return FollowProgress(lag, dirty, self._carried, self._rounds, gaps, conflicts)

    def _run(self) -> Generator[FollowStep]:
        while True:
            yield from self._read_feed()
            if not self.paused:
                yield from self._compare()
            for _ in range(self._chunks):
                if self.paused or not (yield from self._carry_chunk()):
                    yield FollowStep.IDLE
                    break

    def _read_feed(self) -> Generator[FollowStep]:
        """One round: in memory, then on disk, and only then believed."""
        began = self._now
        try:
            change_round = self._ports.feed.poll(began)
        except LookupFailedError as error:
            self.failure, self.quiet_rounds = error, 0
            yield FollowStep.POLL_FAILED
            return
        yield FollowStep.POLLED
        self._record(change_round, began)
        yield FollowStep.RECORDED
        self._ports.memory.save_position(change_round.position)
        self._count(change_round, began)
        yield FollowStep.CHECKPOINTED

    def _record(self, change_round: FeedRound, began: float) -> None:
        # The position says no more that there was a gap, so the gap is on disk before it.
        if change_round.gaps:
            self._ports.memory.add_gaps(change_round.gaps)
        if change_round.keys:
            since = began if change_round.oldest is None else min(began, change_round.oldest)
            self._ports.dirty.add(change_round.keys, since)

    def _count(self, change_round: FeedRound, began: float) -> None:
        self._rounds += 1
        if change_round.newest is not None:
            self.newest = max(change_round.newest, self.newest or change_round.newest)
        self.is_whole = change_round.whole
        if change_round.whole:
            self._whole_at, self.failure = change_round.as_of or began, None
        quiet = change_round.whole and not change_round.keys and not change_round.gaps
        quiet = quiet and self._ports.dirty.count() == 0
        self.quiet_rounds = self.quiet_rounds + 1 if quiet else 0

    def _compare(self) -> Generator[FollowStep]:
        """Close the open gaps by a full difference, once the copy is done."""
        difference, memory = self._ports.difference, self._ports.memory
        if difference is None or not self._may_carry():
            return
        if self._comparing is None:
            if not (gaps := memory.open_gaps()):
                return
            # A gap that is found from here on may lie behind what this comparison has read.
            difference.start()
            self._comparing = gaps
            yield FollowStep.COMPARING
        try:
            result = difference.collect()
        except LookupFailedError as error:
            self._comparing, self.failure = None, error
            yield FollowStep.COMPARE_FAILED
            return
        if result is None:
            return
        self._ports.dirty.add(result.keys, self._now)
        if result.complete:
            memory.close_gaps(self._comparing)
        self._comparing, self.quiet_rounds = None, 0
        yield FollowStep.COMPARED

    @property
    def whole_at(self) -> float | None:
        """The time up to which the feed was read to its end, by the clock of `step`."""
        return self._whole_at

    @property
    def is_carrying(self) -> bool:
        """Whether keys are carried: nothing that the copy has sent can arrive any more."""
        return self._may_carry()

    def _may_carry(self) -> bool:
        return self._carry_from is not None and self._now >= self._carry_from

    def _carry_chunk(self) -> Generator[FollowStep, None, bool]:
        """Carry one chunk; whether there was one."""
        if not self._may_carry():
            return False
        keys = self._ports.dirty.take(self.chunk, self._now)
        if not keys:
            return False
        outcome = self._ports.carrier.carry(keys, self._now)
        yield FollowStep.CARRIED
        self._settle(outcome)
        yield FollowStep.SETTLED
        return True

    def _settle(self, outcome: CarryOutcome) -> None:
        dirty, now = self._ports.dirty, self._now
        self.conflicts.update((each.key, each) for each in outcome.conflicts)
        for key in outcome.carried:
            self.conflicts.pop(key, None)
        dirty.settle([*outcome.carried, *(each.key for each in outcome.conflicts)])
        if outcome.uncertain:
            dirty.put_back(outcome.uncertain, now + UNKNOWN_OUTCOME_SECONDS)
        if outcome.failed:
            dirty.put_back(outcome.failed, now + RETRY_SECONDS)
        self._carried += len(outcome.carried)
