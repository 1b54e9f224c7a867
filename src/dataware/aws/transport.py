"""The portable transport: signs with botocore's signer and sends through its HTTP session.

It skips botocore's serialisers, parsers and retries: one request in, one answer out. Paths and
queries go over the wire as they were given; only the hex digits of ``%2f`` become upper case,
which the HTTP library does to all of them and which therefore is done before signing. Where no
complete answer arrived, an OSError (ConnectionError, TimeoutError) says so; whether to try again
is for the caller.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

from botocore import exceptions as sdk
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.httpsession import URLLib3Session
from botocore.response import StreamingBody

from dataware.aws.certificates import context_for
from dataware.aws.daemon_pool import DaemonPool
from dataware.aws.skew import SKEW, ShiftedS3SigV4, ShiftedSigV4
from dataware.core.ports import Permit, Request, Response
from dataware.http.endpoint import (
    PROXY_WANTS_CREDENTIALS,
    Credentials,
    Endpoint,
    Limits,
    headers_of,
    proxy_refusal,
    refused_by_proxy,
    untrusted_certificate_error,
    upper_escapes,
    without_credentials,
)

BODILESS = frozenset({"GET", "HEAD", "DELETE"})
CONNECTIONS = 32
"""Requests under way at once, each on a thread of its own."""


class Attempt:
    """One request under way, which another thread can break off."""

    def __init__(self) -> None:
        self.answer: Any = None

    def abort(self) -> None:
        """Shut the socket, so that the thread that reads from it comes back."""
        connection = getattr(self.answer, "connection", None)
        if (sock := getattr(connection, "sock", None)) is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class BotocoreTransport:
    """Sends each request once, on a pool of threads."""

    def __init__(self, access: Endpoint, limits: Limits | None = None) -> None:
        self._access = access
        self._limits = limits or Limits()
        self._user_agent = access.user_agent
        self._threads = self._limits.connections or CONNECTIONS
        self._pool = DaemonPool(self._threads, "dataware-wire")
        self._sessions: dict[str, PlainSession] = {}
        self._lock = threading.Lock()
        self.permit: Permit | None = None
        self.skew = 0.0

    async def send(self, request: Request, *, renew: bool = False) -> tuple[Response, str | None]:
        """Sign and send a request; the answer, and the session token that it was signed with.

        The keys are asked for again each time, with `renew` or without. Raises TimeoutError or
        ConnectionError when no complete answer arrived.
        """
        attempt = Attempt()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                return await loop.run_in_executor(self._pool, self._send, request, attempt)
        except TimeoutError:
            attempt.abort()
            raise

    async def close(self) -> None:
        """Release connections and threads; requests that still wait are dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _send(self, request: Request, attempt: Attempt) -> tuple[Response, str | None]:
        region = request.region or self._access.region
        base = self._access.endpoint(request.service, region).rstrip("/")
        permit = self.permit
        if permit is not None and not permit.current:
            raise ConnectionError("not sent, because this run may have lost its lock")
        keys = self._access.keys()
        prepared = self._sign(request, base, keys).prepare()
        prepared.stream_output = True
        try:
            answer = self._session(base).send(prepared)
            attempt.answer = answer.raw
            if answer.status_code == PROXY_WANTS_CREDENTIALS:
                raise proxy_refusal(self._access.proxy(base), str(PROXY_WANTS_CREDENTIALS))
            if permit is not None:
                permit.hear(answer.headers.get("date", ""))
            headers = {name.lower(): value for name, value in answer.headers.items()}
            body = StreamingBody(answer.raw, None).read()
            return Response(answer.status_code, headers, body), keys.token
        except (sdk.BotoCoreError, sdk.HTTPClientError) as error:
            raise to_os_error(error, base, self._access.proxy(base)) from error

    def _sign(self, request: Request, base: str, keys: Credentials) -> AWSRequest:
        target = f"{request.path}?{request.query}" if request.query else request.path
        body = request.body or (None if request.method in BODILESS else b"")
        headers = headers_of(request, self._access)
        headers["accept-encoding"] = "identity"
        headers["user-agent"] = self._user_agent
        unsigned = AWSRequest(request.method, base + upper_escapes(target), headers, body)
        unsigned.context[SKEW] = self.skew
        make = ShiftedS3SigV4 if request.service == "s3" else ShiftedSigV4
        credentials = ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)
        signer = make(credentials, request.service, request.region or self._access.region)
        signer.add_auth(unsigned)
        return unsigned

    def _session(self, base: str) -> PlainSession:
        with self._lock:
            session = self._sessions.get(base)
            if session is None:
                session = PlainSession.open(self._access, base, self._limits, self._threads)
                self._sessions[base] = session
            return session


class PlainSession(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """An HTTP session that leaves the request target alone.

    The session of botocore takes the target apart as a URL, which loses a parameter part
    (``;…``). Behind a proxy the target stays absolute, as the proxy needs it.
    """

    @classmethod
    def open(cls, access: Endpoint, base: str, limits: Limits, connections: int) -> PlainSession:
        """A session to one address, with the certificates and the proxy that people have set."""
        proxy = access.proxy(base)
        return cls(
            verify=access.ca_bundle,
            proxies={base.partition(":")[0]: proxy} if proxy else {},
            timeout=(limits.connect_seconds, limits.read_seconds),
            max_pool_connections=connections,
        )

    def _get_ssl_context(self) -> ssl.SSLContext:
        return context_for(self._verify)

    def _path_url(self, url: str) -> str:
        return "/" + url.split("://", 1)[1].partition("/")[2]


def to_os_error(error: Exception, base: str, proxy: str | None) -> Exception:
    """The OSError that stands for an answer that did not arrive, or an error that no try cures."""
    if isinstance(error, sdk.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return untrusted_certificate_error(base, proxy)
    if isinstance(error, sdk.ProxyConnectionError):
        status = refused_by_proxy(str(error.kwargs.get("error", "")))
        if status is not None:
            return proxy_refusal(proxy, status)
    text = without_credentials(" ".join(str(error).split()))
    if isinstance(error, sdk.ConnectTimeoutError | sdk.ReadTimeoutError):
        return TimeoutError(text)
    return ConnectionError(text)
