"""What carries requests, and the corrections that every transport needs.

A raw transport signs and sends one request. A wrapper round any of them makes of it what the rest
of dataware asks for: it signs again what AWS refused for its time or for keys that have been
renewed since, and sends again what belongs to another region::

    CorrectingTransport(CurlTransport(access), access.keys, region)

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


class CorrectingTransport:
    """Signs and sends again what AWS refused, where the refusal shows that it may help.

    First for its signature: AWS says its own time in a refusal (see `http.endpoint.skew_in`), and
    keys may have been renewed on the way. Then for its region: see `http.redirect`. What is learnt
    holds for every later request. One wrapper for both, because each costs every request a frame
    through which its answer is handed up.
    """

    def __init__(
        self,
        transport: RawTransport,
        keys: Callable[[], Credentials],
        region: str,
        now: Callable[[], float] = time.time,
        find_name: Callable[[], str] = str,
    ) -> None:
        """`region` is that of requests that name none; `find_name` says whose the keys are."""
        self._transport = transport
        self._find_name = find_name
        self._whose: str | None = None
        self._keys = keys
        self._now = now
        self._regions = BucketRegions(region)

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

    async def exchange(self, request: Request) -> Response:
        """Send to the region in which the bucket is known to be, and again where that may help."""
        if self._regions.known:
            request = self._regions.with_known_region(request)
        # That of this very request: others may have corrected it by the time of the answer.
        skew = self._transport.skew
        response, token = await self._transport.send(request)
        if response.status not in REFUSED:
            return response
        response = await self._correct_signature(request, skew, response, token)
        moved = self._regions.follow_redirect(request, response)
        if moved is None:
            return self._name_credentials(response)
        skew = self._transport.skew
        response, token = await self._transport.send(moved)
        return self._name_credentials(await self._correct_signature(moved, skew, response, token))

    def _name_credentials(self, response: Response) -> Response:
        """The answer, with whose credentials were refused, if that is what it says."""
        if response.status not in _REFUSED_SIGNATURE:
            return response
        if self._whose is None:
            self._whose = self._find_name()
        return response._replace(whose=self._whose)

    async def _correct_signature(
        self, request: Request, skew: float, response: Response, token: str | None
    ) -> Response:
        """Send once more with another signature, unless the answer shows that it cannot help.

        The request was signed by a clock `skew` seconds ahead of ours, with the session `token`.
        """
        if response.status not in _REFUSED_SIGNATURE:
            return response
        skew_seen = skew_shown_by(response, self._now(), skew)
        if skew_seen is not None:
            self._transport.skew = skew_seen
        elif self._keys().token == token:
            return response
        response, _ = await self._transport.send(request, renew=skew_seen is None)
        return response


def with_corrections(
    transport: RawTransport, access: Endpoint, now: Callable[[], float] = time.time
) -> Transport:
    """A raw transport with every correction of a refusal that AWS itself shows the way out of."""
    return CorrectingTransport(
        transport, access.keys, access.region, now, lambda: access.credentials_name
    )
