"""Reads one bucket for verification, with the SDK's client and none of the copier's code.

A record is what a listing says of an object: equal ones, under the same key, are the same content,
because S3 derives an ETag from it. Unequal ETags settle nothing (parts, KMS), so `same` then looks
closer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from itertools import zip_longest
from operator import itemgetter
from typing import Any, Final

from dataware.calc.key_range import KeyRange, ranges
from dataware.calc.survey import KeySample, Survey
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import Location
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.core.printable import escape_key
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader
from dataware.kinds.s3_bucket.verify.listings import Listed, ObjectPage, read_listing

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
PARTS: Final = 32
"""Into how many parts a large bucket is divided at most."""

PART_OBJECTS: Final = 20_000
"""How many objects a part holds at least, about."""

SAMPLED: Final = 200
"""Keys that one look of the survey shows."""

PROBES: Final = 96
PROBERS: Final = 16
"""Looks of the survey, altogether and at the same time."""

PROBES_EACH: Final = 3
"""Looks for each part, where that is more."""

_CHUNK = 8 * 1024**2
_KMS = "aws:kms"
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm"


class BucketReader(Reader):
    """Reads the current objects of a bucket or prefix."""

    def __init__(self, aws: Aws, place: Location, *, deep: bool) -> None:
        self._aws = aws
        self._deep = deep
        self._name = place.name.rpartition(":::")[2]
        self._prefix = place.prefix
        self._skip = len(place.prefix.encode())
        self._where = {"Bucket": self._name, "ExpectedBucketOwner": place.owner}

    def parts(self) -> Sequence[str]:
        """Ranges of keys that hold about as many objects each; one for a small bucket."""
        parts = self.most_parts or PARTS
        probes = max(PROBES, PROBES_EACH * parts)
        survey = Survey(parts=parts, least=PART_OBJECTS, probes=probes, at_once=PROBERS)
        places: Sequence[bytes] = (b"",)
        with ThreadPoolExecutor(PROBERS, thread_name_prefix="survey") as pool:
            while places:
                for place, sample in zip(places, pool.map(self._sample, places), strict=True):
                    survey.learn(place, sample)
                places = survey.next_sample_keys()
        return [span.text for span in ranges(survey.cuts())]

    def _sample(self, place: bytes) -> KeySample:
        """The first keys after a place."""
        more = {"StartAfter": self._full(place)} if place else {}
        page = self._list(MaxKeys=SAMPLED, **more)
        return KeySample([one[0][self._skip :] for one in page.objects], page.token is not None)

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The objects of a range of keys in the order of S3, which is that of the keys' bytes."""
        span = KeyRange.of(part)
        start = self._start(span, after)
        more = {"StartAfter": start} if start else {}
        cursor = PageCursor("ListObjectsV2", f"bucket {self._name}")
        while True:
            page = self._list(**more)
            records, ended = within(span, self._records(page.objects))
            yield FingerprintPage(records)
            if ended or page.token is None:
                return
            more = {"ContinuationToken": page.token}
            cursor.advance(page.token, entries=len(page.objects))

    def digest_raw(self, record: Listed) -> bytes:
        """Records of a listing are merged, never digested."""
        raise TypeError("the objects of a bucket are merged")

    digest_canonical = digest_raw

    def entry(self, record: Sequence[bytes]) -> KeyFingerprint:
        """An object as an entry; unequal ETags are not conclusive."""
        key, *row = record
        return KeyFingerprint(key, b" ".join(row), self._printable(key), conclusive=False)

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present objects under the keys of `keys`."""
        fingerprints: dict[bytes, KeyFingerprint] = {}
        for entry in keys:
            page = self._list(Prefix=self._full(entry.key), MaxKeys=1)
            for record in self._records(page.objects):
                if record[0] == entry.key:
                    fingerprints[entry.key] = self.entry(record)
        return fingerprints

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
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
        evidence = _by_hash(one, two)
        if evidence is Evidence.METADATA and self.reads_unsettled:
            mine_read, theirs_read = (
                self._read(mine, my_version),
                other._read(theirs, their_version),
            )
            return _by_content((one, mine_read), (two, theirs_read))
        return evidence

    def _list(self, **arguments: Any) -> ObjectPage:
        arguments = {"Prefix": self._prefix, "EncodingType": "url", **arguments}
        with self._aws.translate_errors(f"bucket {self._name}", "s3:ListBucket"):
            return self._aws.fetch(
                "s3", "list_objects_v2", read_listing, **self._where, **arguments
            )

    def _start(self, span: KeyRange, after: str | None) -> str:
        """The key after which the listing begins; empty for the first one."""
        start = span.start if after is None else bytes.fromhex(after)
        return "" if start is None else self._full(start)

    def _records(self, objects: Sequence[Listed]) -> Sequence[Listed]:
        """The objects under their keys relative to the prefix."""
        if not self._skip and not self._deep:
            return objects
        skip, mark = self._skip, self._mark
        return [(key[skip:], etag, size, sort + mark) for key, etag, size, sort in objects]

    @property
    def _mark(self) -> bytes:
        """A deep comparison trusts no ETag: no two records are equal then, and `same` reads."""
        return f" {self._name}/{self._prefix}".encode() if self._deep else b""

    def _full(self, key: bytes) -> str:
        return self._prefix + key.decode()

    def _printable(self, key: bytes) -> str:
        return escape_key(self._prefix.encode() + key)

    def _head(self, key: str, version: Mapping[str, str]) -> dict[str, str] | None:
        try:
            with self._aws.translate_errors(self._label(key), "s3:GetObject"):
                answer = self._s3.head_object(
                    **self._where, Key=self._prefix + key, ChecksumMode="ENABLED", **version
                )
        except NotFoundError as error:
            # A 404 to HEAD has no code and may come from anybody; this call has one.
            if self._tags(key, version) is None:
                return None
            raise LookupFailedError(
                f"cannot access {self._label(key)}: HeadObject says that it is not there, and "
                "GetObjectTagging that it is",
                error.problem,
            ) from error
        headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
        return headers

    def _tags(self, key: str, version: Mapping[str, str]) -> list[tuple[str, str]] | None:
        try:
            with self._aws.translate_errors(self._label(key), "s3:GetObjectTagging"):
                answer = self._s3.get_object_tagging(
                    **self._where, Key=self._prefix + key, **version
                )
        except NotFoundError:
            return None
        return sorted((tag["Key"], tag["Value"]) for tag in answer["TagSet"])

    def _read(self, key: str, version: Mapping[str, str]) -> Iterator[bytes]:
        with self._aws.translate_errors(self._label(key), "s3:GetObject"):
            answer = self._s3.get_object(**self._where, Key=self._prefix + key, **version)
            yield from answer["Body"].iter_chunks(_CHUNK)

    def _label(self, key: str) -> str:
        return f"object {escape_key((self._prefix + key).encode())} of bucket {self._name}"

    @property
    def _s3(self) -> Any:
        return self._aws.client("s3")


def within(span: KeyRange, records: Sequence[Any]) -> tuple[Sequence[Any], bool]:
    """The sorted records that are in a range, and whether it ends with them."""
    if span.end is None or not records or records[-1][0] < span.end:
        return records, False
    return records[: bisect_right(records, span.end, key=itemgetter(0))], True


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    attributes = {
        name: value
        for name, value in headers.items()
        if name in _CONTENT_HEADERS or name.startswith("x-amz-meta-")
    }
    return {**attributes, "storage-class": headers.get("x-amz-storage-class") or "STANDARD"}


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


def _by_content(
    mine: tuple[Mapping[str, str], Iterator[bytes]],
    theirs: tuple[Mapping[str, str], Iterator[bytes]],
) -> Evidence | None:
    """Compare what ETags and checksums leave open, by as few reads as that takes.

    An ETag that is a digest stands for its side, so only the other side is read.
    """
    for (known, _), (_, read) in ((mine, theirs), (theirs, mine)):
        if _is_content_hash(known):
            digest = md5(usedforsecurity=False)
            for chunk in read:
                digest.update(chunk)
            equal = digest.hexdigest() == known["etag"].strip('"')
            return Evidence.CONTENT if equal else None
    pairs = zip_longest(mine[1], theirs[1])
    return Evidence.CONTENT if all(one == two for one, two in pairs) else None


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
    return "-" not in headers["etag"] and not (opaque or _CUSTOMER_KEY in headers)
