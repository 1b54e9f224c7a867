"""Twenty resources in one run against one, where stacks and calls take their time as on AWS."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs

from tests.bench.jobs import DATAWARE, make_table
from tests.bench.measure import Run
from tests.bench.planning import BUCKET_APP, TABLE_APP
from tests.bench.result import RUN_COLUMNS, Goal, Result, run_row
from tests.bench.world import World

from support.servers import FaultProxy, Forward, Reply, Seen, delay

RESOURCES = 20
MOST_TIMES = 1.5
MOST_MEGABYTES = 200.0
STACK_SECONDS = 15.0
CALL_SECONDS = 0.050
SMALL, LARGE = 10, 3_000
OBJECTS = 300
PAD = "x" * 1000


class SlowStacks:
    """A fault by which the creation and the removal of a stack take `seconds`, for who looks."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begun: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def __call__(self, seen: Seen, forward: Forward) -> Reply:
        """Note when something begins, and answer that it is under way until its time is over."""
        asked = parse_qs(seen.body.decode("latin-1")).get("StackName", [""])[0]
        name = asked.split("/")[1] if asked.startswith("arn:") else asked
        if seen.operation in ("CreateStack", "DeleteStack"):
            with self._lock:
                self._begun[name, seen.operation[:6].upper()] = time.monotonic()
        reply, now = forward(seen), time.monotonic()
        body = reply.body
        for word in ("CREATE", "DELETE"):
            if now - self._begun.get((name, word), float("-inf")) < self._seconds:
                pattern = rb"Status>%b_(COMPLETE|SKIPPED)<" % word.encode()
                body = re.sub(pattern, b"Status>%b_IN_PROGRESS<" % word.encode(), body)
        if body == reply.body:
            return reply
        return Reply.of(reply.status, body, {"Content-Type": "text/xml"})


def side_by_side(
    world: World,
    stack_seconds: float = STACK_SECONDS,
    call_seconds: float = CALL_SECONDS,
    items: int = LARGE,
) -> Result:
    """One, twenty, and twenty that hold more, all at once."""
    one = _measure(world, 1, SMALL, stack_seconds, call_seconds)
    many = _measure(world, RESOURCES, SMALL, stack_seconds, call_seconds)
    full = _measure(world, RESOURCES, items, 0.0, 0.0, "--max-parallel", str(RESOURCES))
    times = many.seconds / one.seconds
    title = (
        f"Side by side: {RESOURCES} resources, {stack_seconds:g} s a stack operation, "
        f"{call_seconds * 1000:.0f} ms a call"
    )
    return Result(
        title,
        RUN_COLUMNS,
        [
            run_row("one small table", one, 1),
            run_row(f"{RESOURCES} small tables and buckets", many, RESOURCES, f"{times:.2f} x"),
            run_row(f"{RESOURCES} at once, {items:,} items each, no delay", full, RESOURCES),
        ],
        [
            Goal.at_most(
                "20 resources take at most 1.5 times the time of one", MOST_TIMES, times, " x"
            ),
            Goal.at_most("memory for 20 migrations at once", MOST_MEGABYTES, full.megabytes, " MB"),
        ],
    )


def _measure(
    world: World, resources: int, items: int, stack: float, call: float, *words: str
) -> Run:
    world.fresh()
    path = world.folder / "dataware.toml"
    path.write_text("".join(_make(world, number, items) for number in range(resources)))
    with FaultProxy(world.server.endpoint, record=False) as proxy:
        proxy.add(delay(call))
        proxy.add(SlowStacks(stack), when=lambda seen: b"StackName=" in seen.body)
        command = [*DATAWARE, "apply", str(path), "--yes", *words]
        return world.measured(command, AWS_ENDPOINT_URL=proxy.endpoint)


def _make(world: World, number: int, items: int) -> str:
    """Make and fill a source: a table, or for every odd number a bucket."""
    name = f"bench-side-{number:02d}"
    if number % 2:
        s3 = world.client("s3")
        s3.create_bucket(Bucket=name)
        for key in range(min(items, OBJECTS)):
            s3.put_object(Bucket=name, Key=f"key-{key:06d}", Body=b"data")
        return BUCKET_APP.format(name=name)
    make_table(world, name)
    dynamodb = world.client("dynamodb")
    for batch in _batches(items):
        dynamodb.batch_write_item(RequestItems={name: batch})
    return TABLE_APP.format(name=name)


def _batches(items: int) -> Iterator[list[dict[str, object]]]:
    for begin in range(0, items, 25):
        numbers = range(begin, min(begin + 25, items))
        yield [
            {"PutRequest": {"Item": {"id": {"S": f"{n:06d}"}, "pad": {"S": PAD}}}} for n in numbers
        ]
