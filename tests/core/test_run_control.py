"""What people may ask of a run, and how it stands in a record."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.run_control import NO_CONTROL, RunControl

RATES = st.floats(min_value=1e-3, max_value=1e9)
CONTROLS = st.builds(RunControl, st.none() | st.floats(1.0, 1e10), st.none() | RATES, st.text())


@given(CONTROLS)
def test_what_is_asked_is_read_as_it_was_written(control: RunControl) -> None:
    """Where nothing is asked nothing stands in the record, not even by whom."""
    read = RunControl.from_json(control.to_json())
    assert (read.paused_at, read.max_rate) == (control.paused_at, control.max_rate)
    assert (read == NO_CONTROL) == (control.to_json() == {})


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan])
def test_a_rate_that_nothing_can_keep_is_refused(rate: float) -> None:
    """A rate of zero would be a pause that no `resume` ends."""
    with pytest.raises(ValueError, match="no rate"):
        RunControl.from_json({"max_rate": rate})
