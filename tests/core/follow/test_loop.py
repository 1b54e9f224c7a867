"""The steps of a follow: what is on disk when, and what a death after any of them leaves behind."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import Any

import pytest
from tests.support.follow_memory import LogFeed, MemoryDirtyKeys, MemoryFollow, SideCarrier

from dataware.core.errors import LookupFailedError
from dataware.core.follow.feed import (
    UNKNOWN_OUTCOME_SECONDS,
    CarryOutcome,
    Conflict,
    DifferenceResult,
    FeedRound,
    Gap,
    GapCause,
)
from dataware.core.follow.loop import RETRY_SECONDS, FollowLoop, FollowPorts, FollowStep

S = FollowStep
GAP = Gap(GapCause.TRIMMED, 5.0, "a")


class World:
    """Two sides, a log of changes, and what a follow has on disk."""

    def __init__(self, keys: int = 20) -> None:
        self.now = 0.0
        self.source: dict[bytes, Any] = {b"k%d" % number: 0 for number in range(keys)}
        self.target: dict[bytes, Any] = {}
        self.log: list[tuple[float, bytes]] = []
        self.dirty, self.memory = MemoryDirtyKeys(), MemoryFollow()
        self.feed = LogFeed(self.log)
        self.carrier = SideCarrier(self.source, self.target)
        self.difference: WholeDifference | None = None

    def loop(self, **bounds: int) -> FollowLoop:
        """A follow, as a process that starts has it."""
        ports = FollowPorts(self.feed, self.carrier, self.dirty, self.memory, self.difference)
        loop = FollowLoop(ports, **bounds)
        loop.open(self.now)
        return loop

    def write(self, key: bytes, value: Any) -> None:
        """A change of the source; None deletes."""
        self.source.pop(key, None)
        if value is not None:
            self.source[key] = value
        self.log.append((self.now, key))

    def steps(self, loop: FollowLoop, number: int, seconds: float = 0.0) -> list[FollowStep]:
        """What the next steps do."""
        done = []
        for _ in range(number):
            self.now += seconds
            done.append(loop.step(self.now))
        return done


class WholeDifference:
    """A comparison in full that takes `rounds` looks."""

    def __init__(self, world: World, rounds: int = 1, failures: int = 0) -> None:
        self.world, self.rounds, self.failures = world, rounds, failures
        self.begun = 0
        self.left = 0
        self.most = 1000

    def start(self) -> None:
        """Begin."""
        self.begun += 1
        self.left = self.rounds

    def collect(self) -> DifferenceResult | None:
        """The keys that differ, at the end; `most` of them."""
        if self.failures:
            self.failures -= 1
            raise LookupFailedError("no answer")
        self.left -= 1
        if self.left > 0:
            return None
        source, target = self.world.source, self.world.target
        keys = source.keys() | target.keys()
        wrong = [key for key in keys if source.get(key) != target.get(key)]
        return DifferenceResult(wrong[: self.most], len(wrong) <= self.most)


def test_keys_are_on_disk_before_the_position_and_nothing_is_carried_before_the_copy_ends() -> None:
    """A checkpoint is believed, so what it passes over is safe by then."""
    world = World()
    loop = world.loop()
    world.write(b"k1", 1)
    assert world.steps(loop, 1) == [S.POLLED]
    assert (world.dirty.count(), world.memory.saved) == (0, {"at": 0})
    assert world.steps(loop, 1) == [S.RECORDED]
    assert (world.dirty.count(), world.memory.saved) == (1, {"at": 0})
    assert world.steps(loop, 1) == [S.CHECKPOINTED]
    assert world.memory.saved == {"at": 1}
    assert world.steps(loop, 4) == [S.IDLE, S.POLLED, S.RECORDED, S.CHECKPOINTED]
    assert world.target == {}

    loop.allow_carrying(world.now)
    assert world.steps(loop, 3) == [S.CARRIED, S.SETTLED, S.IDLE]
    assert (world.target, world.dirty.count()) == ({b"k1": 1}, 0)


def test_carrying_waits_for_writes_of_the_copy_without_an_answer() -> None:
    """What the copy may still write is not carried before."""
    world = World()
    loop = world.loop()
    world.write(b"k1", 1)
    loop.allow_carrying(60.0)
    assert S.CARRIED not in world.steps(loop, 20, 1.0)
    assert loop.next_due == 60.0
    assert S.CARRIED in world.steps(loop, 50, 1.0)


def test_a_delete_is_carried_as_a_delete() -> None:
    """What the source does not have any more, the target loses."""
    world = World()
    world.target.update(world.source)
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.write(b"k3", None)
    world.steps(loop, 6)
    assert world.target == world.source
    assert b"k3" not in world.target


class SpoiltCarrier(SideCarrier):
    """Its first chunks have another outcome."""

    def __init__(self, world: World, *outcomes: Callable[[frozenset[bytes]], CarryOutcome]) -> None:
        super().__init__(world.source, world.target)
        self.outcomes = list(outcomes)

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """The next spoilt outcome, or what a carrier does."""
        if not self.outcomes:
            return super().carry(keys, now)
        self.chunks.append(tuple(keys))
        return self.outcomes.pop(0)(frozenset(keys))


def test_a_key_without_an_answer_waits_a_minute_even_if_it_changes_meanwhile() -> None:
    """A newer value that is carried sooner could be overwritten by the write that comes late."""
    world = World()
    world.carrier = SpoiltCarrier(world, lambda keys: CarryOutcome(uncertain=keys))
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.write(b"k1", 1)
    world.steps(loop, 5)
    world.write(b"k1", 2)
    while world.now + 1 < UNKNOWN_OUTCOME_SECONDS:
        world.steps(loop, 1, 1.0)
    assert (len(world.carrier.chunks), world.dirty.count()) == (1, 1)
    world.steps(loop, 10, 1.0)
    assert (world.target, world.dirty.count()) == ({b"k1": 2}, 0)


def test_a_partial_answer_puts_the_rest_back_for_a_moment() -> None:
    """Keys that were not processed are carried with a later chunk."""
    world = World()
    world.carrier = SpoiltCarrier(
        world, lambda keys: CarryOutcome(keys - {b"k2"}, failed=frozenset({b"k2"}))
    )
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.write(b"k1", 1)
    world.write(b"k2", 1)
    world.steps(loop, 5)
    assert list(world.dirty.rows) == [b"k2"]
    assert world.dirty.next_due() == RETRY_SECONDS
    world.steps(loop, 8, 1.0)
    assert world.dirty.count() == 0


def test_a_conflict_is_kept_and_listed_until_its_key_is_carried() -> None:
    """The target's value stays, and the key is dirty no more."""
    world = World()
    world.carrier = SpoiltCarrier(
        world, lambda _keys: CarryOutcome(conflicts=(Conflict(b"k1", "another value"),))
    )
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.write(b"k1", 1)
    world.steps(loop, 6)
    assert (list(loop.conflicts), world.dirty.count()) == ([b"k1"], 0)
    assert loop.report_progress(world.now).conflicts == 1
    world.write(b"k1", 2)
    world.steps(loop, 6)
    assert loop.conflicts == {}


