"""What a change between two deployments leads to, where no other test shows it."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, opted_in, prepare_project
from support.cli import launch_python, run
from support.recipes import deploy, owner
from support.worlds import KEYS, client, items_of, make_table, retained, stacks, varied_items


@pytest.fixture(autouse=True)
def calls(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty AWS, and a CDK project whose command line writes down what it is asked."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def declared() -> dict[str, Any]:
    """The resources of the app: a table whose data was under an older name."""
    table = {"TableName": "orders-prod", "BillingMode": "PAY_PER_REQUEST", **KEYS}
    return {"Orders": opted_in(retained("AWS::DynamoDB::Table", **table), "orders")}


def test_destroyed_stacks_adopt_their_data_again() -> None:
    """What the deleted stack has left is the new one's, with what the app has written since."""
    make_table("orders", varied_items(9))
    assembly(Path("prepared"), App=declared())
    assert run("deploy", "--yes").code == 0
    deploy("App", **declared())
    client("dynamodb").put_item(TableName="orders-prod", Item={"pk": {"S": "of the app"}})
    before = items_of("orders-prod")
    assert owner("orders-prod") == "App"

    client("cloudformation").delete_stack(StackName="App")
    assert (stacks(), items_of("orders-prod")) == ([], before)
    ran = run("deploy", "--yes")
    assert ran.code == 0, ran
    assert "Importing existing DynamoDB table with data: orders-prod" in ran.out
    deploy("App", **declared())
    assert (owner("orders-prod"), items_of("orders-prod")) == ("App", before)
    assert "Keeping the stack's own DynamoDB table: orders-prod" in run("deploy", "--yes").out


def test_a_deployment_killed_in_cdk_deploy_is_repeated_without_copying(calls: Path) -> None:
    """The data was in place; what the app has written meanwhile stays, and the stack adopts it."""
    make_table("orders", varied_items(9))
    assembly(Path("prepared"), App=declared())
    Path("hanging").touch()
    process = launch_python("deploy", "--yes")
    while not (calls.exists() and "deploy --import" in calls.read_text()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    Path("hanging").unlink()
    process.communicate()
    client("dynamodb").put_item(TableName="orders-prod", Item={"pk": {"S": "of the app"}})
    before = items_of("orders-prod")
    assert before.items() > items_of("orders").items()

    ran = run("deploy", "--yes")
    assert ran.code == 0, ran
    assert "Importing existing DynamoDB table with data: orders-prod" in ran.out
    assert "Successfully migrated" not in ran.out
    deploy("App", **declared())
    assert (owner("orders-prod"), items_of("orders-prod")) == ("App", before)
