"""Signature version 4, for requests whose path and query are encoded as they are sent.

Source: AWS Identity and Access Management User Guide, "Create a signed AWS API request". What is
the same for all requests of a second (date, scope, signing key) is made once.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from dataware.core.access import Keys, skew_shown_by
from dataware.core.ports import Request, Response

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = sha256(b"").hexdigest()

UNSIGNED = frozenset({"accept-encoding", "user-agent"})
"""Headers that proxies change on the way, and that mean nothing to the service."""

_BLOCK = 64


class Mac:
    """HMAC-SHA256 (RFC 2104) by one key of 32 bytes, for many messages.

    Both halves begin with the key, which is done once and not for each message.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def hexdigest(self, message: bytes) -> str:
        """What shows that who holds the key has seen the message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.hexdigest()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What signs every request of one second to one service in one region."""

    second: int
    date: str
    scope: str
    mac: Mac
    credential: str
    token: str | None


class Signer:
    """Signs requests with the keys of the moment; `skew` is how far the service is ahead."""

    def __init__(self, keys: Callable[[], Keys], now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._now = now
        self._stamps: dict[tuple[str, str], Stamp] = {}
        self.skew = 0.0

    def sign(
        self, request: Request, region: str, host: str, headers: Mapping[str, str]
    ) -> dict[str, str]:
        """The headers to send beside the host: those given, by lower-case name, and the proof."""
        service = request.service
        stamp = self._stamp(service, region)
        digest = sha256(request.body).hexdigest() if request.body else EMPTY_HASH
        whole = {**headers, "host": host, "x-amz-date": stamp.date}
        if service == "s3":
            whole["x-amz-content-sha256"] = digest
        if stamp.token is not None:
            whole["x-amz-security-token"] = stamp.token
        names, signed = _signed(tuple(whole))
        # S3 signs the path as it is sent, every other service encodes it once more.
        path = request.path if service == "s3" else quote(request.path, safe="/~")
        query = _sorted(request.query) if request.query else ""
        canonical = (
            f"{request.method}\n{path}\n{query}\n{_lines(names, whole)}\n\n{signed}\n{digest}"
        )
        hashed = sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{stamp.date}\n{stamp.scope}\n{hashed}"
        whole["authorization"] = (
            f"{ALGORITHM} Credential={stamp.credential}, SignedHeaders={signed}, "
            f"Signature={stamp.mac.hexdigest(text.encode())}"
        )
        del whole["host"]
        return whole

    def corrected(self, response: Response, skew: float, token: str | None) -> bool:
        """Whether a request that was refused may be let in when it is signed once more.

        `skew` and `token` are what that very request was signed with: the service may have shown
        another time since, and there may be newer keys.
        """
        shown = skew_shown_by(response, self._now(), skew)
        if shown is not None:
            self.skew = shown
            return True
        if self._keys().token == token:
            return False
        self._stamps.clear()
        return True

    def _stamp(self, service: str, region: str) -> Stamp:
        second = int(self._now() + self.skew)
        known = self._stamps.get((service, region))
        if known is None or known.second != second:
            known = self._stamps[service, region] = _stamp(self._keys(), service, region, second)
        return known


def _stamp(keys: Keys, service: str, region: str, second: int) -> Stamp:
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    key = f"AWS4{keys.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return Stamp(second, date, scope, Mac(key), f"{keys.access_key}/{scope}", keys.token)


@lru_cache(maxsize=256)
def _signed(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Which of some headers are signed, in order, and as the signature names them."""
    signed = tuple(sorted(set(names) - UNSIGNED))
    return signed, ";".join(signed)


def _lines(names: tuple[str, ...], headers: Mapping[str, str]) -> str:
    lines = "\n".join([f"{name}:{headers[name]}" for name in names])
    # Few values have white space, and only there is any to take away.
    if " " not in lines and "\t" not in lines and lines.isascii():
        return lines
    return "\n".join([f"{name}:{' '.join(headers[name].split())}" for name in names])


def _sorted(query: str) -> str:
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&"))
    return "&".join(f"{name}={value}" for name, value in pairs)
