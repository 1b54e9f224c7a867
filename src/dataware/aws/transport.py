"""The portable transport: signs with botocore's signer and sends through its HTTP session.

It skips botocore's serialisers, parsers and retries: one request in, one answer out. Paths and
queries go over the wire as they were given; only the hex digits of ``%2f`` become upper case,
which the HTTP library does to all of them and which therefore is done before signing. Where no
complete answer arrived, an OSError (ConnectionError, TimeoutError) says so; whether to try again
is for the caller.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore import exceptions as sdk
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies

from dataware.aws.threads import DaemonPool
from dataware.core.errors import CannotSee
from dataware.core.model import Problem
from dataware.core.ports import Request, Response

ESCAPE = re.compile("%[0-9a-fA-F]{2}")
SKEW_SECONDS = 240.0
BODILESS = frozenset({"GET", "HEAD", "DELETE"})
EXPECTED_OWNER = "x-amz-expected-bucket-owner"
EXPECTED_SOURCE_OWNER = "x-amz-source-expected-bucket-owner"


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Limits of the transport.

    `threads` is how many requests are under way at once; each holds one connection and one
    answer, so memory is bounded by threads times the largest answer. `read_seconds` bounds the
    silence of a server, `answer_seconds` a whole answer that trickles in.
    """

    threads: int = 32
    connect_seconds: float = 10.0
    read_seconds: float = 55.0
    answer_seconds: float = 300.0


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

    def __init__(
        self,
        *,
        endpoint: Callable[[str, str], str],
        credentials: Callable[[], Any],
        region: str,
        owner: Callable[[], str],
        verify: str | bool,
        user_agent: str,
        settings: TransportSettings,
    ) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._region = region
        self._owner = owner
        self._verify = verify
        self._user_agent = user_agent
        self._settings = settings
        self._pool = DaemonPool(settings.threads, "dataware-wire")
        self._sessions: dict[str, PlainSession] = {}
        self._lock = threading.Lock()
        self._skew = 0.0

    async def exchange(self, request: Request) -> Response:
        """Sign and send a request; answer with whatever came back.

        Raises TimeoutError or ConnectionError when no complete answer arrived.
        """
        attempt = Attempt()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.answer_seconds):
                return await loop.run_in_executor(self._pool, self._exchange, request, attempt)
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

    def _exchange(self, request: Request, attempt: Attempt) -> Response:
        response = self._send(request, attempt)
        if response.status in (400, 403) and self._learn_skew(response):
            return self._send(request, attempt)
        return response

    def _send(self, request: Request, attempt: Attempt) -> Response:
        base = self._endpoint(request.service, request.region or self._region).rstrip("/")
        prepared = self._sign(request, base).prepare()
        prepared.stream_output = True
        try:
            answer = self._session(base).send(prepared)
            attempt.answer = answer.raw
            return Response(
                answer.status_code,
                {name.lower(): value for name, value in answer.headers.items()},
                StreamingBody(answer.raw, None).read(),
            )
        except (sdk.BotoCoreError, sdk.HTTPClientError) as error:
            raise _fault(error, base) from error

    def _sign(self, request: Request, base: str) -> AWSRequest:
        target = f"{request.path}?{request.query}" if request.query else request.path
        body = request.body or (None if request.method in BODILESS else b"")
        given = {**request.headers, **self._owners(request)}
        # Two spellings of one name would be signed as two values and sent as one.
        headers = {name.lower(): value for name, value in given.items()}
        headers["accept-encoding"] = "identity"
        headers["user-agent"] = self._user_agent
        unsigned = AWSRequest(request.method, base + upper_escapes(target), headers, body)
        make = ShiftedS3SigV4 if request.service == "s3" else ShiftedSigV4
        signer = make(self._credentials(), request.service, request.region or self._region)
        signer.skew = self._skew
        signer.add_auth(unsigned)
        return unsigned

    def _owners(self, request: Request) -> dict[str, str]:
        """The expected owners of an S3 request, where the caller names none."""
        if request.service != "s3":
            return {}
        given = {name.lower() for name in request.headers}
        wanted = {EXPECTED_OWNER}
        if "x-amz-copy-source" in given:
            wanted.add(EXPECTED_SOURCE_OWNER)
        return {name: self._owner() for name in wanted - given}

    def _session(self, base: str) -> PlainSession:
        with self._lock:
            session = self._sessions.get(base)
            if session is None:
                session = self._sessions[base] = PlainSession(
                    verify=self._verify,
                    proxies=get_environ_proxies(base),
                    timeout=(self._settings.connect_seconds, self._settings.read_seconds),
                    max_pool_connections=self._settings.threads,
                )
            return session

    def _learn_skew(self, response: Response) -> bool:
        """Whether the service's clock differs so much that it explains the refusal."""
        try:
            theirs = parsedate_to_datetime(response.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return False
        skew = theirs - time.time()
        learnt = abs(skew - self._skew) > SKEW_SECONDS
        if learnt:
            self._skew = skew
        return learnt


class PlainSession(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """An HTTP session that leaves the request target alone.

    The session of botocore takes the target apart as a URL, which loses a parameter part
    (``;…``). Behind a proxy the target stays absolute, as the proxy needs it.
    """

    def _path_url(self, url: str) -> str:
        return "/" + url.split("://", 1)[1].partition("/")[2]


class Shifted:
    """A signer whose clock is the service's: shifted by `skew` seconds."""

    skew = 0.0

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        now = datetime.now(UTC) + timedelta(seconds=self.skew)
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        super()._modify_request_before_signing(request)  # type: ignore[misc]  # a mix-in


class ShiftedSigV4(Shifted, SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """Signature version 4."""


class ShiftedS3SigV4(Shifted, S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """Signature version 4 as S3 reads it: the path is not normalised or encoded again."""


def upper_escapes(target: str) -> str:
    """`target` with the hex digits of its escapes in upper case."""
    return ESCAPE.sub(lambda escape: escape[0].upper(), target)


def _fault(error: Exception, base: str) -> Exception:
    """The OSError that stands for an answer that did not arrive."""
    if isinstance(error, sdk.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return CannotSee(
            f"cannot see {base}: its certificate is not trusted; set AWS_CA_BUNDLE",
            Problem("connect", "CertificateVerifyFailed"),
        )
    text = " ".join(str(error).split())
    if isinstance(error, sdk.ConnectTimeoutError | sdk.ReadTimeoutError):
        return TimeoutError(text)
    return ConnectionError(text)
