"""The embedded Step Functions hands out batches and writes results as AWS documents it.

Sources: AWS Step Functions Developer Guide, "ItemBatcher (Map)" and "ResultWriter (Map)".
"""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest

from dataware.embedded import EmbeddedAws

ROLE = "arn:aws:iam::000000000000:role/states"
FIELDS = {
    "ExecutionArn",
    "Input",
    "InputDetails",
    "Name",
    "OutputDetails",
    "RedriveCount",
    "RedriveStatus",
    "StartDate",
    "StateMachineArn",
    "Status",
    "StopDate",
}


@pytest.fixture
def states(aws_server: EmbeddedAws) -> Any:
    """A client of an AWS with a bucket that holds 23 items."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="work")
    body = json.dumps([{"number": n} for n in range(23)])
    s3.put_object(Bucket="work", Key="items.json", Body=body)
    return boto3.client("stepfunctions")


def make_map(first: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A Distributed Map over the items, whose children begin with a state."""
    return {
        "Type": "Map",
        "Label": "Shards",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "work", "Key.$": "$.items"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "First",
            "States": {
                "First": first,
                "Bad": {"Type": "Fail", "Error": "Worse", "Cause": "three"},
                "Good": {"Type": "Pass", "OutputPath": "$.Items", "End": True},
            },
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "work", "Prefix.$": "$.prefix"},
        },
        "End": True,
        **more,
    }


BATCHER = {"MaxItemsPerBatchPath": "$.most", "BatchInput": {"job.$": "$.job"}}
GIVEN = {"items": "items.json", "prefix": "out/1", "most": 5, "job": {"name": "one"}}
CHOICE = {
    "Type": "Choice",
    "Choices": [{"Variable": "$.Items[0].number", "NumericEquals": 5, "Next": "Bad"}],
    "Default": "Good",
}


def start(states: Any, state: dict[str, Any], given: dict[str, Any]) -> str:
    """Start an execution of one state; its ARN."""
    definition = {"StartAt": "Map", "States": {"Map": state}}
    machine = states.create_state_machine(
        name="map", definition=json.dumps(definition), roleArn=ROLE
    )
    answer = states.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(given)
    )
    return str(answer["executionArn"])


def end(states: Any, arn: str) -> Any:
    """How an execution ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        seen = states.describe_execution(executionArn=arn)
        if seen["status"] != "RUNNING":
            return seen
        time.sleep(0.1)
    raise AssertionError("it did not end")


def run_of(states: Any, arn: str) -> Any:
    """The only map run of an execution."""
    (run,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    return states.describe_map_run(mapRunArn=run["mapRunArn"])


def begun(states: Any, arn: str) -> int:
    """How many items of an execution are worked on at the moment."""
    runs = states.list_map_runs(executionArn=arn)["mapRuns"]
    views = [states.describe_map_run(mapRunArn=run["mapRunArn"]) for run in runs]
    return sum(view["itemCounts"]["running"] for view in views)


def read(key: str) -> Any:
    """A file of results."""
    return json.loads(boto3.client("s3").get_object(Bucket="work", Key=key)["Body"].read())


def test_items_come_in_batches_and_results_go_to_files_by_outcome(states: Any) -> None:
    """23 items by five are five batches, of which one fails; every field as on AWS's page."""
    state = make_map(CHOICE, ItemBatcher=BATCHER, ToleratedFailurePercentage=100)
    arn = start(states, state, GIVEN)
    ended = end(states, arn)
    assert ended["status"] == "SUCCEEDED", ended
    run = run_of(states, arn)
    output = json.loads(ended["output"])
    folder = f"out/1/{run['mapRunArn'].rpartition(':')[2]}"
    assert output == {
        "MapRunArn": run["mapRunArn"],
        "ResultWriterDetails": {"Bucket": "work", "Key": f"{folder}/manifest.json"},
    }
    manifest = read(f"{folder}/manifest.json")
    assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == ("work", run["mapRunArn"])
    files = manifest["ResultFiles"]
    assert files["PENDING"] == []
    assert [one["Key"] for one in files["SUCCEEDED"]] == [f"{folder}/SUCCEEDED_0.json"]
    assert [one["Key"] for one in files["FAILED"]] == [f"{folder}/FAILED_0.json"]
    good, bad = read(f"{folder}/SUCCEEDED_0.json"), read(f"{folder}/FAILED_0.json")
    sizes = sorted(len(json.loads(one["Output"])) for one in good)
    assert sizes == [3, 5, 5, 5]
    for one in good:
        assert one.keys() == FIELDS | {"Output", "RedriveStatusReason"}
        given = json.loads(one["Input"])
        assert given["BatchInput"] == {"job": {"name": "one"}}
        assert given["Items"] == json.loads(one["Output"])
    (failed,) = bad
    assert failed.keys() == FIELDS | {"Error", "Cause"}
    assert (failed["Status"], failed["Error"], failed["Cause"]) == ("FAILED", "Worse", "three")
    assert run["itemCounts"]["total"] == 23
    assert (run["itemCounts"]["succeeded"], run["itemCounts"]["failed"]) == (18, 5)
    assert (run["executionCounts"]["succeeded"], run["executionCounts"]["failed"]) == (4, 1)


def test_a_batch_is_no_larger_than_it_may_be(states: Any) -> None:
    """By bytes of the whole input; an item that is larger stands alone."""
    batcher = {"MaxInputBytesPerBatch": 60}
    state = make_map({"Type": "Pass", "Next": "Good"}, ItemBatcher=batcher)
    arn = start(states, state, GIVEN)
    ended = end(states, arn)
    assert ended["status"] == "SUCCEEDED", ended
    key = json.loads(ended["output"])["ResultWriterDetails"]["Key"]
    (file,) = read(key)["ResultFiles"]["SUCCEEDED"]
    inputs = [one["Input"] for one in read(file["Key"])]
    assert all(len(text) <= 60 for text in inputs)
    numbers = [item["number"] for text in inputs for item in json.loads(text)["Items"]]
    assert sorted(numbers) == list(range(23))


def test_what_a_stopped_run_did_not_begin_is_pending(states: Any) -> None:
    """Nothing more is begun, and the files say what was done and what was not."""
    boto3.client("dynamodb").create_table(
        TableName="slow",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:getItem",
        "Parameters": {"TableName": "slow", "Key": {"pk": {"S": "a"}}},
        "ResultPath": "$.seen",
        "Next": "Rest",
    }
    state = make_map(task, ItemBatcher=BATCHER, MaxConcurrencyPath="$.workers")
    rest = {"Type": "Wait", "Seconds": 2, "Next": "Good"}
    state["ItemProcessor"]["States"]["Rest"] = rest
    arn = start(states, state, {**GIVEN, "workers": 1})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not begun(states, arn):
        time.sleep(0.05)
    states.stop_execution(executionArn=arn)
    assert end(states, arn)["status"] == "ABORTED"
    (run,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    key = f"out/1/{run['mapRunArn'].rpartition(':')[2]}/manifest.json"
    s3 = boto3.client("s3")
    while time.monotonic() < deadline and not s3.list_objects_v2(Bucket="work", Prefix=key).get(
        "Contents"
    ):
        time.sleep(0.1)
    files = read(key)["ResultFiles"]
    pending = [json.loads(one["Input"]) for file in files["PENDING"] for one in read(file["Key"])]
    assert 0 < len(pending) < 5
    assert all(given["BatchInput"] == {"job": {"name": "one"}} for given in pending)
