"""The cards of types that are adopted, never copied: what counts as data, what is in the way.

Answers come from stubs that are checked against the services' own models, where the emulator shows
too little.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dataware.core.comparison import LiveConfiguration as Live
from dataware.core.comparison import PropertyVerdict, compare_configuration, list_uncompared
from dataware.core.model import Content, Existence, Facts
from dataware.core.probing import distrust_estimate
from dataware.kinds import efs_file_system, kinesis_stream, kms_key, load, sqs_queue
from support.stubbed import StubbedAws

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GONE = "https://sqs.eu-central-1.amazonaws.com/111122223333"


def file_system(identifier: str, name: str, size: int, **more: Any) -> dict[str, Any]:
    """A file system as DescribeFileSystems gives it."""
    return {
        "OwnerId": "111122223333",
        "CreationToken": identifier,
        "FileSystemId": identifier,
        "CreationTime": NOW,
        "LifeCycleState": "available",
        "Name": name,
        "NumberOfMountTargets": 0,
        "SizeInBytes": {"Value": size},
        "PerformanceMode": "generalPurpose",
        "Tags": [{"Key": "Name", "Value": name}],
        **more,
    }


def look_at_file_systems(name: str, *found: dict[str, Any]) -> Facts:
    """What the probe makes of a listing in two pages."""
    aws = StubbedAws("efs")
    half = len(found) // 2
    pages = [{"FileSystems": found[:half], "NextMarker": "more"}, {"FileSystems": found[half:]}]
    for page, asked in zip(pages, ({}, {"Marker": "more"}), strict=True):
        aws.stubber.add_response("describe_file_systems", page, asked)
    return efs_file_system.probe(aws, name)


@pytest.mark.parametrize(
    ("size", "content"),
    [(0, Content.EMPTY), (6144, Content.EMPTY), (6145, Content.DATA), (10**12, Content.DATA)],
)
def test_an_empty_file_system_is_metered_with_six_kibibytes(size: int, content: Content) -> None:
    """What shows no more is empty by the service's estimate, which the guard does not believe."""
    other = file_system("fs-00000001", "other", 10**9)
    facts = look_at_file_systems("shared", other, file_system("fs-00000002", "shared", size))
    assert (facts.content, facts.physical_id) == (content, "fs-00000002")
    assert content is Content.DATA or distrust_estimate(facts).content is Content.UNKNOWN


def test_a_name_of_two_file_systems_means_none() -> None:
    """Both ids are named, and one that is gone is not counted."""
    found = [
        file_system("fs-00000001", "shared", 0),
        file_system("fs-00000002", "shared", 0, LifeCycleState="deleted"),
        file_system("fs-00000003", "shared", 0),
    ]
    facts = look_at_file_systems("shared", *found)
    assert facts.existence is Existence.UNKNOWN
    assert facts.alike == ("fs-00000001", "fs-00000003")
    one = look_at_file_systems("shared", found[1], found[2])
    assert one.physical_id == "fs-00000003"


def test_the_name_of_a_file_system_is_its_tag() -> None:
    """Templates have no other name for it."""
    template = load("AWS::EFS::FileSystem").template
    tags = [{"Key": "team", "Value": "a"}, {"Key": "Name", "Value": "shared"}]
    assert template.expression_of_name({"FileSystemTags": tags}, lambda one: one) == "shared"
    assert template.expression_of_name({}, lambda one: one) is None


def test_a_queue_that_is_not_shown_is_looked_for_in_the_list() -> None:
    """That it exist or nobody may see it, in one sentence, means neither."""
    for listed, existence in ([], Existence.ABSENT), (["orders"], Existence.EXISTS):
        aws = StubbedAws("sqs")
        aws.stubber.add_client_error(
            "get_queue_url",
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist or you do not have access to it.",
        )
        urls = [f"{GONE}/{name}" for name in ("orders-old", *listed)]
        aws.stubber.add_response("list_queues", {"QueueUrls": urls})
        aws.stubber.add_response("get_queue_attributes", {"Attributes": {}})
        assert sqs_queue.probe(aws, "orders").existence is existence
    aws = StubbedAws("sqs")
    aws.stubber.add_client_error("get_queue_url", "QueueDoesNotExist")
    aws.stubber.add_client_error("list_queues", "AccessDeniedException", http_status_code=403)
    facts = sqs_queue.probe(aws, "orders")
    assert facts.existence is Existence.UNKNOWN
    assert [problem.permission for problem in facts.problems] == ["sqs:ListQueues"]


