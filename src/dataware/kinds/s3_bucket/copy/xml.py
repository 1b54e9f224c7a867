"""The documents that S3 answers with, as values; pure.

Every reader raises `MalformedResponseError` unless the document is whole and of the sort that was
asked for, so that a torn page never passes for a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

# Only the type; parsing is done in `responses`.
from xml.etree.ElementTree import Element

from dataware.kinds.s3_bucket.copy.responses import MalformedResponseError, local, texts


class ListedObject(NamedTuple):
    """An object, or with `version` one of its versions, as a listing shows it.

    `marker` is a delete marker. `checksum` is the first checksum algorithm; `restored` says that
    an archived object can be read at the moment.
    """

    key: bytes
    size: int = 0
    etag: str = ""
    storage_class: str = "STANDARD"
    checksum: str | None = None
    restored: bool = False
    version: str | None = None
    marker: bool = False


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of a listing; `more` holds the query that asks for the next one, if any."""

    entries: tuple[ListedObject, ...]
    more: dict[str, str | bytes] | None


def _expect(root: Element, name: str) -> dict[str, str]:
    if local(root) != name:
        raise MalformedResponseError(f"{local(root)} instead of {name}")
    return texts(root)


def _rows(root: Element, *names: str) -> list[Element]:
    """The rows of a listing. Raises Garbled where what may be a row stands anywhere else.

    So no other spelling of a row, nor a group of keys that nobody asked for, hides an object.
    """
    rows = [child for child in root if local(child) in names]
    if len(rows) != sum(local(element) in names for element in root.iter()):
        raise MalformedResponseError("a listing whose rows stand within others")
    for child in root:
        if local(child) in names:
            continue
        if local(child) == "CommonPrefixes" or any(map(_names_a_key, child)):
            raise MalformedResponseError(f"a listing with rows of another sort ({local(child)})")
    return rows


def _names_a_key(element: Element) -> bool:
    return local(element).lower() in ("key", "uploadid", "partnumber")


def _truncated(fields: dict[str, str]) -> bool:
    try:
        return {"true": True, "false": False}[fields["IsTruncated"].strip()]
    except KeyError:
        raise MalformedResponseError("a listing that does not say whether there is more") from None


def _key_of_text(text: str, *, encoded: bool) -> bytes:
    """A key as a listing writes it, where a space is ``+`` and a plus sign ``%2B`` if encoded."""
    return unquote_to_bytes(text.replace("+", " ")) if encoded else text.encode()


def _parse_object(element: Element, *, encoded: bool) -> ListedObject:
    fields = texts(element)
    if [len(child) for child in element if local(child) == "Key"] != [0]:
        raise MalformedResponseError("an entry without one key")
    marker = local(element) == "DeleteMarker"
    try:
        return ListedObject(
            key=_key_of_text(fields["Key"], encoded=encoded),
            size=0 if marker else int(fields["Size"]),
            etag="" if marker else fields["ETag"].strip('"'),
            storage_class=fields.get("StorageClass") or "STANDARD",
            checksum=fields.get("ChecksumAlgorithm") or None,
            restored=_restored(element),
            version=fields.get("VersionId"),
            marker=marker,
        )
    except (KeyError, ValueError) as error:
        raise MalformedResponseError(f"an entry without {error}") from error


def _restored(element: Element) -> bool:
    return any(
        local(child) == "RestoreStatus" and texts(child).get("IsRestoreInProgress") == "false"
        for child in element
    )


def read_objects(root: Element) -> ListingPage:
    """A page of ListObjectsV2."""
    listed = _rows(root, "Contents")
    return page_of(
        root, lambda encoded: tuple(_parse_object(one, encoded=encoded) for one in listed)
    )


def page_of(root: Element, entries: Callable[[bool], tuple[ListedObject, ...]]) -> ListingPage:
    """A page of ListObjectsV2 from its root; `entries` reads what it lists, encoded or not."""
    fields = _expect(root, "ListBucketResult")
    objects = entries(fields.get("EncodingType") == "url")
    if "KeyCount" in fields and fields["KeyCount"].strip() != str(len(objects)):
        raise MalformedResponseError("a listing of fewer keys than it counts")
    if not _truncated(fields):
        return ListingPage(objects, None)
    token = fields.get("NextContinuationToken")
    if not token:
        raise MalformedResponseError("a truncated listing without a continuation")
    return ListingPage(objects, {"continuation-token": token})


