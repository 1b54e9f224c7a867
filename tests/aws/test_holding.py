"""The rules of holding stacks: the resource stays, the stack goes, a killed run is continued."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.aws import HeldResource, WaitIntervals, create_together
from dataware.aws.errors import translate_errors
from dataware.aws.holding_stack import HOLDING_PREFIX, holding_name, release_leftovers
from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    LookupFailedError,
    ServiceError,
)
from dataware.core.model import UNMANAGED
from dataware.core.ports import Aws
from dataware.embedded import EmbeddedAws
from support.accounts import open_account
from support.servers import FaultProxy, Forward, Reply, Seen, drop_after

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
PROPERTIES: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
QUICK = WaitIntervals(seconds=20, first=0.01, longest=0.1)


class RaisingWatch:
    """Lets what was made go at once, and keeps what has failed."""

    def __init__(self) -> None:
        self.created: list[str] = []
        self.errors: dict[str, DatawareError] = {}

    def report_made(self, resource: HeldResource) -> None:
        self.created.append(resource.name)

    def report_failed(self, resource: HeldResource, error: DatawareError) -> None:
        self.errors[resource.name] = error

    def await_recorded(self, resources: Sequence[HeldResource]) -> None:
        assert {one.name for one in resources} <= set(self.created)


def create_held(
    aws: Aws,
    cfn_type: str,
    identifier: str,
    name: str,
    properties: Mapping[str, Any],
    *,
    patience: WaitIntervals | None = None,
) -> None:
    """Create one resource, and raise what becomes of it."""
    watch, one = RaisingWatch(), HeldResource(cfn_type, identifier, name, properties)
    create_together(aws, [one], watch, filled=True, patience=patience)
    if name in watch.errors:
        raise watch.errors[name]
    assert watch.created == [name]


def held_stacks() -> list[str]:
    """The names of the holding stacks that are still there."""
    return [
        each["StackName"]
        for each in boto3.client("cloudformation").list_stacks()["StackSummaries"]
        if each["StackName"].startswith(HOLDING_PREFIX) and each["StackStatus"] != "DELETE_COMPLETE"
    ]


def test_the_resource_stays_and_the_stack_goes(aws_server: EmbeddedAws) -> None:
    """What was created has its properties, and belongs to nobody."""
    account = open_account()
    seen: list[str] = []
    patience = WaitIntervals(seconds=20, first=0.01, progress=seen.append)
    create_held(account, TABLE, "TableName", "orders", PROPERTIES, patience=patience)
    table = boto3.client("dynamodb").describe_table(TableName="orders")["Table"]
    assert table["KeySchema"] == PROPERTIES["KeySchema"]
    assert held_stacks() == []
    assert account.owner_of((TABLE,), "orders") == UNMANAGED
    assert seen[-1] == "DELETE_COMPLETE"


def test_a_taken_name_fails_with_the_reason_and_changes_nothing(aws_server: EmbeddedAws) -> None:
    """CloudFormation's own words are told; what has the name keeps its data."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="taken-bucket")
    s3.put_object(Bucket="taken-bucket", Key="precious", Body=b"1")
    with pytest.raises(ServiceError, match=r"did not create taken-bucket: .*already exists"):
        create_held(open_account(), BUCKET, "BucketName", "taken-bucket", {}, patience=QUICK)
    assert held_stacks() == []
    assert s3.list_objects_v2(Bucket="taken-bucket")["KeyCount"] == 1


def start_holding(name: str) -> None:
    """What a killed run leaves: a holding stack that nobody waits for."""
    properties = {**PROPERTIES, "TableName": name}
    held = {"Type": TABLE, "DeletionPolicy": "Retain", "Properties": properties}
    boto3.client("cloudformation").create_stack(
        StackName=holding_name(TABLE, name), TemplateBody=json.dumps({"Resources": {"Held": held}})
    )


