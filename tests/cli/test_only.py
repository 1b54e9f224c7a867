"""`--only` of plan and apply: nothing else is looked at, created or copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cli import BUCKET, KEYED_BY_PK, TABLE, run, toml_resource, write_toml
from support.worlds import client

pytestmark = pytest.mark.usefixtures("aws_server")


@pytest.fixture(autouse=True)
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app of a table and a bucket that do not exist."""
    monkeypatch.chdir(tmp_path)
    table = toml_resource(TABLE, "new-table", properties=KEYED_BY_PK)
    write_toml(Path("dataware.toml"), table, toml_resource(BUCKET, "new-bucket-of-space"))


def test_only_the_named_resource_is_carried_out() -> None:
    """The other one is named as left out, and does not exist afterwards."""
    planned = run("plan", "--only", "new-table", "--out", "plan.json")
    assert planned.code == 0
    assert "--only leaves out 1 resource: new-bucket-of-space" in planned.out
    assert "Looking at 1 resource" in planned.out
    assert run("apply", "--only", "new-table").code == 0
    assert client("dynamodb").list_tables()["TableNames"] == ["new-table"]
    assert client("s3").list_buckets()["Buckets"] == []
    whole = run("apply", "plan.json", "--only", "new-table")
    assert (whole.code, "carried out whole" in whole.err) == (1, True)


@pytest.mark.parametrize(
    "typed", [["--stack", "other"], ["--parameter", "A=1"], ["--import", "reference"], ["-e"]]
)
def test_a_saved_plan_takes_no_other_choice_of_resources(typed: list[str]) -> None:
    """What was typed would change nothing, so it is refused before anything is created."""
    assert run("plan", "--out", "plan.json").code == 0
    ran = run("apply", "plan.json", *typed)
    assert ran.code == 1
    assert f"plan.json is a saved plan and is carried out as it was made, so {typed[0]} " in ran.err
    assert client("dynamodb").list_tables()["TableNames"] == []


def test_a_choice_in_a_variable_is_not_one_of_a_saved_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline sets it for all of its commands."""
    monkeypatch.setenv("DATAWARE_IMPORT", "adopt")
    assert run("plan", "--out", "plan.json").code == 0
    assert run("apply", "plan.json").code == 0


def test_a_slip_and_a_lock_of_a_part_are_refused() -> None:
    """Before anything is asked."""
    ran = run("plan", "--only", "new-tabel")
    assert (ran.code, "did you mean new-table?" in ran.err) == (1, True)
    assert run("plan", "--only", "new-table", "--lock").code == 1
    assert not Path("dataware.lock.json").exists()
