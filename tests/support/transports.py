"""Raw transports for tests, a judge that takes everything, and a clock that does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from botocore.credentials import Credentials

from dataware.aws import BotocoreTransport, TransportSettings
from dataware.core.ports import Judgement, Request, Response
from dataware.wire import Transport

ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ACCOUNT = "111122223333"
REGION = "eu-central-1"

MakeTransport = Callable[..., Transport]


class ManualClock:
    """A clock that jumps ahead instead of waiting; `slept` keeps the waits."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def botocore_transport(endpoint: str, **limits: Any) -> Transport:
    """The portable transport, pointed at one address."""
    credentials = Credentials(ACCESS_KEY, SECRET_KEY, "session-token")
    return BotocoreTransport(
        endpoint=lambda _service, _region: endpoint,
        credentials=credentials.get_frozen_credentials,
        region=REGION,
        owner=lambda: ACCOUNT,
        verify=True,
        user_agent="dataware/test",
        settings=TransportSettings(**limits),
    )


def done(_response: Response) -> Judgement:
    """A judge that takes every answer."""
    return Judgement.DONE


def exchange(make: MakeTransport, endpoint: str, *requests: Request, **limits: float) -> Response:
    """Send requests one after another; the last answer."""

    async def main() -> Response:
        transport = make(endpoint, **limits)
        try:
            answers = [await transport.exchange(request) for request in requests]
        finally:
            await transport.close()
        return answers[-1]

    return asyncio.run(main())
