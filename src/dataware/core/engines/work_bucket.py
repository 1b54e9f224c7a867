"""A short-lived bucket for what a service of AWS reads or writes on the way.

A manifest or a report cannot lie in the target, which would then hold what the source does not.
Sources: Amazon S3 API Reference, CreateBucket, CreateMultipartUpload, ListObjectsV2, DeleteObject,
PutBucketPolicy, DeleteBucketPolicy; Amazon DynamoDB Developer Guide, "Requesting a table export in
DynamoDB" (what the policy of a bucket of another account has to allow).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from dataware.core.errors import NotFoundError, RefusedError, ServiceError
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws

CHUNK = 1 << 20
NEAREST = "us-east-1"
EXPORT_WRITES = ("s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl")
"""What an export does in its bucket."""

OWN_NAME = r"dataware-(?:batch|export|map)-{account}-[0-9a-z-]+"


class WorkBucket:
    """One bucket of the account, by name; every call may be repeated.

    The name may come from a record, which others can write: RefusedError is raised for one that
    no engine makes, so that no bucket of somebody else is emptied.
    """

    def __init__(self, aws: Aws, name: str) -> None:
        if not re.fullmatch(OWN_NAME.format(account=aws.account), str(name)):
            raise RefusedError(
                f"nothing was removed, because the record names bucket {name}, which dataware did "
                "not make: see `dataware status`, and correct the record"
            )
        self._aws = aws
        self._name = name
        self._api = aws.client("s3")
        self._place = {"Bucket": name, "ExpectedBucketOwner": aws.account}

    def make(self) -> None:
        """Have the bucket, which may be there from an earlier run. Raises LookupFailedError."""
        region = self._aws.region
        where = {} if region == NEAREST else {"LocationConstraint": region}
        settings = {"CreateBucketConfiguration": where} if where else {}
        try:
            with self._aws.translate_errors(self._name, "s3:CreateBucket"):
                self._api.create_bucket(Bucket=self._name, **settings)
        except ServiceError as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise

    def allow_export(self, account: str, prefix: str) -> None:
        """Let an account export under a prefix, and do nothing else; again is harmless.

        Raises LookupFailedError.
        """
        partition = self._aws.partition
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": list(EXPORT_WRITES),
            "Resource": f"arn:{partition}:s3:::{self._name}/{prefix}/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        with self._aws.translate_errors(self._name, "s3:PutBucketPolicy"):
            self._api.put_bucket_policy(**self._place, Policy=policy)

    def end_export(self) -> None:
        """Let no other account write any more; again is harmless. Raises LookupFailedError."""
        with self._aws.translate_errors(self._name, "s3:DeleteBucketPolicy"):
            self._api.delete_bucket_policy(**self._place)

    def open(self, key: str) -> UploadedParts:
        """An object that comes in parts."""
        return UploadedParts(self._aws, self._name, key)

    def read(self, key: str) -> Iterator[bytes]:
        """An object, piece by piece. Raises LookupFailedError and NotFoundError."""
        with self._aws.translate_errors(f"{key} in {self._name}", "s3:GetObject"):
            body = self._api.get_object(**self._place, Key=key)["Body"]
            yield from body.iter_chunks(CHUNK)

    def list_etags(self, prefix: str) -> dict[str, str]:
        """The ETags, without quotes, of all that lies under a prefix. Raises LookupFailedError."""
        etags: dict[str, str] = {}
        more: dict[str, str] = {}
        cursor = PageCursor("ListObjectsV2", f"bucket {self._name}")
        while True:
            with self._aws.translate_errors(self._name, "s3:ListBucket"):
                page = self._api.list_objects_v2(**self._place, Prefix=prefix, **more)
            etags |= {one["Key"]: one["ETag"].strip('"') for one in page.get("Contents", ())}
            if not page.get("IsTruncated"):
                return etags
            more = {"ContinuationToken": page["NextContinuationToken"]}
            cursor.advance(more)

    def remove(self) -> None:
        """Remove all that is in it, and the bucket. Raises LookupFailedError."""
        try:
            self._empty()
            with self._aws.translate_errors(self._name, "s3:DeleteBucket"):
                self._api.delete_bucket(**self._place)
        except NotFoundError:
            return

    def _empty(self) -> None:
        cursor = PageCursor("ListObjectsV2", f"bucket {self._name}")
        while keys := self._list_keys():
            # What was deleted and is listed again would be deleted for ever.
            cursor.advance(keys)
            with self._aws.translate_errors(self._name, "s3:DeleteObject"):
                for key in keys:
                    self._api.delete_object(**self._place, Key=key)
        with self._aws.translate_errors(self._name, "s3:ListBucketMultipartUploads"):
            uploads = self._api.list_multipart_uploads(**self._place).get("Uploads") or ()
        with self._aws.translate_errors(self._name, "s3:AbortMultipartUpload"):
            for one in uploads:
                self._api.abort_multipart_upload(
                    **self._place, Key=one["Key"], UploadId=one["UploadId"]
                )

    def _list_keys(self) -> list[str]:
        """Some of the keys that are left."""
        with self._aws.translate_errors(self._name, "s3:ListBucket"):
            page = self._api.list_objects_v2(**self._place)
        return [one["Key"] for one in page.get("Contents", ())]


class UploadedParts:
    """The PartSink port over an upload in parts; it begins with the first part."""

    def __init__(self, aws: Aws, bucket: str, key: str) -> None:
        self._aws = aws
        self._api = aws.client("s3")
        self._place = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": aws.account}
        self._what = f"{key} in {bucket}"
        self._upload = ""
        self._parts: list[dict[str, Any]] = []

    def put(self, number: int, body: bytes) -> None:
        """Upload a part."""
        with self._aws.translate_errors(self._what, "s3:PutObject"):
            if not self._upload:
                answer = self._api.create_multipart_upload(
                    **self._place, ServerSideEncryption="AES256"
                )
                self._upload = answer["UploadId"]
            answer = self._api.upload_part(
                **self._place, UploadId=self._upload, PartNumber=number, Body=body
            )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def complete(self) -> str:
        """Put the parts together; the ETag."""
        with self._aws.translate_errors(self._what, "s3:PutObject"):
            answer = self._api.complete_multipart_upload(
                **self._place, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )
        return str(answer["ETag"])
