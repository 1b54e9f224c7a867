"""Just enough HTTP/1.1 for a quick responder on 127.0.0.1: questions, answers, one protocol.

What is hot does no more than it must: headers are looked up only when they are asked for, and a
request that `quick` knows is answered from its first bytes.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

_END = b"\r\n\r\n"
_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Question:
    """A request: its head as it came, without the empty line, and its body."""

    head: bytes
    body: bytes = b""

    @property
    def method(self) -> str:
        """The method."""
        return self.head[: self.head.index(b" ")].decode()

    @property
    def target(self) -> str:
        """The path and the query, undecoded."""
        return self.head.split(b" ", 2)[1].decode("latin-1")

    def header(self, name: str) -> str:
        """The value of a header, whose name is given in lower case; empty if it is not there."""
        return header_of(self.head, name.encode()).decode("latin-1")

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers, by their names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def operation(self) -> str:
        """The operation of a JSON service, such as ``Scan``."""
        return self.header("x-amz-target").rpartition(".")[2]


def header_of(head: bytes, name: bytes) -> bytes:
    """The value of a header in the head of a request; empty if it is not there."""
    at = head.lower().find(b"\r\n%b:" % name)
    if at < 0:
        return b""
    start = at + len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : len(head) if end < 0 else end].strip()


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The response as it goes over the wire; a HEAD's keeps the length it was given."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if "Date" not in self.headers:
            lines.append(_date_line(int(time.time())))
        if "Content-Length" not in self.headers:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + _END + self.body


@lru_cache(maxsize=1)
def _date_line(second: int) -> str:
    """The header that every answer of AWS has, and that a run tells the time by."""
    return f"Date: {formatdate(second, usegmt=True)}"


Respond = Callable[[Question], Answer | Awaitable[Answer]]
Quick = Callable[[bytes], bytes | None]
"""Answers a request that came in one piece, as it goes over the wire; None: not one of its own."""


class Connection(asyncio.Protocol):
    """One client's connection; answers are held for `latency()` seconds."""

    def __init__(self, respond: Respond, quick: Quick, latency: Callable[[], float]) -> None:
        self._respond = respond
        self._quick = quick
        self._latency = latency
        self._received = bytearray()
        self._wanted = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; answer once a request is whole. Clients here never send two at once."""
        if not self._received and (wire := self._quick(data)) is not None:
            self._send(wire)
            return
        self._received += data
        if len(self._received) < self._wanted:
            return
        head_end = self._received.find(_END)
        if head_end < 0:
            return
        head, start = bytes(self._received[:head_end]), head_end + len(_END)
        self._wanted = start + int(header_of(head, b"content-length") or 0)
        if len(self._received) < self._wanted:
            if header_of(head, b"expect").lower() == b"100-continue" and (
                len(self._received) == start
            ):
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        question = Question(head, bytes(self._received[start : self._wanted]))
        del self._received[: self._wanted]
        self._wanted = 0
        self._answer(question)

    def _answer(self, question: Question) -> None:
        answer = self._respond(question)
        if isinstance(answer, Answer):
            self._send(answer.encoded())
        else:
            task = asyncio.ensure_future(answer)
            task.add_done_callback(lambda done: self._send(done.result().encoded()))

    def _send(self, wire: bytes) -> None:
        latency = self._latency()
        if latency:
            asyncio.get_running_loop().call_later(latency, self._write, wire)
        else:
            self._write(wire)

    def _write(self, wire: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(wire)


class Forward:
    """Passes questions on to a server, unchanged."""

    def __init__(self, server: str, pool: Executor) -> None:
        self._address = urlsplit(server).netloc
        self._pool = pool

    async def __call__(self, question: Question) -> Answer:
        """What the server answers."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, question)

    def _ask(self, question: Question) -> Answer:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        method = question.method
        try:
            connection.putrequest(
                method, question.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in question.headers.items():
                if name not in {"connection", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders(question.body)
            found = connection.getresponse()
            body = found.read()
        finally:
            connection.close()
        headers = {k: v for k, v in found.getheaders() if k.lower() not in _HOP_BY_HOP}
        if method == "HEAD" and (length := found.getheader("content-length")):
            headers["Content-Length"] = length
        return Answer(found.status, body, headers)
