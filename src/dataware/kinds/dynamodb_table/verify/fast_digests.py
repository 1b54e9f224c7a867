"""Puts an item into canonical order without Python's parser; needs msgspec.

Services send equal items with their attributes, the members of maps and those of sets in any
order. The library reads an item and writes it with all of them in order, which is its canonical
text unless something else than the order was to be changed: a number, spaces, escapes, Base64.

Nothing is believed of the library: the text has to have the bytes of the item, as many of them and
with the same sum, only in another order. An attribute that it lost, truncated or doubled shows
there, and so does every other spelling; such an item is read without it.

For example ``{"b":{"SS":["y","x"]},"a":{"N":"1"}}`` is ``{"a":{"N":"1"},"b":{"SS":["x","y"]}}``,
both of 39 bytes; ``{"a": {"N": "1"}}`` is longer than its text, and ``{"N":"1.0"}`` is not plain.
"""

from __future__ import annotations

import re
from zlib import adler32

import msgspec
from msgspec import UNSET, UnsetType

from dataware.kinds.dynamodb_table.verify.plain_numbers import PLAIN_NUMBER


class _Value(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A value of an attribute: one member, named by its type."""

    S: str | UnsetType = UNSET
    N: str | UnsetType = UNSET
    B: bytes | UnsetType = UNSET
    BOOL: bool | UnsetType = UNSET
    NULL: bool | UnsetType = UNSET
    M: dict[str, _Value] | UnsetType = UNSET
    L: list[_Value] | UnsetType = UNSET
    SS: set[str] | UnsetType = UNSET
    NS: set[str] | UnsetType = UNSET
    BS: set[bytes] | UnsetType = UNSET


_decode = msgspec.json.Decoder(dict[str, _Value]).decode
_encode = msgspec.json.Encoder(order="deterministic").encode

# In a string a quote stands behind a backslash, so these are members of values and nothing else.
_OTHER_NUMBER = re.compile(
    rb'"N(?:":"(?!%(number)b")|S":\[(?!"%(number)b"(?:,"%(number)b")*\]))'
    % {b"number": PLAIN_NUMBER.encode()}
)


def canonical_text(sent: bytes) -> bytes | None:
    """The canonical text of an item as it was sent; None where it needs more than an order."""
    if b"\\u" in sent:
        return None  # nearly always a letter that the text has itself
    try:
        text = _encode(_decode(sent))
    except (RecursionError, ValueError):
        return None
    if len(text) != len(sent) or _sum(text) != _sum(sent) or _OTHER_NUMBER.search(text):
        return None
    return text


def _sum(data: bytes) -> int:
    """The sum of all bytes, modulo 65,521: the lower half of an Adler-32 (RFC 1950)."""
    return adler32(data) & 0xFFFF
