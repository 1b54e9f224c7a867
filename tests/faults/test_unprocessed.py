"""What a service may answer on a bad day: nothing is lost, and the run ends verified."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from support.cli import run
from support.migrations import MIGRATIONS
from support.servers import (
    Fault,
    FaultProxy,
    Forward,
    Reply,
    Seen,
    answer,
    drop,
    drop_after,
    json_error,
    truncate,
    xml_error,
)
from support.worlds import items_of, make_table, varied_items

AMZ_JSON = {"Content-Type": "application/x-amz-json-1.0"}
COPY_ERROR = b"<Error><Code>InternalError</Code><Message>injected</Message></Error>"


def unprocessed(chance: random.Random) -> Fault:
    """Write a part of each batch, and hand the rest back as DynamoDB does; sometimes all of it."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        (table, asked), *_ = seen.json()["RequestItems"].items()  # type: ignore[attr-defined]
        keep = chance.choice([0, 0, len(asked) // 3, len(asked) - 1])
        if keep:
            body = json.dumps({"RequestItems": {table: asked[:keep]}}).encode()
            assert forward(seen.with_body(body)).status == 200
        rest = {table: asked[keep:]} if asked[keep:] else {}
        return Reply.of(200, json.dumps({"UnprocessedItems": rest}).encode(), AMZ_JSON)

    return fault


def sometimes(chance: random.Random, share: float) -> Callable[[Seen], bool]:
    """A share of the requests, by chance."""
    return lambda _seen: chance.random() < share


def test_five_megabytes_of_unprocessed_batches(fault_proxy: FaultProxy, tmp_path: Path) -> None:
    """Several scan pages, and batches that come back partly or wholly: every item arrives."""
    chance = random.Random(11)
    make_table("old-one", varied_items(1000, size=5000))
    app = MIGRATIONS["table"].write_app(tmp_path)
    when = sometimes(chance, 0.6)
    fault_proxy.clear()
    fault_proxy.add(unprocessed(chance), operation="BatchWriteItem", when=when)
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert "✅ Verified 1,000 items: all by content" in ran.lines
    later = [seen for seen in fault_proxy.seen if b"ExclusiveStartKey" in seen.body]
    assert len(later) > 4, "a table of one page proves nothing"
    fault_proxy.clear()
    assert items_of("new-one") == items_of("old-one")
    assert len(items_of("new-one")) == 1000


TABLE_FAULTS: dict[str, tuple[str, Fault]] = {
    "throttled writes": ("BatchWriteItem", json_error("ProvisionedThroughputExceededException")),
    "throttled reads": ("Scan", json_error("ThrottlingException")),
    "request limit": ("BatchWriteItem", json_error("RequestLimitExceeded")),
    "500": ("BatchWriteItem", json_error("InternalServerError", 500)),
    "503 without a body": ("BatchWriteItem", answer(503)),
    "reset before": ("BatchWriteItem", drop),
    "reset after": ("BatchWriteItem", drop_after),
    "scan reset": ("Scan", drop_after),
    "truncated write": ("BatchWriteItem", truncate(1)),
    "truncated scan": ("Scan", truncate(2000)),
    "200 of a proxy": ("BatchWriteItem", answer(200, b"<html>welcome</html>")),
    "200 without a body": ("BatchWriteItem", answer(200)),
}
BUCKET_FAULTS: dict[str, tuple[str, Fault]] = {
    "slow down": ("CopyObject", xml_error("SlowDown", 503)),
    "500": ("CopyObject", xml_error("InternalError", 500)),
    "reset before": ("CopyObject", drop),
    "reset after": ("CopyObject", drop_after),
    "200 with an error": ("CopyObject", answer(200, COPY_ERROR)),
    "200 without a body": ("CopyObject", answer(200)),
    "200 of a proxy": ("CopyObject", answer(200, b"<html>welcome</html>")),
    "truncated copy": ("CopyObject", truncate(20)),
    "truncated listing": ("ListObjectsV2", truncate(400)),
    "listing reset": ("ListObjectsV2", drop),
    "listing slow down": ("ListObjectsV2", xml_error("SlowDown", 503)),
}
FAULTS = [
    pytest.param(kind, *fault, id=f"{kind}: {name}")
    for kind, faults in (("table", TABLE_FAULTS), ("bucket", BUCKET_FAULTS))
    for name, fault in faults.items()
]


@pytest.mark.parametrize(("kind", "operation", "fault"), FAULTS)
def test_no_bad_answer_loses_anything(
    kind: str, operation: str, fault: Fault, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """Some requests fail, by chance: the run still ends with exit 0, verified."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(fault, operation=operation, when=sometimes(random.Random(7), 0.3), times=4)
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert "✅ Verified" in ran.out
    fault_proxy.clear()
    assert migration.arrived()
