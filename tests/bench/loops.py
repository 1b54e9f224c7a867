"""The loops that people write by hand, as programs: ``python -m tests.bench.loops NAME``.

Each pages through its source and loses nothing; that is more than most of them do. None of them
has a journal, looks at the target first, or verifies anything.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from tests.bench.names import BATCH, SOURCE, TARGET, THREADS


def batch_writer() -> None:
    """Every page of a scan through the resource's batch writer."""
    dynamodb = boto3.resource("dynamodb")
    source, target = dynamodb.Table(SOURCE), dynamodb.Table(TARGET)
    more: dict[str, object] = {}
    with target.batch_writer() as batch:
        while True:
            page = source.scan(**more)
            for item in page["Items"]:
                batch.put_item(Item=item)
            if "LastEvaluatedKey" not in page:
                return
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def client_one_thread() -> None:
    """Every page of a scan in batches, by the client, which does not decode values."""
    dynamodb = boto3.client("dynamodb")
    for batch in _batches(dynamodb):
        _write(dynamodb, batch)


def client_threads() -> None:
    """The same, the batches of each page on threads."""
    dynamodb = boto3.client("dynamodb", config=Config(max_pool_connections=THREADS))
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(_write, dynamodb), _batches(dynamodb)))


def copy_one_by_one() -> None:
    """Every listed object by its own copy, one after another."""
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=SOURCE):
        for found in page.get("Contents", ()):
            _copy(s3, found["Key"])


def copy_with_threads() -> None:
    """Every listed object by its own copy, page by page on threads."""
    s3 = boto3.client("s3", config=Config(max_pool_connections=THREADS))
    with ThreadPoolExecutor(THREADS) as pool:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=SOURCE):
            keys = [found["Key"] for found in page.get("Contents", ())]
            list(pool.map(partial(_copy, s3), keys))


def copy_managed() -> None:
    """Every listed object by the managed copy, which takes objects above 8 MB in parts."""
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=SOURCE):
        for found in page.get("Contents", ()):
            s3.copy({"Bucket": SOURCE, "Key": found["Key"]}, TARGET, found["Key"])


def list_by_paginator() -> None:
    """Every key, page after page."""
    count = 0
    for page in boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=SOURCE):
        count += len(page.get("Contents", ()))
    sys.stdout.write(f"{count}\n")


def _batches(dynamodb: Any) -> Iterator[list[Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=SOURCE):
        items = page["Items"]
        for start in range(0, len(items), BATCH):
            yield items[start : start + BATCH]


def _write(dynamodb: Any, items: list[Any]) -> None:
    left = {TARGET: [{"PutRequest": {"Item": item}} for item in items]}
    pause = 0.05
    while left := dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]:
        time.sleep(pause)
        pause *= 2


def _copy(s3: Any, key: str) -> None:
    s3.copy_object(Bucket=TARGET, Key=key, CopySource={"Bucket": SOURCE, "Key": key})


LOOPS: Mapping[str, Callable[[], None]] = {
    "batch-writer": batch_writer,
    "client-one-thread": client_one_thread,
    "client-threads": client_threads,
    "copy-one-by-one": copy_one_by_one,
    "copy-managed": copy_managed,
    "copy-with-threads": copy_with_threads,
    "list-by-paginator": list_by_paginator,
}

if __name__ == "__main__":
    LOOPS[sys.argv[1]]()
