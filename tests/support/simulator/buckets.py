"""Buckets, and the S3 that holds them: conditions on both ends, versions, ETags of several kinds.

An object is few numbers: which content it has, which metadata, and which tags. Its ETag is that of
the content where it was written in one piece, that of its parts where it was not, and any other one
where the bucket is encrypted by a key of KMS (Amazon S3 API Reference, "Object": ETag).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes
from xml.sax.saxutils import escape

from dataware.core.ports import Request, Response
from support.operations import headers_sent, s3_operation
from support.simulator.world import World

BODY = 8
"""Bytes of an object."""


class ObjectState(NamedTuple):
    """What stands under a key."""

    content: int
    metadata: int = 0
    tags: int = 0
    etag: str = ""


def etag_of(content: int, *, in_parts: bool = False) -> str:
    """The ETag of a content, in one piece or in parts."""
    return f"{content:032x}-2" if in_parts else f"{content:032x}"


class Bucket:
    """Objects by key, and who wrote each; `kept` are the versions that others replaced.

    `hides_content` makes every write an ETag of its own, as a key of KMS does.
    """

    def __init__(self, world: World, name: str, *, hides_content: bool = False) -> None:
        self._world = world
        self.name, self.hides_content = name, hides_content
        self.items: dict[bytes, ObjectState] = {}
        self.authors: dict[bytes, str] = {}
        self.kept: dict[bytes, list[ObjectState]] = {}
        self.judge: Callable[[Bucket, bytes, str], None] = lambda *_: None

    def write(self, key: bytes, value: ObjectState | None, author: str) -> None:
        """Put or delete."""
        before = self.items.get(key)
        if value is None and before is None:
            return
        self.judge(self, key, author)
        if value is not None and self.hides_content:
            value = value._replace(etag=f"k{self._world.number():031x}")
        self._world.say(author, "writes", self.name, key.decode(), value)
        if before is not None:
            self.kept.setdefault(key, []).append(before)
        if value is None:
            del self.items[key]
        else:
            self.items[key] = value
        self.authors[key] = author


Answer = Callable[["S3", Bucket, bytes, Request, Callable[[], None]], Response]


class S3:
    """Answers the requests of dataware, whose name stands at whatever they write."""

    def __init__(self, world: World, author: str, *buckets: Bucket) -> None:
        self._world, self._author = world, author
        self.buckets = {bucket.name: bucket for bucket in buckets}
        self.page = world.random.choice((3, 8, 1000))

    def answer(self, request: Request, between: Callable[[], None]) -> Response:
        """Carry a request out."""
        headers = headers_sent(request)
        operation = s3_operation(request.method, request.path, request.query, headers)
        name, _, path = request.path.removeprefix("/").partition("/")
        bucket, key = self.buckets[name], unquote_to_bytes(path)
        match operation:
            case "HeadObject":
                return _head(bucket.items.get(key))
            case "GetObjectTagging":
                return _tags(bucket.items.get(key))
            case "GetObject":
                return _get(bucket.items.get(key), headers)
            case "ListObjectsV2":
                return self._list(bucket, dict(parse_qsl(request.query)))
            case "CopyObject":
                return self._copy(bucket, key, headers, between)
            case "DeleteObject":
                assert "versionId" not in request.query, "a version is removed"
                return self._refuse(bucket, key, headers) or self._delete(bucket, key)
        raise AssertionError(operation)

    def _list(self, bucket: Bucket, query: Mapping[str, str]) -> Response:
        after = query.get("continuation-token", query.get("start-after", "")).encode()
        keys = sorted(key for key in bucket.items if key > after)
        page, is_more = keys[: self.page], len(keys) > self.page
        rows = "".join(_row(key, bucket.items[key]) for key in page)
        more = ""
        if is_more:
            more = f"<NextContinuationToken>{page[-1].decode()}</NextContinuationToken>"
        said = f"<IsTruncated>{str(is_more).lower()}</IsTruncated>{more}"
        return _document("ListBucketResult", f"<EncodingType>url</EncodingType>{said}{rows}")

    def _copy(
        self,
        bucket: Bucket,
        key: bytes,
        headers: Mapping[str, str],
        between: Callable[[], None],
    ) -> Response:
        """Read the source, and write the target, maybe a little later."""
        name, _, path = headers["x-amz-copy-source"].partition("/")
        found = self.buckets[name].items.get(unquote_to_bytes(path))
        if found is None:
            return fault(404, "NoSuchKey")
        if headers["x-amz-copy-source-if-match"] != f'"{found.etag}"':
            return fault(412, "PreconditionFailed", "x-amz-copy-source-If-Match")
        if self._world.random.random() < 0.2:
            between()
        if refused := self._refuse(bucket, key, headers):
            return refused
        bucket.write(key, found._replace(etag=etag_of(found.content)), self._author)
        return _document("CopyObjectResult", f"<ETag>&quot;{bucket.items[key].etag}&quot;</ETag>")

    def _delete(self, bucket: Bucket, key: bytes) -> Response:
        bucket.write(key, None, self._author)
        return Response(204, {}, b"")

    def _refuse(self, bucket: Bucket, key: bytes, headers: Mapping[str, str]) -> Response | None:
        """The refusal of what the conditions on the target do not let pass."""
        present = bucket.items.get(key)
        if not self._world.rules.swap:
            return None
        if headers.get("if-none-match") == "*" and present is not None:
            return fault(412, "PreconditionFailed", "If-None-Match")
        wanted = headers.get("if-match")
        if wanted is not None and (present is None or wanted != f'"{present.etag}"'):
            return fault(412, "PreconditionFailed", "If-Match")
        return None


def fault(status: int, code: str, condition: str = "") -> Response:
    """An error as S3 words it."""
    body = f"<Error><Code>{code}</Code><Condition>{condition}</Condition></Error>"
    return Response(status, {}, body.encode())


def _head(found: ObjectState | None) -> Response:
    if found is None:
        return Response(404, {}, b"")
    said = {"content-length": str(BODY), "etag": f'"{found.etag}"'}
    if found.metadata:
        said["x-amz-meta-number"] = str(found.metadata)
    if found.tags:
        said["x-amz-tagging-count"] = "1"
    return Response(200, said, b"")


def _get(found: ObjectState | None, headers: Mapping[str, str]) -> Response:
    if found is None:
        return fault(404, "NoSuchKey")
    if headers.get("if-match") != f'"{found.etag}"':
        return fault(412, "PreconditionFailed")
    return Response(206, {"content-length": str(BODY)}, b"%08d" % found.content)


def _tags(found: ObjectState | None) -> Response:
    if found is None:
        return fault(404, "NoSuchKey")
    tag = f"<Tag><Key>number</Key><Value>{found.tags}</Value></Tag>" if found.tags else ""
    return _document("Tagging", f"<TagSet>{tag}</TagSet>")


def _row(key: bytes, found: ObjectState) -> str:
    return (
        f"<Contents><Key>{escape(key.decode())}</Key><LastModified>2026</LastModified>"
        f"<ETag>&quot;{found.etag}&quot;</ETag><Size>{BODY}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _document(name: str, content: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}>{content}</{name}>'.encode()
    return Response(200, {}, body)
