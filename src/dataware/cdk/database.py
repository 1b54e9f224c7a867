"""RDS instances and clusters that are looked at first."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from aws_cdk import aws_rds as rds
from constructs import Construct

from dataware.cdk.database_properties import (
    DatabaseClusterProperties,
    DatabaseInstanceProperties,
)
from dataware.cdk.options import DataAwareOptions
from dataware.cdk.resource import CHILD, DataAwareResource


class DatabaseInstanceOptions(DataAwareOptions, DatabaseInstanceProperties):
    """The options of a data-aware instance, and the properties of `aws_rds.DatabaseInstance`.

    `instance_endpoint_address` is that of an instance that exists, by which a reference reaches it.
    """

    instance_endpoint_address: str


class DataAwareDatabaseInstance(DataAwareResource):
    """An RDS instance: kept, adopted, referenced or created by what is found under its names.

    One that exists counts as holding data. Nothing is copied: where only a fallback exists, the
    construct is an error, unless `on_fallback_data` is "import", which refers to the fallback.
    """

    _cfn_type = "AWS::RDS::DBInstance"
    _l2 = rds.DatabaseInstance
    _name_argument = "instance_identifier"
    _for_references: ClassVar[tuple[str, ...]] = ("instance_endpoint_address",)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        **options: Unpack[DatabaseInstanceOptions],
    ) -> None:
        """Declare the instance, or refer to it.

        The options are those of `DatabaseInstanceOptions`; a reference goes by its endpoint and
        `port`. Raises ValueError for a name that cannot be used, and for a reference without these.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def instance(self) -> rds.IDatabaseInstance:
        """The instance: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> rds.IDatabaseInstance:
        return rds.DatabaseInstance.from_database_instance_attributes(
            self,
            CHILD,
            instance_identifier=name,
            instance_endpoint_address=self._take(properties, "instance_endpoint_address", name),
            port=self._take(properties, "port", name),
            security_groups=list(properties.pop("security_groups", None) or ()),
            engine=properties.pop("engine", None),
        )


class DatabaseClusterOptions(DataAwareOptions, DatabaseClusterProperties):
    """The options of a data-aware cluster, and the properties of `aws_rds.DatabaseCluster`.

    `cluster_endpoint_address` is that of a cluster that exists, by which a reference reaches it.
    """

    cluster_endpoint_address: str


class DataAwareDatabaseCluster(DataAwareResource):
    """An RDS or Aurora cluster, as `DataAwareDatabaseInstance` is an instance."""

    _cfn_type = "AWS::RDS::DBCluster"
    _l2 = rds.DatabaseCluster
    _name_argument = "cluster_identifier"
    _for_references: ClassVar[tuple[str, ...]] = ("cluster_endpoint_address",)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        **options: Unpack[DatabaseClusterOptions],
    ) -> None:
        """Declare the cluster, or refer to it.

        The options are those of `DatabaseClusterOptions`. Raises ValueError for a name that cannot
        be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def cluster(self) -> rds.IDatabaseCluster:
        """The cluster: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> rds.IDatabaseCluster:
        words = ("cluster_endpoint_address", "port", "security_groups")
        attributes = {one: properties.pop(one) for one in words if one in properties}
        return rds.DatabaseCluster.from_database_cluster_attributes(
            self, CHILD, cluster_identifier=name, **attributes
        )
