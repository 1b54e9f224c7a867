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
_REPLACED_BY: Mapping[str, str] = MappingProxyType(
    {
        "AWS::APS::Workspace": "KmsKeyArn",
        "AWS::AmazonMQ::Broker": (
            "AuthenticationStrategy BrokerName DeploymentMode EncryptionOptions EngineType "
            "PubliclyAccessible StorageType SubnetIds"
        ),
        "AWS::Backup::BackupVault": "BackupVaultName EncryptionKeyArn",
        "AWS::Backup::LogicallyAirGappedBackupVault": (
            "BackupVaultName EncryptionKeyArn MaxRetentionDays MinRetentionDays"
        ),
        "AWS::BedrockAgentCore::Memory": "EncryptionKeyArn Name",
        "AWS::Cases::Domain": "Name",
        "AWS::Cassandra::Keyspace": "KeyspaceName ReplicationSpecification",
        "AWS::Cassandra::Table": (
            "ClientSideTimestampsEnabled ClusteringKeyColumns KeyspaceName "
            "PartitionKeyColumns TableName"
        ),
        # What stands for whole stacks and accounts, with all that these hold.
        "AWS::CloudFormation::StackSet": "PermissionModel StackSetName",
        "AWS::ServiceCatalog::CloudFormationProvisionedProduct": (
            "NotificationArns ProvisionedProductName"
        ),
        "AWS::Organizations::Account": "",
        "AWS::Cloud9::EnvironmentEC2": (
            "AutomaticStopTimeMinutes ConnectionType ImageId InstanceType OwnerArn "
            "Repositories SubnetId"
        ),
        "AWS::CloudFront::KeyValueStore": "Name",
        "AWS::CloudHSM::Cluster": "HsmType Mode NetworkType SubnetIds",
        "AWS::CloudTrail::EventDataStore": "",
        "AWS::CodeArtifact::Domain": "DomainName EncryptionKey",
        "AWS::CodeArtifact::Repository": "DomainName DomainOwner RepositoryName",
        "AWS::CodeCommit::Repository": "",
        "AWS::Cognito::IdentityPool": "",
        "AWS::Connect::Instance": "DirectoryId IdentityManagementType InstanceAlias",
        "AWS::CustomerProfiles::Domain": "DomainName",
        "AWS::DSQL::Cluster": "",
        "AWS::DataZone::Domain": "DomainVersion KmsKeyIdentifier",
        "AWS::DirectoryService::MicrosoftAD": (
            "CreateAlias Edition Name Password ShortName VpcSettings"
        ),
        "AWS::DirectoryService::SimpleAD": (
            "CreateAlias Description Name Password ShortName Size VpcSettings"
        ),
        "AWS::DocDB::DBCluster": (
            "AvailabilityZones DBClusterIdentifier DBSubnetGroupName EngineVersion KmsKeyId "
            "MasterUsername SnapshotIdentifier SourceDBClusterIdentifier StorageEncrypted"
        ),
        "AWS::DocDB::GlobalCluster": (
            "Engine EngineVersion GlobalClusterIdentifier SourceDBClusterIdentifier "
            "StorageEncrypted"
        ),
        "AWS::DocDBElastic::Cluster": "AdminUserName AuthType ClusterName KmsKeyId",
        "AWS::EC2::Volume": "",
        "AWS::ECR::PublicRepository": "RepositoryName",
        "AWS::EKS::Cluster": (
            "BootstrapSelfManagedAddons EncryptionConfig KubernetesNetworkConfig Name "
            "OutpostConfig RoleArn"
        ),
        "AWS::EMR::WALWorkspace": "WALWorkspaceName",
        "AWS::ElastiCache::CacheCluster": (
            "AZMode CacheSubnetGroupName ClusterName Engine NetworkType NumCacheNodes Port "
            "PreferredAvailabilityZone PreferredAvailabilityZones SnapshotArns SnapshotName"
        ),
        "AWS::ElastiCache::ReplicationGroup": (
            "AtRestEncryptionEnabled AuthToken CacheSubnetGroupName DataTieringEnabled Engine "
            "GlobalReplicationGroupId KmsKeyId NetworkType Port PreferredCacheClusterAZs "
            "ReplicasPerNodeGroup ReplicationGroupId SnapshotArns SnapshotName"
        ),
        "AWS::ElastiCache::ServerlessCache": (
            "ConnectionType KmsKeyId NetworkType ServerlessCacheName SnapshotArnsToRestore "
            "SubnetIds"
        ),
        "AWS::Elasticsearch::Domain": (
            "AdvancedSecurityOptions DomainName EncryptionAtRestOptions NodeToNodeEncryptionOptions"
        ),
        "AWS::Events::Archive": "ArchiveName SourceArn",
        "AWS::FSx::FileSystem": (
            "BackupId FileSystemType FileSystemTypeVersion KmsKeyId SecurityGroupIds SubnetIds"
        ),
        "AWS::FSx::Snapshot": "VolumeId",
        "AWS::FSx::StorageVirtualMachine": "FileSystemId Name RootVolumeSecurityStyle",
        "AWS::FSx::Volume": "BackupId VolumeType",
        "AWS::FinSpace::Environment": (
            "DataBundles FederationParameters KmsKeyId SuperuserParameters Tags"
        ),
        "AWS::Forecast::Dataset": "DatasetName",
        "AWS::Glue::Database": "CatalogId DatabaseName",
        "AWS::Glue::Table": "CatalogId DatabaseName Name",
        "AWS::Grafana::Workspace": "ClientToken",
        "AWS::HealthImaging::Datastore": "DatastoreName KmsKeyArn Tags",
        "AWS::HealthLake::FHIRDatastore": (
            "DatastoreName DatastoreTypeVersion IdentityProviderConfiguration "
            "PreloadDataConfig SseConfiguration"
        ),
        "AWS::IoTAnalytics::Channel": "ChannelName",
        "AWS::IoTAnalytics::Datastore": "DatastoreName",
        "AWS::IoTTwinMaker::Workspace": "WorkspaceId",
        "AWS::Kendra::Index": "Edition ServerSideEncryptionConfiguration",
        "AWS::KinesisVideo::Stream": "Name",
        "AWS::Lightsail::Bucket": "BucketName",
        "AWS::Lightsail::Database": (
            "AvailabilityZone MasterDatabaseName MasterUsername RelationalDatabaseBlueprintId "
            "RelationalDatabaseBundleId RelationalDatabaseName"
        ),
        "AWS::Lightsail::Disk": "AvailabilityZone DiskName SizeInGb",
        "AWS::Lightsail::Instance": "AvailabilityZone BlueprintId BundleId InstanceName",
        "AWS::Location::GeofenceCollection": "CollectionName Description KmsKeyId",
        "AWS::Location::Tracker": "Description KmsKeyId PositionFiltering TrackerName",
        "AWS::MSK::Cluster": "ClusterName",
        "AWS::MSK::ServerlessCluster": "ClientAuthentication ClusterName Tags VpcConfigs",
        "AWS::MWAA::Environment": "EndpointManagement KmsKey Name",
        "AWS::MediaStore::Container": "ContainerName",
        "AWS::MemoryDB::Cluster": (
            "ClusterName DataTiering KmsKeyId MultiRegionClusterName NetworkType Port "
            "SnapshotArns SnapshotName SubnetGroupName TLSEnabled"
        ),
        "AWS::MemoryDB::MultiRegionCluster": (
            "EngineVersion MultiRegionClusterNameSuffix MultiRegionParameterGroupName TLSEnabled"
        ),
        "AWS::Neptune::DBCluster": (
            "AvailabilityZones DBClusterIdentifier DBSubnetGroupName GlobalClusterIdentifier "
            "KmsKeyId RestoreToTime RestoreType SnapshotIdentifier SourceDBClusterIdentifier "
            "StorageEncrypted UseLatestRestorableTime"
        ),
        "AWS::Neptune::GlobalCluster": (
            "Engine GlobalClusterIdentifier SourceDBClusterIdentifier StorageEncrypted"
        ),
        "AWS::NeptuneGraph::Graph": (
            "GraphName ImportTask KmsKeyIdentifier ReplicaCount VectorSearchConfiguration"
        ),
        "AWS::ODB::CloudAutonomousVmCluster": (
            "AutonomousDataStorageSizeInTBs CloudExadataInfrastructureId CpuCoreCountPerNode "
            "DbServers Description DisplayName IsMtlsEnabledVmCluster LicenseModel "
            "MaintenanceWindow MemoryPerOracleComputeUnitInGBs OdbNetworkId "
            "ScanListenerPortNonTls ScanListenerPortTls TimeZone TotalContainerDatabases"
        ),
        "AWS::ODB::CloudExadataInfrastructure": (
            "AvailabilityZone AvailabilityZoneId ComputeCount CustomerContactsToSendToOCI "
            "DatabaseServerType DisplayName Shape StorageCount StorageServerType"
        ),
        "AWS::ODB::CloudVmCluster": (
            "CloudExadataInfrastructureId ClusterName CpuCoreCount DataCollectionOptions "
            "DataStorageSizeInTBs DbNodeStorageSizeInGBs DbServers DisplayName GiVersion "
            "Hostname IsLocalBackupEnabled IsSparseDiskgroupEnabled LicenseModel "
            "MemorySizeInGBs OdbNetworkId ScanListenerPortTcp SshPublicKeys SystemVersion "
            "TimeZone"
        ),
        "AWS::Omics::AnnotationStore": "Name Reference SseConfig StoreFormat StoreOptions Tags",
        "AWS::Omics::ReferenceStore": "Description Name SseConfig Tags",
        "AWS::Omics::SequenceStore": (
            "Description ETagAlgorithmFamily FallbackLocation Name SseConfig Tags"
        ),
        "AWS::Omics::VariantStore": "Name Reference SseConfig Tags",
        "AWS::OpenSearchServerless::Collection": (
            "CollectionGroupName EncryptionConfig Name StandbyReplicas Tags Type"
        ),
        "AWS::OpenSearchServerless::Index": "CollectionEndpoint IndexName",
        "AWS::Personalize::Dataset": "DatasetGroupArn DatasetType Name SchemaArn Tags",
        "AWS::Pinpoint::App": "Name",
        "AWS::QBusiness::Application": (
            "ClientIdsForOIDC EncryptionConfiguration IamIdentityProviderArn IdentityType "
            "QuickSightConfiguration"
        ),
        "AWS::QBusiness::Index": "ApplicationId Type",
        "AWS::QLDB::Ledger": "Name",
        "AWS::RDS::GlobalCluster": (
            "Engine GlobalClusterIdentifier SourceDBClusterIdentifier StorageEncrypted"
        ),
        "AWS::Redshift::Cluster": (
            "ClusterIdentifier ClusterSubnetGroupName DBName MasterUsername OwnerAccount "
            "SnapshotClusterIdentifier SnapshotIdentifier"
        ),
        "AWS::RedshiftServerless::Namespace": "NamespaceName Tags",
        "AWS::Rekognition::Collection": "CollectionId",
        "AWS::S3Express::DirectoryBucket": "BucketName DataRedundancy LocationName",
        "AWS::S3Outposts::Bucket": "BucketName OutpostId",
        "AWS::S3Tables::Table": (
            "IcebergMetadata OpenTableFormat StorageClassConfiguration TableBucketARN "
            "WithoutMetadata"
        ),
        "AWS::S3Tables::TableBucket": "TableBucketName",
        "AWS::S3Vectors::Index": (
            "DataType Dimension DistanceMetric EncryptionConfiguration IndexName "
            "MetadataConfiguration VectorBucketArn VectorBucketName"
        ),
        "AWS::S3Vectors::VectorBucket": "EncryptionConfiguration VectorBucketName",
        "AWS::SDB::Domain": "",
        "AWS::SES::MailManagerArchive": "KmsKeyArn",
        "AWS::SageMaker::NotebookInstance": (
            "DirectInternetAccess KmsKeyId NotebookInstanceName PlatformIdentifier "
            "SecurityGroupIds SubnetId"
        ),
        "AWS::SageMaker::Space": "DomainId OwnershipSettings SpaceName SpaceSharingSettings",
        "AWS::SageMaker::FeatureGroup": (
            "Description EventTimeFeatureName FeatureGroupName OfflineStoreConfig "
            "OnlineStoreConfig RecordIdentifierFeatureName RoleArn Tags"
        ),
        "AWS::Timestream::Database": "DatabaseName",
        "AWS::Timestream::InfluxDBCluster": (
            "AllocatedStorage Bucket DbStorageType DeploymentType Name NetworkType "
            "Organization Password PubliclyAccessible Username VpcSecurityGroupIds "
            "VpcSubnetIds"
        ),
        "AWS::Timestream::InfluxDBInstance": (
            "Bucket Name NetworkType Organization Password PubliclyAccessible Username "
            "VpcSecurityGroupIds VpcSubnetIds"
        ),
        "AWS::Timestream::Table": "DatabaseName TableName",
        "AWS::VerifiedPermissions::PolicyStore": "",
        "AWS::Wisdom::KnowledgeBase": (
            "Description KnowledgeBaseType Name ServerSideEncryptionConfiguration "
            "SourceConfiguration Tags"
        ),
        "AWS::WorkSpaces::Workspace": (
            "BundleId DirectoryId RootVolumeEncryptionEnabled UserName "
            "UserVolumeEncryptionEnabled VolumeEncryptionKey"
        ),
        "AWS::WorkspacesInstances::Volume": (
            "AvailabilityZone Encrypted Iops KmsKeyId SizeInGB SnapshotId TagSpecifications "
            "Throughput VolumeType"
        ),
    }
)
HOLDS_DATA: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {cfn_type: tuple(names.split()) for cfn_type, names in _REPLACED_BY.items()}
)

# CloudFormation Template Reference, "UpdatePolicy attribute": each property with the switch under
# which its change replaces nothing.
_BY_SWITCH: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "AWS::ElastiCache::ReplicationGroup": {
            "NodeGroupConfiguration": "UseOnlineResharding",
            "NumNodeGroups": "UseOnlineResharding",
        },
        "AWS::Elasticsearch::Domain": {"ElasticsearchVersion": "EnableVersionUpgrade"},
    }
)

# CloudFormation Template Reference, AWS::CodeCommit::Repository RepositoryTrigger: "No
# interruption", of all that is in it.
_IN_PLACE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"AWS::CodeCommit::Repository": ("Triggers",)}
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
            replaced_without=_BY_SWITCH.get(cfn_type, {}),
            updated_in_place=_IN_PLACE.get(cfn_type, ()),
            adoptable=False,
            name_of=lambda _physical_id: None,
            reference_is_id=True,
            has_arn=False,
        ),
        access=Permissions(phases={}, arns=lambda *_place: ()),
        probe=_probe,
    )
