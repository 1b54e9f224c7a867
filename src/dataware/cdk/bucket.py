"""A bucket that looks at its data first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from aws_cdk import aws_s3 as s3
from constructs import Construct

from dataware.cdk.properties import BucketProperties
from dataware.cdk.reference import BUCKET, report_unused, warn_on_use
from dataware.cdk.resource import AUTO, CHILD, DataAwareResource, MigrationSetting


class DataAwareBucket(DataAwareResource):
    """An S3 bucket: kept, imported, created or filled by what is found under its names."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        fallback_names: Iterable[str] = (),
        on_error: str | None = None,
        on_fallback_data: str | None = None,
        import_mode: str | None = None,
        migration: MigrationSetting = AUTO,
        **properties: Unpack[BucketProperties],
    ) -> None:
        """Declare the bucket, or refer to it; `properties` are those of `aws_s3.Bucket`.

        `on_error` is "safe", "no-data" or "stop", `on_fallback_data` "migrate" or "import",
        `import_mode` "adopt" or "reference"; `migration` makes what copies during a deployment, and
        None forbids that. Raises ValueError for a name that cannot be used.
        """
        super().__init__(
            scope,
            id,
            cfn_type="AWS::S3::Bucket",
            preferred_name=preferred_name,
            fallback_names=fallback_names,
            on_error=on_error,
            on_fallback_data=on_fallback_data,
            import_mode=import_mode,
        )
        given: dict[str, Any] = {**properties}
        self._refuse(given, "bucket_name")
        self._bucket = self._build(given, migration, self._declare_resource, self._reference)

    @property
    def bucket(self) -> s3.IBucket:
        """The bucket: declared by this stack, or referenced."""
        return self._bucket

    def _declare_resource(self, properties: dict[str, Any]) -> s3.IBucket:
        return s3.Bucket(self, CHILD, bucket_name=self._asked.preferred, **properties)

    def _reference(self, name: str, properties: dict[str, Any]) -> s3.IBucket:
        key = properties.pop("encryption_key", None)
        bucket = s3.Bucket.from_bucket_attributes(self, CHILD, bucket_name=name, encryption_key=key)
        report_unused(self, name, properties)
        warn_on_use(self, bucket, name, BUCKET)
        return bucket
