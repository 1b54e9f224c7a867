"""A chart shows what the samples say, and nothing else."""

from __future__ import annotations

import re
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.report.html.chart import HEIGHT, SPANS, WIDTH, chart_of
from dataware.report.html.story import ProgressSample

steps = st.lists(
    st.tuples(st.floats(0.01, 900), st.integers(0, 10_000), st.integers(0, 9), st.integers(0, 9)),
    min_size=3,
    max_size=400,
)


def samples(grown: list[tuple[float, int, int, int]]) -> list[ProgressSample]:
    """Samples that grow by steps of time, units done, throttled answers and retries."""
    columns = [list(accumulate(column)) for column in zip(*grown, strict=True)]
    return [
        ProgressSample(at, done, 10**9, throttled, retries)
        for at, done, throttled, retries in zip(*columns, strict=True)
    ]


@given(steps)
def test_nothing_is_lost_between_samples(grown: list[tuple[float, int, int, int]]) -> None:
    """The spans of the chart, and those of its table, hold all that was done and throttled."""
    seen = samples(grown)
    chart = chart_of(seen)
    assert chart is not None
    for spans in (chart.spans, chart.rows):
        assert sum(span.done for span in spans) == pytest.approx(seen[-1].done - seen[0].done)
        assert sum(span.throttled for span in spans) == seen[-1].throttled - seen[0].throttled
        assert sum(span.retries for span in spans) == seen[-1].retries - seen[0].retries
        assert all(one.end == two.begin for one, two in pairwise(spans))
    assert len(chart.spans) <= SPANS


@given(steps)
def test_everything_stays_within_the_frame(grown: list[tuple[float, int, int, int]]) -> None:
    """Lines and bars lie within the picture."""
    chart = chart_of(samples(grown))
    assert chart is not None
    heights = [float(number) for number in re.findall(r"V([\d.]+)", chart.line)]
    widths = [float(number) for number in re.findall(r"H([\d.]+)", chart.line)]
    assert all(0 <= height <= HEIGHT for height in heights)
    assert widths == sorted(widths)
    assert widths[-1] == WIDTH
    for bar in (*chart.throttles, *chart.retries):
        assert 0 <= bar.x < WIDTH
        assert 0 < bar.height <= HEIGHT


def test_a_counter_that_falls_starts_anew() -> None:
    """A second round of a copy counts from zero again, and takes nothing from the first."""
    first, second = [(n, 10 * n) for n in range(4)], [(4 + n, 10 * n) for n in range(4)]
    chart = chart_of([ProgressSample(float(at), done, 30) for at, done in (*first, *second)])
    assert chart is not None
    assert sum(span.done for span in chart.spans) == pytest.approx(60)
    assert min(span.rate for span in chart.spans) >= 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_copy_of_a_moment_has_no_chart(count: int) -> None:
    """A rate needs some time to be seen."""
    assert chart_of([ProgressSample(float(n), n, 9) for n in range(count)]) is None
    assert chart_of([ProgressSample(1.0, n, 9) for n in range(5)]) is None
