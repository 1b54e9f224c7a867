"""A stream in memory: a tree of shards that roll over, split, and are trimmed as time goes by."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from dataware.core.follow.shards import ListedShard

HOUR = 3600.0


class NumberTrimmedError(Exception):
    """The record to read on from is trimmed."""


@dataclass
class StreamRecord:
    """A change of `key`; numbers grow along a shard."""

    number: str
    key: str
    at: float


@dataclass
class TreeShard:
    """A shard with what is readable of it."""

    id: str
    parent: str | None
    records: list[StreamRecord] = field(default_factory=list)
    closed: float | None = None


class ShardTree:
    """A stream whose records are gone after `retention` seconds, and whose shards go with them.

    Of a table that has at most 24 hours of changes, as AWS keeps them.
    """

    def __init__(self, seed: int, retention: float = 24 * HOUR, roots: int = 2) -> None:
        self.random = random.Random(seed)
        self.retention = retention
        self.now = 0.0
        self.shards: dict[str, TreeShard] = {}
        self.written: list[StreamRecord] = []
        self._numbers = 0
        for _ in range(roots):
            self.add_shard(None)

    def add_shard(self, parent: str | None) -> TreeShard:
        """A new open shard; its id tells nothing of its age."""
        name = f"shardId-{self.random.randrange(10**12):012d}"
        self.shards[name] = TreeShard(name, parent)
        return self.shards[name]

    def open_shards(self) -> list[TreeShard]:
        """The shards that take records."""
        return [shard for shard in self.shards.values() if shard.closed is None]

    def write(self, key: str) -> StreamRecord:
        """A change of `key`, in one of the open shards."""
        self._numbers += 1
        shards = self.open_shards()
        record = StreamRecord(f"{self._numbers:021d}", key, self.now)
        shards[self._numbers % len(shards)].records.append(record)
        self.written.append(record)
        return record

    def roll(self, shard: TreeShard, children: int = 1) -> None:
        """Close a shard; it has one child, or several where it splits."""
        shard.closed = self.now
        for _ in range(children):
            self.add_shard(shard.id)

    def advance(self, seconds: float) -> None:
        """Let time pass, and trim what is too old by then."""
        self.now += seconds
        horizon = self.now - self.retention
        for shard in list(self.shards.values()):
            shard.records = [record for record in shard.records if record.at >= horizon]
            if shard.closed is not None and shard.closed < horizon:
                del self.shards[shard.id]

    def live(self, seconds: float, keys: int = 50) -> None:
        """Let time pass in which records are written, and shards roll over and split."""
        end = self.now + seconds
        while self.now < end:
            self.advance(self.random.uniform(0.05, 0.5) * HOUR)
            for _ in range(self.random.randrange(4)):
                self.write(f"key-{self.random.randrange(keys)}")
            if self.random.random() < 0.2:
                chosen = self.random.choice(self.open_shards())
                self.roll(chosen, 2 if len(self.open_shards()) < 6 else 1)

    def listing(self) -> list[ListedShard]:
        """Every shard, in an order that means nothing."""
        shards = [
            ListedShard(shard.id, shard.parent, shard.closed is not None)
            for shard in self.shards.values()
        ]
        self.random.shuffle(shards)
        return shards

    def read(self, name: str, after: str | None) -> tuple[list[StreamRecord], bool]:
        """The records of a shard after a number, and whether its end is reached.

        Raises NumberTrimmedError where that number is trimmed.
        """
        shard = self.shards[name]
        numbers = [record.number for record in shard.records]
        if after is not None and after not in numbers:
            raise NumberTrimmedError(name)
        start = 0 if after is None else numbers.index(after) + 1
        return shard.records[start:], shard.closed is not None
