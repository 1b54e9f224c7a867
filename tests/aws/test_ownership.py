"""The rules of ownership: a living stack that lists the resource now, and nobody else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.aws.errors import translate_errors
from dataware.aws.holding_stack import HOLDING_PREFIX
from dataware.aws.ownership import owner_of
from dataware.core.errors import LookupFailedError
from dataware.core.model import UNMANAGED, Owner, Ownership
from dataware.core.ports import Wire
from dataware.embedded import EmbeddedAws
from dataware.kinds.dynamodb_table import KIND
from support.accounts import open_account

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
OURS = Owner(Ownership.OTHER_STACK, "app", "Orders", "arn:app")


def row(
    status: str = "CREATE_COMPLETE",
    *,
    stack: str = "app",
    cfn_type: str = TABLE,
    physical_id: str = "orders",
    logical_id: str = "Orders",
) -> dict[str, str]:
    """A resource of a stack."""
    return {
        "StackId": f"arn:{stack}",
        "StackName": stack,
        "ResourceType": cfn_type,
        "PhysicalResourceId": physical_id,
        "LogicalResourceId": logical_id,
        "ResourceStatus": status,
    }


class FakeCloudFormation:
    """Stacks with many resources and of every age, which no emulator holds."""

    account, region, partition = "1", "r", "aws"

    def __init__(
        self, *rows: Mapping[str, str], deleted: str = "", denied: str = "", alias: str = ""
    ) -> None:
        self.rows, self.deleted, self.denied, self.alias = rows, deleted, denied, alias

    def client(self, _service: str) -> FakeCloudFormation:
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        return translate_errors(what, permission)

    def owner_of(self, types: Collection[str], physical_id: str) -> Owner:
        return owner_of(self, types, physical_id)

    def wire(self, on_throttle: Callable[[str], None]) -> Wire:
        raise AssertionError(on_throttle)

    def describe_stack_resources(self, **given: str) -> Mapping[str, Any]:
        """The first hundred resources of each stack that has the physical id."""
        self._answer("DescribeStackResources")
        stacks = {
            each["StackId"]
            for each in self.rows
            if each["PhysicalResourceId"] == given["PhysicalResourceId"]
        }
        if not stacks:
            raise self._error("ValidationError", "Stack for orders does not exist")
        found = []
        for stack in sorted(stacks):
            found += [each for each in self.rows if each["StackId"] == stack][:100]
        return {"StackResources": found}

    def get_paginator(self, _operation: str) -> FakeCloudFormation:
        return self

    def paginate(self, **given: str) -> Iterator[Mapping[str, Any]]:
        self._answer("ListStackResources")
        rows = [each for each in self.rows if each["StackId"] == given["StackName"]]
        for start in range(0, len(rows), 100):
            yield {"StackResourceSummaries": rows[start : start + 100]}

    def describe_stacks(self, **given: str) -> Mapping[str, Any]:
        self._answer("DescribeStacks")
        gone = given["StackName"] == f"arn:{self.deleted}"
        status = {"StackStatus": "DELETE_COMPLETE" if gone else "UPDATE_COMPLETE"}
        return {"Stacks": [{**status, **({"AliasName": self.alias} if self.alias else {})}]}

    def _answer(self, operation: str) -> None:
        if operation == self.denied:
            raise self._error("AccessDenied", "no")

    def _error(self, code: str, message: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStackResources")


def many(count: int = 250) -> list[dict[str, str]]:
    """Other resources of the same stack."""
    return [row(physical_id=f"r{n}", logical_id=f"R{n}") for n in range(count)]


@pytest.mark.parametrize(
    ("rows", "owner"),
    [
        ([], UNMANAGED),
        ([row()], OURS),
        ([*many(), row()], OURS),
        ([row(cfn_type=BUCKET)], UNMANAGED),
        ([row(cfn_type=BUCKET, logical_id="Other"), row()], OURS),
        ([row("DELETE_COMPLETE")], UNMANAGED),
        ([row("DELETE_SKIPPED")], UNMANAGED),
        ([*many(), row("DELETE_SKIPPED")], UNMANAGED),
        ([row("DELETE_SKIPPED", logical_id="Old"), row()], OURS),
        ([row("IMPORT_COMPLETE")], OURS),
        ([row("IMPORT_ROLLBACK_COMPLETE")], UNMANAGED),
        ([row("UPDATE_ROLLBACK_COMPLETE")], OURS),
        ([row("DELETE_FAILED")], OURS),
        ([row("DELETE_SKIPPED", stack="a-old"), row()], OURS),
        ([row(stack=f"{HOLDING_PREFIX}1")], UNMANAGED),
        ([row(stack=f"{HOLDING_PREFIX}1"), row()], OURS),
        ([row(stack="gone")], UNMANAGED),
        (
            [row(stack="gone"), row(stack="zzz")],
            Owner(Ownership.OTHER_STACK, "zzz", "Orders", "arn:zzz"),
        ),
    ],
)
def test_the_owner_is_the_living_stack_that_has_it(
    rows: list[dict[str, str]], owner: Owner
) -> None:
    """Type, status and the stack's own life count; the position among its resources does not."""
    assert owner_of(FakeCloudFormation(*rows, deleted="gone"), (TABLE,), "orders") == owner


