"""What a verification costs: ``python -m tests.bench.verifying [COUNT]``.

Reads two tables and two buckets from a responder that answers at once, so that the figures are
those of the reader alone: CPU of the verifying process for each entry of each side, and its peak
of memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from urllib.parse import parse_qs, unquote

from dataware.aws import Account, BotocoreTransport
from dataware.core.model import Location
from dataware.core.ports import Wire
from dataware.kinds import load
from dataware.verify.run import compare

PAGE = 2000
"""Items of a page of a scan, about 1 MB of them."""

_KEYS = {**os.environ, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}

TYPES = {"table": "AWS::DynamoDB::Table", "bucket": "AWS::S3::Bucket"}
JOBS = ("table", "table-spelt-otherwise", "bucket")

_ATTRIBUTES = (
    '"id":{"S":"item-%(n)09d"}',
    '"number":{"N":"%(n)d"}',
    '"name":{"S":"Zoë Ångström %(n)09d"}',
    '"score":{"N":"12.5"}',
    '"active":{"BOOL":true}',
    '"tags":{"SS":["blue","green","red"]}',
    '"picture":{"B":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"}',
    '"address":{"M":{"city":{"S":"Kraków"},"lines":{"L":[{"S":"1"},{"NULL":true}]}}}',
    '"note":{"S":"a line of plain text, as long as such lines are"}',
)
_ITEM = "{" + ",".join(_ATTRIBUTES) + "}"
_OTHERWISE = "{" + ",".join(reversed(_ATTRIBUTES)) + "}"
_ROW = (
    "<Contents><Key>data/%09d.bin</Key><LastModified>2024-05-06T07:08:09.000Z</LastModified>"
    "<ETag>&quot;%032x&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
    "<ChecksumType>FULL_OBJECT</ChecksumType><Size>4096</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


class Responder(asyncio.Protocol):
    """Scans and listings of `size` entries; tables called "…-otherwise" turn their items round."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes in; answer once a request is whole."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        answer = self._json(head, body) if head.startswith(b"POST") else self._listing(head)
        crc = zlib.crc32(answer)
        lines = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\nx-amz-crc32: {crc}\r\n\r\n"
        self._transport.write(lines.encode() + answer)  # type: ignore[attr-defined]  # of TCP

    def _json(self, head: bytes, body: bytes) -> bytes:
        ask = json.loads(body)
        if b".DescribeTable" in head:
            schema = [{"AttributeName": "id", "KeyType": "HASH"}]
            table = {"TableSizeBytes": self._size * len(_ITEM), "KeySchema": schema}
            return json.dumps({"Table": table}).encode()
        if b".BatchGetItem" in head:
            ((name, wanted),) = ask["RequestItems"].items()
            found = [json.loads(_items(name, _number(key), 1)) for key in wanted["Keys"]]
            return json.dumps({"Responses": {name: found}, "UnprocessedKeys": {}}).encode()
        return self._scan(ask)

    def _scan(self, ask: Mapping[str, object]) -> bytes:
        segment, total = int(str(ask["Segment"])), int(str(ask["TotalSegments"]))
        start, end = (self._size * each // total for each in (segment, segment + 1))
        if "ExclusiveStartKey" in ask:
            start = _number(ask["ExclusiveStartKey"]) + 1  # type: ignore[arg-type]  # a key
        count = min(PAGE, end - start)
        page = b'{"Items":[%b],"Count":%d' % (_items(str(ask["TableName"]), start, count), count)
        if start + count < end:
            page += b',"LastEvaluatedKey":{"id":{"S":"item-%09d"}}' % (start + count - 1)
        return page + b"}"

    def _listing(self, head: bytes) -> bytes:
        query = head.split(b" ", 2)[1].decode().partition("?")[2]
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        after = unquote(asked.get("continuation-token") or asked.get("start-after", ""))
        return _rows(_place(after), self._size, int(asked.get("max-keys", "1000")))


def _number(key: Mapping[str, Mapping[str, str]]) -> int:
    return int(key["id"]["S"][5:])


def _place(after: str) -> int:
    """How many keys are not greater than a text."""
    if not after:
        return 0
    digits = after.removeprefix("data/")[:9]
    if not after.startswith("data/") or not digits.isdigit():
        return 0 if after < "data/" else sys.maxsize
    whole = int(digits.ljust(9, "0"))
    return whole + (len(digits) == 9 and after >= f"data/{digits}.bin")


@lru_cache(maxsize=64)
def _items(table: str, start: int, count: int) -> bytes:
    item = _OTHERWISE if table.endswith("otherwise") else _ITEM
    return ",".join(item % {"n": n} for n in range(start, start + count)).encode()


@lru_cache(maxsize=64)
def _rows(start: int, size: int, limit: int) -> bytes:
    numbers = range(start, min(size, start + limit))
    more = "<IsTruncated>false</IsTruncated>"
    if numbers and numbers[-1] < size - 1:
        token = f"data/{numbers[-1]:09d}.bin"
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}"
        more += "</NextContinuationToken>"
    rows = "".join(_ROW % (n, n) for n in numbers)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
        f"<KeyCount>{len(numbers)}</KeyCount><EncodingType>url</EncodingType>{more}{rows}"
        "</ListBucketResult>"
    ).encode()


async def serve(size: int) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Responder(size), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def responder(size: int) -> Iterator[str]:
    """The endpoint of a responder in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.verifying", "serve", str(size)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def verify(job: str, endpoint: str, count: int) -> None:
    """Compare both sides in this process and print what it took."""
    sort, _, spelling = job.partition("-spelt-")
    aws = Account.open(_no_wire, region="us-east-1", endpoint_url=endpoint)
    kind = load(TYPES[sort])
    make = kind.require_copying().reader
    names = ("one-source", f"one-target-{spelling or 'alike'}")
    sides = (
        make(aws, Location(name, "0" * 12, "us-east-1"), all_versions=False, deep=False)
        for name in names
    )
    started, cpu = time.monotonic(), time.process_time()
    verdict = compare(*sides, ordered=kind.require_copying().ordered)
    seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    assert (verdict.compared, verdict.differences) == (count, 0), verdict
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    sys.stdout.write(
        f"{job:24} {count:>10,}  {seconds:6.1f} s  {cpu:6.1f} s CPU  "
        f"{cpu / count / 2 * 1e6:5.2f} us CPU an entry and side  {peak:4.0f} MB\n"
    )


def _no_wire(_transport: BotocoreTransport, _on_throttle: Callable[[str], None]) -> Wire:
    raise AssertionError("a reader has no use for the wire of the copy")


def main(arguments: list[str]) -> None:
    """Measure, or be one of the processes of a measurement."""
    if arguments[:1] == ["serve"]:
        asyncio.run(serve(int(arguments[1])))
    elif arguments[:1] == ["verify"]:
        verify(arguments[1], arguments[2], int(arguments[3]))
    else:
        most = int(arguments[0]) if arguments else 1_000_000
        for job in JOBS:
            for count in (most // 10, most):
                with responder(count) as endpoint:
                    command = [sys.executable, "-m", "tests.bench.verifying", "verify"]
                    subprocess.run([*command, job, endpoint, str(count)], check=True, env=_KEYS)


if __name__ == "__main__":
    main(sys.argv[1:])
