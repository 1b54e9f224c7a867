"""A fingerprint of what the target of a job holds, by which a later look tells a change.

A job has no condition on what it replaces, so its target is looked at again before it begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import blake2b

from dataware.calc.key_range import KeyRange
from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.kinds.s3_bucket.copy.client import S3Client
from dataware.kinds.s3_bucket.copy.listing import OBJECTS, pages
from dataware.kinds.s3_bucket.copy.partitions import overview
from dataware.kinds.s3_bucket.copy.requests import Bucket
from dataware.kinds.s3_bucket.copy.xml import ListedObject

READERS = 16
"""Ranges of a listing that are read at the same time."""


def read_fingerprint(aws: Aws, place: Location, check: Callable[[], None]) -> str:
    """List a bucket, or what is under a prefix; the same text for the same keys and contents.

    `check` raises what ends the run, and is called for every page. Raises LookupFailedError.
    """
    return asyncio.run(_read(aws, Bucket.of(place), check)).text


async def _read(aws: Aws, bucket: Bucket, check: Callable[[], None]) -> MultisetDigest:
    wire = aws.wire(lambda _reason: None)
    calls, gate = S3Client(wire), asyncio.Semaphore(READERS)

    async def read(part: KeyRange) -> MultisetDigest:
        digest = NO_RECORDS
        async with gate:
            async for page in pages(calls, bucket, OBJECTS, part):
                check()
                digest = digest.plus(MultisetDigest.of(map(_digest, page)))
        return digest

    try:
        parts = (await overview(calls, bucket, OBJECTS)).parts
        digests = await asyncio.gather(*map(read, parts))
    finally:
        await wire.close()
    whole = NO_RECORDS
    for one in digests:
        whole = whole.plus(one)
    return whole


def _digest(entry: ListedObject) -> bytes:
    digest = blake2b(len(entry.key).to_bytes(4), digest_size=16)
    digest.update(entry.key)
    digest.update(f"{entry.size}/{entry.etag}/{entry.storage_class}".encode())
    return digest.digest()
