"""`dataware forget` asks before it deletes a record."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from support.cli import run, table_app
from support.worlds import client, make_table


@pytest.mark.usefixtures("aws_server")
def test_a_record_goes_only_with_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody to ask is no yes, and no is no; a yes deletes, and the next plan copies again."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    make_table("old", [{"pk": {"S": "1"}}])
    app = table_app(tmp_path / "dataware.toml", "new", "old")
    assert run("apply", app).code == 0
    client("dynamodb").delete_table(TableName="new")

    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    unasked = run("forget", "new")
    assert (unasked.code, "pass --yes" in unasked.err) == (1, True)
    assert "old → new: complete: 1 item verified" in unasked.out
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "n")
    assert run("forget", "new").code == 3
    assert "(rule 9)" in run("plan", app).out

    monkeypatch.setattr(click, "prompt", lambda *_, **__: "y")
    ran = run("forget", "new")
    assert ran.code == 0
    (kept,) = (tmp_path / "state" / "forgotten").iterdir()
    assert str(kept) in ran.out
    assert "(rule 9)" not in run("plan", app).out
    assert run("forget", "new", "--yes").code == 1
