"""A virtual bucket of any size, and the target that it is copied into."""

from __future__ import annotations

import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, quote, unquote
from xml.sax.saxutils import escape

from tests.bench.http import Answer, Question, header_of
from tests.bench.ledger import Ledger

OBJECT_BYTES = 4096
AFTER_ALL = "\U0010ffff"
"""Sorts behind every key that continues a prefix."""

_KEY = re.compile(r"data/(\d{9})\.bin")
_MOMENT = "2024-05-06T07:08:09.000Z"
_HTTP_MOMENT = "Mon, 06 May 2024 07:08:09 GMT"
_ROW = (
    f"<Contents><Key>data/%09d.bin</Key><LastModified>{_MOMENT}</LastModified>"
    f"<ETag>&quot;%032x&quot;</ETag><Size>{OBJECT_BYTES}</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)
_XML = {"Content-Type": "application/xml"}
_DECLARED = '<?xml version="1.0" encoding="UTF-8"?>\n'
_COPIED = (
    f"{_DECLARED}<CopyObjectResult><LastModified>{_MOMENT}</LastModified>"
    "<ETag>&quot;%032x&quot;</ETag></CopyObjectResult>"
)


@lru_cache(maxsize=1)
def _copied_wire(_second: int) -> bytes:
    """The answer to a copy, which lacks only the ETag; made anew for each second of its date."""
    length = {"Content-Length": str(len(_COPIED % 0))}
    return Answer(200, _COPIED.encode(), {**_XML, **length}).encoded()


def key_of(number: int) -> str:
    """The key of an object; keys sort like their numbers."""
    return f"data/{number:09d}.bin"


def _number(key: str) -> int | None:
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else None


def _etag(number: int) -> str:
    return f'"{number:032x}"'


@dataclass(frozen=True, slots=True)
class _Range:
    """What a listing asks for."""

    prefix: str
    delimiter: str
    after: str
    limit: int

    @classmethod
    def of(cls, asked: dict[str, str]) -> _Range:
        return cls(
            asked.get("prefix", ""),
            asked.get("delimiter", ""),
            asked.get("continuation-token") or asked.get("start-after", ""),
            int(asked.get("max-keys", "1000")),
        )


class VirtualBucket:
    """The objects 0 … n-1 of `source`, and what was copied of them to `target`."""

    def __init__(self, source: str, target: str, size: int, *, filled: bool = False) -> None:
        self.source = source
        self.target = target
        self.ledger = Ledger(size, filled=filled)
        self._put = f"PUT /{target}/data/".encode()
        self._from = f"{source}/data/".encode()

    def quick(self, data: bytes) -> bytes | None:
        """The answer to a copy that came in one piece, if nothing about it is unusual."""
        if not data.startswith(self._put) or not data.endswith(b"\r\n\r\n"):
            return None
        start = len(self._put)
        digits = data[start : start + 9]
        if data[start + 9 : start + 14] != b".bin " or not digits.isdigit():
            return None
        number, head = int(digits), data.lower()
        source = header_of(head, b"x-amz-copy-source").lstrip(b"/").replace(b"%2f", b"/")
        if source != b"%b%b.bin" % (self._from, digits) or number >= self.ledger.size:
            return None
        if b"-if-match:" in head:
            pinned = header_of(head, b"x-amz-copy-source-if-match").strip(b'"')
            if pinned != b"%032x" % number:
                return None
        if self.ledger.has(number) and b"\r\nif-none-match:" in head:
            return None
        self.ledger.write(number)
        return _copied_wire(int(time.time())) % number

    def answer(self, question: Question) -> Answer | None:
        """The answer to a listing, a copy or a HEAD; None for every other call."""
        path, _, query = question.target.partition("?")
        bucket, _, key = unquote(path[1:]).partition("/")
        method = question.method
        if method == "GET" and not key:
            asked = {name: one[0] for name, one in parse_qs(query, keep_blank_values=True).items()}
            return self._list(bucket, asked) if "list-type" in asked else None
        if method == "PUT" and question.header("x-amz-copy-source"):
            return self._copy(key, question)
        if method == "HEAD" and key:
            return self._head(bucket, key)
        return None

    def _list(self, bucket: str, asked: dict[str, str]) -> Answer:
        wanted = _Range.of(asked)
        numbers, groups, more = self._page(bucket, wanted)
        encoded = "encoding-type" in asked
        rows = [_ROW % (number, number) for number in numbers]
        rows += [
            f"<CommonPrefixes><Prefix>{escape(quote(one) if encoded else one)}</Prefix>"
            "</CommonPrefixes>"
            for one in groups
        ]
        truncated = (
            f"<IsTruncated>true</IsTruncated><NextContinuationToken>{escape(quote(more))}"
            "</NextContinuationToken>"
            if more
            else "<IsTruncated>false</IsTruncated>"
        )
        return _xml(
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{escape(bucket)}</Name><Prefix>{escape(wanted.prefix)}</Prefix>"
            f"<KeyCount>{len(rows)}</KeyCount><MaxKeys>{wanted.limit}</MaxKeys>"
            f"{'<EncodingType>url</EncodingType>' if encoded else ''}"
            f"{truncated}{''.join(rows)}</ListBucketResult>"
        )

    def _page(self, bucket: str, wanted: _Range) -> tuple[Sequence[int], list[str], str]:
        """The numbers and the common prefixes of a page, and where the next one begins."""
        numbers = range(self.ledger.size)
        start = bisect_left(numbers, wanted.prefix, key=key_of)
        end = bisect_left(numbers, wanted.prefix + AFTER_ALL, key=key_of)
        start = max(start, bisect_right(numbers, unquote(wanted.after), key=key_of))
        sample = key_of(start)[len(wanted.prefix) :]
        if wanted.delimiter and wanted.delimiter in sample and start < end:
            # All keys have one shape, so all that are left stand behind one common prefix.
            group = wanted.prefix + sample[: sample.index(wanted.delimiter) + 1]
            return (), [group] if self._present(bucket, start, end, 1) else [], ""
        # One more than is shown tells whether there is more.
        found = self._present(bucket, start, end, wanted.limit + 1)
        shown = found[: wanted.limit]
        return shown, [], key_of(shown[-1]) if len(found) > len(shown) else ""

    def _present(self, bucket: str, start: int, end: int, limit: int) -> Sequence[int]:
        if bucket == self.source:
            return range(start, min(end, start + limit))
        return self.ledger.present(start, end, limit)

    def _copy(self, key: str, question: Question) -> Answer:
        source = unquote(question.header("x-amz-copy-source")).lstrip("/")
        number = _number(key)
        if number is None or source != f"{self.source}/{key}" or number >= self.ledger.size:
            self.ledger.write_wrong()
            return _error(404, "NoSuchKey")
        if question.header("if-none-match") == "*" and self.ledger.has(number):
            return _error(412, "PreconditionFailed")
        pinned = question.header("x-amz-copy-source-if-match")
        if pinned and pinned.strip('"') != _etag(number).strip('"'):
            return _error(412, "PreconditionFailed")
        self.ledger.write(number)
        return Answer(200, (_COPIED % number).encode(), _XML)

    def _head(self, bucket: str, key: str) -> Answer:
        number = _number(key)
        if number is None or number >= self.ledger.size:
            return Answer(404, headers={"Content-Length": "0"})
        if bucket == self.target and not self.ledger.has(number):
            return Answer(404, headers={"Content-Length": "0"})
        return Answer(
            200,
            headers={
                "Content-Length": str(OBJECT_BYTES),
                "Content-Type": "binary/octet-stream",
                "ETag": _etag(number),
                "Last-Modified": _HTTP_MOMENT,
                "Accept-Ranges": "bytes",
            },
        )


def _xml(text: str, status: int = 200) -> Answer:
    return Answer(status, f"{_DECLARED}{text}".encode(), _XML)


def _error(status: int, code: str) -> Answer:
    return _xml(f"<Error><Code>{code}</Code><Message>bench</Message></Error>", status)
