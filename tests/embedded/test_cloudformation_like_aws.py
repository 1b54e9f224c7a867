"""The embedded CloudFormation keeps, refuses and imports as AWS does.

Each test guards a difference that the emulator alone would show, or one that a decision of
dataware rests on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.usefixtures("aws_server")

Resource = dict[str, Any]
IDENTIFIERS = {"AWS::S3::Bucket": "BucketName", "AWS::DynamoDB::Table": "TableName"}


def _bucket(name: str, policy: str = "Delete") -> Resource:
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": policy,
        "Properties": {"BucketName": name},
    }


def _table_properties(name: str) -> Resource:
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }


def _table(name: str, policy: str = "Delete") -> Resource:
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "Properties": _table_properties(name),
    }


def _global_table(name: str, policy: str) -> Resource:
    """The same table as CDK's TableV2 declares it."""
    table = _table(name, policy)
    replicas = {"Replicas": [{"Region": "us-east-1"}]}
    properties = {**table["Properties"], **replicas}
    return {**table, "Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}


def _parameter(value: str = "1") -> Resource:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "/other", "Type": "String", "Value": value},
    }


def _template(**resources: Resource) -> str:
    return json.dumps({"Resources": resources})


@pytest.fixture
def cloudformation() -> Any:
    """A client of the embedded CloudFormation."""
    return boto3.client("cloudformation")


@pytest.fixture
def data() -> Callable[[], tuple[int, int]]:
    """A bucket and a table with one object and one item each; counts what they hold."""
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    s3.create_bucket(Bucket="the-bucket")
    s3.put_object(Bucket="the-bucket", Key="key", Body=b"data")
    dynamodb.create_table(**_table_properties("the-table"))
    dynamodb.put_item(TableName="the-table", Item={"id": {"S": "1"}})

    def count() -> tuple[int, int]:
        objects = s3.list_objects_v2(Bucket="the-bucket")["KeyCount"]
        return objects, dynamodb.scan(TableName="the-table")["Count"]

    return count


def _settled(cloudformation: Any, stack: str) -> str:
    """The stack's status once nothing is in progress."""
    for _ in range(500):
        status: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(0.01)
    raise AssertionError(f"{stack} stays {status}")


def _change(cloudformation: Any, kind: str, template: str, **options: Any) -> str:
    """Carry out a change set of `kind` for the stack ``app``; its status afterwards."""
    name = {"StackName": "app", "ChangeSetName": "change"}
    cloudformation.create_change_set(**name, ChangeSetType=kind, TemplateBody=template, **options)
    for _ in range(500):
        change = cloudformation.describe_change_set(**name)
        if change["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            break
        time.sleep(0.01)
    assert change["Status"] == "CREATE_COMPLETE", change.get("StatusReason")
    cloudformation.execute_change_set(**name)
    time.sleep(0.02)
    return _settled(cloudformation, "app")


@pytest.mark.parametrize("resource", [_bucket("the-bucket"), _table("the-table")])
def test_creating_over_what_exists_fails_and_keeps_the_data(
    resource: Resource, cloudformation: Any, data: Callable[[], tuple[int, int]]
) -> None:
    """A name that is taken rolls the stack back; the data under it is not touched."""
    cloudformation.create_stack(StackName="app", TemplateBody=_template(Data=resource))
    assert _settled(cloudformation, "app") == "ROLLBACK_COMPLETE"
    assert data() == (1, 1)


def test_a_conflict_in_an_update_keeps_the_data(
    cloudformation: Any, data: Callable[[], tuple[int, int]]
) -> None:
    """Adding a taken table name to a stack rolls the update back."""
    cloudformation.create_stack(StackName="app", TemplateBody=_template(Other=_parameter()))
    assert _settled(cloudformation, "app") == "CREATE_COMPLETE"
    cloudformation.update_stack(
        StackName="app", TemplateBody=_template(Other=_parameter(), Data=_table("the-table"))
    )
    assert _settled(cloudformation, "app") == "UPDATE_ROLLBACK_COMPLETE"
    assert data() == (1, 1)


@pytest.mark.parametrize("leftover", ["object", "version"])
def test_a_bucket_that_holds_anything_is_not_deleted(leftover: str, cloudformation: Any) -> None:
    """DeletionPolicy Delete fails on objects, and on old versions that no listing shows."""
    cloudformation.create_stack(StackName="app", TemplateBody=_template(Data=_bucket("full")))
    assert _settled(cloudformation, "app") == "CREATE_COMPLETE"
    s3 = boto3.client("s3")
    if leftover == "version":
        enabled = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket="full", VersioningConfiguration=enabled)
    s3.put_object(Bucket="full", Key="key", Body=b"data")
    if leftover == "version":
        s3.delete_object(Bucket="full", Key="key")
    cloudformation.delete_stack(StackName="app")
    time.sleep(0.05)
    assert _settled(cloudformation, "app") == "DELETE_FAILED"
    assert s3.list_object_versions(Bucket="full")["Versions"]


