"""Ends work that waits for a service once a person asks to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from dataware.core.errors import IncompleteError

POLL_SECONDS = 0.1

T = TypeVar("T")


async def unless_stopped(work: Coroutine[Any, Any, T], stop: Callable[[], bool]) -> T:
    """The result of `work`, which is given up as soon as `stop` is true. Raises Incomplete.

    For work that only looks: what it waits for may never come, and nothing is lost without it.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
            if stop():
                raise IncompleteError("stopped before the copy began; run the same command again")
        return task.result()
    finally:
        task.cancel()
