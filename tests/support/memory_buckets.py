"""S3 in memory: listings in key order, conditional copies at once and in parts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import md5
from urllib.parse import parse_qsl, quote, unquote_to_bytes
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape

from dataware.core.ports import Request, Response
from support.operations import headers_sent


@dataclass(frozen=True)
class Stored:
    """An object: its bytes, its ETag without quotes, and the headers that HEAD shows."""

    body: bytes
    etag: str
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[tuple[str, str], ...] = ()
    first_part: int = 0


@dataclass
class Upload:
    """An unfinished upload."""

    bucket: str
    key: bytes
    headers: Mapping[str, str]
    parts: dict[int, bytes] = field(default_factory=dict)


def stored(body: bytes, **headers: str) -> Stored:
    """An object that was put in one piece."""
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return Stored(body, md5(body, usedforsecurity=False).hexdigest(), shown)


class MemoryBuckets:
    """Buckets by name; `page` keys make a page of a listing, `written` counts writes by key.

    `aliases` are those of access points, by ARN.
    """

    def __init__(self) -> None:
        self.content: dict[str, dict[bytes, Stored]] = {}
        self.uploads: dict[str, Upload] = {}
        self.written: dict[bytes, int] = {}
        self.page = 7
        self.aliases: dict[str, str] = {}
        self._next_upload = 0

    def fill(self, name: str, objects: Mapping[bytes, Stored] | None = None) -> None:
        """Make a bucket."""
        self.content[name] = dict(objects or {})

    def answer(self, operation: str, request: Request) -> Response:
        """What S3 answers."""
        name, _, path = request.path.removeprefix("/").partition("/")
        if name not in self.content:
            return fault(404, "NoSuchBucket")
        asked = _Asked(name, unquote_to_bytes(path), _query(request.query), request)
        answers = {
            "ListObjectsV2": self._list,
            "CopyObject": self._copy,
            "PutObject": self._put,
            "DeleteObject": self._delete,
            "UploadPart": self._upload_part,
            "HeadObject": self._head,
            "GetObject": self._get,
            "GetObjectTagging": self._tags,
            "ListMultipartUploads": self._list_uploads,
            "ListParts": self._list_parts,
            "CreateMultipartUpload": self._begin,
            "UploadPartCopy": self._part,
            "CompleteMultipartUpload": self._complete,
            "AbortMultipartUpload": self._abort,
        }
        return answers[operation](asked)

    def _list(self, asked: _Asked) -> Response:
        token = asked.query.get("continuation-token", b"").decode()
        after = bytes.fromhex(token) or asked.query.get("start-after", b"")
        prefix = asked.query.get("prefix", b"")
        found = sorted(
            (key, one)
            for key, one in self.content[asked.bucket].items()
            if key.startswith(prefix) and key > after
        )
        page = found[: self.page]
        rows = "".join(
            f"<Contents><Key>{_listed(key)}</Key><Size>{len(one.body)}</Size>"
            f"<ETag>&quot;{one.etag}&quot;</ETag>"
            f"<StorageClass>{one.headers.get('x-amz-storage-class', 'STANDARD')}</StorageClass>"
            "</Contents>"
            for key, one in page
        )
        more = ""
        if len(found) > len(page):
            more = f"<NextContinuationToken>{page[-1][0].hex()}</NextContinuationToken>"
        said = f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{_bool(bool(more))}</IsTruncated>"
        return _document("ListBucketResult", f"<EncodingType>url</EncodingType>{said}{more}{rows}")

    def _copy(self, asked: _Asked) -> Response:
        source = self._source(asked)
        if isinstance(source, Response):
            return source
        if refused := self._unfit(asked):
            return refused
        named = asked.headers.get("x-amz-storage-class")
        kept = {**source.headers, **({"x-amz-storage-class": named} if named else {})}
        self._store(asked, Stored(source.body, stored(source.body).etag, kept, source.tags))
        return _document("CopyObjectResult", f"<ETag>&quot;{stored(source.body).etag}&quot;</ETag>")

    def _source(self, asked: _Asked) -> Stored | Response:
        said = asked.headers["x-amz-copy-source"]
        arn, by_arn, path = said.partition("/object/")
        name = self.aliases[unquote_to_bytes(arn).decode()] if by_arn else ""
        if not by_arn:
            name, _, path = said.partition("/")
        source = self.content.get(name, {}).get(unquote_to_bytes(path))
        if source is None:
            return fault(404, "NoSuchKey")
        if asked.headers["x-amz-copy-source-if-match"] != f'"{source.etag}"':
            return fault(412, "PreconditionFailed", "x-amz-copy-source-If-Match")
        return source

    def _unfit(self, asked: _Asked) -> Response | None:
        present = self.content[asked.bucket].get(asked.key)
        if asked.headers.get("if-none-match") == "*" and present is not None:
            return fault(412, "PreconditionFailed", "If-None-Match")
        wanted = asked.headers.get("if-match")
        if wanted is not None and (present is None or wanted != f'"{present.etag}"'):
            return fault(412, "PreconditionFailed", "If-Match")
        return None

    def _store(self, asked: _Asked, one: Stored) -> None:
        self.content[asked.bucket][asked.key] = one
        self.written[asked.key] = self.written.get(asked.key, 0) + 1

    def _head(self, asked: _Asked) -> Response:
        one = self.content[asked.bucket].get(asked.key)
        if one is None:
            return Response(404, {}, b"")
        size = len(one.body)
        if "partNumber" in asked.query:
            size = one.first_part or size
        said = {"content-length": str(size), "etag": f'"{one.etag}"'}
        return Response(200, {**one.headers, **said}, b"")

    def _get(self, asked: _Asked) -> Response:
        one = self.content[asked.bucket].get(asked.key)
        if one is None:
            return fault(404, "NoSuchKey")
        if asked.headers.get("if-match", f'"{one.etag}"') != f'"{one.etag}"':
            return fault(412, "PreconditionFailed")
        said = {**one.headers, "content-length": str(len(one.body)), "etag": f'"{one.etag}"'}
        if one.tags:
            said["x-amz-tagging-count"] = str(len(one.tags))
        if "range" not in asked.headers:
            return Response(200, said, one.body)
        first, _, last = asked.headers["range"].removeprefix("bytes=").partition("-")
        return Response(206, said, one.body[int(first) : int(last) + 1])

    def _put(self, asked: _Asked) -> Response:
        if refused := self._unfit(asked) or _wrong_digest(asked):
            return refused
        headers = asked.headers
        checksums = {n: v for n, v in headers.items() if n.startswith("x-amz-checksum-")}
        one = stored(asked.body)
        kept = {**_kept(headers), **checksums}
        self._store(asked, Stored(one.body, one.etag, kept, _tags_in(headers)))
        return Response(200, {"etag": f'"{one.etag}"'}, b"")

    def _delete(self, asked: _Asked) -> Response:
        if refused := self._unfit(asked):
            return refused
        self.content[asked.bucket].pop(asked.key, None)
        return Response(204, {}, b"")

    def _upload_part(self, asked: _Asked) -> Response:
        upload = self.uploads.get(asked.upload)
        if upload is None:
            return fault(404, "NoSuchUpload")
        if refused := _wrong_digest(asked):
            return refused
        upload.parts[int(asked.query["partNumber"])] = asked.body
        return Response(200, {"etag": f'"{stored(asked.body).etag}"'}, b"")

    def _tags(self, asked: _Asked) -> Response:
        one = self.content[asked.bucket].get(asked.key)
        if one is None:
            return fault(404, "NoSuchKey")
        tags = "".join(
            f"<Tag><Key>{escape(name)}</Key><Value>{escape(value)}</Value></Tag>"
            for name, value in one.tags
        )
        return _document("Tagging", f"<TagSet>{tags}</TagSet>")

    def _list_uploads(self, asked: _Asked) -> Response:
        rows = "".join(
            f"<Upload><Key>{_listed(one.key)}</Key><UploadId>{number}</UploadId></Upload>"
            for number, one in sorted(self.uploads.items())
            if one.bucket == asked.bucket and one.key.startswith(asked.query["prefix"])
        )
        said = "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
        return _document("ListMultipartUploadsResult", said + rows)

    def _list_parts(self, asked: _Asked) -> Response:
        upload = self.uploads.get(asked.upload)
        if upload is None:
            return fault(404, "NoSuchUpload")
        after = int(asked.query.get("part-number-marker", b"0"))
        rows = "".join(
            f"<Part><PartNumber>{number}</PartNumber><Size>{len(part)}</Size></Part>"
            for number, part in sorted(upload.parts.items())
            if number > after
        )
        return _document("ListPartsResult", f"<IsTruncated>false</IsTruncated>{rows}")

    def _begin(self, asked: _Asked) -> Response:
        self._next_upload += 1
        upload = str(self._next_upload)
        self.uploads[upload] = Upload(asked.bucket, asked.key, asked.headers)
        said = f"<UploadId>{upload}</UploadId>"
        return _document("InitiateMultipartUploadResult", said)

    def _part(self, asked: _Asked) -> Response:
        upload, source = self.uploads.get(asked.upload), self._source(asked)
        if isinstance(source, Response):
            return source
        if upload is None:
            return fault(404, "NoSuchUpload")
        span = asked.headers["x-amz-copy-source-range"].removeprefix("bytes=")
        first, _, last = span.partition("-")
        body = source.body[int(first) : int(last) + 1]
        if len(body) != int(last) + 1 - int(first):
            return fault(400, "InvalidArgument")
        upload.parts[int(asked.query["partNumber"])] = body
        return _document("CopyPartResult", f"<ETag>&quot;{stored(body).etag}&quot;</ETag>")

    def _complete(self, asked: _Asked) -> Response:
        upload = self.uploads.get(asked.upload)
        if upload is None:
            return fault(404, "NoSuchUpload")
        if refused := self._unfit(asked):
            return refused
        root = fromstring(asked.body)
        numbers = [int(each.text or "") for each in root.iter() if each.tag.endswith("PartNumber")]
        parts = [upload.parts[number] for number in numbers]
        digests = b"".join(md5(part, usedforsecurity=False).digest() for part in parts)
        etag = f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
        kept, tags = _kept(upload.headers), _tags_in(upload.headers)
        del self.uploads[asked.upload]
        self._store(asked, Stored(b"".join(parts), etag, kept, tags, len(parts[0])))
        return _document("CompleteMultipartUploadResult", f"<ETag>&quot;{etag}&quot;</ETag>")

    def _abort(self, asked: _Asked) -> Response:
        if self.uploads.pop(asked.upload, None) is None:
            return fault(404, "NoSuchUpload")
        return Response(204, {}, b"")


@dataclass(frozen=True)
class _Asked:
    """A request taken apart."""

    bucket: str
    key: bytes
    query: Mapping[str, bytes]
    request: Request

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name."""
        return headers_sent(self.request)

    @property
    def body(self) -> bytes:
        """The request's body."""
        return self.request.body

    @property
    def upload(self) -> str:
        """The id of the upload that is meant."""
        return self.query.get("uploadId", b"").decode()