def test_a_gap_is_on_disk_before_the_position_and_is_closed_by_a_full_difference() -> None:
    """The keys of the difference are carried like any other, and the follow goes on meanwhile."""
    world = World()
    world.difference = WholeDifference(world, rounds=2)
    world.target.update(world.source, k9=b"stale")
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.source[b"k5"] = 5  # a change whose record was lost
    world.feed.gaps = [GAP]
    assert world.steps(loop, 2) == [S.POLLED, S.RECORDED]
    assert world.memory.gaps == [GAP]
    assert world.steps(loop, 3) == [S.CHECKPOINTED, S.COMPARING, S.IDLE]
    assert loop.report_progress(world.now).gaps == 1
    rest = world.steps(loop, 7)
    assert rest == [S.POLLED, S.RECORDED, S.CHECKPOINTED, S.COMPARED, S.CARRIED, S.SETTLED, S.IDLE]
    assert (world.target, world.memory.gaps) == (world.source, [])


def test_a_gap_that_is_found_while_sides_are_compared_is_closed_by_the_next_comparison() -> None:
    """What had been read by then may have changed in the gap."""
    world = World()
    world.difference = WholeDifference(world, rounds=3)
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.feed.gaps = [GAP]
    world.steps(loop, 5)
    later = Gap(GapCause.NEW_ROOT, 9.0, "z")
    world.feed.gaps = [later]
    while world.steps(loop, 1) != [S.COMPARED]:
        pass
    assert world.memory.gaps == [later]
    while world.steps(loop, 1) != [S.COMPARED]:
        pass
    assert (world.memory.gaps, world.difference.begun) == ([], 2)


