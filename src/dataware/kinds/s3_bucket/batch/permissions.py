"""What the caller of a job needs beside the copy, and on what; the role of the job is another one.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"
(CreateJob has no resource, the other calls about a job have the job).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from dataware.core.engines.card import Grant, GrantPlace
from dataware.core.passed_roles import PASS_ROLE

BUCKET_PREFIX = "dataware-batch-"
"""How the name of every work bucket begins; the account follows."""

CREATE = ("s3:CreateJob", "s3:ListJobs")
OF_JOBS = ("s3:DescribeJob", "s3:UpdateJobStatus")
JOB_SERVICE = "batchoperations.s3.amazonaws.com"
"""What assumes the role of a job (Amazon S3 User Guide, "Granting permissions for Batch
Operations")."""

OF_WORK_BUCKET = (
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
)
OF_WORK_OBJECTS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutObject",
)
PERMISSIONS = (*CREATE, *OF_JOBS, PASS_ROLE, *OF_WORK_BUCKET, *OF_WORK_OBJECTS)


def name_work_bucket(account: str, target: str) -> str:
    """The name of the work bucket of a target, the same for every run."""
    name = hashlib.sha256(f"{account}/{target}".encode()).hexdigest()[:12]
    return f"{BUCKET_PREFIX}{account}-{name}"


def list_grants(target: str, place: GrantPlace) -> Iterator[Grant]:
    """What a job into `target` takes, beside the role that S3 assumes."""
    partition, account = place.partition, place.account
    bucket = f"arn:{partition}:s3:::{name_work_bucket(account, target)}"
    yield "*", CREATE
    yield f"arn:{partition}:s3:{place.region}:{account}:job/*", OF_JOBS
    yield bucket, OF_WORK_BUCKET
    yield f"{bucket}/*", OF_WORK_OBJECTS
