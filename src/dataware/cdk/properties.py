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
        aws_cognito,
        aws_dynamodb,
        aws_ec2,
        aws_ecr,
        aws_efs,
        aws_iam,
        aws_kinesis,
        aws_kms,
        aws_logs,
        aws_opensearchservice,
        aws_s3,
        aws_secretsmanager,
        aws_sqs,
        interfaces,
    )


class BucketProperties(TypedDict, total=False):
    """What `aws_cdk.aws_s3.Bucket` takes, except its name."""

    abac_status: bool | None
    access_control: aws_s3.BucketAccessControl | None
    auto_delete_objects: bool | None
    block_public_access: aws_s3.BlockPublicAccess | None
    blocked_encryption_types: Sequence[aws_s3.BlockedEncryptionType] | None
    bucket_key_enabled: bool | None
    bucket_name_prefix: str | None
    bucket_namespace: aws_s3.BucketNamespace | None
    cors: Sequence[aws_s3.CorsRule | Mapping[str, Any]] | None
    encryption: aws_s3.BucketEncryption | None
    encryption_key: aws_kms.IKey | None
    enforce_ssl: bool | None
    event_bridge_enabled: bool | None
    intelligent_tiering_configurations: (
        Sequence[aws_s3.IntelligentTieringConfiguration | Mapping[str, Any]] | None
    )
    inventories: Sequence[aws_s3.Inventory | Mapping[str, Any]] | None
    lifecycle_rules: Sequence[aws_s3.LifecycleRule | Mapping[str, Any]] | None
    metrics: Sequence[aws_s3.BucketMetrics | Mapping[str, Any]] | None
    minimum_tls_version: int | float | None
    notifications_handler_role: aws_iam.IRole | None
    notifications_skip_destination_validation: bool | None
    object_lock_default_retention: aws_s3.ObjectLockRetention | None
    object_lock_enabled: bool | None
    object_ownership: aws_s3.ObjectOwnership | None
    public_read_access: bool | None
    removal_policy: aws_cdk.RemovalPolicy | None
    replication_role: aws_iam.IRole | None
    replication_rules: Sequence[aws_s3.ReplicationRule | Mapping[str, Any]] | None
    server_access_logs_bucket: aws_s3.IBucket | None
    server_access_logs_prefix: str | None
    target_object_key_format: aws_s3.TargetObjectKeyFormat | None
    transfer_acceleration: bool | None
    transition_default_minimum_object_size: aws_s3.TransitionDefaultMinimumObjectSize | None
    versioned: bool | None
    website_error_document: str | None
    website_index_document: str | None
    website_redirect: aws_s3.RedirectTarget | Mapping[str, Any] | None
    website_routing_rules: Sequence[aws_s3.RoutingRule | Mapping[str, Any]] | None


class TableProperties(TypedDict, total=False):
    """What `aws_cdk.aws_dynamodb.Table` takes, except its name."""

    billing_mode: aws_dynamodb.BillingMode | None
    contributor_insights_enabled: bool | None
    contributor_insights_specification: (
        aws_dynamodb.ContributorInsightsSpecification | Mapping[str, Any] | None
    )
    deletion_protection: bool | None
    encryption: aws_dynamodb.TableEncryption | None
    encryption_key: aws_kms.IKey | None
    import_source: aws_dynamodb.ImportSourceSpecification | Mapping[str, Any] | None
    kinesis_precision_timestamp: aws_dynamodb.ApproximateCreationDateTimePrecision | None
    kinesis_stream: aws_kinesis.IStream | None
    max_read_request_units: int | float | None
    max_write_request_units: int | float | None
    partition_key: aws_dynamodb.Attribute | Mapping[str, Any] | None
    point_in_time_recovery: bool | None
    point_in_time_recovery_specification: (
        aws_dynamodb.PointInTimeRecoverySpecification | Mapping[str, Any] | None
    )
    read_capacity: int | float | None
    removal_policy: aws_cdk.RemovalPolicy | None
    replica_removal_policy: aws_cdk.RemovalPolicy | None
    replication_regions: Sequence[str] | None
    replication_timeout: aws_cdk.Duration | None
    resource_policy: aws_iam.PolicyDocument | None
    sort_key: aws_dynamodb.Attribute | Mapping[str, Any] | None
    stream: aws_dynamodb.StreamViewType | None
    table_class: aws_dynamodb.TableClass | None
    time_to_live_attribute: str | None
    wait_for_replication_to_finish: bool | None
    warm_throughput: aws_dynamodb.WarmThroughput | Mapping[str, Any] | None
    write_capacity: int | float | None


