"""Reads a table for verification, with none of the copier's code.

A record is an item as it was sent. Equal bytes are equal items; the service may send equal items
in other orders and spellings, so different bytes say nothing until they are read. `aws` is a
control plane of the region in which the table lives.
"""

from __future__ import annotations

import json
import random
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from dataware.core.errors import LookupFailedError
from dataware.core.model import Location, Problem
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader
from dataware.kinds.dynamodb_table.verify.digests import (
    digest,
    digest_meaning,
    digest_of,
    parse_item,
)
from dataware.kinds.dynamodb_table.verify.responses import read_got, read_scan, read_table

PART_BYTES: Final = 64 * 1024**2
"""How much of a table one part holds, within MIN_PARTS and MAX_PARTS."""

MIN_PARTS: Final = 4
MAX_PARTS: Final = 64

BATCH_KEYS: Final = 100
"""Keys in one BatchGetItem (Amazon DynamoDB API Reference, BatchGetItem)."""

_TRIES = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


class TableReader(Reader):
    """One side of a comparison. Digests are conclusive, so `deep` has nothing to add."""

    def __init__(
        self,
        aws: Aws,
        place: Location,
        *,
        all_versions: bool = False,
        deep: bool = False,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        del all_versions, deep
        self._aws = aws
        self._name = place.name
        self._sleep = sleep
        self._table: Mapping[str, Any] | None = None

    def parts(self) -> Sequence[str]:
        """Scan segments ``i of N``."""
        wanted = int(self._describe_table().get("TableSizeBytes", 0)) // PART_BYTES
        total = min(max(wanted, MIN_PARTS), self.most_parts or MAX_PARTS)
        return [f"{segment} of {total}" for segment in range(total)]

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The items of a segment, by consistent reads; a cursor is the last key as JSON."""
        segment, total = part.split(" of ")
        where: dict[str, Any] = {"Segment": int(segment), "TotalSegments": int(total)}
        ask = {"TableName": self._name, "ConsistentRead": True}
        last = json.loads(after) if after else None
        cursor = PageCursor("Scan", f"table {self._name}")
        while True:
            if last is not None:
                where["ExclusiveStartKey"] = _for_sdk(last)
            with self._aws.translate_errors(f"table {self._name}", "dynamodb:Scan"):
                page = self._aws.fetch("dynamodb", "scan", read_scan, **ask, **where)
            last = page.last
            yield FingerprintPage(page.items, None if last is None else json.dumps(last))
            if last is None:
                return
            cursor.advance(last, entries=len(page.items))

    # Called for every item of both sides, so without a call in between.
    digest_raw = staticmethod(digest_of)
    digest_canonical = staticmethod(digest_meaning)

    def entry(self, record: bytes) -> KeyFingerprint:
        """An item as an entry, under its key as compact JSON."""
        item = parse_item(record)
        schema = sorted(self._describe_table()["KeySchema"], key=lambda each: each["KeyType"])
        label = _key_label({each["AttributeName"]: item[each["AttributeName"]] for each in schema})
        key = label.encode("utf-8", "surrogatepass")
        return KeyFingerprint(key, digest(item), label, sent=digest_of(record))

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present items under the keys of `keys`."""
        wanted = iter(dict.fromkeys(entry.key for entry in keys))
        fingerprints: dict[bytes, KeyFingerprint] = {}
        while batch := list(islice(wanted, BATCH_KEYS)):
            entries = map(self.entry, self._get([_key_of(key) for key in batch]))
            fingerprints.update((entry.key, entry) for entry in entries)
        return fingerprints

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Digests say it all."""
        del other
        return Evidence.CONTENT if mine.digest == theirs.digest else None

    def _describe_table(self) -> Mapping[str, Any]:
        if self._table is None:
            with self._aws.translate_errors(f"table {self._name}", "dynamodb:DescribeTable"):
                self._table = self._aws.fetch(
                    "dynamodb", "describe_table", read_table, TableName=self._name
                )
        return self._table

    def _get(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
        """The items under `keys`; what DynamoDB leaves unprocessed is asked again."""
        tries = 0
        while keys:
            wanted = [_for_sdk(key) for key in keys]
            request = {self._name: {"Keys": wanted, "ConsistentRead": True}}
            with self._aws.translate_errors(f"table {self._name}", "dynamodb:BatchGetItem"):
                page = self._aws.fetch("dynamodb", "batch_get_item", read_got, RequestItems=request)
            yield from page.items
            keys_left = page.unprocessed
            tries = 0 if len(keys_left) < len(keys) else tries + 1
            if tries == _TRIES:
                problem = Problem("BatchGetItem", "UnprocessedKeys")
                raise LookupFailedError(
                    f"table {self._name}: {problem}, {tries} times in a row", problem
                )
            keys = keys_left
            if keys:
                ceiling = min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE)
                (self._sleep or self._aws.pause)(random.uniform(0, ceiling))


def _key_label(key: Mapping[str, Mapping[str, str]]) -> str:
    """A key as compact JSON, binary in Base64, numbers by value."""
    values = {name: _plain_number(value) for name, value in key.items()}
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def _plain_number(value: Mapping[str, str]) -> Mapping[str, str]:
    return {"N": _plain(Decimal(value["N"]))} if "N" in value else value


def _key_of(key: bytes) -> Mapping[str, Mapping[str, str]]:
    """The attributes that `_key_label` shows."""
    attributes: dict[str, dict[str, str]] = json.loads(key.decode("utf-8", "surrogatepass"))
    return attributes


def _for_sdk(key: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, Any]]:
    """A key as the SDK takes it: binary as bytes."""
    return {
        name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in key.items()
    }


def _plain(number: Decimal) -> str:
    """A number as people write it, the same for every way to write it."""
    if number == number.to_integral_value():
        return str(int(number))
    return format(number, "f").rstrip("0")
