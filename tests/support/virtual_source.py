"""Copies a source that exists only as far as it is being read; prints how much memory that took.

``python -m support.virtual_source table`` prints the resident kilobytes of the process after a
quarter of the keys, and at its highest afterwards.
"""

from __future__ import annotations

import gc
import json
import sys
from bisect import bisect_right
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dataware.core.ports import Request, Response
from support.copying import MemoryJournal
from support.dynamo import described, respond
from support.memory_aws import MemoryAws, operation_of
from support.memory_jobs import Job

KEYS, PAGE = 24_000, 500


class VirtualAws(MemoryAws):
    """Answers listings by number, takes every write, keeps nothing, and watches the memory."""

    def __init__(self) -> None:
        super().__init__()
        self.quarter = 0
        self.highest = 0
        self._written = 0

    async def exchange(self, request: Request) -> Response:
        """Answer; the target is empty."""
        operation = operation_of(request)
        if operation in {"Scan", "ListObjectsV2"}:
            self._watch()
        return ANSWERS[operation](request)

    def _watch(self) -> None:
        gc.collect()
        self._written += 1
        now = resident()
        if self._written == KEYS // PAGE // 4:
            self.quarter = now
        if self.quarter:
            self.highest = max(self.highest, now)


class Forgetful(MemoryJournal):
    """Takes records and keeps none, so that only the copy's own memory is seen."""

    def append(self, *records: object) -> None:
        """Forget it."""


def resident() -> int:
    """The resident memory of this process, in kilobytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4


def _scan(request: Request) -> Response:
    body: dict[str, Any] = json.loads(request.body)
    segment, total = body.get("Segment", 0), body.get("TotalSegments", 1)
    after = body.get("ExclusiveStartKey", {}).get("pk", {}).get("S")
    start = (int(after) + 1) if after else segment * KEYS // total
    end = (segment + 1) * KEYS // total
    numbers = range(start, min(start + PAGE, end))
    items = [{"pk": {"S": f"{n:09}"}, "pad": {"S": "x" * 100}} for n in numbers]
    more = {"LastEvaluatedKey": {"pk": {"S": f"{numbers[-1]:09}"}}} if numbers[-1] + 1 < end else {}
    return respond({"Items": items, "Count": len(items), **more})


def _after(key: str) -> int:
    """The number of the first key behind another one, which need not exist."""
    return bisect_right(range(KEYS), key, key="k{:09}".format)


def _list(request: Request) -> Response:
    if request.path.startswith("/new"):
        return EMPTY
    query = dict(pair.split("=") for pair in request.query.split("&"))
    after = query.get("start-after")
    start = _after(unquote(after)) if after else int(query.get("continuation-token") or 0)
    page = min(PAGE, int(query.get("max-keys", PAGE)))
    numbers = range(start, min(start + page, KEYS))
    rows = "".join(
        f"<Contents><Key>k{n:09}</Key><Size>9</Size><ETag>e</ETag></Contents>" for n in numbers
    )
    end = start + page
    more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < KEYS else ""
    said = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}"
    return Response(200, {}, f"<ListBucketResult>{said}{rows}</ListBucketResult>".encode())


EMPTY = Response(200, {}, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
COPIED = Response(200, {}, b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>")
ANSWERS = {
    "DescribeTable": lambda _request: described(),
    "Scan": _scan,
    "BatchWriteItem": lambda _request: respond({"UnprocessedItems": {}}),
    "ListObjectsV2": _list,
    "CopyObject": lambda _request: COPIED,
}


def main(kind: str) -> None:
    """Copy, and print both figures."""
    aws = VirtualAws()
    job = Job(kind, aws=aws, journal=Forgetful())
    job.events.append = lambda _event: None  # type: ignore[method-assign]  # keep no event
    done = job.run().counts.done
    if done != KEYS:
        raise SystemExit(f"{done} of {KEYS} keys")
    print(aws.quarter, aws.highest)


if __name__ == "__main__":
    main(sys.argv[1])
