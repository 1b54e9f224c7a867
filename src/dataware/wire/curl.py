"""The fast transport: libcurl, by way of pycurl, signed by `signing`.

One thread, one event loop, many connections that stay open. Paths and queries go over the wire as
they were given (the request target is set as a whole, libcurl does not parse it); only the hex
digits of escapes become upper case, so that what is signed and sent agrees with every service.
Where no complete answer arrived, an OSError (ConnectionError, TimeoutError) says so; whether to
try again is for the caller.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit

import pycurl

from dataware.core.ports import Permit, Request, Response
from dataware.http.endpoint import (
    PROXY_WANTS_CREDENTIALS,
    Endpoint,
    Limits,
    headers_of,
    proxy_refusal,
    refused_by_proxy,
    untrusted_certificate_error,
    upper_escapes,
    without_credentials,
)
from dataware.wire.curl_multi import CurlMulti, Transfer, TransferError, TransferTimeouts
from dataware.wire.semaphore import ClosableSemaphore
from dataware.wire.signing import SignedHeaders, Signer

CONNECTIONS = 256
"""Requests under way at once. At 25 ms an answer that is ten thousand a second; each holds a handle
of some 60 KB."""

_UNTRUSTED = frozenset(
    {pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT, pycurl.E_SSL_CACERT_BADFILE}
)
_END = b"\r\n\r\n"
_DATE = b"\r\nDate: "
# libcurl adds these by itself unless they are taken away.
_NOT_SENT = ("content-type:", "expect:", "transfer-encoding:")


class HandleShape(StrEnum):
    """What libcurl has to know of a request beforehand; a handle keeps its shape."""

    HEAD = auto()
    BARE = auto()
    BODY = auto()


@dataclass(slots=True)
class ServiceHost:
    """A service's address, how it is reached, and the handles that are idle.

    `before` is what a request's target begins with: the whole address where it goes to a proxy
    that makes no tunnel.
    """

    base: str
    host: str
    proxy: str | None
    before: str
    idle: dict[HandleShape, list[Transfer]] = field(default_factory=lambda: defaultdict(list))


class CurlTransport:
    """Sends each request once; used from one event loop."""

    def __init__(self, access: Endpoint, limits: Limits | None = None) -> None:
        self._access = access
        self._limits = limits or Limits()
        self._user_agent = access.user_agent
        self._signer = Signer(
            access.keys,
            time.time,
            headers_of=lambda request: headers_of(request, access),
            unsigned=_unsigned_header_lines,
        )
        self._addresses: dict[tuple[str, str], ServiceHost] = {}
        self._slots = ClosableSemaphore(self._limits.connections or CONNECTIONS)
        self._multi: CurlMulti | None = None
        self._permit: Permit | None = None
        self.skew = 0.0
        self._date = b"%b\r\n" % _DATE

    @property
    def permit(self) -> Permit | None:
        """What says, whenever something may be sent, whether it may."""
        return self._permit

    @permit.setter
    def permit(self, permit: Permit | None) -> None:
        self._permit = permit
        if self._multi is not None:
            self._multi.permit = permit

    async def send(self, request: Request, *, renew: bool = False) -> tuple[Response, str | None]:
        """Sign and send a request; the answer, and the session token that it was signed with.

        What waits for a slot is neither signed yet, so that its signature does not grow old, nor
        has it a handle. Raises TimeoutError or ConnectionError when no complete answer arrived.
        """
        if "%" in request.path or "%" in request.query:
            path, query = upper_escapes(request.path), upper_escapes(request.query)
            request = request._replace(path=path, query=query)
        if renew:
            self._signer.forget()
        slots = self._slots
        if not slots.taken():
            await slots.take()
        try:
            region = request.region or self._access.region
            address = self._addresses.get((request.service, region))
            if address is None:
                address = self._address(request.service, region)
            signed = self._signer.sign(request, region, address.host, self.skew)
            shape = _shape(request)
            idle = address.idle[shape]
            transfer = idle.pop() if idle else self._new(address, shape)
            _prepare(transfer, request, signed, address)
            if self._multi is None:
                self._multi = _multi(self._limits, self._permit)
            try:
                await self._multi.begin(transfer)
            except asyncio.CancelledError:
                self._multi.abandon(transfer)
                raise
            except TransferError as failure:
                transfer.clear()
                idle.append(transfer)
                raise _fault(failure, address) from failure
            response = self._take_response(transfer, address)
            idle.append(transfer)
        finally:
            slots.give_back()
        return response, signed.token

    async def close(self) -> None:
        """Give up what is under way and close every connection."""
        self._slots.close()
        if self._multi is not None:
            self._multi.close()
        self._addresses.clear()

    def _hear(self, permit: Permit, date: bytes) -> None:
        """Hand on the time in an answer, and remember the line that it stands in."""
        self._date = b"%b%b\r\n" % (_DATE, date)
        permit.hear(date.decode("latin-1"))

    def _take_response(self, transfer: Transfer, address: ServiceHost) -> Response:
        """The response of a transfer that has ended; its time of day is told to the permit.

        Raises ConnectionError for one that is truncated, and what stands for a proxy's refusal.
        """
        status, received, body = transfer.take_answer()
        if status == PROXY_WANTS_CREDENTIALS:
            raise proxy_refusal(address.proxy, str(status))
        if not received.endswith(_END) and _END not in received[received.rfind(b"\nHTTP/") :]:
            # libcurl takes the end of a connection for the end of the headers.
            raise ConnectionError("the headers of the answer are truncated")
        headers = Headers(received)
        # Most answers share their date with the one before.
        if self._permit is not None and self._date not in received:
            self._hear(self._permit, headers.date())
        return Response(status, headers, body)

    def _address(self, service: str, region: str) -> ServiceHost:
        base = self._access.endpoint(service, region).rstrip("/")
        proxy = self._access.proxy(base)
        before = base if proxy is not None and base.startswith("http:") else ""
        address = ServiceHost(base, urlsplit(base).netloc, proxy, before)
        self._addresses[service, region] = address
        return address

    def _new(self, address: ServiceHost, shape: HandleShape) -> Transfer:
        """A handle for an address, with everything that is the same for all its requests."""
        transfer = Transfer()
        options: dict[int, object] = {
            pycurl.URL: address.base,
            pycurl.NOSIGNAL: 1,
            pycurl.USERAGENT: self._user_agent,
            pycurl.ACCEPT_ENCODING: "identity",
            pycurl.HTTP_CONTENT_DECODING: 0,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.CAINFO: self._access.ca_bundle,
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.PROXY: address.proxy or "",
            pycurl.NOPROXY: "" if address.proxy else "*",
        }
        if shape is HandleShape.HEAD:
            options[pycurl.NOBODY] = 1
        if shape is HandleShape.BODY:
            options[pycurl.POST] = 1
        for option, value in options.items():
            transfer.curl.setopt(option, value)
        return transfer


def _multi(limits: Limits, permit: Permit | None) -> CurlMulti:
    patience = TransferTimeouts(limits.connect_seconds, limits.read_seconds, limits.answer_seconds)
    return CurlMulti(patience, permit)


def _shape(request: Request) -> HandleShape:
    if request.method == "HEAD":
        return HandleShape.HEAD
    return HandleShape.BODY if request.body else HandleShape.BARE


def _unsigned_header_lines(request: Request) -> Sequence[str]:
    """The lines of headers that are not signed: that there is no body, or nothing of libcurl's."""
    if request.body:
        named = {*request.headers, *request.shared}
        return [line for line in _NOT_SENT if line[:-1] not in named]
    return ["content-length: 0"] if request.method in ("PUT", "POST") else []


