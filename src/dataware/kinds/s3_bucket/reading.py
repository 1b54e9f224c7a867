"""Reads the bodies of S3's listings for the reader; shares no code with the copier's parser.

What is not whole raises ValueError, so that a torn page never passes for a shorter one. Listings
are asked for with ``encoding-type=url``, because XML cannot carry every key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

Listed = tuple[bytes, bytes, bytes, bytes]
"""An object of a listing: key, ETag, size, storage class."""

STANDARD = b"STANDARD"

# An object as S3 writes it. A listing in any other form is read by expat, at eight times the cost.
_OBJECT = re.compile(
    rb"<Contents><Key>([^<&]*)</Key><LastModified>[^<]*</LastModified>"
    rb'<ETag>(?:&quot;|")([^<&"]*)(?:&quot;|")</ETag>'
    rb"(?:<Checksum(?:Algorithm|Type)>[^<]*</Checksum(?:Algorithm|Type)>)*"
    rb"<Size>([0-9]+)</Size>(?:<StorageClass>([A-Z_]*)</StorageClass>)?</Contents>"
)
_ROWS = {"Contents", "Version", "DeleteMarker"}
_FIRST, _LAST = b"<Contents>", b"</Contents>"


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of objects; `token` asks for the next one, None at the end."""

    objects: Sequence[Listed]
    token: str | None


def read_listing(body: bytes) -> Listing:
    """The page in the body of a ListObjectsV2."""
    at = body.find(_FIRST)
    if at < 0:
        return _listing(Document.of(body, "ListBucketResult"), ())
    end = body.rfind(_LAST) + len(_LAST)
    pieces = _OBJECT.split(body[at:end])
    if any(pieces[::5]):
        document = Document.of(body, "ListBucketResult")
        return _listing(document, map(_object, document.rows_of("Contents")))
    rows = zip(pieces[1::5], pieces[2::5], pieces[3::5], pieces[4::5], strict=True)
    document = Document.of(body[:at] + body[end:], "ListBucketResult")
    return _listing(document, ((key, tag, size, sort or STANDARD) for key, tag, size, sort in rows))


def _listing(document: Document, rows: Iterable[Listed]) -> Listing:
    key = document.key
    objects = [(key(name), etag, size, sort) for name, etag, size, sort in rows]
    said = document.said
    if said.get("KeyCount", str(len(objects))) != str(len(objects)):
        raise ValueError("a listing of other keys than it counts")
    return Listing(objects, document.needed("NextContinuationToken") if document.more else None)


def _object(row: Mapping[str, str]) -> Listed:
    try:
        etag, size = row["ETag"].strip('"'), int(row["Size"])
        sort = row.get("StorageClass") or STANDARD.decode()
        return row["Key"].encode(), etag.encode(), b"%d" % size, sort.encode()
    except KeyError as error:
        raise ValueError(f"an object without {error}") from None


@dataclass(frozen=True, slots=True)
class Version:
    """A version under a key, or a delete marker, which has no `said`."""

    key: bytes
    id: str
    said: Listed | None


@dataclass(frozen=True, slots=True)
class Versions:
    """A page of versions: keys ascending, and of each the newest first; `more` asks on."""

    versions: Sequence[Version]
    more: Mapping[str, str] | None


def read_versions(body: bytes) -> Versions:
    """The page in the body of a ListObjectVersions."""
    document = Document.of(body, "ListVersionsResult")
    found = [
        _version(document, name, row)
        for name, row in document.rows
        if name in {"Version", "DeleteMarker"}
    ]
    if not document.more:
        return Versions(found, None)
    key = document.key(document.needed("NextKeyMarker").encode())
    more = {"KeyMarker": key.decode(), "VersionIdMarker": document.needed("NextVersionIdMarker")}
    return Versions(found, more)


def _version(document: Document, name: str, row: Mapping[str, str]) -> Version:
    try:
        key, version = document.key(row["Key"].encode()), row["VersionId"]
    except KeyError as error:
        raise ValueError(f"a version without {error}") from None
    if name == "DeleteMarker":
        return Version(key, version, None)
    return Version(key, version, (key, *_object(row)[1:]))


def _decoded(key: bytes) -> bytes:
    # In listings S3 writes a space as "+", and a plus sign as "%2B".
    if b"%" in key or b"+" in key:
        return unquote_to_bytes(key.replace(b"+", b" "))
    return key


def _as_it_is(key: bytes) -> bytes:
    return key


@dataclass(slots=True)
class Document:
    """A listing as its texts: `said` by name, and `rows` of the elements that have some."""

    said: dict[str, str]
    rows: list[tuple[str, dict[str, str]]]

    @staticmethod
    def of(body: bytes, root: str) -> Document:
        """The document, which must be whole and have this root. Raises ValueError."""
        handler = _Handler(root)
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = handler.start
        parser.CharacterDataHandler = handler.text
        parser.EndElementHandler = handler.end
        parser.StartDoctypeDeclHandler = handler.doctype
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise ValueError(f"a listing that is not whole: {error}") from None
        if _ROWS & handler.said.keys():
            raise ValueError("a listing with an empty row")
        return Document(handler.said, handler.rows)

    def rows_of(self, name: str) -> list[dict[str, str]]:
        """The rows of one name."""
        return [row for each, row in self.rows if each == name]

    @property
    def key(self) -> Callable[[bytes], bytes]:
        """How a key in this document is read."""
        return _decoded if self.said.get("EncodingType") == "url" else _as_it_is

    @property
    def more(self) -> bool:
        """Whether there is another page."""
        try:
            return {"true": True, "false": False}[self.said["IsTruncated"]]
        except KeyError:
            raise ValueError("a listing that does not say whether there is more") from None

    def needed(self, name: str) -> str:
        """A text that must be there."""
        if not self.said.get(name):
            raise ValueError(f"a listing that goes on without {name}")
        return self.said[name]


class _Handler:
    """Takes in what expat reads: texts at depth two, and rows with their texts at depth three."""

    def __init__(self, root: str) -> None:
        self.said: dict[str, str] = {}
        self.rows: list[tuple[str, dict[str, str]]] = []
        self._root = root
        self._path: list[str] = []
        self._text = ""
        self._row: dict[str, str] = {}

    def start(self, name: str, _attributes: object) -> None:
        if not self._path and name != self._root:
            raise ValueError(f"{name} instead of {self._root}")
        self._path.append(name)
        self._text = ""

    def text(self, data: str) -> None:
        self._text += data

    def end(self, name: str) -> None:
        depth = len(self._path)
        self._path.pop()
        if depth == 3:
            self._row[name] = self._text
        elif depth == 2 and self._row:
            self.rows.append((name, self._row))
            self._row = {}
        elif depth == 2:
            self.said[name] = self._text
        self._text = ""

    def doctype(self, *_: object) -> None:
        raise ValueError("a listing with a document type")
