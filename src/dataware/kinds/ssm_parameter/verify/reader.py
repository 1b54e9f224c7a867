"""Reads all values of a parameter, newest first; of each only a keyed hash is kept.

The key is made by this process for itself and never leaves it, so no hash says anything to anybody
else (a hash without a key would give short values away).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dataware.calc.key_range import KeyRange
from dataware.core.hidden_values import hide_values
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader

_KEY: Final = os.urandom(32)

ValueRecord = tuple[bytes, bytes, tuple[str, ...]]
"""The age of a value, its hash, and its labels."""


class ParameterReader(Reader):
    """Reads one parameter; a value goes by its age, because numbers differ between both sides."""

    def __init__(self, aws: Aws, place: Location) -> None:
        self._aws = aws
        self._name = place.name

    def parts(self) -> Sequence[str]:
        """One: a parameter keeps a hundred values."""
        return ("",)

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The values, all at once."""
        span, last = KeyRange.of(part), bytes.fromhex(after or "")
        records = [one for one in self._records() if one[0] in span and one[0] > last]
        yield FingerprintPage(records)

    def digest_raw(self, record: Any) -> bytes:
        """Sixteen bytes of a value."""
        return self.entry(record).digest

    digest_canonical = digest_raw

    def entry(self, record: Any) -> KeyFingerprint:
        """A value as an entry; one with more labels may still be what is wanted."""
        key, digest, labels = record
        fingerprint = _hash(digest + repr(labels).encode())
        age = int(key)
        label = "the newest value" if age == 0 else f"the value {age} before the newest"
        return KeyFingerprint(key, fingerprint[:16], label, conclusive=False)

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present entries under some keys."""
        wanted = {one.key for one in keys}
        return {one.key: one for one in map(self.entry, self._records()) if one.key in wanted}

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Whether the other side has the value with all its labels; it may have more of them."""
        if not isinstance(other, ParameterReader):
            raise TypeError("a parameter is only compared with a parameter")
        one, two = (reader._find(at.key) for reader, at in ((self, mine), (other, theirs)))
        if one is None or two is None or one[1] != two[1]:
            return None
        return Evidence.CONTENT if set(one[2]) <= set(two[2]) else None

    def _find(self, key: bytes) -> ValueRecord | None:
        return next((one for one in self._records() if one[0] == key), None)

    def _records(self) -> list[ValueRecord]:
        pages = self._aws.client("ssm").get_paginator("get_parameter_history")
        with hide_values(self._aws, f"parameter {self._name}", "ssm:GetParameterHistory"):
            versions = [
                (int(row["Version"]), _digest(row), tuple(sorted(row.get("Labels") or ())))
                for page in pages.paginate(Name=self._name, WithDecryption=True)
                for row in page["Parameters"]
            ]
        newest_first = sorted(versions, key=lambda one: -one[0])
        return [
            (b"%03d" % age, digest, labels) for age, (_, digest, labels) in enumerate(newest_first)
        ]


def _digest(row: Mapping[str, Any]) -> bytes:
    kind = f"{row['Type']} {row.get('DataType') or 'text'}\n"
    return _hash(kind.encode() + str(row["Value"]).encode())


def _hash(value: bytes) -> bytes:
    return hmac.digest(_KEY, value, "sha256")
