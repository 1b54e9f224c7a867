"""The card of AWS::RDS::DBCluster: kept, adopted or referenced by its identifier; not copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.comparison import LiveConfiguration
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Facts
from dataware.core.phases import DESCRIBE
from dataware.core.ports import Aws
from dataware.core.tags import own_tags
from dataware.core.values import NO_VALUE
from dataware.kinds.rds_database.database import (
    ENGINE,
    MANAGED,
    PASSWORDS,
    RETENTION,
    UPGRADES,
    check_name,
    declared_settings,
    make_comparison,
    number,
    probe_database,
    switch,
)

_DESCRIBE = "rds:DescribeDBClusters"
FIXED = (
    "DatabaseName",
    "DBSubnetGroupName",
    ENGINE,
    "EngineMode",
    "KmsKeyId",
    "MasterUsername",
    "StorageEncrypted",
)
GLOBAL = "GlobalClusterIdentifier"
REPLACED_BY = (
    *(name for name in FIXED if name != ENGINE),
    "AvailabilityZones",
    "ClusterScalabilityType",
    "DBSystemId",
    "PubliclyAccessible",
    "RestoreToTime",
    "RestoreType",
    "SnapshotIdentifier",
    "SourceDBClusterIdentifier",
    "SourceDbClusterResourceId",
    "SourceRegion",
    "UseLatestRestorableTime",
    "WithExpressConfiguration",
)
NAMED_OTHERWISE = {"DBSubnetGroupName": "DBSubnetGroup"}


def is_aurora_upgrade(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a cluster gets the other name of its engine, which is done in place.

    Source: the handler of the type, aws-cloudformation-resource-providers-rds, `isEngineMutable`.
    """
    return (before.get(ENGINE), after.get(ENGINE)) == UPGRADES[0]


def leaves_global_cluster(_before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a cluster leaves its global one, in place (`isGlobalClusterMutable`)."""
    return after.get(GLOBAL) in (None, "", NO_VALUE)


def describe(aws: Aws, name: str) -> Mapping[str, Any]:
    """The cluster of a name. Raises NotFoundError and LookupFailedError."""
    with aws.translate_errors(f"RDS cluster {name}", _DESCRIBE):
        answer = aws.client("rds").describe_db_clusters(DBClusterIdentifier=name)
    cluster: Mapping[str, Any] = answer["DBClusters"][0]
    return cluster


def probe(aws: Aws, name: str) -> Facts:
    """What stands under a name."""
    words = ("DBClusterIdentifier", "Status")
    return probe_database(aws, name, describe, _DESCRIBE, words)


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a cluster as it is. Raises NotFoundError and LookupFailedError."""
    cluster = describe(aws, name)
    names = [one for one in COMPARISON.forms if one not in ("Tags", MANAGED)]
    properties = {one: cluster.get(NAMED_OTHERWISE.get(one, one)) for one in names}
    return LiveConfiguration(
        {
            **{name: one for name, one in properties.items() if one not in (None, "")},
            MANAGED: bool(cluster.get("MasterUserSecret")),
            "Tags": own_tags(cluster.get("TagList") or ()),
        }
    )


COMPARISON = make_comparison(
    read_configuration,
    {
        **dict.fromkeys(("AllocatedStorage", RETENTION, "BacktrackWindow", "Port"), number),
        **dict.fromkeys(("DeletionProtection", "StorageEncrypted", MANAGED), switch),
        **dict.fromkeys(
            ("DatabaseName", "DBSubnetGroupName", "Engine", "EngineMode", "MasterUsername"),
            lambda value: value or "",
        ),
    },
    FIXED,
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:rds:{region}:{account}:cluster:{name}",)


KIND = Kind(
    cfn_type="AWS::RDS::DBCluster",
    names=Names("rds-cluster", "RDS cluster", "cluster", "database", check_name),
    template=Template(
        identifier="DBClusterIdentifier",
        declared_settings=declared_settings,
        protective=("DeletionProtection", "StorageEncrypted"),
        replaced_by=REPLACED_BY,
        replaced_unless={ENGINE: is_aurora_upgrade, GLOBAL: leaves_global_cluster},
        import_whole=PASSWORDS,
        hidden=PASSWORDS,
        name_of=lambda _physical_id: None,
        has_arn=False,
    ),
    access=Permissions(
        phases={
            "probe": (_DESCRIBE,),
            DESCRIBE: (_DESCRIBE,),
            "create": (
                "rds:CreateDBCluster",
                "rds:DescribeDBClusters",
                "rds:AddTagsToResource",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
