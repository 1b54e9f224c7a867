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
from dataware.core.values import NO_VALUE
from dataware.kinds.rds_database.database import (
    ENGINE,
    MANAGED,
    PASSWORDS,
    RETENTION,
    check_name,
    declared_settings,
    is_upgrade,
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
    ENGINE,
    "KmsKeyId",
    "MasterUsername",
    "StorageEncrypted",
)
REPLACED_BY = (
    *(name for name in FIXED if name != ENGINE),
    "BackupTarget",
    "CharacterSetName",
    "CustomIAMInstanceProfile",
    "DBClusterSnapshotIdentifier",
    "DBSnapshotIdentifier",
    "DBSystemId",
    "NcharCharacterSetName",
    "Port",
    "RestoreTime",
    "SourceDBClusterIdentifier",
    "SourceDBInstanceAutomatedBackupsArn",
    "SourceDBInstanceIdentifier",
    "SourceDbiResourceId",
    "SourceRegion",
    "Timezone",
    "UseLatestRestorableTime",
)

ZONE, MULTI_AZ = "AvailabilityZone", "MultiAZ"
UPDATED_IN_PLACE = (
    "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod",
    "DBParameterGroupName",
    MULTI_AZ,
    "PreferredMaintenanceWindow",
    "StorageType",
)
"""What the schema says may replace an instance, and no update does.

Sources: CloudFormation Template Reference, AWS::RDS::DBInstance ("Update requires: No interruption"
and "Some interruptions"); the handler of the type, aws-cloudformation-resource-providers-rds,
`ImmutabilityHelper`, which has all conditions of a replacement. Where the reference is stricter,
as on snapshots and sources of a restore, it counts.
"""


def leaves_zone_to_service(_before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an instance for several zones no longer names one, which is done in place."""
    is_named = after.get(ZONE) not in (None, "", NO_VALUE)
    return not is_named and str(after.get(MULTI_AZ)).lower() == "true"


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
        replaced_by=REPLACED_BY,
        replaced_once_set=("PerformanceInsightsKMSKeyId",),
        replaced_unless={ENGINE: is_upgrade, ZONE: leaves_zone_to_service},
        updated_in_place=UPDATED_IN_PLACE,
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
