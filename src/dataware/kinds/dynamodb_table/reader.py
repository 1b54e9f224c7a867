"""Reads a table for verification, with the SDK's parser and none of the copier's code.

An entry's digest is over a canonical encoding: attributes and set members in order, numbers by
value, and every piece with its type and length, so that different items never encode alike.
`aws` is a control plane of the region in which the table lives.
"""

from __future__ import annotations

import json
import random
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from dataware.core.errors import CannotSee
from dataware.core.kind import Entry, Evidence, Place, Reader
from dataware.core.model import Problem
from dataware.core.ports import Aws

PART_BYTES: Final = 64 * 1024**2
"""How much of a table one part holds, within MIN_PARTS and MAX_PARTS."""

MIN_PARTS: Final = 4
MAX_PARTS: Final = 64

PAGE_ITEMS: Final = 500
"""Items of one page. The SDK's parser turns a full page of 1 MB into more than 20 MB of small
objects, and several pages are held at a time."""

BATCH_KEYS: Final = 100
"""Keys in one BatchGetItem (Amazon DynamoDB API Reference, BatchGetItem)."""

_TRIES = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


class TableReader:
    """One side of a comparison. Digests are conclusive, so `deep` has nothing to add."""

    def __init__(
        self,
        aws: Aws,
        place: Place,
        *,
        all_versions: bool = False,
        deep: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        del all_versions, deep
        self._aws = aws
        self._name = place.name
        self._sleep = sleep
        self._table: Mapping[str, Any] | None = None

    def parts(self) -> Sequence[str]:
        """Scan segments ``i of N``."""
        wanted = int(self._described().get("TableSizeBytes", 0)) // PART_BYTES
        total = min(max(wanted, MIN_PARTS), MAX_PARTS)
        return [f"{segment} of {total}" for segment in range(total)]

    def entries(self, part: str) -> Iterator[Entry]:
        """Every item of a segment, by consistent reads."""
        segment, total = part.split(" of ")
        where: dict[str, Any] = {"Segment": int(segment), "TotalSegments": int(total)}
        ask = {"TableName": self._name, "ConsistentRead": True, "Limit": PAGE_ITEMS}
        scan = self._aws.client("dynamodb").scan
        while True:
            with self._aws.looking_at(f"table {self._name}", "dynamodb:Scan"):
                page = scan(**ask, **where)
            yield from map(self._entry, page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            where["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def find(self, keys: Sequence[Entry]) -> Mapping[bytes, Entry]:
        """The present items under the keys of `keys`."""
        wanted = iter(dict.fromkeys(entry.key for entry in keys))
        found: dict[bytes, Entry] = {}
        while batch := list(islice(wanted, BATCH_KEYS)):
            entries = map(self._entry, self._get([_key_of(key) for key in batch]))
            found.update((entry.key, entry) for entry in entries)
        return found

    def same(self, mine: Entry, other: Reader, theirs: Entry) -> Evidence | None:
        """Digests say it all."""
        del other
        return Evidence.CONTENT if mine.digest == theirs.digest else None

    def _described(self) -> Mapping[str, Any]:
        if self._table is None:
            with self._aws.looking_at(f"table {self._name}", "dynamodb:DescribeTable"):
                answer = self._aws.client("dynamodb").describe_table(TableName=self._name)
            self._table = answer["Table"]
        return self._table

    def _entry(self, item: Mapping[str, Any]) -> Entry:
        schema = sorted(self._described()["KeySchema"], key=lambda each: each["KeyType"])
        label = _key_label({each["AttributeName"]: item[each["AttributeName"]] for each in schema})
        return Entry(label.encode("utf-8", "surrogatepass"), digest(item), label)

    def _get(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The items under `keys`; what DynamoDB leaves unprocessed is asked again."""
        get = self._aws.client("dynamodb").batch_get_item
        tries = 0
        while keys:
            with self._aws.looking_at(f"table {self._name}", "dynamodb:BatchGetItem"):
                answer = get(RequestItems={self._name: {"Keys": keys, "ConsistentRead": True}})
            items = [item for found in answer["Responses"].values() for item in found]
            yield from items
            left = [key for some in answer["UnprocessedKeys"].values() for key in some["Keys"]]
            tries = 0 if len(left) < len(keys) else tries + 1
            if tries == _TRIES:
                problem = Problem("BatchGetItem", "UnprocessedKeys")
                raise CannotSee(f"table {self._name}: {problem}, {tries} times in a row", problem)
            keys = left
            if keys:
                ceiling = min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE)
                self._sleep(random.uniform(0, ceiling))


def digest(item: Mapping[str, Any]) -> bytes:
    """Sixteen bytes that are equal for items that are equal to DynamoDB."""
    return blake2b(_encode({"M": item}), digest_size=16).digest()


def _encode(value: Mapping[str, Any]) -> bytes:
    ((kind, content),) = value.items()
    if kind == "M":
        pieces = [
            part for name in sorted(content) for part in (_text(name), _encode(content[name]))
        ]
    elif kind == "L":
        pieces = [_encode(each) for each in content]
    elif kind in {"SS", "NS", "BS"}:
        pieces = sorted(_ATOMS[kind[0]](each) for each in content)
    else:
        pieces = [_ATOMS[kind](content)]
    return kind.encode() + b"".join(b"%d:%b" % (len(piece), piece) for piece in pieces) + b";"


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _number(text: str) -> bytes:
    """A number by value: sign, digits without zeros at either end, and a power of ten."""
    sign, digits, exponent = Decimal(text).as_tuple()
    whole = int("".join(map(str, digits)))
    if whole == 0:
        return b"0"
    power = int(exponent)
    while whole % 10 == 0:
        whole, power = whole // 10, power + 1
    return b"%de%d" % (-whole if sign else whole, power)


_ATOMS: Mapping[str, Callable[[Any], bytes]] = {
    "S": _text,
    "N": _number,
    "B": bytes,
    "BOOL": lambda flag: b"1" if flag else b"0",
    "NULL": lambda _null: b"",
}


def _key_label(key: Mapping[str, Mapping[str, Any]]) -> str:
    """A key as compact JSON, binary in Base64, numbers by value."""
    shown = {
        name: {kind: _SHOWN[kind](value[kind]) for kind in value} for name, value in key.items()
    }
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)


def _key_of(key: bytes) -> Mapping[str, Mapping[str, Any]]:
    """The attributes that `_key_label` shows, as the SDK takes them."""
    shown = json.loads(key.decode("utf-8", "surrogatepass"))
    return {
        name: {kind: b64decode(text) if kind == "B" else text for kind, text in value.items()}
        for name, value in shown.items()
    }


def _plain(number: Decimal) -> str:
    """A number as people write it, the same for every way to write it."""
    if number == number.to_integral_value():
        return str(int(number))
    return format(number, "f").rstrip("0")


_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "S": str,
    "N": lambda text: _plain(Decimal(text)),
    "B": lambda data: b64encode(bytes(data)).decode(),
}
