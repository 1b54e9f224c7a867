"""What the copiers of values that stand in an order have in common.

Such values are few, and each is written by a call of the SDK, which is sent from a thread and only
while the lock on the target is known to be held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from dataware.core.copier import CopyOrder, CopyTools, Rates

T = TypeVar("T")


class OrderedCopier:
    """The base of copiers that write one after another; `order` tells from where to where."""

    def __init__(self, tools: CopyTools, order: CopyOrder) -> None:
        self._tools = tools
        self._order = order

    async def rates(self) -> Rates:
        """Nothing: what is written has no provisioned capacity."""
        return Rates()

    async def partitions(self) -> Sequence[str]:
        """One, because there is an order to keep."""
        return ("",)

    async def _call(self, call: Callable[..., T], *arguments: object) -> T:
        """Make a call on a thread, once the lock is known to be held."""
        permit = self._tools.wire.permit
        if permit is not None and not permit.current:
            await permit.wait()
        return await asyncio.to_thread(call, *arguments)
