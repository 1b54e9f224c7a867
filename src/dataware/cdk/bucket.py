"""A bucket that looks at its data first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from aws_cdk import aws_s3 as s3
from constructs import Construct

from dataware.cdk.options import MigrationOptions
from dataware.cdk.properties import BucketProperties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import CHILD, DataAwareResource

SHARED = (
    "{name} is referenced, not declared: {method} changes the configuration of a bucket that this "
    "stack does not own"
)


class BucketOptions(MigrationOptions, BucketProperties):
    """The options of a data-aware bucket, and the properties of `aws_s3.Bucket`."""


class DataAwareBucket(DataAwareResource):
    """An S3 bucket: kept, imported, created or filled by what is found under its names."""

    _cfn_type = "AWS::S3::Bucket"
    _l2 = s3.Bucket
    _powerless: ClassVar[Mapping[str, str]] = {
        "add_to_resource_policy": NOTHING,
        "add_replication_policy": NOTHING,
        "grant_public_access": NOTHING,
        "add_event_notification": SHARED,
        "add_object_created_notification": SHARED,
        "add_object_removed_notification": SHARED,
        "enable_event_bridge_notification": SHARED,
    }

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[BucketOptions]
    ) -> None:
        """Declare the bucket, or refer to it.

        The options are those of `MigrationOptions`, and the properties of `aws_s3.Bucket`. Raises
        ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def bucket(self) -> s3.IBucket:
        """The bucket: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> s3.IBucket:
        key = properties.pop("encryption_key", None)
        return s3.Bucket.from_bucket_attributes(self, CHILD, bucket_name=name, encryption_key=key)
