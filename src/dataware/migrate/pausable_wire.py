"""A transport that sends nothing while the run is paused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from dataware.core.ports import Request, Response, Wire
from dataware.core.run_control import RunControl
from dataware.core.wrapped_wire import WrappedWire

LOOK_SECONDS = 0.1
"""How often a request that waits looks whether the run may go on."""


class PausableWire(WrappedWire):
    """The Wire port over another one; a request that is under way when the pause begins ends.

    `read_control` answers at once. Time spent waiting counts for no limit of a request.
    """

    def __init__(self, wire: Wire, read_control: Callable[[], RunControl]) -> None:
        super().__init__(wire)
        self._read_control = read_control

    def send(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Wait for the end of a pause, then send as the other one does.

        Without a pause nothing stands between the two: a coroutine in between would count.
        """
        if self._read_control().is_paused:
            return self._send_after_pause(request)
        return self._wire.send(request)

    async def _send_after_pause(self, request: Request) -> Response:
        while self._read_control().is_paused:  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(LOOK_SECONDS)
        return await self._wire.send(request)
