"""Reads one bucket for verification, with the SDK's client and parser instead of the copier's.

A fingerprint is size, ETag and storage class. Equal ones are the same content, because S3 derives
an ETag from it; unequal ETags settle nothing (parts, KMS), so `same` then looks closer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from dataware.core.errors import NotThere
from dataware.core.kind import Entry, Evidence, Place, Reader
from dataware.core.ports import Aws
from dataware.kinds.s3_bucket.requests import shown

_CONTENT_HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "expires",
    }
)
_CHUNK = 8 * 1024**2
_KMS = "aws:kms"


class BucketReader:
    """Reads the current objects of a bucket or prefix."""

    def __init__(self, aws: Aws, place: Place, *, deep: bool) -> None:
        self._aws = aws
        self._deep = deep
        self._name = place.name.rpartition(":::")[2]
        self._prefix = place.prefix
        self._where = {"Bucket": self._name, "ExpectedBucketOwner": place.owner}

    def parts(self) -> Sequence[str]:
        """One part: the listing is in key order."""
        return ("",)

    def entries(self, part: str) -> Iterator[Entry]:
        """Every object in the order of S3, which is that of the keys' bytes."""
        more: dict[str, str] = {}
        while True:
            page = self._list(**more)
            yield from map(self._entry, page.get("Contents", ()))
            if not page["IsTruncated"]:
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def find(self, keys: Sequence[Entry]) -> Mapping[bytes, Entry]:
        """The present objects under the keys of `keys`."""
        found: dict[bytes, Entry] = {}
        for entry in keys:
            key = self._prefix + entry.key.decode()
            for one in self._list(Prefix=key, MaxKeys=1).get("Contents", ()):
                if one["Key"] == key:
                    found[entry.key] = self._entry(one)
        return found

    def same(self, mine: Entry, other: Reader, theirs: Entry) -> Evidence | None:
        """Compare two objects by attributes, then by content as far as it can be seen."""
        if not isinstance(other, BucketReader):
            raise TypeError("a bucket is only compared with a bucket")
        if mine.digest == theirs.digest:
            return Evidence.CONTENT
        return self._same_object(mine.key.decode(), other, theirs.key.decode(), {}, {})

    def _same_object(
        self,
        mine: str,
        other: BucketReader,
        theirs: str,
        my_version: Mapping[str, str],
        their_version: Mapping[str, str],
    ) -> Evidence | None:
        one, two = self._head(mine, my_version), other._head(theirs, their_version)
        if one is None or two is None or _attributes(one) != _attributes(two):
            return None
        if self._tags(mine, my_version) != other._tags(theirs, their_version):
            return None
        if self._deep:
            pairs = zip_longest(self._read(mine, my_version), other._read(theirs, their_version))
            return Evidence.CONTENT if all(a == b for a, b in pairs) else None
        return _by_hash(one, two)

    def _list(self, **arguments: Any) -> dict[str, Any]:
        arguments = {"Prefix": self._prefix, **arguments}
        with self._aws.looking_at(f"bucket {self._name}", "s3:ListBucket"):
            page: dict[str, Any] = self._s3.list_objects_v2(**self._where, **arguments)
        return page

    def _entry(self, one: Mapping[str, Any]) -> Entry:
        key: str = one["Key"]
        return Entry(
            key=key[len(self._prefix) :].encode(),
            digest=self._digest(one),
            label=shown(key.encode()),
            conclusive=False,
        )

    def _digest(self, one: Mapping[str, Any]) -> bytes:
        said = f"{one['Size']} {one['ETag']} {one.get('StorageClass') or 'STANDARD'}"
        # A deep comparison trusts no ETag: no two fingerprints are equal then, and `same` reads.
        return f"{said} {self._name}/{self._prefix}".encode() if self._deep else said.encode()

    def _head(self, key: str, version: Mapping[str, str]) -> dict[str, str] | None:
        try:
            with self._aws.looking_at(self._label(key), "s3:GetObject"):
                answer = self._s3.head_object(
                    **self._where, Key=self._prefix + key, ChecksumMode="ENABLED", **version
                )
        except NotThere:
            return None
        headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
        return headers

    def _tags(self, key: str, version: Mapping[str, str]) -> list[tuple[str, str]] | None:
        try:
            with self._aws.looking_at(self._label(key), "s3:GetObjectTagging"):
                answer = self._s3.get_object_tagging(
                    **self._where, Key=self._prefix + key, **version
                )
        except NotThere:
            return None
        return sorted((tag["Key"], tag["Value"]) for tag in answer["TagSet"])

    def _read(self, key: str, version: Mapping[str, str]) -> Iterator[bytes]:
        with self._aws.looking_at(self._label(key), "s3:GetObject"):
            answer = self._s3.get_object(**self._where, Key=self._prefix + key, **version)
            yield from answer["Body"].iter_chunks(_CHUNK)

    def _label(self, key: str) -> str:
        return f"object {shown((self._prefix + key).encode())} of bucket {self._name}"

    @property
    def _s3(self) -> Any:
        return self._aws.client("s3")


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in headers.items()
        if name in _CONTENT_HEADERS or name.startswith("x-amz-meta-")
    }
    return {**kept, "storage-class": headers.get("x-amz-storage-class") or "STANDARD"}


def _by_hash(one: Mapping[str, str], two: Mapping[str, str]) -> Evidence | None:
    if one["etag"] == two["etag"]:
        return Evidence.CONTENT
    mine, theirs = _checksums(one), _checksums(two)
    if shared := mine.keys() & theirs.keys():
        equal = all(mine[name] == theirs[name] for name in shared)
        return Evidence.CONTENT if equal else None
    if _is_content_hash(one) and _is_content_hash(two):
        return None
    return Evidence.METADATA


def _checksums(headers: Mapping[str, str]) -> dict[str, str]:
    """The checksums of the whole content; a composite one depends on how it was uploaded."""
    sort = headers.get("x-amz-checksum-type", "COMPOSITE" if "-" in headers["etag"] else "")
    if sort == "COMPOSITE":
        return {}
    prefix = "x-amz-checksum-"
    return {
        name: value
        for name, value in headers.items()
        if name.startswith(prefix) and name != f"{prefix}type" and "-" not in value
    }


def _is_content_hash(headers: Mapping[str, str]) -> bool:
    opaque = headers.get("x-amz-server-side-encryption", "").startswith(_KMS)
    return "-" not in headers["etag"] and not opaque
