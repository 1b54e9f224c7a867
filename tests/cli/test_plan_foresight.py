"""What an apply or a deployment would meet is told by the plan before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws
from support.assemblies import assembly, opted_in
from support.cli import KEYED_BY_PK, TABLE, bucket_app, run, toml_resource, write_toml
from support.ptys import Terminal
from support.screen import Screen
from support.worlds import KEYS, make_bucket, make_table, varied_items


@pytest.fixture(autouse=True)
def an_empty_place(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty AWS, and a folder of its own."""
    monkeypatch.chdir(tmp_path)


def declared(name: str, policy: str) -> dict[str, Any]:
    """A table of a template that its stack deletes, or retains."""
    properties = {"BillingMode": "PAY_PER_REQUEST", **KEYS, "TableName": name}
    return {"Type": TABLE, "DeletionPolicy": policy, "Properties": properties}


def test_what_cannot_be_adopted_because_the_stack_would_delete_it() -> None:
    """`DeletionPolicy: Delete` stops the plan of a stack; the plan of a template warns."""
    make_table("orders-prod", varied_items(2))
    resources = {"Orders": opted_in(declared("orders-prod", "Delete"), "orders")}
    ran = run("plan", assembly(App=resources))
    assert ran.code == 3
    assert "Stopped at orders-prod (rule 21): orders-prod would be deleted with its" in ran.out
    template = Path("template.json")
    template.write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    ran = run("plan", template, "--detailed-exitcode")
    assert ran.code == 2, "it needs attention"
    assert "orders-prod would be deleted with its stack" in ran.out
    resources = {"Orders": opted_in(declared("orders-prod", "RetainExceptOnCreate"), "orders")}
    assert "would be deleted" not in run("plan", assembly(App=resources)).out


def test_a_change_set_needs_a_stack_to_be_asked_about() -> None:
    """Nobody is left to think that CloudFormation has been asked."""
    resources = {"Orders": opted_in(declared("orders-prod", "Retain"), "orders")}
    Path("template.json").write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    ran = run("plan", "template.json", "--change-set")
    assert (ran.code, "none is known: name that of a template" in ran.err) == (1, True), ran
    assert run("plan", "template.json", "--change-set", "--stack", "App").code == 0
    write_toml(Path("dataware.toml"), toml_resource(TABLE, "orders-prod", properties=KEYED_BY_PK))
    assert run("plan", "--change-set").code == 1


def test_archived_objects_are_a_warning_on_a_terminal_and_in_a_log() -> None:
    """The copy would end as incomplete, so it needs attention before it begins."""
    archived = [{"Key": str(n), "Body": b"x", "StorageClass": "GLACIER"} for n in range(2)]
    make_bucket("uploads", [*archived, {"Key": "9", "Body": b"x"}])
    bucket_app(Path("dataware.toml"), "uploads-prod", "uploads")
    foreseen = "uploads: 2 of 3 objects are archived and will be skipped; restore them first"
    piped = run("plan")
    assert piped.lines.count(f"⚠️  {foreseen}") == 1
    assert not [line for line in piped.lines if line.startswith("ℹ️  uploads:")], "told once"
    assert "1 to copy, 1 needs your attention" in piped.out
    with Terminal(("-m", "dataware.cli", "plan"), columns=100) as terminal:
        assert terminal.ended() == 0
    assert f"     {foreseen}" in Screen(100).feed(terminal.written).lines


def test_a_copy_that_scarce_capacity_would_make_long() -> None:
    """A table of one write unit a second takes longer than ten minutes for 700 items."""
    make_table("orders", varied_items(700))
    capacity = "ProvisionedThroughput = { ReadCapacityUnits = 1, WriteCapacityUnits = 1 }"
    keyed = KEYED_BY_PK.replace('BillingMode = "PAY_PER_REQUEST"', capacity)
    app = toml_resource(TABLE, "orders-prod", "orders", properties=keyed)
    write_toml(Path("dataware.toml"), app)
    ran = run("plan")
    assert ran.code == 0, ran
    assert "its provisioned capacity of 1 write units a second takes about " in ran.out