def test_a_left_over_stack_is_continued(aws_server: EmbeddedAws) -> None:
    """The next run takes what the killed one made, instead of failing on its name."""
    start_holding("orders")
    create_held(open_account(), TABLE, "TableName", "orders", PROPERTIES, patience=QUICK)
    assert held_stacks() == []
    assert boto3.client("dynamodb").list_tables()["TableNames"] == ["orders"]


def test_a_left_over_stack_is_released(aws_server: EmbeddedAws) -> None:
    """Releasing deletes the stack alone, says what it had made, and may be repeated."""
    start_holding("orders")
    account = open_account()
    assert release_leftovers(account, TABLE, "orders", patience=QUICK)
    assert not release_leftovers(account, TABLE, "orders", patience=QUICK)
    assert held_stacks() == []
    assert boto3.client("dynamodb").list_tables()["TableNames"] == ["orders"]


def test_a_creation_whose_answer_was_lost_is_asked_for_once(fault_proxy: FaultProxy) -> None:
    """The SDK's second try hears of the stack that the first one made, which is taken for it."""
    fault_proxy.add(drop_after, operation="CreateStack", times=1)
    create_held(open_account(), TABLE, "TableName", "orders", PROPERTIES, patience=QUICK)
    assert fault_proxy.count("CreateStack") == 2
    assert held_stacks() == []
    assert boto3.client("dynamodb").list_tables()["TableNames"] == ["orders"]


def test_a_stack_that_another_one_made_meanwhile_is_not_taken_for_ones_own(
    fault_proxy: FaultProxy,
) -> None:
    """Its events carry another token, so nothing is known of what it was asked for."""

    def come_first(seen: Seen, forward: Forward) -> Reply:
        start_holding("orders")
        return forward(seen)

    fault_proxy.add(come_first, operation="CreateStack", times=1)
    with pytest.raises(LookupFailedError, match="CreateStack returned AlreadyExistsException"):
        create_held(open_account(), TABLE, "TableName", "orders", PROPERTIES, patience=QUICK)
    assert held_stacks() == [holding_name(TABLE, "orders")]


