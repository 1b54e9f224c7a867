"""The steps of a verification, each made of tasks that run anywhere.

A task reads one part of one side, or of both, and its result is a value that can be serialised. So
the tasks of a step run on threads, in processes or in Lambda alike, and one that was stopped
continues somewhere else.

    sorted keys        MERGE ────────────────────────────────────────────────> verdict
    others             DIGEST ──few slots differ──> RESOLVE their records ───> verdict
                       DIGEST ──many differ──> DIGEST canonically ──differ──> RESOLVE

How it works, for eight items on each side and four slots. Each side is read once, and the digest
of each item is added to the slot that its last two bits choose:

    slot          0          1          2          3
    source     a + e      b + f      c + g      d + h
    target     a + e      b + f'     c + g      d + h        f has another value here

Slots 0, 2 and 3 are equal, so are their six items. RESOLVE reads both sides again; for the items in
slot 1 it looks the same keys up on the other side: b is equal, f is *different*. An item that the
other side lacks is *missing* (source) or *extra* (target). The work after the first reading is as
small as the number of differences, and memory is four sums however many items there are.

Two things complicate this. Services may send equal items in different spellings (1 and 1.0, sets in
any order), so raw digests differ where the meaning does not: if more than one slot in eight
differs, both sides are digested again in canonical form. And a side may change between DIGEST and
RESOLVE, so that the slots are no longer true: RESOLVE therefore digests what it reads, and if that
is not what DIGEST read, the comparison starts again in canonical form. A source that still changes
but of which nothing was found missing or different is then looked up as a whole; otherwise it is
reported as changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress, islice
from typing import Any

from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.core.kind import Evidence, KeyFingerprint, Reader
from dataware.verify.digests import ALL_SLOTS, SLOTS, DigestForm, DigestSlots, MismatchedSlots
from dataware.verify.merge import DifferenceKind, merge
from dataware.verify.verdict import Side, Verdict

LOOKED_UP = 100
"""Keys of one look-up, the most that BatchGetItem takes."""

MANY = 1 / 8
"""The share of mismatched slots from which reading again costs less than looking items up.

