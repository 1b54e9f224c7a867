"""The geometry of a chart of one copy: rate, throttling and retries over time.

Pure: samples in, numbers out. The chart has no text, so that it can be stretched to any width; what
stands beside it is HTML.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from dataware.report.html.story import ProgressSample

SPANS = 120
"""Spans of time of a chart at most."""

ROWS = 24
"""Spans of the table with the same figures at most."""

WIDTH, HEIGHT = 1200, 100

FEWEST = 3
"""Samples of which a chart says more than a mean rate does."""


@dataclass(frozen=True, slots=True)
class Span:
    """What was done within a span of time, in seconds since the start of the run."""

    begin: float
    end: float
    done: float
    throttled: int
    retries: int

    @property
    def rate(self) -> float:
        """Items or objects a second."""
        return self.done / (self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a strip, from its bottom."""

    x: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of a copy: an outline of the rate, and strips of bars below it."""

    spans: Sequence[Span]
    rows: Sequence[Span]

    @property
    def peak(self) -> float:
        """The highest rate."""
        return max(span.rate for span in self.spans)

    @property
    def begin(self) -> float:
        """When the first span begins."""
        return self.spans[0].begin

    @property
    def end(self) -> float:
        """When the last span ends."""
        return self.spans[-1].end

    @property
    def line(self) -> str:
        """The path of the rate: a step for each span."""
        return f"M0 {self._steps().removeprefix('V')}"

    @property
    def area(self) -> str:
        """The path around what lies below the line."""
        return f"M0 {HEIGHT}{self._steps()}V{HEIGHT}"

    def _steps(self) -> str:
        peak = self.peak or 1.0
        return "".join(
            f"V{_short(HEIGHT * (1 - span.rate / peak))}H{_short(self._x(span.end))}"
            for span in self.spans
        )

    @property
    def throttles(self) -> list[Bar]:
        """Bars where the service asked to slow down."""
        return self._bars([span.throttled for span in self.spans])

    @property
    def retries(self) -> list[Bar]:
        """Bars where requests were sent again."""
        return self._bars([span.retries for span in self.spans])

    def _bars(self, counts: Sequence[int]) -> list[Bar]:
        most = max(counts, default=0)
        return [
            Bar(
                round(self._x(span.begin), 1),
                max(2.0, round(self._x(span.end) - self._x(span.begin), 1)),
                round(HEIGHT * max(0.15, count / most), 1),
            )
            for span, count in zip(self.spans, counts, strict=True)
            if count
        ]

    def _x(self, moment: float) -> float:
        return WIDTH * (moment - self.begin) / (self.end - self.begin)


def chart_of(samples: Sequence[ProgressSample]) -> Chart | None:
    """The chart of a copy; None where nothing can be plotted."""
    curve = _Curve(samples)
    if len(samples) < FEWEST or curve.length <= 0:
        return None
    count = min(SPANS, len(samples) - 1)
    return Chart(curve.spans(count), curve.spans(min(ROWS, count)))


class _Curve:
    """Counters over time, straight from sample to sample; one that falls starts again."""

    def __init__(self, samples: Sequence[ProgressSample]) -> None:
        self._times: list[float] = []
        self._sums: list[tuple[float, float, float]] = []
        before: tuple[int, int, int] | None = None
        sums = (0.0, 0.0, 0.0)
        for sample in samples:
            now = (sample.done, sample.throttled, sample.retries)
            if before is not None:
                grown = [max(0, new - old) for new, old in zip(now, before, strict=True)]
                sums = (sums[0] + grown[0], sums[1] + grown[1], sums[2] + grown[2])
            before = now
            self._times.append(sample.at)
            self._sums.append(sums)

    @property
    def length(self) -> float:
        return self._times[-1] - self._times[0] if self._times else 0.0

    def spans(self, count: int) -> list[Span]:
        start = self._times[0]
        edges = [start + self.length * n / count for n in range(count + 1)]
        sums = [self._at(edge) for edge in edges]
        return [
            Span(
                edges[n],
                edges[n + 1],
                sums[n + 1][0] - sums[n][0],
                round(sums[n + 1][1]) - round(sums[n][1]),
                round(sums[n + 1][2]) - round(sums[n][2]),
            )
            for n in range(count)
        ]

    def _at(self, moment: float) -> tuple[float, float, float]:
        after = bisect_right(self._times, moment)
        if after == 0:
            return self._sums[0]
        if after == len(self._times):
            return self._sums[-1]
        share = (moment - self._times[after - 1]) / (self._times[after] - self._times[after - 1])
        one, two = self._sums[after - 1], self._sums[after]
        return (
            one[0] + share * (two[0] - one[0]),
            one[1] + share * (two[1] - one[1]),
            one[2] + share * (two[2] - one[2]),
        )


def _short(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