class FakeStacks:
    """CloudFormation with one stack that walks through given statuses, a step at each look."""

    account, region, partition = "1", "r", "aws"
    translate_errors = staticmethod(translate_errors)

    def __init__(
        self, *, existing: list[str], created: list[str], deleted: list[str], made: bool = False
    ) -> None:
        self.statuses = existing
        self.created, self.deleted, self.made = created, deleted, made
        self.calls: list[str] = []
        self.template: dict[str, Any] = {}

    def client(self, _service: str) -> FakeStacks:
        return self

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        """The next status; the last one stays."""
        if not self.statuses:
            error = {"Code": "ValidationError", "Message": "Stack with id x does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        gone = status == "DELETE_COMPLETE"
        if gone and "delete" not in self.calls:
            raise AssertionError("deleted by nobody")
        return {"Stacks": [{"StackId": "arn:1", "StackStatus": status}]}

    def create_stack(self, **given: Any) -> dict[str, str]:
        self.calls.append("create")
        self.template = json.loads(given["TemplateBody"])
        self.statuses = list(self.created)
        return {"StackId": "arn:1"}

    def delete_stack(self, **_: str) -> None:
        self.calls.append("delete")
        self.statuses = list(self.deleted)

    def list_stack_resources(self, **_: str) -> dict[str, Any]:
        status = "CREATE_COMPLETE" if self.made else "DELETE_COMPLETE"
        return {"StackResourceSummaries": [{"ResourceStatus": status}]}

    def pause(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def get_paginator(self, _name: str) -> FakeStacks:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        """Newest first, as the service answers."""
        return [
            {
                "StackEvents": [
                    {"ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": "later"},
                    {"ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "quota\n reached."},
                    {"ResourceStatus": "CREATE_IN_PROGRESS", "ResourceStatusReason": "begun"},
                ]
            }
        ]


def create(stacks: FakeStacks, patience: WaitIntervals | None = None) -> None:
    """Create the table `orders` over a fake."""
    quick = patience or WaitIntervals(first=0, sleep=lambda _seconds: None)
    aws: Any = stacks
    create_held(aws, TABLE, "TableName", "orders", PROPERTIES, patience=quick)


def test_the_template_retains_the_resource() -> None:
    """Neither deleting nor replacing the stack can take the resource along."""
    stacks = FakeStacks(existing=[], created=["CREATE_COMPLETE"], deleted=["DELETE_COMPLETE"])
    create(stacks)
    (resource,) = stacks.template["Resources"].values()
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert resource["Properties"] == {**PROPERTIES, "TableName": "orders"}
    assert stacks.calls == ["create", "delete"]


@pytest.mark.parametrize(
    ("left", "made", "calls"),
    [
        (["ROLLBACK_COMPLETE"], False, ["delete", "create", "delete"]),
        (["CREATE_IN_PROGRESS", "ROLLBACK_FAILED"], False, ["delete", "create", "delete"]),
        (["CREATE_IN_PROGRESS", "CREATE_COMPLETE"], True, ["delete"]),
        (["CREATE_COMPLETE"], True, ["delete"]),
    ],
)
def test_left_overs_are_cleared_first(left: list[str], made: bool, calls: list[str]) -> None:
    """A failed left-over is deleted and tried again; a finished one is kept as the result."""
    stacks = FakeStacks(
        existing=list(left), created=["CREATE_COMPLETE"], deleted=["DELETE_COMPLETE"], made=made
    )
    create(stacks)
    assert stacks.calls == calls


def test_a_failure_is_told_with_the_first_reason_and_cleaned_up() -> None:
    """The reason is that of the first event that failed, on one line."""
    stacks = FakeStacks(
        existing=[],
        created=["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"],
        deleted=["DELETE_IN_PROGRESS", "DELETE_COMPLETE"],
    )
    with pytest.raises(ServiceError, match="did not create orders: quota reached; correct"):
        create(stacks)
    assert stacks.calls == ["create", "delete"]


def test_a_stack_that_cannot_go_is_with_names() -> None:
    """What is left behind is said, and that it can be deleted safely."""
    stacks = FakeStacks(existing=[], created=["CREATE_COMPLETE"], deleted=["DELETE_FAILED"])
    with pytest.raises(ServiceError, match=rf"{HOLDING_PREFIX}\w+ of orders cannot be deleted"):
        create(stacks)


def test_waiting_is_bounded_and_grows() -> None:
    """A stack that never rests ends as incomplete, after pauses that grow to the longest."""
    now, pauses = [0.0], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    look: Callable[[], float] = lambda: now[0]  # noqa: E731  # typed for the field
    stacks = FakeStacks(existing=[], created=["CREATE_IN_PROGRESS"], deleted=[])
    with pytest.raises(IncompleteError, match="still busy with orders"):
        create(stacks, WaitIntervals(seconds=60, first=1, longest=5, sleep=sleep, monotonic=look))
    assert pauses[:2] == [1, 1.5]
    assert max(pauses) == 5
    assert sum(pauses) <= 60


def test_the_name_is_the_same_for_the_same_resource() -> None:
    """Left-overs are found again, resources do not share one, and the name is allowed."""
    assert holding_name(TABLE, "orders") == holding_name(TABLE, "orders")
    assert holding_name(TABLE, "orders") != holding_name(BUCKET, "orders")
    assert len(holding_name(TABLE, "x" * 255)) < 128


def test_a_template_that_is_too_large_is_refused() -> None:
    """Nothing is begun that CloudFormation would refuse for its size."""
    stacks: Any = FakeStacks(existing=[], created=[], deleted=[])
    with pytest.raises(InputError, match="leave its creation to the deployment"):
        create_held(stacks, TABLE, "TableName", "orders", {"Big": "x" * 60_000})
    assert stacks.calls == []
