"""Ten tables and ten buckets to migrate in one run, small ones, on an embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from support.cli import BUCKET, KEYED_BY_PK, TABLE, toml_resource, write_toml
from support.servers import Seen
from support.worlds import (
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    varied_items,
    varied_objects,
)

EACH = 10
TABLES = [f"table-{number}" for number in range(EACH)]
BUCKETS = [f"bucket-{number}" for number in range(EACH)]
TARGETS = [f"{name}-prod" for name in (*TABLES, *BUCKETS)]
WRITES = frozenset({"BatchWriteItem", "PutItem", "CopyObject", "PutObject"})


def fill_many(items: int = 4) -> None:
    """Fill every source."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: make_table(name, varied_items(items)), TABLES))
        list(pool.map(lambda name: make_bucket(name, varied_objects(items)), BUCKETS))


def write_many(folder: Path) -> Path:
    """The app of all of them."""
    tables = [toml_resource(TABLE, f"{n}-prod", n, properties=KEYED_BY_PK) for n in TABLES]
    buckets = [toml_resource(BUCKET, f"{n}-prod", n) for n in BUCKETS]
    return write_toml(folder / "dataware.toml", *tables, *buckets)


def differing() -> list[str]:
    """The targets that do not hold exactly what their sources hold."""
    found = []
    for names, content in ((TABLES, items_of), (BUCKETS, objects_of)):
        found += [f"{name}-prod" for name in names if not _same(content, name)]
    return found


def _same(content: Any, name: str) -> bool:
    source = content(name)
    assert source, "a test without data proves nothing"
    try:
        return bool(content(f"{name}-prod") == source)
    except client("dynamodb").exceptions.ClientError:
        return False


def complete_targets() -> set[str]:
    """The targets whose records say "complete"."""
    pages = client("ssm").get_paginator("get_parameters_by_path")
    found = pages.paginate(Path="/dataware/markers", Recursive=True)
    values = (json.loads(one["Value"]) for page in found for one in page["Parameters"])
    return {value["target"] for value in values if value["state"] == "complete"}


def written_targets(seen: list[Seen]) -> Iterator[str]:
    """Into which target each write went."""
    for one in seen:
        if one.operation == "BatchWriteItem":
            yield from json.loads(one.body)["RequestItems"]
        elif one.operation in WRITES:
            name = json.loads(one.body)["TableName"] if "x-amz-target" in one.headers else ""
            yield name or one.path.split("/")[1]


def count(seen: list[Seen], operation: str) -> int:
    """How many requests of an operation were made."""
    return sum(one.operation == operation for one in seen)