def test_a_stack_may_answer_to_two_names() -> None:
    """The alias of a stack comes with the owner, whose ARN stays that of the stack."""
    found = owner_of(FakeCloudFormation(row(), alias="app-prod"), (TABLE,), "orders")
    assert found == replace(OURS, alias="app-prod")


@pytest.mark.parametrize(
    "operation", ["DescribeStackResources", "ListStackResources", "DescribeStacks"]
)
def test_a_denial_is_not_nobody(operation: str) -> None:
    """Ownership that may not be seen is unknown, with the permission that would tell."""
    aws = FakeCloudFormation(*many(), row(), denied=operation)
    with pytest.raises(LookupFailedError, match=f"it needs cloudformation:{operation}"):
        owner_of(aws, (TABLE,), "orders")


def test_every_type_of_a_kind_finds_the_owner() -> None:
    """A stack that declares a table as a global table owns it whatever the app calls it."""
    types = KIND.all_types
    assert set(types) == {TABLE, "AWS::DynamoDB::GlobalTable"}
    for cfn_type in types:
        assert owner_of(FakeCloudFormation(row(cfn_type=cfn_type)), types, "orders") == OURS
    assert owner_of(FakeCloudFormation(row(cfn_type=BUCKET)), types, "orders") == UNMANAGED


def settled(name: str) -> None:
    """Wait until a stack rests."""
    deadline = time.monotonic() + 10
    cloudformation = boto3.client("cloudformation")
    while time.monotonic() < deadline:
        stacks = cloudformation.list_stacks()["StackSummaries"]
        if not any(
            each["StackName"] == name and each["StackStatus"].endswith("IN_PROGRESS")
            for each in stacks
        ):
            return
        time.sleep(0.02)
    raise AssertionError(name)


def test_a_retained_bucket_is_nobodys_after_its_stack(aws_server: EmbeddedAws) -> None:
    """On a server: the stack owns it while it lives, under its type only, and then nobody does."""
    cloudformation = boto3.client("cloudformation")
    bucket = {
        "Type": BUCKET,
        "DeletionPolicy": "Retain",
        "Properties": {"BucketName": "kept-bucket"},
    }
    body = json.dumps({"Resources": {"Kept": bucket}})
    cloudformation.create_stack(StackName="app", TemplateBody=body)
    settled("app")
    account = open_account()
    owner = account.owner_of((BUCKET,), "kept-bucket")
    assert (owner.ownership, owner.stack, owner.logical_id) == (
        Ownership.OTHER_STACK,
        "app",
        "Kept",
    )
    assert owner.environment == (account.account, account.region)
    assert account.owner_of((TABLE,), "kept-bucket") == UNMANAGED
    cloudformation.delete_stack(StackName="app")
    settled("app")
    assert account.owner_of((BUCKET,), "kept-bucket") == UNMANAGED
    assert account.owner_of((BUCKET,), "never-was") == UNMANAGED
