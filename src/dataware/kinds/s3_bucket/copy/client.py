"""The S3 calls of a copy, sent over the wire; every failure is a `RequestRefusedError`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

# Only the type; parsing is done in `responses`.
from xml.etree.ElementTree import Element

from dataware.core.errors import InputError
from dataware.core.ports import Judgement, Response, Wire
from dataware.http.error_answer import RequestRefusedError, read_error
from dataware.kinds.s3_bucket.copy.requests import Bucket, S3Request, quote_etag
from dataware.kinds.s3_bucket.copy.responses import (
    AnswerReader,
    judge_plain,
    judge_range,
)
from dataware.kinds.s3_bucket.copy.xml import read_tags

T = TypeVar("T")

CONTENT_HEADERS = (
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "expires",
)
NO_ACLS = "AccessControlListNotSupported"
"""The refusal of any ACL but bucket-owner-full-control by a bucket whose owner owns every object
(Amazon S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket")."""

HEAD_TRIES = 3
"""How often a key is looked at that one call says is not there, and another that it is."""

_META = "x-amz-meta-"
_CHECKSUM = "x-amz-checksum-"
_OPAQUE_ETAG = {"aws:kms", "aws:kms:dsse"}


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What HeadObject says of an object."""

    headers: Mapping[str, str]

    @property
    def size(self) -> int:
        """The length of the content."""
        return int(self.headers.get("content-length", "0"))

    @property
    def etag(self) -> str:
        """The ETag without its quotes."""
        return self.headers.get("etag", "").strip('"')

    @property
    def storage_class(self) -> str:
        """The storage class; S3 leaves STANDARD out."""
        return self.headers.get("x-amz-storage-class") or "STANDARD"

    @property
    def restored(self) -> bool:
        """Whether an archived object can be read at the moment."""
        return 'ongoing-request="false"' in self.headers.get("x-amz-restore", "")

    @property
    def attributes(self) -> dict[str, str]:
        """The content headers and the user metadata."""
        return {
            name: value
            for name, value in self.headers.items()
            if name in CONTENT_HEADERS or name.startswith(_META)
        }

    @property
    def hash(self) -> str | None:
        """The MD5 of the content, where the ETag is one."""
        if "-" in self.etag or self._opaque:
            return None
        return self.etag

    @property
    def _opaque(self) -> bool:
        customer_key = "x-amz-server-side-encryption-customer-algorithm" in self.headers
        return customer_key or self.headers.get("x-amz-server-side-encryption") in _OPAQUE_ETAG

    @property
    def full_checksums(self) -> dict[str, str]:
        """The checksums of the whole content by algorithm.

        Those of parts (``…-3``) are left out, and an answer without a type counts only where the
        object was not uploaded in parts.
        """
        sort = self.headers.get(f"{_CHECKSUM}type", "")
        if sort != "FULL_OBJECT" and (sort or "-" in self.etag):
            return {}
        return {
            name.removeprefix(_CHECKSUM): value
            for name, value in self.headers.items()
            if name.startswith(_CHECKSUM) and name != f"{_CHECKSUM}type" and "-" not in value
        }

    @property
    def algorithm(self) -> tuple[str, str] | None:
        """The checksum algorithm and its type, as an upload in parts is asked to make them."""
        for name in self.headers:
            if name.startswith(_CHECKSUM) and name != f"{_CHECKSUM}type":
                return name.removeprefix(_CHECKSUM).upper(), self.headers.get(
                    f"{_CHECKSUM}type", ""
                )
        return None


class S3Client:
    """Sends requests and reads the answers; buckets with own credentials over `reading`."""

    def __init__(self, wire: Wire, reading: Wire | None = None) -> None:
        self._wires = {False: wire, True: reading or wire}

    async def document(
        self,
        bucket: Bucket,
        call: str,
        ask: S3Request,
        read: Callable[[Element], T],
        method: str = "GET",
        *,
        quick: Callable[[bytes], T | None] | None = None,
    ) -> T:
        """A call that answers with a document, read as `AnswerReader` does.

        Raises RequestRefusedError.
        """
        answer = AnswerReader(read, quick)
        wire = self._wires[bucket.own_credentials]
        response = await wire.send(bucket.request(method, answer, ask))
        if answer.value is None:
            raise self._rejection_of(bucket, call, response)
        return answer.value

    async def plain(self, bucket: Bucket, call: str, method: str, ask: S3Request) -> Response:
        """A call whose status says everything; raises RequestRefusedError."""
        wire = self._wires[bucket.own_credentials]
        response = await wire.send(bucket.request(method, judge_plain, ask))
        if judge_plain(response) is not Judgement.DONE:
            raise self._rejection_of(bucket, call, response)
        return response

    async def head(
        self, bucket: Bucket, key: bytes, version: str | None = None, part: int | None = None
    ) -> ObjectHead | None:
        """What stands under a key, or of one part of it, or None; raises RequestRefusedError."""
        query = {**_version(version), **({} if part is None else {"partNumber": str(part)})}
        ask = S3Request(key, query, {"x-amz-checksum-mode": "ENABLED"})
        for tries in range(HEAD_TRIES):
            try:
                response = await self.plain(bucket, "HeadObject", "HEAD", ask)
                break
            except RequestRefusedError as rejected:
                if rejected.answer.status != 404:
                    raise
                if await self._is_gone(bucket, key, version):
                    return None
                # It may have been written between the two looks.
                if tries == HEAD_TRIES - 1:
                    raise
        return ObjectHead(response.headers)

    async def _is_gone(self, bucket: Bucket, key: bytes, version: str | None) -> bool:
        """Whether S3 itself says that an object is not there; a 404 to HEAD has no code."""
        try:
            await self.tags(bucket, key, version)
        except RequestRefusedError as rejected:
            if rejected.answer.says_absent:
                return True
            raise
        return False

    async def tags(
        self, bucket: Bucket, key: bytes, version: str | None = None
    ) -> tuple[tuple[str, str], ...]:
        """The tags of an object, sorted; raises RequestRefusedError."""
        ask = S3Request(key, {"tagging": "", **_version(version)})
        return await self.document(bucket, "GetObjectTagging", ask, read_tags)

    async def range(
        self,
        bucket: Bucket,
        key: bytes,
        head: ObjectHead,
        span: tuple[int, int],
        version: str | None,
    ) -> bytes:
        """The bytes from the first up to the second of `span`; raises RequestRefusedError.

        They are those of the object that `head` showed, or none.
        """
        start, end = span
        headers = {"range": f"bytes={start}-{end - 1}", "if-match": quote_etag(head.etag)}
        ask = S3Request(key, _version(version), headers)
        judge = judge_range(end - start)
        wire = self._wires[bucket.own_credentials]
        response = await wire.send(bucket.request("GET", judge, ask))
        if judge(response) is not Judgement.DONE:
            raise self._rejection_of(bucket, "GetObject", response)
        return response.body

    async def whole(
        self,
        bucket: Bucket,
        key: bytes,
        etag: str,
        judge: Callable[[Response], Judgement],
        version: str | None,
    ) -> Response:
        """An object with all its headers, if it still has the ETag; raises RequestRefusedError."""
        headers = {"if-match": quote_etag(etag), "x-amz-checksum-mode": "ENABLED"}
        ask = S3Request(key, _version(version), headers)
        wire = self._wires[bucket.own_credentials]
        response = await wire.send(bucket.request("GET", judge, ask))
        if judge(response) is not Judgement.DONE:
            raise self._rejection_of(bucket, "GetObject", response)
        return response

    def _rejection_of(self, bucket: Bucket, call: str, response: Response) -> RequestRefusedError:
        answer = read_error(call, response)
        if answer.code == NO_ACLS:
            raise InputError(
                f"bucket {bucket.name} has ACLs disabled (bucket owner enforced) and refuses "
                "--acl: run again with --acl bucket-owner-full-control, which it takes"
            )
        if answer.concerns_every_key:
            raise answer.to_error(f"bucket {bucket.name}")
        return RequestRefusedError(answer)


def _version(version: str | None) -> dict[str, str]:
    return {} if version is None else {"versionId": version}
