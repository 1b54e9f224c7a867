"""Data to migrate, and a look at it by boto3 alone: no code of dataware compares anything here."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config

KEYS: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}


def client(service: str, endpoint: str | None = None, key: str | None = None) -> Any:
    """A client of the environment's AWS; `key`, twelve digits, makes it another account's."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key="test" if key else None,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def varied_items(count: int, seed: int = 1, size: int = 0) -> Iterator[dict[str, Any]]:
    """Items of every type under the key `pk`, each padded to about `size` bytes."""
    chance = random.Random(seed)
    for number in range(count):
        yield {
            "pk": {"S": f"{number:06} é \U0001f680"},
            "number": {"N": str(chance.randrange(10**37))},
            "fraction": {"N": f"-{chance.randrange(10**9)}E-{chance.randrange(20)}"},
            "bytes": {"B": chance.randbytes(12)},
            "names": {"SS": sorted({f"n{chance.randrange(50)}" for _ in range(3)})},
            "numbers": {"NS": sorted({str(chance.randrange(50)) for _ in range(3)})},
            "blobs": {"BS": [b"\0", chance.randbytes(6)]},
            "empty": {"S": ""},
            "nothing": {"NULL": True},
            "flag": {"BOOL": number % 2 == 0},
            "nested": {"M": {"list": {"L": [{"N": str(number)}, {"M": {}}, {"L": []}]}}},
            "pad": {"S": "x" * size},
        }


def make_table(name: str, items: Iterable[Mapping[str, Any]] = (), **more: Any) -> None:
    """A table with the key `pk`, filled as a plain script would."""
    dynamodb = client("dynamodb")
    settings = {"BillingMode": "PAY_PER_REQUEST", **KEYS, **more}
    dynamodb.create_table(TableName=name, **settings)
    rest = iter(items)
    while some := [{"PutRequest": {"Item": dict(item)}} for item in islice(rest, 25)]:
        dynamodb.batch_write_item(RequestItems={name: some})


def enable_recovery(name: str, **of_client: Any) -> None:
    """Switch point in time recovery of a table on, so that it can be restored and exported."""
    client("dynamodb", **of_client).update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def varied_objects(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Objects with content headers, metadata, tags, difficult keys; some of zero bytes."""
    chance = random.Random(seed)
    for number in range(count):
        odd = ("plain", "a b", "a+b%20c", "é漢\U0001f600", "x//y", "q?a=b&c", "nl\nx", "trail/")
        one: dict[str, Any] = {
            "Key": f"{number % 7}/{odd[number % len(odd)]}/{number}",
            "Body": chance.randbytes(0 if number % 20 == 19 else chance.randrange(1, 3000)),
            "ContentType": "application/json" if number % 2 else "text/plain; charset=utf-8",
            "Metadata": {"number": str(number)},
        }
        if number % 3 == 0:
            one |= {"CacheControl": "max-age=60", "ContentLanguage": "de"}
        if number % 5 == 0:
            one["Tagging"] = f"colour=blue&n={number}"
        yield one


def make_bucket(name: str, objects: Iterable[Mapping[str, Any]] = (), **more: Any) -> None:
    """A bucket, filled as a plain script would."""
    s3 = client("s3")
    s3.create_bucket(Bucket=name, **more)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: s3.put_object(Bucket=name, **one), objects))


def items_of(table: str, key: str = "pk") -> dict[str, Any]:
    """Every item of a table by its key, sets in order and binaries as Base64; empty without one."""
    dynamodb = client("dynamodb")
    dynamodb.meta.events.register("before-parse.dynamodb.Scan", _keep_items)
    try:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        found = [item for page in pages for item in page["Items"]]
    except dynamodb.exceptions.ResourceNotFoundException:
        return {}
    return {json.dumps(item[key], sort_keys=True): _ordered(item) for item in found}


def _keep_items(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Take items as they came: the SDK needs longer to read them than a migration to copy them."""
    body = json.loads(response_dict["body"] or b"{}")
    customized_response_dict["Items"] = body.pop("Items", [])
    response_dict["body"] = json.dumps(body).encode()


def _ordered(value: Any) -> Any:
    """The same value with its sets sorted, because their order means nothing."""
    if isinstance(value, dict):
        return {
            key: sorted(each) if key in {"SS", "NS", "BS"} else _ordered(each)
            for key, each in value.items()
        }
    return [_ordered(each) for each in value] if isinstance(value, list) else value


def objects_of(bucket: str, keys: Sequence[str] | None = None) -> dict[str, Any]:
    """Objects by key: bytes, headers, metadata, tags; all of a bucket, and none without one.

    Of all of a bucket those are left out that somebody deletes while they are read.
    """
    s3 = client("s3")
    is_listed = keys is None
    if keys is None:
        try:
            pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
        except s3.exceptions.NoSuchBucket:
            return {}
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]

    def read(key: str) -> Any:
        try:
            return _object(s3, bucket, key)
        except s3.exceptions.NoSuchKey:
            if is_listed:
                return None
            raise

    with ThreadPoolExecutor(8) as pool:
        objects = zip(keys, pool.map(read, keys), strict=True)
        return {key: one for key, one in objects if one is not None}


CARRIED = ("ContentType", "ContentLanguage", "CacheControl", "Metadata", "StorageClass")


def _object(s3: Any, bucket: str, key: str) -> Any:
    found = s3.get_object(Bucket=bucket, Key=key)
    tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    headers = {name: found.get(name) for name in CARRIED}
    return found["Body"].read(), headers, sorted((tag["Key"], tag["Value"]) for tag in tags)


def retained(cfn_type: str, **properties: Any) -> dict[str, Any]:
    """A resource of a template, which outlives its stack."""
    policies = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {"Type": cfn_type, **policies, "Properties": properties}


def make_stack(name: str, **resources: Any) -> None:
    """A stack from a template that was written by hand."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1})


def stacks() -> list[str]:
    """The names of all stacks that were not deleted."""
    pages = client("cloudformation").get_paginator("list_stacks").paginate()
    return [
        stack["StackName"]
        for page in pages
        for stack in page["StackSummaries"]
        if stack["StackStatus"] != "DELETE_COMPLETE"
    ]


def rewind(kind: str, target: str) -> None:
    """Make the record of a complete migration one of an interrupted one."""
    ssm = client("ssm")
    pages = ssm.get_parameters_by_path(Path="/dataware/", Recursive=True)["Parameters"]
    (name,) = [each["Name"] for each in pages if kind in each["Name"]]
    parameter = ssm.get_parameter(Name=name)["Parameter"]
    value = json.loads(parameter["Value"])
    assert (value["state"], value["target"]) == ("complete", target)
    value |= {"state": "running", "released": True, "after": parameter["Version"]}
    ssm.put_parameter(Name=name, Value=json.dumps(value), Type="String", Overwrite=True)
