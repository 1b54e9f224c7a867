"""Just enough HTTP/1.1 for a quick responder on 127.0.0.1: questions, answers, one protocol."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

_END = b"\r\n\r\n"
_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Question:
    """A request; header names are lower case, `target` is undecoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def operation(self) -> str:
        """The operation of a JSON service, such as ``Scan``."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]


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
        if "Content-Length" not in self.headers:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + _END + self.body


Respond = Callable[[Question], Answer | Awaitable[Answer]]


class Connection(asyncio.Protocol):
    """One client's connection; answers are held for `latency()` seconds."""

    def __init__(self, respond: Respond, latency: Callable[[], float]) -> None:
        self._respond = respond
        self._latency = latency
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; answer once a request is whole. Clients here never send two at once."""
        self._received += data
        head_end = self._received.find(_END)
        if head_end < 0:
            return
        line, *rest = self._received[:head_end].decode("latin-1").split("\r\n")
        pairs = (each.partition(":") for each in rest)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        start = head_end + len(_END)
        end = start + int(headers.get("content-length", "0"))
        if len(self._received) < end:
            if headers.get("expect") == "100-continue" and len(self._received) == start:
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        method, target, _ = line.split(" ")
        question = Question(method, target, headers, bytes(self._received[start:end]))
        del self._received[:end]
        answer = self._respond(question)
        if isinstance(answer, Answer):
            self._send(answer)
        else:
            task = asyncio.ensure_future(answer)
            task.add_done_callback(lambda done: self._send(done.result()))

    def _send(self, answer: Answer) -> None:
        latency, wire = self._latency(), answer.encoded()
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
        try:
            connection.putrequest(
                question.method, question.target, skip_host=True, skip_accept_encoding=True
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
        if question.method == "HEAD" and (length := found.getheader("content-length")):
            headers["Content-Length"] = length
        return Answer(found.status, body, headers)
