"""The work that is measured: a virtual source, prepared for real where dataware looks at it."""

from __future__ import annotations

from typing import Any

from tests.bench.measure import Failed, Run
from tests.bench.world import World

SOURCE, TARGET = "bench-source", "bench-target"

_TABLE_APP = f"""
[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "{TARGET}"
fallback = ["{SOURCE}"]
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
KeySchema = [{{AttributeName = "id", KeyType = "HASH"}}]
AttributeDefinitions = [{{AttributeName = "id", AttributeType = "S"}}]
"""
_BUCKET_APP = f"""
[[resource]]
type = "AWS::S3::Bucket"
preferred = "{TARGET}"
fallback = ["{SOURCE}"]
"""


def prepare_table(world: World, items: int, *, existing: bool, **more: Any) -> None:
    """A source of so many items; the target stands already, empty, if it is `existing`."""
    world.fresh(table={"source": SOURCE, "target": TARGET, "size": items, **more})
    for name in (SOURCE, TARGET) if existing else (SOURCE,):
        world.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )


def prepare_bucket(world: World, objects: int, *, existing: bool = False) -> None:
    """A source of so many objects; the target stands already, empty, if it is `existing`."""
    world.fresh(bucket={"source": SOURCE, "target": TARGET, "size": objects})
    for name in (SOURCE, TARGET) if existing else (SOURCE,):
        world.client("s3").create_bucket(Bucket=name)


def apply_table(world: World, items: int, **more: Any) -> Run:
    """`dataware apply` of a table into one that it creates: batches without conditions."""
    prepare_table(world, items, existing=False, **more)
    return _apply(world, _TABLE_APP, items)


def migrate_table(world: World, items: int, **more: Any) -> Run:
    """`dataware migrate` of a table into one that stands already: every put is guarded."""
    prepare_table(world, items, existing=True, **more)
    run = world.dataware("migrate", f"dynamodb://{SOURCE}", f"dynamodb://{TARGET}")
    check(world, items)
    return run


def apply_bucket(world: World, objects: int) -> Run:
    """`dataware apply` of a bucket into one that it creates."""
    prepare_bucket(world, objects)
    return _apply(world, _BUCKET_APP, objects)


def _apply(world: World, app: str, count: int) -> Run:
    path = world.folder / "dataware.toml"
    path.write_text(app)
    run = world.dataware("apply", str(path))
    check(world, count)
    return run


def check(world: World, count: int) -> None:
    """Raise Failed unless the target got everything, and nothing else."""
    report = world.responder.report()
    if report["written"] != count or report["wrong"]:
        raise Failed(f"{count:,} should have been written, but the responder saw {report}")
