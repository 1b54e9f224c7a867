"""A reverse proxy on 127.0.0.1 that records requests and injects faults.

It passes bytes through untouched: the path is never normalised and the Host header is kept, so
that every key arrives and every signature stays valid.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from io import BufferedIOBase
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from support.operations import rest_operation, s3_operation

_MAX_LINE = 65536


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire; header names are lower case, `target` is undecoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    head: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The path, undecoded and without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query, undecoded."""
        return self.target.partition("?")[2]

    @property
    def operation(self) -> str:
        """The API operation, such as ``BatchWriteItem``, ``CreateStack`` or ``CopyObject``."""
        if target := self.headers.get("x-amz-target"):
            return target.rpartition(".")[2]
        if "form-urlencoded" in self.headers.get("content-type", ""):
            return parse_qs(self.body.decode("latin-1")).get("Action", [""])[0]
        return rest_operation(self.method, self.path) or s3_operation(
            self.method, self.path, self.query, self.headers
        )

    def json(self) -> dict[str, object]:
        """The body as a JSON object."""
        parsed: dict[str, object] = json.loads(self.body)
        return parsed

    def with_body(self, body: bytes) -> Seen:
        """The same request with another body; its signature is no longer valid."""
        lines = [
            line
            for line in self.head.split(b"\r\n")
            if not line.lower().startswith((b"content-length:", b"transfer-encoding:"))
        ]
        lines.insert(1, b"Content-Length: %d" % len(body))
        return replace(self, head=b"\r\n".join(lines), body=body)


@dataclass(frozen=True)
class Reply:
    """An answer; of its body only `keep` bytes are sent before the connection is cut, if given.

    With a `pause`, so many seconds pass before each byte of the body.
    """

    head: bytes
    body: bytes
    keep: int | None = None
    pause: float = 0.0

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.head.split(b" ", 2)[1])

    @classmethod
    def of(cls, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """An answer of our own."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return cls("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", body)


class DroppedError(Exception):
    """Raised by a fault to close the client's connection without an answer."""


Forward = Callable[[Seen], Reply]
Fault = Callable[[Seen, Forward], Reply]


def delay(seconds: float) -> Fault:
    """Hold every request for a while, then go on."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        time.sleep(seconds)
        return forward(seen)

    return fault


class Gate:
    """A fault that holds every request until it is opened; `reached` once there is one."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self.reached = threading.Event()

    def __call__(self, seen: Seen, forward: Forward) -> Reply:
        """Wait, then go on."""
        self.reached.set()
        self._opened.wait()
        return forward(seen)

    def open(self) -> None:
        """Let everything pass from now on."""
        self._opened.set()


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Fault:
    """Answer in place of the server."""
    return lambda _seen, _forward: Reply.of(status, body, headers)


def json_error(code: str, status: int = 400, message: str = "injected") -> Fault:
    """Answer with an error of DynamoDB or another JSON service."""
    body = json.dumps({"__type": f"com.amazonaws#{code}", "message": message}).encode()
    return answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})


def xml_error(code: str, status: int, message: str = "injected") -> Fault:
    """Answer with an error of S3."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return answer(status, body, {"Content-Type": "application/xml"})


def drop(_seen: Seen, _forward: Forward) -> Reply:
    """Close the connection; the server never hears of the request."""
    raise DroppedError


def drop_after(seen: Seen, forward: Forward) -> Reply:
    """Let the server do its work, then close the connection without its answer."""
    forward(seen)
    raise DroppedError


def truncate(keep: int) -> Fault:
    """Send the head and only the first bytes of the body, then close the connection."""
    return lambda seen, forward: replace(forward(seen), keep=keep)


def reword(old: bytes, new: bytes) -> Fault:
    """Let the server do its work, and say it in other words."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        reply = forward(seen)
        return Reply.of(reply.status, reply.body.replace(old, new))

    return fault


def trickle(pause: float) -> Fault:
    """Send the body byte by byte, so that the server is never silent and never done."""
    return lambda seen, forward: replace(forward(seen), pause=pause)


