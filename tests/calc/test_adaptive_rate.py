"""The pace of a copy: a table of what is seen and what follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.adaptive_rate import CUT, AdaptiveRate

rates = st.floats(min_value=1, max_value=1e6)


def test_without_throttling_nothing_is_held_back() -> None:
    """A fresh pace has no limit."""
    assert AdaptiveRate().limit is None


def test_throttling_cuts_what_went_through() -> None:
    """The first throttled answer limits to a part of the observed rate."""
    assert AdaptiveRate().after_throttle(1000, now=5).limit == CUT * 1000


def test_a_burst_of_throttling_counts_once() -> None:
    """Throttled answers within a second have one cause, so they cut once."""
    once = AdaptiveRate().after_throttle(1000, now=5)
    assert once.after_throttle(1000, now=5.5) == once
    assert (once.after_throttle(1000, now=6.5).limit or 0) < (once.limit or 0)


def test_calm_raises_step_by_step_until_the_limit_no_longer_binds() -> None:
    """After throttling ends the limit grows, and goes away once nothing comes near it."""
    pace = AdaptiveRate().after_throttle(100, now=0)
    raised = pace.calm(observed=70, now=2)
    assert raised.limit is not None
    assert pace.limit is not None
    assert pace.limit < raised.limit < 1.2 * pace.limit
    assert AdaptiveRate(rate=1000, changed=0).calm(observed=1, now=2).limit is None


@given(rates, st.lists(st.tuples(st.booleans(), rates, st.floats(0, 10)), max_size=50))
def test_the_ceiling_is_never_passed(
    ceiling: float, steps: list[tuple[bool, float, float]]
) -> None:
    """Whatever happens, the limit stays within what people set, and above zero."""
    pace, now = AdaptiveRate(ceiling=ceiling), 0.0
    for throttled, observed, wait in steps:
        now += wait
        pace = pace.after_throttle(observed, now) if throttled else pace.calm(observed, now)
        assert pace.limit is not None
        assert 0 < pace.limit <= ceiling
