"""The feed of a stream: every key of every shard, and a gap wherever one may be missing."""

from __future__ import annotations

import json
import random
from typing import Any, cast

import pytest
from tests.support.memory_streams import MemoryStreams, refusal
from tests.support.shard_trees import HOUR, ShardTree

from dataware.core.errors import IncompleteError, LookupFailedError, NotFoundError
from dataware.core.follow.feed import FeedRound, Gap, GapCause
from dataware.core.follow.shards import StreamReading
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.stream_feed import StreamFeed


def feed_of(streams: MemoryStreams, **bounds: Any) -> StreamFeed:
    """A feed that is not open yet."""
    return StreamFeed(cast("Aws", streams), "table", **bounds)


def key(text: str) -> bytes:
    """A key as the feed gives it."""
    return json.dumps({"pk": {"S": text}}, separators=(",", ":")).encode()


def opened(streams: MemoryStreams, **bounds: Any) -> StreamFeed:
    """A feed that begins now."""
    feed = feed_of(streams, **bounds)
    feed.open(None, streams.tree.now)
    return feed


def poll_all(feed: StreamFeed, streams: MemoryStreams) -> list[FeedRound]:
    """Rounds until one is whole."""
    rounds = [feed.poll(streams.tree.now)]
    while not rounds[-1].whole:
        rounds.append(feed.poll(streams.tree.now))
    return rounds


@pytest.mark.parametrize("seed", range(60))
def test_every_change_since_the_feed_was_opened_comes_or_a_gap_is_reported(seed: int) -> None:
    """Over rolls, splits, trims, expired iterators, small rounds, faults and restarts."""
    order = random.Random(seed)
    tree = ShardTree(seed)
    tree.live(order.uniform(0, 30) * HOUR)
    streams = MemoryStreams(tree, page=order.choice([1, 3, 100]), limit=order.choice([1, 4]))
    feed = feed_of(streams, records=order.choice([5, 20_000]))
    position = feed.open(None, tree.now)
    begun = tree.write("first").number
    keys: set[bytes] = set()
    since: list[float] = []

    def fault(call: str, _arguments: dict[str, Any]) -> None:
        if order.random() < 0.05:
            raise refusal(call, "InternalServerError")

    streams.fault = fault
    for _ in range(order.randrange(3, 12)):
        tree.live(order.choice([0.05, 0.2, 2, 10, 30, 60]) * HOUR, keys=10_000)
        if order.random() < 0.3:
            feed = feed_of(streams, records=5)
            feed.open(json.loads(json.dumps(position)), tree.now)
        try:
            got = feed.poll(tree.now)
        except LookupFailedError:
            continue
        keys |= got.keys
        position = got.position
        since += [gap.since for gap in got.gaps if gap.since is not None]
    streams.fault = lambda _call, _arguments: None
    for got in poll_all(feed, streams):
        keys |= got.keys
        since += [gap.since for gap in got.gaps if gap.since is not None]
    missed = [one for one in tree.written if one.number >= begun and key(one.key) not in keys]
    assert all(any(at <= record.at for at in since) for record in missed)


def test_an_expired_iterator_is_replaced_and_misses_nothing() -> None:
    """It is no gap; the round goes on after the last number."""
    streams = MemoryStreams(ShardTree(1, roots=1))
    feed = opened(streams)
    streams.tree.write("a")
    feed.poll(0.0)
    streams.tree.write("b")
    streams.tree.advance(1000.0)
    got = feed.poll(streams.tree.now)
    assert (got.keys, got.gaps, got.whole) == (frozenset({key("b")}), (), True)


def test_a_number_that_is_trimmed_is_a_gap_and_the_shard_is_read_from_its_horizon_on() -> None:
    """Also where the service trims sooner than it promises; the next round has no gap."""
    streams = MemoryStreams(ShardTree(1, retention=HOUR, roots=1))
    feed = opened(streams)
    streams.tree.write("a")
    feed.poll(0.0)
    streams.tree.write("lost")
    streams.tree.advance(2 * HOUR)
    streams.tree.write("b")
    (shard,) = streams.tree.shards
    got = feed.poll(streams.tree.now)
    assert (got.keys, got.gaps) == ({key("b")}, (Gap(GapCause.TRIMMED, 0.0, shard),))
    assert feed.poll(streams.tree.now).gaps == ()


def test_a_round_is_bounded_and_the_next_one_goes_on_in_another_shard() -> None:
    """A backlog needs little memory, and no shard is held up by a busy one."""
    streams = MemoryStreams(ShardTree(2, roots=2), limit=1000)
    feed = opened(streams, records=10)
    for number in range(300):
        streams.tree.write(f"k{number}")
    rounds = poll_all(feed, streams)
    assert [one.whole for one in rounds[:-1]] == [False] * (len(rounds) - 1)
    assert frozenset().union(*(one.keys for one in rounds)) == {key(f"k{n}") for n in range(300)}


def test_a_shard_that_does_not_answer_holds_up_none_of_the_others() -> None:
    """Their keys come, and the round is not whole; nothing of the silent one is passed over."""
    streams = MemoryStreams(ShardTree(3, roots=3))
    feed = opened(streams)
    for number in range(9):
        streams.tree.write(f"k{number}")
    silent = next(iter(streams.tree.shards))

    def fault(call: str, arguments: dict[str, Any]) -> None:
        if silent in arguments.get("ShardIterator", ""):
            raise refusal(call, "InternalServerError")

    streams.fault = fault
    got = feed.poll(1.0)
    assert (len(got.keys), got.whole) == (6, False)
    streams.fault = lambda _call, _arguments: None
    again = feed.poll(2.0)
    assert (len(again.keys), again.whole) == (3, True)


