"""Reads the bodies of DynamoDB's answers for the reader; shares no code with the copier's parser.

Items are cut out of a page as they were sent. What is not whole raises ValueError, so that a torn
page never passes for a shorter one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any


def _find_quick_way() -> ModuleType | None:
    with suppress(ImportError):
        from dataware.kinds.dynamodb_table.verify import fast_responses  # noqa: PLC0415 - optional

        return fast_responses
    return None


_quick = _find_quick_way()
_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class ScanPage:
    """A page of a scan: items as they were sent, and the key after which it goes on."""

    items: Sequence[bytes]
    last: Mapping[str, Any] | None


def read_scan(body: bytes) -> ScanPage:
    """The page in the body of a Scan."""
    items, count, scanned, last = (_quick and _quick.cut_page(body)) or _cut_page(body)
    if not isinstance(items, list) or count != len(items) or scanned != count:
        raise ValueError("a page of other items than it counts")
    if last is None or (isinstance(last, dict) and last):
        return ScanPage(items, last)
    raise ValueError("a page that does not say where the next one begins")


def _cut_page(body: bytes) -> tuple[Any, Any, Any, Any]:
    """Items, count, scanned count and last key of a page, unchecked. Raises ValueError."""
    # One character a byte: the bytes of an item are found again, and a page takes little memory.
    # Structure is ASCII, so what UTF-8 needs more of only stands within strings.
    try:
        page = _members(body.decode("latin-1"))
        items, count = page["Items"], json.loads(page["Count"])
        scanned = json.loads(page.get("ScannedCount", page["Count"]))
        last = json.loads(page.get("LastEvaluatedKey", b"null"))
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError(f"a page that is not whole ({error})") from None
    return items, count, scanned, last


def read_table(body: bytes) -> Mapping[str, Any]:
    """The table in the body of a DescribeTable."""
    try:
        table: Mapping[str, Any] = json.loads(body)["Table"]
        whole = all("AttributeName" in each for each in table["KeySchema"])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"an answer without a table ({error})") from None
    if not whole:
        raise ValueError("a table without its keys")
    return table


@dataclass(frozen=True, slots=True)
class BatchGetPage:
    """What BatchGetItem found, and the keys that it did not look for."""

    items: Sequence[bytes]
    unprocessed: Sequence[Mapping[str, Any]]


def read_got(body: bytes) -> BatchGetPage:
    """The answer in the body of a BatchGetItem on one table."""
    answer = json.loads(body)
    try:
        items = [item for some in answer["Responses"].values() for item in some]
        keys = [key for some in answer["UnprocessedKeys"].values() for key in some["Keys"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"an answer that is not whole ({error})") from None
    return BatchGetPage([_dump_item(item) for item in items], keys)


def _dump_item(item: Any) -> bytes:
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _members(text: str) -> dict[str, Any]:
    """The members of a document as they were sent; an array as a list of its elements."""
    members: dict[str, Any] = {}
    at = _after(text, 0, "{")
    while True:
        name, at = _decode(text, at)
        at = _after(text, at, ":")
        members[name], at = _elements(text, at) if text[at] == "[" else _value(text, at)
        at = _space(text, at)
        if text[at] == "}":
            break
        at = _after(text, at, ",")
    if _space(text, at + 1) != len(text):
        raise ValueError("a page with something behind its end")
    return members


def _elements(text: str, at: int) -> tuple[list[bytes], int]:
    elements: list[bytes] = []
    at = _after(text, at, "[")
    if text[at] == "]":
        return elements, at + 1
    while True:
        end = _decode(text, at)[1]
        elements.append(text[at:end].encode("latin-1"))
        at = _space(text, end)
        if text[at] == "]":
            return elements, at + 1
        at = _after(text, at, ",")


def _value(text: str, at: int) -> tuple[bytes, int]:
    end = _decode(text, at)[1]
    return text[at:end].encode("latin-1"), end


def _after(text: str, at: int, sign: str) -> int:
    """Where the next thing begins behind a sign that must stand here."""
    at = _space(text, at)
    if text[at] != sign:
        raise ValueError(f"a page without {sign!r} at {at}")
    return _space(text, at + 1)


def _space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
