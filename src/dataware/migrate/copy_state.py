"""What has been done so far, folded from journal records; also in a form small enough to travel.

A checkpoint is written only after the service has acknowledged everything before its cursor, so
a fold of any prefix of the journal is a place from which a run may go on.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.core.copier import SkippedKey

COMPACT_LIMIT = 2600
"""Characters that a travelling checkpoint may have, to fit a 4 kB parameter with its marker."""


@dataclass(slots=True)
class Counts:
    """How many units of data were copied, found the same, and skipped (`left`).

    `tally` is that of what was copied or the same, as the source sent it, for kinds that have one.
    """

    copied: int = 0
    same: int = 0
    bytes: int = 0
    skipped: int = 0
    tally: MultisetDigest = NO_RECORDS

    @property
    def done(self) -> int:
        """How many are accounted for."""
        return self.copied + self.same + self.skipped

    @property
    def in_target(self) -> int:
        """How many the target holds as they should be."""
        return self.copied + self.same

    def add(self, other: Counts) -> None:
        """Count `other` in."""
        self.copied += other.copied
        self.same += other.same
        self.bytes += other.bytes
        self.skipped += other.skipped
        self.tally = self.tally.plus(other.tally)

    def to_json(self) -> dict[str, Any]:
        """The counts as they stand in records."""
        numbers = {
            "copied": self.copied,
            "same": self.same,
            "bytes": self.bytes,
            "skipped": self.skipped,
        }
        return {**numbers, "tally": self.tally.text} if self.tally.records else numbers

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> Counts:
        """The counts of a record; a missing one is zero."""
        copied, same, size, skipped = (
            int(record.get(name, 0)) for name in ("copied", "same", "bytes", "skipped")
        )
        text = record.get("tally")
        return Counts(
            copied, same, size, skipped, MultisetDigest.from_text(text) if text else NO_RECORDS
        )


class PartitionLease(NamedTuple):
    """A partition to read, and the cursor after which to go on; None for its start."""

    partition: str
    cursor: str | None


@dataclass(slots=True)
class CopyState:
    """The state of one migration.

    `cursors` maps a begun partition to where it goes on, and a finished one to None; a partition
    that is not in it has not begun. `skip_reasons` counts what was skipped, by reason.
    """

    run: str | None = None
    identity: str | None = None
    partitions: list[str] = field(default_factory=list)
    cursors: dict[str, str | None] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    skip_reasons: Counter[str] = field(default_factory=Counter)

    @property
    def finished(self) -> bool:
        """Whether every partition has been read to its end and all of it is accounted for."""
        return bool(self.partitions) and all(
            self.cursors.get(partition, "") is None for partition in self.partitions
        )

    def remaining(self) -> list[PartitionLease]:
        """Partitions that are not finished, each with the cursor after which it goes on."""
        return [
            PartitionLease(partition, self.cursors.get(partition))
            for partition in self.partitions
            if partition not in self.cursors or self.cursors[partition] is not None
        ]

    def take(self, record: Mapping[str, Any]) -> None:
        """Fold one record in; a record of an unknown type changes nothing."""
        kind = record.get("type")
        if kind == "run":
            self.run, self.identity = record["run"], record.get("identity")
        elif kind == "partitions":
            self.partitions = list(record["partitions"])
        elif kind == "checkpoint":
            self.cursors[record["partition"]] = record["cursor"]
            self.counts.add(Counts.from_json(record))
            self.skip_reasons.update(skip["reason"] for skip in record["skipped_keys"])
        elif kind == "restored":
            self._restore(record)

    def _restore(self, record: Mapping[str, Any]) -> None:
        self.partitions = list(record["partitions"])
        self.cursors = dict(record["cursors"])
        self.counts = Counts.from_json(record)
        self.skip_reasons = Counter(record["skip_reasons"])

    @staticmethod
    def of(records: Iterable[Mapping[str, Any]]) -> CopyState:
        """Fold records, oldest first."""
        progress = CopyState()
        for record in records:
            progress.take(record)
        return progress

    def snapshot(self) -> dict[str, Any]:
        """The whole state as one record of type "restored"."""
        return {
            "type": "restored",
            "partitions": self.partitions,
            "cursors": dict(self.cursors),
            "skip_reasons": dict(self.skip_reasons),
            **self.counts.to_json(),
        }

    def compact(self) -> str | None:
        """The snapshot as a short text; None when it does not fit beside a marker."""
        text = _pack_json(self.snapshot())
        return text if len(text) <= COMPACT_LIMIT else None

    @staticmethod
    def snapshot_of(text: str) -> dict[str, Any]:
        """The snapshot record in a text made by `compact`. Raises ValueError for other texts."""
        try:
            data = json.loads(zlib.decompress(base64.b85decode(text)))
        except (ValueError, zlib.error) as error:
            raise ValueError("not a checkpoint") from error
        if not isinstance(data, dict) or data.get("type") != "restored":
            raise ValueError("not a checkpoint")
        return data


def skipped_json(skip: SkippedKey) -> dict[str, str]:
    """A skipped key, as it stands in a checkpoint's `skipped_keys`."""
    return {"key": skip.key, "reason": skip.reason.value, "detail": skip.detail}


def _pack_json(data: Mapping[str, Any]) -> str:
    raw = json.dumps(data, separators=(",", ":"), sort_keys=True).encode()
    return base64.b85encode(zlib.compress(raw, 9)).decode()