def test_nothing_is_passed_over_where_no_shard_answers() -> None:
    """The round fails, and the next one gives what it would have given."""
    streams = MemoryStreams(ShardTree(4))
    feed = opened(streams)
    streams.tree.write("a")

    def fault(call: str, _arguments: dict[str, Any]) -> None:
        raise refusal(call, "InternalServerError")

    streams.fault = fault
    with pytest.raises(LookupFailedError):
        feed.poll(1.0)
    streams.fault = lambda _call, _arguments: None
    assert feed.poll(2.0).keys == {key("a")}


def test_another_stream_is_a_gap_and_is_read_instead() -> None:
    """Somebody switched the stream off and on again."""
    streams = MemoryStreams(ShardTree(5))
    feed = opened(streams)
    other = ShardTree(6)
    streams.switch("arn:stream-2", other)
    other.write("b")
    got = feed.poll(1.0)
    assert [gap.cause for gap in got.gaps] == [GapCause.OTHER_STREAM]
    assert got.keys == {key("b")}
    other.write("c")
    later = feed.poll(2.0)
    assert (later.keys, later.gaps) == ({key("c")}, ())


def test_a_stream_that_follows_comparisons_begins_with_a_gap() -> None:
    """What changed between the last comparison and the stream has no record."""
    streams = MemoryStreams(ShardTree(10))
    streams.tree.write("a")
    feed = feed_of(streams)
    feed.open(StreamReading("", 5.0).to_json(), 6.0)
    got = feed.poll(7.0)
    assert got.gaps == (Gap(GapCause.OTHER_STREAM, 5.0),)
    assert got.keys == {key("a")}
    assert feed.poll(8.0).gaps == ()


def test_a_stream_that_was_switched_off_ends_the_run_with_a_sentence() -> None:
    """Changes are lost from then on, so nobody is to believe that they are carried."""
    streams = MemoryStreams(ShardTree(7))
    feed = opened(streams)
    streams.switch(None)
    with pytest.raises(IncompleteError, match=r"was switched off.*run the same command again"):
        feed.poll(1.0)


def test_a_table_without_a_stream_has_no_feed() -> None:
    """The caller has to look first, or to switch it on."""
    streams = MemoryStreams(ShardTree(8))
    streams.switch(None)
    with pytest.raises(NotFoundError):
        opened(streams)


def test_times_of_changes_are_told() -> None:
    """The oldest and the newest of a round; none of an empty one."""
    streams = MemoryStreams(ShardTree(9))
    feed = opened(streams)
    for at in (10.0, 30.0):
        streams.tree.now = at
        streams.tree.write("a")
    got = feed.poll(40.0)
    assert (got.oldest, got.newest) == (10.0, 30.0)
    empty = feed.poll(50.0)
    assert (empty.oldest, empty.newest) == (None, None)


def test_a_round_is_not_whole_before_the_child_of_an_ended_shard_is_listed() -> None:
    """A listing lags behind, and what the child holds was not read: no cut-over may trust it."""
    streams = MemoryStreams(ShardTree(11, roots=1))
    feed = opened(streams)
    (parent,) = streams.tree.open_shards()
    streams.tree.roll(parent)
    (child,) = streams.tree.open_shards()
    streams.tree.write("late")
    del streams.tree.shards[child.id]
    rounds = [feed.poll(10.0), feed.poll(20.0)]
    assert [(got.keys, got.whole, got.gaps) for got in rounds] == [(frozenset(), False, ())] * 2
    streams.tree.shards[child.id] = child
    got = feed.poll(30.0)
    assert (got.keys, got.whole, got.gaps) == ({key("late")}, True, ())


def test_a_round_of_a_stream_whose_shards_are_not_listed_yet_is_not_whole() -> None:
    """A stream that was just switched on; what its first shard holds is a gap, then read."""
    streams = MemoryStreams(ShardTree(14, roots=1))
    (shard,) = streams.tree.open_shards()
    streams.tree.write("a")
    streams.tree.shards.clear()
    feed = opened(streams)
    assert not feed.poll(1.0).whole
    streams.tree.shards[shard.id] = shard
    got = feed.poll(2.0)
    assert (got.keys, got.whole) == ({key("a")}, True)
    assert [gap.cause for gap in got.gaps] == [GapCause.NEW_ROOT]


def test_the_child_of_an_ended_shard_is_not_waited_for_without_end() -> None:
    """Such as in a server that never lists one."""
    streams = MemoryStreams(ShardTree(12, roots=1))
    feed = opened(streams)
    streams.tree.open_shards()[0].closed = 0.0
    assert [feed.poll(at).whole for at in (1.0, 1.0 + HOUR)] == [False, True]


def test_an_answer_without_an_iterator_ends_no_shard_that_is_listed_as_open() -> None:
    """A field that is lost on the way must not hide all changes that come after it."""
    streams = MemoryStreams(ShardTree(13, roots=1))
    feed = opened(streams)
    streams.tree.write("a")
    whole = streams.get_records

    def get_records(**arguments: Any) -> dict[str, Any]:
        answer = whole(**arguments)
        return {name: part for name, part in answer.items() if name != "NextShardIterator"}

    streams.get_records = get_records  # type: ignore[method-assign]  # a proxy that loses a field
    assert feed.poll(1.0).keys == {key("a")}
    streams.get_records = whole  # type: ignore[method-assign]  # and one that does not
    streams.tree.write("b")
    assert feed.poll(2.0).keys == {key("b")}
