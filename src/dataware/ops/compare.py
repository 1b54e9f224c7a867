"""Verification: reads both sides afresh and compares them; shares nothing with the copy.

Sorted kinds are merged. Others are folded into order-free digests, and only what lies in buckets
that differ is looked up by key, so memory stays bounded whatever the size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock

from dataware.core.diff import Difference, Fold, Side, merge
from dataware.core.errors import Incomplete
from dataware.core.kind import Entry, Evidence, Reader

LISTED = 1000
"""Differences of one sort that are listed by key; more are only counted."""

LOOKED_UP = 100
"""Keys of one look-up, the most that BatchGetItem takes."""

READERS = 4
"""Parts that are read at the same time on each side."""


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

    def summary(self) -> str:
        """The differences in words, such as "2 missing, 1 extra"."""
        return ", ".join(f"{self.counts[side]:,} {side}" for side in Side if self.counts[side])

    def grounds(self) -> str:
        """What the equality rests on, in words."""
        parts = [f"{n:,} by {ground}" for ground, n in sorted(self.evidence.items())]
        if len(parts) == 1:
            return f"all by {next(iter(self.evidence))}"
        return ", ".join(parts) or "both sides are empty"


def compare(
    source: Reader, target: Reader, *, ordered: bool, stop: Callable[[], bool] = lambda: False
) -> Verdict:
    """Compare two sides. Raises Incomplete when asked to stop, CannotSee when a side is unseen."""
    verdict = Verdict()
    if ordered:
        _merge(source, target, verdict, stop)
    else:
        _fold(source, target, verdict, stop)
    return verdict


def _merge(source: Reader, target: Reader, verdict: Verdict, stop: Callable[[], bool]) -> None:
    left = (entry for part in source.parts() for entry in source.entries(part))
    right = (entry for part in target.parts() for entry in target.entries(part))
    for mine, theirs in merge(_stoppable(left, stop), right):
        if mine is not None:
            verdict.compared += 1
            _pair(source, target, mine, theirs, verdict)
        elif theirs is not None:
            verdict.note(Side.EXTRA, theirs)


def _pair(
    source: Reader, target: Reader, mine: Entry, theirs: Entry | None, verdict: Verdict
) -> None:
    if theirs is None:
        verdict.note(Side.MISSING, mine)
        return
    evidence = _evidence(source, target, mine, theirs)
    if evidence is None:
        verdict.note(Side.DIFFERENT, mine)
    else:
        verdict.evidence[evidence] += 1


def _evidence(source: Reader, target: Reader, mine: Entry, theirs: Entry) -> Evidence | None:
    conclusive = mine.conclusive and theirs.conclusive
    if mine.digest == theirs.digest and conclusive:
        return Evidence.CONTENT
    if conclusive:
        return None
    return source.same(mine, target, theirs)


def _fold(source: Reader, target: Reader, verdict: Verdict, stop: Callable[[], bool]) -> None:
    with ThreadPoolExecutor(2 * READERS, thread_name_prefix="verify") as pool:
        mine, theirs = Fold(), Fold()
        lock = Lock()
        parts = [
            pool.submit(_fold_part, reader, part, stop, whole, lock)
            for reader, whole in ((source, mine), (target, theirs))
            for part in reader.parts()
        ]
        for part in parts:
            part.result()
    verdict.compared = mine.count
    differing = mine.differing(theirs)
    if differing:
        suspect = _Suspects(mine, differing, stop)
        _look_up(source, target, suspect, verdict)
    equal = mine.count - verdict.counts[Side.MISSING] - verdict.counts[Side.DIFFERENT]
    if equal > 0:
        verdict.evidence[Evidence.CONTENT] = equal


def _fold_part(
    reader: Reader, part: str, stop: Callable[[], bool], whole: Fold, lock: Lock
) -> None:
    """Fold one part and join it at once, so that only the parts being read take memory."""
    fold = Fold()
    for entry in _stoppable(reader.entries(part), stop):
        fold.add(entry)
    with lock:
        whole.join(fold)


@dataclass(frozen=True, slots=True)
class _Suspects:
    """The entries that lie in buckets that differ, in groups for one look-up each."""

    fold: Fold
    differing: frozenset[int]
    stop: Callable[[], bool]

    def of(self, reader: Reader) -> Iterator[list[Entry]]:
        entries = (
            entry
            for part in reader.parts()
            for entry in _stoppable(reader.entries(part), self.stop)
            if self.fold.bucket_of(entry) in self.differing
        )
        while some := list(islice(entries, LOOKED_UP)):
            yield some


def _look_up(source: Reader, target: Reader, suspect: _Suspects, verdict: Verdict) -> None:
    for some in suspect.of(source):
        found = target.find(some)
        for entry in some:
            other = found.get(entry.key)
            if other is None:
                verdict.note(Side.MISSING, entry)
            elif other.digest != entry.digest:
                verdict.note(Side.DIFFERENT, entry)
    for some in suspect.of(target):
        found = source.find(some)
        for entry in some:
            if entry.key not in found:
                verdict.note(Side.EXTRA, entry)


def _stoppable(entries: Iterable[Entry], stop: Callable[[], bool]) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        if number % 256 == 0 and stop():
            raise Incomplete(
                "the verification was stopped before its end; run the same command again"
            )
        yield entry