class TableV2Properties(TypedDict, total=False):
    """What `aws_cdk.aws_dynamodb.TableV2` takes, except its name."""

    billing: aws_dynamodb.Billing | None
    contributor_insights: bool | None
    contributor_insights_specification: (
        aws_dynamodb.ContributorInsightsSpecification | Mapping[str, Any] | None
    )
    deletion_protection: bool | None
    dynamo_stream: aws_dynamodb.StreamViewType | None
    encryption: aws_dynamodb.TableEncryptionV2 | None
    global_secondary_indexes: (
        Sequence[aws_dynamodb.GlobalSecondaryIndexPropsV2 | Mapping[str, Any]] | None
    )
    global_table_settings_replication_mode: aws_dynamodb.GlobalTableSettingsReplicationMode | None
    kinesis_stream: aws_kinesis.IStream | None
    local_secondary_indexes: (
        Sequence[aws_dynamodb.LocalSecondaryIndexProps | Mapping[str, Any]] | None
    )
    multi_region_consistency: aws_dynamodb.MultiRegionConsistency | None
    partition_key: Required[aws_dynamodb.Attribute | Mapping[str, Any]]
    point_in_time_recovery: bool | None
    point_in_time_recovery_specification: (
        aws_dynamodb.PointInTimeRecoverySpecification | Mapping[str, Any] | None
    )
    removal_policy: aws_cdk.RemovalPolicy | None
    replicas: Sequence[aws_dynamodb.ReplicaTableProps | Mapping[str, Any]] | None
    resource_policy: aws_iam.PolicyDocument | None
    sort_key: aws_dynamodb.Attribute | Mapping[str, Any] | None
    stream_resource_policy: aws_iam.PolicyDocument | None
    table_class: aws_dynamodb.TableClass | None
    tags: Sequence[aws_cdk.CfnTag | Mapping[str, Any]] | None
    time_to_live_attribute: str | None
    warm_throughput: aws_dynamodb.WarmThroughput | Mapping[str, Any] | None
    witness_region: str | None


class RepositoryProperties(TypedDict, total=False):
    """What `aws_cdk.aws_ecr.Repository` takes, except its name."""

    auto_delete_images: bool | None
    empty_on_delete: bool | None
    encryption: aws_ecr.RepositoryEncryption | None
    encryption_key: interfaces.aws_kms.IKeyRef | None
    image_scan_on_push: bool | None
    image_tag_mutability: aws_ecr.TagMutability | None
    image_tag_mutability_exclusion_filters: (
        Sequence[aws_ecr.ImageTagMutabilityExclusionFilter] | None
    )
    lifecycle_registry_id: str | None
    lifecycle_rules: Sequence[aws_s3.LifecycleRule | Mapping[str, Any]] | None
    removal_policy: aws_cdk.RemovalPolicy | None