def test_a_comparison_that_fails_is_begun_again() -> None:
    """The gap stays open, and the reason is at hand."""
    world = World()
    world.difference = WholeDifference(world, failures=1)
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.feed.gaps = [GAP]
    steps = world.steps(loop, 12)
    assert steps.count(S.COMPARE_FAILED) == 1
    assert steps.count(S.COMPARING) == 2
    assert world.memory.gaps == []


def test_a_comparison_that_lists_only_some_keys_is_made_again_until_it_lists_all() -> None:
    """The gap stays open while more differs than what was carried."""
    world = World(20)
    world.difference = WholeDifference(world)
    world.difference.most = 8
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.feed.gaps = [GAP]
    world.steps(loop, 60)
    assert (world.target, world.memory.gaps) == (world.source, [])
    assert world.difference.begun == 3


class SilentFeed(LogFeed):
    """A feed that does not answer for a while."""

    silent = True

    def poll(self, now: float) -> FeedRound:
        """An error while it is silent."""
        if self.silent:
            raise LookupFailedError("no answer")
        return super().poll(now)


def test_a_feed_that_does_not_answer_stops_nothing_and_is_asked_again() -> None:
    """What is dirty is carried all the same; the lag grows."""
    world = World()
    world.feed = feed = SilentFeed(world.log)
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.dirty.add([b"k1"], 0.0)
    assert world.steps(loop, 4) == [S.POLL_FAILED, S.CARRIED, S.SETTLED, S.IDLE]
    assert str(loop.failure) == "no answer"
    feed.silent = False
    world.steps(loop, 4)
    assert loop.failure is None


def test_the_feed_is_read_between_lots_of_a_backlog() -> None:
    """However much is dirty, the feed never waits for all of it."""
    world = World(100)
    loop = world.loop(chunk=10, chunks=3)
    loop.allow_carrying(0.0)
    for key in list(world.source):
        world.write(key, 1)
    steps = world.steps(loop, 60)
    polls = [place for place, step in enumerate(steps) if step is S.POLLED]
    assert max(later - place for place, later in pairwise(polls)) == 9
    assert world.target == world.source


def test_lag_is_the_age_of_the_oldest_change_that_is_not_carried() -> None:
    """Where nothing is dirty, it is the age of the last whole round."""
    world = World()
    loop = world.loop()
    assert loop.report_progress(0.0).lag is None
    world.now = 10.0
    world.write(b"k1", 1)
    world.steps(loop, 4, 1.0)
    assert loop.report_progress(30.0).lag == 20.0
    loop.allow_carrying(0.0)
    world.steps(loop, 6, 1.0)
    assert loop.report_progress(30.0)[:4] == (30.0 - 15.0, 0, 1, 2)


def test_quiet_rounds_count_only_whole_ones_over_an_empty_set() -> None:
    """Two of them in a row say that both sides agree, but for what is on its way."""
    world = World()
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.write(b"k1", 1)
    world.steps(loop, 6)
    assert loop.quiet_rounds == 0
    world.steps(loop, 8)
    assert loop.quiet_rounds == 2
    world.write(b"k1", 2)
    world.steps(loop, 4)
    assert loop.quiet_rounds == 0


