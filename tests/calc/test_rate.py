"""Rate and time left: steady, bounded by what was seen, and quick to follow a change."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.rate import MEMORY_SECONDS, UNKNOWN, RateEstimator, format_tenths, rough

STEPS = st.lists(st.tuples(st.floats(0.01, 60), st.integers(0, 10**6)), min_size=1, max_size=40)


def after(steps: list[tuple[float, int]]) -> RateEstimator:
    """What is known after each step of so many seconds, in which so much was done."""
    speed, at, done = RateEstimator(0.0), 0.0, 0
    for seconds, more in steps:
        at, done = at + seconds, done + more
        speed.observe(at, done)
    return speed


@given(STEPS)
def test_the_rate_lies_between_the_slowest_and_the_quickest_moment(
    steps: list[tuple[float, int]],
) -> None:
    """Nothing is told that was never seen."""
    rates = [more / seconds for seconds, more in steps]
    assert min(rates) * (1 - 1e-6) - 1e-6 <= after(steps).rate <= max(rates) * (1 + 1e-6) + 1e-6


@given(st.lists(st.floats(0.01, 60), min_size=1, max_size=40), st.integers(1, 10**5))
def test_a_steady_pace_is_told_as_it_is(seconds: list[float], rate: int) -> None:
    """However often it is looked at, a constant rate is that rate."""
    speed, at = RateEstimator(0.0), 0.0
    for each in seconds:
        at += each
        speed.observe(at, round(at * rate * 1000))
    assert math.isclose(speed.rate, rate * 1000, rel_tol=0.01)


def test_bursts_hardly_move_the_time_that_is_left() -> None:
    """A page a second, told four times a second, is no reason to jump."""
    speed, shown = RateEstimator(0.0), []
    for tick in range(1, 400):
        speed.observe(tick / 4, tick // 4 * 1000)
        if tick > 120:
            shown.append(speed.rate)
    assert max(shown) - min(shown) < 0.05 * 1000


def test_a_service_that_slows_down_is_followed() -> None:
    """Within three times the memory, the rate is the new one, whatever went before."""
    speed = RateEstimator(0.0)
    speed.observe(1000.0, 10**6)
    for second in range(int(3 * MEMORY_SECONDS)):
        speed.observe(1001.0 + second, 10**6 + 10 * (second + 1))
    assert speed.rate < 10 + 0.06 * 1000


def test_a_moment_that_was_seen_already_changes_nothing() -> None:
    """Two looks at the same time are no division by zero."""
    speed = RateEstimator(5.0, 100)
    speed.observe(5.0, 200)
    assert (speed.rate, speed.seconds_left(10)) == (0.0, None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, UNKNOWN),
        (math.inf, UNKNOWN),
        (0, "0 s"),
        (0.2, "1 s"),
        (59.2, "60 s"),
        (61, "1 min"),
        (134, "2 min 10 s"),
        (594, "9 min 50 s"),
        (595, "10 min"),
        (3569, "59 min"),
        (3570, "1 h"),
        (18_600, "5 h 10 min"),
        (10**6, "12 days"),
    ],
)
def test_a_span_is_told_no_finer_than_it_can_be_foretold(seconds: float | None, text: str) -> None:
    """Seconds below a minute, ten of them below ten, then minutes, then days."""
    assert rough(seconds) == text


@given(st.floats(0, 10**8), st.floats(0, 10**8))
def test_no_span_has_sixty_of_a_smaller_unit(first: float, second: float) -> None:
    """Rounding never yields "1 min 60 s"."""
    for seconds in (first, second):
        assert " 60 " not in rough(seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0.0 s"),
        (0.04, "0.0 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00.0 s"),
        (125.06, "2 min 05.1 s"),
        (3599.99, "1 h 00 min 00.0 s"),
        (3725.5, "1 h 02 min 05.5 s"),
    ],
)
def test_what_was_measured_is_told_to_a_tenth_of_a_second(seconds: float, text: str) -> None:
    """Seconds without writers are what people have waited for."""
    assert format_tenths(seconds) == text
