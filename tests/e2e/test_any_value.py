"""Functions in templates, through the command line, against stacks that were really made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.cli import Ran, run
from support.worlds import client, items_of, make_bucket, make_table, varied_items, varied_objects

ROW = {"id": {"S": "a"}, "at": {"S": "1"}, "day": {"S": "2"}}
FUNCTIONS = """
Parameters: {Stage: {Type: String, Default: prod}, KeyType: {Type: String, Default: S}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: !If [IsProd, Retain, Delete]
    UpdateReplacePolicy: !If [IsProd, Retain, Delete]
    Properties:
      TableName: !Sub Orders-${Stage}
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: !Ref KeyType}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
TOPIC = "Resources: {Topic: {Type: AWS::SNS::Topic}}"
WORLDWIDE = """
Resources:
  Orders:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      TableName: Worldwide
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
        - {AttributeName: at, AttributeType: S}
        - {AttributeName: day, AttributeType: S}
      KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]
      LocalSecondaryIndexes:
        - IndexName: byDay
          KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: day, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
      Replicas: [{Region: us-east-1}]
"""


@pytest.fixture(autouse=True)
def an_empty_place(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty AWS, and a folder of its own."""
    monkeypatch.chdir(tmp_path)


def deploy(stack: str, text: str) -> None:
    """Create a stack, and wait for it."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=text)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )


def plan_of(text: str, *arguments: str) -> Ran:
    """What `dataware plan` says of a template."""
    Path("t.yaml").write_text(text)
    return run("plan", "t.yaml", *arguments)


def test_a_resource_with_functions_in_its_policies_is_guarded() -> None:
    """Its policies and its name are evaluated; the same template again is not stopped at all."""
    deploy("Shop", FUNCTIONS)
    client("dynamodb").put_item(TableName="Orders-prod", Item=ROW)
    gone = plan_of(TOPIC, "--stack", "Shop")
    assert gone.code == 3, gone
    assert "Stopped at Orders-prod (rule 19)" in gone.out + gone.err
    assert "CloudFormation would leave it unmanaged" in gone.out + gone.err
    assert plan_of(FUNCTIONS, "--stack", "Shop").code == 0
    renamed = plan_of(FUNCTIONS.replace("Orders-$", "Sales-$"), "--stack", "Shop")
    assert renamed.code == 3, renamed
    assert "be renamed to Sales-prod" in renamed.out + renamed.err


def test_a_local_index_of_a_global_table_that_changes_is_a_replacement() -> None:
    """CloudFormation would make an empty table."""
    deploy("World", WORLDWIDE)
    client("dynamodb").put_item(TableName="Worldwide", Item=ROW)
    ran = plan_of(WORLDWIDE.replace("KEYS_ONLY", "ALL"), "--stack", "World")
    assert ran.code == 3, ran
    assert "LocalSecondaryIndexes changes" in ran.out + ran.err


def test_a_resource_beside_a_loop_is_planned() -> None:
    """What the loop declares is written out, and takes no part."""
    make_bucket("old-uploads", varied_objects(1))
    ran = plan_of(
        """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Topics:
    - Name
    - [A, B]
    - 'Topic${Name}': {Type: AWS::SNS::Topic}
  Fn::ForEach::More:
    - Name
    - !Ref Names
    - 'More${Name}': {Type: AWS::SNS::Topic}
  Uploads:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Metadata: {Dataware: {Fallback: [old-uploads]}}
    Properties: {BucketName: new-uploads}
"""
    )
    assert ran.code == 0, ran
    assert "new-uploads" in ran.out
    assert "Fn::ForEach::More is not inspected" in ran.out + ran.err
    assert "Topics" not in ran.out + ran.err


def test_missing_keys_are_offered_and_what_is_offered_works() -> None:
    """The line that the complaint ends with is put below the resource, and the copy runs."""
    make_table("Waitlist", varied_items(3))
    lines = [
        "[[resource]]",
        'type = "AWS::DynamoDB::Table"',
        'preferred = "Waitlist-prod"',
        'fallback = "Waitlist"',
    ]
    Path("dataware.toml").write_text("\n".join(lines))
    ran = run("plan", "dataware.toml")
    assert ran.code == 1, ran
    assert ran.err.startswith("❌ dataware.toml:1: DynamoDB table Waitlist-prod declares no key")
    offered = ran.err.partition("add to it: ")[2].strip()
    Path("dataware.toml").write_text("\n".join([*lines, offered]))
    assert run("apply", "dataware.toml").code == 0
    assert items_of("Waitlist-prod") == items_of("Waitlist")


@pytest.mark.parametrize("saved", [True, False])
def test_nothing_that_is_refused_is_a_traceback(saved: bool) -> None:
    """A changed plan and an odd template: exit 1, one line."""
    if saved:
        document: Any = {"version": 1, "resources": [{"id": 7}]}
        Path("p.json").write_text(json.dumps(document))
        ran = run("apply", "p.json")
    else:
        ran = plan_of("Resources:\n  Uploads:\n    Properties:\n      BucketName: {{ name }}")
    assert ran.code == 1, ran
    assert ran.err.count("\n") == 1
    assert "Unexpected" not in ran.err