def test_messages_that_are_hidden_or_delayed_count() -> None:
    """What a consumer has in its hands comes back if it fails."""
    for counter in (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ):
        aws = StubbedAws("sqs")
        aws.stubber.add_response("get_queue_url", {"QueueUrl": f"{GONE}/orders"})
        aws.stubber.add_response("get_queue_attributes", {"Attributes": {counter: "1"}})
        facts = sqs_queue.probe(aws, "orders")
        assert facts.content is Content.DATA
        assert facts.size is not None
        assert not facts.size.exact


def test_a_queue_that_counts_no_message_may_hold_some() -> None:
    """Its counters lag, so whoever would leave it behind does not believe them."""
    aws = StubbedAws("sqs")
    aws.stubber.add_response("get_queue_url", {"QueueUrl": f"{GONE}/orders"})
    aws.stubber.add_response("get_queue_attributes", {"Attributes": {}})
    facts = sqs_queue.probe(aws, "orders")
    assert facts.content is Content.EMPTY
    assert distrust_estimate(facts).content is Content.UNKNOWN


def stream(*shards: list[dict[str, Any]]) -> StubbedAws:
    """A stream whose shards give these pages of records."""
    aws = StubbedAws("kinesis")
    summary = {
        "StreamName": "clicks",
        "StreamARN": "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks",
        "StreamStatus": "ACTIVE",
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": NOW,
        "EnhancedMonitoring": [],
        "OpenShardCount": len(shards),
    }
    aws.stubber.add_response("describe_stream_summary", {"StreamDescriptionSummary": summary})
    listed = [
        {
            "ShardId": f"shard-{n}",
            "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
            "SequenceNumberRange": {"StartingSequenceNumber": "0"},
        }
        for n in range(len(shards))
    ]
    aws.stubber.add_response("list_shards", {"Shards": listed})
    for number, pages in enumerate(shards):
        oldest = {
            "StreamName": "clicks",
            "ShardId": f"shard-{number}",
            "ShardIteratorType": "TRIM_HORIZON",
        }
        aws.stubber.add_response("get_shard_iterator", {"ShardIterator": "at"}, oldest)
        for page in pages:
            aws.stubber.add_response("get_records", page)
    return aws


EMPTY_PAGE = {"Records": [], "NextShardIterator": "next", "MillisBehindLatest": 5}
LAST = {"Records": [], "NextShardIterator": "next", "MillisBehindLatest": 0}
CLOSED: dict[str, Any] = {"Records": [], "MillisBehindLatest": 5}
RECORD = {
    "Records": [{"SequenceNumber": "1", "Data": b"x", "PartitionKey": "a"}],
    "NextShardIterator": "next",
    "MillisBehindLatest": 0,
}


@pytest.mark.parametrize(
    ("shards", "content"),
    [
        ([[LAST]], Content.EMPTY),
        ([[EMPTY_PAGE, EMPTY_PAGE, LAST], [CLOSED]], Content.EMPTY),
        ([[EMPTY_PAGE, RECORD]], Content.DATA),
        ([[CLOSED], [LAST], [RECORD]], Content.DATA),
        ([[EMPTY_PAGE] * kinesis_stream.MOST_READS], Content.UNKNOWN),
    ],
)
def test_a_stream_is_read_to_its_end(shards: list[Any], content: Content) -> None:
    """An empty page is no end, a closed shard has one, and what takes too long is unknown."""
    facts = kinesis_stream.probe(stream(*shards), "clicks")
    assert facts.content is content
    assert bool(facts.problems) is (content is Content.UNKNOWN)