class UserPoolProperties(TypedDict, total=False):
    """What `aws_cdk.aws_cognito.UserPool` takes, except its name."""

    account_recovery: aws_cognito.AccountRecovery | None
    advanced_security_mode: aws_cognito.AdvancedSecurityMode | None
    auto_verify: aws_cognito.AutoVerifiedAttrs | Mapping[str, Any] | None
    custom_attributes: Mapping[str, aws_cognito.ICustomAttribute] | None
    custom_sender_kms_key: interfaces.aws_kms.IKeyRef | None
    custom_threat_protection_mode: aws_cognito.CustomThreatProtectionMode | None
    deletion_protection: bool | None
    device_tracking: aws_cognito.DeviceTracking | Mapping[str, Any] | None
    email: aws_cognito.UserPoolEmail | None
    enable_sms_role: bool | None
    feature_plan: aws_cognito.FeaturePlan | None
    keep_original: aws_cognito.KeepOriginalAttrs | Mapping[str, Any] | None
    lambda_triggers: aws_cognito.UserPoolTriggers | Mapping[str, Any] | None
    mfa: aws_cognito.Mfa | None
    mfa_message: str | None
    mfa_second_factor: aws_cognito.MfaSecondFactor | Mapping[str, Any] | None
    passkey_relying_party_id: str | None
    passkey_user_verification: aws_cognito.PasskeyUserVerification | None
    password_policy: aws_cognito.PasswordPolicy | Mapping[str, Any] | None
    removal_policy: aws_cdk.RemovalPolicy | None
    self_sign_up_enabled: bool | None
    sign_in_aliases: aws_cognito.SignInAliases | Mapping[str, Any] | None
    sign_in_case_sensitive: bool | None
    sign_in_policy: aws_cognito.SignInPolicy | Mapping[str, Any] | None
    sms_role: interfaces.aws_iam.IRoleRef | None
    sms_role_external_id: str | None
    sns_region: str | None
    standard_attributes: aws_cognito.StandardAttributes | Mapping[str, Any] | None
    standard_threat_protection_mode: aws_cognito.StandardThreatProtectionMode | None
    user_invitation: aws_cognito.UserInvitationConfig | Mapping[str, Any] | None
    user_verification: aws_cognito.UserVerificationConfig | Mapping[str, Any] | None


class LogGroupProperties(TypedDict, total=False):
    """What `aws_cdk.aws_logs.LogGroup` takes, except its name."""

    data_protection_policy: aws_logs.DataProtectionPolicy | None
    deletion_protection_enabled: bool | None
    encryption_key: interfaces.aws_kms.IKeyRef | None
    field_index_policies: Sequence[aws_logs.FieldIndexPolicy] | None
    log_group_class: aws_logs.LogGroupClass | None
    removal_policy: aws_cdk.RemovalPolicy | None
    retention: aws_logs.RetentionDays | None


class SecretProperties(TypedDict, total=False):
    """What `aws_cdk.aws_secretsmanager.Secret` takes, except its name."""

    description: str | None
    encryption_key: aws_kms.IKey | None
    generate_secret_string: aws_secretsmanager.SecretStringGenerator | Mapping[str, Any] | None
    removal_policy: aws_cdk.RemovalPolicy | None
    replica_regions: Sequence[aws_secretsmanager.ReplicaRegion | Mapping[str, Any]] | None
    secret_object_value: Mapping[str, aws_cdk.SecretValue] | None
    secret_string_beta1: aws_secretsmanager.SecretStringValueBeta1 | None
    secret_string_value: aws_cdk.SecretValue | None


class QueueProperties(TypedDict, total=False):
    """What `aws_cdk.aws_sqs.Queue` takes, except its name."""

    content_based_deduplication: bool | None
    data_key_reuse: aws_cdk.Duration | None
    dead_letter_queue: aws_sqs.DeadLetterQueue | Mapping[str, Any] | None
    deduplication_scope: aws_sqs.DeduplicationScope | None
    delivery_delay: aws_cdk.Duration | None
    encryption: aws_sqs.QueueEncryption | None
    encryption_master_key: aws_kms.IKey | None
    enforce_ssl: bool | None
    fifo: bool | None
    fifo_throughput_limit: aws_sqs.FifoThroughputLimit | None
    max_message_size_bytes: int | float | None
    receive_message_wait_time: aws_cdk.Duration | None
    redrive_allow_policy: aws_sqs.RedriveAllowPolicy | Mapping[str, Any] | None
    removal_policy: aws_cdk.RemovalPolicy | None
    retention_period: aws_cdk.Duration | None
    visibility_timeout: aws_cdk.Duration | None


class StreamProperties(TypedDict, total=False):
    """What `aws_cdk.aws_kinesis.Stream` takes, except its name."""

    encryption: aws_kinesis.StreamEncryption | None
    encryption_key: aws_kms.IKey | None
    removal_policy: aws_cdk.RemovalPolicy | None
    retention_period: aws_cdk.Duration | None
    shard_count: int | float | None
    shard_level_metrics: Sequence[aws_kinesis.ShardLevelMetrics] | None
    stream_mode: aws_kinesis.StreamMode | None