def read_versions(root: Element) -> ListingPage:
    """A page of ListObjectVersions: keys ascending, and per key the newest first."""
    fields = _expect(root, "ListVersionsResult")
    encoded = fields.get("EncodingType") == "url"
    listed = _rows(root, "Version", "DeleteMarker")
    versions = tuple(_parse_object(child, encoded=encoded) for child in listed)
    if not _truncated(fields):
        return ListingPage(versions, None)
    key, version = fields.get("NextKeyMarker"), fields.get("NextVersionIdMarker")
    if not key or not version:
        raise MalformedResponseError("a truncated listing without a continuation")
    marker = _key_of_text(key, encoded=encoded)
    return ListingPage(versions, {"key-marker": marker, "version-id-marker": version})


@dataclass(frozen=True, slots=True)
class UploadsPage:
    """A page of the unfinished uploads: (key, upload id) pairs."""

    entries: tuple[tuple[bytes, str], ...]
    more: dict[str, str | bytes] | None


def read_uploads(root: Element) -> UploadsPage:
    """A page of ListMultipartUploads."""
    fields = _expect(root, "ListMultipartUploadsResult")
    encoded = fields.get("EncodingType") == "url"
    each = [texts(child) for child in _rows(root, "Upload")]
    try:
        uploads = tuple(
            (_key_of_text(one["Key"], encoded=encoded), one["UploadId"]) for one in each
        )
    except KeyError as error:
        raise MalformedResponseError(f"an upload without {error}") from error
    if not _truncated(fields):
        return UploadsPage(uploads, None)
    if not fields.get("NextKeyMarker") or not fields.get("NextUploadIdMarker"):
        raise MalformedResponseError("a truncated listing without a continuation")
    return UploadsPage(
        uploads,
        {
            "key-marker": _key_of_text(fields["NextKeyMarker"], encoded=encoded),
            "upload-id-marker": fields["NextUploadIdMarker"],
        },
    )


def read_parts(root: Element) -> dict[int, int]:
    """The parts that a page of ListParts shows: number to size."""
    fields = _expect(root, "ListPartsResult")
    _truncated(fields)
    each = [texts(child) for child in _rows(root, "Part")]
    try:
        return {int(one["PartNumber"]): int(one["Size"]) for one in each}
    except (KeyError, ValueError) as error:
        raise MalformedResponseError(f"a part without {error}") from error


def read_upload_id(root: Element) -> str:
    """The id that CreateMultipartUpload answers with."""
    return _required_text(_expect(root, "InitiateMultipartUploadResult"), "UploadId")


def read_copied(root: Element) -> str:
    """The ETag that CopyObject answers with."""
    return _etag(_expect(root, "CopyObjectResult"))


def read_completed(root: Element) -> str:
    """The ETag that CompleteMultipartUpload answers with."""
    return _etag(_expect(root, "CompleteMultipartUploadResult"))


def read_part(root: Element) -> dict[str, str]:
    """The ETag and checksums that UploadPartCopy answers with, as completing wants them back."""
    fields = _expect(root, "CopyPartResult")
    _required_text(fields, "ETag")
    return {name: text for name, text in fields.items() if name == "ETag" or name[:8] == "Checksum"}


def read_versioning(root: Element) -> str:
    """The status that GetBucketVersioning answers with; empty if it was never enabled."""
    return _expect(root, "VersioningConfiguration").get("Status", "")


def read_tags(root: Element) -> tuple[tuple[str, str], ...]:
    """The tags that GetObjectTagging answers with, sorted."""
    _expect(root, "Tagging")
    sets = [child for child in root if local(child) == "TagSet"]
    if len(sets) != 1:
        raise MalformedResponseError("an answer without its set of tags")
    tags = [texts(tag) for tag in sets[0]]
    if len(tags) != sum(local(element) == "Tag" for element in root.iter()):
        raise MalformedResponseError("tags of another form")
    try:
        return tuple(sorted((tag["Key"], tag["Value"]) for tag in tags))
    except KeyError as error:
        raise MalformedResponseError(f"a tag without {error}") from error


def _required_text(fields: dict[str, str], name: str) -> str:
    if not fields.get(name):
        raise MalformedResponseError(f"an answer without {name}")
    return fields[name]


def _etag(fields: dict[str, str]) -> str:
    etag = _required_text(fields, "ETag").strip('"')
    if not etag:
        raise MalformedResponseError("an answer with an empty ETag")
    return etag
