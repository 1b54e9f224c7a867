"""Who starts processes for a bucket and writes to both, and what must never happen to its objects.

Contents come again, so that what was deleted comes back with the same ETag. A change of metadata or
tags on the same bytes is seen by a deep follow alone.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from dataware.core.follow.cutover_loop import CutoverLoop
from support.simulator.bucket_process import BucketMachine, BucketProcess
from support.simulator.buckets import S3, Bucket, ObjectState, etag_of
from support.simulator.judge import Judge
from support.simulator.people import APP, People, Side
from support.simulator.sides import RUDE, STRANGER, TOOL
from support.simulator.world import World

if TYPE_CHECKING:
    from support.simulator.process import Machine

CONTENTS = 4
FOREIGN = {STRANGER: 1000, RUDE: 2000}
"""From where on the contents are that only a stranger, or a rude writer, writes."""


class BucketPeople(People):
    """The operator, the app, and others, of two buckets; `deep` is what the operator asked for."""

    source: Bucket
    target: Bucket

    def __init__(self, world: World) -> None:
        own = Random(world.seed * 104729 + 3)
        self.deep = own.random() < 0.3
        self._in_parts = own.choice((0.0, 0.0, 0.3))
        self._hides = own.random() < 0.15
        super().__init__(world)
        self.delay = 0.0
        self.guarded = own.random() < 0.4
        self.s3 = S3(world, TOOL, self.source, self.target)

    def hear(self, loop: CutoverLoop) -> None:
        """Clear away also what the follow lists because it does not know it for its own."""
        super().hear(loop)
        conflicts = [] if self.is_switched or not self.world.calm else sorted(loop.loop.conflicts)
        for key in conflicts:
            self.target.write(key, None, APP)

    def _make_source(self, roots: int, split: float) -> Bucket:
        del roots, split
        return Bucket(self.world, "source")

    def _make_target(self) -> Bucket:
        return Bucket(self.world, "target", hides_content=self._hides)

    def _make_judge(self) -> Judge:
        return BucketJudge(self.world, self)

    def _make_machine(self, name: str) -> Machine:
        return BucketMachine(self.world, name)

    def _start_process(self, machine: Machine) -> None:
        BucketProcess(self.world, self, machine)

    def _make_value(self, author: str) -> ObjectState:
        random = self.world.random
        content = FOREIGN.get(author, 0) + random.randrange(CONTENTS)
        etag = etag_of(content, in_parts=random.random() < self._in_parts)
        metadata, tags = (random.randrange(2) if random.random() < 0.2 else 0 for _ in range(2))
        return ObjectState(content, metadata, tags, etag)

    def _change(self, side: Side, author: str) -> None:
        """Write, delete, or change what stands beside the bytes."""
        random = self.world.random
        before = side.items[key] if (key := random.choice(self.keys)) in side.items else None
        value: ObjectState | None = None if random.random() < 0.3 else self._make_value(author)
        if before is not None and author != STRANGER and random.random() < 0.15:
            value = before._replace(tags=random.randrange(3), metadata=random.randrange(3))
        side.write(key, value, author)


class BucketJudge(Judge):
    """Watches every write to both buckets."""

    people: BucketPeople

    def __init__(self, world: World, people: BucketPeople) -> None:
        super().__init__(world, people)
        self._at_switch: dict[bytes, ObjectState] = {}

    def hear_write(self, table: Any, key: bytes, author: str) -> None:
        """Somebody writes."""
        people = self.people
        if author == TOOL and table is people.target and self._is_strangers(table, key):
            self.break_off("a stranger's object was overwritten")
        super().hear_write(table, key, author)

    @staticmethod
    def _is_strangers(bucket: Bucket, key: bytes) -> bool:
        found = bucket.items.get(key)
        return found is not None and bucket.authors[key] == STRANGER

    def hear_marker(self, value: str) -> None:
        """A value of the marker arrived; remember what the source was at the switch."""
        before = self.completed_at
        super().hear_marker(value)
        if before is None and self.completed_at is not None:
            self._at_switch = dict(self.people.source.items)

    def find_differing(self) -> set[bytes]:
        """The keys whose objects differ, as far as this follow is to see it."""
        people, shown = self.people, 3 if self.people.deep else 1
        keys = people.source.items.keys() | people.target.items.keys()
        sides = (people.source.items, people.target.items)
        return {
            key
            for key in keys
            if len({None if (one := side.get(key)) is None else one[:shown] for side in sides}) > 1
        }

    def find_unnamed(self) -> set[bytes]:
        """Those whose object is another one now than at the switch; listings show no more."""
        source = self.people.source
        return {
            key
            for key in super().find_unnamed()
            if source.authors.get(key) == RUDE and self._tag(key) != self._tag_at_switch(key)
        }

    def _tag(self, key: bytes) -> str | None:
        found = self.people.source.items.get(key)
        return None if found is None else found.etag

    def _tag_at_switch(self, key: bytes) -> str | None:
        found = self._at_switch.get(key)
        return None if found is None else found.etag
