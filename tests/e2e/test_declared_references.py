"""What a template declares cannot be referred to: its deployment makes it, adopts it, or fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, made_by_constructs, prepare_project
from support.cli import BUCKET, TABLE, Ran, run
from support.worlds import (
    KEYS,
    items_of,
    make_bucket,
    make_stack,
    make_table,
    retained,
    varied_items,
)

KEYED = {"BillingMode": "PAY_PER_REQUEST", **KEYS}


@pytest.fixture(autouse=True)
def calls(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CDK project whose app is written anew by each test."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def table(name: str, *fallbacks: str, **settings: Any) -> dict[str, Any]:
    """A table of a template that opts in."""
    metadata = {"Dataware": {"Fallback": list(fallbacks), **settings}}
    return {**retained(TABLE, TableName=name, **KEYED), "Metadata": metadata}


def deploy(calls: Path, *options: str, **stacks: dict[str, Any]) -> Ran:
    """Deploy the stacks; CDK is not told to where anything is refused."""
    assembly(Path("prepared"), **stacks)
    calls.unlink(missing_ok=True)
    ran = run("deploy", "--yes", *options, "--", "--all")
    assert (ran.code == 0) == ("deploy --import" in calls.read_text())
    return ran


def test_an_empty_one_is_not_deployed_beside_the_fallback_that_is_imported(calls: Path) -> None:
    """Only a construct that follows the decision declares nothing then."""
    make_table("orders", varied_items(3))
    for where in (["--on-fallback-data", "import"], []):
        settings = {} if where else {"OnFallbackData": "import"}
        ran = deploy(calls, *where, App={"Orders": table("orders-prod", "orders", **settings)})
        assert ran.code == 3, ran
        assert "remove Orders from the template and refer to orders" in ran.out
    assert run("plan", "prepared").code == 3


@pytest.mark.parametrize("items", [0, 3])
def test_what_another_stack_has_is_not_deployed_as_one_of_this_stack(
    calls: Path, items: int
) -> None:
    """CloudFormation would refuse the name, each time; the plan says so beforehand."""
    make_stack("Legacy", Orders=retained(TABLE, TableName="orders", **KEYED))
    if items:
        make_table("older")
    assembly(Path("prepared"), App={"Mine": table("orders", "older")})
    planned = run("plan", "prepared")
    assert planned.code == 0, planned
    assert "would fail, because its template declares Mine" in planned.out
    assert "let Legacy release it first" in planned.out
    ran = deploy(calls, App={"Mine": table("orders", "older")})
    assert ran.code == 3, ran
    assert "orders is in stack Legacy" in ran.err


def test_what_moves_from_one_stack_of_the_app_to_another_is_let_through(calls: Path) -> None:
    """Unless the stack that has it still declares it."""
    make_stack("Old", Orders=retained(TABLE, TableName="orders", **KEYED), Topic=topic())
    app = {"Old": {"Topic": topic()}, "New": {"Mine": table("orders", "older")}}
    ran = deploy(calls, **app)
    assert ran.code == 0, ran
    still = {**app["Old"], "Orders": retained(TABLE, TableName="orders", **KEYED)}
    ran = deploy(calls, Old=still, New=app["New"])
    assert ran.code == 3, ran


def topic() -> dict[str, Any]:
    """What is left of a stack."""
    return {"Type": "AWS::SNS::Topic"}


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_what_is_declared_is_not_deployed_where_a_reference_is_asked_for(
    calls: Path, policy: str
) -> None:
    """Nothing is copied into what the deployment cannot refer to, and could not adopt."""
    make_table("orders", varied_items(3))
    declared = {**table("orders-prod", "orders", Import="reference"), "DeletionPolicy": policy}
    ran = deploy(calls, App={"Orders": declared})
    assert ran.code == 3, ran
    assert "would not refer to orders-prod, but adopt it or fail" in ran.err
    assert items_of("orders-prod") == {}
    ran = run("apply", "prepared")
    assert ran.code == 0, ran
    assert items_of("orders-prod") == items_of("orders")


def test_a_construct_that_follows_the_decision_may_refer(calls: Path) -> None:
    """The assembly names what constructs declare; they refer to it once that is decided."""
    make_table("orders", varied_items(3))
    folder = assembly(Path("prepared"), App={"Orders": table("orders", Import="reference")})
    assert "would not refer" in run("plan", folder).out
    made_by_constructs(folder, "App", "Orders")
    ran = run("plan", folder)
    assert ran.code == 0, ran
    assert "would not refer" not in ran.out


def test_a_bucket_that_a_template_declares_is_adopted_under_its_rules(calls: Path) -> None:
    """A reference that is asked for does not get round the stop at what adoption deletes."""
    bucket = {**retained(BUCKET, BucketName="files"), "Metadata": {"Dataware": {"Fallback": []}}}
    bucket["Properties"]["LifecycleConfiguration"] = {
        "Rules": [{"Status": "Enabled", "ExpirationInDays": 1}]
    }
    make_bucket("files", [{"Key": "a", "Body": b"1"}])
    ran = deploy(calls, "--import", "reference", App={"Files": bucket})
    assert ran.code == 3, ran
