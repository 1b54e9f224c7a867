"""Cuts a page of a scan into its items without decoding one of them; needs msgspec.

The copier's way to read a page rests on the same library, so nothing is believed of what it cuts:
the items, joined with commas, have to be the page again, byte for byte from one bracket to the
other. An item that it lost, truncated or invented shows there, and one that it cut in two shows
against the `Count` that DynamoDB sent. A page of which that is not so is read without it.

For example ``{"Count":2,"Items":[{"id":{"N":"1"}},{"id":{"N":"2"}}],"ScannedCount":2}``: the cuts
``{"id":{"N":"1"}}`` and ``{"id":{"N":"2"}}``, with a comma in between, stand right behind
``"Items":[``, and a ``]`` follows. Within a string a quote is written ``\\"`` and the value of an
attribute is an object, so ``"Items":[`` stands in a page but once.
"""

from __future__ import annotations

from typing import Any

import msgspec

_BEGIN = b'"Items":['


class _Page(msgspec.Struct):
    Items: list[msgspec.Raw]
    Count: int
    ScannedCount: int | None = None
    LastEvaluatedKey: Any = None


_decode = msgspec.json.Decoder(_Page).decode


def cut_page(body: bytes) -> tuple[list[bytes], int, int, Any] | None:
    """Items, count, scanned count and last key of a page; None for what it is not sure of."""
    try:
        page = _decode(body)
    except (RecursionError, ValueError):
        return None
    items = [bytes(item) for item in page.Items]
    begin = body.find(_BEGIN) + len(_BEGIN)
    whole = b"%b]" % b",".join(items)
    if begin < len(_BEGIN) or not body.startswith(whole, begin):
        return None
    scanned = page.Count if page.ScannedCount is None else page.ScannedCount
    return items, page.Count, scanned, page.LastEvaluatedKey
