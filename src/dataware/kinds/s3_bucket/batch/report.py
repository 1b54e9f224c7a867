"""The completion report of a job, read as a stream and summed up in the journal.

Source: Amazon S3 User Guide, "Examples: S3 Batch Operations completion reports". Its schema names
ErrorCode before HTTPStatusCode, and its examples have them the other way round, so the number is
the status. A report is no verification: what it says of a key is kept for people, and what is
copied is decided by both listings.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dataware.core.engines.port import FAILED_KEYS
from dataware.core.errors import LookupFailedError
from dataware.core.ports import Journal
from dataware.core.printable import escape_key
from dataware.kinds.s3_bucket.batch.manifest import decode_key, read_lines

FORMAT = "Report_CSV_20180820"

FILE = "batch-file"
"""A record of the journal: a file of the report was read to its end."""

CHUNK = 500
"""Failed keys in one record."""

LONGEST_CELL = 1 << 20


class ReportFile(NamedTuple):
    """One file of a report: where it is, and the MD5 of its bytes in hex."""

    bucket: str
    key: str
    md5: str


class ReportRow(NamedTuple):
    """What became of one object; `status` is that of HTTP, as text."""

    key: bytes
    version: str | None
    succeeded: bool
    code: str = ""
    status: str = ""
    message: str = ""


class ReportTotals(NamedTuple):
    """How many objects a report says were copied, and how many not."""

    succeeded: int = 0
    failed: int = 0

    def plus(self, other: ReportTotals) -> ReportTotals:
        """The sum of both."""
        return ReportTotals(self.succeeded + other.succeeded, self.failed + other.failed)


def read_report_manifest(body: bytes) -> list[ReportFile]:
    """The files of a report. Raises LookupFailedError for what is none."""
    try:
        data = json.loads(body)
        files = [
            ReportFile(one["Bucket"], one["Key"], one["MD5Checksum"]) for one in data["Results"]
        ]
        format_name = data["Format"]
    except (ValueError, KeyError, TypeError) as error:
        raise LookupFailedError(f"the report of the job cannot be read ({error!r})") from error
    if format_name != FORMAT:
        raise LookupFailedError(f"the report of the job cannot be read (its format: {format_name})")
    return files


def read_report_rows(chunks: Iterable[bytes]) -> Iterator[ReportRow]:
    """The rows of one file. Raises ValueError for a row that is none."""
    csv.field_size_limit(LONGEST_CELL)
    for cells in csv.reader(read_lines(chunks)):
        if len(cells) != 7:
            raise ValueError(f"a row of a report has 7 cells, not {len(cells)}")
        _bucket, key, version, task, one, other, message = cells
        status, code = (one, other) if one.isdecimal() else (other, one)
        succeeded = task.lower() == "succeeded"
        yield ReportRow(decode_key(key), version or None, succeeded, code, status, message)


def record_report(
    journal: Journal,
    files: Iterable[ReportFile],
    fetch: Callable[[ReportFile], Iterable[bytes]],
    check: Callable[[], None] = lambda: None,
) -> ReportTotals:
    """Read every file into the journal that an earlier run has not; the totals of all.

    `check` raises what ends the run, and is called for every chunk. Raises LookupFailedError for a
    file that is truncated or changed.
    """
    done = {one["key"]: one for one in journal.records() if one.get("type") == FILE}
    totals = ReportTotals()
    for file in files:
        before = done.get(file.key)
        if before is None:
            totals = totals.plus(_record_file(journal, file, fetch, check))
        else:
            totals = totals.plus(ReportTotals(before["succeeded"], before["failed"]))
    return totals


def _record_file(
    journal: Journal,
    file: ReportFile,
    fetch: Callable[[ReportFile], Iterable[bytes]],
    check: Callable[[], None],
) -> ReportTotals:
    digest = hashlib.md5(usedforsecurity=False)
    succeeded, failed = 0, 0
    chunk: list[Mapping[str, Any]] = []
    try:
        for row in read_report_rows(_pass_through_digest(fetch(file), digest)):
            if row.succeeded:
                succeeded += 1
                continue
            failed += 1
            failure = {"code": row.code, "status": row.status, "why": row.code or row.status}
            chunk.append({"key": escape_key(row.key), **failure})
            if len(chunk) == CHUNK:
                check()
                journal.append({"type": FAILED_KEYS, "keys": chunk})
                chunk = []
    except (ValueError, csv.Error) as error:
        raise LookupFailedError(
            f"{file.key} of the job's report cannot be read: {error}"
        ) from error
    if digest.hexdigest() != file.md5.lower():
        raise LookupFailedError(f"{file.key} of the job's report is not what its checksum says")
    totals = {"succeeded": succeeded, "failed": failed}
    journal.append(
        *([{"type": FAILED_KEYS, "keys": chunk}] if chunk else []),
        {"type": FILE, "key": file.key, **totals},
    )
    return ReportTotals(succeeded, failed)


def _pass_through_digest(chunks: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
