"""Types without a copy: created, referenced, and never declared twice."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from aws_cdk import App, DefaultStackSynthesizer, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds

from cdk.apps import errors, resources
from cdk.test_live import deploy, settled
from dataware.cdk import (
    DataAware,
    DataAwareKey,
    DataAwareLogGroup,
    DataAwareQueue,
    DataAwareSecret,
    DataAwareStream,
)
from dataware.core.model import Action
from dataware.embedded import EmbeddedAws
from support.log_events import put_events

TYPES = {
    "AWS::Logs::LogGroup",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
    "AWS::Kinesis::Stream",
}


@pytest.fixture(autouse=True)
def server(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The embedded AWS as the default environment of every stack."""
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", boto3.client("sts").get_caller_identity()["Account"])
    monkeypatch.setenv("CDK_DEFAULT_REGION", boto3.client("s3").meta.region_name)
    return aws_server


def synthesized() -> tuple[Stack, dict[str, Any]]:
    """A stack with one resource of each type, decided now by the helpers of the older pattern."""
    stack = Stack(
        App(), "Demo", synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    )
    aware = DataAware(stack, stream={"shard_count": 1}, import_mode=None)
    made = {
        "logs": aware.get_or_create_log_group("Logs", "/app/web-prod", "/app/web"),
        "secret": aware.get_or_create_secret("Database", "app/database-prod", "app/database"),
        "queue": aware.get_or_create_sqs_queue("Orders", "orders-prod", "orders"),
        "stream": aware.get_or_create_kinesis_stream("Clicks", "clicks-prod", "clicks"),
    }
    return stack, made


def test_what_a_stack_creates_it_keeps() -> None:
    """The first deployment creates, people fill, and the second and third declare the same."""
    templates = []
    for round_ in range(3):
        stack, _ = synthesized()
        assert errors(stack) == []
        templates.append(resources(stack))
        deploy(stack)
        assert settled("Demo") in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        if round_ == 0:
            sqs = boto3.client("sqs")
            url = sqs.get_queue_url(QueueName="orders-prod")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody="one")
            put_events(boto3.client("logs"), "/app/web-prod", [1_900_000_000_000])
    assert templates[0] == templates[1] == templates[2]
    assert {one["Type"] for one in templates[0].values()} == TYPES


def test_what_exists_outside_of_the_stack_is_referenced() -> None:
    """A plain deployment creates no second one, and permissions name what there is."""
    arn = boto3.client("secretsmanager").create_secret(Name="app/database-prod")["ARN"]
    boto3.client("sqs").create_queue(QueueName="orders-prod")
    boto3.client("kinesis").create_stream(StreamName="clicks-prod", ShardCount=1)
    boto3.client("logs").create_log_group(logGroupName="/app/web-prod")
    stack, made = synthesized()
    assert errors(stack) == []
    assert resources(stack) == {}
    assert made["secret"].secret_arn == arn
    assert made["queue"].queue_name == "orders-prod"
    assert made["stream"].stream_name == "clicks-prod"
    assert made["logs"].log_group_name == "/app/web-prod"


def test_a_key_goes_by_its_alias_and_one_that_is_not_there_is_an_error() -> None:
    """It is referenced by the id behind the alias; none is created in its place."""
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    stack = Stack(App(), "Demo")
    found = DataAware(stack).get_kms_key("Key", "alias/app")
    assert errors(stack) == []
    assert found.key_id == key
    DataAwareKey(stack, "Other", physical_id="alias/nobody")
    (text,) = errors(stack)
    assert "no KMS key has the id alias/nobody" in text


