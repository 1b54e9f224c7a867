"""The undo of a cut-over, in parts that know neither tables nor buckets.

What was written to the new side since the switch is carried to the old one, but for what was
written there, too:

    written since the switch       then
    to the new side alone          carried, only while the old side has what was seen
    to the old side alone          stays as it is
    to both                        a conflict: listed, and left to a person; but what neither side
                                   has any more, both have deleted, and nothing is to be decided

The old side's feed reports our own writes as well. Which keys we wrote is on disk before a write
is sent, so such a key is looked at once more: what stands there has the tag of what we wrote, or
somebody else wrote it after us, and it is a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.follow.cutover_ports import KeyComparison, StrayKeys
from dataware.core.follow.feed import (
    Carrier,
    CarryOutcome,
    ChangeFeed,
    Conflict,
    DifferenceResult,
    FeedRound,
    FollowMemory,
    Gap,
)
from dataware.core.follow.written import TRUSTED, WrittenKeys, WrittenVersion

ON_BOTH_SIDES = "it was written on both sides since the switch"


RECORDED_TOGETHER = 10_000
"""Keys that become known to the follow at a time."""


def list_equal(
    kept: Iterable[tuple[bytes, WrittenVersion]], left_out: Container[bytes]
) -> Iterator[tuple[Mapping[bytes, WrittenVersion], Collection[bytes]]]:
    """What is on both sides after an undo, as its follow would have written it, and what is on
    none; of what the undo has `kept` on record, in chunks.

    A key whose write is not on record as done is left out as well.
    """
    rows = (row for row in kept if not row[1].intended and row[0] not in left_out)
    while some := list(islice(rows, RECORDED_TOGETHER)):
        there = {key: WrittenVersion(one.target, one.source) for key, one in some if one.target}
        yield there, [key for key, one in some if not one.target]


class UndoWritten:
    """The WrittenKeys port of an undo.

    What stands on the old side under a key of which nothing is on record may be replaced where
    `is_trusted`: it has stood there since the switch, as the old side's feed tells. With `replaces`
    so may anything.
    """

    def __init__(self, written: WrittenKeys, *, replaces: bool = False) -> None:
        self._written = written
        self._replaces = replaces
        self.is_trusted = True

    def find_written(self, keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """The versions that are on record, and of the other keys whatever stands there."""
        versions = dict(self._written.find_written(keys))
        if self._replaces:
            return dict.fromkeys(keys, TRUSTED)
        if not self.is_trusted:
            return versions
        return {key: versions.get(key, TRUSTED) for key in keys}

    def find_ours(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of `keys` that we wrote, or were about to."""
        return frozenset(self._written.find_written(keys))

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Put versions on record."""
        self._written.save_written(versions)

    def forget_written(self, keys: Collection[bytes]) -> None:
        """Remember that a key was deleted, because the old side's feed will tell of it."""
        self._written.save_written({key: WrittenVersion() for key in keys})


