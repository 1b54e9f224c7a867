"""The time of a follow: it goes on at its own pace, whoever sets the clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataware.core.follow.steady_time import SteadyTime


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_clock_that_is_set_neither_shortens_nor_lengthens_a_wait(
    jump: float, passed: float
) -> None:
    """What went by is what the other clock says."""
    day, seconds = [1e9], [50.0]
    time = SteadyTime(lambda: day[0], lambda: seconds[0])
    began = time.now()
    day[0] += jump + passed
    seconds[0] += passed
    assert began == 1e9
    assert abs(time.now() - began - passed) < 1e-3