class KeyProperties(TypedDict, total=False):
    """What `aws_cdk.aws_kms.Key` takes, except its name."""

    admins: Sequence[aws_iam.IPrincipal] | None
    alias: str | None
    description: str | None
    enable_key_rotation: bool | None
    enabled: bool | None
    key_spec: aws_kms.KeySpec | None
    key_usage: aws_kms.KeyUsage | None
    multi_region: bool | None
    pending_window: aws_cdk.Duration | None
    policy: aws_iam.PolicyDocument | None
    removal_policy: aws_cdk.RemovalPolicy | None
    rotation_period: aws_cdk.Duration | None


class DomainProperties(TypedDict, total=False):
    """What `aws_cdk.aws_opensearchservice.Domain` takes, except its name."""

    access_policies: Sequence[aws_iam.PolicyStatement] | None
    advanced_options: Mapping[str, str] | None
    automated_snapshot_start_hour: int | float | None
    capacity: aws_opensearchservice.CapacityConfig | Mapping[str, Any] | None
    cognito_dashboards_auth: aws_opensearchservice.CognitoOptions | Mapping[str, Any] | None
    cold_storage_enabled: bool | None
    custom_endpoint: aws_opensearchservice.CustomEndpointOptions | Mapping[str, Any] | None
    ebs: aws_opensearchservice.EbsOptions | Mapping[str, Any] | None
    enable_auto_software_update: bool | None
    enable_version_upgrade: bool | None
    encryption_at_rest: aws_opensearchservice.EncryptionAtRestOptions | Mapping[str, Any] | None
    enforce_https: bool | None
    fine_grained_access_control: (
        aws_opensearchservice.AdvancedSecurityOptions | Mapping[str, Any] | None
    )
    ip_address_type: aws_opensearchservice.IpAddressType | None
    logging: aws_opensearchservice.LoggingOptions | Mapping[str, Any] | None
    node_to_node_encryption: bool | None
    off_peak_window_enabled: bool | None
    off_peak_window_start: aws_opensearchservice.WindowStartTime | Mapping[str, Any] | None
    removal_policy: aws_cdk.RemovalPolicy | None
    s3_vectors_engine_enabled: bool | None
    security_groups: Sequence[aws_ec2.ISecurityGroup] | None
    suppress_logs_resource_policy: bool | None
    tls_security_policy: aws_opensearchservice.TLSSecurityPolicy | None
    use_latest_service_software_for_blue_green: bool | None
    use_unsigned_basic_auth: bool | None
    version: Required[aws_opensearchservice.EngineVersion]
    vpc: aws_ec2.IVpc | None
    vpc_subnets: Sequence[aws_ec2.SubnetSelection | Mapping[str, Any]] | None
    zone_awareness: aws_opensearchservice.ZoneAwarenessConfig | Mapping[str, Any] | None


class FileSystemProperties(TypedDict, total=False):
    """What `aws_cdk.aws_efs.FileSystem` takes, except its name."""

    allow_anonymous_access: bool | None
    enable_automatic_backups: bool | None
    encrypted: bool | None
    file_system_policy: aws_iam.PolicyDocument | None
    kms_key: interfaces.aws_kms.IKeyRef | None
    lifecycle_policy: aws_efs.LifecyclePolicy | None
    one_zone: bool | None
    out_of_infrequent_access_policy: aws_efs.OutOfInfrequentAccessPolicy | None
    performance_mode: aws_efs.PerformanceMode | None
    provisioned_throughput_per_second: aws_cdk.Size | None
    removal_policy: aws_cdk.RemovalPolicy | None
    replication_configuration: aws_efs.ReplicationConfiguration | None
    replication_overwrite_protection: aws_efs.ReplicationOverwriteProtection | None
    security_group: aws_ec2.ISecurityGroup | None
    throughput_mode: aws_efs.ThroughputMode | None
    transition_to_archive_policy: aws_efs.LifecyclePolicy | None
    vpc: Required[aws_ec2.IVpc]
    vpc_subnets: aws_ec2.SubnetSelection | Mapping[str, Any] | None