def test_a_fallback_with_data_is_not_stranded() -> None:
    """Neither messages nor events are copied, so an empty one beside them is an error."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="one")
    stack = Stack(App(), "Demo")
    made = DataAwareQueue(stack, "Orders", preferred_name="orders-prod", fallback_names=["orders"])
    (text,) = errors(stack)
    assert "dataware cannot copy an SQS queue" in text
    assert made.decision.action is Action.STOP


def test_each_construct_gives_cdks_own_interface() -> None:
    """What CDK's class of the type is used for works as before."""
    stack = Stack(App(), "Demo")
    made = [
        DataAwareLogGroup(stack, "Logs", preferred_name="/app/web").log_group.log_group_arn,
        DataAwareSecret(stack, "Database", preferred_name="app/db").secret.secret_arn,
        DataAwareQueue(stack, "Orders", preferred_name="orders").queue.queue_url,
        DataAwareStream(stack, "Clicks", preferred_name="clicks").stream.stream_arn,
    ]
    assert errors(stack) == []
    assert all(made)
    assert {one["Type"] for one in resources(stack).values()} == TYPES


def make_databases(stack: Stack, **options: Any) -> list[Any]:
    """A domain, an instance and a cluster, by the helpers, with what CDK needs to declare them."""
    protected = {"deletion_protection": True}
    aware = DataAware(stack, instance=protected, cluster=protected, domain={"enforce_https": True})
    vpc = ec2.Vpc(stack, "Vpc")
    settings = {"vpc": vpc, "credentials": rds.Credentials.from_password("me", PASSWORD)}
    engine = rds.DatabaseInstanceEngine.POSTGRES
    aurora = rds.DatabaseClusterEngine.aurora_postgres(
        version=rds.AuroraPostgresEngineVersion.VER_16_4
    )
    writer = rds.ClusterInstance.serverless_v2("Writer")
    version = opensearch.EngineVersion.OPENSEARCH_2_13
    place = dict.fromkeys(options.get("endpoints", ()), "host.example")
    return [
        aware.get_or_create_opensearch_domain(
            "Search", "search-prod", version=version,
            **{name: one for name, one in place.items() if name.startswith("domain")},
        ),
        aware.get_or_create_rds_instance(
            "Database", "database-prod", engine=engine, port=5432, **settings,
            **{name: one for name, one in place.items() if name.startswith("instance")},
        ),
        aware.get_or_create_rds_cluster(
            "Cluster", "cluster-prod", engine=aurora, writer=writer, **settings
        ),
    ]  # fmt: skip


PASSWORD = SecretValue.unsafe_plain_text("not-a-secret")
ENDPOINTS = ("domain_endpoint", "instance_endpoint_address")


def test_databases_and_domains_are_declared_under_their_names() -> None:
    """As CDK's own constructs declare them, retained, and without what is for references alone."""
    stack = Stack(App(), "Demo")
    make_databases(stack, endpoints=ENDPOINTS)
    assert errors(stack) == []
    named = {
        "AWS::OpenSearchService::Domain": ("DomainName", "search-prod"),
        "AWS::RDS::DBInstance": ("DBInstanceIdentifier", "database-prod"),
        "AWS::RDS::DBCluster": ("DBClusterIdentifier", "cluster-prod"),
    }
    for cfn_type, (word, name) in named.items():
        (one,) = [
            each for each in resources(stack).values()
            if each["Type"] == cfn_type and "Dataware" in each.get("Metadata", {})
        ]  # fmt: skip
        properties = one["Properties"]
        assert properties[word] == name
        assert one["DeletionPolicy"] == "RetainExceptOnCreate"
        # What an older helper set inside for every resource of the type.
        https = properties.get("DomainEndpointOptions", {}).get("EnforceHTTPS")
        assert properties.get("DeletionProtection") or https


def test_databases_and_domains_that_exist_are_referenced_by_their_endpoints() -> None:
    """A plain deployment creates no second one; without an endpoint a reference is an error."""
    boto3.client("opensearch").create_domain(DomainName="search-prod")
    make = {"MasterUsername": "me", "MasterUserPassword": "not-a-secret"}
    boto3.client("rds").create_db_instance(
        DBInstanceIdentifier="database-prod", Engine="postgres", DBInstanceClass="db.t3.micro",
        AllocatedStorage=20, **make,
    )  # fmt: skip
    boto3.client("rds").create_db_cluster(
        DBClusterIdentifier="cluster-prod", Engine="aurora-postgresql", **make
    )
    stack = Stack(App(), "Demo")
    domain, instance, cluster = make_databases(stack, endpoints=ENDPOINTS)
    assert errors(stack) == []
    assert not {one["Type"] for one in resources(stack).values()} & {
        "AWS::OpenSearchService::Domain", "AWS::RDS::DBInstance", "AWS::RDS::DBCluster",
    }  # fmt: skip
    assert domain.domain_name == "search-prod"
    assert instance.instance_identifier == "database-prod"
    assert cluster.cluster_identifier == "cluster-prod"
    with pytest.raises(ValueError, match="a reference to it needs domain_endpoint"):
        make_databases(Stack(App(), "Other"))