def silent_after(seconds: float) -> Fault:
    """Let the server do its work, then hold its answer back for a while."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        reply = forward(seen)
        time.sleep(seconds)
        return reply

    return fault


@dataclass
class _Rule:
    operation: str | None
    when: Callable[[Seen], bool] | None
    fault: Fault
    times: int | None
    skip: int

    def takes(self, seen: Seen) -> bool:
        """Whether this request is one that the fault is for; counts down."""
        if self.times == 0 or (self.operation is not None and seen.operation != self.operation):
            return False
        if self.when is not None and not self.when(seen):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FaultProxy:
    """A proxy in front of `upstream` (``http://host:port``), as a context manager.

    Rules wrap each other: the one added first is the outermost. `record` keeps every request in
    `seen`; switch it off where millions pass.
    """

    def __init__(self, upstream: str, *, record: bool = True) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._record = record
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self.closed = False
        self.seen: list[Seen] = []
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closed = True
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """The address to use in place of the server's."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(
        self,
        fault: Fault,
        *,
        operation: str | None = None,
        when: Callable[[Seen], bool] | None = None,
        times: int | None = None,
        skip: int = 0,
    ) -> None:
        """Inject `fault` into the requests of `operation` for which `when` holds.

        The first `skip` of them pass, then `times` of them are hit (every one without it).
        """
        self._rules.append(_Rule(operation, when, fault, times, skip))

    def clear(self) -> None:
        """Drop all rules and records."""
        with self._lock:
            self._rules.clear()
            self.seen.clear()

    def count(self, operation: str | None = None) -> int:
        """How many requests came, of one operation or of all."""
        return sum(1 for seen in list(self.seen) if operation in (None, seen.operation))

    def handle(self, seen: Seen, forward: Forward) -> Reply:
        """Answer one request through the rules that take it."""
        with self._lock:
            if self._record:
                self.seen.append(seen)
            faults = [rule.fault for rule in self._rules if rule.takes(seen)]
        for fault in reversed(faults):
            forward = _wrapped(fault, forward)
        return forward(seen)

    def connect(self) -> socket.socket:
        """A new connection to the server."""
        connection = socket.create_connection(self._upstream)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _wrapped(fault: Fault, forward: Forward) -> Forward:
    return lambda seen: fault(seen, forward)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away mid-request is what the tests are about."""


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._upstream: socket.socket | None = None
        self._answers: BufferedIOBase | None = None

    def finish(self) -> None:
        self._hang_up()
        super().finish()

    def handle(self) -> None:
        """Serve requests until either side closes."""
        while (seen := self._read_request()) is not None:
            try:
                reply = self.server.proxy.handle(seen, self._forward)
            except DroppedError:
                return
            if reply.keep is not None:
                self.connection.sendall(reply.head + reply.body[: reply.keep])
                return
            self.connection.sendall(reply.head if reply.pause else reply.head + reply.body)
            self._trickle(reply)
            if b"connection: close" in reply.head.lower():
                return

    def _trickle(self, reply: Reply) -> None:
        for position in range(len(reply.body) if reply.pause else 0):
            time.sleep(reply.pause)
            self.connection.sendall(reply.body[position : position + 1])

    def _read_request(self) -> Seen | None:
        head = _read_head(self.rfile)
        if not head:
            return None
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        headers = _headers(head)
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            kept = [each for each in head.split(b"\r\n") if not each.lower().startswith(b"expect:")]
            head = b"\r\n".join(kept)
        return Seen(method, target, headers, _read_body(self.rfile, headers), head)

    def _forward(self, seen: Seen) -> Reply:
        if self.server.proxy.closed:
            raise DroppedError  # a request that was held back must not reach what another test uses
        reused = self._upstream is not None
        try:
            return self._exchange(seen)
        except (ConnectionError, EOFError):
            # A server may close a connection that idled; a fresh one tells whether it lives.
            self._hang_up()
            if not reused:
                raise DroppedError from None
            return self._exchange(seen)

    def _exchange(self, seen: Seen) -> Reply:
        if self._upstream is None or self._answers is None:
            self._upstream = self.server.proxy.connect()
            self._answers = self._upstream.makefile("rb")
        self._upstream.sendall(seen.head + seen.body)
        head = _read_head(self._answers)
        if not head:
            raise EOFError
        headers, status = _headers(head), int(head.split(b" ", 2)[1])
        if seen.method == "HEAD" or status in {204, 304}:
            return Reply(head, b"")
        body = _read_body(self._answers, headers)
        if headers.get("connection", "").lower() == "close":
            self._hang_up()
        return Reply(head, body)

    def _hang_up(self) -> None:
        if self._answers is not None:
            self._answers.close()
        if self._upstream is not None:
            self._upstream.close()
        self._upstream = self._answers = None


def _read_head(stream: BufferedIOBase) -> bytes:
    """A request or status line with its headers, or nothing at the end of the stream."""
    lines = [stream.readline(_MAX_LINE)]
    while lines[-1] not in {b"\r\n", b""}:
        lines.append(stream.readline(_MAX_LINE))
    return b"".join(lines) if lines[-1] else b""


def _headers(head: bytes) -> dict[str, str]:
    pairs = (line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    return {
        name.decode("latin-1").lower(): value.strip().decode("latin-1") for name, value in pairs
    }


def _read_body(stream: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """The body as it is on the wire, chunk marks included."""
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return _read_exactly(stream, int(headers.get("content-length", "0")))
    wire = []
    while True:
        size_line = stream.readline(_MAX_LINE)
        wire.append(size_line)
        size = int(size_line.split(b";")[0] or b"0", 16)
        if size == 0:
            while wire[-1] not in {b"\r\n", b""}:
                wire.append(stream.readline(_MAX_LINE))
            return b"".join(wire)
        wire.append(_read_exactly(stream, size + 2))


def _read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    body = stream.read(size)
    if len(body) != size:
        raise EOFError
    return body
