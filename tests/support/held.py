"""A side of a comparison that is held in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from dataware.calc.key_range import KeyRange, ranges
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader
from dataware.verify.merge import DifferenceKind

PAGE = 4


@dataclass
class Held(Reader):
    """A side in memory: in ranges of keys, or in parts and pages without order.

    `spelt` spells records, those from `spelt_from` on, in a way of its own, which means the same.
    """

    content: Mapping[str, str]
    ordered: bool
    conclusive: bool = True
    grounds: Evidence | None = None
    spelt: str = ""
    spelt_from: str = ""
    looked_up: int = 0

    def parts(self) -> Sequence[str]:
        """Three parts."""
        return [each.text for each in ranges([b"a", b"bb"])] if self.ordered else ("0", "1", "2")

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The records of a part, a few at a time; parts without order share them out."""
        keys = sorted(self.content)
        if self.ordered:
            span = KeyRange.of(part)
            keys = [key for key in keys if key.encode() in span]
            keys = [key for key in keys if after is None or key.encode() > bytes.fromhex(after)]
        else:
            keys = keys[int(part) :: 3][int(after or 0) :]
        for at in range(0, len(keys), PAGE):
            records = [self._record(key) for key in keys[at : at + PAGE]]
            more = at + PAGE < len(keys)
            yield FingerprintPage(records, str(int(after or 0) + at + PAGE) if more else None)
        if not keys:
            yield FingerprintPage(())

    def digest_raw(self, record: Any) -> bytes:
        """The record with its spelling."""
        return blake2b(repr(record).encode(), digest_size=16).digest()

    def digest_canonical(self, record: Any) -> bytes:
        """The record without its spelling."""
        return blake2b(repr(record[:2]).encode(), digest_size=16).digest()

    def entry(self, record: Any) -> KeyFingerprint:
        """A record as an entry."""
        key, value, *_ = record
        return KeyFingerprint(key, value, key.decode(), self.conclusive, self.digest_raw(record))

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """What is under some keys."""
        names = [entry.label for entry in keys]
        self.looked_up += len(names)
        return {n.encode(): self.entry(self._record(n)) for n in names if n in self.content}

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """The answer that the test has set."""
        return self.grounds

    def _record(self, key: str) -> tuple[bytes, ...]:
        record = key.encode(), self.content[key].encode()
        spelt = self.spelt if key >= self.spelt_from else ""
        return record if self.ordered else (*record, spelt.encode())

    @staticmethod
    def difference(label: str) -> tuple[DifferenceKind, KeyFingerprint]:
        """A difference to take note of."""
        return DifferenceKind.MISSING, KeyFingerprint(label.encode(), b"", label)
