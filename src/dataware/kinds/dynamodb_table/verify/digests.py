"""Digests of items, for the reader alone: of what was sent, and of what it means.

The text of a value begins with its type and says how long it is, so different values never have
the same text; attributes and set members stand in order, and numbers by value.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

SIZE = 16
"""Bytes that are kept of a SHA-256, which processors compute faster than any other digest."""

# A whole number without a zero at its end stands for itself.
_SETTLED = re.compile(r"-?[1-9](?:[0-9]*[1-9])?")


def digest_of(sent: bytes) -> bytes:
    """Sixteen bytes of an item as it was sent."""
    return sha256(sent).digest()[:SIZE]


def digest(item: Mapping[str, Any]) -> bytes:
    """Sixteen bytes that are equal exactly for items, in DynamoDB's JSON, that are equal to it."""
    return sha256(_map(item).encode("utf-8", "surrogatepass")).digest()[:SIZE]


def _text(value: Mapping[str, Any]) -> str:
    ((kind, content),) = value.items()
    return _TEXTS[kind](content)


def _map(content: Mapping[str, Any]) -> str:
    members = (f"{_string(name)}{_text(content[name])}" for name in sorted(content))
    return f"M{len(content)}:{''.join(members)}"


def _string(text: str) -> str:
    return f"S{len(text)}:{text}"


def _binary(text: str) -> str:
    return f"B{b64decode(text, validate=True).hex()};"


def _number(text: str) -> str:
    """A number by value: sign and digits without zeros at either end, and a power of ten."""
    if _SETTLED.fullmatch(text):
        return f"N{text};"
    sign, digits, power = Decimal(text).as_tuple()
    whole = "".join(map(str, digits)).lstrip("0")
    if not whole:
        return "N0;"
    significant = whole.rstrip("0")
    power = int(power) + len(whole) - len(significant)
    return f"N{'-' if sign else ''}{significant}{f'e{power}' if power else ''};"


def _set_of(text: Callable[[str], str]) -> Callable[[Iterable[str]], str]:
    def members(content: Iterable[str]) -> str:
        return f"Z{''.join(sorted(map(text, content)))};"

    return members


_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": lambda flag: "T" if flag else "F",
    "NULL": lambda _null: "0",
    "M": _map,
    "L": lambda content: f"L{len(content)}:{''.join(map(_text, content))}",
    "SS": _set_of(_string),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
}
