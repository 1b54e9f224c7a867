"""Readers of the two documents that come by the million, quicker than a parser; pure.

A quick reader answers only to the very form in which S3 writes a document, byte for byte; for any
other it says None, and the strict reader of `xml` decides. So it can never see less in a
document than the strict one does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import repeat
from typing import Any
from urllib.parse import unquote_to_bytes

# Only the type; parsing is done in `responses`.
from xml.etree.ElementTree import Element

from dataware.kinds.s3_bucket.copy.responses import MalformedResponseError, document, local
from dataware.kinds.s3_bucket.copy.xml import ListedObject, ListingPage, page_of

# Printable ASCII without markup, entities and quotes means itself in every encoding.
_TEXT = rb"[ !#-%'-;=?-~]"
_QUOTE = rb'(?:"|&quot;|&#34;)?'
_OWNER = rb"(?:<Owner><ID>%(text)s*</ID>(?:<DisplayName>%(text)s*</DisplayName>)?</Owner>)?"
_ENTRY = re.compile(
    (
        rb"<Contents><Key>(%(text)s+)</Key>"
        rb"<LastModified>%(text)s*</LastModified>"
        rb"<ETag>%(quote)s(%(text)s*)%(quote)s</ETag>"
        rb"(?:<ChecksumAlgorithm>(%(text)s*)</ChecksumAlgorithm>)?"
        rb"(?:<ChecksumType>%(text)s*</ChecksumType>)?"
        rb"<Size>([0-9]{1,18})</Size>"
        + _OWNER
        + rb"(?:<StorageClass>(%(text)s*)</StorageClass>)?"
        + _OWNER
        + rb"(?:<RestoreStatus><IsRestoreInProgress>(%(text)s*)</IsRestoreInProgress>"
        rb"(?:<RestoreExpiryDate>%(text)s*</RestoreExpiryDate>)?</RestoreStatus>)?"
        rb"</Contents>"
    )
    % {b"text": _TEXT, b"quote": _QUOTE}
)
_STRIDE = _ENTRY.groups + 1
_ENTRIES = b"<Contents/>"
# What is taken is never given back (++): a name's end is no part of its text.
_COPIED = re.compile(
    rb'(?:<\?xml version="1\.0" encoding="UTF-8"\?>)?[ \t\r\n]*'
    rb'<CopyObjectResult(?: xmlns="http://s3\.amazonaws\.com/doc/2006-03-01/")?>'
    rb"(?:<LastModified>%(text)s*+</LastModified>)?"
    rb"<ETag>%(quote)s(%(text)s++)%(quote)s</ETag>"
    rb"(?:<LastModified>%(text)s*+</LastModified>)?"
    rb"(?:<(Checksum[A-Za-z0-9]+)>%(text)s*+</\2>)*"
    rb"</CopyObjectResult>[ \t\r\n]*" % {b"text": _TEXT, b"quote": _QUOTE}
)


def quick_copied(body: bytes) -> str | None:
    """The ETag that CopyObject answers with."""
    match = _COPIED.fullmatch(body)
    return None if match is None else match[1].decode()


def quick_objects(body: bytes) -> ListingPage | None:
    """A page of ListObjectsV2: its entries by pattern, and what is around them by the parser."""
    pieces = _ENTRY.split(body)
    if len(pieces) == 1 or any(pieces[_STRIDE:-1:_STRIDE]):
        return None
    head, tail = pieces[0], pieces[-1]
    # Inside a comment, a section or an instruction the entries would be mere text.
    if b"<!" in head or b"<!" in tail or b"<?" in head[1:] or b"<?" in tail:
        return None
    try:
        root = document(head + _ENTRIES + tail)
        if _own(root) and not _prefixes(root):
            return page_of(root, lambda encoded: _entries(pieces, encoded=encoded))
    except MalformedResponseError:
        pass
    return None


def _own(root: Element) -> bool:
    """Whether all entries stand at one place, right under the root."""
    places = [element for element in root.iter() if local(element) == "Contents"]
    return len(places) == 1 and places[0] in list(root)


def _prefixes(root: Element) -> bool:
    """Whether anything else may be a row; the strict reader then decides."""
    return any(len(child) for child in root)


def _entries(pieces: Sequence[Any], *, encoded: bool) -> tuple[ListedObject, ...]:
    keys, etags, checksums, sizes, classes, restores = (
        pieces[column::_STRIDE] for column in range(1, _STRIDE)
    )
    if encoded and any(mark in b"".join(keys) for mark in (b"%", b"+")):
        keys = list(map(_key, keys))
    columns = zip(
        keys,
        map(int, sizes),
        map(bytes.decode, etags),
        map(_names(classes, "STANDARD").get, classes),
        map(_names(checksums, None).get, checksums),
        [in_progress == b"false" for in_progress in restores],
        repeat(None),
        repeat(False),
    )
    return tuple(map(tuple.__new__, repeat(ListedObject), columns))


def _key(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _names(column: Sequence[Any], default: str | None) -> dict[Any, str | None]:
    """The words of a column, each made once; `default` where there is none."""
    return {word: word.decode() if word else default for word in set(column)}
