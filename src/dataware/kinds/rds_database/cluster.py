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
from dataware.kinds.rds_database.database import (
    MANAGED,
    PASSWORDS,
    RETENTION,
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
    "Engine",
    "EngineMode",
    "KmsKeyId",
    "MasterUsername",
    "StorageEncrypted",
)
REPLACED_BY = (
    *FIXED,
    "AvailabilityZones",
    "ClusterScalabilityType",
    "DBSystemId",
    "GlobalClusterIdentifier",
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
    found = {one: cluster.get(NAMED_OTHERWISE.get(one, one)) for one in names}
    return LiveConfiguration(
        {
            **{name: one for name, one in found.items() if one not in (None, "")},
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
