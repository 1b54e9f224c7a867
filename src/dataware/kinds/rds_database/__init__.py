"""The card of AWS::RDS::DBInstance: kept, adopted or referenced by its identifier; not copied."""

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

_DESCRIBE = "rds:DescribeDBInstances"
FIXED = (
    "DBClusterIdentifier",
    "DBName",
    "DBSubnetGroupName",
    "Engine",
    "KmsKeyId",
    "MasterUsername",
    "StorageEncrypted",
)
REPLACED_BY = (
    *FIXED,
    "AutoMinorVersionUpgrade",
    "AvailabilityZone",
    "BackupRetentionPeriod",
    "BackupTarget",
    "CharacterSetName",
    "CustomIAMInstanceProfile",
    "DBClusterSnapshotIdentifier",
    "DBParameterGroupName",
    "DBSnapshotIdentifier",
    "DBSystemId",
    "MultiAZ",
    "NcharCharacterSetName",
    "PerformanceInsightsKMSKeyId",
    "Port",
    "PreferredMaintenanceWindow",
    "RestoreTime",
    "SourceDBClusterIdentifier",
    "SourceDBInstanceAutomatedBackupsArn",
    "SourceDBInstanceIdentifier",
    "SourceDbiResourceId",
    "SourceRegion",
    "StorageType",
    "Timezone",
    "UseLatestRestorableTime",
)


def describe(aws: Aws, name: str) -> Mapping[str, Any]:
    """The instance of a name. Raises NotFoundError and LookupFailedError."""
    with aws.translate_errors(f"RDS instance {name}", _DESCRIBE):
        answer = aws.client("rds").describe_db_instances(DBInstanceIdentifier=name)
    instance: Mapping[str, Any] = answer["DBInstances"][0]
    return instance


def probe(aws: Aws, name: str) -> Facts:
    """What stands under a name."""
    words = ("DBInstanceIdentifier", "DBInstanceStatus")
    return probe_database(aws, name, describe, _DESCRIBE, words)


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of an instance as it is. Raises NotFoundError and LookupFailedError."""
    instance = describe(aws, name)
    names = [one for one in COMPARISON.forms if one not in ("Tags", MANAGED)]
    properties = {one: instance[one] for one in names if instance.get(one) not in (None, "")}
    group = (instance.get("DBSubnetGroup") or {}).get("DBSubnetGroupName")
    return LiveConfiguration(
        {
            **properties,
            **({"DBSubnetGroupName": group} if group else {}),
            MANAGED: bool(instance.get("MasterUserSecret")),
            "Tags": own_tags(instance.get("TagList") or ()),
        }
    )


COMPARISON = make_comparison(
    read_configuration,
    {
        **dict.fromkeys((RETENTION, "MaxAllocatedStorage", "PromotionTier", "Iops"), number),
        **dict.fromkeys(
            ("DeletionProtection", "MultiAZ", "PubliclyAccessible", "StorageEncrypted", MANAGED),
            switch,
        ),
        **dict.fromkeys(
            (
                "AllocatedStorage",
                "DBClusterIdentifier",
                "DBInstanceClass",
                "DBName",
                "DBSubnetGroupName",
                "Engine",
                "MasterUsername",
                "StorageType",
            ),
            lambda value: value or "",
        ),
    },
    FIXED,
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:rds:{region}:{account}:db:{name}",)


KIND = Kind(
    cfn_type="AWS::RDS::DBInstance",
    names=Names("rds-instance", "RDS instance", "instance", "database", check_name),
    template=Template(
        identifier="DBInstanceIdentifier",
        declared_settings=declared_settings,
        protective=("DeletionProtection", "StorageEncrypted"),
        replaced_by=tuple(dict.fromkeys(REPLACED_BY)),
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
                "rds:CreateDBInstance",
                "rds:DescribeDBInstances",
                "rds:AddTagsToResource",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
