"""Raw S3 requests: addresses, encoding and headers; nothing is sent here.

Keys are opaque bytes. They are percent-encoded byte by byte (RFC 3986, a space is ``%20``) and
are never joined, normalised or decoded like paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from dataware.core.model import Location
from dataware.core.ports import Judgement, Request, Response

Judge = Callable[[Response], Judgement]
_UNRESERVED = "-._~"
_PLAIN = f"/{_UNRESERVED}{ascii_letters}{digits}".encode()


def encode_key(key: bytes) -> str:
    """A key as it stands in a path and in `x-amz-copy-source`: everything encoded but ``/``."""
    # Most keys need no encoding at all, and it costs more than to see that.
    return quote(key, safe=f"/{_UNRESERVED}") if key.translate(None, _PLAIN) else key.decode()


def encode_value(value: str | bytes) -> str:
    """A value of a query: everything encoded."""
    return quote(value, safe=_UNRESERVED)


def cursor_of(key: bytes) -> str:
    """A key as text that survives JSON, whatever bytes it has."""
    return encode_key(key)


def key_of(cursor: str) -> bytes:
    """The key that `cursor_of` wrote down."""
    return unquote_to_bytes(cursor)


def quote_etag(etag: str) -> str:
    """An ETag as conditions want it."""
    return f'"{etag}"'


def _query(parameters: Mapping[str, str | bytes]) -> str:
    return "&".join(f"{name}={encode_value(parameters[name])}" for name in sorted(parameters))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, or the part of it under a prefix, with the account that must own it.

    `expected` are the headers that every request to it shares, with who pays for it, and
    `_as_source` is how a copy names it as its source. With `own_credentials` it is read over a wire
    of its own.
    """

    name: str
    owner: str
    region: str
    prefix: bytes = b""
    requester_pays: bool = False
    own_credentials: bool = False
    access_point: str = ""
    expected: Mapping[str, str] = field(init=False, compare=False, repr=False)
    _as_source: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        headers = {"x-amz-expected-bucket-owner": self.owner}
        if self.requester_pays:
            headers["x-amz-request-payer"] = "requester"
        object.__setattr__(self, "expected", headers)
        arn = self.access_point
        at = f"{encode_key(arn.encode())}/object" if arn else self.name
        object.__setattr__(self, "_as_source", at)

    @classmethod
    def of(cls, place: Location) -> Bucket:
        """The bucket of a place, which may be named by its ARN (``arn:aws:s3:::name``)."""
        name = place.name.rpartition(":::")[2]
        prefix = place.prefix.encode()
        own = bool(place.profile)
        where = (name, place.owner, place.region, prefix, place.requester_pays, own)
        return cls(*where, place.access_point)

    def request(self, method: str, judge: Judge, ask: S3Request) -> Request:
        """A request to this bucket; S3 refuses it unless the expected account owns the bucket."""
        key, query, headers, body, shared = ask
        path = f"/{self.name}" if key is None else f"/{self.name}/{encode_key(key)}"
        text = _query(query) if query else ""
        return Request(
            "s3", method, path, judge, text, headers, body, self.region, shared or self.expected
        )

    def as_source(self, key: bytes, etag: str, version: str | None = None) -> dict[str, str]:
        """The headers that name an object of this bucket as a copy's source, pinned to its ETag."""
        source = f"{self._as_source}/{encode_key(key)}"
        if version is not None:
            source += f"?versionId={encode_value(version)}"
        return {"x-amz-copy-source": source, "x-amz-copy-source-if-match": quote_etag(etag)}

    def relative(self, key: bytes) -> bytes:
        """A key of this bucket without the prefix."""
        return key[len(self.prefix) :]

    def relatives(self, keys: Iterable[bytes]) -> list[bytes]:
        """Keys of this bucket without the prefix."""
        start = len(self.prefix)
        return [key[start:] for key in keys]


class S3Request(NamedTuple):
    """What a request says beyond its bucket; without a `key` it is about the bucket itself.

    `shared` are the headers that it has in common with others, in place of the bucket's own.
    """

    key: bytes | None = None
    query: Mapping[str, str | bytes] = MappingProxyType({})
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""
    shared: Mapping[str, str] | None = None
