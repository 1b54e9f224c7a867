"""A verification as tasks: what is read next, and what comes of it.

Each task reads one part of one side, or of both, from anywhere to anywhere, and its result is a
value that travels. So the tasks of one step run on threads, in processes or in Lambda alike, and
one that is stopped goes on somewhere else.

    ordered kinds      MERGE ───────────────────────────────────────────────> verdict
    others             FOLD ──differs──> NAME the suspects ─────────────────> verdict
                       FOLD ──differs much──> FOLD by meaning ──differs──> NAME
    If a side changes between a fold and the naming, meanings are folded. If the source still does,
    and nothing of it is found missing or different, all of it is named; else it counts as moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress, islice
from typing import Any

from dataware.calc.multiset_digest import NO_TALLY, MultisetDigest
from dataware.core.kind import Evidence, KeyFingerprint, Reader
from dataware.verify.merge import (
    BUCKETS,
    EVERYTHING,
    DifferenceKind,
    DigestForm,
    DigestSlots,
    MismatchedSlots,
    merge,
)
from dataware.verify.verdict import Side, Verdict

LOOKED_UP = 100
"""Keys of one look-up, the most that BatchGetItem takes."""

MANY = 1 / 8
"""The share of suspects from which another fold costs less than to look each of them up.

A scan is charged for what it reads, a look-up for 4 KB at least (Amazon DynamoDB Developer Guide,
"Read consumption"), which is about eight usual items.
"""


class VerifyStep(StrEnum):
    """What a task does with its part; the value travels."""

    MERGE = "merge"
    FOLD = "fold"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Readers:
    """The readers of both sides."""

    source: Reader
    target: Reader

    def of(self, end: Side) -> tuple[Reader, Reader]:
        """The reader of one side, and that of the other."""
        both = self.source, self.target
        return both if end is Side.SOURCE else both[::-1]


@dataclass(frozen=True, slots=True)
class VerifyTask:
    """One part of a side: what is done with it.

    A fold digests records in `form`, into so many `buckets`; a naming looks at those of which the
    `suspicion` holds the digest in that form. A merge reads its part of both sides.
    """

    step: VerifyStep
    part: str
    side: Side = Side.SOURCE
    form: DigestForm = DigestForm.SENT
    buckets: int = BUCKETS
    suspicion: MismatchedSlots = EVERYTHING

    def to_json(self) -> dict[str, Any]:
        """The task as it travels."""
        return {
            "step": self.step,
            "part": self.part,
            "side": self.side,
            "form": self.form,
            "buckets": self.buckets,
            "suspicion": self.suspicion.to_text(),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> VerifyTask:
        """The task that `to_json` wrote."""
        return VerifyTask(
            VerifyStep(data["step"]),
            data["part"],
            Side(data["side"]),
            DigestForm(data["form"]),
            data["buckets"],
            MismatchedSlots.from_text(data["suspicion"]),
        )


@dataclass(slots=True)
class TaskResult:
    """How far a task is, and what it found up to there; `cursor` is None at the start.

    `named` is the tally of all records that a naming has read, in the form of its suspicion.
    """

    cursor: str | None = None
    done: bool = False
    fold: DigestSlots | None = None
    verdict: Verdict = field(default_factory=Verdict)
    named: MultisetDigest = NO_TALLY


Count = Callable[[int], None]


def ignore_count(_count: int) -> None:
    """Nobody wants to know how far it is."""


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
            _pair(sides, mine, theirs, verdict)
        yield merged.key.hex()


def _pair(
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


def _fold_records(
    task: VerifyTask, sides: Readers, found: TaskResult, count: Count
) -> Iterator[str | None]:
    reader, _ = sides.of(task.side)
    fold = found.fold = found.fold or DigestSlots(task.buckets)
    digest = _digest(reader, task.form)
    for page in reader.pages(task.part, found.cursor):
        fold.add(map(digest, page.records))
        count(len(page.records))
        yield page.cursor


def _name_suspects(
    task: VerifyTask, sides: Readers, found: TaskResult, count: Count
) -> Iterator[str | None]:
    reader, other = sides.of(task.side)
    digest, holds = _digest(reader, task.form), task.suspicion.holds
    note = _note_missing if task.side is Side.SOURCE else _note_extra
    for page in reader.pages(task.part, found.cursor):
        digests = list(map(digest, page.records))
        suspects = map(reader.entry, compress(page.records, map(holds, digests)))
        while some := list(islice(suspects, LOOKED_UP)):
            note(some, other.find(some), found.verdict)
        found.named = found.named.plus(MultisetDigest.of(digests))
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
    return reader.digest_raw if form is DigestForm.SENT else reader.digest_canonical


_STEPS: Mapping[
    VerifyStep, Callable[[VerifyTask, Readers, TaskResult, Count], Iterator[str | None]]
] = {
    VerifyStep.MERGE: _merge_sides,
    VerifyStep.FOLD: _fold_records,
    VerifyStep.NAME: _name_suspects,
}


@dataclass(slots=True)
class Comparison:
    """How far a verification is: its step, and what is known from the steps before.

    `step` is None once the verdict stands. `folded` are the tallies of the last folds, in `form`;
    `folds` and `named` are what this step has come to. Results are taken in one by one, so that no
    more of them than are under way need memory.
    """

    step: VerifyStep | None
    form: DigestForm = DigestForm.SENT
    suspicion: MismatchedSlots = EVERYTHING
    verdict: Verdict = field(default_factory=Verdict)
    folded: dict[Side, MultisetDigest] = field(default_factory=dict)
    folds: dict[Side, DigestSlots] = field(default_factory=dict)
    named: dict[Side, MultisetDigest] = field(default_factory=dict)

    @staticmethod
    def begin(sides: Readers, *, ordered: bool) -> Comparison:
        """A comparison at its first step; looks at a sample to choose the form of the folds."""
        if ordered:
            return Comparison(VerifyStep.MERGE)
        return Comparison(VerifyStep.FOLD, _form_of(sides))

    def tasks(self, sides: Readers, total_buckets: int | None = None) -> list[VerifyTask]:
        """The tasks of this step; folds share out `total_buckets`, or have the usual number."""
        if self.step is None:
            return []
        if self.step is VerifyStep.MERGE:
            return [VerifyTask(self.step, part) for part in sides.source.parts()]
        both = [(Side.SOURCE, part) for part in sides.source.parts()]
        both += [(Side.TARGET, part) for part in sides.target.parts()]
        buckets = BUCKETS if total_buckets is None else _shared_out(total_buckets, len(both))
        return [
            VerifyTask(self.step, part, side, self.form, buckets, self.suspicion)
            for side, part in both
        ]

    def take(self, task: VerifyTask, found: TaskResult) -> None:
        """Take in what a task of this step found."""
        self.verdict.join(found.verdict)
        if task.step is VerifyStep.NAME:
            self.named[task.side] = self.named.get(task.side, NO_TALLY).plus(found.named)
        if found.fold is None:
            return
        if task.side in self.folds:
            self.folds[task.side].join(found.fold)
        else:
            self.folds[task.side] = found.fold

    def advance(self) -> None:
        """Go on to the next step, once everything of this one is taken in."""
        if self.step is VerifyStep.FOLD:
            self._weigh()
        elif self.step is VerifyStep.NAME:
            self._conclude()
        else:
            self.step = None

    def _conclude(self) -> None:
        """End with what was named, if the suspects were still those of the folds.

        A record that changes between two readings may not be among the suspects any more, and would
        pass for equal. Where only its spelling can have changed, meanings are folded. A source that
        loses records all the time, such as those that expire, is still equal in what it has: then
        every record is looked up, and none has to be a suspect.
        """
        named, self.named = self.named, {}
        moved = {end for end, first in self.folded.items() if named.get(end, NO_TALLY) != first}
        if self.suspicion == EVERYTHING:
            moved, self.verdict.compared = set(), named.get(Side.SOURCE, NO_TALLY).records
        if moved and self.form is DigestForm.SENT:
            self._begin_again(VerifyStep.FOLD)
        elif Side.SOURCE in moved and not self.verdict.lacking:
            self._begin_again(VerifyStep.NAME)
        else:
            self.verdict.moved = moved
            self._count_equal()
            self.step = None

    def _begin_again(self, step: VerifyStep) -> None:
        """Go on with everything, by what it means."""
        self.verdict = Verdict(read=self.verdict.read)
        self.step, self.form, self.suspicion = step, DigestForm.MEANT, EVERYTHING

    def _weigh(self) -> None:
        """Decide what the folds of both sides lead to."""
        folds = {end: self.folds.get(end) or DigestSlots(1) for end in Side}
        mine, theirs = folds[Side.SOURCE], folds[Side.TARGET]
        self.verdict.compared = mine.count
        self.folded = {end: fold.tally for end, fold in folds.items()}
        if self.form is DigestForm.SENT:
            self.verdict.read = self.folded
        suspicion = mine.differing(theirs)
        self.folds = {}
        if not suspicion.differing:
            self._count_equal()
            self.step = None
        elif self.form is DigestForm.SENT and suspicion.share > MANY:
            self.form = DigestForm.MEANT
        else:
            self.step, self.suspicion = VerifyStep.NAME, suspicion

    def _count_equal(self) -> None:
        equal = self.verdict.compared - self.verdict.lacking
        if equal > 0:
            self.verdict.evidence[Evidence.CONTENT] = equal

    def to_json(self, room: int) -> dict[str, Any]:
        """The comparison between two steps, as it travels, with so many bytes of differences."""
        return {
            "step": self.step,
            "form": self.form,
            "suspicion": self.suspicion.to_text(),
            "verdict": self.verdict.to_json(room),
            "folded": {end.value: tally.text for end, tally in self.folded.items()},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Comparison:
        """The comparison that `to_json` wrote."""
        step = data["step"]
        return Comparison(
            VerifyStep(step) if step else None,
            DigestForm(data["form"]),
            MismatchedSlots.from_text(data["suspicion"]),
            Verdict.from_json(data["verdict"]),
            {Side(end): MultisetDigest.from_text(text) for end, text in data["folded"].items()},
        )


def _shared_out(total: int, count: int) -> int:
    """The largest power of two of which so many fit into `total`."""
    each = max(1, total // max(1, count))
    return 1 << each.bit_length() - 1


def _form_of(sides: Readers) -> DigestForm:
    """As records are sent, unless a sample shows that both sides send equal records differently.

    A side that is read in one call is too small for another fold to matter.
    """
    first = next(iter(sides.source.parts()), None)
    page = None if first is None else next(sides.source.pages(first), None)
    if page is None or page.cursor is None:
        return DigestForm.SENT
    some = list(map(sides.source.entry, page.records[:LOOKED_UP]))
    mine, theirs = sides.source.find(some), sides.target.find(some)
    both = ((mine[key], theirs[key]) for key in mine.keys() & theirs.keys())
    alike = all(one.sent == two.sent for one, two in both if one.digest == two.digest)
    return DigestForm.SENT if alike else DigestForm.MEANT
