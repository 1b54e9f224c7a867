"""A deployment that has nothing to do beforehand looks at the app once, and deploys what it saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, opted_in, prepare_project
from support.cli import Ran, run
from support.worlds import KEYS, client, make_stack, make_table, retained, varied_items

TABLE = "AWS::DynamoDB::Table"


@pytest.fixture
def calls(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CDK project beside a stack that keeps its table; what its CDK was asked."""
    monkeypatch.chdir(tmp_path)
    calls = prepare_project()
    make_stack("App", Data=table())
    client("dynamodb").put_item(TableName="data-prod", Item={"pk": {"S": "a"}})
    write_app(Data=table())
    return calls


def table(name: str = "data-prod", *fallbacks: str) -> dict[str, Any]:
    """A table that the app declares."""
    keys = {**KEYS, "BillingMode": "PAY_PER_REQUEST"}
    return opted_in(retained(TABLE, TableName=name, **keys), *fallbacks or ("data",))


def write_app(**resources: Any) -> Path:
    """What the app writes from now on."""
    return assembly(Path("prepared"), App=resources)


def deploy(calls: Path, *words: str) -> tuple[Ran, list[str]]:
    """How a deployment ended, and what CDK was asked for it, told apart by the first word."""
    before = len(calls.read_text().splitlines()) if calls.exists() else 0
    ran = run("deploy", "--yes", *words)
    asked = calls.read_text().splitlines()[before:]
    return ran, [each for each in asked if each.startswith(("list", "deploy --import"))]


def kinds_of(asked: list[str]) -> list[str]:
    """What each call was for."""
    words = {"--context dataware:lookup=collect": "look", " --app ": "as it is", "list ": "run"}
    return [
        next((said for word, said in words.items() if word in each), "deploy") for each in asked
    ]


def test_the_second_deployment_hands_over_what_it_saw(calls: Path) -> None:
    """The stacks by their paths, from a folder that nobody else writes; nothing is built again."""
    first, asked = deploy(calls)
    assert first.code == 0, first
    assert kinds_of(asked) == ["look", "deploy"], "no lock file"
    again, asked = deploy(calls)
    assert again.code == 0, again
    assert kinds_of(asked) == ["run", "as it is"]
    assert asked[0] == f"list --output {Path('cdk.out').absolute()}"
    words = asked[1].split()
    assert words[2:4] == ["--exclusively=true", "App"]
    assert words[-1] == "--build="
    handed = Path(words[words.index("--app") + 1])
    assert handed.name == "whole"
    assert not handed.parent.exists(), "nothing is left behind"
    assert dict.fromkeys(again.lines) == dict.fromkeys(first.lines), "the same is told"


def test_what_has_to_be_done_first_is_done(calls: Path) -> None:
    """A table that is new, and data under its fallback name, are seen before CDK deploys."""
    deploy(calls)
    make_table("mail", varied_items(4))
    write_app(Data=table(), Mail=table("mail-prod", "mail"))
    ran, asked = deploy(calls)
    assert ran.code == 0, ran
    assert kinds_of(asked) == ["run", "look", "deploy"]
    assert "Successfully migrated data to mail-prod" in ran.out
    assert ran.out.count("Keeping the stack's own DynamoDB table: data-prod") == 1, "told once"


def test_what_would_be_lost_is_refused(calls: Path) -> None:
    """By a guard that looks at what would be deployed."""
    deploy(calls)
    write_app(Data=table("data-v2", "data-prod"))
    ran, asked = deploy(calls)
    assert ran.code == 3, ran
    assert "nothing was changed, because" in ran.err
    assert not [each for each in asked if each.startswith("deploy")]


@pytest.mark.parametrize("type_", ["aws:cdk:error", "dataware:wanted"])
def test_what_the_lock_file_makes_an_error_is_looked_at_again(calls: Path, type_: str) -> None:
    """Such as a construct that is new, about which the file says nothing."""
    deploy(calls)
    manifest = Path("prepared/manifest.json")
    told = json.loads(manifest.read_text())
    told["artifacts"]["App"]["metadata"] = {"/App/New": [{"type": type_, "data": "no entry"}]}
    manifest.write_text(json.dumps(told))
    ran, asked = deploy(calls)
    assert kinds_of(asked) == ["run", "look"]
    assert ran.code == 1, "the app of this test says so in any case"


def test_an_asset_that_a_program_makes_is_made_by_cdk(calls: Path) -> None:
    """The program may look for what stands beside the folder into which CDK lets the app write."""
    deploy(calls)
    made = {"files": {"1": {"source": {"executable": ["../make.sh"]}}}}
    Path("prepared/App.assets.json").write_text(json.dumps(made))
    ran, asked = deploy(calls)
    assert ran.code == 0, ran
    assert kinds_of(asked) == ["run", "look", "deploy"]


def test_an_app_that_fails_with_the_decisions_is_run_without(calls: Path) -> None:
    """Its own words stand above a note that says why it runs again."""
    deploy(calls)
    cdk = Path("node_modules/.bin/cdk")
    cdk.write_text(
        cdk.read_text().replace("  list*)", "  'list --output '*cdk.out) exit 1 ;;\n  list*)")
    )
    ran, asked = deploy(calls)
    assert ran.code == 0, ran
    assert kinds_of(asked) == ["run", "look", "deploy"]
    assert "the app fails with the decisions in dataware.lock.json" in ran.out
