"""`dataware forget` asks before it deletes a record."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import click
import pytest

from dataware.state import forgotten
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
    again = run("forget", "new", "--yes")
    assert again.code == 0
    assert "Nothing to do: no migration into new is recorded in account" in again.out


@pytest.mark.usefixtures("aws_server")
def test_a_record_stays_where_no_copy_of_it_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is named, also where the write of a full disk names none."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    make_table("old", [{"pk": {"S": "1"}}])
    assert run("apply", table_app(tmp_path / "dataware.toml", "new", "old")).code == 0

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(forgotten, "keep_record", fail)
    ran = run("forget", "new", "--yes")
    assert ran.code == 1
    folder = tmp_path / "state" / "forgotten"
    assert f"cannot keep a copy of the record ({folder}: No space left on device)" in ran.err
    assert run("status", "new").code == 0


@pytest.mark.usefixtures("aws_server")
def test_a_name_that_is_nearly_on_record_is_an_error_unless_its_record_was_deleted_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip of the fingers is not taken for done; a command that is run again is."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    make_table("old", [{"pk": {"S": "1"}}])
    for name in ("orders-one", "orders-two"):
        app = table_app(tmp_path / f"{name}.toml", name, "old")
        assert run("apply", app).code == 0
    slip = run("forget", "orders-tow", "--yes")
    assert (slip.code, "did you mean orders-two?" in slip.err) == (1, True)
    assert run("forget", "nothing-like-it", "--yes").code == 0
    for _ in range(2):
        assert run("forget", "dynamodb://orders-one", "--yes").code == 0
    (kept,) = (tmp_path / "state" / "forgotten").iterdir()
    kept.write_text("{}", encoding="utf-8")
    assert run("forget", "orders-one", "--yes").code == 1
