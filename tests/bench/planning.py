"""How long a plan takes against probing the same names one after another."""

from __future__ import annotations

import sys

from tests.bench.jobs import DATAWARE, make_table
from tests.bench.result import RUN_COLUMNS, Goal, Result, run_row
from tests.bench.world import World

SHARE = 0.15

TABLE_APP = """
[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "{name}-prod"
fallback = ["{name}"]
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
KeySchema = [{{AttributeName = "id", KeyType = "HASH"}}]
AttributeDefinitions = [{{AttributeName = "id", AttributeType = "S"}}]
"""
BUCKET_APP = """
[[resource]]
type = "AWS::S3::Bucket"
preferred = "{name}-prod"
fallback = ["{name}"]
"""


def planning(world: World, resources: int, latency: float) -> Result:
    """`dataware plan`, and the same program with a single probe at a time."""
    names = [f"bench-resource-{number:03d}" for number in range(resources)]
    world.fresh()
    path = world.folder / "dataware.toml"
    path.write_text("".join(_make(world, number, name) for number, name in enumerate(names)))
    world.responder.become(latency=latency)
    one_by_one = world.measured([sys.executable, "-m", "tests.bench.one_by_one", "plan", str(path)])
    together = world.measured([*DATAWARE, "plan", str(path)])
    share = together.seconds / one_by_one.seconds
    title = f"Planning: {resources} resources, {latency * 1000:.0f} ms a call"
    return Result(
        title,
        RUN_COLUMNS,
        [
            run_row("one after another", one_by_one, resources),
            run_row("dataware plan", together, resources, f"{share:.1%} of the time"),
        ],
        [Goal("a plan takes at most 15 % of the time", f"{share:.1%}", share <= SHARE)],
    )


def _make(world: World, number: int, name: str) -> str:
    """Make a resource's fallback, which holds data, and its preferred one in every second case."""
    both = (name, f"{name}-prod") if number // 2 % 2 else (name,)
    if number % 2:
        _make_tables(world, both)
        return TABLE_APP.format(name=name)
    s3 = world.client("s3")
    for each in both:
        s3.create_bucket(Bucket=each)
    s3.put_object(Bucket=name, Key="key", Body=b"data")
    return BUCKET_APP.format(name=name)


def _make_tables(world: World, names: tuple[str, ...]) -> None:
    for each in names:
        make_table(world, each)
    world.client("dynamodb").put_item(TableName=names[0], Item={"id": {"S": "one"}})
