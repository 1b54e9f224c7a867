"""What to do where the target already holds something under a key of the source."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from dataware.core.copier import CopyOutcome, SkippedKey, SkipReason
from dataware.core.errors import ConflictError
from dataware.core.model import OnConflict
from dataware.core.printable import escape_key
from dataware.http.error_answer import RequestRefusedError
from dataware.kinds.s3_bucket.copy.client import ObjectHead
from dataware.kinds.s3_bucket.copy.multipart import copy_in_parts
from dataware.kinds.s3_bucket.copy.objects import (
    ONLY_IF_ABSENT,
    BucketPair,
    copy_at_once,
    left_by,
    only_if,
    skip_if_archived,
)
from dataware.kinds.s3_bucket.copy.requests import Bucket
from dataware.kinds.s3_bucket.copy.xml import ListedObject
from dataware.kinds.s3_bucket.storage_classes import ARCHIVE_CLASSES

_CHUNK = 8 * 1024**2


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object on one side: where it is, which version, and what HEAD said of it."""

    bucket: Bucket
    key: bytes
    head: ObjectHead
    version: str | None = None


async def place(pair: BucketPair, entry: ListedObject, *, mismatched: bool = False) -> CopyOutcome:
    """Bring one object over and account for it; never replaces what the target holds.

    `mismatched` says that the listing of the target showed something else under the key.
    """
    try:
        if mismatched:
            return await _settle(pair, entry)
        # Asked here, too, because waiting for an answer that is known costs something each time.
        if entry.storage_class in ARCHIVE_CLASSES and (skip := await skip_if_archived(pair, entry)):
            return CopyOutcome(skipped=(skip,))
        try:
            tag = await copy(pair, entry)
        except RequestRefusedError as rejected:
            if not _occupied(rejected):
                raise
            return await _settle(pair, entry)
        if pair.tags is not None:
            pair.tags[entry.key] = tag
        return CopyOutcome(copied=1, bytes=entry.size)
    except RequestRefusedError as rejected:
        return CopyOutcome(skipped=(await left_by(pair, entry, rejected.answer),))


def copy(pair: BucketPair, entry: ListedObject, *, expected: str | None = None) -> Awaitable[str]:
    """Copy by whichever way fits the size, if the target is still as `expected` (ETag or absent).

    Answers with the new ETag; raises RequestRefusedError.
    """
    condition = ONLY_IF_ABSENT if expected is None else only_if(expected)
    if pair.source.own_credentials:
        # Few runs relay anything, and a deployment never does.
        from dataware.kinds.s3_bucket.copy.relay import relay_object  # noqa: PLC0415 - see above

        return relay_object(pair, entry, condition)
    large = entry.size > pair.order.multipart_threshold
    return (copy_in_parts if large else copy_at_once)(pair, entry, condition)


def _occupied(rejected: RequestRefusedError) -> bool:
    """Whether a copy was refused because of what stands in the target, and not in the source."""
    fault = rejected.answer
    return fault.status == 412 and "copy-source" not in fault.condition.lower()


async def _settle(pair: BucketPair, entry: ListedObject) -> CopyOutcome:
    source = await pair.calls.head(pair.source, entry.key, entry.version)
    if source is None or source.etag != entry.etag:
        return _skip_object(
            entry, SkipReason.CHANGED, "it changed or was deleted since it was listed"
        )
    key = pair.target_key(entry.key)
    target = await pair.calls.head(pair.target, key)
    if target is None:
        _note_tag(pair, entry, await copy(pair, entry))
        return CopyOutcome(copied=1, bytes=entry.size)
    mine = ObjectRef(pair.source, entry.key, source, entry.version)
    if await alike(pair, mine, ObjectRef(pair.target, key, target)):
        _note_tag(pair, entry, target.etag)
        return CopyOutcome(same=1)
    return await _conflict(pair, entry, target)


async def alike(pair: BucketPair, mine: ObjectRef, theirs: ObjectRef) -> bool:
    """Whether two objects are the same: attributes, then hashes, then the bytes themselves."""
    one, other = mine.head, theirs.head
    if one.size != other.size or one.storage_class != other.storage_class:
        return False
    if one.attributes != other.attributes:
        return False
    verdict = _by_hash(one, other)
    if verdict is None:
        verdict = await _same_bytes(pair, mine, theirs)
    return verdict and await _same_tags(pair, mine, theirs)


def _by_hash(one: ObjectHead, other: ObjectHead) -> bool | None:
    if one.etag and one.etag == other.etag:
        return True
    shared = one.full_checksums.keys() & other.full_checksums.keys()
    if shared:
        return all(one.full_checksums[name] == other.full_checksums[name] for name in shared)
    if one.hash is not None and other.hash is not None:
        return one.hash == other.hash
    return True if one.size == 0 else None


async def _same_bytes(pair: BucketPair, mine: ObjectRef, theirs: ObjectRef) -> bool:
    for start in range(0, mine.head.size, _CHUNK):
        span = (start, min(start + _CHUNK, mine.head.size))
        one, other = [
            await pair.calls.range(
                object_ref.bucket, object_ref.key, object_ref.head, span, object_ref.version
            )
            for object_ref in (mine, theirs)
        ]
        if one != other:
            return False
    return True


async def _same_tags(pair: BucketPair, mine: ObjectRef, theirs: ObjectRef) -> bool:
    one, other = [
        await pair.calls.tags(object_ref.bucket, object_ref.key, object_ref.version)
        for object_ref in (mine, theirs)
    ]
    return one == other


async def _conflict(pair: BucketPair, entry: ListedObject, target: ObjectHead) -> CopyOutcome:
    policy = pair.order.on_conflict
    if policy is OnConflict.STOP:
        raise ConflictError(
            f"bucket {pair.target.name} holds another object under the key "
            f"{escape_key(pair.target_key(entry.key))}; nothing was overwritten, and the run stops "
            "because of --on-conflict stop"
        )
    if policy is OnConflict.TARGET:
        return _skip_object(entry, SkipReason.CONFLICT, "kept the target's object")
    if policy is None:
        return _skip_object(
            entry, SkipReason.CONFLICT, "the target holds another object under this key"
        )
    if skip := await skip_if_archived(pair, entry):
        return CopyOutcome(skipped=(skip,))
    try:
        _note_tag(pair, entry, await copy(pair, entry, expected=target.etag))
    except RequestRefusedError as rejected:
        if not _occupied(rejected):
            raise
        return _skip_object(
            entry, SkipReason.CONFLICT, "the target's object changes while it is replaced"
        )
    return CopyOutcome(copied=1, bytes=entry.size)


def _note_tag(pair: BucketPair, entry: ListedObject, tag: str) -> None:
    if pair.tags is not None:
        pair.tags[entry.key] = tag


def _skip_object(entry: ListedObject, reason: SkipReason, detail: str) -> CopyOutcome:
    return CopyOutcome(skipped=(SkippedKey(escape_key(entry.key), reason, detail),))
