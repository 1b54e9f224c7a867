"""Signature version 4, for requests whose path and query are already encoded as they are sent.

Source: AWS Identity and Access Management User Guide, "Create a signed AWS API request".

How it works. A signature is an HMAC over a canonical text of the request, by a key derived from the
secret key, day, region and service. Of the thousand requests that a copy sends in a second nearly
all of that is the same, so it is computed once and only the rest is filled in:

    Stamp            once a second, region, service      date, scope, signing key (four HMACs)
    SigningTemplate  once for each form of request       canonical text with gaps for what varies
    sign             for each request                    one join, two SHA-256, one HMAC

For `PUT /b/key1` and `PUT /b/key2` with the same own header names, the template is
(one line here for each |)

    PUT | … | … | host:b.s3… | x-amz-date:2026… | x-amz-tagging:… | | host;x-amz-… | …

and its gaps are filled with path, query, the value of each own header, and the digest of the body.
It is kept as a list of texts of which every second one is a gap: joining it takes half of the time
of a format. A template is found again by service, region, host, method, header names and the
identity of the shared headers, and is renewed with the second it was made for.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from hashlib import sha256
from operator import add
from typing import NamedTuple
from urllib.parse import quote

from dataware.core.ports import Request
from dataware.http.endpoint import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = sha256(b"").hexdigest()

UNSIGNED = frozenset({"accept-encoding", "user-agent"})
"""Headers that proxies change on the way, and that mean nothing to the service."""

_BLOCK = 64
_DIGEST = "x-amz-content-sha256"
_FORMS = 256


class Mac:
    """HMAC-SHA256 (RFC 2104) by one key of 32 bytes, for many messages.

    Both halves begin with the key, which is done once and not for each message.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def after(self, beginning: bytes) -> Mac:
        """The same key, for messages that all begin so: what is signed later is the rest."""
        later = copy(self)
        later._inner = self._inner.copy()
        later._inner.update(beginning)
        return later

    def hexdigest(self, message: bytes) -> str:
        """What shows that who holds the key has seen the message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.hexdigest()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What signs every request of one second to one service in one region."""

    second: int
    date: str
    scope: str
    mac: Mac
    credential: str
    token: str | None


@dataclass(frozen=True, slots=True)
class SigningTemplate:
    """What requests of one second share that differ in path, query, body and own values only.

    `canonical` is the canonical request, of which every second text is a gap: for the path, the
    query, the values of the own headers in the order of `names`, and the digest of the body.
    `own_lines` are the header lines of these headers, up to their values, and `lines` those of the
    headers that are not own; `mac` signs the hash of that,
    after all that stands before it, and `proof` is the header line with the signature, up to it.
    `shared` is held so that no other headers can take its identity.
    """

    stamp: Stamp
    shared: Mapping[str, str]
    names: tuple[str, ...]
    own_lines: Sequence[str]
    canonical: Sequence[str]
    lines: Sequence[bytes]
    mac: Mac
    proof: str


class SignedHeaders(NamedTuple):
    """The header lines of a request, as libcurl takes them, and the session token in them.

    `prepared` are those that follow from its form, `own` are the others.
    """

    prepared: Sequence[bytes]
    own: Sequence[str | bytes]
    token: str | None


