"""The headers of an object that is written again, because it inherits nothing from its source."""

from __future__ import annotations

from email.header import Header
from urllib.parse import quote

from dataware.kinds.s3_bucket.copy.client import ObjectHead
from dataware.kinds.s3_bucket.copy.objects import BucketPair
from dataware.kinds.s3_bucket.copy.xml import ListedObject

REDIRECT = "x-amz-website-redirect-location"


def set_attributes(
    pair: BucketPair, entry: ListedObject, head: ObjectHead, tags: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Everything but the checksum that CreateMultipartUpload and PutObject take."""
    headers = {name: mail_safe(value) for name, value in head.attributes.items()}
    headers["x-amz-storage-class"] = entry.storage_class
    headers |= pair.written
    if redirect := head.headers.get(REDIRECT):
        headers[REDIRECT] = redirect
    if tags:
        headers["x-amz-tagging"] = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in tags
        )
    return headers


def mail_safe(value: str) -> str:
    """A value as S3 hands it out and takes it in: text beyond ASCII as RFC 2047 words."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=10**6).encode()