@pytest.mark.parametrize("adding_to_a_stack", [False, True])
@pytest.mark.parametrize(
    "resources",
    [
        {"Data": _bucket("the-bucket", "RetainExceptOnCreate")},
        {"Data": _table("the-table", "RetainExceptOnCreate")},
        {"Data": _global_table("the-table", "RetainExceptOnCreate")},
        {"Bucket": _bucket("the-bucket", "Retain"), "Table": _table("the-table", "Retain")},
    ],
    ids=["bucket", "table", "global table", "both"],
)
def test_existing_resources_are_adopted(
    resources: dict[str, Resource],
    adding_to_a_stack: bool,
    cloudformation: Any,
    data: Callable[[], tuple[int, int]],
) -> None:
    """ImportExistingResources takes in bucket and table, in a new stack and in an update."""
    kind = "UPDATE" if adding_to_a_stack else "CREATE"
    others = {"Other": _parameter()}
    if adding_to_a_stack:
        cloudformation.create_stack(StackName="app", TemplateBody=_template(**others))
        _settled(cloudformation, "app")
    status = _change(
        cloudformation, kind, _template(**others, **resources), ImportExistingResources=True
    )
    assert status == f"{kind}_COMPLETE"
    assert data() == (1, 1)
    owned = cloudformation.list_stack_resources(StackName="app")["StackResourceSummaries"]
    assert {each["LogicalResourceId"] for each in owned} == {"Other", *resources}


def test_a_repository_is_adopted_with_its_images(cloudformation: Any) -> None:
    """By its name; one that is not there is created."""
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="there")
    ecr.put_image(repositoryName="there", imageManifest='{"schemaVersion": 2}')
    repositories = {
        one.title(): {
            "Type": "AWS::ECR::Repository",
            "DeletionPolicy": "Retain",
            "Properties": {"RepositoryName": one},
        }
        for one in ("there", "new")
    }
    body = _template(**repositories)
    assert _change(cloudformation, "CREATE", body, ImportExistingResources=True) == (
        "CREATE_COMPLETE"
    )
    assert len(ecr.list_images(repositoryName="there")["imageIds"]) == 1
    owned = cloudformation.list_stack_resources(StackName="app")["StackResourceSummaries"]
    assert {each["LogicalResourceId"] for each in owned} == {"There", "New"}


def test_an_import_change_set_adopts(
    cloudformation: Any, data: Callable[[], tuple[int, int]]
) -> None:
    """A change set of type IMPORT takes in what its resource identifiers name."""
    resources = {"Bucket": _bucket("the-bucket", "Retain"), "Table": _table("the-table", "Retain")}
    wanted = [
        {
            "ResourceType": each["Type"],
            "LogicalResourceId": logical_id,
            "ResourceIdentifier": {
                IDENTIFIERS[each["Type"]]: each["Properties"][IDENTIFIERS[each["Type"]]]
            },
        }
        for logical_id, each in resources.items()
    ]
    status = _change(cloudformation, "IMPORT", _template(**resources), ResourcesToImport=wanted)
    assert status == "IMPORT_COMPLETE"
    assert data() == (1, 1)


