"""What a comparison found, as a value that is added up part by part and that travels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dataware.calc.json_size import fitting
from dataware.calc.multiset_digest import MultisetDigest
from dataware.core.reader import Evidence, KeyFingerprint
from dataware.verify.merge import DifferenceKind, KeyDifference

LISTED = 100_000
"""Differences of one sort that are listed by key; more are only counted.

One takes about 150 bytes with a key of usual length, in the verdict and, while it is compared, in
each part that is under way.
"""

LABEL_LENGTH = 200
"""Characters of a key that travel."""


class Side(StrEnum):
    """One of the two sides of a comparison; the value travels."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(slots=True)
class Verdict:
    """What a comparison found.

    `compared` counts the keys of the source. `evidence` tells for how many equal keys the equality
    rests on what. `listed` holds the first differences, `counts` all of them. `read` has the tally
    of all records of an end, as they were sent, for kinds that are not ordered; the ends that were
    read once more and had changed by then are `changed_sides`.
    """

    compared: int = 0
    evidence: Counter[Evidence] = field(default_factory=Counter)
    counts: Counter[DifferenceKind] = field(default_factory=Counter)
    listed: list[KeyDifference] = field(default_factory=list)
    read: dict[Side, MultisetDigest] = field(default_factory=dict)
    changed_sides: set[Side] = field(default_factory=set)

    @property
    def differences(self) -> int:
        """How many keys differ."""
        return sum(self.counts.values())

    @property
    def missing_or_different(self) -> int:
        """How many keys of the source are missing in the target, or different there."""
        return self.counts[DifferenceKind.MISSING] + self.counts[DifferenceKind.DIFFERENT]

    @property
    def differs(self) -> bool:
        """Whether the ends are not shown to be equal: keys differ, or an end has moved."""
        return bool(self.differences or self.changed_sides)

    @property
    def may_hide_differences(self) -> bool:
        """Whether a key of the source may be missing or different without being counted.

        Every suspect of the source is looked up, so a target that moves only hides what is extra.
        """
        return Side.SOURCE in self.changed_sides

    def note(self, side: DifferenceKind, entry: KeyFingerprint) -> None:
        """Take a difference in."""
        self.counts[side] += 1
        if self.counts[side] <= LISTED:
            difference = KeyDifference(side, entry.label)
            if difference.raw_key != entry.key:
                difference = KeyDifference(side, entry.label, entry.key)
            self.listed.append(difference)

    def join(self, other: Verdict) -> None:
        """Take in everything that `other`, of a part, has taken in; tallies are of the whole."""
        listed = Counter(difference.kind for difference in self.listed)
        for difference in other.listed:
            listed[difference.kind] += 1
            if listed[difference.kind] <= LISTED:
                self.listed.append(difference)
        self.compared += other.compared
        self.evidence.update(other.evidence)
        self.counts.update(other.counts)

    def changed_side(self, copied: MultisetDigest) -> Side | None:
        """Which of two ends that are apart is not any more what it was when it was copied.

        It moved while it was compared, or its tally is not that of the copy. None where that holds
        for both or for neither.
        """
        other = {side for side, tally in self.read.items() if copied.records and tally != copied}
        sides = self.changed_sides | other
        return next(iter(sides)) if len(sides) == 1 else None

    def summary(self) -> str:
        """The differences in words, such as "2 missing, 1 extra"."""
        parts = [f"{self.counts[side]:,} {side}" for side in DifferenceKind if self.counts[side]]
        if self.changed_sides:
            changed = " and ".join(sorted(self.changed_sides))
            parts.append(f"{changed} changed while they were compared")
        return ", ".join(parts)

    def grounds(self) -> str:
        """What the equality rests on, in words."""
        parts = [f"{n:,} by {ground}" for ground, n in sorted(self.evidence.items())]
        if len(parts) == 1:
            return f"all by {next(iter(self.evidence))}"
        return ", ".join(parts) or "both sides are empty"

    def to_json(self, room: int) -> dict[str, Any]:
        """The verdict as it is serialised, with at most `room` bytes of the first differences.

        Of each key only the start is kept.
        """
        listed = ([one.kind, one.label[:LABEL_LENGTH]] for one in self.listed)
        return {
            "compared": self.compared,
            "evidence": {ground.name: count for ground, count in self.evidence.items()},
            "counts": dict(self.counts),
            "listed": fitting(listed, room),
            "read": {side.value: tally.text for side, tally in self.read.items()},
            "changed_sides": sorted(self.changed_sides),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote."""
        return Verdict(
            data["compared"],
            Counter({Evidence[name]: count for name, count in data["evidence"].items()}),
            Counter({DifferenceKind(side): count for side, count in data["counts"].items()}),
            [KeyDifference(DifferenceKind(side), label) for side, label in data["listed"]],
            {
                Side(side): MultisetDigest.from_text(text)
                for side, text in data.get("read", {}).items()
            },
            set(map(Side, data.get("changed_sides", ()))),
        )