def _prepare(
    transfer: Transfer, request: Request, signed: SignedHeaders, address: ServiceHost
) -> None:
    """Give a handle one request to make."""
    curl = transfer.curl
    method = request.method
    target = f"{address.before}{request.path}"
    curl.setopt(pycurl.REQUEST_TARGET, f"{target}?{request.query}" if request.query else target)
    if method not in (transfer.method, "HEAD"):
        curl.setopt(pycurl.CUSTOMREQUEST, method)
        transfer.method = method
    if request.body:
        curl.setopt(pycurl.POSTFIELDS, request.body)
    curl.setopt(pycurl.HTTPHEADER, [*signed.prepared, *signed.own])


class Headers(Mapping[str, str]):
    """The headers of the last answer in `raw`, by lower-case name; read when they are asked for.

    An interim answer (103 Early Hints) comes before it, each begins with its status line. Of most
    answers of S3 nothing is asked.
    """

    def __init__(self, raw: bytes) -> None:
        self._received = raw

    @cached_property
    def _raw(self) -> bytes:
        return self._received[self._received.rfind(b"\nHTTP/") + 1 :]

    @cached_property
    def _folded(self) -> bytes:
        return self._raw.lower()

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return str(value)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header, the last one of several, or `default`."""
        begin = _beginning(name)
        start = self._folded.rfind(begin)
        if start < 0:
            return default
        start += len(begin)
        end = self._raw.find(b"\n", start)
        return self._raw[start : end if end >= 0 else None].strip().decode("latin-1")

    def date(self) -> bytes:
        """The header ``Date``; as AWS spells it, it is found without folding all of the others."""
        at = self._received.rfind(_DATE)
        if at < 0:
            return str(self.get("date", "")).encode("latin-1")
        at += len(_DATE)
        return self._received[at : self._received.find(b"\r", at)]

    def __iter__(self) -> Iterator[str]:
        names = (line.partition(b":") for line in self._folded.split(b"\n")[1:])
        return iter(dict.fromkeys(name.decode("latin-1") for name, colon, _ in names if colon))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(maxsize=256)
def _beginning(name: str) -> bytes:
    """What the line of a header begins with, and the end of the line before it."""
    return b"\n%b:" % name.encode()


def _fault(failure: TransferError, address: ServiceHost) -> Exception:
    """The OSError that stands for an answer that did not arrive, or an error that no try cures."""
    words = without_credentials(str(failure))
    if failure.code in _UNTRUSTED:
        return untrusted_certificate_error(address.base, address.proxy)
    if address.proxy and (status := refused_by_proxy(words)):
        return proxy_refusal(address.proxy, status)
    if failure.code == pycurl.E_OPERATION_TIMEDOUT:
        return TimeoutError(words)
    return ConnectionError(words)
