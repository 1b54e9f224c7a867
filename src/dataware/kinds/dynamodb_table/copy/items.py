"""Items as the copier sees them: DynamoDB's JSON, its canonical form, its size, its batches."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from dataware.core.copier import Unit
from dataware.kinds.dynamodb_table.capacity import MAX_BATCH
from dataware.kinds.dynamodb_table.copy.decoding import json_object

Item = Mapping[str, Any]
Batch: TypeAlias = Unit[Sequence[bytes]]
"""Items that are written together, each as the JSON that was sent."""

MAX_BATCH_BYTES = 4 * 1024**2
"""Bytes of JSON in one batch: far below DynamoDB's 16 MB, because units in flight are memory."""

_KILOBYTE = 1024

SAMPLE = 10
"""Items of a page that are measured; the others are taken to be as dense as these."""

# Made once: json.dumps would make an encoder for every item.
_readable = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def canonical(value: Mapping[str, Any]) -> Any:
    """An attribute value as plain data that is equal exactly when DynamoDB's values are.

    Order counts in lists only, and a number is the same however it is written.
    """
    ((kind, content),) = value.items()
    return kind, _CANONICAL.get(kind, _as_it_is)(content)


def _as_it_is(content: Any) -> Any:
    return content


# Decimal's constructor is exact and comparison is by value; arithmetic would round to a context.
_CANONICAL: Mapping[str, Callable[[Any], Any]] = {
    "N": Decimal,
    "NS": lambda members: frozenset(map(Decimal, members)),
    "B": b64decode,
    "BS": lambda members: frozenset(map(b64decode, members)),
    "SS": frozenset,
    "M": lambda content: {name: canonical(each) for name, each in content.items()},
    "L": lambda content: [canonical(each) for each in content],
}


def equal(mine: Item, other: Item) -> bool:
    """Whether two items are the same to DynamoDB."""
    return mine == other or bool(canonical({"M": mine}) == canonical({"M": other}))


def key_text(item: Item, names: Sequence[str]) -> str:
    """The key of an item as compact JSON, equal for equal keys."""
    return _readable({name: _plain_key(item[name]) for name in names})


def _plain_key(value: Mapping[str, str]) -> Mapping[str, str]:
    if "N" not in value:
        return value
    whole, dot, fraction = format(Decimal(value["N"]), "f").partition(".")
    text = (whole + dot + fraction.rstrip("0")).rstrip(".")
    return {"N": "0" if text == "-0" else text}


def size(item: Item) -> int:
    """The bytes an item is charged for, closely estimated.

    Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats": names and values in
    UTF-8, a number one byte for two digits and one more, three bytes for a document and one for
    each of its elements. Index entries are charged on top and are not counted.
    """
    return sum(_length(name) + _value_size(value) for name, value in item.items())


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind in _SCALAR_SIZES:
        return _SCALAR_SIZES[kind](content)
    if kind == "M":
        return 3 + len(content) + size(content)
    if kind == "L":
        return 3 + len(content) + sum(map(_value_size, content))
    return sum(map(_SCALAR_SIZES[kind[0]], content))


def _number_size(text: str) -> int:
    mantissa = text.upper().partition("E")[0]
    digits = len(mantissa) - mantissa.count("-") - mantissa.count(".")
    return (digits + 1) // 2 + 1


_SCALAR_SIZES: Mapping[str, Callable[[Any], int]] = {
    "S": _length,
    "N": _number_size,
    "B": lambda text: len(text) // 4 * 3 - text.count("="),
    "BOOL": lambda _flag: 1,
    "NULL": lambda _flag: 1,
}


def batches(items: Sequence[bytes]) -> list[Batch]:
    """Units of at most 25 items and 4 MB of JSON; an item alone may have more.

    The items of a page are JSON and stay so; the bytes they are charged for are estimated.
    """
    density = _density(items)
    units: list[Batch] = []
    start = 0
    while start < len(items):
        batch = items[start : start + MAX_BATCH]
        used = sum(map(len, batch))
        while used > MAX_BATCH_BYTES and len(batch) > 1:
            used -= len(batch[-1])
            batch = batch[:-1]
        units.append(_unit(batch, used, density))
        start += len(batch)
    return units


def _density(items: Sequence[bytes]) -> float:
    """Bytes that an item is charged for, for one byte of its JSON."""
    sample = items[:: -(-len(items) // SAMPLE) or 1]
    length = sum(map(len, sample))
    return sum(size(json.loads(item)) for item in sample) / length if length else 1.0


def _unit(batch: Sequence[bytes], used: int, density: float) -> Batch:
    units: float = len(batch)
    if max(map(len, batch)) * density > _KILOBYTE:
        units = sum(-(-len(item) * density // _KILOBYTE) for item in batch)
    return Unit(batch, len(batch), used, units)


def without_twins(items: Iterable[bytes], names: Sequence[str]) -> list[list[bytes]]:
    """The items in rounds, none of which holds a key twice, each key's items in their order."""
    rounds: list[dict[str, bytes]] = []
    for item in items:
        key = key_text(json_object(item), names)
        for each in rounds:
            if key not in each:
                each[key] = item
                break
        else:
            rounds.append({key: item})
    return [list(each.values()) for each in rounds]
