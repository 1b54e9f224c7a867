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
import threading
from contextlib import suppress
from typing import Any

from botocore import exceptions as sdk
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.response import StreamingBody

from dataware.aws.daemon_pool import DaemonPool
from dataware.aws.plain_session import PlainSession
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
    """One request under way on a thread; `check` runs before whatever it writes."""

    def __init__(self, permit: Permit | None) -> None:
        self._permit = permit
        self._is_given_up = False
        self.answer: Any = None

    def check(self) -> None:
        """Raise ConnectionError where nothing more may be sent."""
        if self._is_given_up:
            raise ConnectionError("not sent, because the call was given up")
        if self._permit is not None and not self._permit.current:
            raise ConnectionError("not sent, because this run may have lost its lock")

    def hear(self, date: str) -> None:
        """Hand on the time in an answer."""
        if self._permit is not None:
            self._permit.hear(date)

    def give_up(self) -> None:
        """Let the thread come back as soon as it reads or writes again; called on another one."""
        self._is_given_up = True
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
        attempt = Attempt(self.permit)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                return await loop.run_in_executor(self._pool, self._send, request, attempt)
        except (TimeoutError, asyncio.CancelledError):
            attempt.give_up()
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
        attempt.check()
        keys = self._access.keys()
        prepared = self._sign(request, base, keys).prepare()
        prepared.stream_output = True
        try:
            answer = self._session(base).send(prepared, attempt.check)
            attempt.answer = answer.raw
            if answer.status_code == PROXY_WANTS_CREDENTIALS:
                raise proxy_refusal(self._access.proxy(base), str(PROXY_WANTS_CREDENTIALS))
            attempt.hear(answer.headers.get("date", ""))
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
