"""Accounts and regions to which one app goes, with data and stacks in each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from support.worlds import KEYS

HOME, OTHER = "000000000000", "222222222222"
US, EU = "us-east-1", "eu-west-1"


@dataclass(frozen=True)
class Place:
    """Where a stack of the app goes."""

    stack: str
    account: str
    region: str

    @property
    def environment(self) -> str:
        """As the lock file names it."""
        return f"{self.account}/{self.region}"

    def client(self, service: str) -> Any:
        """A client with the keys of the account, which are its twelve digits."""
        return boto3.client(
            service,
            region_name=self.region,
            aws_access_key_id=self.account,
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}),
        )

    def make_table(self, name: str, items: int) -> None:
        """A table with items that say whose they are."""
        dynamodb = self.client("dynamodb")
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
        for number in range(items):
            item = {"pk": {"S": f"{number}"}, "of": {"S": self.stack}}
            dynamodb.put_item(TableName=name, Item=item)

    def items_of(self, name: str) -> list[Any] | None:
        """The items of a table, in the order of their keys; None without it."""
        dynamodb = self.client("dynamodb")
        try:
            items = dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]
        except dynamodb.exceptions.ResourceNotFoundException:
            return None
        return sorted(items, key=lambda item: item["pk"]["S"])

    def tables(self) -> list[str]:
        """The names of all tables."""
        return sorted(self.client("dynamodb").list_tables()["TableNames"])

    def role(self, name: str) -> str:
        """A role of CDK's in the account, as a synth writes it."""
        partition = "${AWS::Partition}"
        return f"arn:{partition}:iam::{self.account}:role/cdk-x-{name}-role-{self.environment}"


US_HOME, EU_HOME, US_OTHER = (
    Place("Us", HOME, US),
    Place("Eu", HOME, EU),
    Place("Other", OTHER, US),
)


def write_assembly(
    folder: Path, resources: Mapping[Place, Mapping[str, Any]], *, roles: bool = True
) -> Path:
    """A cloud assembly of a stack `shop` for each place, with the roles that CDK assumes."""
    folder.mkdir(exist_ok=True)
    artifacts = {}
    for place, declared in resources.items():
        (folder / f"{place.stack}.json").write_text(json.dumps({"Resources": declared}))
        deploy = {"assumeRoleArn": place.role("deploy")}
        lookup = {"lookupRole": {"arn": place.role("lookup")}}
        artifacts[place.stack] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{place.account}/{place.region}",
            "properties": {
                "templateFile": f"{place.stack}.json",
                "stackName": "shop",
                **({**deploy, **lookup} if roles else {}),
            },
        }
    manifest = {"version": "48.0.0", "artifacts": artifacts}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
