"""Tables with a stream: shards that roll over and split, late records, records that are trimmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from dataware.core.errors import LookupFailedError
from dataware.core.follow.feed import FeedRound, Gap, GapCause
from dataware.core.follow.shards import (
    ListedShard,
    ShardReading,
    StreamReading,
    begin_reading,
    find_gaps,
    take_listing,
)
from support.simulator.world import HOUR, World

RETENTION = 24 * HOUR
ROLL_AFTER = 4 * HOUR


@dataclass(slots=True)
class Change:
    """A record of a stream: read from `visible` on, with the time `at`, in whole seconds."""

    number: str
    key: bytes
    at: float
    visible: float


@dataclass(slots=True)
class StreamShard:
    """A shard, of the keys whose hash is `part` of `parts`."""

    id: str
    parent: str | None
    part: int
    parts: int
    opened: float
    changes: list[Change] = field(default_factory=list)
    trimmed: str = ""
    closed: float | None = None

    def takes(self, key: bytes) -> bool:
        """Whether changes of a key go here."""
        return self.closed is None and crc32(key) % self.parts == self.part


class Stream:
    """The changes of a table; `delay` is the longest that a record takes to be readable."""

    def __init__(self, world: World, roots: int, delay: float, split: float) -> None:
        self._world = world
        self._delay, self._split = delay, split
        self.shards: dict[str, StreamShard] = {}
        for part in range(roots):
            self._open(None, part, roots)

    def add(self, key: bytes) -> None:
        """A change of a key was made."""
        world = self._world
        shard = next(one for one in self.shards.values() if one.takes(key))
        number = f"{world.number():012d}"
        visible = world.now + world.random.random() * self._delay
        if shard.changes:
            visible = max(visible, shard.changes[-1].visible)
        shard.changes.append(Change(number, key, float(int(world.now)), visible))
        if world.now - shard.opened > ROLL_AFTER or world.random.random() < self._split:
            self._close(shard)

    def listing(self) -> list[ListedShard]:
        """Every shard, in an order that means nothing."""
        self._trim()
        shards = [
            ListedShard(one.id, one.parent, one.closed is not None) for one in self.shards.values()
        ]
        self._world.random.shuffle(shards)
        return shards

    def read(self, name: str, after: str | None) -> tuple[list[Change], bool] | None:
        """What is readable after a number, and whether the end is reached; None if trimmed."""
        self._trim()
        shard = self.shards[name]
        if after is not None and after < shard.trimmed:
            return None
        now = self._world.now
        changes = [one for one in shard.changes if after is None or one.number > after]
        readable = [one for one in changes if one.visible <= now]
        return readable, shard.closed is not None and len(readable) == len(changes)

    def _open(self, parent: str | None, part: int, parts: int) -> None:
        name = f"shard-{self._world.random.randrange(10**9):09d}"
        self.shards[name] = StreamShard(name, parent, part, parts, self._world.now)

    def _close(self, shard: StreamShard) -> None:
        """Close a shard; it has one child, or two where it splits."""
        shard.closed = self._world.now
        if shard.parts < 8 and self._world.random.random() < 0.4:
            self._open(shard.id, shard.part, 2 * shard.parts)
            self._open(shard.id, shard.part + shard.parts, 2 * shard.parts)
        else:
            self._open(shard.id, shard.part, shard.parts)

    def _trim(self) -> None:
        horizon = self._world.now - RETENTION
        for shard in list(self.shards.values()):
            while shard.changes and shard.changes[0].at < horizon:
                shard.trimmed = shard.changes.pop(0).number
            if shard.closed is not None and shard.closed < horizon:
                del self.shards[shard.id]


class Table:
    """Items by key, who wrote each, and the stream of their changes."""

    def __init__(self, world: World, name: str, stream: Stream) -> None:
        self._world = world
        self.name, self.stream = name, stream
        self.items: dict[bytes, int] = {}
        self.authors: dict[bytes, str] = {}
        self.judge: Callable[[Table, bytes, str], None] = lambda *_: None

    def write(self, key: bytes, value: int | None, author: str) -> None:
        """Put or delete; what changes nothing leaves no record, as in DynamoDB."""
        if self.items.get(key) == value:
            return
        self.judge(self, key, author)
        self._world.say(author, "writes", self.name, key.decode(), value)
        if value is None:
            del self.items[key]
        else:
            self.items[key] = value
        self.authors[key] = author
        self.stream.add(key)


class StreamFeed:
    """The ChangeFeed port over a stream: rounds that are partial, that repeat, and that fail."""

    def __init__(self, world: World, table: Table) -> None:
        self._world = world
        self._table = table
        self._reading: StreamReading | None = None

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Go on after a position, or begin with what is readable now."""
        self._world.tick()
        if position is None:
            listing = self._table.stream.listing()
            self._reading = begin_reading(self._table.name, listing, now)
        else:
            self._reading = StreamReading.from_json(position)
        return self._reading.to_json()

    def poll(self, now: float) -> FeedRound:
        """Read every shard, or some of them."""
        world, stream, before = self._world, self._table.stream, self._reading
        assert before is not None
        world.tick()
        if world.happens(world.chances.fail):
            raise LookupFailedError("the stream does not answer")
        listing = stream.listing()
        gaps = list(find_gaps(before, self._table.name, listing, now))
        reading = take_listing(before, self._table.name, listing, now)
        shards, changes, whole = dict(reading.shards), [], True
        for listed in listing:
            known = shards[listed.id]
            if known.ended is not None:
                continue
            if world.happens(world.chances.fail):
                whole = False
                continue
            if world.random.random() < 0.2:
                world.tick()
            shards[listed.id], found, to_the_end = self._read(listed.id, known, now, gaps)
            whole = whole and to_the_end
            changes += found
        whole_at = now if whole else reading.whole_at
        self._reading = replace(reading, shards=shards, whole_at=whole_at)
        times = [change.at for change in changes]
        return FeedRound(
            frozenset(change.key for change in changes),
            self._reading.to_json(),
            min(times, default=None),
            max(times, default=None),
            tuple(gaps) if world.rules.gap_rule else (),
            whole,
        )

    def _read(
        self, name: str, before: ShardReading, now: float, gaps: list[Gap]
    ) -> tuple[ShardReading, list[Change], bool]:
        """What a shard gives after what was read, and whether it was read to its present end.

        Some of it comes again, and some of it not yet.
        """
        world, stream = self._world, self._table.stream
        if name not in stream.shards:
            return before, [], False  # it was trimmed since it was listed: the next listing tells
        answer = stream.read(name, before.last)
        if answer is None:
            gaps.append(Gap(GapCause.TRIMMED, None, name))
            answer = stream.read(name, None)
        assert answer is not None
        changes, ended = answer
        whole = len(changes) < 2 or not world.happens(0.2)
        if not whole:
            changes, ended = changes[: world.random.randrange(1, len(changes))], False
        last = changes[-1].number if changes else before.last
        repeated = stream.shards[name].changes[:3] if world.happens(0.03) else []
        return ShardReading(last, now if ended else None), [*changes, *repeated], whole


def differing_keys(one: Mapping[bytes, int], other: Mapping[bytes, int]) -> set[bytes]:
    """The keys under which two tables differ."""
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
