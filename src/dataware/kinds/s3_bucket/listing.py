"""Listings of a bucket as streams of pages, and two of them side by side, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

# Only the type; parsing is done in `answers`.
from xml.etree.ElementTree import Element

from dataware.core.errors import CannotSee
from dataware.kinds.s3_bucket.answers import Rejected
from dataware.kinds.s3_bucket.calls import Calls
from dataware.kinds.s3_bucket.documents import Found, Listing, read_objects, read_versions
from dataware.kinds.s3_bucket.requests import Ask, Bucket, shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Call:
    """A listing call, how its answer is read, and the permission that it takes."""

    name: str
    read: Callable[[Element], Listing]
    permission: str


_OBJECTS = _Call("ListObjectsV2", read_objects, "s3:ListBucket")
_VERSIONS = _Call("ListObjectVersions", read_versions, "s3:ListBucketVersions")


async def objects(
    calls: Calls, bucket: Bucket, after: bytes | None
) -> AsyncGenerator[Sequence[Found], None]:
    """The pages of current objects after a key; at least one page, which may be empty."""
    query: dict[str, str | bytes] = {
        "list-type": "2",
        "encoding-type": "url",
        "max-keys": "1000",
        "prefix": bucket.prefix,
    }
    start: dict[str, str | bytes] = {} if after is None else {"start-after": after}
    # The answer then tells which archived objects can be read at the moment.
    headers = {"x-amz-optional-object-attributes": "RestoreStatus"}
    more: dict[str, str | bytes] | None = start
    last = after
    while more is not None:
        ask = Ask(None, {**query, **more}, headers)
        page = await _page(calls, bucket, _OBJECTS, ask)
        for found in page.found:
            if last is not None and found.key <= last:
                _disordered(bucket, found.key)
            last = found.key
        yield page.found
        more = page.more


async def versions(
    calls: Calls, bucket: Bucket, after: bytes | None
) -> AsyncGenerator[Sequence[Found], None]:
    """The pages of versions and delete markers of the keys after a key, newest first per key."""
    query: dict[str, str | bytes] = {
        "versions": "",
        "encoding-type": "url",
        "max-keys": "1000",
        "prefix": bucket.prefix,
    }
    more: dict[str, str | bytes] | None = {} if after is None else {"key-marker": after}
    last = b""
    while more is not None:
        ask = Ask(None, {**query, **more})
        page = await _page(calls, bucket, _VERSIONS, ask)
        for found in page.found:
            if found.key < last:
                _disordered(bucket, found.key)
            last = found.key
        yield page.found
        more = page.more


async def _page(calls: Calls, bucket: Bucket, call: _Call, ask: Ask) -> Listing:
    try:
        return await calls.document(bucket, call.name, ask, call.read)
    except Rejected as rejected:
        rejected.surface(f"bucket {bucket.name}", call.permission)


def _disordered(bucket: Bucket, key: bytes) -> None:
    raise CannotSee(
        f"bucket {bucket.name} does not list its keys in order (at {shown(key)}), so it cannot be "
        "compared; directory buckets are not supported"
    )


async def ahead(pages: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The same pages, with the next one always on its way; holds two pages at most."""
    upcoming = asyncio.ensure_future(anext(pages, None))
    try:
        while (page := await upcoming) is not None:
            upcoming = asyncio.ensure_future(anext(pages, None))
            yield page
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)


class Beside:
    """A listing that is read alongside another one, one page at a time."""

    def __init__(self, pages: AsyncIterator[Sequence[Found]], bucket: Bucket) -> None:
        self._pages = pages
        self._bucket = bucket
        self._page: Sequence[Found] = ()
        self._next = 0
        self._ended = False

    async def at(self, key: bytes) -> Found | None:
        """What stands under a key relative to the prefix; keys must be asked for in order."""
        while not self._ended:
            while self._next < len(self._page):
                found = self._page[self._next]
                relative = self._bucket.relative(found.key)
                if relative >= key:
                    return found if relative == key else None
                self._next += 1
            page = await anext(self._pages, None)
            self._ended = page is None
            self._page, self._next = page or (), 0
        return None
