"""An S3 of listings only: as many keys as a test likes, in pages as small as it likes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote_to_bytes

from dataware.core.copier import CopyOrder
from dataware.core.model import Location
from dataware.core.ports import Request, Response

ORDER = CopyOrder(
    Location("old-bucket", "0" * 12, "r", "in/é/"), Location("new-bucket", "0" * 12, "r", "out/")
)
SIZE = 10


class Listings:
    """A wire to buckets of keys; a page shows up to `page` of them, whatever is asked for.

    In a listing of versions every key has two, and a page may end between them.
    """

    def __init__(self, buckets: Mapping[str, Iterable[bytes]], page: int = 1000) -> None:
        self._buckets = {name: sorted(set(keys)) for name, keys in buckets.items()}
        self._page = page
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        """Answer a listing; everything else is not there."""
        self.requests.append(request)
        asked = dict(part.split("=", 1) for part in request.query.split("&"))
        if "versioning" in asked:
            body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        else:
            body = self._listing(request.path[1:], asked)
        response = Response(200, {}, body.encode())
        request.judge(response)
        return response

    async def close(self) -> None:
        """Nothing is open."""

    def _listing(self, bucket: str, asked: Mapping[str, str]) -> str:
        prefix = unquote_to_bytes(asked["prefix"])
        keys = [key for key in self._buckets[bucket] if key.startswith(prefix)]
        limit = min(int(asked["max-keys"]), self._page)
        if "versions" in asked:
            return _versions(keys, limit, asked)
        start = _start(keys, asked.get("start-after"))
        if token := asked.get("continuation-token"):
            start = int(token)
        entries = "".join(
            f"<Contents><Key>{_encoded(key)}</Key><LastModified>now</LastModified>"
            f"<ETag>&quot;e&quot;</ETag><Size>{SIZE}</Size></Contents>"
            for key in keys[start : start + limit]
        )
        return _document("ListBucketResult", entries, _more(keys, start + limit))


def _versions(keys: list[bytes], limit: int, asked: Mapping[str, str]) -> str:
    listed = [(key, version) for key in keys for version in ("2", "1")]
    start = 2 * _start(keys, asked.get("key-marker"))
    if "version-id-marker" in asked:
        mark = (unquote_to_bytes(asked["key-marker"]), asked["version-id-marker"])
        start = listed.index(mark) + 1
    entries = "".join(
        f"<Version><Key>{_encoded(key)}</Key><VersionId>{version}</VersionId>"
        f"<ETag>e</ETag><Size>{SIZE}</Size></Version>"
        for key, version in listed[start : start + limit]
    )
    more = ""
    if start + limit < len(listed):
        key, version = listed[start + limit - 1]
        more = (
            f"<NextKeyMarker>{_encoded(key)}</NextKeyMarker>"
            f"<NextVersionIdMarker>{version}</NextVersionIdMarker>"
        )
    return _document("ListVersionsResult", entries, more)


def _more(keys: list[bytes], end: int) -> str:
    token = f"<NextContinuationToken>{end}</NextContinuationToken>"
    return token if end < len(keys) else ""


def _start(keys: list[bytes], after: str | None) -> int:
    return 0 if after is None else bisect_right(keys, unquote_to_bytes(after))


def _encoded(key: bytes) -> str:
    return quote(key, safe="/").replace("%20", "+")


def _document(name: str, entries: str, more: str) -> str:
    truncated = "true" if more else "false"
    return (
        f"<{name}><EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>"
        f"{more}{entries}</{name}>"
    )
