"""One shard of a copy: a partition, how far it is, and what became of it.

A shard travels through the states of an execution, which is its checkpoint, so it stays small:
a state carries all of them together. What was skipped stands in the log key by key, and what
of it travels is exact numbers and some examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dataware.calc.json_size import cut, fitting, size
from dataware.migrate.copy_state import CopyState, Counts

LIMIT = 262_144
"""Bytes that a state may carry, as UTF-8 (AWS Step Functions Developer Guide, "Service quotas":
maximum input or output size for a task, state, or execution)."""

WORDS = 80_000
"""Bytes of words that all shards carry together: keys as examples, or why they failed. The cursors
of those that failed may take half as much again."""

KEPT = 5
"""Keys that a shard names of those that it skipped; more are only counted."""

KEY_LENGTH, WHY_LENGTH, CURSOR_LENGTH = 200, 300, 400


@dataclass(slots=True)
class Shard:
    """The state of one partition.

    `cursor` is where to go on, None at the start; `items` is about how many there are; `kept`
    names the first skipped keys, `skip_reasons` counts all of them by reason; `failed` says why the
    shard ended before it was done; `room` is how many bytes its words may take.
    """

    partition: str
    cursor: str | None = None
    items: int = 0
    done: bool = False
    counts: Counts = field(default_factory=Counts)
    skip_reasons: Counter[str] = field(default_factory=Counter)
    kept: list[dict[str, str]] = field(default_factory=list)
    failed: str | None = None
    room: int = WORDS

    @property
    def ended(self) -> bool:
        """Whether there is no point in calling a worker again."""
        return self.done or self.failed is not None

    def progress(self) -> CopyState:
        """The progress that an engine resumes from; its counts begin at zero."""
        cursors: dict[str, str | None] = {self.partition: self.cursor} if self.cursor else {}
        return CopyState(partitions=[self.partition], cursors=cursors)

    def take(self, progress: CopyState) -> None:
        """Note what an engine has done; a copy of the whole shard ends it."""
        self.cursor = progress.cursors.get(self.partition)
        self.done = progress.finished
        self.counts.add(progress.counts)
        self.skip_reasons.update(progress.skip_reasons)

    def fail(self, why: str) -> None:
        """Note why the shard ends before it is done; that says more than an example."""
        self.failed = cut(why[:WHY_LENGTH], self.room)
        self.kept.clear()

    def note(self, skip: Mapping[str, str]) -> bool:
        """Take a skipped key for an example; False if there is no room for it.

        The reason may be truncated, and a key never to less than `KEY_LENGTH`.
        """
        if len(self.kept) == KEPT:
            return False
        example = {name: text[:KEY_LENGTH] for name, text in skip.items()}
        rest = self.room - size([*self.kept, {**example, "detail": ""}])
        example["detail"] = cut(example["detail"], rest)
        before = len(self.kept)
        self.kept = fitting([*self.kept, example], self.room)
        return len(self.kept) > before

    def record(self) -> dict[str, Any] | None:
        """The shard as a checkpoint of the whole migration; None if it has to start from scratch.

        Without a cursor, or with one that is too long to travel, what is not done is read again
        from its start, which costs time and no data.
        """
        if not self.done and not 0 < len(self.cursor or "") <= CURSOR_LENGTH:
            return None
        return {
            "type": "checkpoint",
            "partition": self.partition,
            "cursor": None if self.done else self.cursor,
            "skipped_keys": [{"reason": reason} for reason in self.skip_reasons.elements()],
            **self.counts.to_json(),
        }

    def to_json(self) -> dict[str, Any]:
        """The shard as an execution carries it; `ended` is what its loop asks for.

        The loop of one shard carries its cursor however long it is; once it has ended without
        being done, it travels with all the others.
        """
        alone = self.done or self.failed is None
        return {
            "partition": self.partition,
            "cursor": self.cursor if alone or size(self.cursor) <= self.room // 2 else None,
            "items": self.items,
            "done": self.done,
            "ended": self.ended,
            "counts": self.counts.to_json(),
            "skip_reasons": dict(self.skip_reasons),
            "kept": self.kept,
            "failed": self.failed,
            "room": self.room,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Shard:
        """The shard of an execution; what a fresh one lacks is at its beginning."""
        return Shard(
            data["partition"],
            data.get("cursor"),
            data.get("items", 0),
            data.get("done", False),
            Counts.from_json(data.get("counts", {})),
            Counter(data.get("skip_reasons", {})),
            list(data.get("kept", ())),
            data.get("failed"),
            data.get("room", WORDS),
        )


def shared_out(shards: Sequence[Shard]) -> list[Shard]:
    """The shards, which share out the room for words that a state has."""
    return [replace(shard, room=WORDS // len(shards)) for shard in shards]


@dataclass(frozen=True, slots=True)
class ShardJournal:
    """The Journal port of one call: the shard itself is what lasts, so only keys are noted."""

    shard: Shard

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Nothing: the engine is given the shard's progress."""
        return iter(())

    def restart(self) -> None:
        """Nothing is kept that could be void."""

    def append(self, *records: Mapping[str, Any]) -> None:
        """Note the first keys that are skipped."""
        for skip in (skip for record in records for skip in record.get("skipped_keys", ())):
            if not self.shard.note(skip):
                return

    def close(self) -> None:
        """Nothing is open."""
