"""The properties of CDK's own constructs, as `**properties` of those in this package.

Written by `scripts/generate_cdk_properties.py` from aws-cdk-lib 2.275.0. A newer version's
properties work as well; only type checkers do not know them yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Required, TypedDict

if TYPE_CHECKING:
    import aws_cdk
    from aws_cdk import (
        aws_ec2,
        aws_iam,
        aws_kms,
        aws_logs,
        aws_rds,
        aws_s3,
        interfaces,
    )


class DatabaseInstanceProperties(TypedDict, total=False):
    """What `aws_cdk.aws_rds.DatabaseInstance` takes, except its name."""

    allocated_storage: int | float | None
    allow_major_version_upgrade: bool | None
    apply_immediately: bool | None
    auto_minor_version_upgrade: bool | None
    availability_zone: str | None
    backup_retention: aws_cdk.Duration | None
    ca_certificate: aws_rds.CaCertificate | None
    character_set_name: str | None
    cloudwatch_logs_exports: Sequence[str] | None
    cloudwatch_logs_retention: aws_logs.RetentionDays | None
    cloudwatch_logs_retention_role: aws_iam.IRole | None
    copy_tags_to_snapshot: bool | None
    credentials: aws_rds.Credentials | None
    database_insights_mode: aws_rds.DatabaseInsightsMode | None
    database_name: str | None
    delete_automated_backups: bool | None
    deletion_protection: bool | None
    domain: str | None
    domain_role: interfaces.aws_iam.IRoleRef | None
    enable_performance_insights: bool | None
    engine: Required[aws_rds.IInstanceEngine]
    engine_lifecycle_support: aws_rds.EngineLifecycleSupport | None
    iam_authentication: bool | None
    instance_type: aws_ec2.InstanceType | None
    iops: int | float | None
    license_model: aws_rds.LicenseModel | None
    manage_master_user_password: bool | None
    max_allocated_storage: int | float | None
    monitoring_interval: aws_cdk.Duration | None
    monitoring_role: interfaces.aws_iam.IRoleRef | None
    multi_az: bool | None
    network_type: aws_rds.NetworkType | None
    option_group: aws_rds.IOptionGroup | None
    parameter_group: aws_rds.IParameterGroup | None
    parameters: Mapping[str, str] | None
    performance_insight_encryption_key: interfaces.aws_kms.IKeyRef | None
    performance_insight_retention: aws_rds.PerformanceInsightRetention | None
    port: int | float | None
    preferred_backup_window: str | None
    preferred_maintenance_window: str | None
    processor_features: aws_rds.ProcessorFeatures | Mapping[str, Any] | None
    publicly_accessible: bool | None
    removal_policy: aws_cdk.RemovalPolicy | None
    s3_export_buckets: Sequence[aws_s3.IBucket] | None
    s3_export_role: aws_iam.IRole | None
    s3_import_buckets: Sequence[aws_s3.IBucket] | None
    s3_import_role: aws_iam.IRole | None
    security_groups: Sequence[aws_ec2.ISecurityGroup] | None
    storage_encrypted: bool | None
    storage_encryption_key: interfaces.aws_kms.IKeyRef | None
    storage_throughput: int | float | None
    storage_type: aws_rds.StorageType | None
    subnet_group: interfaces.aws_rds.IDBSubnetGroupRef | None
    timezone: str | None
    vpc: Required[aws_ec2.IVpc]
    vpc_subnets: aws_ec2.SubnetSelection | Mapping[str, Any] | None


class DatabaseClusterProperties(TypedDict, total=False):
    """What `aws_cdk.aws_rds.DatabaseCluster` takes, except its name."""

    auto_minor_version_upgrade: bool | None
    backtrack_window: aws_cdk.Duration | None
    backup: aws_rds.BackupProps | Mapping[str, Any] | None
    cloudwatch_logs_exports: Sequence[str] | None
    cloudwatch_logs_retention: aws_logs.RetentionDays | None
    cloudwatch_logs_retention_role: aws_iam.IRole | None
    cluster_scailability_type: aws_rds.ClusterScailabilityType | None
    cluster_scalability_type: aws_rds.ClusterScalabilityType | None
    copy_tags_to_snapshot: bool | None
    credentials: aws_rds.Credentials | None
    database_insights_mode: aws_rds.DatabaseInsightsMode | None
    default_database_name: str | None
    delete_automated_backups: bool | None
    deletion_protection: bool | None
    domain: str | None
    domain_role: aws_iam.IRole | None
    enable_cluster_level_enhanced_monitoring: bool | None
    enable_data_api: bool | None
    enable_local_write_forwarding: bool | None
    enable_performance_insights: bool | None
    engine: Required[aws_rds.IClusterEngine]
    engine_lifecycle_support: aws_rds.EngineLifecycleSupport | None
    iam_authentication: bool | None
    instance_identifier_base: str | None
    instance_props: aws_rds.InstanceProps | Mapping[str, Any] | None
    instance_update_behaviour: aws_rds.InstanceUpdateBehaviour | None
    instances: int | float | None
    manage_master_user_password: bool | None
    monitoring_interval: aws_cdk.Duration | None
    monitoring_role: aws_iam.IRole | None
    network_type: aws_rds.NetworkType | None
    parameter_group: aws_rds.IParameterGroup | None
    parameters: Mapping[str, str] | None
    performance_insight_encryption_key: aws_kms.IKey | None
    performance_insight_retention: aws_rds.PerformanceInsightRetention | None
    port: int | float | None
    preferred_maintenance_window: str | None
    readers: Sequence[aws_rds.IClusterInstance] | None
    removal_policy: aws_cdk.RemovalPolicy | None
    replication_source_identifier: str | None
    s3_export_buckets: Sequence[aws_s3.IBucket] | None
    s3_export_role: aws_iam.IRole | None
    s3_import_buckets: Sequence[aws_s3.IBucket] | None
    s3_import_role: aws_iam.IRole | None
    security_groups: Sequence[aws_ec2.ISecurityGroup] | None
    serverless_v2_auto_pause_duration: aws_cdk.Duration | None
    serverless_v2_max_capacity: int | float | None
    serverless_v2_min_capacity: int | float | None
    storage_encrypted: bool | None
    storage_encryption_key: interfaces.aws_kms.IKeyRef | None
    storage_type: aws_rds.DBClusterStorageType | None
    subnet_group: interfaces.aws_rds.IDBSubnetGroupRef | None
    vpc: aws_ec2.IVpc | None
    vpc_subnets: aws_ec2.SubnetSelection | Mapping[str, Any] | None
    writer: aws_rds.IClusterInstance | None
