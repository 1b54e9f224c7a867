"""What a cut-over asks of the outside, as protocols, and what it measures of a follow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from dataware.core.errors import DatawareError
from dataware.core.follow.cutover import CutoverRecord
from dataware.core.follow.feed import (
    UNKNOWN_OUTCOME_SECONDS,
    Carrier,
    CarryOutcome,
    ChangeFeed,
    DifferenceResult,
    FeedRound,
    Gap,
)


class CutoverRecords(Protocol):
    """The record of a cut-over in the marker."""

    def read(self) -> CutoverRecord:
        """The record that counts now. Raises LookupFailedError."""
        ...

    def write(self, record: CutoverRecord) -> None:
        """Write a record, which counts when this returns.

        Raises RefusedError when the lock is lost, and LookupFailedError when it is not known
        whether the record counts.
        """
        ...

    def complete(self, record: CutoverRecord) -> None:
        """Write a record together with "complete", as `write` does."""
        ...


class FreezeHooks(Protocol):
    """What stops the writers of the source, and lets them go on; both may be called again."""

    def freeze(self) -> None:
        """Stop the writers; none of them writes once this returns. Raises DatawareError."""
        ...

    def thaw(self) -> None:
        """Let the writers go on with the source. Raises DatawareError."""
        ...


class CutoverGate(Protocol):
    """What people say about when to cut over."""

    def is_requested(self) -> bool:
        """Whether a person asks to cut over."""
        ...

    def is_open(self, now: float) -> bool:
        """Whether nothing postpones it: no file, no time that is to come."""
        ...


class KeyComparison(Protocol):
    """Compares both sides by other code than that of the carrier, beside the follow."""

    def start(self, keys: Collection[bytes] | None) -> None:
        """Begin to read `keys` on both sides, consistently; None stands for all."""
        ...

    def collect(self) -> DifferenceResult | None:
        """The keys that differ, once all is compared; None while it goes on.

        Raises DatawareError where it failed.
        """
        ...


class StrayKeys(Protocol):
    """The keys that somebody wrote to the source after the switch."""

    def add(self, keys: Collection[bytes], now: float) -> None:
        """Remember and report keys; on disk when this returns."""
        ...

    def report_gaps(self, gaps: Collection[Gap], now: float) -> None:
        """Report that some keys may never be named."""
        ...


@dataclass(frozen=True, slots=True)
class CutoverPorts:
    """What a cut-over works with, beside the follow.

    `watched` tells who writes to the source after the switch; None where the follow's feed does.
    """

    records: CutoverRecords
    hooks: FreezeHooks
    gate: CutoverGate
    comparison: KeyComparison
    strays: StrayKeys
    watched: ChangeFeed | None = None


class FeedMeter:
    """A feed that measures how late its records come: `delay` is the longest delay in seconds.

    A record that the last whole round had to show, and that comes with this one, was late by the
    time between the two. How long nobody asked does not count.
    """

    def __init__(self, feed: ChangeFeed) -> None:
        self._feed = feed
        self._whole_at: float | None = None
        self.delay = 0.0

    def open(self, position: Mapping[str, object] | None, now: float) -> Mapping[str, object]:
        """Open the feed."""
        return self._feed.open(position, now)

    def poll(self, now: float) -> FeedRound:
        """Read one round."""
        change_round = self._feed.poll(now)
        if self._whole_at is not None and change_round.oldest is not None:
            self.delay = max(self.delay, self._whole_at - change_round.oldest)
        if change_round.whole:
            self._whole_at = now
        return change_round


class UncertainOutcomes:
    """A carrier that tells for how many seconds something that was sent may arrive yet.

    A run that takes over has to know it, also where this one ends well.
    """

    def __init__(self, carrier: Carrier, on_uncertain: Callable[[float], None]) -> None:
        self._carrier = carrier
        self._on_uncertain = on_uncertain

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Carry keys."""
        try:
            outcome = self._carrier.carry(keys, now)
        except DatawareError:
            self._on_uncertain(UNKNOWN_OUTCOME_SECONDS)
            raise
        if outcome.uncertain:
            self._on_uncertain(UNKNOWN_OUTCOME_SECONDS)
        return outcome


class TouchedKeys:
    """A carrier that remembers which keys it was given since `forget`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.keys: set[bytes] = set()

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Carry keys."""
        self.keys.update(keys)
        return self._carrier.carry(keys, now)

    def forget(self) -> None:
        """Start again."""
        self.keys.clear()
