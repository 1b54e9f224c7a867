"""One machinery a stack: how many resources it takes, and who waits for the data."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import CfnResource, NestedStack, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications

from cdk.apps import (
    ACCOUNT,
    BUCKET,
    KEY,
    REGION,
    TABLE,
    entry,
    errors,
    make_stack,
    resources,
    write_lock,
)
from dataware.cdk import DataAware, DataAwareBucket, DataAwareTable, DataMigration
from dataware.core.model import Size

MOST = 12
"""Resources of the machinery, however many migrations use it."""

MIGRATION = "Custom::DataMigration"


def migrate(stack: Stack, count: int) -> None:
    """Some migrations, half of tables and half of buckets."""
    for n in range(count):
        scheme = "s3" if n % 2 else "dynamodb"
        DataMigration(stack, f"M{n}", source=f"{scheme}://old-{n}", target=f"{scheme}://new-{n}")


@cache
def machinery(count: int) -> dict[str, Any]:
    """The resources of a stack with some migrations."""
    stack = make_stack()
    migrate(stack, count)
    return resources(stack)


@pytest.mark.parametrize("count", [1, 10])
def test_a_stack_has_one_machinery(count: int) -> None:
    """Ten migrations take nine custom resources more than one."""
    found = machinery(count)
    custom = [one for one in found.values() if one["Type"] == MIGRATION]
    assert len(custom) == count
    assert len(found) - count <= MOST


def test_a_large_stack_with_ten_migrations_stays_below_the_limit() -> None:
    """CloudFormation takes 500 resources."""
    assert 240 + len(machinery(10)) < 300


def test_two_stacks_have_a_machinery_each() -> None:
    """A stack can be deployed and deleted without the other one."""
    first = make_stack()
    second = Stack(first.node.root, "Other", env={"account": ACCOUNT, "region": REGION})
    for stack in (first, second):
        migrate(stack, 1)
    assert list(resources(first)) == list(resources(second))


def test_permissions_are_those_of_the_migrations_of_the_stack() -> None:
    """The same actions are one statement, on exactly the tables and buckets that are named."""
    policies = json.dumps(
        [one for one in machinery(10).values() if one["Type"] == "AWS::IAM::Policy"]
    )
    for n in range(10):
        assert f"old-{n}" in policies
        assert f"new-{n}" in policies
    assert "table/*" not in policies
    assert "s3:::*" not in policies
    for one in machinery(10).values():
        if one["Type"] == "AWS::IAM::Policy":
            statements = one["Properties"]["PolicyDocument"]["Statement"]
            assert len(json.dumps(statements)) < 10_240, "of an inline policy (IAM quotas)"
            assert len(statements) <= 9


def test_settings_of_one_migration_are_not_those_of_another() -> None:
    """They travel as properties of the custom resource, not as variables of shared functions."""
    stack = make_stack()
    addresses = {"source": "s3://old-one", "environment": {"HTTPS_PROXY": "proxy"}}
    DataMigration(stack, "A", target="s3://new-one", max_concurrency=3, **addresses)
    DataMigration(stack, "B", source="s3://old-two", target="s3://new-two", max_rate=7)
    found = resources(stack)
    custom = {
        one["Properties"]["Target"]: one["Properties"]
        for one in found.values()
        if one["Type"] == MIGRATION
    }
    assert (custom["new-one"]["Workers"], custom["new-two"]["Workers"]) == ("3", "10")
    assert custom["new-one"]["Environment"] == {"HTTPS_PROXY": "proxy"}
    assert "Environment" not in custom["new-two"]
    functions = [one for one in found.values() if one["Type"] == "AWS::Lambda::Function"]
    assert not any("Environment" in one["Properties"] for one in functions)


def function(stack: Stack, id: str, **variables: str) -> lambda_.Function:
    """A function with variables."""
    return lambda_.Function(
        stack,
        id,
        code=lambda_.Code.from_inline("x"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        environment=variables,
    )


@cache
def users() -> dict[str, Any]:
    """A stack whose functions use what the deployment fills, in every way that CDK offers."""
    lock = {"fallbacks": ["older"], "source": "older"}
    reference = {"exists": "yes", "import": "reference"}
    write_lock(
        {
            f"{TABLE} waitlist": entry("migrate", 3, **lock),
            f"{BUCKET} uploads": entry("migrate", 3, **lock),
            f"{TABLE} referenced": entry("resume", 7, **lock, **reference),
            f"{TABLE} quiet": entry("keep", 6, fallbacks=["older"]),
        }
    )
    stack = make_stack(lookup="never")
    helper = DataAware(stack)
    string = dynamodb.AttributeType.STRING
    tables = {
        name: helper.get_or_create_dynamodb_table(name, name, "older", "pk", string)
        for name in ("waitlist", "referenced", "quiet")
    }
    key = kms.Key(stack, "Key")
    bucket = DataAwareBucket(
        stack,
        "Uploads",
        preferred_name="uploads",
        fallback_names=["older"],
        enforce_ssl=True,
        encryption_key=key,
    ).bucket
    for name, table in tables.items():
        table.grant_read_data(function(stack, f"Granted-{name}"))
        function(stack, f"Refers-{name}", TABLE=table.table_name)
        function(stack, f"Names-{name}", TABLE=name)
    triggered = function(stack, "Triggered", BUCKET=bucket.bucket_name)
    bucket.grant_read_write(triggered)
    destination = notifications.LambdaDestination(triggered)
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, destination)
    assert errors(stack) == []
    return resources(stack)


def before(found: dict[str, Any], id: str) -> set[str]:
    """Everything that CloudFormation finishes before it begins with a resource."""
    seen, waiting = set[str](), [id]
    while waiting:
        one = waiting.pop()
        if one in found and one not in seen:
            seen.add(one)
            waiting += _needs(found[one])
    return seen - {id}


def _needs(resource: dict[str, Any]) -> list[str]:
    depends = resource.get("DependsOn", [])
    return [*([depends] if isinstance(depends, str) else depends), *_referred(resource)]


def _referred(value: Any) -> list[str]:
    if isinstance(value, list):
        return [id for one in value for id in _referred(one)]
    if not isinstance(value, dict):
        return []
    here = [value["Ref"]] if "Ref" in value else []
    here += [value["Fn::GetAtt"][0]] if "Fn::GetAtt" in value else []
    return [*here, *(id for one in value.values() for id in _referred(one))]


def id_of(found: dict[str, Any], cfn_type: str, word: str) -> str:
    """The logical id of the one resource of a type that has the word in its id or properties."""
    named = [
        id
        for id, one in found.items()
        if one["Type"] == cfn_type and (word in id or one["Properties"].get("Target") == word)
    ]
    assert len(named) == 1, named
    return named[0]


@pytest.mark.parametrize("name", ["waitlist", "referenced"])
@pytest.mark.parametrize("way", ["Granted", "Refers", "Names"])
def test_a_function_that_uses_a_table_waits_for_its_data(name: str, way: str) -> None:
    """By a grant, by a reference or by the bare name, of a table declared or referred to."""
    migration = id_of(users(), MIGRATION, name)
    assert migration in before(users(), id_of(users(), "AWS::Lambda::Function", f"{way}{name}"))


@pytest.mark.parametrize("way", ["Granted", "Refers", "Names"])
def test_who_uses_a_table_whose_data_is_there_waits_for_nothing(way: str) -> None:
    """A deployment is not held up for what has nothing to do with the copy."""
    found = users()
    first = before(found, id_of(found, "AWS::Lambda::Function", f"{way}quiet"))
    assert not [id for id in first if found[id]["Type"] == MIGRATION]


def test_triggers_come_after_the_data_and_the_policy_before_it() -> None:
    """No function is called for what is copied, and nothing is copied into an open bucket."""
    found = users()
    migration = id_of(found, MIGRATION, "uploads")
    for cfn_type in ("Custom::S3BucketNotifications", "AWS::Lambda::Permission"):
        assert migration in before(found, id_of(found, cfn_type, "Uploads"))
    first = before(found, migration)
    assert {id_of(found, BUCKET, "Uploads"), id_of(found, "AWS::S3::BucketPolicy", "")} <= first


def test_other_stacks_that_hold_the_name_come_later() -> None:
    """A nested stack waits as a whole; a stack beside it is deployed afterwards, if it can be."""
    first = make_stack("First")
    app = first.node.root
    env = {"account": ACCOUNT, "region": REGION}
    second, third, before = (Stack(app, id, env=env) for id in ("Second", "Third", "Before"))
    elsewhere = Stack(app, "Elsewhere", env={**env, "region": "us-west-2"})
    first.add_dependency(before)
    DataMigration(first, "Copy", source="dynamodb://old-one", target="dynamodb://new-one")
    nested = NestedStack(first, "Nested")
    for stack in (nested, second, before, elsewhere):
        function(stack, "Names", TABLE="new-one")
    function(third, "Names", TABLE="another-one")
    found = resources(first)
    migration = id_of(found, MIGRATION, "new-one")
    (inner,) = [id for id, one in found.items() if one["Type"] == "AWS::CloudFormation::Stack"]
    assert migration in found[inner]["DependsOn"]
    depends = {
        stack.stack_name: [one.stack_name for one in stack.dependencies]
        for stack in (second, third, before, elsewhere)
    }
    assert depends == {"Second": ["First"], "Third": [], "Before": [], "Elsewhere": []}
    manifest = json.loads((Path(app.synth().directory) / "manifest.json").read_text())
    assert "First" in manifest["artifacts"]["Second"]["dependencies"]


def test_nothing_waits_for_itself() -> None:
    """CloudFormation refuses a template with a circle."""
    found = users()
    assert not [
        id for id in found if id in {x for one in _needs(found[id]) for x in before(found, one)}
    ]


def test_the_key_of_a_data_aware_bucket_is_granted() -> None:
    """The target's key is known to the construct, so that the copy can be encrypted under it."""
    found = users()
    policy = found[id_of(found, "AWS::IAM::Policy", "DataMigrationsCopyRole")]
    assert "kms:GenerateDataKey*" in json.dumps(policy)
    looks = json.dumps(found[id_of(found, "AWS::IAM::Policy", "DataMigrationsLookRole")])
    assert "kms:Decrypt" in looks
    assert "kms:Encrypt" not in looks


