"""Calls are held back to so many a second, with what a second allows at once."""

from __future__ import annotations

import asyncio

import pytest

from dataware.core.pace import Pace
from support.transports import ManualClock


@pytest.mark.parametrize(("rate", "calls"), [(10.0, 5), (10.0, 10), (10.0, 35), (0.5, 3)])
def test_calls_keep_the_rate_after_the_first_second(rate: float, calls: int) -> None:
    """What is beyond the first second's share waits its turn."""
    clock = ManualClock()
    pace = Pace(clock, rate)
    began = clock.monotonic()

    async def send() -> None:
        for _ in range(calls):
            await pace.wait()

    asyncio.run(send())
    assert clock.monotonic() - began == pytest.approx(max(0.0, calls / rate - 1), abs=1e-3)


def test_a_pause_saves_no_more_than_a_second() -> None:
    """After an hour without calls there is no flood of them."""
    clock = ManualClock()
    pace = Pace(clock, 10)
    clock.time += 3600

    async def send() -> None:
        for _ in range(30):
            await pace.wait()

    asyncio.run(send())
    assert sum(clock.slept) == pytest.approx(2, abs=1e-3)
