"""The work that is measured: a virtual source, prepared for real where dataware looks at it."""

from __future__ import annotations

import sys
from typing import Any

from tests.bench.measure import Run, RunError
from tests.bench.names import SOURCE, TARGET
from tests.bench.world import World

DATAWARE = (sys.executable, "-m", "dataware.cli")

TABLE_APP = f"""
[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "{TARGET}"
fallback = ["{SOURCE}"]
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
KeySchema = [{{AttributeName = "id", KeyType = "HASH"}}]
AttributeDefinitions = [{{AttributeName = "id", AttributeType = "S"}}]
"""
BUCKET_APP = f"""
[[resource]]
type = "AWS::S3::Bucket"
preferred = "{TARGET}"
fallback = ["{SOURCE}"]
"""


def prepare_table(
    world: World, items: int, *, existing: bool, latency: float = 0.0, **more: Any
) -> None:
    """A source of so many items; the target stands already, empty, if it is `existing`.

    Every answer is held for `latency` seconds; `more` says what kind of items they are.
    """
    virtual = {"source": SOURCE, "target": TARGET, "size": items, **more}
    world.fresh(table=virtual, latency=latency)
    for name in (SOURCE, TARGET) if existing else (SOURCE,):
        make_table(world, name)


def make_table(world: World, name: str) -> None:
    """A real table of the embedded AWS."""
    world.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )


def prepare_bucket(
    world: World, objects: int, *, existing: bool, latency: float = 0.0, **more: Any
) -> None:
    """A source of so many objects; the target stands already, empty, if it is `existing`."""
    virtual = {"source": SOURCE, "target": TARGET, "size": objects, **more}
    world.fresh(bucket=virtual, latency=latency)
    for name in (SOURCE, TARGET) if existing else (SOURCE,):
        world.client("s3").create_bucket(Bucket=name)


def migrate_table(world: World, items: int, **more: Any) -> Run:
    """`dataware migrate` of a table into one that stands already: every put is guarded."""
    prepare_table(world, items, existing=True, **more)
    run = world.measured([*DATAWARE, "migrate", f"dynamodb://{SOURCE}", f"dynamodb://{TARGET}"])
    check(world, items)
    return run


def check(world: World, count: int) -> dict[str, Any]:
    """The responder's report. Raises RunError unless the target got all, and nothing else."""
    report = world.responder.report()
    if report["written"] != count or report["wrong"]:
        raise RunError(f"{count:,} should have been written, but the responder saw {report}")
    return report
