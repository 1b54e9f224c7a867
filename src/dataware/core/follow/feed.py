"""What following a source asks of the outside, as protocols, and the values that they exchange."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from dataware.core.events import format_count
from dataware.core.follow.written import WrittenKeys, WrittenVersion

UNKNOWN_OUTCOME_SECONDS = 60.0
"""How long a write without an answer may still arrive, and so keeps its key from being carried."""

RETRY_SECONDS = 1.0
"""How long keys wait that could not be carried."""


class GapCause(StrEnum):
    """Why changes may be missing from a feed; the value stands in journals and reports."""

    TRIMMED = "trimmed"
    PARENT_NOT_READ = "parent-not-read"
    NEW_ROOT = "new-root"
    OPEN_SHARD_GONE = "open-shard-gone"
    AWAY_TOO_LONG = "away-too-long"
    OTHER_STREAM = "other-stream"
    STATE_LOST = "state-lost"


class Gap(NamedTuple):
    """A part of the changes that may never come by the feed.

    `since` is the time of the last complete round before it, in seconds since the epoch (None if
    there was none); `shard` names where it was seen, "" where it is the whole feed.
    """

    cause: GapCause
    since: float | None = None
    shard: str = ""


@dataclass(frozen=True, slots=True)
class FeedRound:
    """What one look at a feed gave.

    `keys` are canonical: equal bytes for equal keys. `oldest` and `newest` are the times of the
    changes among them, as far as the feed tells. `position` goes on after this round, is
    JSON-able, and opaque to all but the feed. `whole` says that everything was read to its present
    end: that of `as_of`, or of when it was asked.
    """

    keys: frozenset[bytes]
    position: Mapping[str, Any]
    oldest: float | None = None
    newest: float | None = None
    gaps: tuple[Gap, ...] = ()
    whole: bool = True
    as_of: float | None = None

    def with_gap(self, gap: Gap) -> FeedRound:
        """The same round, before which changes may be missing."""
        return replace(self, gaps=(*self.gaps, gap))


class ChangeFeed(Protocol):
    """The keys that change in a source: at least once each, in any order."""

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Go on after `position`, or begin with None; the position to keep before anything else.

        Every change made after this returns comes by `poll`. Raises ServiceError where the source
        has no feed.
        """
        ...

    def poll(self, now: float) -> FeedRound:
        """The keys that changed since the last round. Raises LookupFailedError; ask again then."""
        ...


class Conflict(NamedTuple):
    """A key under which the target holds what neither the source nor the run put there.

    `is_refused` says that it is none of that: a service does not give, or does not take, what is to
    be carried, so that no decision between both sides settles it.
    """

    key: bytes
    detail: str
    is_refused: bool = False


def find_refused(conflicts: Iterable[Conflict]) -> str:
    """How many keys no decision settles, with the first of them; empty where there are none."""
    refused = [one for one in conflicts if one.is_refused]
    if not refused:
        return ""
    first = refused[0].key.decode("utf-8", "backslashreplace")
    number = format_count(len(refused), "key")
    return f"{number} cannot be carried, such as {first} ({refused[0].detail})"


class CarryOutcome(NamedTuple):
    """What became of a chunk of keys; each key is in exactly one of the four.

    `failed` were not written, `uncertain` were sent but may arrive later still (a time-out, an
    answer that was lost on the way), and `conflicts` keep the target's value.
    """

    carried: frozenset[bytes] = frozenset()
    failed: frozenset[bytes] = frozenset()
    uncertain: frozenset[bytes] = frozenset()
    conflicts: tuple[Conflict, ...] = ()

    @staticmethod
    def join(outcomes: Iterable[CarryOutcome]) -> CarryOutcome:
        """What became of the keys of all parts of a chunk."""
        parts = tuple(outcomes)
        return CarryOutcome(
            frozenset().union(*(one.carried for one in parts)),
            frozenset().union(*(one.failed for one in parts)),
            frozenset().union(*(one.uncertain for one in parts)),
            tuple(conflict for one in parts for conflict in one.conflicts),
        )

    def as_uncertain(self) -> CarryOutcome:
        """The same where what was carried may be followed by an earlier try that got no answer."""
        unclear = self.uncertain | self.carried
        return self._replace(carried=frozenset(), uncertain=unclear)


