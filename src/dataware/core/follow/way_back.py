"""The way back of a cut-over, in parts that know neither tables nor buckets.

What was written to the new side since the switch is carried to the old one, but for what was
written there, too:

    written since the switch       then
    to the new side alone          carried, only while the old side has what was seen
    to the old side alone          stays as it is
    to both                        a conflict: listed, and left to a person

The old side's feed tells of our own writes as well. Which keys we wrote is on disk before a write
is sent, so such a key is looked at once more: what stands there has the tag of what we wrote, or
somebody else wrote it after us, and it is a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.follow.cutover_ports import StrayKeys
from dataware.core.follow.feed import (
    Carrier,
    CarryOutcome,
    ChangeFeed,
    Conflict,
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
    """What is on both sides after a way back, as its follow would have written it, and what is on
    none; of what the way back has `kept` on record, in lots.

    A key whose write is not on record as done is left out as well.
    """
    rows = (row for row in kept if not row[1].intended and row[0] not in left_out)
    while some := list(islice(rows, RECORDED_TOGETHER)):
        there = {key: WrittenVersion(one.target, one.source) for key, one in some if one.target}
        yield there, [key for key, one in some if not one.target]


class UndoWritten:
    """The WrittenKeys port of a way back.

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
        found = dict(self._written.find_written(keys))
        if self._replaces:
            return dict.fromkeys(keys, TRUSTED)
        if not self.is_trusted:
            return found
        return {key: found.get(key, TRUSTED) for key in keys}

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
    these are all.
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
        self._teller = teller
        self.strays = set(strays)
        written.is_trusted = is_known and feed is not None

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
            return frozenset(), False
        ours = self._written.find_ours(change_round.keys)
        if strays := change_round.keys - ours:
            self._teller.add(strays, now)
            self.strays |= strays
        if change_round.gaps:
            self._miss(change_round.gaps, now)
        self._memory.save_position(change_round.position)
        return ours, change_round.whole

    def choose(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of `keys` that have to be equal on both sides: not what others wrote there."""
        theirs = self.strays.intersection(keys)
        return frozenset(keys) - (theirs - self._written.find_ours(theirs))

    def _miss(self, gaps: Collection[Gap], now: float) -> None:
        self._teller.report_gaps(gaps, now)
        self._written.is_trusted = False


class BothSidesFeed:
    """The ChangeFeed port of a way back: the new side's feed, with what the old side's tells."""

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


class UndoCarrier:
    """The Carrier port of a way back: keys that were written on both sides are not carried.

    `keep` has those on disk when it returns: the feeds tell of them once, and a person may decide
    after this run.
    """

    def __init__(
        self,
        carrier: Carrier,
        old: OldSide,
        *,
        replaces: bool,
        keep: Callable[[Collection[bytes]], None] = _forget,
    ) -> None:
        self._carrier = carrier
        self._old = old
        self._replaces = replaces
        self._keep = keep

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Carry what the new side alone has changed, and list the rest."""
        if self._replaces:
            return self._carrier.carry(keys, now)
        ours = self._old.choose(keys)
        theirs = frozenset(keys) - ours
        if theirs:
            self._keep(theirs)
        conflicts = tuple(Conflict(key, ON_BOTH_SIDES) for key in sorted(theirs))
        if not ours:
            return CarryOutcome(conflicts=conflicts)
        return CarryOutcome.join(
            [CarryOutcome(conflicts=conflicts), self._carrier.carry(ours, now)]
        )
