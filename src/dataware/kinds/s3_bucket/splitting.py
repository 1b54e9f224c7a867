"""Splitting the keys of a bucket into ranges, by short looks at its listing.

A bucket of one page is one range, and one request tells. Of any other one, looks that go out
together show where its keys lie; what is copied never depends on what they showed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from dataware.core.model import Size
from dataware.core.partition import KeyRange, ranges
from dataware.core.survey import Sample, Survey
from dataware.kinds.s3_bucket.calls import Calls
from dataware.kinds.s3_bucket.listing import PAGE, Call, opening
from dataware.kinds.s3_bucket.requests import Bucket

GLANCE = 100
"""How many entries a look asks for: enough to tell how densely keys stand, and cheap."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What looks at a listing told: how much there is, and the ranges to read it in."""

    size: Size
    parts: Sequence[KeyRange]


@dataclass(slots=True)
class _Look:
    """Looks at one listing, and keeps the bytes under every key that was seen."""

    calls: Calls
    bucket: Bucket
    call: Call
    sizes: dict[bytes, int] = field(default_factory=dict)

    async def at(self, place: bytes, count: int) -> Sample:
        page = await opening(self.calls, self.bucket, self.call, place or None, count)
        sizes: dict[bytes, int] = {}
        for one in page.found:
            key = self.bucket.relative(one.key)
            sizes[key] = sizes.get(key, 0) + one.size
        self.sizes |= sizes
        return Sample(list(sizes), page.more is not None)


async def overview(calls: Calls, bucket: Bucket, call: Call) -> Overview:
    """Look at a listing: exact if one page holds it all, else an estimate and about 64 ranges."""
    look = _Look(calls, bucket, call)
    survey = Survey(least=PAGE)
    first = await look.at(b"", PAGE)
    survey.learn(b"", first)
    while places := survey.wanted():
        for place, sample in zip(places, await _together(look, places), strict=True):
            survey.learn(place, sample)
    items, seen = survey.size, sum(look.sizes.values())
    bytes_ = round(seen * items / len(look.sizes)) if look.sizes else 0
    return Overview(Size(items, bytes_, exact=not first.more), ranges(survey.cuts()))


async def _together(look: _Look, places: Sequence[bytes]) -> Sequence[Sample]:
    tasks = [asyncio.ensure_future(look.at(place, GLANCE)) for place in places]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
