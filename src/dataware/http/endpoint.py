"""What a transport has to know to speak to AWS by itself: address, keys, limits.

The control plane offers it (`Endpoint`); transports are given it. No transport asks for more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from dataware.core.errors import LookupFailedError
from dataware.core.model import Problem
from dataware.core.ports import Request, Response

SKEW_SECONDS = 240.0
"""How far the service's clock may be from ours before that explains a refusal; it allows 300."""

PROXY_WANTS_CREDENTIALS = 407
"""The status of proxies alone (RFC 9110, section 15.5.8); no service answers with it."""

EXPECTED_OWNER = "x-amz-expected-bucket-owner"
EXPECTED_SOURCE_OWNER = "x-amz-source-expected-bucket-owner"

# To the last "@": a password may hold one that should have been encoded.
_USER_INFO = re.compile(r"://[^\s/?#\"']*@")
_TUNNEL = re.compile(
    r"(?:Tunnel connection failed|CONNECT tunnel failed, response|Received HTTP code):? (\d+)"
    r"|HTTP code (\d+) from proxy"
)
_LOWER_ESCAPE = re.compile("%(?:[0-9A-F][a-f]|[a-f][0-9a-fA-F])")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of one moment; `token` is None for those that never expire."""

    access_key: str
    secret_key: str
    token: str | None


class Endpoint(Protocol):
    """How one account is spoken to from one region."""

    @property
    def account(self) -> str:
        """The twelve digits of the caller's account."""
        ...

    @property
    def region(self) -> str:
        """The region of requests that name none."""
        ...

    @property
    def credentials_name(self) -> str:
        """Whose the credentials are, such as "of profile prod"; empty where that is not known."""
        ...

    @property
    def ca_bundle(self) -> str:
        """The file of the certificates that are trusted."""
        ...

    @property
    def user_agent(self) -> str:
        """Who asks, for the service's logs."""
        ...

    def keys(self) -> Credentials:
        """The present credentials, refreshed where need be. Raises InputError without any."""
        ...

    def endpoint(self, service: str, region: str) -> str:
        """The address of a service, such as ``https://s3.eu-central-1.amazonaws.com``."""
        ...

    def proxy(self, url: str) -> str | None:
        """The proxy for an address, from the usual variables; None to go there directly."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a transport.

    `connections` is how many requests are under way at once, None for what the transport can
    hold well; each holds one answer, so memory is bounded by their number times the largest
    answer. `read_seconds` bounds the silence of a server, `answer_seconds` a whole answer that
    trickles in.
    """

    connections: int | None = None
    connect_seconds: float = 10.0
    read_seconds: float = 55.0
    answer_seconds: float = 300.0


def headers_of(request: Request, access: Endpoint) -> dict[str, str]:
    """The headers of a request by lower-case name, with the bucket owners it does not name.

    Two spellings of one name would be signed as two values and sent as one.
    """
    own = {name.lower(): value for name, value in request.headers.items()}
    headers = {**request.shared, **own}
    if request.service == "s3":
        if EXPECTED_OWNER not in headers:
            headers[EXPECTED_OWNER] = access.account
        if "x-amz-copy-source" in headers and EXPECTED_SOURCE_OWNER not in headers:
            headers[EXPECTED_SOURCE_OWNER] = access.account
    return headers


def skew_shown_by(response: Response, now: float, used: float) -> float | None:
    """The seconds that the service is ahead of `now`, if a refusal may be due to them.

    None if the answer is no refusal, or `skew_in` finds nothing in its date.
    """
    if response.status not in (400, 403):
        return None
    return skew_in(response.headers.get("date", ""), now, used)


def skew_in(date: str, now: float, used: float) -> float | None:
    """The seconds that the `date` of a refusal is ahead of `now`, if they explain it.

    None if it is no date, or the one that was signed with: `used` is the skew of that very
    request, because others may have corrected it meanwhile.
    """
    # Most refusals have another cause, and most commands meet none.
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - see above

    try:
        skew = parsedate_to_datetime(date).timestamp() - now
    except ValueError:
        return None
    return skew if abs(skew - used) > SKEW_SECONDS else None


def upper_escapes(target: str) -> str:
    """`target` with the hex digits of its escapes in upper case."""
    return _LOWER_ESCAPE.sub(lambda escape: escape[0].upper(), target)


def without_credentials(text: str) -> str:
    """`text` with what stands before the host of every address in it made unreadable."""
    return _USER_INFO.sub("://***@", text)


def untrusted_certificate_error(base: str, proxy: str | None = None) -> LookupFailedError:
    """The error for an address whose certificate nobody vouches for; trying again does not help."""
    by = f" (by the proxy {without_credentials(proxy)})" if proxy else ""
    return LookupFailedError(
        f"cannot access {without_credentials(base)}{by}: its certificate is not trusted; set "
        "AWS_CA_BUNDLE",
        Problem("connect", "CertificateVerifyFailed"),
    )


def proxy_refusal(proxy: str | None, how: str) -> LookupFailedError:
    """The error for a proxy that passes nothing on; `how` is its answer, such as its status."""
    name = f"the proxy {without_credentials(proxy)}" if proxy else "a proxy"
    wants = ", it requires other credentials" if "407" in how else ""
    return LookupFailedError(
        f"{name} refuses the connection ({how}){wants}: correct HTTPS_PROXY or HTTP_PROXY, or "
        "name the host in NO_PROXY",
        Problem("connect", "ProxyRefused", None, how),
    )


def refused_by_proxy(text: str) -> str | None:
    """The status by which a proxy refuses a tunnel for good, from an error of an HTTP library.

    None for what another try may cure.
    """
    match = _TUNNEL.search(text)
    status = match[1] or match[2] if match else ""
    return status if status.startswith("4") and status not in ("408", "429") else None