FILES = "AWS::EFS::FileSystem"


def make_files(stack: Stack, fallback: str | None = "files", **options: Any) -> efs.IFileSystem:
    """A file system by the helper, encrypted as the app says once for all."""
    vpc = ec2.Vpc(stack, "Vpc")
    aware = DataAware(stack, file_system={"encrypted": True, "vpc": vpc}, import_mode=None)
    return aware.get_or_create_efs_file_system("Files", "files-prod", fallback, **options)


def create_files(name: str, token: str) -> str:
    """A file system of this name; answers with its id."""
    made = boto3.client("efs").create_file_system(
        CreationToken=token, Tags=[{"Key": "Name", "Value": name}]
    )
    identifier: str = made["FileSystemId"]
    return identifier


def declared_files(stack: Stack) -> list[dict[str, Any]]:
    """The file systems of a template."""
    return [one for one in resources(stack).values() if one["Type"] == FILES]


def test_a_file_system_is_declared_under_its_tag() -> None:
    """Created, kept by its stack, and retained; what a call says wins over what the app says."""
    stack = Stack(App(), "Demo")
    made = make_files(stack, encrypted=False)
    assert errors(stack) == []
    (one,) = declared_files(stack)
    assert {"Key": "Name", "Value": "files-prod"} in one["Properties"]["FileSystemTags"]
    assert one["Properties"]["Encrypted"] is False
    assert (one["DeletionPolicy"], one["Metadata"]["Dataware"]) == (
        "RetainExceptOnCreate",
        {"Fallback": ["files"], "OnFallbackData": "import"},
    )
    assert made.file_system_id
    stack = Stack(App(), "Other")
    make_files(stack, removal_policy=RemovalPolicy.RETAIN)
    assert declared_files(stack)[0]["DeletionPolicy"] == "Retain"


def test_two_file_systems_of_one_name_are_an_error_that_gives_both_ids() -> None:
    """Nobody sees which one is meant, so none is guessed, and no third one is declared unseen."""
    both = [create_files("files-prod", token) for token in ("one", "two")]
    stack = Stack(App(), "Demo")
    make_files(stack)
    (text,) = errors(stack)
    assert all(one in text for one in both)
    assert "2 file systems are named files-prod" in text


def test_a_file_system_that_exists_is_referenced_by_its_id() -> None:
    """A plain deployment makes no second one; where only it can be adopted, that is said."""
    made = create_files("files-prod", "one")
    stack = Stack(App(), "Demo")
    group = ec2.SecurityGroup(stack, "Group", vpc=ec2.Vpc(stack, "Net"))
    found = make_files(stack, None, security_group=group)
    assert errors(stack) == []
    assert declared_files(stack) == []
    assert found.file_system_id == made
    with pytest.raises(ValueError, match="a reference to it needs security_group"):
        make_files(Stack(App(), "Other"), None)
    stack = Stack(App(), "Adopting")
    make_files(stack, None, import_mode="adopt")
    (text,) = errors(stack)
    assert "only `dataware deploy` lets a stack adopt it" in text


def test_a_fallback_by_its_id_whose_size_is_only_estimated_is_not_taken_for_empty() -> None:
    """What is written shows in its size later, so an empty one beside it could strand it."""
    made = create_files("old", "one")
    stack = Stack(App(), "Demo")
    make_files(stack, made)
    (text,) = errors(stack)
    assert f"the fallback {made} exists, and may hold files" in text
