"""Puts a template where CloudFormation reads it, in a bucket that is there for that alone.

A request takes 51,200 bytes of template, an object may have 1 MB (AWS CloudFormation User Guide,
"CloudFormation quotas"; API Reference, CreateChangeSet, `TemplateURL`). The names are always the
same, so what a killed run leaves is overwritten and removed by the next. A new bucket is private
(Amazon S3 User Guide, "Blocking public access"), and nothing is read from one of somebody else.
"""

from __future__ import annotations

from dataware.core.errors import NotFoundError, ServiceError
from dataware.core.names import url_suffix_of
from dataware.core.ports import Aws

BUCKET = "dataware-import-{account}-{region}"
PERMISSIONS = (
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutObject",
)
NEAREST = "us-east-1"
"""The region that a request for a bucket does not name."""


def list_arns(account: str, region: str, partition: str) -> tuple[str, str]:
    """The ARNs of the bucket, and of what is put into it."""
    bucket = f"arn:{partition}:s3:::{BUCKET.format(account=account, region=region)}"
    return bucket, f"{bucket}/*"


class TemplateUpload:
    """The template of one stack, for as long as CloudFormation needs it."""

    def __init__(self, aws: Aws, stack: str) -> None:
        self._aws = aws
        self._api = aws.client("s3")
        self._bucket = BUCKET.format(account=aws.account, region=aws.region)
        self._place = {"Bucket": self._bucket, "ExpectedBucketOwner": aws.account}
        self._key = f"{stack}.json"
        self._is_made = False

    def put(self, text: str) -> str:
        """Upload the template, and answer with its URL. Raises LookupFailedError."""
        self._make_bucket()
        what = f"{self._key} in bucket {self._bucket}"
        with self._aws.translate_errors(what, "s3:PutObject"):
            self._api.put_object(
                **self._place, Key=self._key, Body=text.encode(), ServerSideEncryption="AES256"
            )
        host = f"s3.{self._aws.region}.{url_suffix_of(self._aws.partition)}"
        return f"https://{host}/{self._bucket}/{self._key}"

    def remove(self) -> None:
        """Remove the template, and the bucket unless another import uses it.

        Raises LookupFailedError where something stays that is in nobody's use.
        """
        if not self._is_made:
            return
        try:
            with self._aws.translate_errors(f"bucket {self._bucket}", "s3:DeleteObject"):
                self._api.delete_object(**self._place, Key=self._key)
            with self._aws.translate_errors(f"bucket {self._bucket}", "s3:DeleteBucket"):
                self._api.delete_bucket(**self._place)
        except NotFoundError:
            return
        except ServiceError as error:
            if error.code not in ("BucketNotEmpty", "NoSuchBucket"):
                raise

    def _make_bucket(self) -> None:
        region = self._aws.region
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            with self._aws.translate_errors(f"bucket {self._bucket}", "s3:CreateBucket"):
                self._api.create_bucket(Bucket=self._bucket, **({} if region == NEAREST else where))
        except ServiceError as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise
        self._is_made = True
