"""What would be lost by adopting each type: every stop, and no probe that says "nothing" wrongly.

Answers come from stubs that are checked against the services' own models.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from dataware.core.comparison import ConfigurationComparison, PropertyVerdict, compare_configuration
from dataware.core.comparison import LiveConfiguration as Live
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import Content, Existence, Facts
from dataware.core.ports import Aws
from dataware.kinds import load, sqs_queue
from support.stubbed import StubbedAws

NOW = datetime(2026, 11, 29, tzinfo=UTC)
GROUP, SECRET, QUEUE = "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret", "AWS::SQS::Queue"
STREAM, FILES, KEY = "AWS::Kinesis::Stream", "AWS::EFS::FileSystem", "AWS::KMS::Key"
INSTANCE, CLUSTER = "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"
DOMAIN = "AWS::OpenSearchService::Domain"
ARN = "arn:aws:a-service:eu-central-1:111122223333:app"
URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/orders"

Answers = list[tuple[str, Mapping[str, Any]]]


def file_system(**more: Any) -> Mapping[str, Any]:
    """A file system as DescribeFileSystems gives it."""
    return {
        "OwnerId": "111122223333",
        "CreationToken": "a",
        "FileSystemId": "fs-00000001",
        "CreationTime": NOW,
        "LifeCycleState": "available",
        "Name": "shared",
        "NumberOfMountTargets": 0,
        "SizeInBytes": {"Value": 6144},
        "PerformanceMode": "generalPurpose",
        "Tags": [],
        **more,
    }


def stream(**more: Any) -> Answers:
    """A stream without shards."""
    summary = {
        "StreamName": "clicks",
        "StreamARN": "arn",
        "StreamStatus": "ACTIVE",
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": NOW,
        "EnhancedMonitoring": [],
        "OpenShardCount": 0,
        **more,
    }
    return [
        ("describe_stream_summary", {"StreamDescriptionSummary": summary}),
        ("list_shards", {"Shards": []}),
    ]


def secret(*versions: str, **more: Any) -> Answers:
    """A secret with some versions."""
    return [
        ("describe_secret", {"ARN": ARN, "Name": "app/database", **more}),
        ("list_secret_version_ids", {"Versions": [{"VersionId": one * 32} for one in versions]}),
    ]


def queue(**attributes: str) -> Answers:
    """A queue with some attributes."""
    return [
        ("get_queue_url", {"QueueUrl": URL}),
        ("get_queue_attributes", {"Attributes": attributes}),
    ]


def domain(**more: Any) -> Answers:
    """A domain as DescribeDomain gives it."""
    status = {"DomainId": "1/logs", "DomainName": "logs", "ARN": ARN, "ClusterConfig": {}}
    return [("describe_domain", {"DomainStatus": {**status, **more}})]


SERVICE = {
    GROUP: "logs",
    SECRET: "secretsmanager",
    QUEUE: "sqs",
    STREAM: "kinesis",
    FILES: "efs",
    KEY: "kms",
    INSTANCE: "rds",
    CLUSTER: "rds",
    DOMAIN: "opensearch",
}
NAMES = {
    GROUP: "/app/web",
    SECRET: "app/database",
    QUEUE: "orders",
    STREAM: "clicks",
    FILES: "fs-00000001",
    KEY: "alias/app",
    INSTANCE: "orders",
    CLUSTER: "orders",
    DOMAIN: "logs",
}
CALLS = {
    GROUP: ("describe_log_groups", "logs:DescribeLogGroups"),
    SECRET: ("describe_secret", "secretsmanager:DescribeSecret"),
    QUEUE: ("get_queue_url", "sqs:GetQueueUrl"),
    STREAM: ("describe_stream_summary", "kinesis:DescribeStreamSummary"),
    FILES: ("describe_file_systems", "elasticfilesystem:DescribeFileSystems"),
    KEY: ("describe_key", "kms:DescribeKey"),
    INSTANCE: ("describe_db_instances", "rds:DescribeDBInstances"),
    CLUSTER: ("describe_db_clusters", "rds:DescribeDBClusters"),
    DOMAIN: ("describe_domain", "es:DescribeDomain"),
}
"""The first call of each probe, with what it takes."""

GONE = {
    SECRET: "ResourceNotFoundException",
    STREAM: "ResourceNotFoundException",
    FILES: "FileSystemNotFound",
    KEY: "NotFoundException",
    INSTANCE: "DBInstanceNotFound",
    CLUSTER: "DBClusterNotFoundFault",
    DOMAIN: "ResourceNotFoundException",
}
"""By which code a service says that there is none; the others are looked for in lists."""

THERE: Mapping[str, Answers] = {
    GROUP: [
        ("describe_log_groups", {"logGroups": [{"logGroupName": "/app/web", "creationTime": 5}]}),
        ("describe_log_streams", {"logStreams": []}),
        ("filter_log_events", {"events": []}),
    ],
    SECRET: secret("a"),
    QUEUE: queue(CreatedTimestamp="1764450000"),
    STREAM: stream(),
    FILES: [("describe_file_systems", {"FileSystems": [file_system()]})],
    KEY: [("describe_key", {"KeyMetadata": {"KeyId": "id-1"}})],
    INSTANCE: [("describe_db_instances", {"DBInstances": [{"DBInstanceIdentifier": "orders"}]})],
    CLUSTER: [("describe_db_clusters", {"DBClusters": [{"DBClusterIdentifier": "orders"}]})],
    DOMAIN: domain(),
}
FULL = {SECRET, KEY, INSTANCE, CLUSTER, DOMAIN}
"""What holds data because it is there, or by what THERE says."""


def account(cfn_type: str, answers: Answers = []) -> StubbedAws:  # noqa: B006 - is never changed
    """An account whose service answers so, one call after the other."""
    aws = StubbedAws(SERVICE[cfn_type])
    for operation, answer in answers:
        aws.stubber.add_response(operation, dict(answer))
    return aws


def look(cfn_type: str, aws: StubbedAws) -> Facts:
    """What a probe makes of an account, once all was asked."""
    facts = load(cfn_type).probe(cast("Aws", aws), NAMES[cfn_type])
    aws.stubber.assert_no_pending_responses()
    return facts


@pytest.mark.parametrize("cfn_type", SERVICE)
def test_what_is_there_is_seen(cfn_type: str) -> None:
    """With nothing in its way; what nobody can look into holds data."""
    facts = look(cfn_type, account(cfn_type, THERE[cfn_type]))
    assert facts.existence is Existence.EXISTS
    assert facts.content is (Content.DATA if cfn_type in FULL else Content.EMPTY)
    assert (facts.obstacle, facts.problems) == ("", ())
    assert facts.identity


@pytest.mark.parametrize("cfn_type", SERVICE)
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InternalFailure", "ThrottlingException", "Unheard"]
)
def test_what_a_service_does_not_answer_is_not_absent(cfn_type: str, code: str) -> None:
    """Nothing is known then, and the permission is named."""
    call, permission = CALLS[cfn_type]
    aws = account(cfn_type)
    aws.stubber.add_client_error(call, code, http_status_code=400)
    facts = look(cfn_type, aws)
    assert (facts.existence, facts.content) == (Existence.UNKNOWN, Content.UNKNOWN)
    (problem,) = facts.problems
    assert problem.permission == (permission if code == "AccessDeniedException" else None)
    assert (problem.code, problem.call) == (code, permission.partition(":")[2])


@pytest.mark.parametrize("cfn_type", GONE)
def test_absence_is_what_the_service_calls_so_for_that_call(cfn_type: str) -> None:
    """And no error of another service, whatever its name."""
    call, _ = CALLS[cfn_type]
    aws = account(cfn_type)
    aws.stubber.add_client_error(call, GONE[cfn_type], http_status_code=404)
    assert look(cfn_type, aws).existence is Existence.ABSENT
    aws.stubber.add_client_error(call, "NoSuchThing", http_status_code=404)
    assert look(cfn_type, aws).existence is Existence.UNKNOWN


def test_a_log_group_that_no_page_lists_is_absent() -> None:
    """Longer names that begin so are others."""
    longer = {"logGroupName": "/app/web-2"}
    aws = account(GROUP, [("describe_log_groups", {"logGroups": [longer]})])
    assert look(GROUP, aws).existence is Existence.ABSENT


@pytest.mark.parametrize(
    ("cfn_type", "made", "call", "permission"),
    [
        (SECRET, 1, "list_secret_version_ids", "secretsmanager:ListSecretVersionIds"),
        (QUEUE, 1, "get_queue_attributes", "sqs:GetQueueAttributes"),
        (STREAM, 1, "list_shards", "kinesis:ListShards"),
    ],
)
@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_content_that_is_not_shown_is_unknown_and_not_empty(
    cfn_type: str, made: int, call: str, permission: str, code: str
) -> None:
    """Also where it vanishes between two calls."""
    aws = account(cfn_type, THERE[cfn_type][:made])
    aws.stubber.add_client_error(call, code, http_status_code=400)
    facts = look(cfn_type, aws)
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    (problem,) = facts.problems
    if code == "AccessDeniedException":
        assert problem.permission == permission


def test_events_that_are_not_shown_are_not_none() -> None:
    """Where either question is not answered, and the other tells of no event."""
    for denied in ("describe_log_streams", "filter_log_events"):
        aws = account(GROUP, THERE[GROUP][:1])
        for call, answer in THERE[GROUP][1:]:
            if call == denied:
                aws.stubber.add_client_error(call, "AccessDeniedException", http_status_code=400)
            else:
                aws.stubber.add_response(call, dict(answer))
        facts = look(GROUP, aws)
        assert facts.existence is Existence.EXISTS
        assert facts.content is (
            Content.UNKNOWN if denied == "filter_log_events" else Content.EMPTY
        )
        assert bool(facts.problems) is (facts.content is Content.UNKNOWN)


def test_versions_of_a_secret_are_looked_for_on_every_page() -> None:
    """Also those without a label; a secret without any is empty."""
    aws = account(SECRET, secret()[:1])
    asked = {"SecretId": ARN, "IncludeDeprecated": True}
    first = {"Versions": [], "NextToken": "more"}
    aws.stubber.add_response("list_secret_version_ids", first, asked)
    last = {"Versions": [{"VersionId": "a" * 32}]}
    aws.stubber.add_response("list_secret_version_ids", last, {**asked, "NextToken": "more"})
    assert look(SECRET, aws).content is Content.DATA
    assert look(SECRET, account(SECRET, secret())).content is Content.EMPTY


NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


@pytest.mark.parametrize(
    ("listed", "existence"),
    [
        ([URL], Existence.EXISTS),
        ([f"{URL}-old"], Existence.ABSENT),
        ([URL.replace("1111", "4444")], Existence.ABSENT),
        ([], Existence.ABSENT),
    ],
)
@pytest.mark.parametrize("name", ["orders", URL])
def test_a_queue_that_is_listed_is_there_though_its_attributes_are_said_to_be_of_none(
    name: str, listed: list[str], existence: Existence
) -> None:
    """The same sentence means that nobody may see it, by its name and by its URL."""
    aws = account(QUEUE, queue()[:1] if name == "orders" else [])
    aws.stubber.add_client_error("get_queue_attributes", NO_QUEUE)
    aws.stubber.add_response(
        "list_queues", {"QueueUrls": listed}, {"QueueNamePrefix": "orders", "MaxResults": 1000}
    )
    facts = sqs_queue.probe(cast("Aws", aws), name)
    assert facts.existence is existence
    if existence is Existence.EXISTS:
        assert (facts.content, facts.physical_id) == (Content.UNKNOWN, URL)
        assert facts.problems[0].permission == "sqs:GetQueueAttributes"
        assert str(facts.problems[0]).startswith(f"queue {name} is listed and does not show")


def test_a_queue_that_neither_question_tells_of_is_unknown() -> None:
    """Where the list is denied as well."""
    aws = account(QUEUE)
    aws.stubber.add_client_error("get_queue_attributes", NO_QUEUE)
    aws.stubber.add_client_error("list_queues", "AccessDeniedException", http_status_code=403)
    facts = sqs_queue.probe(cast("Aws", aws), URL)
    assert facts.existence is Existence.UNKNOWN
    assert facts.problems[0].permission == "sqs:ListQueues"


@pytest.mark.parametrize(
    ("cfn_type", "answers", "words"),
    [
        (SECRET, secret("a", DeletedDate=NOW), "is marked for deletion since 2026-11-29"),
        (SECRET, secret("a", PrimaryRegion="us-east-1"), "is a replica of the secret in us-east-1"),
        (STREAM, stream(StreamStatus="DELETING"), "is being deleted: wait until it is gone"),
        (
            FILES,
            [("describe_file_systems", {"FileSystems": [file_system(LifeCycleState="deleting")]})],
            "is being deleted: choose another name",
        ),
        (
            INSTANCE,
            [
                (
                    "describe_db_instances",
                    {"DBInstances": [{"DBInstanceStatus": "deleting"}]},
                )
            ],
            "is being deleted: choose another name",
        ),
        (
            CLUSTER,
            [("describe_db_clusters", {"DBClusters": [{"Status": "deleting"}]})],
            "is being deleted: choose another name",
        ),
        (DOMAIN, domain(Deleted=True), "is being deleted: wait until it is gone"),
        *(
            (KEY, [("describe_key", {"KeyMetadata": {"KeyId": "id-1", "KeyState": state}})], words)
            for state, words in (
                ("PendingDeletion", "cancel-key-deletion --key-id id-1"),
                ("PendingReplicaDeletion", "cancel-key-deletion --key-id id-1"),
            )
        ),
    ],
)
def test_what_goes_away_or_cannot_be_changed_is_in_the_way(
    cfn_type: str, answers: Answers, words: str
) -> None:
    """A stack that took it in would hold nothing a while later."""
    facts = look(cfn_type, account(cfn_type, answers))
    assert facts.existence is Existence.EXISTS
    assert words in facts.obstacle


@pytest.mark.parametrize(
    ("cfn_type", "answers"),
    [
        (SECRET, secret("a", PrimaryRegion="eu-central-1")),
        (STREAM, stream(StreamStatus="UPDATING")),
        (DOMAIN, domain(Deleted=False)),
        (KEY, [("describe_key", {"KeyMetadata": {"KeyId": "id", "KeyState": "Disabled"}})]),
        (
            KEY,
            [
                (
                    "describe_key",
                    {
                        "KeyMetadata": {
                            "KeyId": "id",
                            "KeyManager": "CUSTOMER",
                            "MultiRegionConfiguration": {"MultiRegionKeyType": "PRIMARY"},
                        }
                    },
                )
            ],
        ),
    ],
)
def test_what_only_looks_like_that_is_in_nobodys_way(cfn_type: str, answers: Answers) -> None:
    """The first of several regions, and what changes or rests."""
    assert look(cfn_type, account(cfn_type, answers)).obstacle == ""


def card_of(cfn_type: str) -> ConfigurationComparison:
    """How a type is compared."""
    card = load(cfn_type).comparison
    assert card is not None
    return card


@pytest.mark.parametrize(
    ("cfn_type", "name", "live", "declared"),
    [
        (GROUP, "LogGroupClass", None, "INFREQUENT_ACCESS"),
        (QUEUE, "FifoQueue", None, True),
        (FILES, "Encrypted", False, True),
        (FILES, "KmsKeyId", "arn:aws:kms:eu-central-1:111122223333:key/a", "b"),
        (FILES, "PerformanceMode", None, "maxIO"),
        (FILES, "AvailabilityZoneName", None, "eu-central-1a"),
        (KEY, "KeySpec", "RSA_2048", "SYMMETRIC_DEFAULT"),
        (KEY, "KeyUsage", None, "SIGN_VERIFY"),
        (KEY, "MultiRegion", False, True),
        (KEY, "Origin", "EXTERNAL", "AWS_KMS"),
        (INSTANCE, "Engine", "postgres", "mysql"),
        (INSTANCE, "StorageEncrypted", False, True),
        (INSTANCE, "DBName", "a", "b"),
        (INSTANCE, "KmsKeyId", "a", "b"),
        (INSTANCE, "MasterUsername", "ada", "eve"),
        (INSTANCE, "DBSubnetGroupName", "a", "b"),
        (INSTANCE, "DBClusterIdentifier", None, "a"),
        (CLUSTER, "Engine", "aurora-postgresql", "aurora-mysql"),
        (CLUSTER, "EngineMode", "provisioned", "serverless"),
        (CLUSTER, "StorageEncrypted", False, True),
        (CLUSTER, "DatabaseName", "a", "b"),
        (CLUSTER, "KmsKeyId", "a", "b"),
        (CLUSTER, "MasterUsername", "ada", "eve"),
        (CLUSTER, "DBSubnetGroupName", "a", "b"),
        (DOMAIN, "EncryptionAtRestOptions", None, {"Enabled": True}),
        (DOMAIN, "EncryptionAtRestOptions", {"Enabled": True}, {"Enabled": "false"}),
    ],
)
def test_what_no_update_brings_about_cannot_change(
    cfn_type: str, name: str, live: Any, declared: Any
) -> None:
    """An empty one would take its place; the same value is fine."""
    (found,) = compare_configuration(card_of(cfn_type), Live({name: live}), {name: declared})
    assert found.verdict is PropertyVerdict.FIXED
    (same,) = compare_configuration(card_of(cfn_type), Live({name: declared}), {name: declared})
    assert same.verdict is PropertyVerdict.SAME


@pytest.mark.parametrize(
    ("cfn_type", "name", "live", "declared"),
    [
        (QUEUE, "VisibilityTimeout", "30", 60),
        (QUEUE, "KmsMasterKeyId", None, "alias/app"),
        (STREAM, "ShardCount", 1, "2"),
        (STREAM, "StreamEncryption", None, {"EncryptionType": "KMS", "KeyId": "alias/app"}),
        (FILES, "ThroughputMode", None, "elastic"),
        (FILES, "BackupPolicy", None, {"Status": "ENABLED"}),
        (FILES, "LifecyclePolicies", [], [{"TransitionToIA": "AFTER_7_DAYS"}]),
        (KEY, "EnableKeyRotation", False, True),
        (KEY, "Enabled", False, True),
        (INSTANCE, "DBInstanceClass", "db.t3.micro", "db.t3.small"),
        (INSTANCE, "BackupRetentionPeriod", 1, 7),
        (CLUSTER, "Port", 5432, "5433"),
        (CLUSTER, "DeletionProtection", True, False),
        (DOMAIN, "EngineVersion", "OpenSearch_2.5", "OpenSearch_2.7"),
        (
            DOMAIN,
            "EncryptionAtRestOptions",
            {"Enabled": True, "KmsKeyId": "arn:key/a"},
            {"Enabled": True, "KmsKeyId": "b"},
        ),
        (SECRET, "Description", "a", "b"),
        (SECRET, "KmsKeyId", None, "alias/app"),
    ],
)
def test_what_an_update_changes_in_place_only_changes(
    cfn_type: str, name: str, live: Any, declared: Any
) -> None:
    """And is no stop."""
    (found,) = compare_configuration(card_of(cfn_type), Live({name: live}), {name: declared})
    assert found.verdict is PropertyVerdict.CHANGES


@pytest.mark.parametrize(
    ("cfn_type", "name", "least"),
    [
        (GROUP, "RetentionInDays", 1),
        (QUEUE, "MessageRetentionPeriod", 60),
        (STREAM, "RetentionPeriodHours", 24),
        (INSTANCE, "BackupRetentionPeriod", 0),
        (CLUSTER, "BackupRetentionPeriod", 1),
    ],
)
def test_a_retention_that_is_not_seen_may_be_longer(cfn_type: str, name: str, least: int) -> None:
    """What is kept for ever, or for nobody knows how long, is deleted by any that is declared."""
    (found,) = compare_configuration(card_of(cfn_type), Live({name: None}), {name: least})
    assert found.verdict is PropertyVerdict.DELETES
    assert compare_configuration(card_of(cfn_type), Live({name: least}), {}) == ()
    for value in ({"Ref": "Days"}, "soon", [1]):
        (unclear,) = compare_configuration(card_of(cfn_type), Live({name: 9}), {name: value})
        assert unclear.verdict is PropertyVerdict.DELETES


@pytest.mark.parametrize(
    ("cfn_type", "name", "live", "declared", "words"),
    [
        (SECRET, "SecretString", None, "a value", "replaced by the declared one"),
        (SECRET, "GenerateSecretString", None, {}, "replaced by a newly generated one"),
        (INSTANCE, "ManageMasterUserPassword", False, True, "replaced by one that RDS makes"),
        (CLUSTER, "ManageMasterUserPassword", None, "true", "replaced by one that RDS makes"),
    ],
)
def test_a_value_that_everybody_uses_is_not_replaced_unsaid(
    cfn_type: str, name: str, live: Any, declared: Any, words: str
) -> None:
    """It cannot be had back."""
    (found,) = compare_configuration(card_of(cfn_type), Live({name: live}), {name: declared})
    assert found.verdict is PropertyVerdict.DELETES
    assert words in found.effect


@pytest.mark.parametrize("declared", [False, "false", {"Ref": "Managed"}, None])
def test_a_password_that_nobody_replaces_is_no_loss(declared: Any) -> None:
    """Nor is one of which only the deployment knows."""
    for cfn_type in (INSTANCE, CLUSTER):
        card = card_of(cfn_type)
        assert card.find_deletion("ManageMasterUserPassword", False, declared) is None


EFFECTS = load(SECRET).template.effects


@pytest.mark.parametrize("at_once", [{}, {"RotateImmediatelyOnUpdate": True}])
def test_a_rotation_that_begins_at_once_is_an_effect_on_its_secret(at_once: Any) -> None:
    """One that waits is none; an attachment always writes."""
    rotation = EFFECTS["AWS::SecretsManager::RotationSchedule"]
    found = rotation({"SecretId": "app", **at_once})
    assert found is not None
    assert found[0] == "app"
    assert "rotates its value at once" in found[1]
    for later in (False, "false", "False"):
        assert rotation({"SecretId": "app", "RotateImmediatelyOnUpdate": later}) is None
    attachment = EFFECTS["AWS::SecretsManager::SecretTargetAttachment"]({"SecretId": "app"})
    assert attachment == ("app", "writes the address of its target into its value")


CONFIGURED: Mapping[str, tuple[Answers, Mapping[str, Any]]] = {
    QUEUE: (
        [
            *queue(MessageRetentionPeriod="60", FifoQueue="true", QueueArn="arn"),
            ("list_queue_tags", {"Tags": {"team": "a", "aws:made": "x"}}),
        ],
        {
            "MessageRetentionPeriod": "60",
            "FifoQueue": "true",
            "Tags": [{"Key": "team", "Value": "a"}],
        },
    ),
    STREAM: (
        [
            stream(
                RetentionPeriodHours=168,
                EncryptionType="KMS",
                KeyId="alias/app",
                EnhancedMonitoring=[{"ShardLevelMetrics": ["IncomingBytes"]}],
            )[0],
            (
                "list_tags_for_stream",
                {"Tags": [{"Key": "a", "Value": "1"}], "HasMoreTags": True},
            ),
            ("list_tags_for_stream", {"Tags": [{"Key": "b", "Value": "2"}], "HasMoreTags": False}),
        ],
        {
            "RetentionPeriodHours": 168,
            "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/app"},
            "DesiredShardLevelMetrics": ["IncomingBytes"],
            "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
        },
    ),
    FILES: (
        [
            ("describe_file_systems", {"FileSystems": [file_system(Encrypted=True)]}),
            ("describe_backup_policy", {"BackupPolicy": {"Status": "ENABLED"}}),
            (
                "describe_lifecycle_configuration",
                {"LifecyclePolicies": [{"TransitionToIA": "AFTER_7_DAYS"}]},
            ),
        ],
        {
            "Encrypted": True,
            "PerformanceMode": "generalPurpose",
            "BackupPolicy": {"Status": "ENABLED"},
            "LifecyclePolicies": [{"TransitionToIA": "AFTER_7_DAYS"}],
        },
    ),
    KEY: (
        [
            (
                "describe_key",
                {"KeyMetadata": {"KeyId": "id-1", "KeySpec": "RSA_2048", "MultiRegion": True}},
            ),
            (
                "get_key_rotation_status",
                {"KeyRotationEnabled": True, "RotationPeriodInDays": 365},
            ),
            ("get_key_policy", {"Policy": '{"Statement": []}'}),
            (
                "list_resource_tags",
                {"Tags": [{"TagKey": "team", "TagValue": "a"}], "Truncated": False},
            ),
        ],
        {
            "KeySpec": "RSA_2048",
            "MultiRegion": True,
            "EnableKeyRotation": True,
            "RotationPeriodInDays": 365,
            "KeyPolicy": '{"Statement": []}',
            "Tags": [{"Key": "team", "Value": "a"}],
        },
    ),
    INSTANCE: (
        [
            (
                "describe_db_instances",
                {
                    "DBInstances": [
                        {
                            "Engine": "postgres",
                            "BackupRetentionPeriod": 0,
                            "DBSubnetGroup": {"DBSubnetGroupName": "inside"},
                            "MasterUserSecret": {"SecretArn": "arn"},
                            "TagList": [{"Key": "team", "Value": "a"}],
                        }
                    ]
                },
            )
        ],
        {
            "Engine": "postgres",
            "BackupRetentionPeriod": 0,
            "DBSubnetGroupName": "inside",
            "ManageMasterUserPassword": True,
            "Tags": [{"Key": "team", "Value": "a"}],
        },
    ),
    CLUSTER: (
        [
            (
                "describe_db_clusters",
                {
                    "DBClusters": [
                        {"Engine": "aurora", "BackupRetentionPeriod": 7, "DBSubnetGroup": "inside"}
                    ]
                },
            )
        ],
        {
            "Engine": "aurora",
            "BackupRetentionPeriod": 7,
            "DBSubnetGroupName": "inside",
            "ManageMasterUserPassword": False,
        },
    ),
    DOMAIN: (
        [
            *domain(EngineVersion="OpenSearch_2.7", EncryptionAtRestOptions={"Enabled": True}),
            ("list_tags", {"TagList": [{"Key": "team", "Value": "a"}]}),
        ],
        {
            "EngineVersion": "OpenSearch_2.7",
            "EncryptionAtRestOptions": {"Enabled": True},
            "Tags": [{"Key": "team", "Value": "a"}],
        },
    ),
    SECRET: (
        [
            (
                "describe_secret",
                {
                    "ARN": ARN,
                    "KmsKeyId": "alias/app",
                    "ReplicationStatus": [{"Region": "us-east-1", "KmsKeyId": "alias/b"}],
                    "Tags": [{"Key": "team", "Value": "a"}],
                },
            )
        ],
        {
            "Description": "",
            "KmsKeyId": "alias/app",
            "ReplicaRegions": [{"Region": "us-east-1", "KmsKeyId": "alias/b"}],
            "Tags": [{"Key": "team", "Value": "a"}],
        },
    ),
}


@pytest.mark.parametrize("cfn_type", CONFIGURED)
def test_the_configuration_is_read_in_the_words_of_templates(cfn_type: str) -> None:
    """All that a stop rests on, and tags of people alone."""
    answers, expected = CONFIGURED[cfn_type]
    aws = account(cfn_type, answers)
    found = card_of(cfn_type).read(cast("Aws", aws), NAMES[cfn_type])
    assert found.properties.items() >= expected.items()
    assert found.unread == {}
    aws.stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("cfn_type", "part"),
    [
        (QUEUE, "Tags"),
        (STREAM, "Tags"),
        (FILES, "BackupPolicy"),
        (FILES, "LifecyclePolicies"),
        (KEY, "EnableKeyRotation"),
        (KEY, "KeyPolicy"),
        (KEY, "Tags"),
        (DOMAIN, "Tags"),
    ],
)
def test_a_part_that_is_not_shown_is_named_and_not_taken_for_none(cfn_type: str, part: str) -> None:
    """What is declared of it is unread, and a strict run stops."""
    calls = {
        "BackupPolicy": "describe_backup_policy",
        "LifecyclePolicies": "describe_lifecycle_configuration",
        "EnableKeyRotation": "get_key_rotation_status",
        "KeyPolicy": "get_key_policy",
    }
    aws = account(cfn_type)
    for call, answer in CONFIGURED[cfn_type][0]:
        if call == calls.get(part) or (part == "Tags" and "tags" in call):
            aws.stubber.add_client_error(call, "AccessDeniedException", http_status_code=400)
            if part == "Tags":
                break
        else:
            aws.stubber.add_response(call, dict(answer))
    found = card_of(cfn_type).read(cast("Aws", aws), NAMES[cfn_type])
    assert list(found.unread) == [part]
    assert part not in found.properties


def test_a_file_system_without_a_policy_for_backups_has_none() -> None:
    """That is no error, and no part that nobody saw."""
    aws = account(FILES, CONFIGURED[FILES][0][:1])
    aws.stubber.add_client_error("describe_backup_policy", "FileSystemNotFound")
    aws.stubber.add_response("describe_lifecycle_configuration", {"LifecyclePolicies": []})
    found = card_of(FILES).read(cast("Aws", aws), "fs-00000001")
    assert found.unread == {}
    assert "BackupPolicy" not in found.properties


@pytest.mark.parametrize(("systems", "error"), [(0, NotFoundError), (2, LookupFailedError)])
def test_a_name_of_no_file_system_or_of_several_has_no_configuration(
    systems: int, error: type[Exception]
) -> None:
    """None of them is taken for the one."""
    listed = [file_system(FileSystemId=f"fs-0000000{number}") for number in range(systems)]
    aws = account(FILES, [("describe_file_systems", {"FileSystems": listed})])
    with pytest.raises(error):
        card_of(FILES).read(cast("Aws", aws), "shared")


@pytest.mark.parametrize("cfn_type", CONFIGURED)
def test_a_configuration_that_nobody_shows_is_an_error(cfn_type: str) -> None:
    """Not one without any property."""
    call, _ = CALLS[cfn_type]
    aws = account(cfn_type)
    aws.stubber.add_client_error(call, "AccessDeniedException", http_status_code=400)
    with pytest.raises(LookupFailedError):
        card_of(cfn_type).read(cast("Aws", aws), NAMES[cfn_type])


def test_a_queue_that_is_not_there_has_no_configuration() -> None:
    """As both questions say."""
    aws = account(QUEUE)
    aws.stubber.add_client_error("get_queue_url", NO_QUEUE)
    aws.stubber.add_response("list_queues", {})
    with pytest.raises(NotFoundError, match="no queue is named orders"):
        card_of(QUEUE).read(cast("Aws", aws), "orders")


PROTECTED: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = [
    (STREAM, {}, {"encryption": "NONE"}),
    (STREAM, {"StreamEncryption": {"EncryptionType": "KMS"}}, {"encryption": "KMS"}),
    (STREAM, {"StreamEncryption": {"Ref": "Encryption"}}, {}),
    (STREAM, {"StreamEncryption": {"EncryptionType": {"Ref": "Type"}}}, {}),
    (QUEUE, {}, {"encryption": "key of the service"}),
    (QUEUE, {"SqsManagedSseEnabled": "false"}, {"encryption": "off"}),
    (QUEUE, {"KmsMasterKeyId": "alias/app"}, {"encryption": "own KMS key"}),
    (QUEUE, {"KmsMasterKeyId": {"Ref": "Key"}}, {}),
    (QUEUE, {"SqsManagedSseEnabled": {"Ref": "On"}}, {}),
    (FILES, {}, {"encryption": "off"}),
    (FILES, {"Encrypted": "true"}, {"encryption": "on"}),
    (FILES, {"Encrypted": {"Ref": "On"}}, {}),
    (DOMAIN, {}, {"encryption": "off"}),
    (DOMAIN, {"EncryptionAtRestOptions": {"Enabled": True}}, {"encryption": "on"}),
    (DOMAIN, {"EncryptionAtRestOptions": {"Enabled": {"Ref": "On"}}}, {}),
    (DOMAIN, {"EncryptionAtRestOptions": {"Ref": "Options"}}, {}),
    (INSTANCE, {}, {"deletion protection": "off", "encryption": "off"}),
    (
        INSTANCE,
        {"DeletionProtection": "true", "StorageEncrypted": True},
        {"deletion protection": "on", "encryption": "on"},
    ),
    (INSTANCE, {"DBClusterIdentifier": "orders"}, {"deletion protection": "off"}),
    (INSTANCE, {"DBSnapshotIdentifier": "a"}, {"deletion protection": "off"}),
    (CLUSTER, {"SourceDBClusterIdentifier": "a"}, {"deletion protection": "off"}),
    (CLUSTER, {"DeletionProtection": {"Ref": "On"}, "StorageEncrypted": {"Ref": "On"}}, {}),
    (SECRET, {}, {"encryption": "key of the service"}),
    (SECRET, {"KmsKeyId": "alias/app"}, {"encryption": "own KMS key"}),
    (SECRET, {"KmsKeyId": {"Ref": "Key"}}, {}),
]


@pytest.mark.parametrize(("cfn_type", "properties", "labels"), PROTECTED)
def test_how_well_a_template_protects_is_read_where_it_is_literal(
    cfn_type: str, properties: Mapping[str, Any], labels: Mapping[str, str]
) -> None:
    """What it does not say has the default of CloudFormation."""
    found = load(cfn_type).template.declared_settings(properties)
    assert {name: setting.label for name, setting in found.items()} == labels
