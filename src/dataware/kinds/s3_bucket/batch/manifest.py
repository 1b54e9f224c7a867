"""The manifest of a job: a CSV without a header, written and read as a stream.

Sources: Amazon S3 User Guide, "Specifying a manifest" (keys are URL-encoded; a header would be read
as a bucket; either every row has a version id or none has), and "Amazon S3 multipart upload
limits" (10,000 parts of 5 MiB to 5 GiB).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes

PART_BYTES = 16 * 1024**2
"""Of a manifest in 10,000 parts: 160 GB, which is a thousand million keys of 160 bytes."""

MOST_PARTS = 10_000

FORMAT = "S3BatchOperations_CSV_20180820"


class ManifestRow(NamedTuple):
    """An object to copy, and its version where versions are meant."""

    key: bytes
    version: str | None = None


class PartSink(Protocol):
    """Takes an object in parts, as an upload in parts does."""

    def put(self, number: int, body: bytes) -> None:
        """Store a part, counted from 1; all but the last one have `PART_BYTES`."""
        ...

    def complete(self) -> str:
        """End the object; its ETag."""
        ...


def encode_key(key: bytes) -> str:
    """A key as it stands in a manifest: as in a form, with slashes as they are."""
    return quote_from_bytes(key, safe="/ ").replace(" ", "+")


def decode_key(text: str) -> bytes:
    """The key that `encode_key` wrote."""
    return unquote_to_bytes(text.replace("+", " "))


class ManifestWriter:
    """Writes the rows of one bucket; `count` tells how many."""

    def __init__(self, sink: PartSink, bucket: str, *, versions: bool = False) -> None:
        self._sink = sink
        self._bucket = bucket
        self._versions = versions
        self._buffer = bytearray()
        self._parts = 0
        self.count = 0

    @property
    def fields(self) -> list[str]:
        """The columns, as the job gets them."""
        return ["Bucket", "Key", *(["VersionId"] if self._versions else [])]

    def add(self, row: ManifestRow) -> None:
        """Write a row. Raises ValueError for one with a version among those without, or reversed.

        An encoded key holds neither a comma nor a quote nor a line break, so no cell is quoted.
        """
        if (row.version is not None) is not self._versions:
            raise ValueError("either every row of a manifest has a version, or none has")
        cells = f"{self._bucket},{encode_key(row.key)}"
        text = f"{cells},{row.version}\n" if self._versions else f"{cells}\n"
        self._buffer += text.encode()
        self.count += 1
        while len(self._buffer) >= PART_BYTES:
            self._put(PART_BYTES)

    def complete(self) -> str:
        """Write what is left, and end the object; its ETag. Raises ValueError without a row."""
        if not self.count:
            raise ValueError("a manifest needs a row")
        if self._buffer:
            self._put(len(self._buffer))
        return self._sink.complete()

    def _put(self, size: int) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ValueError(f"a manifest of more than {MOST_PARTS:,} parts cannot be uploaded")
        self._sink.put(self._parts, bytes(self._buffer[:size]))
        del self._buffer[:size]


def read_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a text in UTF-8, each with its end, out of pieces that may be cut anywhere."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode() + "\n"
    if rest:
        yield rest.decode()
