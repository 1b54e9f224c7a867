"""What carries requests, and the corrections that every transport needs.

A raw transport signs and sends one request. Two wrappers make of it what the rest of dataware asks
for: one signs again what AWS refused for its time or for keys that have been renewed since, one
sends again what belongs to another region::

    RegionFollowingTransport(ClockCorrectingTransport(CurlTransport(access), access.keys), region)

So a refusal is first corrected where it was made, and what then still leads elsewhere is sent
there, and corrected there. Each step sends a request at most once more: nothing goes in circles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from dataware.core.ports import Permit, Request, Response
from dataware.http.endpoint import Credentials, Endpoint, skew_shown_by
from dataware.http.redirect import REFUSED, BucketRegions

_REFUSED_SIGNATURE = frozenset({400, 403})


class RawTransport(Protocol):
    """Signs and sends a request once, and nothing without its `permit`, if it has one.

    It signs by a clock that is `skew` seconds ahead of ours.
    """

    permit: Permit | None
    skew: float

    async def send(self, request: Request, *, renew: bool = False) -> tuple[Response, str | None]:
        """Sign and send; answer with whatever came back, and with the session token sent.

        `renew` asks for the keys again, whatever was kept of them.

        Raises an OSError (ConnectionError, TimeoutError) when no complete answer arrived, and a
        DatawareError when no further try can help.
        """
        ...

    async def close(self) -> None:
        """Release connections and threads."""
        ...


class Transport(Protocol):
    """Brings back the answer to a request; sends nothing without its `permit`, if it has one."""

    permit: Permit | None

    async def exchange(self, request: Request) -> Response:
        """Sign, send, and answer with whatever came back, refusals included.

        Where a refusal shows that another signature may help (another time, newer keys, or the
        region of the bucket), the request is signed and sent again.

        Raises an OSError (ConnectionError, TimeoutError) when no complete answer arrived, and a
        DatawareError when no further try can help.
        """
        ...

    async def close(self) -> None:
        """Release connections and threads."""
        ...


class _TransportWrapper:
    """What a wrapper leaves to the transport in it."""

    _transport: RawTransport | Transport

    @property
    def permit(self) -> Permit | None:
        """What says before each request whether it may be sent."""
        return self._transport.permit

    @permit.setter
    def permit(self, permit: Permit | None) -> None:
        self._transport.permit = permit

    async def close(self) -> None:
        """Release connections and threads."""
        await self._transport.close()


class ClockCorrectingTransport(_TransportWrapper):
    """Signs again what was refused because the clock of this machine is wrong, or the keys old.

    AWS says its own time in a refusal; see `http.endpoint.skew_in`. What is learnt holds for every
    later request.
    """

    def __init__(
        self,
        transport: RawTransport,
        keys: Callable[[], Credentials],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transport: RawTransport = transport
        self._keys = keys
        self._now = now

    async def exchange(self, request: Request) -> Response:
        """Send, and once more with another signature where a refusal shows that it may help."""
        # That of this very request: others may have corrected it by the time of the answer.
        skew = self._transport.skew
        response, token = await self._transport.send(request)
        if response.status not in _REFUSED_SIGNATURE:
            return response
        skew_seen = skew_shown_by(response, self._now(), skew)
        if skew_seen is not None:
            self._transport.skew = skew_seen
        elif self._keys().token == token:
            return response
        response, _ = await self._transport.send(request, renew=skew_seen is None)
        return response


class RegionFollowingTransport(_TransportWrapper):
    """Sends again what S3 refused because its bucket is in another region; see `http.redirect`."""

    def __init__(self, transport: Transport, region: str) -> None:
        """`region` is that of requests that name none."""
        self._transport: Transport = transport
        self._regions = BucketRegions(region)

    async def exchange(self, request: Request) -> Response:
        """Send to the region in which the bucket is known to be, and once more if it is not."""
        if self._regions.known:
            request = self._regions.with_known_region(request)
        response = await self._transport.exchange(request)
        if response.status not in REFUSED:
            return response
        moved = self._regions.follow_redirect(request, response)
        return response if moved is None else await self._transport.exchange(moved)


def with_corrections(
    transport: RawTransport, access: Endpoint, now: Callable[[], float] = time.time
) -> Transport:
    """A raw transport with every correction of a refusal that AWS itself shows the way out of."""
    corrected = ClockCorrectingTransport(transport, access.keys, now)
    return RegionFollowingTransport(corrected, access.region)
