"""Tells which S3 operation a request is, as the service does: by method, place and subresource."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from dataware.core.ports import Request

_OBJECT_SUBRESOURCES = {
    "tagging": "ObjectTagging",
    "acl": "ObjectAcl",
    "retention": "ObjectRetention",
    "legal-hold": "ObjectLegalHold",
    "attributes": "ObjectAttributes",
}
_BUCKET_SUBRESOURCES = {
    "versioning": "BucketVersioning",
    "encryption": "BucketEncryption",
    "publicAccessBlock": "PublicAccessBlock",
    "location": "BucketLocation",
    "tagging": "BucketTagging",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "lifecycle": "BucketLifecycleConfiguration",
    "object-lock": "ObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "cors": "BucketCors",
    "notification": "BucketNotificationConfiguration",
    "replication": "BucketReplication",
    "logging": "BucketLogging",
    "website": "BucketWebsite",
    "acl": "BucketAcl",
}
_PLAIN_OBJECT = {
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
}
_UPLOAD = {
    "GET": "ListParts",
    "POST": "CompleteMultipartUpload",
    "DELETE": "AbortMultipartUpload",
}
_PLAIN_BUCKET = {
    "GET": "ListObjects",
    "HEAD": "HeadBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
}


_REST = (
    (r"/2015-02-01/file-systems/[^/]+/backup-policy", "DescribeBackupPolicy"),
    (r"/2015-02-01/file-systems/[^/]+/lifecycle-configuration", "DescribeLifecycleConfiguration"),
    (r"/2015-02-01/file-systems", "DescribeFileSystems"),
    (r"/2021-01-01/opensearch/domain/[^/]+", "DescribeDomain"),
    (r"/2021-01-01/tags/?", "ListTags"),
)


def rest_operation(method: str, path: str) -> str | None:
    """The operation of a look at a service whose operations are places; None for others."""
    if method != "GET":
        return None
    return next((name for place, name in _REST if re.fullmatch(place, path)), None)


def s3_operation(method: str, path: str, query: str, headers: Mapping[str, str]) -> str:
    """The operation of a path-style request, such as ``UploadPartCopy``."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    bucket, _, key = path.removeprefix("/").partition("/")
    if not bucket:
        return "ListBuckets"
    if key:
        return _object_operation(method, asked, "x-amz-copy-source" in headers)
    return _bucket_operation(method, asked)


def _object_operation(method: str, asked: Mapping[str, str], copies: bool) -> str:
    if "uploadId" in asked:
        if method == "PUT":
            return "UploadPartCopy" if copies else "UploadPart"
        return _UPLOAD[method]
    if "uploads" in asked:
        return "CreateMultipartUpload"
    if "restore" in asked:
        return "RestoreObject"
    for name, noun in _OBJECT_SUBRESOURCES.items():
        if name in asked:
            return method.title() + noun
    return "CopyObject" if copies else _PLAIN_OBJECT.get(method, method)


def _bucket_operation(method: str, asked: Mapping[str, str]) -> str:
    if "uploads" in asked:
        return "ListMultipartUploads"
    if "versions" in asked:
        return "ListObjectVersions"
    if "delete" in asked:
        return "DeleteObjects"
    if asked.get("list-type") == "2":
        return "ListObjectsV2"
    for name, noun in _BUCKET_SUBRESOURCES.items():
        if name in asked:
            return method.title() + noun
    return _PLAIN_BUCKET.get(method, method)


def headers_sent(request: Request) -> Mapping[str, str]:
    """The headers of a request by lower-case name, also those that it shares with others."""
    headers = {**request.shared, **request.headers}
    return {name.lower(): value for name, value in headers.items()}
