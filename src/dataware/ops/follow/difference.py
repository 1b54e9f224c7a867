"""A comparison of both sides in full, on a thread of its own: to close gaps, or as the feed.

It is the verification, whose readers share no code with what carries. While both sides change it
finds every key that differed before it began, and some more; those are carried like any other, and
an equal one costs a read and a write.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.errors import DatawareError, LookupFailedError
from dataware.core.follow.feed import DifferenceResult, FeedRound
from dataware.core.follow.shards import StreamReading
from dataware.core.follow.undo_ports import StrayWait
from dataware.core.ports import StopRequest
from dataware.verify.merge import DifferenceKind
from dataware.verify.verdict import Verdict

JOIN_SECONDS = 5.0
LEAST_PAUSE = 10.0
"""Seconds between two comparisons at least; else as many as the last one took."""


@dataclass(frozen=True, slots=True)
class DifferenceTools:
    """What a comparison needs: `compare` raises IncompleteError once its stop is true, and
    `find_expired` reports missing keys which only wait to be deleted, and `choose` which of the
    differing keys count.
    """

    compare: Callable[[StopRequest], Verdict]
    find_expired: Callable[[Collection[bytes]], Collection[bytes]]
    choose: Callable[[Collection[bytes]], frozenset[bytes]] = frozenset


class BackgroundDifference:
    """The FullDifference port; `close` ends what goes on."""

    def __init__(self, tools: DifferenceTools) -> None:
        self._tools = tools
        self._thread: threading.Thread | None = None
        self._result: DifferenceResult | None = None
        self._error: BaseException | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to read both sides."""
        self._result = self._error = None
        self._thread = threading.Thread(target=self._run, name="difference", daemon=True)
        self._thread.start()

    def collect(self) -> DifferenceResult | None:
        """The keys that differ, once all is compared; None while it goes on."""
        if self._thread is None or self._thread.is_alive():
            return None
        self._thread = None
        if self._error is not None:
            raise self._error
        return self._result

    @property
    def is_under_way(self) -> bool:
        """Whether it has begun, and its result was not collected."""
        return self._thread is not None

    def close(self) -> None:
        """Give up what goes on."""
        self._closed = True
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            verdict = self._tools.compare(lambda: self._closed)
            self._result = self._read_verdict(verdict)
        except DatawareError as error:
            self._error = error
        except Exception as error:
            self._error = error

    def _read_verdict(self, verdict: Verdict) -> DifferenceResult:
        keys: dict[DifferenceKind, set[bytes]] = {kind: set() for kind in DifferenceKind}
        for one in verdict.listed:
            keys[one.kind].add(one.raw_key)
        listed = sum(map(len, keys.values()))
        missing = keys[DifferenceKind.MISSING]
        if missing:
            missing -= set(self._tools.find_expired(missing))
        differing = self._tools.choose(frozenset().union(*keys.values()))
        return DifferenceResult(differing, listed >= verdict.differences)


class SettledDifference(BackgroundDifference):
    """The comparison of an undo, whose result waits until the strays that it saw are known.

    What differs is carried as soon as it is collected, over what stands on the old side. So nobody
    is given a key whose value there a stray may have written a moment ago.
    """

    def __init__(self, tools: DifferenceTools, wait: StrayWait) -> None:
        super().__init__(tools)
        self._wait = wait
        self._kept: DifferenceResult | None = None

    def start(self) -> None:
        """Begin to read both sides."""
        self._kept = None
        self._wait.restart()
        super().start()

    def collect(self) -> DifferenceResult | None:
        """The keys that differ, once it is known who wrote them; None until then."""
        if self._kept is None:
            self._kept = super().collect()
        result = self._kept
        if result is None or (result.keys and not self._wait.is_over()):
            return None
        self._kept = None
        return result

    @property
    def is_under_way(self) -> bool:
        """Whether it has begun, and its result was not collected."""
        return self._kept is not None or super().is_under_way


class DifferenceFeed:
    """The ChangeFeed port over comparisons in full, for a source without a feed of its own.

    A round is whole when a comparison has ended. Between two of them it rests for as long as the
    last one took, so that at most half of the time is spent on reading. It knows no position: the
    one that it gives is that of a stream that never was, so that whatever reads a stream next
    reports a gap.
    """

    def __init__(self, difference: BackgroundDifference) -> None:
        self._difference = difference
        self._began = 0.0
        self._next = 0.0

    def open(self, _position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Begin with a comparison."""
        self._next = now
        return StreamReading("", now).to_json()

    def poll(self, now: float) -> FeedRound:
        """What a comparison found, once it has ended."""
        position = StreamReading("", now).to_json()
        if not self._difference.is_under_way:
            if now < self._next:
                return FeedRound(frozenset(), position, whole=False)
            self._began = now
            self._difference.start()
        try:
            result = self._difference.collect()
        except LookupFailedError:
            self._next = now + LEAST_PAUSE
            raise
        if result is None:
            return FeedRound(frozenset(), position, whole=False)
        self._next = now + max(LEAST_PAUSE, now - self._began)
        keys = frozenset(result.keys)
        return FeedRound(keys, position, whole=result.complete, as_of=self._began)
