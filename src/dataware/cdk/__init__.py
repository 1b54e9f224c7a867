"""Constructs for AWS CDK that look at the data first.

uploads = DataAwareBucket(self, "Uploads", preferred_name="uploads-prod",
                          fallback_names=["uploads"], versioned=True)
uploads.bucket.grant_read(function)
"""

from typing import TYPE_CHECKING, Any

from dataware.cdk.bucket import DataAwareBucket
from dataware.cdk.compat import DataAware
from dataware.cdk.guard import DataGuard
from dataware.cdk.options import DataAwareOptions, MigrationOptions
from dataware.cdk.pending_copy import MakeMigration, PendingCopy
from dataware.cdk.repository import DataAwareRepository
from dataware.cdk.resource import DataAwareResource
from dataware.cdk.table import DataAwareTable, DataAwareTableV2
from dataware.cdk.user_pool import DataAwareUserPool

if TYPE_CHECKING:
    from dataware.cdk.migration import DataMigration

__all__ = [
    "DataAware",
    "DataAwareBucket",
    "DataAwareOptions",
    "DataAwareRepository",
    "DataAwareResource",
    "DataAwareTable",
    "DataAwareTableV2",
    "DataAwareUserPool",
    "DataGuard",
    "DataMigration",
    "MakeMigration",
    "MigrationOptions",
    "PendingCopy",
]


def __getattr__(name: str) -> Any:
    """`DataMigration`, once it is asked for: what it is made of takes half a second to import."""
    if name != "DataMigration":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dataware.cdk.migration import DataMigration  # noqa: PLC0415 - on demand, see above

    return DataMigration
