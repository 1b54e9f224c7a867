"""Objects that are too large for one CopyObject: copied in parts, with everything set again.

An upload in parts inherits nothing from its source, so headers, metadata, tags, storage class and
checksum algorithm are read, sent again and compared afterwards. Every part is pinned
to the listed ETag.

Every upload begins with a *mark*: part 10,000, 4,771 bytes long, that is never listed on
completion and so never becomes part of the object. It is how a later run knows an upload that a
killed run left behind: only an upload whose sole part above 9,998 is the mark is aborted, those
of anyone else are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import md5
from typing import Protocol
from xml.sax.saxutils import escape

from dataware.core.page_cursor import PageCursor
from dataware.http.error_answer import ErrorAnswer, RequestRefusedError
from dataware.kinds.s3_bucket.copy.client import ObjectHead
from dataware.kinds.s3_bucket.copy.objects import ENCRYPTION, BucketPair
from dataware.kinds.s3_bucket.copy.requests import S3Request
from dataware.kinds.s3_bucket.copy.upload_headers import mail_safe, set_attributes
from dataware.kinds.s3_bucket.copy.xml import (
    ListedObject,
    read_completed,
    read_part,
    read_parts,
    read_upload_id,
    read_uploads,
)

MARK_PART, MARK_SIZE = 10_000, 4_771
MOST_PARTS = 9_998
_AT_ONCE = 8
_LAST_SECONDS = 0.2
_COMPLETE = "CompleteMultipartUpload"
_NAMESPACE = '"http://s3.amazonaws.com/doc/2006-03-01/"'


class UploadParts(Protocol):
    """How the parts of one object get into an upload."""

    size: int

    @property
    def at_once(self) -> int:
        """How many parts are under way at the same time."""
        ...

    async def send(self, upload: str, number: int, span: tuple[int, int]) -> dict[str, str]:
        """Bring a part over: its ETag and checksums, as completing wants them back."""
        ...

    async def send_mark(self, upload: str, number: int, size: int) -> None:
        """Write a part that only tells whose upload it is."""
        ...


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What an upload must carry: the headers it starts with, and the tags.

    `parts` sends it; `checksums` are those of the whole content that the object has to end with,
    where S3 makes any by the same algorithm.
    """

    headers: Mapping[str, str]
    tags: tuple[tuple[str, str], ...]
    parts: UploadParts
    checksums: Mapping[str, str] = field(default_factory=dict)


MakePlan = Callable[[BucketPair, ListedObject], Awaitable[UploadPlan]]


