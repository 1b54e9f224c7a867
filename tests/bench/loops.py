"""The loops that people write by hand, as programs: ``python -m tests.bench.loops NAME``.

Each pages through its source and loses nothing; that is more than most of them do. None of them
has a journal, looks at the target first, or verifies anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import boto3
from botocore.config import Config
from tests.bench.jobs import SOURCE, TARGET

THREADS = 32


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


def _copy(s3: object, key: str) -> None:
    s3.copy_object(  # type: ignore[attr-defined]  # boto3 has no types
        Bucket=TARGET, Key=key, CopySource={"Bucket": SOURCE, "Key": key}
    )


LOOPS: Mapping[str, Callable[[], None]] = {
    "batch-writer": batch_writer,
    "copy-one-by-one": copy_one_by_one,
    "copy-with-threads": copy_with_threads,
}

if __name__ == "__main__":
    LOOPS[sys.argv[1]]()
