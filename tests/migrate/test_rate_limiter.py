"""The gate follows throttling without making anybody wait for a rate of long ago."""

from __future__ import annotations

import asyncio

import pytest

from dataware.migrate.rate_limiter import RateLimiter
from support.copying import LoopClock
from support.virtual import run_virtually


async def _let_through(gate: RateLimiter, units: int, at_once: int = 60) -> float:
    """Seconds until so many takers of one unit each have passed, who all come together."""
    start = asyncio.get_running_loop().time()
    await asyncio.gather(*(gate.take(units / at_once) for _ in range(at_once)))
    return asyncio.get_running_loop().time() - start


def test_throttling_before_the_first_write_is_no_long_stop() -> None:
    """What was never seen to pass is slowed down from a modest rate, not from nothing."""

    async def main() -> float:
        gate = RateLimiter(LoopClock())
        gate.slow_down()
        return await _let_through(gate, 60)

    assert run_virtually(main()) < 2


def test_who_waits_goes_by_the_rate_of_its_own_turn() -> None:
    """A rate that rises meanwhile lets the waiting through sooner than they were first told."""

    async def main() -> float:
        gate = RateLimiter(LoopClock())
        gate.slow_down()
        low = gate.limit or 0.0
        taken = await _let_through(gate, 2000, at_once=200)
        return taken * low / 2000

    assert run_virtually(main()) < 0.8


def test_a_ceiling_is_kept_by_all_who_wait() -> None:
    """Together they pass no faster than the ceiling."""

    async def main() -> float:
        return await _let_through(RateLimiter(LoopClock(), ceiling=50.0), 200)

    assert 3.8 < run_virtually(main()) < 4.3


def test_without_a_limit_nobody_waits() -> None:
    """The usual case costs no time."""

    async def main() -> float:
        return await _let_through(RateLimiter(LoopClock()), 10_000)

    assert run_virtually(main()) == 0


def looks(gate: RateLimiter, unit: float, seconds: int, *, busy: float = 0.0) -> list[bool]:
    """What looks tell, one a second, while takers of so many units come one after another.

    Each of them is busy for a while before it comes again.
    """

    async def taker() -> None:
        while True:
            await asyncio.sleep(busy)
            await gate.take(unit)

    async def main() -> list[bool]:
        task = asyncio.create_task(taker())
        told = []
        for _ in range(seconds):
            await asyncio.sleep(1.01)
            told.append(gate.holds())
        task.cancel()
        return told

    return run_virtually(main())


@pytest.mark.parametrize("unit", [1.0, 25.0, 500.0])
def test_a_ceiling_that_is_reached_holds(unit: float) -> None:
    """Also in the middle of a wait that is longer than the time between two looks."""
    assert looks(RateLimiter(LoopClock(), ceiling=50.0), unit, 8) == [True] * 8


def test_a_ceiling_that_nobody_reaches_holds_nothing() -> None:
    """Whoever comes seldom passes without a wait."""
    assert looks(RateLimiter(LoopClock(), ceiling=50.0), 1.0, 8, busy=0.1) == [False] * 8


def test_a_gate_that_throttling_has_slowed_is_no_ceiling() -> None:
    """Below its ceiling it is the service that holds the copy back, and that is told already."""
    gate = RateLimiter(LoopClock(), ceiling=1000.0)
    gate.slow_down()
    assert looks(gate, 25.0, 2) == [False] * 2


def test_between_two_looks_what_was_told_stays() -> None:
    """A look soon after another one sees too little to tell."""

    async def main() -> list[bool]:
        gate = RateLimiter(LoopClock(), ceiling=1.0)
        waiting = asyncio.create_task(gate.take(10))
        await asyncio.sleep(0)
        told = [gate.holds()]
        waiting.cancel()
        return told

    assert run_virtually(main()) == [False]


@pytest.mark.parametrize("rate", [150.0, 1000.0])
def test_the_rate_holds_from_the_first_moment_on(rate: float) -> None:
    """However the units are divided, no more have passed at any time than the rate allows."""

    async def main() -> list[tuple[float, int]]:
        clock, passed = LoopClock(), [(0.0, 0)]
        gate = RateLimiter(clock, rate, upfront=True)
        await asyncio.sleep(5)  # nothing is saved up before the first one comes
        start = clock.monotonic()

        async def take() -> None:
            await gate.take(25)
            passed.append((clock.monotonic() - start, passed[-1][1] + 25))

        await asyncio.gather(*(take() for _ in range(40)))
        return passed

    assert all(units <= rate * at + 1e-6 for at, units in run_virtually(main()))
