"""Raw transports for tests, a judge that takes everything, and a clock that does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SdkCredentials
from botocore.httpsession import get_cert_path

from dataware.aws import BotocoreTransport
from dataware.core.ports import Judgement, Request, Response
from dataware.http.endpoint import Credentials, Limits
from dataware.wire import Transport, with_corrections
from dataware.wire.curl import CurlTransport
from support.servers import Seen

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


@dataclass
class FixedAccess:
    """Access with fixed keys to one address, or to `regional` ones, by region."""

    base: str
    account: str = ACCOUNT
    region: str = REGION
    ca_bundle: str = field(default_factory=lambda: get_cert_path(True))
    user_agent: str = "dataware/test"
    credentials_name: str = "of profile test"
    proxy_url: str | None = None
    regional: Mapping[str, str] = field(default_factory=dict)

    def keys(self) -> Credentials:
        return Credentials(ACCESS_KEY, SECRET_KEY, "session-token")

    def endpoint(self, service: str, region: str) -> str:
        return self.regional.get(region, self.base)

    def proxy(self, url: str) -> str | None:
        return self.proxy_url


def botocore_transport(endpoint: str | FixedAccess, **limits: Any) -> Transport:
    """The portable transport, pointed at one address or at what an access says."""
    access = _access(endpoint)
    return with_corrections(BotocoreTransport(access, Limits(**limits)), access)


def curl_transport(endpoint: str | FixedAccess, **limits: Any) -> Transport:
    """The fast transport, pointed at one address or at what an access says."""
    access = _access(endpoint)
    return with_corrections(CurlTransport(access, Limits(**limits)), access)


def _access(endpoint: str | FixedAccess) -> FixedAccess:
    return FixedAccess(endpoint) if isinstance(endpoint, str) else endpoint


def done(_response: Response) -> Judgement:
    """A judge that takes every answer."""
    return Judgement.DONE


def assert_signed_like_botocore(
    seen: Seen, endpoint: str, signer: type[SigV4Auth], service: str, region: str = REGION
) -> None:
    """Sign the recorded request anew at its own time, and compare."""
    authorization = seen.headers["authorization"]
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(signed)
    again = AWSRequest(seen.method, endpoint + seen.target, data=seen.body)
    for name in signed:
        again.headers[name] = seen.headers[name]
    again.context["timestamp"] = seen.headers["x-amz-date"]
    auth = signer(SdkCredentials(ACCESS_KEY, SECRET_KEY), service, region)
    text = auth.string_to_sign(again, auth.canonical_request(again))
    assert authorization.endswith(f"Signature={auth.signature(text, again)}")


def exchange(
    make: MakeTransport, endpoint: str | FixedAccess, *requests: Request, **limits: float
) -> Response:
    """Send requests one after another; the last answer."""

    async def main() -> Response:
        transport = make(endpoint, **limits)
        try:
            answers = [await transport.exchange(request) for request in requests]
        finally:
            await transport.close()
        return answers[-1]

    return asyncio.run(main())
