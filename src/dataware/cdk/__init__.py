"""Constructs for AWS CDK that look at the data first.

uploads = DataAwareBucket(self, "Uploads", preferred_name="uploads-prod",
                          fallback_names=["uploads"], versioned=True)
uploads.bucket.grant_read(function)
"""

from dataware.cdk.bucket import DataAwareBucket
from dataware.cdk.guard import DataGuard
from dataware.cdk.migration import DataMigration
from dataware.cdk.older import DataAware
from dataware.cdk.resource import Copy, DataAwareResource, MakeMigration
from dataware.cdk.table import DataAwareTable, DataAwareTableV2

__all__ = [
    "Copy",
    "DataAware",
    "DataAwareBucket",
    "DataAwareResource",
    "DataAwareTable",
    "DataAwareTableV2",
    "DataGuard",
    "DataMigration",
    "MakeMigration",
]
