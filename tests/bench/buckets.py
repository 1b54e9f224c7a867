"""A virtual bucket of any size, and the target that it is copied into."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from tests.bench.http import Answer, Question
from tests.bench.ledger import Ledger

OBJECT_BYTES = 4096
_KEY = re.compile(r"data/(\d{9})\.bin")
_MOMENT = "2024-05-06T07:08:09.000Z"


def key_of(number: int) -> str:
    """The key of an object; keys sort like their numbers."""
    return f"data/{number:09d}.bin"


def _number(key: str) -> int | None:
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else None


def _etag(number: int) -> str:
    return f'"{number:032x}"'


class VirtualBucket:
    """The objects 0 … n-1 of `source`, and what was copied of them to `target`."""

    def __init__(self, source: str, target: str, size: int) -> None:
        self.source = source
        self.target = target
        self.ledger = Ledger(size)

    def answer(self, question: Question) -> Answer | None:
        """The answer to a listing or a copy; None for every other call."""
        path, _, query = question.target.partition("?")
        bucket, _, key = path[1:].partition("/")
        asked = parse_qs(query, keep_blank_values=True)
        if question.method == "GET" and not key and "list-type" in asked:
            return self._list(bucket, {name: values[0] for name, values in asked.items()})
        if question.method == "PUT" and "x-amz-copy-source" in question.headers:
            return self._copy(unquote(key), question)
        return None

    def _list(self, bucket: str, asked: dict[str, str]) -> Answer:
        after = _number(asked.get("continuation-token") or asked.get("start-after", ""))
        start = 0 if after is None else after + 1
        size, limit = self.ledger.size, int(asked.get("max-keys", "1000"))
        # One more than is shown tells whether there is more.
        numbers: Sequence[int] = range(start, min(size, start + limit + 1))
        if bucket != self.source:
            numbers = self.ledger.present(start, size, limit + 1)
        shown = numbers[:limit]
        rows = [
            f"<Contents><Key>{key_of(number)}</Key><LastModified>{_MOMENT}</LastModified>"
            f"<ETag>&quot;{number:032x}&quot;</ETag><Size>{OBJECT_BYTES}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for number in shown
        ]
        more = (
            "<IsTruncated>false</IsTruncated>"
            if len(numbers) == len(shown)
            else "<IsTruncated>true</IsTruncated>"
            f"<NextContinuationToken>{key_of(shown[-1])}</NextContinuationToken>"
        )
        encoding = "<EncodingType>url</EncodingType>" if "encoding-type" in asked else ""
        return _xml(
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{escape(bucket)}</Name><Prefix></Prefix><KeyCount>{len(rows)}</KeyCount>"
            f"<MaxKeys>1000</MaxKeys>{encoding}{more}{''.join(rows)}</ListBucketResult>"
        )

    def _copy(self, key: str, question: Question) -> Answer:
        source = unquote(question.headers["x-amz-copy-source"]).lstrip("/")
        number = _number(key)
        if number is None or source != f"{self.source}/{key}" or number >= self.ledger.size:
            self.ledger.write_wrong()
            return _error(404, "NoSuchKey")
        if question.headers.get("if-none-match") == "*" and self.ledger.has(number):
            return _error(412, "PreconditionFailed")
        pinned = question.headers.get("x-amz-copy-source-if-match")
        if pinned is not None and pinned != _etag(number):
            return _error(412, "PreconditionFailed")
        self.ledger.write(number)
        return _xml(
            f"<CopyObjectResult><LastModified>{_MOMENT}</LastModified>"
            f"<ETag>{escape(_etag(number))}</ETag></CopyObjectResult>"
        )


def _xml(text: str, status: int = 200) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return Answer(status, body, {"Content-Type": "application/xml"})


def _error(status: int, code: str) -> Answer:
    return _xml(f"<Error><Code>{code}</Code><Message>bench</Message></Error>", status)
