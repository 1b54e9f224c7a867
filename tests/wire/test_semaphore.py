"""Slots: never more than there are, in the order of asking, and none is ever lost."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.wire.semaphore import ClosableSemaphore


@settings(deadline=None)
@given(st.integers(1, 4), st.lists(st.integers(0, 3), max_size=20), st.randoms())
def test_no_slot_is_lost_whoever_is_cancelled(
    most: int, lengths: list[int], chance: random.Random
) -> None:
    """At any time so many have one at most, and in the end all are free again."""
    slots, holding, seen = ClosableSemaphore(most), 0, 0

    async def hold(turns: int) -> None:
        nonlocal holding, seen
        if not slots.taken():
            await slots.take()
        holding += 1
        seen = max(seen, holding)
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
        finally:
            holding -= 1
            slots.give_back()

    async def main() -> None:
        tasks = [asyncio.create_task(hold(turns)) for turns in lengths]
        for task in tasks:
            if chance.random() < 0.4:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    asyncio.run(main())
    assert seen <= most
    assert [slots.taken() for _ in range(most + 1)] == [True] * most + [False]


def test_who_waits_longest_is_next() -> None:
    """Somebody who gives a slot back and asks again does not get before those who wait."""
    order: list[int] = []

    async def work(slots: ClosableSemaphore, number: int) -> None:
        for _ in range(2):
            if not slots.taken():
                await slots.take()
            order.append(number)
            await asyncio.sleep(0)
            slots.give_back()

    async def main() -> None:
        slots = ClosableSemaphore(1)
        await asyncio.gather(*(work(slots, number) for number in range(3)))

    asyncio.run(main())
    assert order == [0, 1, 2, 0, 1, 2]


def test_nobody_waits_for_what_is_closed() -> None:
    """Who waits is cancelled, and does not begin when a slot is given back."""

    async def main() -> None:
        slots = ClosableSemaphore(1)
        assert slots.taken()
        waiting = asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        slots.close()
        slots.give_back()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert slots.taken()

    asyncio.run(main())
