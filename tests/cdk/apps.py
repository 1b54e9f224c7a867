"""Small apps, lock files, and what a synth makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.assertions import Annotations, Match, Template

from dataware.core.lock_file import FILE

ACCOUNT, REGION = "111122223333", "eu-central-1"
ENVIRONMENT = f"{ACCOUNT}/{REGION}"
REPOSITORY = Path(__file__).resolve().parents[2]
BUCKET, TABLE = "AWS::S3::Bucket", "AWS::DynamoDB::Table"
KEY = dynamodb.Attribute(name="email", type=dynamodb.AttributeType.STRING)


def make_stack(name: str = "Demo", app: App | None = None, **context: Any) -> Stack:
    """A stack of a known environment; words of `context` are keys of dataware."""
    values = {f"dataware:{word}": value for word, value in context.items()}
    env = Environment(account=ACCOUNT, region=REGION)
    return Stack(app or App(context=values), name, env=env)


def entry(action: str = "create", rule: int = 5, **fields: Any) -> dict[str, Any]:
    """An entry of the lock file, with parts of it replaced."""
    return {
        "action": action,
        "rule": rule,
        "reason": f"because of rule {rule}",
        "import": None,
        "source": None,
        "fallbacks": [],
        "exists": "no",
        "owner": "no stack",
        "stack": None,
        "logical_id": None,
        "warnings": [],
        **fields,
    }


def write_lock(entries: Mapping[str, Any], environment: str = ENVIRONMENT) -> Path:
    """A lock file in the current folder, which is never the repository."""
    path = Path(FILE)
    assert REPOSITORY not in path.resolve().parents
    path.write_text(json.dumps({"version": 1, "environments": {environment: entries}}))
    return path


def resources(stack: Stack) -> dict[str, Any]:
    """The resources of the synthesized template."""
    found: dict[str, Any] = Template.from_stack(stack).to_json().get("Resources", {})
    return found


def errors(stack: Stack) -> list[str]:
    """The texts of the error annotations."""
    return _texts(Annotations.from_stack(stack).find_error("*", Match.any_value()))


def warnings(stack: Stack) -> list[str]:
    """The texts of the warning annotations."""
    return _texts(Annotations.from_stack(stack).find_warning("*", Match.any_value()))


def infos(stack: Stack) -> list[str]:
    """The texts of the information annotations."""
    return _texts(Annotations.from_stack(stack).find_info("*", Match.any_value()))


def _texts(messages: list[Any]) -> list[str]:
    return [str(message.entry.data) for message in messages]


def make_table(name: str, key: str = "email") -> None:
    """A table with one key and one item, that no stack owns."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName=name, Item={key: {"S": "ada@example.org"}})
