"""Scratch resources under a random prefix: made with a tag, listed by the prefix, and removed."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from dataware.aws.holding_stack import HOLDING_PREFIX

PREFIX = "dataware-scratch-"
TAG = "dataware-scratch"
MARKERS = "/dataware/markers"
SECONDS = 900


class ScenarioError(Exception):
    """A scenario found something else than what dataware promises."""


@dataclass
class ScratchAccount:
    """One account and region, and what this run makes there: every name begins with `prefix`."""

    profile: str
    region: str | None
    endpoint_url: str | None
    folder: Path
    prefix: str = field(default_factory=lambda: f"{PREFIX}{secrets.token_hex(4)}-")

    def __post_init__(self) -> None:
        self.session = boto3.Session(profile_name=self.profile, region_name=self.region)

    def client(self, service: str) -> Any:
        """A client of the SDK."""
        return self.session.client(service, endpoint_url=self.endpoint_url)

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tag of everything that is made, for tables, buckets and templates."""
        return [{"Key": TAG, "Value": self.prefix.rstrip("-")}]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of dataware."""
        where = ["--region", self.session.region_name, "--profile", self.profile]
        if self.endpoint_url:
            where += ["--endpoint-url", self.endpoint_url]
        return subprocess.Popen(
            [sys.executable, "-m", "dataware", *arguments, *where],
            cwd=self.folder,
            env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a command says. Raises ScenarioError if it ends with another code."""
        process = self.start(*arguments)
        try:
            said, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        if process.returncode != code:
            command = " ".join(("dataware", *arguments))
            raise ScenarioError(f"`{command}` ended with {process.returncode}, not {code}:\n{said}")
        return said

    def make_table(self, name: str, items: int, padding: int = 10) -> str:
        """A table with so many items, its name under the prefix."""
        dynamodb, name = self.client("dynamodb"), self.prefix + name
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            Tags=self.tags,
        )
        dynamodb.get_waiter("table_exists").wait(TableName=name)
        resource = self.session.resource("dynamodb", endpoint_url=self.endpoint_url)
        with resource.Table(name).batch_writer() as batch:
            for number in range(items):
                batch.put_item(Item={"pk": f"{number:06}", "body": "x" * padding})
        return name

    def make_bucket(self, name: str, objects: Mapping[str, bytes]) -> str:
        """A bucket with these objects, its name under the prefix."""
        s3, name = self.client("s3"), self.prefix + name
        where = {"LocationConstraint": s3.meta.region_name}
        region = {} if s3.meta.region_name == "us-east-1" else {"CreateBucketConfiguration": where}
        s3.create_bucket(Bucket=name, **region)
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": self.tags})
        for key, body in objects.items():
            s3.put_object(Bucket=name, Key=key, Body=body)
        return name

    def items(self, table: str) -> dict[str, Any]:
        """All items of a table, by key."""
        pages = self.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=table, ConsistentRead=True)
        return {one["pk"]["S"]: one for page in found for one in page["Items"]}

    def objects(self, bucket: str) -> dict[str, bytes]:
        """All objects of a bucket."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def wait(self, met: Callable[[], bool], what: str) -> None:
        """Wait until something has happened. Raises ScenarioError if it does not."""
        until = time.monotonic() + SECONDS
        while not met():
            if time.monotonic() > until:
                raise ScenarioError(f"{what} did not happen within {SECONDS} s")
            time.sleep(0.2)

    def left(self) -> Iterator[tuple[str, str]]:
        """What is there under the prefix: the sort of thing, and its name."""
        for sort, names in (
            ("stack", self._stacks()),
            ("table", self._tables()),
            ("bucket", self._buckets()),
            ("parameter", self._parameters()),
        ):
            yield from ((sort, name) for name in names)

    def remove(self) -> list[str]:
        """Remove everything under the prefix; what could not be removed, with the reason."""
        failed = []
        for sort, name in list(self.left()):
            try:
                _REMOVERS[sort](self, name)
                click.echo(f"  removed {sort} {name}")
            except (BotoCoreError, ClientError) as error:
                failed.append(f"{sort} {name}: {error}")
        return failed

    def _stacks(self) -> list[str]:
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        stacks = [stack["StackName"] for page in pages for stack in page["Stacks"]]
        return [name for name in stacks if name.startswith(self.prefix) or self._is_holding(name)]

    def _is_holding(self, stack: str) -> bool:
        """Whether a killed command left this stack, which holds something of this run."""
        if not stack.startswith(HOLDING_PREFIX):
            return False
        listed = self.client("cloudformation").list_stack_resources(StackName=stack)
        names = (one.get("PhysicalResourceId", "") for one in listed["StackResourceSummaries"])
        return any(name.startswith(self.prefix) for name in names)

    def _tables(self) -> list[str]:
        pages = self.client("dynamodb").get_paginator("list_tables").paginate()
        names = [name for page in pages for name in page["TableNames"]]
        return [name for name in names if name.startswith(self.prefix)]

    def _buckets(self) -> list[str]:
        names = [one["Name"] for one in self.client("s3").list_buckets()["Buckets"]]
        return [name for name in names if name.startswith(self.prefix)]

    def _parameters(self) -> list[str]:
        pages = self.client("ssm").get_paginator("get_parameters_by_path")
        found = pages.paginate(Path=MARKERS, Recursive=True)
        names = [one["Name"] for page in found for one in page["Parameters"]]
        return [name for name in names if name.rpartition("/")[2].startswith(self.prefix)]


def _remove_stack(account: ScratchAccount, name: str) -> None:
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name)


def _remove_table(account: ScratchAccount, name: str) -> None:
    dynamodb = account.client("dynamodb")
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)


def _remove_bucket(account: ScratchAccount, name: str) -> None:
    bucket = account.session.resource("s3", endpoint_url=account.endpoint_url).Bucket(name)
    bucket.object_versions.delete()
    bucket.delete()


def _remove_parameter(account: ScratchAccount, name: str) -> None:
    account.client("ssm").delete_parameter(Name=name)


_REMOVERS: Mapping[str, Callable[[ScratchAccount, str], None]] = {
    "stack": _remove_stack,
    "table": _remove_table,
    "bucket": _remove_bucket,
    "parameter": _remove_parameter,
}


@contextmanager
def removed_at_the_end(account: ScratchAccount) -> Iterator[None]:
    """Remove what the block made, however it ends. Raises ScenarioError where something stays."""
    try:
        yield
    finally:
        click.echo(f"Removing everything that begins with {account.prefix}")
        failed = account.remove()
        for sort, name in account.left():
            failed.append(f"{sort} {name} is still there")
        if failed:
            raise ScenarioError("not everything could be removed:\n" + "\n".join(failed))
