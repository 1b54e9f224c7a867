"""`dataware check`: exit codes, lines for editors, and what is checked by default."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from support.assemblies import assembly, opted_in
from support.cli import TABLE, bucket_app, run, toml_resource, write_toml


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on a machine without network and credentials."""

    def refuse(*_arguments: object) -> None:
        raise AssertionError("something was asked over the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)


def test_a_good_file_ends_with_0() -> None:
    """The default is the dataware.toml of the folder."""
    bucket_app(Path("dataware.toml"), "uploads-prod", "uploads")
    ran = run("check", "--plain")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == ["ok: Nothing is wrong with dataware.toml: 1 resource opted in"]


def test_a_bad_file_ends_with_2_and_lines_that_editors_read() -> None:
    """FILE:LINE: at the beginning, without a sign."""
    write_toml(Path("dataware.toml"), toml_resource(TABLE, "new", on_error="stopp"))
    ran = run("check")
    assert ran.code == 2
    assert ran.lines[0].startswith("dataware.toml:1: new: KeySchema is missing")
    assert any(line.startswith("dataware.toml:5: new: on_error cannot") for line in ran.lines)
    assert ran.lines[-1].endswith("4 problems in dataware.toml")


def test_json_has_file_and_line() -> None:
    """One event for each problem."""
    write_toml(Path("dataware.toml"), toml_resource("AWS::S3::Bucket", "UP PER"))
    ran = run("check", "--format", "json")
    assert ran.code == 2
    first = ran.events[0]
    assert (first["code"], first["data"]["file"], first["data"]["line"]) == (
        "problem",
        "dataware.toml",
        3,
    )


def test_a_project_is_checked_by_what_its_last_synth_wrote() -> None:
    """The app is not run: that could ask AWS. Without a synth it says what to do."""
    Path("cdk.json").write_text('{"app": "exit 1"}', encoding="utf-8")
    ran = run("check")
    assert (ran.code, "`dataware plan` runs it" in ran.err) == (1, True)
    assert "run `cdk synth` and check again" in ran.err
    bad = opted_in({"Type": TABLE, "Properties": {"TableName": "orders-prod"}}, "orders")
    assembly(Path("cdk.out"), One={"Orders": bad})
    assert run("check").code == 2


def test_nothing_to_check_is_an_error() -> None:
    """Nothing looked into is no success."""
    assert run("check").code == 1
    assert run("check", "nowhere.yaml").code == 1
