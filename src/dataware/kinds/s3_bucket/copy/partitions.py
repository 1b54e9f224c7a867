"""Splitting the keys of a bucket into ranges, by short looks at its listing.

A bucket of one page is one range, and one request tells. Of any other one, looks that go out
together show where its keys lie; what is copied never depends on what they showed. Up to a bound
its keys are counted meanwhile, because what looks at a few of them foretell may be far off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from dataware.calc.key_range import KeyRange, ranges
from dataware.calc.survey import KeySample, Survey
from dataware.core.model import Size
from dataware.kinds.s3_bucket.copy.client import S3Client
from dataware.kinds.s3_bucket.copy.listing import PAGE, ListOperation, opening, pages
from dataware.kinds.s3_bucket.copy.requests import Bucket

GLANCE = 100
"""How many entries a look asks for: enough to tell how densely keys stand, and cheap."""


COUNTED_PAGES = 10
"""Pages of a listing that are read to count what a bucket holds: 10,000 keys."""


@dataclass(frozen=True, slots=True)
class ListingSurvey:
    """What looks at a listing told: how much there is, and the ranges to read it in."""

    size: Size
    parts: Sequence[KeyRange]


@dataclass(slots=True)
class _Look:
    """Looks at one listing, and keeps the bytes under every key that was seen."""

    calls: S3Client
    bucket: Bucket
    call: ListOperation
    sizes: dict[bytes, int] = field(default_factory=dict)

    async def at(self, place: bytes, count: int) -> KeySample:
        page = await opening(self.calls, self.bucket, self.call, place or None, count)
        sizes: dict[bytes, int] = {}
        for one in page.entries:
            key = self.bucket.relative(one.key)
            sizes[key] = sizes.get(key, 0) + one.size
        self.sizes |= sizes
        return KeySample(list(sizes), page.more is not None)


async def overview(calls: S3Client, bucket: Bucket, call: ListOperation) -> ListingSurvey:
    """Look at a listing: exact if it is short enough to be counted, else an estimate.

    The ranges are about 64, or one for a listing of one page.
    """
    look = _Look(calls, bucket, call)
    survey = Survey(least=PAGE)
    first = await look.at(b"", PAGE)
    survey.learn(b"", first)
    if not first.more:
        return ListingSurvey(Size(len(look.sizes), sum(look.sizes.values())), ranges(survey.cuts()))
    counting = asyncio.ensure_future(_count(calls, bucket, call, dict(look.sizes)))
    try:
        await _survey(look, survey)
        counted = await counting
    finally:
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
    if counted.exact:
        return ListingSurvey(counted, ranges(survey.cuts()))
    items = max(survey.size, counted.items)
    bytes_ = round(counted.bytes * items / counted.items)
    return ListingSurvey(Size(items, bytes_, exact=False), ranges(survey.cuts()))


async def _survey(look: _Look, survey: Survey) -> None:
    """Look wherever the survey wants to."""
    while places := survey.next_sample_keys():
        for place, sample in zip(places, await _together(look, places), strict=True):
            survey.learn(place, sample)


async def _count(
    calls: S3Client, bucket: Bucket, call: ListOperation, sizes: Mapping[bytes, int]
) -> Size:
    """How many keys the first pages of a listing hold; exact if those are all of it.

    `sizes` are those of the first page, by key.
    """
    last = max(sizes)
    keys, bytes_, read = len(sizes), sum(sizes.values()), 1
    async with aclosing(pages(calls, bucket, call, KeyRange(last, None))) as listed:
        async for page in listed:
            if page and read == COUNTED_PAGES:
                return Size(keys, bytes_, exact=False)
            read += 1
            for one in page:
                key = bucket.relative(one.key)
                keys, last = keys + (key != last), key
                bytes_ += one.size
    return Size(keys, bytes_)


async def _together(look: _Look, places: Sequence[bytes]) -> Sequence[KeySample]:
    tasks = [asyncio.ensure_future(look.at(place, GLANCE)) for place in places]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
