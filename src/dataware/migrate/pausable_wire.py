"""A transport that sends nothing while the run is paused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dataware.core.ports import Permit, Request, Response, Wire
from dataware.core.run_control import RunControl

LOOK_SECONDS = 0.1
"""How often a request that waits looks whether the run may go on."""


class PausableWire:
    """The Wire port over another one; a request that is under way when the pause begins ends.

    `read_control` answers at once. Time spent waiting counts for no limit of a request.
    """

    def __init__(self, wire: Wire, read_control: Callable[[], RunControl]) -> None:
        self._wire = wire
        self._read_control = read_control

    @property
    def permit(self) -> Permit | None:
        """What says before each request whether it may be sent at all."""
        return self._wire.permit

    @permit.setter
    def permit(self, permit: Permit | None) -> None:
        self._wire.permit = permit

    @property
    def retries(self) -> int:
        """How many requests were sent again so far."""
        return self._wire.retries

    async def send(self, request: Request) -> Response:
        """Wait for the end of a pause, then send as the other one does."""
        while self._read_control().is_paused:  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(LOOK_SECONDS)
        return await self._wire.send(request)

    async def close(self) -> None:
        """Release connections."""
        await self._wire.close()