@pytest.mark.parametrize(
    ("size", "settings", "minutes"),
    [
        (Size(1_000_000, 10**9), {}, None),
        (Size(100_000_000, 10**11), {}, "625"),
        (Size(1_000_000, 10**9), {"max_rate": 100}, "250"),
    ],
)
def test_a_copy_that_takes_too_long_for_a_deployment_is_an_error(
    size: Size, settings: dict[str, Any], minutes: str | None
) -> None:
    """By its estimate, before anything is deployed, with the commands that have no time limit."""
    sizes = {"size": {"items": size.items, "bytes": size.bytes, "exact": True}}
    lock = entry("migrate", 3, source="older", fallbacks=["older"], **sizes)
    write_lock({f"{TABLE} waitlist": lock})
    stack = make_stack(lookup="never")
    chosen = {"migration": lambda *given: DataMigration.of(*given, **settings)} if settings else {}
    DataAwareTable(
        stack,
        "Waitlist",
        preferred_name="waitlist",
        fallback_names=["older"],
        partition_key=KEY,
        **chosen,
    )
    told = errors(stack)
    if minutes is None:
        assert told == []
    else:
        (text,) = told
        assert f"from older to waitlist takes about {minutes} minutes" in text
        assert "`dataware migrate dynamodb://older dynamodb://waitlist`" in text


