"""Counts what is done and tells of it: batches, rate, time left, throttling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dataware.core.events import event
from dataware.core.model import Size
from dataware.core.ports import Clock, Emit

TICK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being copied, in the words of its kind; `batch` units of data make a batch."""

    source: str
    name: str
    unit: str
    batch: int

    def words(self) -> dict[str, object]:
        """The fields that every event of a copy carries."""
        return {"source": self.source, "name": self.name, "unit": self.unit}


class Meter:
    """The progress of one copy, as events.

    `total` is a `Size`; when it is only an estimate, the number of batches follows what was found.
    """

    def __init__(self, subject: Subject, total: Size, before: int, clock: Clock, emit: Emit):
        self._subject = subject
        self._total = total
        self._before = before
        self._clock = clock
        self._emit = emit
        self._done = before
        self._batches_told = before // subject.batch
        self._started = self._ticked = clock.monotonic()
        self._throttles: Counter[str] = Counter()

    @property
    def words(self) -> Mapping[str, object]:
        """The fields that every event of this copy carries."""
        return self._subject.words()

    @property
    def detail(self) -> Mapping[str, object]:
        """How far the copy is, for the marker."""
        return {
            "done": self._done,
            "total": max(self._total.items, self._done),
            "unit": self._subject.unit,
            "rate": round(self._rate(), 1),
            "throttled": sum(self._throttles.values()),
        }

    def count(self, done: int) -> None:
        """`done` more are accounted for; tells of every batch that this fills."""
        self._done += done
        whole = self._done // self._subject.batch
        if whole > self._batches_told:
            self._tell_batches(whole)

    def finish(self) -> None:
        """All are accounted for; tells of the last, partly filled batch."""
        self._total = Size(self._done, self._total.bytes)
        self._tell_batches(-(-self._done // self._subject.batch))
        self._progress()

    def throttled(self, reason: str, times: int = 1) -> None:
        """The service asked to slow down; tells of the first time for each reason."""
        if not self._throttles[reason]:
            self._emit(event("slowed", reason=reason, **self._subject.words()))
        self._throttles[reason] += times

    def tick(self) -> None:
        """Tell of the progress, if it is time to."""
        if self._clock.monotonic() - self._ticked >= TICK_SECONDS:
            self._progress()

    def _tell_batches(self, whole: int) -> None:
        batches = max(-(-self._total.items // self._subject.batch), whole)
        for batch in range(self._batches_told + 1, whole + 1):
            words = self._subject.words()
            self._emit(event("batch", batch=batch, batches=batches, **words))
        self._batches_told = max(whole, self._batches_told)

    def _rate(self) -> float:
        elapsed = self._clock.monotonic() - self._started
        return (self._done - self._before) / elapsed if elapsed > 0 else 0.0

    def _progress(self) -> None:
        self._ticked = self._clock.monotonic()
        rate, total = self._rate(), max(self._total.items, self._done)
        throttled = sum(self._throttles.values())
        self._emit(
            event(
                "progress",
                done=self._done,
                total=total,
                rate=round(rate),
                eta=_duration((total - self._done) / rate) if rate else "unknown time",
                seconds_left=(total - self._done) / rate if rate else None,
                slow=f", throttled {throttled:,} times" if throttled else "",
                throttled=throttled,
                **self._subject.words(),
            )
        )


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
