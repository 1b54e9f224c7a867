"""Reads every version of a bucket for verification.

A record stands for the whole history of a key: a digest of its versions and delete markers, in the
order of the listing. Where digests differ, `same` goes through both histories, version by version.
A marker counts where it deletes something, that is, right behind a version: others (at the
beginning of a history, or one behind another) change nothing for anybody, and no copy can set them
without the danger of hiding what somebody else writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

from dataware.calc.key_range import KeyRange
from dataware.core.page_cursor import PageCursor
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader
from dataware.kinds.s3_bucket.verify.listings import Version, Versions, read_versions
from dataware.kinds.s3_bucket.verify.reader import BucketReader, within

History = tuple[bytes, bytes]
"""A key, and the digest of its history."""


class HistoryReader(BucketReader):
    """Reads one record per key that has a version or a delete marker, in key order."""

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The histories of a range of keys; one that a page cuts off comes with the next one."""
        span = KeyRange.of(part)
        start = self._start(span, after)
        more = {"KeyMarker": start} if start else {}
        story = _Story()
        for page in self._version_pages(Prefix=self._prefix, **more):
            whole = list(self._finished_histories(page, story))
            if page.more is None and story.has_versions:
                whole.append(story.history)
            records, ended = within(span, whole)
            yield FingerprintPage(records)
            if ended:
                return

    def entry(self, record: Sequence[bytes]) -> KeyFingerprint:
        """A history as an entry."""
        key, digest = record
        return KeyFingerprint(key, digest, self._printable(key), conclusive=False)

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Compare two histories, version by version."""
        if not isinstance(other, HistoryReader):
            raise TypeError("a history is only compared with a history")
        if mine.digest == theirs.digest:
            return Evidence.CONTENT
        weakest = Evidence.CONTENT
        for one, two in zip_longest(self._history(mine.key), other._history(theirs.key)):
            evidence = None if one is None or two is None else self._equal(one, other, two)
            if evidence is None:
                return None
            if evidence is Evidence.METADATA:
                weakest = evidence
        return weakest

    def _equal(self, one: Version, other: HistoryReader, two: Version) -> Evidence | None:
        if one.listed is None or two.listed is None:
            return Evidence.CONTENT if one.listed == two.listed else None
        if self._digest(one) == other._digest(two):
            return Evidence.CONTENT
        mine, theirs = (each.key.decode() for each in (one, two))
        versions = [{"VersionId": each.id} for each in (one, two)]
        return self._same_object(
            mine[len(self._prefix) :], other, theirs[len(other._prefix) :], *versions
        )

    def _finished_histories(self, page: Versions, story: _Story) -> Iterator[History]:
        """The histories that end before the last key of a page, which may go on."""
        for version in page.versions:
            key = version.key[self._skip :]
            if key != story.key:
                if story.has_versions:
                    yield story.history
                story.begin(key)
            if version.listed is None:
                story.marked = True
            else:
                story.add(self._digest(version))

    def _digest(self, version: Version) -> bytes:
        """What is said of a version; nothing of a marker."""
        return b"" if version.listed is None else b" ".join(version.listed[1:]) + self._mark + b"\n"

    def _history(self, key: bytes) -> Iterator[Version]:
        """The history of a key, newest first."""
        full = self._full(key)
        marker: Version | None = None
        for page in self._version_pages(Prefix=full):
            for version in page.versions:
                if version.key != full.encode():
                    return
                if version.listed is None:
                    marker = version
                    continue
                if marker is not None:
                    yield marker
                yield version
                marker = None

    def _version_pages(self, **arguments: Any) -> Iterator[Versions]:
        more: dict[str, str] = {"EncodingType": "url"}
        cursor = PageCursor("ListObjectVersions", f"bucket {self._name}")
        while True:
            with self._aws.translate_errors(f"bucket {self._name}", "s3:ListBucketVersions"):
                page = self._aws.fetch(
                    "s3",
                    "list_object_versions",
                    read_versions,
                    **{**self._where, **arguments, **more},
                )
            yield page
            if page.more is None:
                return
            more |= page.more
            cursor.advance(page.more, entries=len(page.versions))


class _Story:
    """The history that is being read."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        self.digest = blake2b(digest_size=16)
        self.has_versions = self.marked = False

    @property
    def history(self) -> History:
        """The history, once it has ended."""
        return self.key or b"", self.digest.digest()

    def begin(self, key: bytes) -> None:
        """Another key."""
        self.key, self.digest = key, blake2b(digest_size=16)
        self.has_versions = self.marked = False

    def add(self, digest: bytes) -> None:
        """The next older version, with the marker that stands before it, if any."""
        self.digest.update(b"delete marker\n" + digest if self.marked else digest)
        self.has_versions, self.marked = True, False