@pytest.mark.parametrize("all_versions", [False, True])
def test_a_copy_that_would_take_nothing_of_a_bucket_is_an_error(all_versions: bool) -> None:
    """A source of older versions alone is data, of which a usual copy takes nothing."""
    nothing_current = {"size": {"items": 0, "bytes": 0, "exact": True}}
    lock = entry("migrate", 3, source="older", fallbacks=["older"], **nothing_current)
    write_lock({"AWS::S3::Bucket newer": lock})
    stack = make_stack(lookup="never")

    def copy(*given: Any) -> DataMigration:
        return DataMigration.of(*given, all_versions=all_versions)

    chosen = {"migration": copy} if all_versions else {}
    DataAwareBucket(stack, "Uploads", preferred_name="newer", fallback_names=["older"], **chosen)
    told = errors(stack)
    if all_versions:
        assert told == []
    else:
        (text,) = told
        assert "older holds only older versions and delete markers" in text
        assert "all_versions=True" in text


@pytest.mark.parametrize(("prunes", "stops"), [(True, True), (False, False)])
def test_no_deployment_of_files_prunes_what_a_migration_copies(prunes: bool, stops: bool) -> None:
    """It would wait for the data, and then delete what it does not bring itself."""
    stack = make_stack()
    target = s3.Bucket(stack, "New", bucket_name="new-one")
    DataMigration(stack, "Copy", source="s3://old-one", target=target)
    properties = {"DestinationBucketName": target.bucket_name, "Prune": prunes}
    CfnResource(stack, "Files", type="Custom::CDKBucketDeployment", properties=properties)
    other = {"DestinationBucketName": "another", "Prune": True}
    CfnResource(stack, "Others", type="Custom::CDKBucketDeployment", properties=other)
    if not stops:
        assert resources(stack)
        return
    with pytest.raises(RuntimeError, match=r"rule 24.*Files deletes every object"):
        resources(stack)
