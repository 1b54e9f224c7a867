"""The token that registries ask for, renewed before it expires.

Source: Amazon ECR API Reference, GetAuthorizationToken: it is valid for 12 hours, for every
registry that the caller may access.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from dataware.core.ports import Aws, Clock

PERMISSION = "ecr:GetAuthorizationToken"
EARLY_SECONDS = 900.0
"""How long before its end a token is renewed; a layer may take that long."""


class RegistryToken:
    """The authorization of one region's registries."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self._aws = aws
        self._clock = clock
        self._lock = asyncio.Lock()
        self._header = ""
        self._expires = 0.0

    async def header(self) -> str:
        """The present authorization. Raises LookupFailedError and AuthenticationError."""
        async with self._lock:
            if not self._header or self._clock.now() > self._expires - EARLY_SECONDS:
                self._header, self._expires = await asyncio.to_thread(self._ask)
            return self._header

    async def renew(self) -> None:
        """Ask for another one before the next request, because the present one is refused."""
        async with self._lock:
            self._header = ""

    def _ask(self) -> tuple[str, float]:
        with self._aws.translate_errors("the registry", PERMISSION):
            (data,) = self._aws.client("ecr").get_authorization_token()["authorizationData"]
        expires = data["expiresAt"]
        seconds = expires.timestamp() if isinstance(expires, datetime) else float(expires)
        return f"Basic {data['authorizationToken']}", seconds
