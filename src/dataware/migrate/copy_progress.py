"""Counts what is done and reports it: batches, rate, time left, retries, throttling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dataware.calc.highest_counts import HighestCounts
from dataware.calc.rate import RateEstimator, rough
from dataware.core.events import FEW_BATCHES, event
from dataware.core.model import Size
from dataware.core.ports import Clock, Emit
from dataware.migrate.copy_state import Counts

TICK_SECONDS = 0.25

SLOW_SECONDS = 30.0
"""How long after a throttled answer it still is why the copy is slow."""


@dataclass(frozen=True, slots=True)
class CopySubject:
    """What is being copied, in the words of its `kind`; `batch` units of data make a batch."""

    source: str
    name: str
    unit: str
    batch: int
    kind: str = ""

    def words(self) -> dict[str, object]:
        """The fields that every event of a copy carries."""
        return {"kind": self.kind, "source": self.source, "name": self.name, "unit": self.unit}


class CopyProgress:
    """The progress of one copy, as events.

    What it counts as done is in the target; what was skipped is counted beside it. `before` counts
    what earlier runs did; when the `total` is only an estimate, batches are reported once their
    number is known, at the end. `retries` tells how many requests this process has sent again, and
    `ceiling` which bound that a person has set holds the copy back; it is asked whenever progress
    is told. `highest` is what earlier rounds of the same migration have reported.
    """

    def __init__(
        self,
        subject: CopySubject,
        total: Size,
        before: Counts,
        clock: Clock,
        emit: Emit,
        *,
        retries: Callable[[], int] = lambda: 0,
        highest: HighestCounts | None = None,
    ):
        self._subject = subject
        self._total = total
        self._clock = clock
        self._emit = emit
        self._retries_here = retries
        self._retries_elsewhere = 0
        self._before = self._done = before.in_target
        self._skipped = before.skipped
        self._bytes = before.bytes
        self._ahead = 0
        self._highest = highest or HighestCounts()
        self._highest.batches = max(self._highest.batches, self._done // subject.batch)
        self._ticked = clock.monotonic()
        self._speed = RateEstimator(self._ticked, self._done)
        self._throttles: Counter[str] = Counter()
        self._throttled: tuple[float, str] | None = None
        self.ceiling: Callable[[], str] = str
        self.held = ""
        """What `ceiling` told last."""

    @property
    def words(self) -> Mapping[str, object]:
        """The fields that every event of this copy carries."""
        return self._subject.words()

    @property
    def detail(self) -> Mapping[str, object]:
        """How far the copy is, for the marker."""
        seconds_left = self._seconds_left()
        return {
            "phase": "copying",
            "done": max(self._highest.copied, self.done),
            "total": self._whole(),
            "exact": self._total.exact,
            "skipped": self._skipped,
            "unit": self._subject.unit,
            "rate": round(self._speed.rate, 1),
            "seconds_left": None if seconds_left is None else round(seconds_left),
            "throttled": sum(self._throttles.values()),
            "retries": self._retries(),
            "reason": self._reason(),
        }

    @property
    def done(self) -> int:
        """How many are in the target, also where their page is not yet accounted for."""
        return self._done + self._ahead

    def ahead(self, count: int) -> None:
        """Other processes have done `count` more than they have accounted for so far."""
        self._ahead = count

    def count(self, done: int, skipped: int = 0, size: int = 0) -> None:
        """`done` more are in the target, of `size` bytes; reports the batches that they fill.

        It does so if they are few.
        """
        self._done += done
        self._skipped += skipped
        self._bytes += size
        whole = self._done // self._subject.batch
        if self._highest.batches < whole <= FEW_BATCHES:
            self._report_batches(whole)

    def finish(self) -> None:
        """All are accounted for; reports the last batch, which may be partly filled.

        With a key skipped, nobody can say which batch it is missing from, so full ones are told.
        """
        self._ahead = 0
        self._total = Size(self._done + self._skipped, self._total.bytes)
        full, rest = divmod(self._done, self._subject.batch)
        self._report_batches(full + (1 if rest and not self._skipped else 0))
        self._progress()

    def count_throttle(self, reason: str, times: int = 1) -> None:
        """The service asked to slow down; reports the first time for each reason."""
        if not self._throttles[reason]:
            self._emit(event("slowed", reason=reason, **self._subject.words()))
        self._throttles[reason] += times
        self._throttled = self._clock.monotonic(), reason

    def count_retries(self, times: int) -> None:
        """Another process of the copy has sent requests again."""
        self._retries_elsewhere += times

    def tick(self) -> None:
        """Tell of the progress, if it is time to."""
        if self._clock.monotonic() - self._ticked >= TICK_SECONDS:
            self._report_batches(self._done // self._subject.batch)
            self._progress()

    def _report_batches(self, whole: int) -> None:
        """Tell of the batches up to this one; of many, only of this one.

        Of how many they are is only told where it is known, so that the total never changes.
        """
        if not self._total.exact:
            return
        batches = max(-(-self._total.items // self._subject.batch), whole)
        untold = range(self._highest.batches + 1, whole + 1)
        for batch in untold if batches <= FEW_BATCHES else untold[-1:]:
            words = self._subject.words()
            self._emit(event("batch", batch=batch, batches=batches, **words))
        self._highest.batches = max(whole, self._highest.batches)

    def _whole(self) -> int:
        """The total as far as it is known: an estimate may turn out to be too low."""
        return max(self._total.items, self._highest.copied, self.done + self._skipped)

    def _seconds_left(self) -> float | None:
        """The seconds that are left; None also once more is done than was estimated."""
        handled = self.done + self._skipped
        if handled >= self._total.items and not self._total.exact:
            return None
        return self._speed.seconds_left(self._whole() - handled)

    def _retries(self) -> int:
        return self._retries_here() + self._retries_elsewhere

    def _reason(self) -> str:
        """Why the copy is slow right now; empty if it is not."""
        if self.held or self._throttled is None:
            return self.held
        at, reason = self._throttled
        return reason if self._clock.monotonic() - at < SLOW_SECONDS else ""

    def _progress(self) -> None:
        self._ticked = self._clock.monotonic()
        if self.done == self._before:
            # Until the first answers come there is no pace yet that could be measured.
            self._speed = RateEstimator(self._ticked, self._before)
        self._speed.observe(self._ticked, self.done)
        self.held = self.ceiling()
        # What another process or an earlier round has reported may have to be done again; what is
        # shown stays.
        self._highest.copied = max(self._highest.copied, self.done)
        throttled, seconds_left = sum(self._throttles.values()), self._seconds_left()
        self._emit(
            event(
                "progress",
                phase="copying",
                done=self._highest.copied,
                total=self._whole(),
                exact=self._total.exact,
                skipped=self._skipped,
                bytes=self._bytes,
                rate=round(self._speed.rate),
                eta=rough(seconds_left),
                seconds_left=seconds_left,
                slow=(f", {self._skipped:,} skipped" if self._skipped else "")
                + (f", throttled {throttled:,} times" if throttled else "")
                + (f", {self.held}" if self.held else ""),
                throttled=throttled,
                retries=self._retries(),
                reason=self._reason(),
                **self._subject.words(),
            )
        )
