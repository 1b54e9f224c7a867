"""What an error on a construct tells a person to do is done here, and the error is gone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, DefaultStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb

from cdk.apps import KEY, TABLE, errors, make_table, resources
from dataware.cdk import DataAwareTable
from dataware.cli import main
from dataware.core.model import Action
from dataware.embedded import EmbeddedAws
from support.recipes import deploy, follow, owner

PREFERRED, FALLBACK, NEWER = "orders-prod", "orders", "orders-live"


@pytest.fixture(autouse=True)
def server(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The embedded AWS as the default environment of every stack."""
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", boto3.client("sts").get_caller_identity()["Account"])
    monkeypatch.setenv("CDK_DEFAULT_REGION", boto3.client("s3").meta.region_name)
    return aws_server


def new_stack() -> Stack:
    """A stack that needs no bootstrapped account."""
    app = App(context={"aws:cdk:enable-path-metadata": True})
    synthesizer = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    return Stack(app, "Shop", synthesizer=synthesizer)


def shop(
    id: str = "Orders", preferred: str = PREFERRED, fallback: str = FALLBACK, **settings: Any
) -> Stack:
    """A stack with one data-aware table, decided now."""
    stack = new_stack()
    DataAwareTable(
        stack,
        id,
        preferred_name=preferred,
        fallback_names=[fallback],
        partition_key=KEY,
        **settings,
    )
    return stack


def emails(table: str) -> set[str]:
    """The keys of all items of a table."""
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return {str(item["email"]["S"]) for item in items}


def put(table: str, email: str) -> None:
    """An item that the app writes."""
    boto3.client("dynamodb").put_item(TableName=table, Item={"email": {"S": email}})


def types(stack: Stack) -> list[str]:
    """The types of what the template declares."""
    return [str(one["Type"]) for one in resources(stack).values()]


def properties(declared: dict[str, Any]) -> dict[str, Any]:
    """The properties of the resources of a template, by logical id."""
    return {logical_id: one["Properties"] for logical_id, one in declared.items()}


def test_data_that_this_deployment_may_not_copy_is_copied_by_the_printed_command() -> None:
    """With `migration=None` the named command brings the data over once both tables exist."""
    make_table(FALLBACK)
    (text,) = errors(shop(migration=None))
    deploy("Shop", **resources(shop(fallback="nothing")))
    assert follow(text, "migrate").code == 0
    stack = shop(migration=None)
    assert errors(stack) == []
    assert types(stack) == [TABLE]
    assert emails(PREFERRED) == emails(FALLBACK)


@pytest.mark.parametrize("way", ["left out", "copied", "taken out"])
def test_data_beside_an_empty_table_of_the_stack_has_three_ways_out(way: str) -> None:
    """Each of the ways that the error names ends it, and the stack keeps its table."""
    deploy("Shop", **resources(shop()))
    make_table(FALLBACK)
    setting = {"on_fallback_data": "import"}
    (text,) = errors(shop(**setting))
    if way == "copied":
        assert follow(text, "migrate").code == 0
        stack = shop(**setting)
        assert emails(PREFERRED) == emails(FALLBACK)
    elif way == "left out":
        stack = shop()
        assert "Custom::DataMigration" in types(stack)
    else:
        stack = shop(fallback="nothing", **setting)
    assert errors(stack) == []
    assert TABLE in types(stack)


@pytest.mark.parametrize("way", ["renamed back", "logical id kept"])
def test_a_moved_construct_keeps_its_table(way: str) -> None:
    """The old id, or `rename_logical_id` before the declaration: the template is the one it was."""
    before = resources(shop())
    deploy("Shop", **before)
    put(PREFERRED, "ada@example.org")
    (text,) = errors(shop("Sales"))
    assert "rename the construct back or run `cdk refactor`" in text
    if way == "renamed back":
        stack = shop()
    else:
        stack = new_stack()
        ids = re.search(r" as (\w+), but the app declares it as (\w+)", text)
        assert ids
        stack.rename_logical_id(ids[2], ids[1])
        DataAwareTable(
            stack,
            "Sales",
            preferred_name=PREFERRED,
            fallback_names=[FALLBACK],
            partition_key=KEY,
        )
    assert errors(stack) == []
    assert properties(resources(stack)) == properties(before)


@pytest.mark.parametrize("way", ["name kept", "new construct id"])
def test_a_name_changed_in_place_is_kept_or_declared_under_a_new_id(way: str) -> None:
    """Under a new construct id the data is copied, the stack has the new table, the old stays."""
    deploy("Shop", **resources(shop()))
    put(PREFERRED, "ada@example.org")
    (text,) = errors(shop(preferred=NEWER, fallback=PREFERRED))
    assert f"keep the name, or declare {NEWER} under a new construct id with {PREFERRED}" in text
    if way == "name kept":
        assert errors(shop()) == []
        return
    renamed: dict[str, Any] = {"id": "Orders2", "preferred": NEWER, "fallback": PREFERRED}
    stack = shop(**renamed)
    assert errors(stack) == []
    assert "Custom::DataMigration" in types(stack)
    assert main(["apply", str(stack.node.root.synth().directory), "--stack", "Shop"]) == 0
    deploy("Shop", **resources(shop(**renamed, import_mode="adopt")))
    assert (owner(NEWER), owner(PREFERRED)) == ("Shop", None)
    assert emails(NEWER) == emails(PREFERRED) == {"ada@example.org"}
    stack = shop(**renamed)
    assert errors(stack) == []
    assert types(stack) == [TABLE]


def test_an_outdated_lock_file_is_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no synth may look, the command that the error names makes the file fit."""
    make_table(PREFERRED)
    monkeypatch.setenv("DATAWARE_LOOKUP", "never")
    (text,) = errors(shop())
    monkeypatch.setenv("DATAWARE_LOOKUP", "collect")
    assembly = Path(shop().node.root.synth().directory)
    monkeypatch.setenv("DATAWARE_LOOKUP", "never")
    assert "`dataware plan --lock`" in text
    assert main(["plan", str(assembly), "--lock"]) == 0
    stack = shop()
    assert errors(stack) == []
    assert stack.node.find_child("Orders").decision.action is Action.IMPORT


def test_a_destroyed_stack_is_deployed_again_on_its_data() -> None:
    """A plain synth refers to what the stack left; with adoption the new stack has it again."""
    deploy("Shop", **resources(shop()))
    put(PREFERRED, "ada@example.org")
    boto3.client("cloudformation").delete_stack(StackName="Shop")
    assert types(shop()) == []
    for _ in range(2):
        stack = shop(import_mode="adopt")
        assert errors(stack) == []
        assert types(stack) == [TABLE]
        if owner(PREFERRED) is None:
            deploy("Shop", **resources(stack))
        assert owner(PREFERRED) == "Shop"
    assert emails(PREFERRED) == {"ada@example.org"}


def test_dataware_is_taken_out_of_an_app_and_put_in_again() -> None:
    """CDK's own construct under the same id is the same resource: neither change loses anything."""
    before = resources(shop())
    deploy("Shop", **before)
    put(PREFERRED, "ada@example.org")
    plain = new_stack()
    dynamodb.Table(
        plain,
        "Orders",
        table_name=PREFERRED,
        partition_key=KEY,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    declared = resources(plain)
    assert properties(declared) == properties(before)
    deploy("Shop", **declared)
    assert owner(PREFERRED) == "Shop"
    stack = shop()
    assert errors(stack) == []
    assert resources(stack) == before
    deploy("Shop", **before)
    assert (owner(PREFERRED), emails(PREFERRED)) == ("Shop", {"ada@example.org"})
