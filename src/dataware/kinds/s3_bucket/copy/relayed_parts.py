"""Parts of an object that pass through this machine: read with one pair of keys, written with
another.

Each part is read from the very object that was listed (``If-Match``), whole or not at all, and
written with its digest, so that S3 refuses what arrives otherwise. Where an object was uploaded in
parts of one size, it is written in the same ones, and then has the same ETag.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import md5, sha1, sha256

from dataware.core.ports import Response
from dataware.http.error_answer import ErrorAnswer, RequestRefusedError
from dataware.kinds.s3_bucket.copy.client import ObjectHead
from dataware.kinds.s3_bucket.copy.objects import RELAYED_BYTES, BucketPair
from dataware.kinds.s3_bucket.copy.requests import S3Request
from dataware.kinds.s3_bucket.copy.xml import ListedObject

MIB = 1024**2
PART = 16 * MIB
SMALLEST_PART, LARGEST_PART = 5 * MIB, 32 * MIB
"""The sizes of parts that are taken over from the source (Amazon S3 User Guide, "Amazon S3
multipart upload limits": 5 MiB at least, but for the last one)."""

_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "SHA1": lambda body: sha1(body, usedforsecurity=False).digest(),
    "SHA256": lambda body: sha256(body).digest(),
}
"""The checksums of S3 that the standard library makes."""


class RelayedParts:
    """How the parts of one object get from the source to an upload of the target."""

    def __init__(self, pair: BucketPair, entry: ListedObject, head: ObjectHead) -> None:
        self._pair = pair
        self._entry = entry
        self._head = head
        self._algorithm = head.algorithm[0] if head.algorithm else ""
        self.size = pair.order.part_size

    @property
    def at_once(self) -> int:
        """How many parts are under way at the same time."""
        return max(1, min(4, RELAYED_BYTES // max(1, self.size)))

    def can_declare(self, algorithm: str) -> bool:
        """Whether an upload may announce checksums of an algorithm, which each part then needs."""
        return algorithm in _DIGESTS

    async def choose_size(self, most_parts: int) -> None:
        """Take over the parts of the source where they are of one size, and small enough."""
        size, entry = await self._size_of_first_part(), self._entry
        count = entry.etag.partition("-")[2]
        fits = SMALLEST_PART <= size <= LARGEST_PART or 0 < size == entry.size
        if fits and count == str(-(-entry.size // size)):
            self.size = size
        else:
            self.size = max(min(PART, self._pair.order.part_size), -(-entry.size // most_parts))

    async def _size_of_first_part(self) -> int:
        if "-" not in self._entry.etag:
            return 0
        pair, entry = self._pair, self._entry
        first = await pair.calls.head(pair.source, entry.key, entry.version, part=1)
        return first.size if first is not None and first.etag == entry.etag else 0

    async def send(self, upload: str, number: int, span: tuple[int, int]) -> dict[str, str]:
        """Read the bytes of a span, its last one included, and write them as a part."""
        pair, entry = self._pair, self._entry
        try:
            body = await pair.calls.range(
                pair.source, entry.key, self._head, (span[0], span[1] + 1), entry.version
            )
        except RequestRefusedError as refusal:
            raise as_source_refusal(refusal) from None
        return await self._write(upload, number, body)

    async def send_mark(self, upload: str, number: int, size: int) -> None:
        """Write a part that only tells whose upload it is."""
        await self._write(upload, number, bytes(size))

    async def _write(self, upload: str, number: int, body: bytes) -> dict[str, str]:
        headers, checksum = {"content-md5": content_md5(body)}, {}
        if self._algorithm in _DIGESTS:
            value = b64encode(_DIGESTS[self._algorithm](body)).decode()
            headers[f"x-amz-checksum-{self._algorithm.lower()}"] = value
            checksum = {f"Checksum{self._algorithm}": value}
        pair = self._pair
        query = {"partNumber": str(number), "uploadId": upload}
        ask = S3Request(pair.target_key(self._entry.key), query, headers, body)
        response = await pair.calls.plain(pair.target, "UploadPart", "PUT", ask)
        return {"ETag": response.headers.get("etag", ""), **checksum}


def content_md5(body: bytes) -> str:
    """The digest by which S3 refuses a body that is not the one that was sent."""
    return b64encode(md5(body, usedforsecurity=False).digest()).decode()


def is_content_of(head: ObjectHead, body: bytes) -> bool:
    """Whether a body is the whole content, as far as the digests of its object tell."""
    if len(body) != head.size:
        return False
    if head.hash is not None:
        return md5(body, usedforsecurity=False).hexdigest() == head.hash
    return all(
        b64encode(_DIGESTS[name.upper()](body)).decode() == value
        for name, value in head.full_checksums.items()
        if name.upper() in _DIGESTS
    )


def as_source_refusal(refusal: RequestRefusedError) -> RequestRefusedError:
    """A refused read of the source, told apart from what the target refuses.

    The source is pinned to the ETag of its listing, and a 412 of it says nothing of the target.
    """
    answer = refusal.answer
    if answer.status != 412:
        return refusal
    return RequestRefusedError(
        ErrorAnswer(answer.operation, answer.code, 412, answer.message, "copy-source-if-match")
    )


def head_of(response: Response) -> ObjectHead:
    """What the answer to a read says of its object."""
    return ObjectHead(response.headers)