class OldSide:
    """The side to which it goes back, as its feed tells; None where it has no feed.

    `strays` are the keys that somebody else wrote there since the switch, `is_known` says that
    these are all. `gone` are those of them that neither side had when it was looked: where one
    comes back it is looked at once more. `whole_rounds` counts how often its feed was read to the
    end, and `is_read` says that the newest of its keys are known: before that, who wrote what is
    not.
    """

    def __init__(
        self,
        feed: ChangeFeed | None,
        memory: FollowMemory,
        written: UndoWritten,
        teller: StrayKeys,
        strays: Collection[bytes],
        *,
        is_known: bool,
    ) -> None:
        self._feed = feed
        self._memory = memory
        self._written = written
        self._reporter = teller
        self.strays = set(strays)
        self.gone: set[bytes] = set()
        self.whole_rounds = 0
        self.is_read = feed is None
        written.is_trusted = is_known and feed is not None

    @property
    def has_feed(self) -> bool:
        """Whether anything tells who writes there."""
        return self._feed is not None

    @property
    def is_known(self) -> bool:
        """Whether `strays` are all keys that somebody else wrote there."""
        return self._written.is_trusted

    def open(self, now: float) -> None:
        """Go on where the watch ended."""
        if self._feed is None:
            return
        self._memory.save_position(self._feed.open(self._memory.position(), now))

    def poll(self, now: float) -> tuple[frozenset[bytes], bool]:
        """The keys that we wrote and that have changed, and whether all was read."""
        if self._feed is None:
            return frozenset(), True
        try:
            change_round = self._feed.poll(now)
        except LookupFailedError:
            self.is_read = False
            return frozenset(), False
        ours = self._written.find_ours(change_round.keys)
        if strays := change_round.keys - ours:
            self._reporter.add(strays, now)
            self.strays |= strays
        if change_round.gaps:
            self._miss(change_round.gaps, now)
        self._memory.save_position(change_round.position)
        self.whole_rounds += change_round.whole
        # A round without keys may be a rest between two, which says nothing new.
        if change_round.whole or change_round.keys:
            self.is_read = change_round.whole
        return ours | self.gone.intersection(change_round.keys), change_round.whole

    def choose(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of `keys` that have to be equal on both sides: not what others wrote there."""
        theirs = self.strays.intersection(keys)
        return frozenset(keys) - (theirs - self._written.find_ours(theirs))

    def _miss(self, gaps: Collection[Gap], now: float) -> None:
        self._reporter.report_gaps(gaps, now)
        self._written.is_trusted = False


class StrayWait:
    """Waits until the old side's feed has reported every stray that a comparison may have seen.

    A comparison may see what a stray wrote before that feed reports it, and such a key must not be
    taken for one that the new side has changed. So the feed is read to its end once more, `settle`
    seconds after the result is there. Without a feed nothing is waited for.
    """

    def __init__(
        self,
        find_old: Callable[[], OldSide],
        settle: Callable[[], float],
        seconds: Callable[[], float],
    ) -> None:
        self._find_old = find_old
        self._settle = settle
        self._seconds = seconds
        self._since: float | None = None
        self._rounds: int | None = None

    def restart(self) -> None:
        """Wait again, from the next look on."""
        self._since = self._rounds = None

    def is_over(self) -> bool:
        """Whether it is known who wrote what; asked for the first time once the result is there."""
        old, now = self._find_old(), self._seconds()
        if not old.has_feed:
            return True
        if self._since is None:
            self._since = now
        if now - self._since < self._settle():
            return False
        if self._rounds is None:
            self._rounds = old.whole_rounds
        return old.whole_rounds != self._rounds


class SettledComparison:
    """The KeyComparison port of an undo: what differs counts once it is known who wrote it.

    Keys that are asked for were carried before, and what is on record of them tells who wrote them
    since; of any other key it does not, so none is reported beside them.
    """

    def __init__(
        self,
        comparison: KeyComparison,
        old: OldSide,
        choose: Callable[[Collection[bytes]], frozenset[bytes]],
        settle: Callable[[], float],
        seconds: Callable[[], float],
    ) -> None:
        self._comparison = comparison
        self._choose = choose
        self._waits = old.has_feed
        self._wait = StrayWait(lambda: old, settle, seconds)
        self._keys: frozenset[bytes] | None = None
        self._result: DifferenceResult | None = None

    def start(self, keys: Collection[bytes] | None) -> None:
        """Begin to read `keys` on both sides; None stands for all."""
        self._keys = None if keys is None else frozenset(keys)
        self._result = None
        self._wait.restart()
        self._comparison.start(keys)

    def collect(self) -> DifferenceResult | None:
        """The keys that have to be equal and are not; None while that is not known."""
        if self._result is None:
            result = self._comparison.collect()
            if result is None or not self._waits:
                return result
            if self._keys is not None:
                return DifferenceResult(self._keys.intersection(result.keys), result.complete)
            self._result = result
        if not self._wait.is_over():
            return None
        return DifferenceResult(self._choose(self._result.keys), self._result.complete)


class BothSidesFeed:
    """The ChangeFeed port of an undo: the new side's feed, with what the old side's tells."""

    def __init__(self, new: ChangeFeed, old: OldSide) -> None:
        self._new = new
        self._old = old

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Open both."""
        self._old.open(now)
        return self._new.open(position, now)

    def poll(self, now: float) -> FeedRound:
        """Read both, the old side first, so that a stray is known before its key is carried."""
        ours, is_whole = self._old.poll(now)
        change_round = self._new.poll(now)
        keys = change_round.keys | ours
        return replace(change_round, keys=keys, whole=change_round.whole and is_whole)


def _forget(_keys: Collection[bytes]) -> None:
    """Nothing keeps them."""


def _find_none(_keys: Collection[bytes]) -> frozenset[bytes]:
    """Nobody looks."""
    return frozenset()


class UndoCarrier:
    """The Carrier port of an undo: keys that were written on both sides are not carried.

    `keep` has those on disk when it returns: the feeds tell of them once, and a person may decide
    after this run. `find_gone` gives those of some keys that neither side has.
    """

    def __init__(
        self,
        carrier: Carrier,
        old: OldSide,
        *,
        replaces: bool,
        keep: Callable[[Collection[bytes]], None] = _forget,
        find_gone: Callable[[Collection[bytes]], frozenset[bytes]] = _find_none,
    ) -> None:
        self._carrier = carrier
        self._old = old
        self._replaces = replaces
        self._keep = keep
        self._find_gone = find_gone

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Carry what the new side alone has changed, and list the rest."""
        if self._replaces:
            return self._carrier.carry(keys, now)
        if not self._old.is_read:
            # What the old side's feed has yet to tell may be about any of them.
            return CarryOutcome(failed=frozenset(keys))
        ours = self._old.choose(keys)
        theirs = frozenset(keys) - ours
        settled = self._settle(theirs) if theirs else CarryOutcome()
        if not ours:
            return settled
        return CarryOutcome.join([settled, self._carrier.carry(ours, now)])

    def _settle(self, theirs: frozenset[bytes]) -> CarryOutcome:
        """What becomes of keys that somebody else wrote on the old side, too."""
        self._keep(theirs)
        try:
            gone = self._find_gone(theirs)
        except LookupFailedError:
            # What cannot be looked at is neither gone nor a conflict.
            return CarryOutcome(failed=theirs)
        self._old.gone |= gone
        remaining = theirs - gone
        self._old.gone -= remaining
        conflicts = tuple(Conflict(key, ON_BOTH_SIDES) for key in sorted(remaining))
        return CarryOutcome(carried=gone, conflicts=conflicts)