class Carrier(Protocol):
    """Brings keys of the target to the current state of the source."""

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Read `keys` in the source, consistently, and put or delete them in the target.

        Raises DatawareError where going on makes no sense, such as a denied write; whatever it had
        sent by then counts as uncertain.
        """
        ...


class DirtyKeys(Protocol):
    """The durable set of keys that changed and are not carried yet.

    A key that is taken stays in the set, lent, until it is settled or put back: whoever dies with
    it leaves it to the next run, which ends the loan and waits for what may be on its way.
    """

    def add(self, keys: Iterable[bytes], since: float) -> int:
        """Add keys that changed at `since` or later; on disk when this returns. How many are new.

        A key that is lent or waits goes on waiting, and is given once more after that.
        """
        ...

    def take(self, limit: int, now: float) -> tuple[bytes, ...]:
        """Lend up to `limit` keys that are due; that they are lent is on disk when this returns."""
        ...

    def settle(self, keys: Collection[bytes]) -> None:
        """Forget lent keys that were carried, but for those that changed again meanwhile."""
        ...

    def put_back(self, keys: Collection[bytes], not_before: float) -> None:
        """End the loan of keys that were not carried; they are due from `not_before` on."""
        ...

    def end_loans(self, not_before: float) -> int:
        """End the loans of a run that died, and say how many there were.

        They and what waits are due from `not_before` on: what was sent may arrive yet, and whether
        the clock of the dead run was right is not known.
        """
        ...

    def count(self) -> int:
        """How many keys there are, lent ones included."""
        ...

    def oldest(self) -> float | None:
        """The `since` of the key that has been dirty for longest; None if there is none."""
        ...

    def next_due(self) -> float | None:
        """From when on `take` gives a key; None if there is none."""
        ...


class FollowMemory(Protocol):
    """What of a follow survives the process, beside its dirty keys."""

    def position(self) -> Mapping[str, Any] | None:
        """The position of the feed that was saved last."""
        ...

    def save_position(self, position: Mapping[str, Any]) -> None:
        """Go on from here next time; on disk when this returns."""
        ...

    def open_gaps(self) -> tuple[Gap, ...]:
        """The gaps that no full difference has closed yet."""
        ...

    def add_gaps(self, gaps: Collection[Gap]) -> None:
        """Remember gaps; on disk when this returns."""
        ...

    def close_gaps(self, gaps: Collection[Gap]) -> None:
        """Forget gaps whose differences are among the dirty keys, on disk."""
        ...


class FollowState(DirtyKeys, FollowMemory, WrittenKeys, Protocol):
    """All that one follow keeps on this machine; `is_new` where it held nothing of it before."""

    is_new: bool

    def list_written(self) -> Iterator[tuple[bytes, WrittenVersion]]:
        """All that is on record of what was written, in the order of keys."""
        ...

    def close(self) -> None:
        """Release it; everything is on disk already."""
        ...


class FollowStates(Protocol):
    """What follows keep, by the name of a kind and that of a target."""

    def open(self, kind: str, target: str, run: str, lost: Collection[Gap]) -> FollowState:
        """Go on with what the follow `run` kept; without that start again, with the gaps `lost`."""
        ...


class DifferenceResult(NamedTuple):
    """The keys that differ between both sides; not `complete` where there are more than these."""

    keys: Collection[bytes]
    complete: bool = True


class FullDifference(Protocol):
    """Compares both sides in full, beside the follow, to close a gap."""

    def start(self) -> None:
        """Begin to read both sides."""
        ...

    def collect(self) -> DifferenceResult | None:
        """The keys that differ, once all is compared; None while it goes on.

        Raises DatawareError where it failed; it may be started again then.
        """
        ...


class FollowProgress(NamedTuple):
    """How far a follow is: `lag` is the age in seconds of the oldest change not yet carried.

    `lag` is None before the first whole round of the feed.
    """

    lag: float | None
    dirty: int
    carried: int
    rounds: int
    gaps: int
    conflicts: int = 0
