"""What a comparison found, as a value that is added up part by part and that travels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.diff import Difference, Side
from dataware.core.kind import Entry, Evidence
from dataware.core.room import fitting

LISTED = 100_000
"""Differences of one sort that are listed by key; more are only counted.

One takes about 150 bytes with a key of usual length, in the verdict and, while it is compared, in
each part that is under way.
"""

LABEL_LENGTH = 200
"""Characters of a key that travel."""


@dataclass(slots=True)
class Verdict:
    """What a comparison found.

    `compared` counts the keys of the source. `evidence` tells for how many equal keys the equality
    rests on what. `listed` holds the first differences, `counts` all of them.
    """

    compared: int = 0
    evidence: Counter[Evidence] = field(default_factory=Counter)
    counts: Counter[Side] = field(default_factory=Counter)
    listed: list[Difference] = field(default_factory=list)

    @property
    def differences(self) -> int:
        """How many keys differ."""
        return sum(self.counts.values())

    def note(self, side: Side, entry: Entry) -> None:
        """Take a difference in."""
        self.counts[side] += 1
        if self.counts[side] <= LISTED:
            self.listed.append(Difference(side, entry.label))

    def join(self, other: Verdict) -> None:
        """Take in everything that `other` has taken in."""
        listed = Counter(difference.side for difference in self.listed)
        for difference in other.listed:
            listed[difference.side] += 1
            if listed[difference.side] <= LISTED:
                self.listed.append(difference)
        self.compared += other.compared
        self.evidence.update(other.evidence)
        self.counts.update(other.counts)

    def summary(self) -> str:
        """The differences in words, such as "2 missing, 1 extra"."""
        return ", ".join(f"{self.counts[side]:,} {side}" for side in Side if self.counts[side])

    def grounds(self) -> str:
        """What the equality rests on, in words."""
        parts = [f"{n:,} by {ground}" for ground, n in sorted(self.evidence.items())]
        if len(parts) == 1:
            return f"all by {next(iter(self.evidence))}"
        return ", ".join(parts) or "both sides are empty"

    def to_json(self, room: int) -> dict[str, Any]:
        """The verdict as it travels, with so many bytes of the first differences.

        Of each key its start travels.
        """
        listed = ([one.side, one.label[:LABEL_LENGTH]] for one in self.listed)
        return {
            "compared": self.compared,
            "evidence": {ground.name: count for ground, count in self.evidence.items()},
            "counts": dict(self.counts),
            "listed": fitting(listed, room),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote."""
        return Verdict(
            data["compared"],
            Counter({Evidence[name]: count for name, count in data["evidence"].items()}),
            Counter({Side(side): count for side, count in data["counts"].items()}),
            [Difference(Side(side), label) for side, label in data["listed"]],
        )
