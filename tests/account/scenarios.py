"""What dataware promises, tried in the account: each scenario makes what it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.account.scratch import ScenarioError, ScratchAccount

ITEMS, SLOW_ITEMS, RATE = 200, 1_000, 60
OBJECTS = {f"photos/{number:03}.jpg": b"x" * number for number in range(1, 31)}


def require(holds: bool, what: str) -> None:
    """Raise ScenarioError unless something holds; `assert` would be left out by -O."""
    if not holds:
        raise ScenarioError(what)


def write_template(account: ScratchAccount, name: str, resources: Mapping[str, Any]) -> str:
    """A template in the folder of the run."""
    text = json.dumps({"Resources": resources}, indent=1)
    (account.folder / name).write_text(text, encoding="utf-8")
    return name


def table_resource(account: ScratchAccount, preferred: str, fallback: str) -> dict[str, Any]:
    """A table that opts in."""
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": [fallback]}},
        "Properties": {
            "TableName": preferred,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "Tags": account.tags,
        },
    }


def bucket_resource(account: ScratchAccount, preferred: str, fallback: str) -> dict[str, Any]:
    """A bucket that opts in."""
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"Dataware": {"Fallback": [fallback]}},
        "Properties": {"BucketName": preferred, "Tags": account.tags},
    }


def copy_and_adopt(account: ScratchAccount) -> None:
    """Plan, apply and verify a table and a bucket; a real stack adopts both, and outlives it."""
    table, bucket = f"{account.prefix}waitlist-new", f"{account.prefix}uploads-new"
    old_table = account.make_table("waitlist", ITEMS)
    old_bucket = account.make_bucket("uploads", OBJECTS)
    resources = {
        "Waitlist": table_resource(account, table, old_table),
        "Uploads": bucket_resource(account, bucket, old_bucket),
    }
    template, stack = write_template(account, "adopt.json", resources), f"{account.prefix}stack"
    planned = account.run("plan", template, "--stack", stack)
    require("Plan: 2 to copy" in planned, f"the plan copies two resources, not:\n{planned}")
    account.run("apply", template, "--stack", stack, "--yes")
    account.run("verify", f"dynamodb://{old_table}", f"dynamodb://{table}")
    account.run("verify", f"s3://{old_bucket}", f"s3://{bucket}", "--deep")
    require(account.items(table) == account.items(old_table), "the tables hold the same items")
    require(account.objects(bucket) == OBJECTS, "the new bucket holds every object")
    adopt(account, stack, resources)
    again = account.run("plan", template, "--stack", stack)
    require("2 unchanged" in again, f"the stack keeps both, not:\n{again}")


def adopt(account: ScratchAccount, stack: str, resources: Mapping[str, Any]) -> None:
    """Let a stack adopt what exists, by a change set as `cdk deploy` makes it."""
    cloudformation = account.client("cloudformation")
    made = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="adopt",
        ChangeSetType="CREATE",
        ImportExistingResources=True,
        TemplateBody=json.dumps({"Resources": resources}),
        Tags=account.tags,
    )
    names = {"StackName": made["StackId"], "ChangeSetName": made["Id"]}
    cloudformation.get_waiter("change_set_create_complete").wait(**names)
    cloudformation.execute_change_set(**names)

    def ended() -> bool:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return not found["StackStatus"].endswith("_IN_PROGRESS")

    account.wait(ended, f"the adoption by {stack}")
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    status = found["StackStatus"]
    require(status.endswith("_COMPLETE") and "ROLLBACK" not in status, f"{stack} is {status}")


def kill_and_resume(account: ScratchAccount) -> None:
    """A copy that is killed goes on with the same command, and ends with every item."""
    old, new = account.make_table("orders", SLOW_ITEMS), f"{account.prefix}orders-new"
    resources = {"Orders": table_resource(account, new, old)}
    template = write_template(account, "resume.json", resources)
    process = account.start("apply", template, "--yes", "--max-rate", str(RATE))

    def begun() -> bool:
        if process.poll() is not None:
            said = process.communicate()[0]
            raise ScenarioError(f"the copy ended before it was killed:\n{said}")
        return ("table", new) in account.left() and _copied(account, new) > 0

    try:
        account.wait(begun, f"the first item of {new}")
    finally:
        process.kill()
        process.wait()
    before = _copied(account, new)
    require(before < SLOW_ITEMS, "the copy was killed before its end")
    account.run("apply", template, "--yes")
    require(account.items(new) == account.items(old), "the tables hold the same items")


def _copied(account: ScratchAccount, table: str) -> int:
    dynamodb = account.client("dynamodb")
    described = dynamodb.describe_table(TableName=table)["Table"]
    return len(account.items(table)) if described["TableStatus"] == "ACTIVE" else 0


def never_overwrite(account: ScratchAccount) -> None:
    """S3 itself refuses to replace what the target got from anyone else."""
    old = account.make_bucket("photos", {"a": b"old", "b": b"old", "c": b"old"})
    new = account.make_bucket("photos-new", {"b": b"own"})
    account.run("migrate", f"s3://{old}", f"s3://{new}", code=4)
    expected = {"a": b"old", "b": b"own", "c": b"old"}
    require(account.objects(new) == expected, "what the target held is as it was")
    account.run("verify", f"s3://{old}", f"s3://{new}", code=2)


SCENARIOS: Mapping[str, Callable[[ScratchAccount], None]] = {
    "copy-and-adopt": copy_and_adopt,
    "kill-and-resume": kill_and_resume,
    "never-overwrite": never_overwrite,
}

REQUESTS = {
    "dynamodb.write-unit": 2 * (ITEMS + SLOW_ITEMS) + 200,
    "dynamodb.read-unit": 12 * (ITEMS + SLOW_ITEMS),
    "s3.put": 4 * len(OBJECTS) + 100,
    "s3.get": 8 * len(OBJECTS) + 300,
}
"""What all scenarios take at most, in the words of the price list."""
