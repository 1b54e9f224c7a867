"""Objects that pass through this machine, where no credentials see both sides.

A small object is one read and one write; a large one goes in parts, of which a bounded number of
bytes is in memory. Headers, metadata, tags, storage class and checksum are carried, and every write
has the condition that a copy by S3 itself would have. What is written carries the digests of the
source, so S3 compares them with what arrives (Amazon S3 API Reference, PutObject).
"""

from __future__ import annotations

from collections.abc import Mapping

from dataware.core.ports import Judgement, Response
from dataware.http.error_answer import RequestRefusedError
from dataware.kinds.s3_bucket.copy.client import ObjectHead
from dataware.kinds.s3_bucket.copy.multipart import (
    MOST_PARTS,
    UploadPlan,
    copy_in_parts,
    declare_checksum,
    look_at_source,
)
from dataware.kinds.s3_bucket.copy.objects import BucketPair
from dataware.kinds.s3_bucket.copy.relayed_parts import (
    MIB,
    RelayedParts,
    as_source_refusal,
    content_md5,
    head_of,
    is_content_of,
)
from dataware.kinds.s3_bucket.copy.requests import S3Request
from dataware.kinds.s3_bucket.copy.responses import judge_range
from dataware.kinds.s3_bucket.copy.upload_headers import set_attributes
from dataware.kinds.s3_bucket.copy.xml import ListedObject

WHOLE = 8 * MIB
"""Up to this size an object is read and written in one piece."""


async def relay_object(pair: BucketPair, entry: ListedObject, condition: Mapping[str, str]) -> str:
    """Bring one object over and answer with its ETag; raises RequestRefusedError."""
    if entry.size > min(WHOLE, pair.order.multipart_threshold):
        return await copy_in_parts(pair, entry, condition, _plan_relay)
    head, body = await _read_whole(pair, entry)
    tags: tuple[tuple[str, str], ...] = ()
    if head.headers.get("x-amz-tagging-count", "0") != "0":
        tags = await pair.calls.tags(pair.source, entry.key, entry.version)
    headers = {**set_attributes(pair, entry, head, tags), **condition, **_digests(head, body)}
    ask = S3Request(pair.target_key(entry.key), headers=headers, body=body)
    response = await pair.calls.plain(pair.target, "PutObject", "PUT", ask)
    return response.headers.get("etag", "").strip('"')


async def _plan_relay(pair: BucketPair, entry: ListedObject) -> UploadPlan:
    """An upload whose parts pass through this machine."""
    head, tags = await look_at_source(pair, entry)
    parts = RelayedParts(pair, entry, head)
    await parts.choose_size(MOST_PARTS)
    checksum = declare_checksum(entry, head)
    if not parts.can_declare(checksum.get("x-amz-checksum-algorithm", "")):
        checksum = {}
    headers = {**set_attributes(pair, entry, head, tags), **checksum}
    return UploadPlan(headers, tags, parts, head.full_checksums)


async def _read_whole(pair: BucketPair, entry: ListedObject) -> tuple[ObjectHead, bytes]:
    whole = judge_range(entry.size)

    def judge(response: Response) -> Judgement:
        verdict = whole(response)
        if verdict is Judgement.DONE and not is_content_of(head_of(response), response.body):
            return Judgement.RETRY
        return verdict

    try:
        response = await pair.calls.whole(pair.source, entry.key, entry.etag, judge, entry.version)
    except RequestRefusedError as refusal:
        raise as_source_refusal(refusal) from None
    return head_of(response), response.body


def _digests(head: ObjectHead, body: bytes) -> dict[str, str]:
    """The digest of the body, and the source's own checksum of the whole content, if it has one."""
    digests = {"content-md5": content_md5(body)}
    for name, value in head.full_checksums.items():
        return {**digests, f"x-amz-checksum-{name}": value}
    return digests