def part_ranges(size: int, part_size: int) -> list[tuple[int, int]]:
    """The first and last byte of every part; parts grow where there would be too many."""
    length = max(part_size, -(-size // MOST_PARTS))
    return [(start, min(start + length, size) - 1) for start in range(0, size, length)]


async def copy_in_parts(
    pair: BucketPair,
    entry: ListedObject,
    condition: Mapping[str, str],
    make_plan: MakePlan | None = None,
) -> str:
    """Copy one object in parts and answer with its ETag.

    `make_plan` says what it carries, and how its parts get there. Raises Rejected, and then leaves
    no upload behind; when it is cancelled, one only if S3 does not answer.
    """
    key = pair.target_key(entry.key)
    await abandon(pair, key)
    plan = await (make_plan or plan_copy)(pair, entry)
    ask = S3Request(key, {"uploads": ""}, plan.headers)
    upload = await pair.calls.document(
        pair.target, "CreateMultipartUpload", ask, read_upload_id, "POST"
    )
    try:
        await plan.parts.send_mark(upload, MARK_PART, MARK_SIZE)
        parts = await _send_parts(plan, entry, upload)
        etag = await _complete(pair, key, upload, parts, condition)
    except Exception:
        await asyncio.shield(_abort(pair, key, upload))
        raise
    except BaseException:
        # A silent service holds nobody back who wants to stop: the next run knows the mark.
        with suppress(TimeoutError):
            await asyncio.wait_for(_abort(pair, key, upload), _LAST_SECONDS)
        raise
    await _check(pair, entry, key, plan)
    return etag


async def abandon(pair: BucketPair, key: bytes) -> None:
    """Abort the uploads to `key` that an earlier run of dataware left unfinished."""
    query: dict[str, str | bytes] = {"uploads": "", "encoding-type": "url", "prefix": key}
    more: dict[str, str | bytes] | None = {}
    cursor = PageCursor("ListMultipartUploads", f"bucket {pair.target.name}")
    while more is not None:
        ask = S3Request(None, {**query, **more})
        page = await pair.calls.document(pair.target, "ListMultipartUploads", ask, read_uploads)
        for of_key, upload in page.entries:
            if of_key == key and await _marked(pair, key, upload):
                await _abort(pair, key, upload)
        more = page.more
        if more is not None:
            cursor.advance(more, entries=len(page.entries))


async def _marked(pair: BucketPair, key: bytes, upload: str) -> bool:
    ask = S3Request(key, {"uploadId": upload, "part-number-marker": str(MARK_PART - 2)})
    try:
        parts = await pair.calls.document(pair.target, "ListParts", ask, read_parts)
    except RequestRefusedError as rejected:
        if rejected.answer.says_absent:
            return False
        raise
    return parts == {MARK_PART: MARK_SIZE}


async def _abort(pair: BucketPair, key: bytes, upload: str) -> None:
    try:
        ask = S3Request(key, {"uploadId": upload})
        await pair.calls.plain(pair.target, "AbortMultipartUpload", "DELETE", ask)
    except RequestRefusedError as rejected:
        if not rejected.answer.says_absent:
            raise


async def plan_copy(pair: BucketPair, entry: ListedObject) -> UploadPlan:
    """An upload whose parts S3 copies by itself."""
    head, tags = await look_at_source(pair, entry)
    headers = {**set_attributes(pair, entry, head, tags), **declare_checksum(entry, head)}
    return UploadPlan(headers, tags, CopiedParts(pair, entry))


async def look_at_source(
    pair: BucketPair, entry: ListedObject
) -> tuple[ObjectHead, tuple[tuple[str, str], ...]]:
    """The attributes and the tags of what was listed; raises RequestRefusedError if it changed."""
    head = await pair.calls.head(pair.source, entry.key, entry.version)
    if head is None or head.etag != entry.etag:
        raise RequestRefusedError(
            ErrorAnswer("HeadObject", "PreconditionFailed", 412, condition="copy-source")
        )
    return head, await pair.calls.tags(pair.source, entry.key, entry.version)


def declare_checksum(entry: ListedObject, head: ObjectHead) -> dict[str, str]:
    """The headers by which an upload has the checksum of its source."""
    name = head.algorithm
    if name is None:
        return {} if entry.checksum is None else {"x-amz-checksum-algorithm": entry.checksum}
    algorithm, sort = name
    headers = {"x-amz-checksum-algorithm": algorithm}
    # S3 makes full-object checksums of parts for the CRC family only.
    if sort == "FULL_OBJECT" and algorithm.startswith("CRC"):
        headers["x-amz-checksum-type"] = sort
    return headers


async def _send_parts(plan: UploadPlan, entry: ListedObject, upload: str) -> list[dict[str, str]]:
    gate = asyncio.Semaphore(plan.parts.at_once)

    async def one(number: int, span: tuple[int, int]) -> dict[str, str]:
        async with gate:
            return await plan.parts.send(upload, number, span)

    spans = part_ranges(entry.size, plan.parts.size)
    tasks = [asyncio.ensure_future(one(number, span)) for number, span in enumerate(spans, 1)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class CopiedParts:
    """Parts that S3 copies by itself, from the very object that was listed."""

    at_once = _AT_ONCE

    def __init__(self, pair: BucketPair, entry: ListedObject) -> None:
        self._pair = pair
        self._entry = entry
        self.size = pair.order.part_size

    async def send(self, upload: str, number: int, span: tuple[int, int]) -> dict[str, str]:
        """Copy a span, its last byte included."""
        pair, entry = self._pair, self._entry
        headers = {
            **pair.source.as_source(entry.key, entry.etag, entry.version),
            "x-amz-copy-source-range": f"bytes={span[0]}-{span[1]}",
        }
        query = {"partNumber": str(number), "uploadId": upload}
        ask = S3Request(pair.target_key(entry.key), query, headers, shared=pair.owners)
        return await pair.calls.document(pair.target, "UploadPartCopy", ask, read_part, "PUT")

    async def send_mark(self, upload: str, number: int, size: int) -> None:
        """Copy a part that only tells whose upload it is."""
        await self.send(upload, number, (0, min(size, self._entry.size) - 1))


async def _complete(
    pair: BucketPair,
    key: bytes,
    upload: str,
    parts: list[dict[str, str]],
    condition: Mapping[str, str],
) -> str:
    ask = S3Request(key, {"uploadId": upload}, condition, _completion(parts))
    try:
        return await pair.calls.document(
            pair.target, "CompleteMultipartUpload", ask, read_completed, "POST"
        )
    except RequestRefusedError as rejected:
        # The answer to an earlier try may have been lost: then the object stands already.
        head = await pair.calls.head(pair.target, key)
        lost = rejected.answer.says_absent or rejected.answer.status == 412
        if not lost or head is None or head.etag != _joined_etag(parts):
            raise
        return head.etag


def _joined_etag(parts: list[dict[str, str]]) -> str:
    try:
        digests = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
    except ValueError:
        return ""
    return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _completion(parts: list[dict[str, str]]) -> bytes:
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber>"
        + "".join(f"<{name}>{escape(text)}</{name}>" for name, text in sorted(_for_part(part)))
        + "</Part>"
        for number, part in enumerate(parts, 1)
    )
    return f"<{_COMPLETE} xmlns={_NAMESPACE}>{listed}</{_COMPLETE}>".encode()


def _for_part(part: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, text) for name, text in part.items() if name != "ChecksumType"]


async def _check(pair: BucketPair, entry: ListedObject, key: bytes, plan: UploadPlan) -> None:
    head = await pair.calls.head(pair.target, key)
    tags = await pair.calls.tags(pair.target, key) if plan.tags else ()
    lost = [
        name
        for name, value in plan.headers.items()
        if name.startswith(("content-", "cache-", "expires", "x-amz-meta-"))
        and (head is None or mail_safe(head.headers.get(name, "")) != value)
    ]
    if head is None or head.size != entry.size:
        lost.append("content-length")
    elif head.storage_class != entry.storage_class:
        lost.append("x-amz-storage-class")
    encryption = pair.written.get(ENCRYPTION)
    if encryption and (head is None or head.headers.get(ENCRYPTION) != encryption):
        lost.append(ENCRYPTION)
    kept = {} if head is None else head.full_checksums
    if any(kept.get(name, value) != value for name, value in plan.checksums.items()):
        lost.append("the content")
    if tags != plan.tags:
        lost.append("x-amz-tagging")
    if lost:
        text = f"the copy did not keep {', '.join(lost)}"
        raise RequestRefusedError(
            ErrorAnswer("CompleteMultipartUpload", "AttributesLost", 200, text)
        )
