"""Whole jobs on servers that really store what they are given; for context, not for ratios.

These servers are slower than any client here, so the figures are theirs as much as the tools'.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import click
from botocore.config import Config
from tests.bench.contenders import Contender, of_buckets, of_tables
from tests.bench.jobs import make_table
from tests.bench.measure import Run, RunError
from tests.bench.names import BATCH, SOURCE, TARGET
from tests.bench.result import RUN_COLUMNS, Result, run_row
from tests.bench.tables import VirtualTable
from tests.bench.world import World

from support.peers import UnavailableError, Weed

_LIMIT = 120.0
_BODY = b"x" * 4096
_NOTE = "objects of 4 KB; dataware's times and CPU times have its verification in them"


@contextmanager
def running(server: Weed) -> Iterator[Weed]:
    """A server of other authors, for as long as the block runs."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


def on_embedded(world: World, objects: int) -> Result:
    """Buckets and tables on the embedded AWS."""
    result = Result("Whole jobs on the embedded AWS", RUN_COLUMNS[:-1], notes=[_NOTE])
    place = _Place(world, result, {"AWS_ENDPOINT_URL": world.server.endpoint})
    for contender in of_buckets(world):
        world.server.reset()
        _enter(place, contender, world.client("s3"), objects)
    for contender in of_tables(world):
        if contender.name != "dynamodump":  # its pauses alone take longer than all others
            _enter_table(place, contender, objects * 10)
    return result


def on_weed(world: World, objects: int) -> Result:
    """Buckets on SeaweedFS; what else dataware asks for is on the embedded AWS."""
    result = Result("Whole jobs on SeaweedFS", RUN_COLUMNS[:-1], notes=[_NOTE])
    try:
        with running(Weed()) as weed:
            config = Config(s3={"addressing_style": "path"}, max_pool_connections=16)
            s3 = boto3.client("s3", config=config, **weed.client_options())
            environ = {
                "AWS_ENDPOINT_URL": world.server.endpoint,
                "AWS_ENDPOINT_URL_S3": weed.endpoint,
                "AWS_ACCESS_KEY_ID": weed.account,
                "AWS_SECRET_ACCESS_KEY": weed.secret,
            }
            place = _Place(world, result, environ)
            for contender in of_buckets(world):
                world.server.reset()
                _emptied(s3)
                _enter(place, contender, s3, objects)
    except UnavailableError as reason:
        result.notes.append(f"not run: {reason}")
    return result


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a job is done: what leads a program there, and the rows that it adds to."""

    world: World
    result: Result
    environ: Mapping[str, str]

    def run(self, contender: Contender, wanted: int, unit: str, count: Callable[[], int]) -> None:
        """Run one contender, and count what arrived."""
        name = f"{contender.name}, {wanted:,} {unit}"
        try:
            self.result.rows.append(run_row(name, self._run(contender), wanted)[:-1])
            found = count()
            why = "" if found == wanted else f"{found:,} of {wanted:,} arrived"
        except RunError as error:
            self.result.rows.append((name, *("–",) * 5))
            why = str(error).split("\n", 1)[0]
        if why:
            self.result.notes.append(f"{contender.name} failed: {why}")

    def _run(self, contender: Contender) -> Run:
        if contender.missing:
            raise RunError(contender.missing)
        run = self.world.measured(contender.command, _LIMIT, **self.environ)
        click.echo(f"  {contender.name}: {run.seconds:.1f} s", err=True)
        return run


def _enter(place: _Place, contender: Contender, s3: Any, objects: int) -> None:
    """Run one contender over real objects."""
    for bucket in (SOURCE, TARGET):
        s3.create_bucket(Bucket=bucket)
    with ThreadPoolExecutor(8) as pool:
        keys = [f"data/{number:06}.bin" for number in range(objects)]
        list(pool.map(lambda key: s3.put_object(Bucket=SOURCE, Key=key, Body=_BODY), keys))

    def count() -> int:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=TARGET)
        return sum(page["KeyCount"] for page in pages)

    place.run(contender, objects, "objects", count)


def _enter_table(place: _Place, contender: Contender, items: int) -> None:
    """Run one contender over real items."""
    world = place.world
    world.server.reset()
    dynamodb = world.client("dynamodb")
    for name in (SOURCE,) if contender.creates else (SOURCE, TARGET):
        make_table(world, name)
    virtual = VirtualTable(SOURCE, SOURCE, items)
    for start in range(0, items, BATCH):
        body = virtual.batch(range(start, min(start + BATCH, items)))
        dynamodb.batch_write_item(**json.loads(body, object_hook=_with_bytes))

    def count() -> int:
        pages = dynamodb.get_paginator("scan").paginate(TableName=TARGET, Select="COUNT")
        return sum(page["Count"] for page in pages)

    place.run(contender, items, "items", count)


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """A value of DynamoDB's JSON as boto3 takes it."""
    return {"B": b64decode(value["B"] + "==")} if value.keys() == {"B"} else value


def _emptied(s3: Any) -> None:
    """Remove both buckets with all that is in them."""
    for bucket in (SOURCE, TARGET):
        try:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
                if keys:
                    s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
            s3.delete_bucket(Bucket=bucket)
        except s3.exceptions.NoSuchBucket:
            continue
