"""Constructs for AWS CDK that look at the data first.

uploads = DataAwareBucket(self, "Uploads", preferred_name="uploads-prod",
                          fallback_names=["uploads"], versioned=True)
uploads.bucket.grant_read(function)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dataware.cdk.bucket import DataAwareBucket
from dataware.cdk.compat import DataAware
from dataware.cdk.guard import DataGuard
from dataware.cdk.key import DataAwareKey
from dataware.cdk.log_group import DataAwareLogGroup
from dataware.cdk.options import DataAwareOptions, MigrationOptions
from dataware.cdk.pending_copy import MakeMigration, PendingCopy
from dataware.cdk.queue import DataAwareQueue
from dataware.cdk.repository import DataAwareRepository
from dataware.cdk.resource import DataAwareResource
from dataware.cdk.secret import DataAwareSecret
from dataware.cdk.stream import DataAwareStream
from dataware.cdk.table import DataAwareTable, DataAwareTableV2
from dataware.cdk.user_pool import DataAwareUserPool

if TYPE_CHECKING:
    from dataware.cdk.database import DataAwareDatabaseCluster, DataAwareDatabaseInstance
    from dataware.cdk.domain import DataAwareDomain
    from dataware.cdk.file_system import DataAwareFileSystem
    from dataware.cdk.migration import DataMigration
    from dataware.cdk.mixin import DataAwareMixin

__all__ = [
    "DataAware",
    "DataAwareBucket",
    "DataAwareDatabaseCluster",
    "DataAwareDatabaseInstance",
    "DataAwareDomain",
    "DataAwareFileSystem",
    "DataAwareKey",
    "DataAwareLogGroup",
    "DataAwareMixin",
    "DataAwareOptions",
    "DataAwareQueue",
    "DataAwareRepository",
    "DataAwareResource",
    "DataAwareSecret",
    "DataAwareStream",
    "DataAwareTable",
    "DataAwareTableV2",
    "DataAwareUserPool",
    "DataGuard",
    "DataMigration",
    "MakeMigration",
    "MigrationOptions",
    "PendingCopy",
]


LAZY = {
    "DataAwareDatabaseCluster": "dataware.cdk.database",
    "DataAwareDatabaseInstance": "dataware.cdk.database",
    "DataAwareDomain": "dataware.cdk.domain",
    "DataAwareFileSystem": "dataware.cdk.file_system",
    "DataAwareMixin": "dataware.cdk.mixin",
    "DataMigration": "dataware.cdk.migration",
}
"""What takes half a second to import, or needs a newer CDK than the rest does."""


def __getattr__(name: str) -> Any:
    """A class of `LAZY`, once it is asked for. Raises ImportError where CDK is too old for it."""
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(LAZY[name]), name)
