"""What a reader shows, one entry after the other."""

from __future__ import annotations

from collections.abc import Iterator

from dataware.core.reader import KeyFingerprint, Reader


def read_entries(reader: Reader, *parts: str) -> Iterator[KeyFingerprint]:
    """Read the entries of some parts, or of all of them."""
    for part in parts or reader.parts():
        for page in reader.pages(part):
            yield from map(reader.entry, page.records)