class Signer:
    """Signs requests with the keys of the moment.

    `headers_of` tells all headers of a request by lower-case name; `unsigned` the lines that go
    along and are not signed, which follow from its method and from whether it has a body.
    """

    def __init__(
        self,
        keys: Callable[[], Credentials],
        now: Callable[[], float] = time.time,
        *,
        headers_of: Callable[[Request], Mapping[str, str]],
        unsigned: Callable[[Request], Sequence[str]] = lambda _request: (),
    ) -> None:
        self._keys = keys
        self._now = now
        self._headers_of = headers_of
        self._unsigned = unsigned
        self._stamps: dict[tuple[str, str], Stamp] = {}
        self._forms: dict[tuple[object, ...], SigningTemplate] = {}

    def sign(self, request: Request, region: str, host: str, skew: float = 0.0) -> SignedHeaders:
        """Everything that goes along with a request to a service's host in a region.

        It is signed for a time that is `skew` seconds ahead of ours.

        The headers of the request say nothing that the signature says: no host, date, digest, or
        token. Raises ValueError for a header of several lines.
        """
        service, path, query, own = request.service, request.path, request.query, request.headers
        digest = EMPTY_HASH
        if request.body:
            digest = sha256(request.body).hexdigest()
            if service == "s3":
                own = {**own, _DIGEST: digest}
        names, shared = tuple(own), id(request.shared)
        kind = (service, region, host, request.method, names, bool(request.body), shared)
        form = self._forms.get(kind)
        if form is None or form.stamp.second != int(self._now() + skew):
            if any(name != name.lower() for name in own):
                lower = {name.lower(): value for name, value in own.items()}
                return self.sign(request._replace(headers=lower), region, host, skew)
            form = self._forms[kind] = self._form(request, names, region, host, skew)
        # S3 signs the path as it is sent, every other service encodes it once more.
        if service != "s3" and path != "/":
            path = quote(path, safe="/~")
        query = _sort_query(query) if query else ""
        values = list(map(own.__getitem__, form.names))
        canonical = _fill_gaps(form.canonical, path, query, *values, digest)
        if " " in canonical or "\t" in canonical or not canonical.isascii():
            # Few values have white space, of which runs are signed as one blank.
            trimmed = [" ".join(value.split()) for value in values]
            canonical = _fill_gaps(form.canonical, path, query, *trimmed, digest)
        hashed = sha256(canonical.encode()).hexdigest()
        signature = form.mac.hexdigest(hashed.encode())
        # libcurl takes a line without a value in another form, and what is not signed is sent, too.
        is_plain = all(values) and len(values) == len(own)
        lines: list[str] = [*map(add, form.own_lines, values)] if is_plain else _lines(own)
        lines.append(f"{form.proof}{signature}")
        return SignedHeaders(form.lines, _sendable_lines(lines), form.stamp.token)

    def forget(self) -> None:
        """Sign the next request with the keys of that moment, whatever was prepared before."""
        self._stamps.clear()
        self._forms.clear()

    def _form(
        self, request: Request, own: tuple[str, ...], region: str, host: str, skew: float
    ) -> SigningTemplate:
        if len(self._forms) >= _FORMS:
            self._forms.clear()
        stamp = self._stamp(request.service, region, skew)
        all_headers = {**self._headers_of(request), "x-amz-date": stamp.date}
        if request.service == "s3":
            all_headers[_DIGEST] = EMPTY_HASH
        if stamp.token is not None:
            all_headers["x-amz-security-token"] = stamp.token
        signed = sorted({*all_headers, *own, "host"} - UNSIGNED)
        names = ";".join(signed)
        lines = _lines({name: value for name, value in all_headers.items() if name not in own})
        lines += self._unsigned(request)
        varying = tuple(name for name in signed if name in own)
        return SigningTemplate(
            stamp,
            request.shared,
            varying,
            [f"{name}: " for name in varying],
            _canonical_texts(request.method, {**all_headers, "host": host}, signed, own),
            _encode_lines(_sendable_lines(lines)),
            stamp.mac.after(f"{ALGORITHM}\n{stamp.date}\n{stamp.scope}\n".encode()),
            f"authorization: {ALGORITHM} Credential={stamp.credential}, SignedHeaders={names}, "
            "Signature=",
        )

    def _stamp(self, service: str, region: str, skew: float) -> Stamp:
        second = int(self._now() + skew)
        stamp = self._stamps.get((service, region))
        if stamp is None or stamp.second != second:
            stamp = self._stamps[service, region] = _stamp(self._keys(), service, region, second)
        return stamp


def _stamp(keys: Credentials, service: str, region: str, second: int) -> Stamp:
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    key = f"AWS4{keys.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return Stamp(second, date, scope, Mac(key), f"{keys.access_key}/{scope}", keys.token)


def _lines(headers: Mapping[str, str]) -> list[str]:
    """Headers as libcurl takes them: one that ends in a colon it would leave out."""
    return [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]


def _sendable_lines(lines: list[str]) -> list[str] | list[bytes]:
    """Header lines as they are sent. Raises ValueError if one of them is more than one.

    libcurl takes bytes as they are: a value beyond ASCII goes as UTF-8, as it is signed.
    """
    text = "\0".join(lines)
    if "\n" in text or "\r" in text:
        raise ValueError("a header's value has more than one line")
    return lines if text.isascii() else _encode_lines(lines)


def _encode_lines(lines: list[str] | list[bytes]) -> list[bytes]:
    return [each if isinstance(each, bytes) else each.encode() for each in lines]


def _canonical_texts(
    method: str, values: Mapping[str, str], signed: Sequence[str], own: Collection[str]
) -> list[str]:
    """The canonical request as texts and gaps in turns; the values of `own` headers are gaps."""
    texts, text = [f"{method}\n", "", "\n", ""], "\n"
    for name in signed:
        if name in own:
            texts += [f"{text}{name}:", ""]
            text = "\n"
        else:
            text += f"{name}:{' '.join(values[name].split())}\n"
    return [*texts, f"{text}\n{';'.join(signed)}\n", ""]


def _fill_gaps(texts: Sequence[str], *values: str) -> str:
    """Texts of which every second one is a gap, as one with as many values."""
    filled = list(texts)
    filled[1::2] = values
    return "".join(filled)


def _sort_query(query: str) -> str:
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&"))
    return "&".join(f"{name}={value}" for name, value in pairs)
