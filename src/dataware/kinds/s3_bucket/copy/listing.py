"""Listings of a bucket as streams of pages, and two of them side by side, in bounded memory."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter, le, lt
from typing import TypeVar

# Only the type; parsing is done in `responses`.
from xml.etree.ElementTree import Element

from dataware.calc.key_range import KeyRange
from dataware.core.errors import LookupFailedError
from dataware.core.page_cursor import PageCursor
from dataware.core.printable import escape_key
from dataware.http.error_answer import RequestRefusedError
from dataware.kinds.s3_bucket.copy.client import S3Client
from dataware.kinds.s3_bucket.copy.fast_xml import quick_objects
from dataware.kinds.s3_bucket.copy.requests import Bucket, S3Request
from dataware.kinds.s3_bucket.copy.xml import ListedObject, ListingPage, read_objects, read_versions

T = TypeVar("T")

PAGE = 1000
"""The most entries that S3 puts on a page."""


@dataclass(frozen=True, slots=True)
class ListOperation:
    """A listing: how it is asked for, how a page is read, and the permission that it takes.

    `marker` is the parameter that begins a listing after a key, `ordered` what holds between the
    keys of neighbouring entries.
    """

    name: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    marker: str
    ordered: Callable[[bytes, bytes], bool]
    read: Callable[[Element], ListingPage]
    quick: Callable[[bytes], ListingPage | None] | None
    permission: str


OBJECTS = ListOperation(
    name="ListObjectsV2",
    query={"list-type": "2", "encoding-type": "url"},
    # The answer then tells which archived objects can be read at the moment.
    headers={"x-amz-optional-object-attributes": "RestoreStatus"},
    marker="start-after",
    ordered=lt,
    read=read_objects,
    quick=quick_objects,
    permission="s3:ListBucket",
)
"""The current objects."""

VERSIONS = ListOperation(
    name="ListObjectVersions",
    query={"versions": "", "encoding-type": "url"},
    headers={},
    marker="key-marker",
    ordered=le,
    read=read_versions,
    quick=None,
    permission="s3:ListBucketVersions",
)
"""The versions and delete markers, newest first per key."""


async def pages(
    calls: S3Client, bucket: Bucket, call: ListOperation, span: KeyRange
) -> AsyncGenerator[Sequence[ListedObject], None]:
    """What is listed within a range of keys, which are relative to the prefix.

    At least one page, which may be empty. Raises LookupFailedError, also for a listing out of
    order.
    """
    end = None if span.end is None else bucket.prefix + span.end
    cursor = PageCursor(call.name, f"bucket {bucket.name}")
    page = await opening(calls, bucket, call, span.start, PAGE)
    last: list[bytes] = []
    while True:
        if end is not None and page.entries and page.entries[-1].key > end:
            yield page.entries[: bisect_right(page.entries, end, key=attrgetter("key"))]
            return
        yield page.entries
        if page.more is None:
            return
        cursor.advance(page.more, entries=len(page.entries))
        last = [one.key for one in page.entries[-1:]] or last
        page = await _page(calls, bucket, call, {**page.more, "max-keys": str(PAGE)})
        _check_order(bucket, last + [one.key for one in page.entries[:1]], call.ordered)


async def opening(
    calls: S3Client, bucket: Bucket, call: ListOperation, start: bytes | None, count: int
) -> ListingPage:
    """The first page, of up to `count` entries, after a key that is relative to the prefix."""
    if start is None:
        return await _page(calls, bucket, call, {"max-keys": str(count)})
    after = bucket.prefix + start
    page = await _page(calls, bucket, call, {"max-keys": str(count), call.marker: after})
    _check_order(bucket, [after, *(one.key for one in page.entries[:1])], lt)
    return page


async def _page(
    calls: S3Client, bucket: Bucket, call: ListOperation, query: Mapping[str, str | bytes]
) -> ListingPage:
    ask = S3Request(None, {**call.query, **query, "prefix": bucket.prefix}, call.headers)
    try:
        page = await calls.document(bucket, call.name, ask, call.read, quick=call.quick)
    except RequestRefusedError as rejected:
        what = f"bucket {bucket.name}"
        raise rejected.answer.to_error(what, call.permission) from rejected
    _check_order(bucket, [one.key for one in page.entries], call.ordered)
    return page


def _check_order(
    bucket: Bucket, keys: Sequence[bytes], ordered: Callable[[bytes, bytes], bool]
) -> None:
    if all(map(ordered, keys, keys[1:])):
        return
    key = next(key for before, key in pairwise(keys) if not ordered(before, key))
    raise LookupFailedError(
        f"bucket {bucket.name} does not list its keys in order (at {escape_key(key)}), so it "
        "cannot be compared; directory buckets are not supported"
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


class TargetPageCursor:
    """A listing that is read alongside another one; holds one page of it."""

    def __init__(self, pages: AsyncIterator[Sequence[ListedObject]], bucket: Bucket) -> None:
        self._pages = pages
        self._bucket = bucket
        self._page: dict[bytes, ListedObject] = {}
        self._last = b""
        self._ended = False

    async def among(self, keys: Sequence[bytes]) -> Mapping[bytes, ListedObject]:
        """What stands under keys relative to the prefix; they must be asked for in order."""
        there: dict[bytes, ListedObject] = {}
        while not self._ended:
            there |= {key: self._page[key] for key in self._page.keys() & keys}
            if self._page and keys[-1] <= self._last:
                break
            page = await anext(self._pages, None)
            self._ended, entries = page is None, page or ()
            names = self._bucket.relatives(one.key for one in entries)
            self._page = dict(zip(names, entries, strict=True))
            self._last = next(reversed(self._page), self._last)
        return there
