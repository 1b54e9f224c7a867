"""Chooses what fits into a number of bytes of JSON; pure.

Bytes are those of JSON that is all ASCII, which is never shorter than the same in UTF-8.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

_LEAST = 3
"""Bytes that a value of a list takes at least, with what separates it from the next."""


def fitting(values: Iterable[T], room: int) -> list[T]:
    """The first of some JSON values that fit into a list of a number of bytes, in their order.

    One that is too large is left out, and smaller ones after it may still fit.
    """
    first = []
    for value in values:
        if room < _LEAST:
            break
        if (bytes_ := size(value) + 2) <= room:
            first.append(value)
            room -= bytes_
    return first


def cut(text: str, room: int) -> str:
    """The start of a text that fits into a number of bytes, with its quotation marks."""
    text = text[: max(0, room)]
    lengths = range(len(text) + 1)
    return text[: max(0, bisect_right(lengths, room, key=lambda n: size(text[:n])) - 1)]


def size(value: object) -> int:
    """The bytes of a JSON value."""
    return len(json.dumps(value))
