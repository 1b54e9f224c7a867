"""Reads every version of a bucket for verification.

The SDK lists versions and delete markers apart, so how they alternate shows in their times only,
which are in whole seconds. Different fingerprints are therefore never conclusive: `same` asks for
the history of a key entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from heapq import merge
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Any

from dataware.core.kind import Entry, Evidence, Reader
from dataware.kinds.s3_bucket.reader import BucketReader
from dataware.kinds.s3_bucket.requests import shown

_One = dict[str, Any]


class HistoryReader(BucketReader):
    """Reads one entry per key, which stands for all its versions and delete markers."""

    def entries(self, part: str) -> Iterator[Entry]:
        """Every key that has a version or a delete marker, in key order."""
        for key, history in groupby(self._histories(), key=itemgetter("Key")):
            yield self._folded(key, history)

    def same(self, mine: Entry, other: Reader, theirs: Entry) -> Evidence | None:
        """Compare two histories, version by version."""
        if not isinstance(other, HistoryReader):
            raise TypeError("a history is only compared with a history")
        if mine.digest == theirs.digest:
            return Evidence.CONTENT
        key, their_key = mine.key.decode(), theirs.key.decode()
        weakest = Evidence.CONTENT
        for one, two in zip_longest(self._one_by_one(key), other._one_by_one(their_key)):
            evidence = None if one is None or two is None else self._equal(one, other, two)
            if evidence is None:
                return None
            if evidence is Evidence.METADATA:
                weakest = evidence
        return weakest

    def _equal(self, one: _One, other: HistoryReader, two: _One) -> Evidence | None:
        if "ETag" not in one or "ETag" not in two:
            return Evidence.CONTENT if ("ETag" in one) == ("ETag" in two) else None
        if self._digest(one) == other._digest(two):
            return Evidence.CONTENT
        mine, theirs = one["Key"][len(self._prefix) :], two["Key"][len(other._prefix) :]
        versions = [{"VersionId": each["VersionId"]} for each in (one, two)]
        return self._same_object(mine, other, theirs, *versions)

    def _folded(self, key: str, history: Iterator[_One]) -> Entry:
        digest = blake2b(digest_size=16)
        for one in history:
            digest.update(self._digest(one) if "ETag" in one else b"delete marker")
            digest.update(b"\n")
        return Entry(
            key=key[len(self._prefix) :].encode(),
            digest=digest.digest(),
            label=shown(key.encode()),
            conclusive=False,
        )

    def _histories(self) -> Iterator[_One]:
        """Versions and delete markers by key, newest first as far as their times tell."""
        pages = self._version_pages(Prefix=self._prefix)
        for page in pages:
            yield from _interleaved(page)

    def _one_by_one(self, key: str) -> Iterator[_One]:
        """The exact history of a key, newest first: a page of one entry leaves no doubt."""
        full = self._prefix + key
        for page in self._version_pages(Prefix=full, MaxKeys=1):
            for one in _interleaved(page):
                if one["Key"] != full:
                    return
                yield one

    def _version_pages(self, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            with self._aws.looking_at(f"bucket {self._name}", "s3:ListBucketVersions"):
                page = self._s3.list_object_versions(**self._where, **arguments, **more)
            yield page
            if not page["IsTruncated"]:
                return
            more = {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page["NextVersionIdMarker"],
            }


def _interleaved(page: Mapping[str, Any]) -> Iterator[_One]:
    def place(one: _One) -> tuple[bytes, bool, float]:
        return one["Key"].encode(), not one["IsLatest"], -one["LastModified"].timestamp()

    return merge(page.get("Versions", ()), page.get("DeleteMarkers", ()), key=place)
