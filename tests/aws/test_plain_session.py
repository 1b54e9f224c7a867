"""The session asks before each write, whatever of a request is written already."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from dataware.aws import BotocoreTransport
from dataware.core.ports import Request, Response
from dataware.http.endpoint import Limits
from support.processes import PATIENCE
from support.servers import FaultProxy, answer
from support.transports import FixedAccess, done

BODY = b"x" * 200_000
"""Four pieces."""


@pytest.fixture
def server() -> Iterator[FaultProxy]:
    """A server that records requests."""
    with FaultProxy("http://127.0.0.1:1") as proxy:
        proxy.add(answer(200, b"ok"))
        yield proxy


class LimitedPermit:
    """A permit that holds for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    @property
    def current(self) -> bool:
        self.looks -= 1
        return self.looks >= 0

    def hear(self, _date: str) -> None:
        """Take no time from an answer."""

    async def wait(self) -> None:
        """Wait for nothing: a raw transport asks for no other permit."""


def put(server: FaultProxy, permit: LimitedPermit) -> Response:
    """Send one large body under a permit."""

    async def send() -> Response:
        transport = BotocoreTransport(FixedAccess(server.endpoint), Limits())
        transport.permit = permit
        try:
            return (await transport.send(Request("s3", "PUT", "/b/k", done, body=BODY)))[0]
        finally:
            await transport.close()

    return asyncio.run(send())


def test_a_request_whose_permit_ends_at_any_write_never_arrives(server: FaultProxy) -> None:
    """Neither after the head nor after some of the body; with all looks granted it does."""
    enough = LimitedPermit(1000)
    assert put(server, enough).status == 200
    looks = 1000 - enough.looks
    assert looks >= 6, "the head and each piece of the body are looked at"
    server.clear()
    server.add(answer(200, b"ok"))
    for granted in range(looks):
        with pytest.raises(ConnectionError):
            put(server, LimitedPermit(granted))
    assert server.count() == 0
    assert put(server, LimitedPermit(looks)).status == 200
    assert server.seen[0].body == BODY


@pytest.mark.parametrize("end", ["timeout", "cancelled"])
def test_a_request_that_nobody_waits_for_is_not_sent_later(
    server: FaultProxy, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that is still busy with it comes to the first write and sends nothing."""
    waiting, go_on = threading.Event(), threading.Event()
    timeouts, make_timeout = list[asyncio.Timeout](), asyncio.timeout

    def hold_timeout(_seconds: float) -> asyncio.Timeout:
        timeouts.append(make_timeout(None))
        return timeouts[-1]

    monkeypatch.setattr(asyncio, "timeout", hold_timeout)

    class SlowAccess(FixedAccess):
        def endpoint(self, service: str, region: str) -> str:
            waiting.set()
            go_on.wait(PATIENCE)
            return super().endpoint(service, region)

    async def send() -> None:
        transport = BotocoreTransport(SlowAccess(server.endpoint), Limits())
        sending = asyncio.create_task(transport.send(Request("s3", "GET", "/b/k", done)))
        assert await asyncio.to_thread(waiting.wait, PATIENCE)
        if end == "cancelled":
            sending.cancel()
        else:
            timeouts[0].reschedule(asyncio.get_running_loop().time())
        with pytest.raises((TimeoutError, asyncio.CancelledError)):
            await sending
        go_on.set()
        await asyncio.sleep(0.3)
        await transport.close()

    asyncio.run(send())
    assert server.count() == 0
