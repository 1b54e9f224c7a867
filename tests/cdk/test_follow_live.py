"""A table is followed by a real function with real event sources of the embedded AWS."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws
from dataware.ops.map_engine.lambda_code import write_code
from support.deployments import RECORDS, TABLE
from support.worlds import client, make_table

ROLE = "arn:aws:iam::000000000000:role/carrier"
HERE = {"owner": "000000000000", "region": "us-east-1"}
RECORD = f"/dataware/markers/{RECORDS[TABLE]}/new-one"
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


def content(table: str) -> dict[str, str]:
    """What a table holds."""
    page = client("dynamodb").scan(TableName=table, ConsistentRead=True)
    return {one["pk"]["S"]: one["v"]["N"] for one in page["Items"]}


def put(key: str, value: int) -> None:
    """Change the source."""
    item = {"pk": {"S": key}, "v": {"N": str(value)}}
    client("dynamodb").put_item(TableName="old-one", Item=item)


def wait(until: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.3)


@pytest.fixture
def carrier(aws_server: EmbeddedAws, tmp_path: Path) -> Iterator[str]:
    """The function with its queue and both event sources; its ARN."""
    make_table("old-one")
    make_table("new-one")
    client("dynamodb").update_table(TableName="old-one", StreamSpecification=ON)
    queue = client("sqs").create_queue(
        QueueName="changes.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "150"}
    )["QueueUrl"]
    write_code(tmp_path / "code")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in (tmp_path / "code").rglob("*.py"):
            archive.write(path, path.relative_to(tmp_path / "code"))
    places = {"SOURCE": "old-one", "TARGET": "new-one"}
    variables = {word: json.dumps({"name": name, **HERE}) for word, name in places.items()}
    variables |= {"QUEUE_URL": queue, "TYPE": TABLE}
    functions = client("lambda")
    arn: str = functions.create_function(
        FunctionName="carrier",
        Runtime="python3.13",
        Role=ROLE,
        Handler="dataware.handler.changes.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=60,
        Environment={"Variables": variables},
    )["FunctionArn"]
    _make_sources(arn, queue)
    yield arn
    for one in functions.list_event_source_mappings(FunctionName="carrier")["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=one["UUID"])
    functions.delete_function(FunctionName="carrier")
    client("sqs").delete_queue(QueueUrl=queue)


def _make_sources(arn: str, queue: str) -> None:
    """As the template has them."""
    sqs, functions = client("sqs"), client("lambda")
    asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    stream = client("dynamodb").describe_table(TableName="old-one")["Table"]["LatestStreamArn"]
    more: dict[str, Any] = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    functions.create_event_source_mapping(
        EventSourceArn=asked["Attributes"]["QueueArn"], FunctionName=arn, BatchSize=10, **more
    )
    functions.create_event_source_mapping(
        EventSourceArn=stream,
        FunctionName=arn,
        BatchSize=1000,
        StartingPosition="TRIM_HORIZON",
        BisectBatchOnFunctionError=True,
        MaximumRecordAgeInSeconds=20 * 3600,
        **more,
    )


def test_changes_and_deletes_arrive_by_a_real_function_and_real_event_sources(
    carrier: str,
) -> None:
    """What changed before the event source was made arrives, too."""
    for number in range(30):
        put(f"k{number}", 1)
    value = {
        "version": 2,
        "state": "running",
        "target": "new-one",
        "source": "old-one",
        "run": "abc",
        "identity": None,
        "created": False,
        "started": "2026-11-29T00:00:00+00:00",
        "holder": "execution",
        "token": "execution|0|",
        "released": True,
        "detail": {"followed": True, "carrier": carrier},
        "after": 0,
        "lease": "",
        "batches": True,
        "settled": 0.0,
    }
    client("ssm").put_parameter(Name=RECORD, Value=json.dumps(value), Type="String")
    wait(lambda: content("new-one") == content("old-one"))
    for number in range(10):
        put(f"k{number}", 2)
        client("dynamodb").delete_item(TableName="old-one", Key={"pk": {"S": f"k{number + 15}"}})
    wait(lambda: content("new-one") == content("old-one"))
    assert len(content("old-one")) == 20
