"""The lines of a journal: one JSON record each, behind a checksum.

    5f3a90c1 {"type":"checkpoint","partition":"0","cursor":"…"}

A line counts when it ends in a newline and its checksum fits.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

FORMAT = 1
DIGITS = 8


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of a journal file; `record` is None where it is damaged."""

    number: int
    end: int
    record: Mapping[str, Any] | None


def encode(record: Mapping[str, Any]) -> bytes:
    """The line of a record."""
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> Mapping[str, Any] | None:
    """The record of a line; None for a torn or damaged one."""
    checksum, text = line[:DIGITS], line[DIGITS + 1 : -1]
    if not line.endswith(b"\n") or line[DIGITS : DIGITS + 1] != b" ":
        return None
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def lines(file: BinaryIO) -> Iterator[JournalLine]:
    """Every line of a buffered file, one in memory at a time."""
    end = 0
    for number, line in enumerate(file, start=1):
        end += len(line)
        yield JournalLine(number, end, decode(line))