@pytest.mark.parametrize(
    ("cfn_type", "name", "live", "declared", "unit"),
    [
        ("AWS::SQS::Queue", "MessageRetentionPeriod", "345600", 60, "messages"),
        ("AWS::Kinesis::Stream", "RetentionPeriodHours", 168, "24", "records"),
        ("AWS::RDS::DBInstance", "BackupRetentionPeriod", 7, 0, "backups"),
        ("AWS::RDS::DBCluster", "BackupRetentionPeriod", 7, "1", "backups"),
    ],
)
def test_a_shorter_retention_deletes(
    cfn_type: str, name: str, live: Any, declared: Any, unit: str
) -> None:
    """The same or a longer one does not, and one that is computed may."""
    card = load(cfn_type).comparison
    assert card is not None
    for value, verdict in (
        (declared, PropertyVerdict.DELETES),
        (live, PropertyVerdict.SAME),
        (int(live) + 1, PropertyVerdict.CHANGES),
        ({"Ref": "Days"}, PropertyVerdict.DELETES),
    ):
        (found,) = compare_configuration(card, Live({name: live}), {name: value})
        assert found.verdict is verdict
        assert verdict is not PropertyVerdict.DELETES or unit in found.effect


def test_a_password_that_rds_would_make_is_a_loss() -> None:
    """Everybody who uses the present one would be locked out."""
    card = load("AWS::RDS::DBInstance").comparison
    assert card is not None
    name = "ManageMasterUserPassword"
    for live, verdict in ((False, PropertyVerdict.DELETES), (True, PropertyVerdict.SAME)):
        (found,) = compare_configuration(card, Live({name: live}), {name: True})
        assert found.verdict is verdict


def key(**more: Any) -> Facts:
    """The facts of a key as DescribeKey gives it."""
    aws = StubbedAws("kms")
    aws.stubber.add_response("describe_key", {"KeyMetadata": {"KeyId": "id-1", **more}})
    return kms_key.probe(aws, "alias/app")


def test_a_key_always_holds_data_and_one_that_goes_stops() -> None:
    """What it has encrypted cannot be seen."""
    facts = key(KeyState="Enabled", KeyManager="CUSTOMER")
    assert (facts.content, facts.physical_id, facts.obstacle) == (Content.DATA, "id-1", "")
    assert "cancel-key-deletion --key-id id-1" in key(KeyState="PendingDeletion").obstacle
    assert "AWS manages" in key(KeyState="Enabled", KeyManager="AWS").obstacle
    replica = {"MultiRegionKeyType": "REPLICA"}
    assert "replica key" in key(MultiRegionConfiguration=replica).obstacle


def test_names_in_physical_ids() -> None:
    """The guard compares the names of templates with what stacks hold."""
    assert sqs_queue.find_name(f"{GONE}/orders.fifo") == "orders.fifo"
    assert load("AWS::Kinesis::Stream").template.name_of("clicks") == "clicks"
    assert load("AWS::EFS::FileSystem").template.name_of("fs-00000001") is None


@pytest.mark.parametrize(
    ("cfn_type", "good", "bad"),
    [
        ("AWS::SQS::Queue", "orders.fifo", "orders.fif"),
        ("AWS::Kinesis::Stream", "a.b-c_1", "a b"),
        ("AWS::EFS::FileSystem", "App/Shared files", ""),
        ("AWS::RDS::DBInstance", "orders-1", "Orders"),
        ("AWS::RDS::DBCluster", "a", "a--b"),
        ("AWS::KMS::Key", "alias/app", "app"),
        ("AWS::KMS::Key", "12345678-1234-1234-1234-123456789012", "alias/"),
        ("AWS::OpenSearchService::Domain", "logs-1", "1-logs"),
    ],
)
def test_names_are_checked(cfn_type: str, good: str, bad: str) -> None:
    """What the service would refuse is told beforehand."""
    check = load(cfn_type).names.check
    assert check(good) is None
    assert check(bad)


def test_values_of_passwords_are_never_shown() -> None:
    """Neither one at the top nor one inside of options."""
    declared = {
        "AWS::RDS::DBInstance": {"MasterUserPassword": "planted"},
        "AWS::OpenSearchService::Domain": {
            "AdvancedSecurityOptions": {"MasterUserOptions": {"MasterUserPassword": "planted"}}
        },
    }
    for cfn_type, properties in declared.items():
        card = load(cfn_type).comparison
        assert "planted" not in repr(list(list_uncompared(card, properties, ())))
