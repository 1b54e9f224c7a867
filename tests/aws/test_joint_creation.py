"""Several resources by one holding stack: what is made stays, what fails takes nothing along."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.aws import HeldResource, LeftoverStacks, WaitIntervals, create_together
from dataware.aws.holding_stack import HOLDING_PREFIX, TEMPLATE_LIMIT
from dataware.aws.joint_creation import MOST_TOGETHER, _split, joint_name
from dataware.core.errors import DatawareError, InputError, ServiceError
from dataware.core.model import UNMANAGED
from dataware.core.values import list_hidden_texts
from dataware.embedded import EmbeddedAws
from support.accounts import open_account

TABLE = "AWS::DynamoDB::Table"
QUICK = WaitIntervals(seconds=20, first=0.01, longest=0.1)
PROPERTIES: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}


class KeepingWatch:
    """Keeps what it hears; what was made counts as recorded once `recorded` is set."""

    def __init__(self) -> None:
        self.created: list[str] = []
        self.errors: dict[str, DatawareError] = {}
        self.recorded = threading.Event()
        self.recorded.set()

    def report_made(self, resource: HeldResource) -> None:
        self.created.append(resource.name)

    def report_failed(self, resource: HeldResource, error: DatawareError) -> None:
        self.errors[resource.name] = error

    def await_recorded(self, resources: Sequence[HeldResource]) -> None:
        self.recorded.wait()


def table(name: str, **more: Any) -> HeldResource:
    """A table to create."""
    return HeldResource(TABLE, "TableName", name, {**PROPERTIES, **more})


def bucket(name: str) -> HeldResource:
    """A bucket to create."""
    return HeldResource("AWS::S3::Bucket", "BucketName", name, {})


def all_stacks() -> list[dict[str, Any]]:
    """Every holding stack there ever was."""
    found: list[dict[str, Any]] = boto3.client("cloudformation").list_stacks()["StackSummaries"]
    return [each for each in found if each["StackName"].startswith(HOLDING_PREFIX)]


def living_stacks() -> list[str]:
    """The names of those that are there."""
    return [one["StackName"] for one in all_stacks() if one["StackStatus"] != "DELETE_COMPLETE"]


def tables() -> list[str]:
    """The tables that exist."""
    return list(boto3.client("dynamodb").list_tables()["TableNames"])


PLANTED = 'hunter2 "q"'
REPEATED = json.dumps({"user": "space", "password": PLANTED})


@pytest.mark.parametrize(
    "said",
    [
        f"Value {REPEATED} is refused",
        f"Value {json.dumps(REPEATED)} is refused",
        f"the password {PLANTED} is too short",
        'the password hunter2\n "q" is too short',
    ],
)
@pytest.mark.parametrize("at", ["event", "stack", "call"])
def test_no_secret_value_stands_in_why_a_creation_failed(said: str, at: str) -> None:
    """Whole or in part, as it is or escaped, in an event, of the stack, or in a refusal."""
    name, properties = "secret", {"SecretString": REPEATED, "Description": "a secret"}
    hidden = list_hidden_texts(properties, ("SecretString",))
    secret = HeldResource("AWS::SecretsManager::Secret", "Name", name, properties, hidden)
    watch = KeepingWatch()
    create_together(RefusingStacks(said, at), [secret], watch, filled=False, patience=QUICK)  # type: ignore[arg-type]
    error = watch.errors[name]
    chain = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert "***" in str(error) or at == "call"
    assert "hunter2" not in chain + repr(secret.hidden and str(error))


class RefusingStacks:
    """CloudFormation, which repeats what it refuses."""

    account, region, partition = "111122223333", "eu-central-1", "aws"

    def __init__(self, said: str, at: str) -> None:
        self._said, self._at, self._made = said, at, False

    def client(self, _service: str) -> RefusingStacks:
        """Itself."""
        return self

    def pause(self, _seconds: float) -> None:
        """Wait no time."""

    def create_stack(self, **_given: Any) -> Any:
        """Begin, or refuse at once."""
        if self._at == "call":
            answer = {"Error": {"Code": "ValidationError", "Message": self._said}}
            raise ClientError(answer, "CreateStack")
        self._made = True
        return {"StackId": "id"}

    def describe_stacks(self, **_given: Any) -> Any:
        """The stack that failed, or none."""
        if not self._made:
            error = {"Code": "ValidationError", "Message": "Stack with id x does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        reason = {"StackStatusReason": self._said} if self._at == "stack" else {}
        return {"Stacks": [{"StackId": "id", "StackStatus": "ROLLBACK_COMPLETE", **reason}]}

    def list_stack_resources(self, **_given: Any) -> Any:
        """Nothing was made."""
        return {"StackResourceSummaries": []}

    def get_paginator(self, _call: str) -> RefusingStacks:
        """Itself."""
        return self

    def paginate(self, **_given: Any) -> Any:
        """What happened."""
        failed = {
            "LogicalResourceId": "Held",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": self._said,
        }
        return [{"StackEvents": [failed] if self._at == "event" else []}]

    def delete_stack(self, **_given: Any) -> None:
        """Gone."""
        self._made = False


@pytest.mark.parametrize("filled", [True, False])
def test_one_stack_creates_them_all_and_goes(aws_server: EmbeddedAws, filled: bool) -> None:
    """Whatever there is to create of whatever types; what was created belongs to nobody."""
    watch, account = KeepingWatch(), open_account()
    wanted = [table("a"), bucket("some-bucket"), table("b")]
    create_together(account, wanted, watch, filled=filled, patience=QUICK)
    assert sorted(watch.created) == ["a", "b", "some-bucket"]
    assert watch.errors == {}
    assert len(all_stacks()) == 1
    assert living_stacks() == []
    assert [account.owner_of((TABLE,), name) for name in "ab"] == [UNMANAGED, UNMANAGED]


@pytest.mark.parametrize("filled", [True, False])
def test_a_failure_takes_nothing_along(aws_server: EmbeddedAws, filled: bool) -> None:
    """The others are made, each told of once, and the reason is that of the one that failed."""
    boto3.client("s3").create_bucket(Bucket="taken-bucket")
    watch = KeepingWatch()
    wanted = [table("a"), bucket("taken-bucket"), table("b"), table("c")]
    create_together(open_account(), wanted, watch, filled=filled, patience=QUICK)
    assert sorted(watch.created) == tables() == ["a", "b", "c"]
    assert list(watch.errors) == ["taken-bucket"]
    assert type(watch.errors["taken-bucket"]) is ServiceError
    assert "already exists" in str(watch.errors["taken-bucket"])
    assert living_stacks() == []


def test_a_template_that_is_refused_as_a_whole_holds_up_none(aws_server: EmbeddedAws) -> None:
    """A property that CloudFormation refuses beforehand is the fault of one resource."""
    watch = KeepingWatch()
    wanted = [table("a"), table("b", BillingMode="SOMETIMES"), table("c")]
    create_together(open_account(), wanted, watch, filled=True, patience=QUICK)
    assert sorted(watch.created) == ["a", "c"]
    assert list(watch.errors) == ["b"]
    assert living_stacks() == []


def test_what_is_made_is_told_before_its_stack_goes(aws_server: EmbeddedAws) -> None:
    """The stack stays until nobody needs it, and so tells the next run what was made."""
    watch, account = KeepingWatch(), open_account()
    watch.recorded.clear()
    work = threading.Thread(
        target=create_together,
        args=(account, [table("a"), table("b")], watch),
        kwargs={"filled": True, "patience": QUICK},
    )
    work.start()
    while len(watch.created) < 2:
        work.join(0.01)
    assert len(living_stacks()) == 1
    watch.recorded.set()
    work.join()
    assert living_stacks() == []


def leave_over(*names: str) -> None:
    """What a run leaves that is killed while tables are created together."""
    watch = KeepingWatch()
    watch.recorded.clear()
    work = threading.Thread(
        target=create_together,
        args=(open_account(), [table(name) for name in names], watch),
        kwargs={"filled": True, "patience": QUICK},
        daemon=True,
    )
    work.start()
    while len(watch.created) < len(names):
        work.join(0.01)


def test_the_next_run_takes_what_the_same_set_left(aws_server: EmbeddedAws) -> None:
    """Nothing is created twice."""
    leave_over("a", "b")
    watch = KeepingWatch()
    create_together(open_account(), [table("b"), table("a")], watch, filled=True, patience=QUICK)
    assert sorted(watch.created) == ["a", "b"]
    assert len(all_stacks()) == 1
    assert living_stacks() == []


def test_a_resource_finds_the_stack_that_still_holds_it(aws_server: EmbeddedAws) -> None:
    """Whoever asks, the stack is removed once, and each learns that it was made."""
    leave_over("a", "b", "c")
    left_over = LeftoverStacks(open_account(), QUICK)
    made: dict[str, bool] = {}

    def release(name: str) -> None:
        made[name] = left_over.release((TABLE,), TABLE, name)

    threads = [threading.Thread(target=release, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == {"a": True, "b": True, "c": True, "d": False}
    assert living_stacks() == []
    assert tables() == ["a", "b", "c"]


def test_sets_are_as_few_as_fit() -> None:
    """By the size of a template, and by what one look at a stack shows."""
    sized = [(table(f"t{number}"), 300) for number in range(250)]
    assert [len(each) for each in _split(sized)] == [MOST_TOGETHER, MOST_TOGETHER, 50]
    large = [(table(f"t{number}"), TEMPLATE_LIMIT // 2) for number in range(3)]
    assert [len(each) for each in _split(large)] == [1, 1, 1]
    together = [one for each in _split(sized) for one in each]
    assert together == [one for one, _ in sized]


def test_the_name_is_that_of_the_set() -> None:
    """In any order, and another one for every other set."""
    a, b, c = table("a"), table("b"), bucket("c")
    assert joint_name([a, b]) == joint_name([b, a])
    names = [joint_name(some) for some in ([a], [b], [a, b], [a, c], [a, b, c])]
    assert len(set(names)) == len(names)


def test_one_that_is_too_large_holds_up_no_other(aws_server: EmbeddedAws) -> None:
    """It is left to the deployment."""
    watch = KeepingWatch()
    wanted = [table("a"), table("b", Big="x" * TEMPLATE_LIMIT)]
    create_together(open_account(), wanted, watch, filled=True, patience=QUICK)
    assert watch.created == ["a"]
    assert isinstance(watch.errors["b"], InputError)
