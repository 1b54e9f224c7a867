"""Thirty objects that are hard to copy, and a look at everything that S3 tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_PART = 5 * 1024**2
_EXPIRES = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
_HEADERS: Mapping[str, Any] = {
    "ContentType": "text/html; charset=utf-8",
    "ContentEncoding": "identity",
    "ContentLanguage": "de-CH",
    "ContentDisposition": 'attachment; filename="a b.html"',
    "CacheControl": "max-age=60, private",
    "Expires": _EXPIRES,
}
_METADATA = {"colour": "blue", "x-number": "17", "with-spaces": "a b  c"}
_TAGGING = "team=data&kind=a%20b&empty="
_EVERYTHING = {**_HEADERS, "Metadata": _METADATA, "Tagging": _TAGGING}
_CHECKSUMS = ("ChecksumCRC32", "ChecksumCRC32C", "ChecksumSHA1", "ChecksumSHA256")


@dataclass(frozen=True, slots=True)
class Thing:
    """One object; `put` is what PutObject is given, `parts` makes it an upload in parts."""

    what: str
    key: str
    put: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b"content"
    parts: int = 0
    versions: int = 1
    deleted: bool = False


THINGS = (
    Thing("content headers, all six", "headers", _HEADERS),
    Thing("user metadata", "metadata.bin", {"Metadata": _METADATA}),
    Thing("2 KB of user metadata", "metadata-2k.bin", {"Metadata": {"large": "v" * 2000}}),
    Thing("tags", "tags.bin", {"Tagging": _TAGGING}),
    Thing("class STANDARD_IA", "infrequent.bin", {"StorageClass": "STANDARD_IA"}),
    Thing("class INTELLIGENT_TIERING", "tiering.bin", {"StorageClass": "INTELLIGENT_TIERING"}),
    Thing("zero bytes", "zero", {"Metadata": _METADATA, "ContentType": "text/plain"}, b""),
    Thing("`dir/` with a body", "dir/", {"ContentType": "text/plain"}, b"not a folder"),
    Thing("`folder/` of zero bytes", "folder/", {"Metadata": {"made-by": "console"}}, b""),
    Thing("checksum SHA-256", "sha256.bin", {"ChecksumAlgorithm": "SHA256"}),
    Thing("checksum SHA-1", "sha1.bin", {"ChecksumAlgorithm": "SHA1"}),
    Thing("checksum CRC-32", "crc32.bin", {"ChecksumAlgorithm": "CRC32"}),
    Thing("12 MB in one part, with everything", "large", _EVERYTHING, b"x" * 12 * 1024**2),
    Thing("uploaded in 3 parts, with everything", "parts", _EVERYTHING, b"p" * _PART, parts=3),
    Thing("three versions", "versions.bin", {"Metadata": _METADATA}, versions=3),
    Thing("deleted, with an older version", "deleted.bin", {"Tagging": _TAGGING}, deleted=True),
    Thing("plus sign", "keys/a+b"),
    Thing("space", "keys/a b"),
    Thing("percent-escapes as text", "keys/a%20b%2Fc"),
    Thing("letters beyond ASCII", "keys/é漢\U0001f600"),
    Thing("decomposed letters", "keys/e\u0301"),
    Thing("double slash", "keys/x//y"),
    Thing("leading slash", "/keys/leading"),
    Thing("`./` in the key", "keys/./dot"),
    Thing("`../` in the key", "keys/a/../b"),
    Thing("query marks", "keys/q?a=b&c#d"),
    Thing("XML marks", "keys/<a>&'\""),
    Thing("newline and tab", "keys/new\nline\tcolumn"),
    Thing("carriage return", "keys/carriage\rreturn"),
    Thing("1,024 bytes long", "keys/" + "k" * 1019),
)


def put_all(s3: Any, bucket: str, things: Iterable[Thing]) -> list[str]:
    """Make some objects; the names of those that this server refuses or does not give back."""
    refused = []
    for thing in things:
        try:
            _put(s3, bucket, thing)
            found = attributes(s3, bucket, thing)
        except (BotoCoreError, ClientError):
            found = {}
        if not found:
            refused.append(thing.what)
    return refused


def _put(s3: Any, bucket: str, thing: Thing) -> None:
    where = {"Bucket": bucket, "Key": thing.key}
    if thing.parts:
        upload = s3.create_multipart_upload(**where, **thing.put)["UploadId"]
        made = []
        for number in range(1, thing.parts + 1):
            body = thing.body if number < thing.parts else b"the end"
            part = s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)
            made.append({"PartNumber": number, "ETag": part["ETag"]})
        s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": made})
        return
    for version in range(thing.versions):
        s3.put_object(**where, Body=thing.body + b"+" * version, **thing.put)
    if thing.deleted:
        s3.delete_object(**where)


def _history(s3: Any, bucket: str, key: str) -> list[Mapping[str, Any]]:
    """The versions and delete markers of exactly this key, newest first."""
    found: list[Mapping[str, Any]] = []
    more: dict[str, Any] = {"Bucket": bucket, "Prefix": key}
    page = s3.list_object_versions(**more)
    for sort in ("Versions", "DeleteMarkers"):
        found += [{**one, "sort": sort} for one in page.get(sort, ()) if one["Key"] == key]
    return sorted(found, key=lambda one: not one["IsLatest"])


def attributes(s3: Any, bucket: str, thing: Thing) -> dict[str, Any]:
    """Everything that can be told apart of an object; empty if it is not there."""
    found = dict(_current(s3, bucket, thing.key))
    if thing.versions + thing.deleted > 1:
        history = [_version(s3, bucket, one) for one in _history(s3, bucket, thing.key)]
        if history:
            found["older versions"] = history
    return found


def _current(s3: Any, bucket: str, key: str) -> Iterator[tuple[str, Any]]:
    try:
        one = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except s3.exceptions.NoSuchKey:
        return
    yield "content", sha256(one["Body"].read()).hexdigest()
    for name in _HEADERS:
        if one.get(name):
            yield _shown(name), one[name]
    if one["Metadata"]:
        yield "user metadata", one["Metadata"]
    tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    if tags:
        yield "tags", sorted((tag["Key"], tag["Value"]) for tag in tags)
    if one.get("StorageClass", "STANDARD") != "STANDARD":
        yield "storage class", one["StorageClass"]
    checksums = {name: one[name] for name in _CHECKSUMS if name in one}
    if checksums:
        yield "checksum", checksums
    yield "ETag", one["ETag"]


def _version(s3: Any, bucket: str, one: Mapping[str, Any]) -> Any:
    if one["sort"] == "DeleteMarkers":
        return "delete marker"
    body = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"]
    return sha256(body.read()).hexdigest()


def _shown(name: str) -> str:
    """A header's name as HTTP has it: ContentType is Content-Type."""
    return "".join(f"-{c}" if c.isupper() and at else c for at, c in enumerate(name))
