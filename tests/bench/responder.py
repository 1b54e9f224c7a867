"""A responder in a process of its own: virtual tables and buckets in front of an embedded AWS.

It answers scans, listings, writes and copies of the virtual resources by itself, as fast as it
can; everything else (identity, CloudFormation, markers, settings) goes to the server behind it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from tests.bench.buckets import VirtualBucket
from tests.bench.http import Answer, Connection, Forward, Question
from tests.bench.live_table import LiveTable
from tests.bench.measure import cpu_seconds
from tests.bench.tables import VirtualTable

try:
    import uvloop
except ImportError:  # slower, and enough to show that a benchmark runs
    uvloop = None

_WORLD = "/-/world"
_WRITERS = "/-/writers"


class World:
    """What is virtual at the moment; set anew by a POST to ``/-/world``, told of by a GET.

    A POST to ``/-/writers`` changes how fast a live table is written to.
    """

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self.latency = 0.0
        self._table: VirtualTable | LiveTable | None = None
        self._bucket: VirtualBucket | None = None

    def quick(self, data: bytes) -> bytes | None:
        """The answer to the copy of an object, if the request came whole and is a usual one."""
        return self._bucket.quick(data) if self._bucket else None

    def respond(self, question: Question) -> Answer | Awaitable[Answer]:
        """The answer, at once for what is virtual."""
        if question.target == _WORLD:
            return self._about(question)
        if question.target == _WRITERS and isinstance(self._table, LiveTable):
            self._table.change(json.loads(question.body)["rate"])
            return Answer(200)
        virtual = self._virtual(question)
        if virtual is not None:
            return virtual
        table = self._table
        if table is not None and question.operation == "DescribeTable":
            return self._describe(question, table)
        return self._forward(question)

    def _virtual(self, question: Question) -> Answer | None:
        table, bucket = self._table, self._bucket
        if table and question.operation:
            if _names(question, table.source) or _names(question, table.target):
                return table.answer(question)
            if isinstance(table, LiveTable) and question.operation in table.streams:
                return table.answer(question)
            return None
        if bucket and question.target[1:].split("?")[0].split("/")[0] in (
            bucket.source,
            bucket.target,
        ):
            return bucket.answer(question)
        return None

    async def _describe(self, question: Question, table: VirtualTable | LiveTable) -> Answer:
        answer = await self._forward(question)
        if answer.status != 200 or not _names(question, table.source):
            return answer
        kept = {k: v for k, v in answer.headers.items() if k.lower() != "x-amz-crc32"}
        return replace(answer, body=table.described(answer.body), headers=kept)

    def _about(self, question: Question) -> Answer:
        if question.method == "POST":
            wanted = json.loads(question.body)
            self.latency = wanted.get("latency", 0.0)
            self._table = VirtualTable(**wanted["table"]) if "table" in wanted else None
            if "live" in wanted:
                self._table = LiveTable(**wanted["live"])
            self._bucket = VirtualBucket(**wanted["bucket"]) if "bucket" in wanted else None
        virtual = self._table or self._bucket
        return Answer(200, json.dumps(virtual.ledger.report() if virtual else {}).encode())


def _names(question: Question, table: str) -> bool:
    return f'"{table}"'.encode() in question.body


async def serve(upstream: str) -> None:
    """Serve until standard input ends, which it does with the process that started this one."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(64) as pool:
        world = World(Forward(upstream, pool))
        server = await loop.create_server(
            lambda: Connection(world.respond, world.quick, lambda: world.latency),
            "127.0.0.1",
            0,
            backlog=2048,
        )
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await loop.run_in_executor(None, sys.stdin.read)
        server.close()


class Responder:
    """The responder from outside, as a context manager."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._process: subprocess.Popen[str] | None = None
        self.endpoint = ""

    def __enter__(self) -> Self:
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.responder", self._upstream],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        port = process.stdout.readline() if process.stdout else ""
        self.endpoint = f"http://127.0.0.1:{int(port)}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    @property
    def cpu(self) -> float:
        """The CPU time that the responder has taken so far, in seconds."""
        return cpu_seconds(self._process.pid) if self._process else 0.0

    def become(self, **world: Any) -> None:
        """Serve another world: `table`, `live` table or `bucket`, and `latency` in seconds."""
        self._ask(world)

    def change_writers(self, rate: float | None) -> None:
        """Let a live table be written to so often a second; None forgets the lags up to now."""
        self._ask({"rate": rate}, _WRITERS)

    def report(self) -> dict[str, Any]:
        """What the ledger of the virtual target says."""
        return self._ask(None)

    def _ask(self, world: Mapping[str, Any] | None, target: str = _WORLD) -> dict[str, Any]:
        data = None if world is None else json.dumps(world).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.endpoint + target, data=data, timeout=60) as answer:
            told: dict[str, Any] = json.loads(answer.read() or b"{}")
        return told


if __name__ == "__main__":
    (uvloop or asyncio).run(serve(sys.argv[1]))