def test_the_owner_of_a_physical_id_is_found(cloudformation: Any) -> None:
    """DescribeStackResources by physical id names the stack and all its resources."""
    cloudformation.create_stack(
        StackName="app", TemplateBody=_template(Data=_bucket("owned"), Other=_parameter())
    )
    _settled(cloudformation, "app")
    found = cloudformation.describe_stack_resources(PhysicalResourceId="owned")["StackResources"]
    assert {each["LogicalResourceId"] for each in found} == {"Data", "Other"}
    assert {each["StackName"] for each in found} == {"app"}


@pytest.mark.parametrize("physical_id", ["never-there", "released"])
def test_what_no_stack_owns_has_no_owner(physical_id: str, cloudformation: Any) -> None:
    """An unknown physical id, or a retained one of a deleted stack, is nobody's."""
    template = _template(Data=_bucket("released", "Retain"))
    cloudformation.create_stack(StackName="app", TemplateBody=template)
    _settled(cloudformation, "app")
    cloudformation.delete_stack(StackName="app")
    time.sleep(0.05)
    with pytest.raises(ClientError, match=f"Stack for {physical_id} does not exist"):
        cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)


@pytest.mark.parametrize("resource", [_bucket("kept", "Retain"), _table("kept", "Retain")])
@pytest.mark.parametrize("leaves_by", ["update", "deletion"])
def test_what_is_retained_survives(resource: Resource, leaves_by: str, cloudformation: Any) -> None:
    """Retain keeps a resource that leaves its template, and one whose stack is deleted."""
    template = _template(Data=resource, Other=_parameter())
    cloudformation.create_stack(StackName="app", TemplateBody=template)
    _settled(cloudformation, "app")
    if leaves_by == "update":
        cloudformation.update_stack(StackName="app", TemplateBody=_template(Other=_parameter("2")))
        assert _settled(cloudformation, "app") == "UPDATE_COMPLETE"
    else:
        cloudformation.delete_stack(StackName="app")
        time.sleep(0.05)
    if resource["Type"] == "AWS::S3::Bucket":
        assert boto3.client("s3").head_bucket(Bucket="kept")
    else:
        assert boto3.client("dynamodb").describe_table(TableName="kept")


def test_a_deleted_stack_is_found_by_its_id_alone(cloudformation: Any) -> None:
    """The name of a deleted stack is free again; its id still tells what became of it."""
    template = _template(Other=_parameter())
    stack_id = cloudformation.create_stack(StackName="app", TemplateBody=template)["StackId"]
    _settled(cloudformation, "app")
    cloudformation.delete_stack(StackName="app")
    assert _settled(cloudformation, stack_id) == "DELETE_COMPLETE"
    for call in (
        cloudformation.describe_stacks,
        cloudformation.list_stack_resources,
        cloudformation.describe_stack_resources,
    ):
        with pytest.raises(ClientError, match="Stack with id app does not exist"):
            call(StackName="app")


def test_a_parameter_of_an_ssm_type_has_the_name_as_its_value(cloudformation: Any) -> None:
    """ "The input value associated with the parameter" (API Reference, Parameter); also later."""
    boto3.client("ssm").put_parameter(Name="/stage", Value="prod", Type="String")
    named = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/stage"}
    sections = {"Parameters": {"Stage": named, "Other": {"Type": "String", "Default": "plain"}}}
    body = json.dumps({**sections, "Resources": {"Other": _parameter()}})
    cloudformation.create_stack(StackName="app", TemplateBody=body)
    _settled(cloudformation, "app")
    for _ in range(2):
        (stack,) = cloudformation.describe_stacks(StackName="app")["Stacks"]
        values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
        assert values == {"Stage": "/stage", "Other": "plain"}
