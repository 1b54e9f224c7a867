"""Types that hold data and that no card knows, so that nobody takes them for looked into.

A deployment that would let one go, or replace it, is a stop all the same: what it holds is unknown.
Sources: the deletion policies and the update behaviours of the CloudFormation Template Reference;
the list holds what keeps data that a person or another system has put there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Facts
from dataware.core.ports import Aws

# Each with the properties whose "Update requires" is "Replacement", or that on some condition.
HOLDS_DATA: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AWS::AmazonMQ::Broker": (
            "AuthenticationStrategy",
            "BrokerName",
            "DeploymentMode",
            "EncryptionOptions",
            "EngineType",
            "PubliclyAccessible",
            "StorageType",
            "SubnetIds",
        ),
        "AWS::Backup::BackupVault": (
            "BackupVaultName",
            "EncryptionKeyArn",
        ),
        "AWS::Backup::LogicallyAirGappedBackupVault": (
            "BackupVaultName",
            "EncryptionKeyArn",
            "MaxRetentionDays",
            "MinRetentionDays",
        ),
        "AWS::Cassandra::Keyspace": (
            "KeyspaceName",
            "ReplicationSpecification",
        ),
        "AWS::Cassandra::Table": (
            "ClientSideTimestampsEnabled",
            "ClusteringKeyColumns",
            "KeyspaceName",
            "PartitionKeyColumns",
            "TableName",
        ),
        "AWS::CloudTrail::EventDataStore": (),
        "AWS::CodeArtifact::Repository": (
            "DomainName",
            "DomainOwner",
            "RepositoryName",
        ),
        "AWS::CodeCommit::Repository": ("Triggers",),
        "AWS::Cognito::IdentityPool": (),
        "AWS::CustomerProfiles::Domain": ("DomainName",),
        "AWS::DSQL::Cluster": (),
        "AWS::DocDB::DBCluster": (
            "AvailabilityZones",
            "DBClusterIdentifier",
            "DBSubnetGroupName",
            "EngineVersion",
            "KmsKeyId",
            "MasterUsername",
            "SnapshotIdentifier",
            "SourceDBClusterIdentifier",
            "StorageEncrypted",
        ),
        "AWS::DocDBElastic::Cluster": (
            "AdminUserName",
            "AuthType",
            "ClusterName",
            "KmsKeyId",
        ),
        "AWS::EC2::Volume": (),
        "AWS::ECR::PublicRepository": ("RepositoryName",),
        "AWS::ElastiCache::CacheCluster": (
            "AZMode",
            "CacheSubnetGroupName",
            "ClusterName",
            "Engine",
            "NetworkType",
            "NumCacheNodes",
            "Port",
            "PreferredAvailabilityZone",
            "PreferredAvailabilityZones",
            "SnapshotArns",
            "SnapshotName",
        ),
        "AWS::ElastiCache::ReplicationGroup": (
            "AtRestEncryptionEnabled",
            "AuthToken",
            "CacheSubnetGroupName",
            "DataTieringEnabled",
            "Engine",
            "GlobalReplicationGroupId",
            "KmsKeyId",
            "NetworkType",
            "Port",
            "PreferredCacheClusterAZs",
            "ReplicasPerNodeGroup",
            "ReplicationGroupId",
            "SnapshotArns",
            "SnapshotName",
        ),
        "AWS::ElastiCache::ServerlessCache": (
            "ConnectionType",
            "KmsKeyId",
            "NetworkType",
            "ServerlessCacheName",
            "SnapshotArnsToRestore",
            "SubnetIds",
        ),
        "AWS::Elasticsearch::Domain": (
            "AdvancedSecurityOptions",
            "DomainName",
            "EncryptionAtRestOptions",
            "NodeToNodeEncryptionOptions",
        ),
        "AWS::FSx::FileSystem": (
            "BackupId",
            "FileSystemType",
            "FileSystemTypeVersion",
            "KmsKeyId",
            "SecurityGroupIds",
            "SubnetIds",
        ),
        "AWS::FSx::Volume": (
            "BackupId",
            "VolumeType",
        ),
        "AWS::Glue::Database": (
            "CatalogId",
            "DatabaseName",
        ),
        "AWS::Glue::Table": (
            "CatalogId",
            "DatabaseName",
            "Name",
        ),
        "AWS::HealthImaging::Datastore": (
            "DatastoreName",
            "KmsKeyArn",
            "Tags",
        ),
        "AWS::HealthLake::FHIRDatastore": (
            "DatastoreName",
            "DatastoreTypeVersion",
            "IdentityProviderConfiguration",
            "PreloadDataConfig",
            "SseConfiguration",
        ),
        "AWS::IoTAnalytics::Channel": ("ChannelName",),
        "AWS::IoTAnalytics::Datastore": ("DatastoreName",),
        "AWS::Kendra::Index": (
            "Edition",
            "ServerSideEncryptionConfiguration",
        ),
        "AWS::KinesisVideo::Stream": ("Name",),
        "AWS::Lightsail::Bucket": ("BucketName",),
        "AWS::Lightsail::Database": (
            "AvailabilityZone",
            "MasterDatabaseName",
            "MasterUsername",
            "RelationalDatabaseBlueprintId",
            "RelationalDatabaseBundleId",
            "RelationalDatabaseName",
        ),
        "AWS::Lightsail::Disk": (
            "AvailabilityZone",
            "DiskName",
            "SizeInGb",
        ),
        "AWS::MSK::Cluster": ("ClusterName",),
        "AWS::MSK::ServerlessCluster": (
            "ClientAuthentication",
            "ClusterName",
            "Tags",
            "VpcConfigs",
        ),
        "AWS::MediaStore::Container": ("ContainerName",),
        "AWS::MemoryDB::Cluster": (
            "ClusterName",
            "DataTiering",
            "KmsKeyId",
            "MultiRegionClusterName",
            "NetworkType",
            "Port",
            "SnapshotArns",
            "SnapshotName",
            "SubnetGroupName",
            "TLSEnabled",
        ),
        "AWS::Neptune::DBCluster": (
            "AvailabilityZones",
            "DBClusterIdentifier",
            "DBSubnetGroupName",
            "GlobalClusterIdentifier",
            "KmsKeyId",
            "RestoreToTime",
            "RestoreType",
            "SnapshotIdentifier",
            "SourceDBClusterIdentifier",
            "StorageEncrypted",
            "UseLatestRestorableTime",
        ),
        "AWS::NeptuneGraph::Graph": (
            "GraphName",
            "ImportTask",
            "KmsKeyIdentifier",
            "ReplicaCount",
            "VectorSearchConfiguration",
        ),
        "AWS::Omics::AnnotationStore": (
            "Name",
            "Reference",
            "SseConfig",
            "StoreFormat",
            "StoreOptions",
            "Tags",
        ),
        "AWS::Omics::ReferenceStore": (
            "Description",
            "Name",
            "SseConfig",
            "Tags",
        ),
        "AWS::Omics::SequenceStore": (
            "Description",
            "ETagAlgorithmFamily",
            "FallbackLocation",
            "Name",
            "SseConfig",
            "Tags",
        ),
        "AWS::Omics::VariantStore": (
            "Name",
            "Reference",
            "SseConfig",
            "Tags",
        ),
        "AWS::OpenSearchServerless::Collection": (
            "CollectionGroupName",
            "EncryptionConfig",
            "Name",
            "StandbyReplicas",
            "Tags",
            "Type",
        ),
        "AWS::QLDB::Ledger": ("Name",),
        "AWS::RDS::GlobalCluster": (
            "Engine",
            "GlobalClusterIdentifier",
            "SourceDBClusterIdentifier",
            "StorageEncrypted",
        ),
        "AWS::Redshift::Cluster": (
            "ClusterIdentifier",
            "ClusterSubnetGroupName",
            "DBName",
            "MasterUsername",
            "OwnerAccount",
            "SnapshotClusterIdentifier",
            "SnapshotIdentifier",
        ),
        "AWS::RedshiftServerless::Namespace": (
            "NamespaceName",
            "Tags",
        ),
        "AWS::S3Express::DirectoryBucket": (
            "BucketName",
            "DataRedundancy",
            "LocationName",
        ),
        "AWS::S3Outposts::Bucket": (
            "BucketName",
            "OutpostId",
        ),
        "AWS::S3Tables::Table": (
            "IcebergMetadata",
            "OpenTableFormat",
            "StorageClassConfiguration",
            "TableBucketARN",
            "WithoutMetadata",
        ),
        "AWS::S3Tables::TableBucket": ("TableBucketName",),
        "AWS::S3Vectors::Index": (
            "DataType",
            "Dimension",
            "DistanceMetric",
            "EncryptionConfiguration",
            "IndexName",
            "MetadataConfiguration",
            "VectorBucketArn",
            "VectorBucketName",
        ),
        "AWS::S3Vectors::VectorBucket": (
            "EncryptionConfiguration",
            "VectorBucketName",
        ),
        "AWS::SDB::Domain": (),
        "AWS::SageMaker::FeatureGroup": (
            "Description",
            "EventTimeFeatureName",
            "FeatureGroupName",
            "OfflineStoreConfig",
            "OnlineStoreConfig",
            "RecordIdentifierFeatureName",
            "RoleArn",
            "Tags",
        ),
        "AWS::Timestream::Database": ("DatabaseName",),
        "AWS::Timestream::InfluxDBInstance": (
            "Bucket",
            "Name",
            "NetworkType",
            "Organization",
            "Password",
            "PubliclyAccessible",
            "Username",
            "VpcSecurityGroupIds",
            "VpcSubnetIds",
        ),
        "AWS::Timestream::Table": (
            "DatabaseName",
            "TableName",
        ),
    }
)

# CloudFormation Template Reference, "UpdatePolicy attribute": each property with the switch under
# which its change replaces nothing.
UPDATED_BY_SWITCH: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "AWS::ElastiCache::ReplicationGroup": {
            "NodeGroupConfiguration": "UseOnlineResharding",
            "NumNodeGroups": "UseOnlineResharding",
        },
        "AWS::Elasticsearch::Domain": {"ElasticsearchVersion": "EnableVersionUpgrade"},
    }
)


def _probe(_aws: Aws, name: str) -> Facts:
    """Nothing: dataware cannot look into such a resource."""
    return Facts(name)


def make_opaque_card(cfn_type: str) -> Kind:
    """What the guard knows of such a type: that it holds data, and what replaces it.

    It says nothing of its names, so that all of them count as properties that replace it.
    """
    return Kind(
        cfn_type=cfn_type,
        names=Names(cfn_type, cfn_type, "resource", "record", lambda _name: None),
        template=Template(
            identifier="",
            has_name=False,
            renamed_in_place=True,
            replaced_by=HOLDS_DATA[cfn_type],
            replaced_without=UPDATED_BY_SWITCH.get(cfn_type, {}),
            adoptable=False,
            name_of=lambda _physical_id: None,
            reference_is_id=True,
            has_arn=False,
        ),
        access=Permissions(phases={}, arns=lambda *_place: ()),
        probe=_probe,
    )
