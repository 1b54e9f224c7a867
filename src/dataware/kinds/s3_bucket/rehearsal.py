"""How the migration of a bucket is rehearsed."""

from __future__ import annotations

from typing import Any

from dataware.core.errors import NotFoundError, ServiceError
from dataware.core.model import Problem
from dataware.core.ports import Aws
from dataware.core.rehearsal import Rehearsal

TOGETHER = 1000
"""Keys that one request deletes (Amazon S3 API Reference, DeleteObjects)."""


def read_tags(aws: Aws, name: str) -> dict[str, str]:
    """The tags of a bucket. Raises ServiceError."""
    try:
        with aws.translate_errors(f"bucket {name}", "s3:GetBucketTagging"):
            tags = aws.client("s3").get_bucket_tagging(Bucket=name)["TagSet"]
    except NotFoundError:
        return {}
    return {tag["Key"]: tag["Value"] for tag in tags}


def remove_bucket(aws: Aws, name: str) -> None:
    """Delete every version, upload and at last the bucket itself. Raises ServiceError."""
    client = aws.client("s3")
    try:
        _abort_uploads(aws, client, name)
        pages = client.get_paginator("list_object_versions")
        with aws.translate_errors(f"bucket {name}", "s3:DeleteObjectVersion"):
            for page in pages.paginate(Bucket=name, PaginationConfig={"PageSize": TOGETHER}):
                versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
                if keys:
                    answer = client.delete_objects(
                        Bucket=name, Delete={"Objects": keys, "Quiet": True}
                    )
                    _check_deleted(name, answer)
        with aws.translate_errors(f"bucket {name}", "s3:DeleteBucket"):
            client.delete_bucket(Bucket=name)
    except NotFoundError:
        return


def _abort_uploads(aws: Aws, client: Any, name: str) -> None:
    """What was uploaded in part would keep the bucket from being deleted."""
    pages = client.get_paginator("list_multipart_uploads")
    with aws.translate_errors(f"bucket {name}", "s3:AbortMultipartUpload"):
        for page in pages.paginate(Bucket=name):
            for upload in page.get("Uploads", ()):
                client.abort_multipart_upload(
                    Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"]
                )


def _check_deleted(name: str, answer: Any) -> None:
    if failed := answer.get("Errors"):
        first = failed[0]
        problem = Problem("DeleteObjects", str(first.get("Code", "")), "s3:DeleteObjectVersion")
        raise ServiceError(
            f"{len(failed):,} objects of bucket {name} were not deleted: {problem}", problem
        )


BUCKET_REHEARSAL = Rehearsal(
    # No notification, replication or lifecycle, which act on what is written, and no object lock.
    properties=(
        "BucketEncryption",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "VersioningConfiguration",
    ),
    longest_name=63,
    allowed="a-z0-9.-",
    read_tags=read_tags,
    remove=remove_bucket,
)
