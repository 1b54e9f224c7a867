"""The digest of an item: equal for items that are equal to DynamoDB, however they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any

DIGEST_BYTES = 16


def digest_item(item: Mapping[str, Any]) -> str:
    """The digest as hexadecimal text; order counts in lists only, and numbers by their value."""
    text = json.dumps(_stable({"M": item}), separators=(",", ":"), sort_keys=True)
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def _stable(value: Mapping[str, Any]) -> list[Any]:
    ((kind, content),) = value.items()
    if kind == "M":
        content = {name: _stable(each) for name, each in content.items()}
    elif kind == "L":
        content = [_stable(each) for each in content]
    elif kind == "N":
        content = _number(content)
    elif kind == "NS":
        content = sorted(map(_number, content))
    elif kind in ("SS", "BS"):
        content = sorted(content)
    return [kind, content]


def _number(text: str) -> str:
    """A number by its value alone: its digits and its exponent."""
    sign, digits, exponent = Decimal(text).as_tuple()
    whole = "".join(map(str, digits)).lstrip("0")
    shown = whole.rstrip("0")
    if not shown:
        return "0"
    return f"{'-' if sign else ''}{shown}e{int(exponent) + len(whole) - len(shown)}"
