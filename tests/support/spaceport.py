"""What lies in an account before the app of `examples/get-or-create` is deployed, and a look at it.

Everything is asked of AWS by boto3 alone; no code of dataware compares anything here.
"""

from __future__ import annotations

import json
import os
import random
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from support.log_events import put_events
from support.worlds import client, items_of, make_bucket, objects_of, stacks, varied_objects

STACKS = {name: f"Spaceport-{name}-prod" for name in ("Accounts", "Processing", "Site")}
KEYS = {
    "Files": "id",
    "Projects": "id",
    "Subscriptions": "email",
    "Sessions": "id",
    "Waitlist": "email",
    "Feedback": "id",
    "Drafts": "id",
}
"""The tables by their names without the stage, with their partition keys."""

BUCKETS = ("uploads", "models")
COPIED = ("Files", "Waitlist", "Subscriptions", *BUCKETS)
"""What only lies under the older name."""

FILLED = {"Files", "Waitlist", *BUCKETS}
"""What does not exist under the preferred name, so that the stacks have it from the first on."""

CREATED = {
    "Sessions",
    "Feedback",
    "spaceport/survey-prod",
    "spaceport-users-prod",
    "/spaceport/pages-prod",
}
"""What holds data nowhere, so that the first deployment creates it."""

EXISTING = {
    "Projects",
    "Subscriptions",
    "Drafts",
    "spaceport/render-prod",
    "spaceport-crew-prod",
    "/spaceport/jobs-prod",
    "spaceport/payments-prod",
    "spaceport-jobs-prod",
    "spaceport-telemetry-prod",
}
"""What exists under the preferred name, so that a plain `cdk deploy` can only refer to it."""


NAMED = {"AWS::ECR::Repository", "AWS::Logs::LogGroup", "AWS::Kinesis::Stream"}
"""What a stack calls by its name."""

UNSIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/dynamodb/"
    "aws4_request, SignedHeaders=host, Signature=0"
}
BATCH = {
    "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
    "Content-Type": "application/x-amz-json-1.0",
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much lies in the largest table, and in each bucket."""

    items: int
    objects: int


MANY = 100
SMALL = Sizes(300, 24)
SEVERAL_PAGES = Sizes(8_000, 1_200)
"""More than one answer of a scan (1 MB) and of a listing (1,000 objects) holds."""

WHOLE = Sizes(30_000, 3_000)


def fill(sizes: Sizes) -> None:
    """Data under older names, under the preferred names, under both, and under none."""
    make_table("Files", small_items("id", sizes.items))
    make_table("Waitlist", small_items("email", 78))
    make_table("Projects-prod", small_items("id", 50))
    make_table("Subscriptions", small_items("email", 20))
    make_table("Subscriptions-prod")
    make_table("Feedback")
    make_table("Drafts", small_items("id", 60))
    make_table("Drafts-prod", small_items("id", 40, seed=2))
    for seed, bucket in enumerate(BUCKETS):
        make_bucket(f"spaceport-{bucket}", varied_objects(sizes.objects, seed))
    images = client("ecr")
    for name in ("spaceport/render-prod", "spaceport/compress"):
        images.create_repository(repositoryName=name)
        images.put_image(repositoryName=name, imageManifest=json.dumps({"schemaVersion": 2}))
    fill_others()


def fill_others() -> None:
    """A user, events, a value, messages and a record under preferred names of no stack."""
    idp = client("cognito-idp")
    pool = idp.create_user_pool(PoolName="spaceport-crew-prod")["UserPool"]["Id"]
    idp.admin_create_user(UserPoolId=pool, Username="ada")
    client("logs").create_log_group(logGroupName="/spaceport/jobs-prod")
    put_events(client("logs"), "/spaceport/jobs-prod", [1_700_000_000_000 + n for n in range(3)])
    client("secretsmanager").create_secret(Name="spaceport/payments-prod", SecretString="planted")
    url = client("sqs").create_queue(QueueName="spaceport-jobs-prod")["QueueUrl"]
    for number in range(3):
        client("sqs").send_message(QueueUrl=url, MessageBody=str(number))
    client("kinesis").create_stream(StreamName="spaceport-telemetry-prod", ShardCount=1)
    client("kinesis").put_record(
        StreamName="spaceport-telemetry-prod", Data=b"planted", PartitionKey="a"
    )


def others() -> dict[str, Any]:
    """What is in them, with the ids that CloudFormation knows them by."""
    idp, secrets, sqs = client("cognito-idp"), client("secretsmanager"), client("sqs")
    pools = idp.list_user_pools(MaxResults=60)["UserPools"]
    (pool,) = [one["Id"] for one in pools if one["Name"] == "spaceport-crew-prod"]
    users = idp.list_users(UserPoolId=pool)["Users"]
    value = secrets.get_secret_value(SecretId="spaceport/payments-prod")
    url = sqs.get_queue_url(QueueName="spaceport-jobs-prod")["QueueUrl"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    events = client("logs").filter_log_events(logGroupName="/spaceport/jobs-prod")["events"]
    kinesis, name = client("kinesis"), "spaceport-telemetry-prod"
    (shard,) = kinesis.list_shards(StreamName=name)["Shards"]
    start = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    records = kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]
    return {
        "crew": (pool, [one["Username"] for one in users]),
        "payments": (value["ARN"], value["VersionId"], value["SecretString"]),
        "jobs": (url, counts["ApproximateNumberOfMessages"]),
        "job log": [one["timestamp"] for one in events],
        "telemetry": [one["Data"] for one in records],
    }


def make_table(name: str, items: Iterable[Mapping[str, Any]] = ()) -> None:
    """One of the tables, filled without the SDK, which takes longer than the server does."""
    name = f"Spaceport-{name}"
    key = KEYS[name.split("-")[1]]
    client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
    )
    rest = iter(items)
    with closing(HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc)) as server:
        while some := [{"PutRequest": {"Item": item}} for item in islice(rest, 25)]:
            body = json.dumps({"RequestItems": {name: some}})
            server.request("POST", "/", body, {**UNSIGNED, **BATCH})
            answer = server.getresponse()
            assert json.load(answer) == {"UnprocessedItems": {}}


def small_items(key: str, count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Items with a text, a number, bytes and a set, of some 200 bytes."""
    chance = random.Random(seed)
    for number in range(count):
        yield {
            key: {"S": f"{number:06} é \U0001f680"},
            "name": {"S": "x" * 100},
            "size": {"N": str(chance.randrange(10**30))},
            "hash": {"B": b64encode(chance.randbytes(12)).decode()},
            "tags": {"SS": sorted({f"t{chance.randrange(50)}" for _ in range(3)})},
        }


def counts() -> dict[str, int]:
    """How many items lie under each preferred name."""
    count = partial(client("dynamodb").get_paginator("scan").paginate, Select="COUNT")
    return {
        f"{name}-prod": sum(page["Count"] for page in count(TableName=f"Spaceport-{name}-prod"))
        for name in KEYS
    }


def contents(sizes: Sizes, stages: Sequence[str] = ("", "-prod")) -> dict[str, Any]:
    """Everything under the names of today and of before; of many objects what a listing says."""
    look = objects_of if sizes.objects < MANY else listed
    tables = {
        f"{name}{stage}": items_of(f"Spaceport-{name}{stage}", key)
        for name, key in KEYS.items()
        for stage in stages
    }
    return (
        tables
        | others()
        | {
            f"{name}{stage}": look(f"spaceport-{name}{stage}")
            for name in BUCKETS
            for stage in stages
        }
    )


def listed(bucket: str) -> dict[str, Any]:
    """The ETag and the size of every object, and all of every fiftieth."""
    s3 = client("s3")
    try:
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    except s3.exceptions.NoSuchBucket:
        return {}
    found = {one["Key"]: (one["ETag"], one["Size"]) for page in pages for one in page["Contents"]}
    some = objects_of(bucket, list(found)[::50])
    return {**found, **{key: (found[key], one) for key, one in some.items()}}


def moved(before: Mapping[str, Any]) -> dict[str, Any]:
    """What has to lie where, once the data has been brought under the preferred names."""
    return {**before, **{f"{name}-prod": before[name] for name in COPIED}}


def owned() -> dict[str, set[str]]:
    """What of the app's data each stack holds, by names without the stage."""
    cloudformation = client("cloudformation")
    pages = cloudformation.get_paginator("list_stack_resources")
    found: dict[str, set[str]] = {}
    for name, stack in STACKS.items():
        if stack not in stacks():
            continue
        rows = [
            row
            for page in pages.paginate(StackName=stack)
            for row in page["StackResourceSummaries"]
        ]
        found[name] = {word for row in rows if (word := _word(row))}
    return found


def _word(row: Mapping[str, Any]) -> str | None:
    """The word for a stateful resource of a stack; None for any other."""
    name = str(row["PhysicalResourceId"])
    if row["ResourceType"] == "AWS::Cognito::UserPool":
        pool = client("cognito-idp").describe_user_pool(UserPoolId=name)["UserPool"]
        return str(pool["Name"])
    words = {"AWS::DynamoDB::Table": "Spaceport-", "AWS::S3::Bucket": "spaceport-"}
    if row["ResourceType"] == "AWS::SecretsManager::Secret":
        return str(client("secretsmanager").describe_secret(SecretId=name)["Name"])
    if row["ResourceType"] == "AWS::SQS::Queue":
        return name.rpartition("/")[2]
    if row["ResourceType"] in NAMED and not name.startswith("/aws/"):
        return name
    prefix = words.get(str(row["ResourceType"]))
    return name.removeprefix(prefix).removesuffix("-prod") if prefix else None
