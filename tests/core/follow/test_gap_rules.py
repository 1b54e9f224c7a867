"""The gap rules: whatever is trimmed unread is reported, and nothing is while a reader keeps up."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from tests.support.shard_trees import HOUR, NumberTrimmedError, ShardTree, StreamRecord

from dataware.core.follow.feed import Gap, GapCause
from dataware.core.follow.shards import (
    KEEP_ENDED,
    LONGEST_AWAY,
    LONGEST_STEP_BACK,
    ListedShard,
    ShardReading,
    StreamReading,
    begin_reading,
    find_gaps,
    take_listing,
)


class TreeReader:
    """Reads a tree by the rules, and keeps what it read and which gaps it was told of."""

    def __init__(self, tree: ShardTree) -> None:
        self.tree = tree
        self.reading = begin_reading("stream", tree.listing(), tree.now)
        self.numbers: set[str] = set()
        self.gaps: list[Gap] = []

    def poll(self, share: float = 1.0) -> None:
        """Read every shard to its present end, or a `share` of them, and then die."""
        tree, now = self.tree, self.tree.now
        listing = tree.listing()
        gaps = find_gaps(self.reading, "stream", listing, now)
        reading = take_listing(self.reading, "stream", listing, now)
        shards = dict(reading.shards)
        trimmed = []
        read = listing[: round(len(listing) * share)]
        for shard in read:
            if shards[shard.id].ended is None:
                shards[shard.id] = self._read(shard.id, shards[shard.id], trimmed)
        since = self.reading
        self.gaps += gaps
        self.gaps += [Gap(GapCause.TRIMMED, since.whole_at, name) for name in trimmed]
        is_whole = len(read) == len(listing)
        whole_at = now if is_whole else reading.whole_at
        kept = replace(reading, shards=shards, whole_at=whole_at)
        self.reading = StreamReading.from_json(json.loads(json.dumps(kept.to_json())))

    def _read(self, name: str, before: ShardReading, trimmed: list[str]) -> ShardReading:
        try:
            records, ended = self.tree.read(name, before.last)
        except NumberTrimmedError:
            trimmed.append(name)
            records, ended = self.tree.read(name, None)
        self.numbers |= {record.number for record in records}
        last = records[-1].number if records else before.last
        return ShardReading(last, self.tree.now if ended else None)

    def lost(self) -> list[StreamRecord]:
        """The records that nobody can read any more, and this reader has not read."""
        readable = {record.number for one in self.tree.shards.values() for record in one.records}
        known = self.numbers | readable
        return [record for record in self.tree.written if record.number not in known]


@pytest.mark.parametrize("seed", range(150))
def test_every_record_that_is_trimmed_unread_lies_behind_a_gap_that_was_reported(seed: int) -> None:
    """However long the reader is away and wherever it dies, no loss goes unreported."""
    order = random.Random(seed)
    tree = ShardTree(seed)
    tree.live(order.uniform(0, 40) * HOUR)
    reader = TreeReader(tree)
    begun = tree.write("first").number
    for _ in range(order.randrange(2, 10)):
        tree.live(order.choice([0.1, 2, 10, 19, 26, 60, 120]) * HOUR)
        reader.poll(order.choice([1.0, 1.0, 0.5]))
    reader.poll()

    lost = [record for record in reader.lost() if record.number >= begun]
    reported = [gap.since for gap in reader.gaps if gap.since is not None]
    assert all(any(since <= record.at for since in reported) for record in lost)


def test_the_trees_of_the_property_do_lose_records() -> None:
    """The property above speaks of something: many of its readers were overtaken."""
    overtaken = 0
    for seed in range(20):
        tree = ShardTree(seed)
        reader = TreeReader(tree)
        tree.live(30 * HOUR)
        reader.poll()
        overtaken += bool(reader.lost())
    assert overtaken > 10


@pytest.mark.parametrize("seed", range(50))
def test_a_reader_that_keeps_up_reads_every_record_and_hears_of_no_gap(seed: int) -> None:
    """Rolls, splits, unfinished rounds and trimmed ancestors are no gap."""
    order = random.Random(seed)
    tree = ShardTree(seed)
    tree.live(30 * HOUR)
    reader = TreeReader(tree)
    begun = tree.write("first").number
    for _ in range(30):
        tree.live(order.uniform(0.1, 2) * HOUR)
        reader.poll(order.choice([1.0, 0.6]))
        reader.poll()
    assert reader.gaps == []
    assert {one.number for one in tree.written if one.number >= begun} <= reader.numbers


def reading_of(**shards: ShardReading) -> StreamReading:
    """A stream of which a whole round was read at 1,000."""
    return StreamReading("stream", 1000.0, shards)


OPEN, ENDED = ShardReading("7"), ShardReading("9", 900.0)


@pytest.mark.parametrize(
    ("before", "listing", "gaps"),
    [
        (reading_of(a=OPEN), [ListedShard("a")], []),
        (reading_of(a=OPEN), [ListedShard("b", "a"), ListedShard("a")], []),
        (reading_of(a=ENDED), [ListedShard("b", "a"), ListedShard("c", "a")], []),
        (reading_of(a=ENDED, b=OPEN), [ListedShard("b", "a")], []),
        (reading_of(a=OPEN), [ListedShard("c", "b"), ListedShard("b", "a"), ListedShard("a")], []),
        (reading_of(a=OPEN), [], [Gap(GapCause.OPEN_SHARD_GONE, 1000.0, "a")]),
        (
            reading_of(a=OPEN),
            [ListedShard("b", "a")],
            [
                Gap(GapCause.OPEN_SHARD_GONE, 1000.0, "a"),
                Gap(GapCause.PARENT_NOT_READ, 1000.0, "b"),
            ],
        ),
        (
            reading_of(a=ENDED),
            [ListedShard("c", "b")],
            [Gap(GapCause.PARENT_NOT_READ, 1000.0, "c")],
        ),
        (reading_of(a=ENDED), [ListedShard("d")], [Gap(GapCause.NEW_ROOT, 1000.0, "d")]),
        (reading_of(), [ListedShard("d")], [Gap(GapCause.NEW_ROOT, 1000.0, "d")]),
    ],
)
def test_each_shape_of_a_listing_that_hides_records_is_a_gap(
    before: StreamReading, listing: list[ListedShard], gaps: list[Gap]
) -> None:
    """A gone open shard, an unread parent and a new root are gaps; rolls and splits are none."""
    assert find_gaps(before, "stream", listing, 1001.0) == tuple(gaps)


def test_a_trimmed_number_is_a_gap_of_its_shard() -> None:
    """What the service says it has trimmed was not read."""
    gaps = find_gaps(reading_of(a=OPEN), "stream", [ListedShard("a")], 1001.0, trimmed=["a"])
    assert gaps == (Gap(GapCause.TRIMMED, 1000.0, "a"),)


def test_twenty_hours_without_a_whole_round_are_a_gap_though_all_shards_are_there() -> None:
    """Inside of one shard that stays, records are trimmed without a trace."""
    before, listing = reading_of(a=ShardReading()), [ListedShard("a")]
    assert find_gaps(before, "stream", listing, 1000.0 + LONGEST_AWAY - 1) == ()
    late = find_gaps(before, "stream", listing, 1000.0 + LONGEST_AWAY)
    assert late == (Gap(GapCause.AWAY_TOO_LONG, 1000.0),)


def test_a_clock_that_went_back_far_is_a_gap_as_it_cannot_tell_how_long_a_reader_was_away() -> None:
    """A correction of a few minutes is none."""
    before, listing = reading_of(a=OPEN), [ListedShard("a")]
    assert find_gaps(before, "stream", listing, 900.0) == ()
    gaps = find_gaps(before, "stream", listing, 600.0)
    assert gaps == (Gap(GapCause.AWAY_TOO_LONG, 1000.0),)


def test_another_stream_is_one_gap_and_is_read_from_its_horizon() -> None:
    """A stream that was switched off and on again has another ARN, and other shards."""
    before, listing = reading_of(a=OPEN), [ListedShard("x"), ListedShard("y", "x")]
    assert find_gaps(before, "other", listing, 1001.0) == (Gap(GapCause.OTHER_STREAM, 1000.0),)
    after = take_listing(before, "other", listing, 1001.0)
    assert after == StreamReading("other", 1001.0, {"x": ShardReading(), "y": ShardReading()})


def test_shards_that_are_closed_at_the_beginning_need_not_be_read() -> None:
    """They hold changes that the copy reads anyway, and may be trimmed at any moment."""
    begun = begin_reading(
        "stream", [ListedShard("a", None, closed=True), ListedShard("b", "a")], 1000.0
    )
    assert begun.shards == {"a": ShardReading(None, 1000.0), "b": ShardReading()}
    assert find_gaps(begun, "stream", [ListedShard("b", "a"), ListedShard("c", "a")], 1001.0) == ()


def test_an_ended_shard_is_remembered_for_its_children_and_then_forgotten() -> None:
    """Its children may be listed first when it is gone; it is no burden for ever."""
    before = reading_of(a=ENDED)
    soon = take_listing(before, "stream", [ListedShard("b", "a")], 1001.0)
    assert soon.shards == {"a": ENDED, "b": ShardReading()}
    assert (
        "a" not in take_listing(soon, "stream", [ListedShard("b", "a")], 900.0 + KEEP_ENDED).shards
    )


@pytest.mark.parametrize(("away", "kept"), [(-1.0, True), (0.0, False), (1.0, False)])
def test_an_ended_shard_that_is_gone_is_forgotten_when_no_child_of_it_can_appear(
    away: float, kept: bool
) -> None:
    """A position would grow for ever otherwise; what is open, or listed still, is kept."""
    ended = 1000.0
    before = StreamReading(
        "stream",
        ended,
        {
            "gone": ShardReading("9", ended),
            "listed": ShardReading("9", ended),
            "open": ShardReading(),
        },
    )
    listing = [ListedShard("listed", None, closed=True), ListedShard("open", None, closed=False)]
    after = take_listing(before, "stream", listing, ended + KEEP_ENDED + away)
    assert after.shards.keys() == {"listed", "open", *(["gone"] if kept else [])}


@pytest.mark.parametrize(
    ("step", "is_gap"),
    [
        (-LONGEST_STEP_BACK - 1, True),
        (-LONGEST_STEP_BACK, False),
        (LONGEST_AWAY - 1, False),
        (LONGEST_AWAY, True),
    ],
)
def test_how_far_the_clock_may_be_off_and_how_long_a_reader_away(step: float, is_gap: bool) -> None:
    """A clock that was set back by more hides for how long nothing was read."""
    before = begin_reading("stream", [ListedShard("a")], 1_000_000.0)
    gaps = find_gaps(before, "stream", [ListedShard("a")], 1_000_000.0 + step)
    assert [gap.cause for gap in gaps] == ([GapCause.AWAY_TOO_LONG] if is_gap else [])


@pytest.mark.parametrize("other", ["a", "z"])
def test_another_stream_is_a_gap_whatever_it_is_called_and_its_shards_are_new(other: str) -> None:
    """One that was switched on again has another ARN, and nothing of the first one is believed."""
    before = begin_reading("stream", [ListedShard("1", closed=True)], 5.0)
    listing = [ListedShard("1", closed=True), ListedShard("2")]
    assert find_gaps(before, other, listing, 6.0) == (Gap(GapCause.OTHER_STREAM, 5.0),)
    after = take_listing(before, other, listing, 6.0)
    assert after == StreamReading(other, 6.0, {"1": ShardReading(), "2": ShardReading()})
