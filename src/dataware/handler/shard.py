"""One shard of a copy: a partition, how far it is, and what became of it.

A shard travels through the states of an execution, which is its checkpoint, so it stays small:
an execution takes 256 KB for all of them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.migrate import Progress
from dataware.migrate.progress import Counts

KEPT = 5
"""Keys that a shard names of those that it left behind; more are only counted."""

KEY_LENGTH, WHY_LENGTH, CURSOR_LENGTH = 200, 300, 400


@dataclass(slots=True)
class Shard:
    """The state of one partition.

    `cursor` is where to go on, None at the start; `items` is about how many there are; `kept`
    names the first keys that were left behind, `troubles` counts all of them by trouble; `failed`
    says why the shard ended before it was done.
    """

    partition: str
    cursor: str | None = None
    items: int = 0
    done: bool = False
    counts: Counts = field(default_factory=Counts)
    troubles: Counter[str] = field(default_factory=Counter)
    kept: list[dict[str, str]] = field(default_factory=list)
    failed: str | None = None

    @property
    def ended(self) -> bool:
        """Whether there is no point in calling a worker again."""
        return self.done or self.failed is not None

    def progress(self) -> Progress:
        """The progress that an engine goes on from; its counts begin at zero."""
        cursors: dict[str, str | None] = {self.partition: self.cursor} if self.cursor else {}
        return Progress(partitions=[self.partition], cursors=cursors)

    def take(self, progress: Progress) -> None:
        """Note what an engine has done; a copy of the whole shard ends it."""
        self.cursor = progress.cursors.get(self.partition)
        self.done = progress.finished
        self.counts.add(progress.counts)
        self.troubles.update(progress.troubles)

    def fail(self, why: str) -> None:
        """Note why the shard ends before it is done."""
        self.failed = why[:WHY_LENGTH]

    def record(self) -> dict[str, Any]:
        """The shard as a checkpoint of the whole migration; a long cursor is given up.

        Without its cursor a shard is read again from its start, which costs time and no data.
        """
        cursor = self.cursor if len(self.cursor or "") <= CURSOR_LENGTH else None
        return {
            "type": "checkpoint",
            "partition": self.partition,
            "cursor": cursor,
            "kept_back": [{"trouble": trouble} for trouble in self.troubles.elements()],
            **self.counts.to_json(),
        }

    def to_json(self) -> dict[str, Any]:
        """The shard as an execution carries it; `ended` is what its loop asks for."""
        return {
            "partition": self.partition,
            "cursor": self.cursor,
            "items": self.items,
            "done": self.done,
            "ended": self.ended,
            "counts": self.counts.to_json(),
            "troubles": dict(self.troubles),
            "kept": self.kept,
            "failed": self.failed,
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
            Counter(data.get("troubles", {})),
            list(data.get("kept", ())),
            data.get("failed"),
        )


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
        """Note the first keys that are left behind."""
        for left in (left for record in records for left in record.get("kept_back", ())):
            if len(self.shard.kept) < KEPT:
                self.shard.kept.append({name: text[:KEY_LENGTH] for name, text in left.items()})

    def close(self) -> None:
        """Nothing is open."""
