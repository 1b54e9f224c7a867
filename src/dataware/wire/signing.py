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


@dataclass(frozen=True, slots=True)
class Stamp:
    """What signs every request of one second to one service in one region."""

    second: int
    date: str
    scope: str
    mac: hmac.HMAC
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
        """All headers to send: those given, by lower-case name, and what proves who asks."""
        stamp = self._stamp(request.service, region)
        digest = sha256(request.body).hexdigest() if request.body else EMPTY_HASH
        whole = {**headers, "host": host, "x-amz-date": stamp.date}
        if request.service == "s3":
            whole["x-amz-content-sha256"] = digest
        if stamp.token is not None:
            whole["x-amz-security-token"] = stamp.token
        names, signed = _signed(tuple(whole))
        canonical = "\n".join(
            (
                request.method,
                _path(request),
                _query(request.query),
                _lines(names, whole),
                "",
                signed,
                digest,
            )
        )
        hashed = sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{stamp.date}\n{stamp.scope}\n{hashed}"
        mac = stamp.mac.copy()
        mac.update(text.encode())
        whole["authorization"] = (
            f"{ALGORITHM} Credential={stamp.credential}, SignedHeaders={signed}, "
            f"Signature={mac.hexdigest()}"
        )
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
    mac = hmac.new(key, None, "sha256")
    return Stamp(second, date, scope, mac, f"{keys.access_key}/{scope}", keys.token)


@lru_cache(maxsize=256)
def _signed(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Which of some headers are signed, in order, and as the signature names them."""
    signed = tuple(sorted(set(names) - UNSIGNED))
    return signed, ";".join(signed)


def _lines(names: tuple[str, ...], headers: Mapping[str, str]) -> str:
    lines = "\n".join([f"{name}:{headers[name]}" for name in names])
    if "\n".join(lines.split()) == lines:
        return lines
    # Few values have white space, and only there is any to take away.
    return "\n".join([f"{name}:{' '.join(headers[name].split())}" for name in names])


def _path(request: Request) -> str:
    """S3 signs the path as it is sent, every other service encodes it once more."""
    return request.path if request.service == "s3" else quote(request.path, safe="/~")


def _query(query: str) -> str:
    if not query:
        return ""
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&"))
    return "&".join(f"{name}={value}" for name, value in pairs)
