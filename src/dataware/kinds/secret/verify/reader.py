"""Reads the labelled versions of a secret; of each value only a keyed hash is kept.

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
from dataware.core.page_cursor import PageCursor, list_pages
from dataware.core.ports import Aws
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader

_KEY: Final = os.urandom(32)


class SecretReader(Reader):
    """Reads one secret, in the order of its version ids."""

    def __init__(self, aws: Aws, place: Location) -> None:
        self._aws = aws
        self._name = place.name

    def parts(self) -> Sequence[str]:
        """One: a secret has a hundred versions at most."""
        return ("",)

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The versions, all at once."""
        span, last = KeyRange.of(part), bytes.fromhex(after or "")
        rows = sorted(self._rows(), key=lambda row: str(row["VersionId"]))
        keys = [(row["VersionId"].encode(), row) for row in rows]
        yield FingerprintPage(
            [self._record(key, row) for key, row in keys if key in span and key > last]
        )

    def digest_raw(self, record: Any) -> bytes:
        """Sixteen bytes of a version."""
        return self.entry(record).digest

    digest_canonical = digest_raw

    def entry(self, record: Any) -> KeyFingerprint:
        """A version as an entry."""
        key, digest, labels = record
        fingerprint = _hash(digest + repr(labels).encode())
        return KeyFingerprint(key, fingerprint[:16], key.decode())

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present entries under some keys."""
        wanted = {one.key for one in keys}
        (page,) = self.pages("")
        return {one.key: one for one in map(self.entry, page.records) if one.key in wanted}

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Digests settle everything."""
        del other
        return Evidence.CONTENT if mine.digest == theirs.digest else None

    def _record(self, key: bytes, row: Mapping[str, Any]) -> tuple[bytes, bytes, tuple[str, ...]]:
        what, permission = f"secret {self._name}", "secretsmanager:GetSecretValue"
        with hide_values(self._aws, what, permission):
            answer = self._aws.client("secretsmanager").get_secret_value(
                SecretId=self._name, VersionId=key.decode()
            )
            text, binary = answer.get("SecretString"), answer.get("SecretBinary")
            value = b"b" + bytes(binary) if text is None else b"s" + text.encode()
            digest = _hash(value)
            del answer, text, binary, value
        return key, digest, tuple(sorted(row["VersionStages"]))

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        """Every version that has a label."""
        what = f"secret {self._name}"

        def ask(**more: str) -> Mapping[str, Any]:
            with hide_values(self._aws, what, "secretsmanager:ListSecretVersionIds"):
                manager = self._aws.client("secretsmanager")
                return dict(manager.list_secret_version_ids(SecretId=self._name, **more))

        for page in list_pages(PageCursor("ListSecretVersionIds", what), ask):
            yield from (row for row in page.get("Versions") or () if row.get("VersionStages"))


def _hash(value: bytes) -> bytes:
    return hmac.digest(_KEY, value, "sha256")
