"""Trivial clients, as programs: ``python -m tests.bench.load NAME ENDPOINT COUNT CONNECTIONS``.

They send prepared requests, sign nothing and read nothing of the answers but their length. So
they show what the responder can answer, and what no client can go below.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import cast
from urllib.parse import urlsplit

from tests.bench.buckets import key_of
from tests.bench.names import BATCH, SOURCE, TARGET
from tests.bench.tables import VirtualTable

try:
    import uvloop
except ImportError:
    uvloop = None

_LENGTH = re.compile(rb"Content-Length: (\d+)")
_TOKEN = re.compile(rb"<NextContinuationToken>([^<]+)<")


def copies(count: int) -> Iterator[bytes]:
    """One copy of each object."""
    for number in range(count):
        key = key_of(number)
        yield (
            f"PUT /{TARGET}/{key} HTTP/1.1\r\nHost: bench\r\nx-amz-copy-source: {SOURCE}/{key}"
            "\r\nContent-Length: 0\r\n\r\n"
        ).encode()


def batches(count: int) -> Iterator[bytes]:
    """Batches of 25 items, as many as hold `count` items."""
    table = VirtualTable(SOURCE, TARGET, count)
    for start in range(0, count, BATCH):
        body = table.batch(range(start, min(start + BATCH, count)))
        yield b"".join(
            (
                b"POST / HTTP/1.1\r\nHost: bench\r\n",
                b"X-Amz-Target: DynamoDB_20120810.BatchWriteItem\r\n",
                b"Content-Length: %d\r\n\r\n" % len(body),
                body,
            )
        )


class _Client(asyncio.Protocol):
    """Sends its next request whenever an answer is whole; `follow` may make it of the answer."""

    def __init__(
        self, requests: Iterator[bytes], follow: Callable[[bytes], bytes | None] | None = None
    ) -> None:
        self._requests = requests
        self._follow = follow
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._send(next(self._requests, None))

    def data_received(self, data: bytes) -> None:
        """Go on once the answer is whole."""
        received = self._received = self._received + data if self._received else data
        head_end = received.find(b"\r\n\r\n")
        length = _LENGTH.search(received)
        if head_end < 0 or length is None or len(received) < head_end + 4 + int(length[1]):
            return
        if not received.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(received[:200].decode("latin-1")))
            return
        self._received = b""
        self._send(self._follow(received) if self._follow else next(self._requests, None))

    def _send(self, request: bytes | None) -> None:
        if self._transport is not None and request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)


def _listed(after: bytes) -> bytes:
    more = b"&continuation-token=" + after if after else b""
    path = b"/%b?list-type=2&encoding-type=url&prefix=data/%b" % (SOURCE.encode(), more)
    return b"GET %b HTTP/1.1\r\nHost: bench\r\n\r\n" % path


def _next_page(answer: bytes) -> bytes | None:
    found = _TOKEN.search(answer, 0, 1000)
    return _listed(found[1]) if found else None


async def _run(name: str, endpoint: str, count: int, connections: int) -> None:
    loop, place = asyncio.get_running_loop(), urlsplit(endpoint)
    if name == "list":
        make = lambda: _Client(iter([_listed(b"")]), _next_page)  # noqa: E731
        connections = 1
    else:
        requests = REQUESTS[name](count)
        make = lambda: _Client(requests)  # noqa: E731
    made = [
        await loop.create_connection(make, place.hostname, place.port) for _ in range(connections)
    ]
    await asyncio.gather(*(client.done for _, client in made))


REQUESTS: Mapping[str, Callable[[int], Iterator[bytes]]] = {"copies": copies, "batches": batches}

if __name__ == "__main__":
    (uvloop or asyncio).run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
