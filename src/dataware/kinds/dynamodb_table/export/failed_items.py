"""Names the items that an import or a bulk put was given and did not bring.

An import reports each in CloudWatch Logs, in IMPORT/error of the group /aws-dynamodb/imports:
with the file of the export, the place in it counted from zero, and why (Amazon DynamoDB Developer
Guide, "Import format quotas and validation"). A bulk put writes a report into its bucket
(Developer Guide, "Bulk put items output and reconciliation"), whose lines are read by the key that
they hold, whatever else their form is.

    log line ── file and place ── line of the export ──┐
    line of the report ── whatever has all key attributes ──┴── key, as a comparison has it

Nothing in them decides what is copied, so nothing in them ends a run: a line that cannot be read
reports an item without a key, and a file that cannot be unpacked any more is at its end.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

from dataware.core.engines.port import FailedItem
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.copy.items import key_text

MOST_NAMED = 100_000
"""Items of an import that are named; the places of more would not fit into memory."""

GZIP = 16 + zlib.MAX_WBITS
GZIP_START = b"\x1f\x8b"
_TYPES = frozenset({"S", "N", "B"})
_REASONS = ("errormessage", "message", "reason", "errorcode", "code")
_UNREADABLE = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)


class LoggedError(NamedTuple):
    """Why an item was not imported, and where it lies: in which file, at which place."""

    why: str
    bucket: str = ""
    file: str = ""
    place: int = -1


def read_log(aws: Aws, group: str, stream: str) -> Iterator[str]:
    """The lines of a log, from its beginning. Raises LookupFailedError and NotFoundError."""
    api, token = aws.client("logs"), None
    cursor = PageCursor("GetLogEvents", f"log group {group}")
    while True:
        more: dict[str, str] = {"nextToken": token} if token else {}
        with aws.translate_errors(f"the log group {group}", "logs:GetLogEvents"):
            page = api.get_log_events(
                logGroupName=group, logStreamName=stream, startFromHead=True, **more
            )
        yield from (event["message"] for event in page["events"])
        # At the end of a stream the same token comes again (API Reference, GetLogEvents).
        if page.get("nextForwardToken") in (None, token):
            return
        token = page["nextForwardToken"]
        cursor.advance(token, entries=len(page["events"]))


def parse_log_line(line: str) -> LoggedError:
    """What a line of an import's log says; without a place where it has none."""
    try:
        description = json.loads(line)
        why = "; ".join(map(str, description["errorMessages"]))
        pointer = description["itemS3Pointer"]
        bucket, file = str(pointer["bucket"]), str(pointer["key"])
        return LoggedError(why, bucket, file, int(pointer["itemIndex"]))
    except _UNREADABLE:
        return LoggedError(line)


def name_logged_items(
    errors: Iterable[LoggedError],
    bucket: str,
    read: Callable[[str], Iterable[bytes]],
    names: Sequence[str],
) -> Iterator[FailedItem]:
    """The items of which a log tells, by the files of the export; `read` gives one of them."""
    places: dict[str, dict[int, str]] = defaultdict(dict)
    named = 0
    for error in errors:
        if error.bucket != bucket or error.place < 0 or named == MOST_NAMED:
            yield FailedItem(None, error.why)
            continue
        named += 1
        places[error.file][error.place] = error.why
    for file, wanted in places.items():
        for place, line in enumerate(split_lines(read(file))):
            if (why := wanted.pop(place, None)) is not None:
                yield FailedItem(_find_key(_parse(line), names), why)
            if not wanted:
                break
        yield from (FailedItem(None, why) for why in wanted.values())


def read_report_lines(chunks: Iterable[bytes], names: Sequence[str]) -> Iterator[FailedItem]:
    """The items of one file of a report; what is no JSON object is left out."""
    for line in split_lines(chunks):
        if isinstance(description := _parse(line), dict):
            yield FailedItem(
                _find_key(description, names), _find_reason(description) or "no reason given"
            )


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file that comes in pieces, compressed or not."""
    rest = b""
    for piece in _decompress(chunks):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _decompress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of gzip members one after another, or what is not compressed as it is."""
    rest, begin = iter(chunks), b""
    while len(begin) < len(GZIP_START) and (chunk := next(rest, None)) is not None:
        begin += chunk
    whole = chain((begin,), rest)
    return _unpack(whole) if begin.startswith(GZIP_START) else whole


def _unpack(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of gzip members, as far as it can be unpacked."""
    unpack = zlib.decompressobj(GZIP)
    with suppress(zlib.error):
        for chunk in chunks:
            left = chunk
            while left:
                yield unpack.decompress(left)
                left = unpack.unused_data
                if unpack.eof:
                    unpack = zlib.decompressobj(GZIP)


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except _UNREADABLE:
        return None


def _find_key(value: Any, names: Sequence[str]) -> bytes | None:
    """The key of the first item in a value that has all its attributes."""
    try:
        return _search_key(value, names)
    except _UNREADABLE:
        return None  # such as a number that is none, for which the item was refused


def _search_key(value: Any, names: Sequence[str]) -> bytes | None:
    if not isinstance(value, Mapping):
        return None
    if all(_is_key_value(value.get(name)) for name in names):
        return key_text(value, names).encode("utf-8", "surrogatepass")
    keys = (_search_key(one, names) for one in value.values())
    return next((key for key in keys if key is not None), None)


def _is_key_value(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _TYPES


def _find_reason(description: Mapping[str, Any]) -> str:
    """What sounds like a reason, the longer kinds first; also below that."""
    try:
        return _search_reason(description)
    except RecursionError:
        return ""


def _search_reason(description: Mapping[str, Any]) -> str:
    words = {name.lower(): text for name, text in description.items() if isinstance(text, str)}
    for name in _REASONS:
        if words.get(name):
            return words[name]
    below = (_search_reason(one) for one in description.values() if isinstance(one, Mapping))
    return next((text for text in below if text), "")
