"""Workers in the account copy tables and buckets: killed, and finished by the same command.

The server enforces IAM, so what the roles of the stack may do is all that the workers need.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.cli import run
from support.killing import Strike, struck_run
from support.people import sign_in
from support.servers import FaultProxy, Seen, drop_after
from support.worlds import (
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    varied_items,
    varied_objects,
)

TOML = """
[[resource]]
type = "AWS::DynamoDB::Table"
id = "Orders"
preferred = "Orders-prod"
fallback = "Orders"

[resource.properties]
BillingMode = "PAY_PER_REQUEST"
AttributeDefinitions = [{ AttributeName = "pk", AttributeType = "S" }]
KeySchema = [{ AttributeName = "pk", KeyType = "HASH" }]

[[resource]]
type = "AWS::S3::Bucket"
id = "Uploads"
preferred = "uploads-prod"
fallback = "uploads"
"""
COMMAND = ("apply", "dataware.toml", "--yes", "--engine", "map")


@pytest.fixture
def proxy(
    auth_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """What commands speak to; workers speak to the server itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    Path("dataware.toml").write_text(TOML)
    make_table("Orders", varied_items(60))
    # The emulator's IAM takes a newline in a key for one that no wildcard matches.
    make_bucket("uploads", (one for one in varied_objects(14) if "\n" not in one["Key"]))
    with FaultProxy(auth_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def begins_copy(seen: Seen) -> bool:
    """Whether an execution is to copy, and not to compare."""
    return "-v" not in json.loads(seen.body)["name"]


def check_whole() -> None:
    """Both pairs are equal for boto3, and nothing of the workers is left."""
    assert items_of("Orders-prod") == items_of("Orders")
    assert objects_of("uploads-prod") == objects_of("uploads")
    check_removed()


def check_removed() -> None:
    """No stack, bucket, function, state machine, role or log group."""
    buckets = {one["Name"] for one in client("s3").list_buckets()["Buckets"]}
    assert buckets <= {"uploads", "uploads-prod"}
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    assert not [one for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    assert not client("lambda").list_functions()["Functions"]
    assert not client("stepfunctions").list_state_machines()["stateMachines"]
    assert not [one for one in client("iam").list_roles()["Roles"] if "dataware" in one["RoleName"]]
    assert not client("logs").describe_log_groups(logGroupNamePrefix="/dataware")["logGroups"]


def test_a_killed_command_is_finished_by_the_same_command(proxy: FaultProxy) -> None:
    """The workers of a table and of a bucket go on alone; one execution for each in the end."""
    started: list[str] = []
    strike = Strike(2, answered=True)
    struck = struck_run(proxy, strike, *COMMAND, operation="StartExecution", when=begins_copy)
    assert strike.struck, struck
    for machine in client("stepfunctions").list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        some = client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
        started += [one["name"] for one in some if "-v" not in one["name"]]
    assert len(started) == 2
    ran = run(*COMMAND)
    assert ran.code == 0, ran.out + ran.err
    assert not [line for line in ran.lines if "deployed the workers" in line]
    check_whole()
    again = run(*COMMAND)
    assert again.code == 0, again
    check_removed()


def test_a_stop_ends_the_workers_and_forget_removes_them(proxy: FaultProxy) -> None:
    """Ctrl-C says so; who gives up gets rid of all that was made for it."""
    Path("dataware.toml").write_text(TOML.partition('[[resource]]\ntype = "AWS::S3')[0])
    strike = Strike(1, number=signal.SIGINT)
    stopped = struck_run(proxy, strike, *COMMAND, operation="DescribeExecution")
    assert stopped.code == 4, stopped
    assert "stopped the workers of the execution" in stopped.err
    assert client("cloudformation").describe_stacks()["Stacks"]
    refused = run("migrate", "dynamodb://Orders", "dynamodb://Orders-prod")
    assert refused.code == 3, refused
    assert "or with --engine map" in refused.err
    forgot = run("forget", "dynamodb://Orders-prod", "--yes")
    assert forgot.code == 0, forgot
    assert "Removed the workers" in forgot.out + forgot.err
    check_removed()


def test_by_hand_workers_copy_into_a_table_that_stands(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`migrate --engine map`, by a user who has what `iam-policy --engine map` prints.

    The first answers to what makes the workers and begins their work are lost.
    """
    make_table("Orders-prod")
    for operation in ("CreateStack", "StartExecution"):
        proxy.add(drop_after, operation=operation, times=1)
    printed = run("iam-policy", "dataware.toml", "--for", "migrate", "--engine", "map")
    assert printed.code == 0, printed
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, json.loads(printed.out))
        ran = run("migrate", "dynamodb://Orders", "dynamodb://Orders-prod", "--engine", "map")
    assert ran.code == 0, ran.out + ran.err
    assert "Verified 60 items" in ran.out
    assert items_of("Orders-prod") == items_of("Orders")
    check_removed()
    find_lies(proxy, monkeypatch)


def find_lies(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find what was changed after the copy; the command is killed meanwhile.

    By a user who has what `iam-policy --for verify --engine map` prints.
    """
    verify = ("verify", "dynamodb://Orders", "dynamodb://Orders-prod", "--engine", "map")
    keys = [item["pk"] for item in varied_items(60)]
    changed, missing = keys[7], keys[11]
    dynamodb = client("dynamodb")
    lie = {"pk": changed, "lie": {"S": "another value"}}
    dynamodb.put_item(TableName="Orders-prod", Item=lie)
    dynamodb.delete_item(TableName="Orders-prod", Key={"pk": missing})
    dynamodb.put_item(TableName="Orders-prod", Item={"pk": {"S": "nobody copied this"}})
    printed = run("iam-policy", "dataware.toml", "--for", "verify", "--engine", "map")
    assert printed.code == 0, printed
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, json.loads(printed.out), "verifier")
        strike = Strike(1, answered=True)
        struck = struck_run(proxy, strike, *verify, operation="StartExecution")
        assert strike.struck, struck
        ran = run(*verify)
    assert ran.code == 2, ran.out + ran.err
    text = ran.out + ran.err
    assert "deployed the workers" not in text
    assert "1 missing, 1 extra, 1 different" in text, text
    assert all(key in text for key in ("nobody copied this", changed["S"], missing["S"])), text
    check_removed()