A scan is charged for what it reads, a look-up for 4 KB at least (Amazon DynamoDB Developer Guide,
"Read consumption"), which is about eight usual items.
"""


class VerifyStep(StrEnum):
    """What a task does with its part; the value is serialised."""

    MERGE = "merge"
    DIGEST = "slots"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Readers:
    """The readers of both sides."""

    source: Reader
    target: Reader

    def of(self, side: Side) -> tuple[Reader, Reader]:
        """The reader of one side, and that of the other."""
        both = self.source, self.target
        return both if side is Side.SOURCE else both[::-1]


@dataclass(frozen=True, slots=True)
class VerifyTask:
    """One part of a side, and what is done with it.

    DIGEST adds up digests in `form`, in `slot_count` slots; RESOLVE looks up the records that lie
    in `mismatched` slots. MERGE reads its part of both sides.
    """

    step: VerifyStep
    part: str
    side: Side = Side.SOURCE
    form: DigestForm = DigestForm.RAW
    slot_count: int = SLOTS
    mismatched: MismatchedSlots = ALL_SLOTS

    def to_json(self) -> dict[str, Any]:
        """The task as JSON."""
        return {
            "step": self.step,
            "part": self.part,
            "side": self.side,
            "form": self.form,
            "slot_count": self.slot_count,
            "mismatched": self.mismatched.to_text(),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> VerifyTask:
        """The task that `to_json` wrote."""
        return VerifyTask(
            VerifyStep(data["step"]),
            data["part"],
            Side(data["side"]),
            DigestForm(data["form"]),
            data["slot_count"],
            MismatchedSlots.from_text(data["mismatched"]),
        )


@dataclass(slots=True)
class TaskResult:
    """How far a task is, and what it has found; `cursor` is None at the start.

    `resolved` is the tally of all records that a naming has read, in the form of its suspicion.
    """

    cursor: str | None = None
    done: bool = False
    slots: DigestSlots | None = None
    verdict: Verdict = field(default_factory=Verdict)
    resolved: MultisetDigest = NO_RECORDS


Count = Callable[[int], None]


def ignore_count(_count: int) -> None:
    """Take no notice of a count."""


def carry_out(
    task: VerifyTask,
    sides: Readers,
    found: TaskResult,
    stop: Callable[[], bool],
    count: Count = ignore_count,
) -> None:
    """Go on with a task until it is done or `stop` is true, which is asked between two reads.

    `count` is told of the records as they are read; of both sides of a merge, of the source's.
    """
    if found.done or stop():
        return
    for cursor in _STEPS[task.step](task, sides, found, count):
        found.cursor = cursor
        # Without a cursor the part is at its end, so there is nothing to go on with.
        if cursor is not None and stop():
            return
    found.done = True


def _merge_sides(
    task: VerifyTask, sides: Readers, found: TaskResult, count: Count
) -> Iterator[str]:
    source, target = sides.source, sides.target
    pages = (reader.pages(task.part, found.cursor) for reader in (source, target))
    verdict = found.verdict
    for merged in merge(*pages):
        count(merged.same or int(merged.mine is not None))
        if merged.same:
            verdict.compared += merged.same
            verdict.evidence[Evidence.CONTENT] += merged.same
        elif merged.mine is None:
            verdict.note(DifferenceKind.EXTRA, target.entry(merged.theirs))
        else:
            verdict.compared += 1
            mine = source.entry(merged.mine)
            theirs = None if merged.theirs is None else target.entry(merged.theirs)
            _compare_pair(sides, mine, theirs, verdict)
        yield merged.key.hex()


def _compare_pair(
    sides: Readers, mine: KeyFingerprint, theirs: KeyFingerprint | None, verdict: Verdict
) -> None:
    if theirs is None:
        verdict.note(DifferenceKind.MISSING, mine)
        return
    evidence = None
    if mine.digest == theirs.digest and mine.conclusive and theirs.conclusive:
        evidence = Evidence.CONTENT
    elif not (mine.conclusive and theirs.conclusive):
        evidence = sides.source.same(mine, sides.target, theirs)
    if evidence is None:
        verdict.note(DifferenceKind.DIFFERENT, mine)
    else:
        verdict.evidence[evidence] += 1


def _digest_records(
    task: VerifyTask, sides: Readers, found: TaskResult, count: Count
) -> Iterator[str | None]:
    reader, _ = sides.of(task.side)
    slots = found.slots = found.slots or DigestSlots(task.slot_count)
    digest = _digest(reader, task.form)
    for page in reader.pages(task.part, found.cursor):
        slots.add(map(digest, page.records))
        count(len(page.records))
        yield page.cursor


def _resolve_mismatches(
    task: VerifyTask, sides: Readers, found: TaskResult, count: Count
) -> Iterator[str | None]:
    reader, other = sides.of(task.side)
    digest, holds = _digest(reader, task.form), task.mismatched.holds
    note = _note_missing if task.side is Side.SOURCE else _note_extra
    for page in reader.pages(task.part, found.cursor):
        digests = list(map(digest, page.records))
        suspects = map(reader.entry, compress(page.records, map(holds, digests)))
        while some := list(islice(suspects, LOOKED_UP)):
            note(some, other.find(some), found.verdict)
        found.resolved = found.resolved.plus(MultisetDigest.of(digests))
        count(len(page.records))
        yield page.cursor


def _note_missing(
    some: Sequence[KeyFingerprint], there: Mapping[bytes, KeyFingerprint], verdict: Verdict
) -> None:
    for entry in some:
        other = there.get(entry.key)
        if other is None:
            verdict.note(DifferenceKind.MISSING, entry)
        elif other.digest != entry.digest:
            verdict.note(DifferenceKind.DIFFERENT, entry)


def _note_extra(
    some: Sequence[KeyFingerprint], there: Mapping[bytes, KeyFingerprint], verdict: Verdict
) -> None:
    for entry in some:
        if entry.key not in there:
            verdict.note(DifferenceKind.EXTRA, entry)


def _digest(reader: Reader, form: DigestForm) -> Callable[[Any], bytes]:
    return reader.digest_raw if form is DigestForm.RAW else reader.digest_canonical


_STEPS: Mapping[
    VerifyStep, Callable[[VerifyTask, Readers, TaskResult, Count], Iterator[str | None]]
] = {
    VerifyStep.MERGE: _merge_sides,
    VerifyStep.DIGEST: _digest_records,
    VerifyStep.RESOLVE: _resolve_mismatches,
}


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

    def take(self, task: VerifyTask, found: TaskResult) -> None:
        """Take in what a task of this step found."""
        self.verdict.join(found.verdict)
        if task.step is VerifyStep.RESOLVE:
            self.resolved[task.side] = self.resolved.get(task.side, NO_RECORDS).plus(found.resolved)
        if found.slots is None:
            return
        if task.side in self.slots:
            self.slots[task.side].join(found.slots)
        else:
            self.slots[task.side] = found.slots

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
