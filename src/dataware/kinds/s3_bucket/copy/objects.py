"""Copying one object, or one version of it, to the target on the server's side."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dataware.core.copier import CopyOrder, SkippedKey, SkipReason
from dataware.core.printable import escape_key
from dataware.http.error_answer import ErrorAnswer, RequestRefusedError
from dataware.kinds.s3_bucket.copy.client import S3Client
from dataware.kinds.s3_bucket.copy.fast_xml import quick_copied
from dataware.kinds.s3_bucket.copy.requests import Bucket, S3Request, quote_etag
from dataware.kinds.s3_bucket.copy.xml import ListedObject, read_copied
from dataware.kinds.s3_bucket.storage_classes import ARCHIVE_CLASSES

_CARRIED = {
    "x-amz-metadata-directive": "COPY",
    "x-amz-tagging-directive": "COPY",
    "x-amz-object-annotation-directive": "COPY",
}
RELAYED_BYTES = 32 * 1024**2
"""What one object that passes through this machine holds in memory at most."""

ENCRYPTION = "x-amz-server-side-encryption"

ONLY_IF_ABSENT: Mapping[str, str] = {"if-none-match": "*"}


def only_if(etag: str) -> Mapping[str, str]:
    """The condition that the target still holds the object that was seen there."""
    return {"if-match": quote_etag(etag)}


@dataclass(frozen=True)
class BucketPair:
    """Both sides of a copy, and how to talk to them.

    `tags` takes in the ETag that each key of the source has in the target then, where that is
    asked for.
    """

    calls: S3Client
    source: Bucket
    target: Bucket
    order: CopyOrder
    tags: dict[bytes, str] | None = field(default=None, compare=False, repr=False)
    _carrying: dict[tuple[str, str | None, bool], dict[str, str]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """The headers that every request with a source shares: who must own both sides."""
        return {**self.target.expected, "x-amz-source-expected-bucket-owner": self.source.owner}

    @cached_property
    def written(self) -> Mapping[str, str]:
        """The headers of encryption and access that every new object gets.

        CopyObject, CreateMultipartUpload and PutObject take them; UploadPartCopy does not, because
        an upload says it at its beginning (Amazon S3 API Reference).
        """
        order = self.order.headers
        headers = {
            ENCRYPTION: order.encryption,
            f"{ENCRYPTION}-aws-kms-key-id": order.kms_key,
            "x-amz-acl": order.acl,
        }
        return {name: value for name, value in headers.items() if value}

    def bytes_in_memory(self, size: int) -> int:
        """What an object of a size takes here: nothing where S3 copies it by itself."""
        return min(size, RELAYED_BYTES) if self.source.own_credentials else 0

    @property
    def needed(self) -> str:
        """What a copy needs; S3 says what is denied only to callers of the same account."""
        headers = self.order.headers
        acl = "s3:PutObjectAcl, " if headers.acl else ""
        key = " with kms:GenerateDataKey and kms:Decrypt for the key" if headers.kms_key else ""
        return (
            f"s3:GetObject and s3:GetObjectTagging on the source, {acl}s3:PutObject and "
            f"s3:PutObjectTagging on the target{key}, and no policy that denies them"
        )

    def carrying(self, storage_class: str, checksum: str | None, absent: bool) -> Mapping[str, str]:
        """The headers that CopyObject shares for all objects of one storage class and checksum.

        `absent` says that the target has to lack the key.
        """
        sort = storage_class, checksum, absent
        headers = self._carrying.get(sort)
        if headers is None:
            headers = {**self.owners, **_CARRIED, **self.written}
            headers["x-amz-storage-class"] = storage_class
            if checksum is not None:
                headers["x-amz-checksum-algorithm"] = checksum
            if absent:
                headers.update(ONLY_IF_ABSENT)
            self._carrying[sort] = headers
        return headers

    @classmethod
    def of(cls, calls: S3Client, order: CopyOrder) -> BucketPair:
        """The sides that an order names."""
        return cls(calls, Bucket.of(order.source), Bucket.of(order.target), order)

    def target_key(self, key: bytes) -> bytes:
        """Where an object of the source goes."""
        return self.target.prefix + self.source.relative(key)


def copy_at_once(
    pair: BucketPair, entry: ListedObject, condition: Mapping[str, str]
) -> Awaitable[str]:
    """One CopyObject, which carries everything but the storage class by itself.

    Pinned to the listed ETag, and `condition` guards what stands in the target. Answers
    with the new ETag; raises RequestRefusedError.
    """
    headers = pair.source.as_source(entry.key, entry.etag, entry.version)
    absent = condition is ONLY_IF_ABSENT
    if not absent:
        headers.update(condition)
    shared = pair.carrying(entry.storage_class, entry.checksum, absent)
    ask = S3Request(pair.target_key(entry.key), headers=headers, shared=shared)
    return pair.calls.document(
        pair.target, "CopyObject", ask, read_copied, "PUT", quick=quick_copied
    )


async def skip_if_archived(pair: BucketPair, entry: ListedObject) -> SkippedKey | None:
    """Why an archived object cannot be read now, or None if it can; raises RequestRefusedError."""
    if entry.storage_class not in ARCHIVE_CLASSES or entry.restored:
        return None
    head = await pair.calls.head(pair.source, entry.key, entry.version)
    if head is not None and head.restored:
        return None
    return SkippedKey(
        escape_key(entry.key),
        SkipReason.ARCHIVED,
        f"it is archived ({entry.storage_class}): restore it first",
    )


async def left_by(pair: BucketPair, entry: ListedObject, answer: ErrorAnswer) -> SkippedKey:
    """Why a key stays behind, from the error that ended its copy."""
    skip = answer.skip_of(pair.needed)
    if (skip is None or skip[0] is SkipReason.DENIED) and await _sealed(pair, entry, answer):
        skip = SkipReason.LOST_KEY, f"its encryption key is not available ({answer.code})"
    if skip is None:
        skip = SkipReason.FAILED, f"{answer.code}: {answer.message}".rstrip(": ")
    return SkippedKey(escape_key(entry.key), *skip)


async def _sealed(pair: BucketPair, entry: ListedObject, answer: ErrorAnswer) -> bool:
    # An object under a customer's key (SSE-C) answers 400 even to a HEAD without that key.
    if answer.status not in {400, 403}:
        return False
    try:
        await pair.calls.head(pair.source, entry.key, entry.version)
    except RequestRefusedError as rejected:
        return rejected.answer.status == 400
    return False
