"""Completion reports as S3 Batch Operations writes them, and keys that are hard to write down."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote_plus

from dataware.kinds.s3_bucket.batch.manifest import ManifestRow, decode_key, read_lines
from dataware.kinds.s3_bucket.batch.report import FORMAT

SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"

HOSTILE = (
    b"a,b", b'say "hi"', b"two\nlines", b"tab\there", b"50% off+more", b"a b", b" lead", b"trail ",
    b"\r\n", b"//", b"/", b"dir/", b"../up", b"%2B", b"%", b"+", b"#?&=;", b"\x00", b"\x7f",
    "\u00e9".encode(), "e\u0301".encode(), "\U0001f680".encode(), "\u202eabc".encode(), b"'", b"\\",
    b"Bucket,Key", b"a" * 900,
)  # fmt: skip
"""Beginnings of keys; the number of the key follows."""


def hostile_keys(count: int) -> Iterator[bytes]:
    """As many different keys."""
    for number in range(count):
        yield HOSTILE[number % len(HOSTILE)] + b"/%x" % number


def write_report(rows: Iterable[tuple[bytes, str]], bucket: str = "source") -> Iterator[bytes]:
    """The lines of a report: each key with its error code, "" for one that was copied."""
    for key, code in rows:
        text = io.StringIO(newline="")
        task = "failed" if code else "succeeded"
        status = "403" if code else "200"
        message = 'it said:\n"no", twice' if code else "Successful"
        cells = (bucket, quote_plus(key, safe="/"), "", task, status, code, message)
        csv.writer(text, lineterminator="\n").writerow(cells)
        yield text.getvalue().encode()


def report_manifest(bucket: str, files: Iterable[tuple[str, bytes]]) -> bytes:
    """The manifest of a report with these files."""
    results = [
        {
            "TaskExecutionStatus": "succeeded",
            "Bucket": bucket,
            "MD5Checksum": hashlib.md5(body, usedforsecurity=False).hexdigest(),
            "Key": key,
        }
        for key, body in files
    ]
    created = "2026-11-29T12:00:00.000Z"
    data = {"Format": FORMAT, "ReportCreationDate": created, "Results": results}
    return json.dumps({**data, "ReportSchema": SCHEMA}).encode()


def read_manifest(chunks: Iterable[bytes]) -> Iterator[ManifestRow]:
    """The rows of a manifest, whatever pieces it comes in. Raises ValueError for anything else."""
    for line in read_lines(chunks):
        cells = line.rstrip("\n").split(",")
        if len(cells) not in (2, 3):
            raise ValueError(f"a row of a manifest has two or three cells: {line[:80]!r}")
        yield ManifestRow(decode_key(cells[1]), cells[2] if len(cells) == 3 else None)
