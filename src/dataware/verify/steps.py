"""The tasks of a verification: what is read of one part, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress, islice
from typing import Any

from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.core.reader import Evidence, KeyFingerprint, Reader
from dataware.verify.digests import ALL_SLOTS, SLOTS, DigestForm, DigestSlots, MismatchedSlots
from dataware.verify.merge import DifferenceKind, merge
from dataware.verify.verdict import Side, Verdict

LOOKED_UP = 100
"""Keys of one look-up, the most that BatchGetItem takes."""


class VerifyStep(StrEnum):
    """What a task does with its part; the value is serialised."""

    MERGE = "merge"
    DIGEST = "digest"
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
    result: TaskResult,
    stop: Callable[[], bool],
    count: Count = ignore_count,
) -> None:
    """Go on with a task until it is done or `stop` is true, which is asked between two reads.

    `count` counts the records as they are read; of both sides of a merge, of the source's.
    """
    if result.done or stop():
        return
    for cursor in _STEPS[task.step](task, sides, result, count):
        result.cursor = cursor
        # Without a cursor the part is at its end, so there is nothing to go on with.
        if cursor is not None and stop():
            return
    result.done = True


def _merge_sides(
    task: VerifyTask, sides: Readers, result: TaskResult, count: Count
) -> Iterator[str]:
    source, target = sides.source, sides.target
    pages = (reader.pages(task.part, result.cursor) for reader in (source, target))
    verdict = result.verdict
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
    task: VerifyTask, sides: Readers, result: TaskResult, count: Count
) -> Iterator[str | None]:
    reader, _ = sides.of(task.side)
    slots = result.slots = result.slots or DigestSlots(task.slot_count)
    digest = _digest(reader, task.form)
    for page in reader.pages(task.part, result.cursor):
        slots.add(map(digest, page.records))
        count(len(page.records))
        yield page.cursor


def _resolve_mismatches(
    task: VerifyTask, sides: Readers, result: TaskResult, count: Count
) -> Iterator[str | None]:
    reader, other = sides.of(task.side)
    digest, holds = _digest(reader, task.form), task.mismatched.holds
    note = _note_missing if task.side is Side.SOURCE else _note_extra
    for page in reader.pages(task.part, result.cursor):
        digests = list(map(digest, page.records))
        suspects = map(reader.entry, compress(page.records, map(holds, digests)))
        while some := list(islice(suspects, LOOKED_UP)):
            note(some, other.find(some), result.verdict)
        result.resolved = result.resolved.plus(MultisetDigest.of(digests))
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
