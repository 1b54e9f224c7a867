"""A deployment without CloudFormation and Lambda: its handlers, called as the states call them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.handler import begin as begin_step
from dataware.handler import copy_shard, finish, is_complete, on_event
from support.worlds import client

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
RECORDS = {TABLE: "dynamodb-table", BUCKET: "s3-bucket"}
PLENTY = 900_000
ROLE = "arn:aws:iam::000000000000:role/states"


class Time:
    """Lambda's context: there is plenty of time until `is_up` says that there is none."""

    def __init__(self, is_up: Callable[[], bool] = lambda: False) -> None:
        self._is_up = is_up

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds that are left."""
        return 0 if self._is_up() else PLENTY


def until_written(table: str) -> Time:
    """Time until something more is in the table, however long that takes on this machine."""
    before = _count(table)
    return Time(lambda: _count(table) > before)


class Asked:
    """Lambda's context whose time is up once it was asked for so many times."""

    def __init__(self, times: int) -> None:
        self._left = times

    def get_remaining_time_in_millis(self) -> int:
        """Plenty, and then nothing."""
        self._left -= 1
        return PLENTY if self._left >= 0 else 0


def properties(cfn_type: str = TABLE, **more: str) -> dict[str, str]:
    """The properties of a migration from ``old-one`` to ``new-one``, strings all of them."""
    here = {"Owner": "000000000000", "Region": "us-east-1"}
    return {
        "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:provider",
        "Type": cfn_type,
        "Source": "old-one",
        "Target": "new-one",
        **{f"{side}{word}": value for side in ("Source", "Target") for word, value in here.items()},
        "Workers": "4",
        "Seconds": "3000",
        "Every": "10",
        **more,
    }


def request(kind: str, about: Mapping[str, str], number: int = 1, **more: Any) -> dict[str, Any]:
    """An event of CloudFormation, for the state machine of the test."""
    machine = {"Machine": os.environ.get("STATE_MACHINE", "")}
    return {
        "RequestType": kind,
        "RequestId": f"request-{number}",
        "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/demo/1",
        "LogicalResourceId": "Copy",
        "ResponseURL": "https://example.invalid/secret",
        "ResourceProperties": {**machine, **about},
        **({} if kind == "Create" else {"PhysicalResourceId": on_event.physical_id(about)}),
        **more,
    }


def make_machine(definition: Mapping[str, Any], name: str = "copy") -> str:
    """A state machine; its ARN."""
    answer = client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE
    )
    return str(answer["stateMachineArn"])


def one_state(**state: Any) -> dict[str, Any]:
    """A definition of one state."""
    return {"StartAt": "Only", "States": {"Only": state}}


WAITING = one_state(Type="Wait", Seconds=600, End=True)


@dataclass
class Execution:
    """Runs the states of an execution in this process, JSON in between as in Step Functions.

    Meanwhile CloudFormation polls, which keeps the lock. `time` is what each call of a worker
    gets, and one that verifies only the time to read `pages`; `calls` counts them, and `verifying`
    those of the verification among them; `before` runs before each; from the call `late` on the
    deadline of the deployment has passed. `largest` is the largest state in characters.
    """

    time: Callable[[], Time] = Time
    pages: int = 1000
    late: int = 1000
    before: Callable[[int], None] = lambda _call: None
    calls: int = 0
    verifying: int = 0
    largest: int = 0
    outcomes: list[str] = field(default_factory=list)

    def run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The last state's output."""
        state = _json(begin_step.handler(_json(given), Time()))
        while True:
            self.outcomes.append(state["outcome"])
            self.largest = max(self.largest, len(json.dumps(state)))
            if state["outcome"] == "again":
                state = _json(begin_step.handler(state, Time()))
            elif state["outcome"] in {"copy", "verify"}:
                ended = [self._work(state["job"], shard) for shard in state["shards"]]
                _poll_running(state["job"])
                state = {**state, "shards": ended}
                self.largest = max(self.largest, len(json.dumps(state)))
                state = _json(finish.handler(_json(state), Time()))
            else:
                return state

    def _work(self, job: Mapping[str, Any], shard: Mapping[str, Any]) -> dict[str, Any]:
        ended = dict(shard)
        while not ended["ended"]:
            self.calls += 1
            verifies = "task" in shard
            self.verifying += verifies
            assert self.calls < 400, "the work makes no progress"
            self.before(self.calls)
            _poll_running(job)
            deadline = job["deadline"] if self.calls < self.late else 0.0
            event = _json({"job": {**job, "deadline": deadline}, "shard": ended})
            # It is asked for before the shard, before the first page and after each.
            context = Asked(self.pages + 1) if verifies else self.time()
            ended = _json(copy_shard.handler(event, context))
        return ended


def begin(about: Mapping[str, str], kind: str = "Create", number: int = 1, **more: Any) -> Any:
    """What `on_event` answers, and what the execution that it started was given (or None)."""
    event = request(kind, about, number, **more)
    answer = _json(on_event.handler(event, Time()))
    arn = answer.get("Execution")
    if arn is None:
        return answer, None
    given = client("stepfunctions").describe_execution(executionArn=arn)["input"]
    return answer, json.loads(given)


def poll(answer: Mapping[str, Any]) -> Any:
    """What `is_complete` answers."""
    return is_complete.handler(_json(answer), Time())


def _poll_running(job: Mapping[str, Any]) -> None:
    """The poll of an execution that goes on."""
    machine = os.environ["STATE_MACHINE"].replace(":stateMachine:", ":execution:")
    answer = {"Execution": f"{machine}:{job['execution']}"}
    assert poll(answer) == {"IsComplete": False}


def _count(table: str) -> int:
    """How many items a table has; the embedded AWS counts them at once."""
    return int(client("dynamodb").describe_table(TableName=table)["Table"]["ItemCount"])


def record(cfn_type: str = TABLE, target: str = "new-one") -> dict[str, Any]:
    """The marker as it is stored."""
    name = f"/dataware/markers/{RECORDS[cfn_type]}/{target}"
    value: dict[str, Any] = json.loads(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    return value


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value))
