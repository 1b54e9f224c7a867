"""A verification between its steps: which tasks come next, and the verdict at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.core.reader import Evidence
from dataware.verify.digests import ALL_SLOTS, SLOTS, DigestForm, DigestSlots, MismatchedSlots
from dataware.verify.steps import LOOKED_UP, Readers, TaskResult, VerifyStep, VerifyTask
from dataware.verify.verdict import Side, Verdict

MANY = 1 / 8
"""The share of mismatched slots from which reading again costs less than looking items up.

A scan is charged for what it reads, a look-up for 4 KB at least (Amazon DynamoDB Developer Guide,
"Read consumption"), which is about eight usual items.
"""


@dataclass(slots=True)
class Comparison:
    """How far a verification is: its step, and what is known from the steps before.

    `step` is None once there is a verdict. `digests` are those of both sides in the last DIGEST, in
    `form`; `slots` and `resolved` are what this step has come to so far. Results are taken in one
    by one, so only those under way need memory.
    """

    step: VerifyStep | None
    form: DigestForm = DigestForm.RAW
    mismatched: MismatchedSlots = ALL_SLOTS
    verdict: Verdict = field(default_factory=Verdict)
    digests: dict[Side, MultisetDigest] = field(default_factory=dict)
    slots: dict[Side, DigestSlots] = field(default_factory=dict)
    resolved: dict[Side, MultisetDigest] = field(default_factory=dict)

    @staticmethod
    def begin(sides: Readers, *, ordered: bool) -> Comparison:
        """A comparison at its first step; looks at a sample to choose the digest form."""
        if ordered:
            return Comparison(VerifyStep.MERGE)
        return Comparison(VerifyStep.DIGEST, _form_of(sides))

    def tasks(self, sides: Readers, total_slots: int | None = None) -> list[VerifyTask]:
        """The tasks of this step; those of DIGEST share `total_slots`, if given."""
        if self.step is None:
            return []
        if self.step is VerifyStep.MERGE:
            return [VerifyTask(self.step, part) for part in sides.source.parts()]
        both = [(Side.SOURCE, part) for part in sides.source.parts()]
        both += [(Side.TARGET, part) for part in sides.target.parts()]
        slot_count = SLOTS if total_slots is None else _share_slots(total_slots, len(both))
        return [
            VerifyTask(self.step, part, side, self.form, slot_count, self.mismatched)
            for side, part in both
        ]

    def take(self, task: VerifyTask, result: TaskResult) -> None:
        """Take in what a task of this step found."""
        self.verdict.join(result.verdict)
        if task.step is VerifyStep.RESOLVE:
            self.resolved[task.side] = self.resolved.get(task.side, NO_RECORDS).plus(
                result.resolved
            )
        if result.slots is None:
            return
        if task.side in self.slots:
            self.slots[task.side].join(result.slots)
        else:
            self.slots[task.side] = result.slots

    def advance(self) -> None:
        """Go on to the next step, once everything of this one is taken in."""
        if self.step is VerifyStep.DIGEST:
            self._compare_slots()
        elif self.step is VerifyStep.RESOLVE:
            self._conclude()
        else:
            self.step = None

    def _conclude(self) -> None:
        """End with what was resolved, if both sides are still what they were when digested.

        A record that changed in between may lie in a slot that was equal, and would pass for equal.
        If only its spelling can have changed, both sides are digested again in canonical form. A
        source that loses records all the time (they expire) may still be equal in what it has: then
        every record is looked up, and slots decide nothing.
        """
        resolved, self.resolved = self.resolved, {}
        changed = {
            side for side, first in self.digests.items() if resolved.get(side, NO_RECORDS) != first
        }
        if self.mismatched == ALL_SLOTS:
            changed = set()
            self.verdict.compared = resolved.get(Side.SOURCE, NO_RECORDS).records
        if changed and self.form is DigestForm.RAW:
            self._begin_again(VerifyStep.DIGEST)
        elif Side.SOURCE in changed and not self.verdict.missing_or_different:
            self._begin_again(VerifyStep.RESOLVE)
        else:
            self.verdict.changed_sides = changed
            self._count_equal()
            self.step = None

    def _begin_again(self, step: VerifyStep) -> None:
        """Start again with every record, in canonical form."""
        self.verdict = Verdict(read=self.verdict.read)
        self.step, self.form, self.mismatched = step, DigestForm.CANONICAL, ALL_SLOTS

    def _compare_slots(self) -> None:
        """Choose the next step by how many slots differ."""
        slots = {side: self.slots.get(side) or DigestSlots(1) for side in Side}
        mine, theirs = slots[Side.SOURCE], slots[Side.TARGET]
        self.verdict.compared = mine.count
        self.digests = {side: each.tally for side, each in slots.items()}
        if self.form is DigestForm.RAW:
            self.verdict.read = self.digests
        mismatched = mine.differing(theirs)
        self.slots = {}
        if not mismatched.differing:
            self._count_equal()
            self.step = None
        elif self.form is DigestForm.RAW and mismatched.share > MANY:
            self.form = DigestForm.CANONICAL
        else:
            self.step, self.mismatched = VerifyStep.RESOLVE, mismatched

    def _count_equal(self) -> None:
        equal = self.verdict.compared - self.verdict.missing_or_different
        if equal > 0:
            self.verdict.evidence[Evidence.CONTENT] = equal

    def to_json(self, room: int) -> dict[str, Any]:
        """The comparison between two steps as JSON, with at most `room` bytes of differences."""
        return {
            "step": self.step,
            "form": self.form,
            "mismatched": self.mismatched.to_text(),
            "verdict": self.verdict.to_json(room),
            "digests": {side.value: tally.text for side, tally in self.digests.items()},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Comparison:
        """The comparison that `to_json` wrote."""
        step = data["step"]
        return Comparison(
            VerifyStep(step) if step else None,
            DigestForm(data["form"]),
            MismatchedSlots.from_text(data["mismatched"]),
            Verdict.from_json(data["verdict"]),
            {Side(side): MultisetDigest.from_text(text) for side, text in data["digests"].items()},
        )


def _share_slots(total: int, count: int) -> int:
    """The largest power of two of which `count` fit into `total`."""
    each = max(1, total // max(1, count))
    return 1 << each.bit_length() - 1


def _form_of(sides: Readers) -> DigestForm:
    """Raw, unless a sample shows that both sides send equal records in different spellings.

    A side that is read in one call is too small for a second reading to matter.
    """
    first = next(iter(sides.source.parts()), None)
    page = None if first is None else next(sides.source.pages(first), None)
    if page is None or page.cursor is None:
        return DigestForm.RAW
    some = list(map(sides.source.entry, page.records[:LOOKED_UP]))
    mine, theirs = sides.source.find(some), sides.target.find(some)
    both = ((mine[key], theirs[key]) for key in mine.keys() & theirs.keys())
    alike = all(one.sent == two.sent for one, two in both if one.digest == two.digest)
    return DigestForm.RAW if alike else DigestForm.CANONICAL