def stored_in_parts(body: bytes, size: int, **headers: str) -> Stored:
    """An object that was uploaded in parts of a size."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    digests = b"".join(md5(part, usedforsecurity=False).digest() for part in parts)
    etag = f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
    return replace(stored(body, **headers), etag=etag, first_part=len(parts[0]))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """What an object shows of the headers that it was written with."""
    kinds = ("x-amz-meta-", "content-", "cache-", "x-amz-storage", "x-amz-server-side")
    return {
        name: value
        for name, value in headers.items()
        if name.startswith(kinds) and name != "content-md5"
    }


def _tags_in(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True)))


def _wrong_digest(asked: _Asked) -> Response | None:
    """The refusal of a body that is not the one that its digest is of."""
    digest = b64encode(md5(asked.body, usedforsecurity=False).digest()).decode()
    return None if asked.headers.get("content-md5", digest) == digest else fault(400, "BadDigest")


def fault(status: int, code: str, condition: str = "") -> Response:
    """An error as S3 words it."""
    body = f"<Error><Code>{code}</Code><Condition>{condition}</Condition></Error>"
    return Response(status, {}, body.encode())


def _document(name: str, content: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}>{content}</{name}>'.encode()
    return Response(200, {}, body)


def _query(query: str) -> dict[str, bytes]:
    pairs = (each.partition("=") for each in query.split("&") if each)
    return {name: unquote_to_bytes(value) for name, _, value in pairs}


def _listed(key: bytes) -> str:
    return quote(key, safe="/*-._").replace("%20", "+")


def _bool(value: bool) -> str:
    return "true" if value else "false"
