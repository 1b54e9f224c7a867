"""What a resource type brings to be verified: the protocol of a reader, and what it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from dataware.core.model import Location
from dataware.core.ports import Aws


@dataclass(frozen=True, slots=True)
class FingerprintPage:
    """What a reader got in one call; `cursor` goes on after it, None ends the part.

    Records are opaque. Those of an `ordered` kind are tuples that begin with the key, and equal
    ones stand for equal content; it needs no cursors, because it goes on after any key.
    """

    records: Sequence[Any]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFingerprint:
    """One key with the fingerprint of what stands under it.

    Two entries with equal `digest` are the same. Where digests differ and `conclusive` is False
    on either side, only `Reader.same` can tell. `key` orders as the service lists it. `sent`
    digests the record as it was sent, for a kind that may send equal records in several ways.
    """

    key: bytes
    digest: bytes
    label: str
    conclusive: bool = True
    sent: bytes = b""


class Evidence(StrEnum):
    """What an equality rests on."""

    CONTENT = "content"
    METADATA = "size and metadata"


class Reader(Protocol):
    """Reads one side for verification; shares no code with the copier.

    With `reads_unsettled`, `same` reads the content where nothing that the service says of it
    settles whether it is equal. `most_parts` is into how many parts a large place is divided at
    most, where many read it at once (None: as suits one machine).
    """

    reads_unsettled: bool = False
    most_parts: int | None = None

    def parts(self) -> Sequence[str]:
        """Disjoint parts that cover the place and may be read in parallel.

        Those of an `ordered` kind are ranges of keys (`KeyRange.text`), so that both sides can
        read them.
        """
        ...

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The records of a part, from its start or after a cursor; sorted if `ordered`.

        An error ends the iterator by raising; it never looks like the end of the data. An
        `ordered` kind takes any key, in hexadecimal, for a cursor.
        """
        ...

    def digest_raw(self, record: Any) -> bytes:
        """Sixteen bytes of a record as it was sent: equal ones mean equal records (unordered)."""
        ...

    def digest_canonical(self, record: Any) -> bytes:
        """Sixteen bytes that are equal exactly for records that are equal (unordered)."""
        ...

    def entry(self, record: Any) -> KeyFingerprint:
        """A record as an entry."""
        ...

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present entries under the keys of `keys`, by key (unordered)."""
        ...

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Look closer at two entries whose digests settle nothing; None if they differ."""
        ...


class MakeReader(Protocol):
    """How a card offers its reader."""

    def __call__(self, aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
        """A reader of `place`; does no I/O. `deep` reads the content itself."""
        ...
