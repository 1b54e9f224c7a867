"""Work that is given up once a person asks to stop."""

from __future__ import annotations

import asyncio

import pytest

from dataware.core.errors import IncompleteError
from dataware.ops.stopping import unless_stopped
from support.virtual import run_virtually


async def work(seconds: float) -> str:
    """Some looking."""
    await asyncio.sleep(seconds)
    return "seen"


def test_work_that_nobody_stops_has_its_result() -> None:
    """Without a wish to stop it is as if it was not there."""
    assert run_virtually(unless_stopped(work(60), lambda: False)) == "seen"


def test_work_that_fails_fails() -> None:
    """The error is that of the work."""

    async def failing() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_virtually(unless_stopped(failing(), lambda: False))


def test_work_is_given_up_at_once() -> None:
    """However long it would take, it ends within a moment, and says that it can be resumed."""

    async def stopped() -> float:
        loop = asyncio.get_running_loop()
        with pytest.raises(IncompleteError, match="run the same command again"):
            await unless_stopped(work(10**6), lambda: loop.time() > 3)
        return loop.time()

    assert run_virtually(stopped()) < 3.5
