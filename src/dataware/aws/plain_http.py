"""HTTP that is not signed: for registries, which have a protocol and an authorization of their own.

Requests go through the SDK's HTTP session, with the certificates and proxies that people have set.
Each runs on a thread that can be abandoned, and bodies that are handed on are never held whole.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from botocore import exceptions as sdk
from botocore.awsrequest import AWSRequest
from urllib3.exceptions import HTTPError

from dataware.aws.daemon_pool import DaemonPool
from dataware.aws.plain_session import PlainSession
from dataware.aws.transport import Attempt, to_os_error
from dataware.core.ports import Permit, PlainRequest, Response
from dataware.http.endpoint import Endpoint, Limits

T = TypeVar("T")

CONNECTIONS = 32
"""Requests under way at once, each on a thread of its own."""

PIECE_BYTES = 1024**2
"""How much of a body that is handed on is in memory at once."""

REDIRECTS = 5
"""How often one request is redirected, at most."""

_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_FOLLOWED = frozenset({"GET", "HEAD"})
_SECRET = frozenset({"authorization", "cookie", "host"})


class _Relay:
    """The body of an answer as that of a request, in pieces that `take` sees first."""

    def __init__(self, answer: Any, take: Callable[[bytes], None], attempt: Attempt) -> None:
        self._answer = answer
        self._take = take
        self._attempt = attempt
        self._read = 0

    def read(self, _size: int = -1) -> bytes:
        """The next piece, whatever size is asked for; empty at the end, if all of it arrived."""
        self._attempt.check()
        piece: bytes = self._answer.raw.read(PIECE_BYTES)
        self._read += len(piece)
        if not piece:
            _require_length(_headers(self._answer), self._read)
        self._take(piece)
        return piece


class ThreadedHttp:
    """Sends each request once, on a pool of threads."""

    def __init__(self, access: Endpoint, limits: Limits | None = None) -> None:
        self._access = access
        self._limits = limits or Limits()
        self._pool = DaemonPool(self._limits.connections or CONNECTIONS, "dataware-http")
        self._sessions: dict[str, PlainSession] = {}
        self._lock = threading.Lock()

    async def send(self, request: PlainRequest, permit: Permit | None = None) -> Response:
        """Send a request once. Raises OSError where no complete answer arrived."""
        return await self._run(permit, partial(self._send, request))

    async def relay(
        self,
        source: PlainRequest,
        target: PlainRequest,
        take: Callable[[bytes], None],
        permit: Permit | None = None,
    ) -> tuple[Response, Response | None]:
        """Send the body of one answer as that of another request; OSError as `send`."""
        return await self._run(permit, partial(self._relay, source, target, take))

    async def _run(self, permit: Permit | None, work: Callable[[Attempt], T]) -> T:
        attempt = Attempt(permit)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, work, attempt)
        except asyncio.CancelledError:
            attempt.give_up()
            raise

    def _send(self, request: PlainRequest, attempt: Attempt) -> Response:
        answer = self._open(request, request.body, attempt)
        return self._whole(request, answer, attempt)

    def _relay(
        self,
        source: PlainRequest,
        target: PlainRequest,
        take: Callable[[bytes], None],
        attempt: Attempt,
    ) -> tuple[Response, Response | None]:
        answer = self._open(source, source.body, attempt)
        if answer.status_code != 200:
            return self._whole(source, answer, attempt), None
        response = Response(200, _headers(answer), b"")
        length = response.headers.get("content-length")
        sized = {"content-length": length} if length else {"transfer-encoding": "chunked"}
        headed = target._replace(headers={**target.headers, **sized})
        try:
            put = self._open(headed, _Relay(answer, take, attempt), attempt)
            return response, self._whole(target, put, attempt)
        finally:
            answer.raw.close()

    def _open(self, request: PlainRequest, body: Any, attempt: Attempt) -> Any:
        """The answer to a request, after every redirection, with its body still to be read."""
        url, headers = request.url, dict(request.headers)
        for _ in range(REDIRECTS + 1):
            attempt.check()
            answer = self._exchange(request.method, url, headers, body, attempt)
            attempt.answer = answer.raw
            attempt.hear(answer.headers.get("date", ""))
            place = answer.headers.get("location")
            if answer.status_code not in _REDIRECTED or request.method not in _FOLLOWED:
                return answer
            if not place:
                return answer
            answer.raw.close()
            there = urljoin(url, place)
            if urlsplit(there)[:2] != urlsplit(url)[:2]:
                headers = {k: v for k, v in headers.items() if k.lower() not in _SECRET}
            url = there
        raise ConnectionError(f"redirected more than {REDIRECTS} times")

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Any, attempt: Attempt
    ) -> Any:
        base = "://".join(urlsplit(url)[:2])
        own = {"accept-encoding": "identity", "user-agent": self._access.user_agent, **headers}
        prepared = AWSRequest(method, url, own, body or None).prepare()
        prepared.stream_output = True
        try:
            return self._session(base).send(prepared, attempt.check)
        except (sdk.BotoCoreError, sdk.HTTPClientError) as error:
            raise to_os_error(error, base, self._access.proxy(base)) from error
        except HTTPError as error:  # of the body that is handed on
            raise ConnectionError(" ".join(str(error).split())) from error

    def _whole(self, request: PlainRequest, answer: Any, attempt: Attempt) -> Response:
        """An answer with its body, if all of it arrived."""
        attempt.answer = answer.raw
        base, headers = "://".join(urlsplit(request.url)[:2]), _headers(answer)
        try:
            body: bytes = answer.content or b""
            if request.method != "HEAD":
                _require_length(headers, len(body))
            return Response(answer.status_code, headers, body)
        except (sdk.BotoCoreError, sdk.HTTPClientError) as error:
            raise to_os_error(error, base, self._access.proxy(base)) from error
        except HTTPError as error:
            raise ConnectionError(" ".join(str(error).split())) from error

    def _session(self, base: str) -> PlainSession:
        with self._lock:
            session = self._sessions.get(base)
            if session is None:
                session = PlainSession.open(
                    self._access, base, self._limits, self._limits.connections or CONNECTIONS
                )
                self._sessions[base] = session
            return session


def _headers(answer: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def _require_length(headers: Mapping[str, str], length: int) -> None:
    """Raise ConnectionError for a body that is not as long as was announced."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) != length:
        raise ConnectionError(f"{length} of {announced} bytes arrived")