class LatePuts(SideCarrier):
    """A carrier some of whose writes have no answer and arrive up to a minute later."""

    def __init__(self, world: World, order: random.Random) -> None:
        super().__init__(world.source, world.target)
        self.world, self.order = world, order
        self.late: list[tuple[float, bytes, Any]] = []

    def deliver(self) -> None:
        """Let arrive what is due."""
        due = [one for one in self.late if one[0] <= self.world.now]
        self.late = [one for one in self.late if one not in due]
        for _, key, value in due:
            self._put(key, value)

    def _put(self, key: bytes, value: Any) -> None:
        self.target.pop(key, None)
        if value is not None:
            self.target[key] = value

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Each key is written, or not, or without an answer."""
        parts: dict[str, set[bytes]] = {"carried": set(), "failed": set(), "uncertain": set()}
        for key in keys:
            fate = self.order.choices(list(parts), [8, 1, 2])[0]
            parts[fate].add(key)
            if fate == "carried":
                self._put(key, self.source.get(key))
            if fate == "uncertain":
                at = now + self.order.uniform(0, UNKNOWN_OUTCOME_SECONDS - 2)
                self.late.append((at, key, self.source.get(key)))
        return CarryOutcome(**{name: frozenset(part) for name, part in parts.items()})


@pytest.mark.parametrize("seed", range(100))
def test_whatever_dies_comes_late_or_repeats_both_sides_end_the_same(seed: int) -> None:
    """Writers, deaths after any step, unknown outcomes, partial answers, records read again."""
    order = random.Random(seed)
    world = World(12)
    world.target.update(world.source)
    carrier = LatePuts(world, order)
    world.carrier = carrier
    world.feed.page = order.choice([1, 3, 1000])
    loop = world.loop(chunk=order.choice([1, 3, 100]))
    loop.allow_carrying(0.0)
    saved = [world.memory.saved]
    for turn in range(400):
        world.now += order.uniform(0, 1.5)
        carrier.deliver()
        if turn < 200 and order.random() < 0.6:
            value = None if order.random() < 0.3 else turn
            world.write(b"k%d" % order.randrange(12), value)
        saved.append(world.memory.saved)
        if order.random() < 0.03:
            # What is read again comes again: from any earlier place, as from the horizon.
            world.memory.saved = order.choice([saved[-1], order.choice(saved)])
            loop = world.loop(chunk=order.choice([1, 3, 100]))
            loop.allow_carrying(world.now)
        loop.step(world.now)
    while loop.quiet_rounds < 2 or carrier.late:
        world.now += 1.0
        carrier.deliver()
        loop.step(world.now)
    assert world.target == world.source


def test_positions_are_opaque_and_only_the_feed_reads_them() -> None:
    """A run that goes on hands the feed what it had saved, unread."""
    world = World()
    opened: list[Mapping[str, Any] | None] = []

    class Watched(LogFeed):
        def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
            opened.append(position)
            return super().open(position, now)

    world.feed = Watched(world.log)
    world.write(b"k1", 1)
    loop = world.loop()
    world.write(b"k2", 1)
    world.steps(loop, 3)
    world.loop()
    assert opened == [None, {"at": 2}]


def test_a_paused_follow_reads_the_feed_and_does_nothing_else() -> None:
    """A stream forgets after a day, so a pause must not become a gap; what waits is kept."""
    world = World()
    world.difference = WholeDifference(world)
    world.memory.add_gaps((GAP,))
    loop = world.loop()
    loop.allow_carrying(0.0)
    loop.paused = True
    world.write(b"k1", 1)
    done = world.steps(loop, 20)
    assert set(done) == {S.POLLED, S.RECORDED, S.CHECKPOINTED, S.IDLE}
    assert (world.target, world.dirty.count(), world.difference.begun) == ({}, 1, 0)
    assert world.memory.saved == {"at": 1}
    loop.paused = False
    assert {S.COMPARED, S.CARRIED} <= set(world.steps(loop, 20))
    assert (world.target[b"k1"], world.memory.open_gaps()) == (1, ())


def test_a_pause_in_the_middle_of_a_backlog_lets_one_lot_end() -> None:
    """The number of keys of a chunk may change meanwhile as well."""
    world = World()
    loop = world.loop(chunk=2)
    loop.allow_carrying(0.0)
    for number in range(10):
        world.write(b"k%d" % number, 1)
    while world.steps(loop, 1) != [S.CARRIED]:
        pass
    loop.paused = True
    assert S.CARRIED not in world.steps(loop, 20)
    assert len(world.target) == 2
    loop.paused, loop.chunk = False, 5
    world.steps(loop, 8)
    assert len(world.target) >= 7


def test_a_round_that_fails_begins_the_quiet_rounds_anew() -> None:
    """One quiet round after it is one, neither none nor two; what failed is known until then."""
    world = World()
    loop = world.loop()
    world.steps(loop, 8)
    assert loop.quiet_rounds == 2
    poll, world.feed.poll = world.feed.poll, refuse_to_poll  # type: ignore[method-assign] # no answer
    while world.steps(loop, 1) != [S.POLL_FAILED]:
        pass
    assert (loop.quiet_rounds, str(loop.failure)) == (0, "no answer")
    world.feed.poll = poll  # type: ignore[method-assign] # an answer
    while world.steps(loop, 1) != [S.CHECKPOINTED]:
        pass
    assert (loop.quiet_rounds, loop.failure) == (1, None)


def refuse_to_poll(_now: float) -> FeedRound:
    """A feed that does not answer."""
    raise LookupFailedError("no answer")


def test_a_follow_that_has_read_all_at_this_moment_is_not_behind() -> None:
    """Nor is it behind by a clock that was set back since."""
    world = World()
    loop = world.loop()
    world.now = 7.0
    world.steps(loop, 3)
    assert loop.report_progress(7.0).lag == 0.0
    assert loop.report_progress(6.0).lag == 0.0
    assert loop.report_progress(7.5).lag == 0.5


def test_what_a_dead_process_had_under_way_waits_from_now_on_for_what_may_arrive_yet() -> None:
    """By the time at which the next one opens, whatever that time is."""
    world = World()
    world.dirty.add([b"k1"], 0.0)
    assert world.dirty.take(1, 0.0) == (b"k1",)
    world.now = 1_000.0
    loop = world.loop()
    loop.allow_carrying(0.0)
    assert loop.next_due == 1_000.0 + UNKNOWN_OUTCOME_SECONDS


def test_a_gap_without_a_comparison_beside_the_feed_stays_open_and_stops_nothing() -> None:
    """Where the feed itself compares both sides, nobody else does."""
    world = World()
    world.memory.add_gaps((GAP,))
    loop = world.loop()
    loop.allow_carrying(0.0)
    world.write(b"k1", 1)
    assert S.CARRIED in world.steps(loop, 12)
    assert world.memory.open_gaps() == (GAP,)


@pytest.mark.parametrize(
    ("found", "quiet"),
    [
        (FeedRound(frozenset(), {}), 1),
        (FeedRound(frozenset(), {}, whole=False), 0),
        (FeedRound(frozenset(), {}, gaps=(GAP,)), 0),
        (FeedRound(frozenset(), {}, gaps=(GAP,), whole=False), 0),
        (FeedRound(frozenset({b"k1"}), {}), 0),
        (FeedRound(frozenset({b"k1"}), {}, whole=False), 0),
    ],
)
def test_only_a_whole_round_that_brings_neither_a_key_nor_a_gap_is_quiet(
    found: FeedRound, quiet: int
) -> None:
    """A cut-over believes in quiet rounds; before the first one nothing is known to be whole."""
    world = World()
    loop = world.loop()
    assert not loop.is_whole
    world.feed.poll = lambda _now: found  # type: ignore[method-assign] # what the test says
    assert world.steps(loop, 3) == [S.POLLED, S.RECORDED, S.CHECKPOINTED]
    assert (loop.quiet_rounds, loop.is_whole) == (quiet, found.whole)


def test_after_a_comparison_the_quiet_rounds_begin_anew() -> None:
    """What it found may have changed again since it was read."""
    world = World()
    world.target.update(world.source)
    world.difference = WholeDifference(world)
    world.memory.gaps = [GAP]
    loop = world.loop()
    loop.allow_carrying(world.now)
    while loop.step(world.now) is not S.COMPARED:
        pass
    assert loop.quiet_rounds == 0
    assert world.memory.gaps == []
