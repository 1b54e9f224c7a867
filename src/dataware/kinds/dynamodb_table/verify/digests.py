"""Digests of items, for the reader alone: of what was sent, and of what it means.

What an item means is digested as its canonical text: the very JSON that DynamoDB sends, but without
spaces, with attributes and set members in order, and with numbers in plain digits. Different values
have different texts, because one text of JSON reads in one way only. `fast_digests` finds the same
text more quickly where an item needs nothing but another order.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from types import ModuleType
from typing import Any

from dataware.kinds.dynamodb_table.verify.plain_numbers import plain_number


def _find_quick_way() -> ModuleType | None:
    with suppress(ImportError):
        from dataware.kinds.dynamodb_table.verify import fast_digests  # noqa: PLC0415 - optional

        return fast_digests
    return None


_quick = _find_quick_way()

SIZE = 16
"""Bytes that are kept of a SHA-256, which processors compute faster than any other digest."""


def digest_of(record: bytes) -> bytes:
    """Sixteen bytes of an item as it was sent."""
    return sha256(record).digest()[:SIZE]


def digest_meaning(record: bytes) -> bytes:
    """Sixteen bytes that are equal exactly for items that are equal, however they were sent."""
    text = _quick and _quick.canonical_text(record)
    return digest_of(text or canonical_text(parse_item(record)))


def parse_item(sent: bytes) -> Mapping[str, Any]:
    """An item as it was sent, in DynamoDB's JSON."""
    # From text the parser need not find out the encoding, item by item.
    item: dict[str, Any] = json.loads(sent.decode("utf-8", "surrogatepass"))
    return item


def canonical_text(item: Mapping[str, Any]) -> bytes:
    """The text that exactly the items have, in DynamoDB's JSON, that are equal to this one."""
    return _map(item).encode("utf-8", "surrogatepass")


def digest(item: Mapping[str, Any]) -> bytes:
    """The digest of what an item means, from the item in DynamoDB's JSON."""
    return digest_of(canonical_text(item))


def _text(value: Mapping[str, Any]) -> str:
    ((kind, content),) = value.items()
    return f'{{"{kind}":{_TEXTS[kind](content)}}}'


def _map(content: Mapping[str, Any]) -> str:
    members = (f"{quoted(name)}:{_text(content[name])}" for name in sorted(content))
    return f"{{{','.join(members)}}}"


def _flag(content: object) -> str:
    return "true" if content else "false"


def _binary(text: str) -> str:
    """Binary in the one Base64 that its bytes have."""
    return quoted(b64encode(b64decode(text, validate=True)).decode())


def _binary_set(content: list[str]) -> str:
    """Binary values in the order of their bytes, which is not that of their texts."""
    members = sorted(b64decode(text, validate=True) for text in content)
    return f"[{','.join(quoted(b64encode(each).decode()) for each in members)}]"


_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "S": quoted,
    "N": lambda content: quoted(plain_number(content)),
    "B": _binary,
    "BOOL": _flag,
    "NULL": _flag,
    "M": _map,
    "L": lambda content: f"[{','.join(map(_text, content))}]",
    "SS": lambda content: f"[{','.join(map(quoted, sorted(content)))}]",
    "NS": lambda content: f"[{','.join(map(quoted, sorted(map(plain_number, content))))}]",
    "BS": _binary_set,
}
