"""Reads the bodies of S3's listings for the reader; shares no code with the copier's parser.

What is not whole raises ValueError, so that a torn page never passes for a shorter one. Listings
are asked for with ``encoding-type=url``, because XML cannot carry every key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

Listed = tuple[bytes, bytes, bytes, bytes]
"""An object of a listing: key, ETag, size, storage class."""

STANDARD = b"STANDARD"

# An object as S3 writes it. A listing in any other form is read by expat, at eight times the cost.
# What a text has taken is never given back (*+), because it ends where no text can go on.
_OBJECT = re.compile(
    rb"<Contents><Key>([^<&]*+)</Key><LastModified>[^<]*+</LastModified>"
    rb'<ETag>(?:&quot;|")([^<&"]*+)(?:&quot;|")</ETag>'
    rb"(?:<ChecksumAlgorithm>[^<]*+</ChecksumAlgorithm>)*"
    rb"(?:<ChecksumType>[^<]*+</ChecksumType>)?"
    rb"<Size>([0-9]++)</Size>(?:<StorageClass>([A-Z_]*+)</StorageClass>)?</Contents>"
)
_ROWS = {"Contents", "Version", "DeleteMarker"}
_OTHER_ROWS = {"CommonPrefixes"}
_FIRST, _LAST = b"<Contents>", b"</Contents>"

# What lets the bytes of a document mean something else than they seem to.
_SECTIONS = re.compile(rb"<!|<\?(?!xml[ \t\r\n])")
_ENCODING = re.compile(rb"""encoding\s*=\s*["'](?!utf-8["'])""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A page of objects; `token` asks for the next one, None at the end."""

    objects: Sequence[Listed]
    token: str | None


def read_listing(body: bytes) -> ObjectPage:
    """The page in the body of a ListObjectsV2."""
    return _read_quickly(body) or _read_strictly(body)


def _read_quickly(body: bytes) -> ObjectPage | None:
    """The page if it is exactly as S3 writes it; None leaves it to the parser."""
    at, end = body.find(_FIRST), body.rfind(_LAST) + len(_LAST)
    if not 0 <= at < end - len(_LAST):
        return None
    pieces = _OBJECT.split(body[at:end])
    around = body[:at] + body[end:]
    if any(pieces[::5]) or _SECTIONS.search(around) or _ENCODING.search(around):
        return None
    document = Document.of(around, "ListBucketResult")
    if document.rows:
        return None
    keys, tags, sizes, sorts = (pieces[column::5] for column in range(1, 5))
    if None in sorts or b"" in sorts:
        sorts = [sort or STANDARD for sort in sorts]
    return _listing(document, list(zip(document.keys(keys), tags, sizes, sorts, strict=True)))


def _read_strictly(body: bytes) -> ObjectPage:
    document = Document.of(body, "ListBucketResult")
    objects = list(map(_object, document.rows_of("Contents")))
    keys = document.keys([one[0] for one in objects])
    return _listing(document, [(key, *one[1:]) for key, one in zip(keys, objects, strict=True)])


def _listing(document: Document, objects: Sequence[Listed]) -> ObjectPage:
    fields = document.fields
    if fields.get("KeyCount", str(len(objects))).strip() != str(len(objects)):
        raise ValueError("a listing of other keys than it counts")
    return ObjectPage(
        objects, document.required_text("NextContinuationToken") if document.more else None
    )


def _object(row: Mapping[str, str]) -> Listed:
    try:
        etag, size = row["ETag"].strip('"'), int(row["Size"])
        sort = row.get("StorageClass") or STANDARD.decode()
        return row["Key"].encode(), etag.encode(), b"%d" % size, sort.encode()
    except KeyError as error:
        raise ValueError(f"an object without {error}") from None


@dataclass(frozen=True, slots=True)
class Version:
    """A version under a key, or a delete marker, which has nothing `listed`."""

    key: bytes
    id: str
    listed: Listed | None


@dataclass(frozen=True, slots=True)
class Versions:
    """A page of versions: keys ascending, and of each the newest first; `more` asks on."""

    versions: Sequence[Version]
    more: Mapping[str, str] | None


def read_versions(body: bytes) -> Versions:
    """The page in the body of a ListObjectVersions."""
    document = Document.of(body, "ListVersionsResult")
    versions = [
        _version(document, name, row)
        for name, row in document.rows
        if name in {"Version", "DeleteMarker"}
    ]
    if not document.more:
        return Versions(versions, None)
    key = document.key(document.required_text("NextKeyMarker").encode())
    more = {
        "KeyMarker": key.decode(),
        "VersionIdMarker": document.required_text("NextVersionIdMarker"),
    }
    return Versions(versions, more)


def _version(document: Document, name: str, row: Mapping[str, str]) -> Version:
    try:
        key, version = document.key(row["Key"].encode()), row["VersionId"]
    except KeyError as error:
        raise ValueError(f"a version without {error}") from None
    if name == "DeleteMarker":
        return Version(key, version, None)
    return Version(key, version, (key, *_object(row)[1:]))


def _decode_key(key: bytes) -> bytes:
    # In listings S3 writes a space as "+", and a plus sign as "%2B".
    if b"%" in key or b"+" in key:
        return unquote_to_bytes(key.replace(b"+", b" "))
    return key


def _as_it_is(key: bytes) -> bytes:
    return key


@dataclass(slots=True)
class Document:
    """A listing as its texts: `fields` by name, and `rows` of the elements that have some."""

    fields: dict[str, str]
    rows: list[tuple[str, dict[str, str]]]

    @staticmethod
    def of(body: bytes, root: str) -> Document:
        """The document, which must be whole and have this root. Raises ValueError."""
        handler = _Handler(root)
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = handler.start
        parser.CharacterDataHandler = handler.text
        parser.EndElementHandler = handler.end
        parser.StartDoctypeDeclHandler = handler.doctype
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise ValueError(f"a listing that is not whole: {error}") from None
        if _ROWS & handler.fields.keys():
            raise ValueError("a listing with an empty row")
        if handler.astray:
            raise ValueError(f"a listing with rows of another sort ({handler.astray})")
        return Document(handler.fields, handler.rows)

    def rows_of(self, name: str) -> list[dict[str, str]]:
        """The rows of one name."""
        return [row for each, row in self.rows if each == name]

    @property
    def key(self) -> Callable[[bytes], bytes]:
        """How a key in this document is read."""
        return _decode_key if self.fields.get("EncodingType") == "url" else _as_it_is

    def keys(self, written: Sequence[bytes]) -> Sequence[bytes]:
        """Many keys of this document; most listings have none that is not as it is written."""
        together = b"".join(written)
        return list(map(self.key, written)) if b"%" in together or b"+" in together else written

    @property
    def more(self) -> bool:
        """Whether there is another page."""
        try:
            return {"true": True, "false": False}[self.fields["IsTruncated"].strip()]
        except KeyError:
            raise ValueError("a listing that does not say whether there is more") from None

    def required_text(self, name: str) -> str:
        """A text that must be there."""
        if not self.fields.get(name):
            raise ValueError(f"a listing that goes on without {name}")
        return self.fields[name]


def _local(name: str) -> str:
    """The name of an element without its namespace."""
    return name.rpartition(" ")[2]


class _Handler:
    """Takes in what expat reads: texts at depth two, and rows with their texts at depth three."""

    def __init__(self, root: str) -> None:
        self.fields: dict[str, str] = {}
        self.rows: list[tuple[str, dict[str, str]]] = []
        self.astray = ""
        self._root = root
        self._path: list[str] = []
        self._text = ""
        self._row: dict[str, str] = {}

    def start(self, name: str, _attributes: object) -> None:
        name = _local(name)
        if not self._path and name != self._root:
            raise ValueError(f"{name} instead of {self._root}")
        self._path.append(name)
        depth = len(self._path)
        misplaced = name in _ROWS and depth != 2
        second_key = name == "Key" and depth == 3 and name in self._row
        within_key = depth == 4 and self._path[2] == "Key"
        if name in _OTHER_ROWS or misplaced or second_key or within_key:
            self.astray = name
        self._text = ""

    def text(self, data: str) -> None:
        self._text += data

    def end(self, _name: str) -> None:
        depth = len(self._path)
        name = self._path.pop()
        if depth == 3:
            self._row[name] = self._text
        elif depth == 2 and self._row:
            if name not in _ROWS and any(each.lower() == "key" for each in self._row):
                self.astray = name
            self.rows.append((name, self._row))
            self._row = {}
        elif depth == 2:
            self.fields[name] = self._text
        self._text = ""

    def doctype(self, *_: object) -> None:
        raise ValueError("a listing with a document type")
