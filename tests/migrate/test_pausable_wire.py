"""A wire that waits: nothing begins during a pause, and without one nothing is in between."""

from __future__ import annotations

import asyncio

from dataware.core.ports import Request, Response
from dataware.core.run_control import NO_CONTROL, RunControl
from dataware.migrate.pausable_wire import PausableWire
from support.transports import done
from support.virtual import run_virtually

PAUSED = RunControl(paused_at=1.0)
PAUSE = (1.0, 61.0)
"""When the pause begins and ends, in seconds of the loop."""


class NotingWire:
    """Notes when each request was sent; an answer takes a tenth of a second."""

    permit = None
    retries = 0

    def __init__(self) -> None:
        self.sent: list[float] = []

    async def send(self, request: Request) -> Response:
        self.sent.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.1)
        return Response(200, {}, request.path.encode())

    async def close(self) -> None:
        """Nothing is open."""


def test_nothing_is_sent_during_a_pause_and_everything_after_it() -> None:
    """One request a second: whichever begins in the pause is sent after it, and none is lost."""
    wire = NotingWire()

    async def send_all() -> list[Response]:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def read_control() -> RunControl:
            return PAUSED if PAUSE[0] <= loop.time() - began < PAUSE[1] else NO_CONTROL

        pausable, sending = PausableWire(wire, read_control), []
        for number in range(90):
            request = Request("s3", "PUT", f"/b/{number}", done)
            sending.append(asyncio.ensure_future(pausable.send(request)))
            await asyncio.sleep(1)
        wire.sent = [moment - began for moment in wire.sent]
        return await asyncio.gather(*sending)

    answers = run_virtually(send_all())
    assert [answer.body for answer in answers] == [f"/b/{n}".encode() for n in range(90)]
    assert len(wire.sent) == 90
    assert not [moment for moment in wire.sent if PAUSE[0] <= moment < PAUSE[1]]
