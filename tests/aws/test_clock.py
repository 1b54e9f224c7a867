"""The rules of the real clock."""

from __future__ import annotations

import asyncio
import time

from dataware.aws import SystemClock


def test_waiting_takes_time_and_both_clocks_tell() -> None:
    """A wait lasts, other work goes on meanwhile, and both readings advance."""
    clock = SystemClock()
    now, steady = clock.now(), clock.monotonic()

    async def both() -> None:
        await asyncio.gather(clock.sleep(0.05), clock.sleep(0.05))

    asyncio.run(both())
    assert 0.04 <= clock.monotonic() - steady < 30
    assert abs(clock.now() - time.time()) < 5
    assert clock.now() > now
