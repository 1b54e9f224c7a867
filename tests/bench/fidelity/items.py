"""Thirty items that hold everything DynamoDB can, and equality as DynamoDB means it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context
from typing import Any

_EXACT = Context(prec=60)
_DEEP = 31


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "deep"}
    for level in range(depth):
        value = {"L": [value]} if level % 2 else {"M": {"in": value}}
    return value


@dataclass(frozen=True, slots=True)
class Thing:
    """One item; `key` is its key, `value` its other attributes."""

    what: str
    key: str
    value: Mapping[str, Any]

    @property
    def item(self) -> dict[str, Any]:
        """The item as the client takes it."""
        return {**key(self), **self.value}


def _thing(what: str, **value: Any) -> Thing:
    return Thing(what, f"item: {what}", value)


LARGEST = _thing("largest number", v={"N": "9.9999999999999999999999999999999999999E+125"})
THINGS = (
    _thing("string", v={"S": "plain"}),
    _thing("empty string", v={"S": ""}),
    _thing("letters beyond ASCII", v={"S": "é漢\U0001f600 e\u0301"}),
    _thing("control characters", v={"S": "\0\x01\t\n\r\x7f\u2028"}),
    _thing("integer", v={"N": "42"}),
    _thing("negative", v={"N": "-7.25"}),
    _thing("zero", v={"N": "0"}),
    _thing("38 digits", v={"N": "12345678901234567890123456789012345678"}),
    _thing("38 digits behind the point", v={"N": "0.12345678901234567890123456789012345678"}),
    LARGEST,
    _thing("smallest number", v={"N": "1E-130"}),
    _thing("not a double", v={"N": "9007199254740993"}),
    _thing("binary", v={"B": bytes(range(256))}),
    _thing("empty binary", v={"B": b""}),
    _thing("binary that is not UTF-8", v={"B": b"\xff\xfe\x80"}),
    _thing("true", v={"BOOL": True}),
    _thing("false", v={"BOOL": False}),
    _thing("null", v={"NULL": True}),
    _thing("string set", v={"SS": ["b", "a", "ä"]}),
    _thing("number set", v={"NS": ["3", "1", "12345678901234567890123456789012345678"]}),
    _thing("binary set", v={"BS": [b"\x00\xff", b"\x01"]}),
    _thing("empty list and map", v={"L": []}, w={"M": {}}),
    _thing("list of everything", v={"L": [{"S": ""}, {"N": "1"}, {"NULL": True}, {"B": b"\xff"}]}),
    _thing("binary in a map", v={"M": {"b": {"B": b"\x00\x80"}, "s": {"BS": [b"\xff"]}}}),
    _thing("nested 31 levels", v=_nested(_DEEP)),
    _thing("odd attribute names", **{"a.b": {"S": "1"}, "size": {"S": "2"}, "é #:": {"S": "3"}}),
    _thing("expired time to live", ttl={"N": "1500000000"}),
    _thing("300 attributes", **{f"a{number:03}": {"N": str(number)} for number in range(300)}),
    _thing("nearly 400 KB of text", v={"S": "x" * (400 * 1024 - 60)}),
    _thing("nearly 400 KB of binary", v={"B": b"\xfe" * (400 * 1024 - 60)}),
)


def key(thing: Thing) -> dict[str, Any]:
    """The key of an item as the client takes it."""
    return {"id": {"S": thing.key}}


def put_all(dynamodb: Any, table: str) -> None:
    """Write the items, one by one."""
    for thing in THINGS:
        dynamodb.put_item(TableName=table, Item=thing.item)


def look(dynamodb: Any, table: str, thing: Thing) -> dict[str, Any]:
    """An item's value in a form that is equal where DynamoDB's are; empty if it is not there."""
    item = dynamodb.get_item(TableName=table, Key=key(thing), ConsistentRead=True).get("Item")
    return {"value": settled({"M": item})} if item else {}


def settled(value: Mapping[str, Any]) -> Any:
    """A value with its sets in order and its numbers in one form."""
    ((sort, held),) = value.items()
    if sort == "N":
        return sort, str(_EXACT.create_decimal(held).normalize(_EXACT))
    if sort == "M":
        return sort, {name: settled(one) for name, one in held.items()}
    if sort == "L":
        return sort, [settled(one) for one in held]
    if sort == "NS":
        return sort, sorted(settled({"N": one}) for one in held)
    return sort, sorted(held) if sort in ("SS", "BS") else held
