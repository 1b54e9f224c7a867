"""`dataware check`: exit codes, lines for editors, and what is checked by default."""

from __future__ import annotations

import json
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
    assert (ran.code, "`check` runs no app" in ran.err) == (1, True)
    assert "run `cdk synth` and check again" in ran.err
    bad = opted_in({"Type": TABLE, "Properties": {"TableName": "orders-prod"}}, "orders")
    assembly(Path("cdk.out"), One={"Orders": bad})
    assert run("check").code == 2


def test_nothing_to_check_is_an_error() -> None:
    """Nothing looked into is no success."""
    assert run("check").code == 1
    assert run("check", "nowhere.yaml").code == 1


STAGED = {
    "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["dev", "prod"]}},
    "Resources": {
        "Up": opted_in(
            {
                "Type": "AWS::S3::Bucket",
                "Properties": {"BucketName": {"Fn::Sub": "uploads-${Stage}"}},
            },
            "uploads",
        )
    },
}


def test_parameters_make_names_known() -> None:
    """From words, or from a file as CloudFormation's tools take it; what they give is checked."""
    Path("template.json").write_text(json.dumps(STAGED))
    Path("prod.json").write_text(json.dumps({"Parameters": {"Stage": "prod"}}))
    ran = run("check", "template.json")
    assert (ran.code, "pass --parameter Stage=VALUE" in ran.out) == (2, True), ran
    for words in (("--parameter", "Stage=dev"), ("--parameters-file", "prod.json")):
        ran = run("check", "template.json", *words)
        assert ran.code == 0, ran
        assert "1 resource opted in" in ran.out
    clash = dict(STAGED["Resources"], Other=opted_in(bucket("uploads-prod"), "other"))
    Path("template.json").write_text(json.dumps({**STAGED, "Resources": clash}))
    assert run("check", "template.json", "--parameter", "Stage=dev").code == 0
    ran = run("check", "template.json", "--parameters-file", "prod.json")
    assert (ran.code, "same preferred name uploads-prod" in ran.out) == (2, True), ran


def bucket(name: str) -> dict[str, object]:
    """A bucket of a template."""
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}


def test_a_wrong_parameter_is_a_problem_of_the_app() -> None:
    """A value that CloudFormation would refuse, and a name that no template declares."""
    Path("template.json").write_text(json.dumps(STAGED))
    for word, says in (
        ("Stage=test", "--parameter Stage=test: it takes one of dev, prod"),
        ("Stge=prod", "--parameter Stge: no template declares it, did you mean Stage?"),
    ):
        ran = run("check", "template.json", "--parameter", word)
        assert ran.code == 2, ran
        assert f"template.json: {says}" in ran.out
    bucket_app(Path("dataware.toml"), "uploads-prod", "uploads")
    ran = run("check", "--parameter", "Stage=prod")
    assert (ran.code, "dataware.toml has no parameters" in ran.err) == (1, True), ran
    for command in ("plan", "apply", "iam-policy"):
        ran = run(command, "dataware.toml", "--parameter", "Stage=prod")
        assert (ran.code, "dataware.toml has no parameters" in ran.err) == (1, True), ran


def test_parameters_reach_the_stacks_of_an_assembly() -> None:
    """Those that name a stack only this one, as on the command line of CDK."""
    folder = assembly(Path("cdk.out"), One=STAGED["Resources"], Two=STAGED["Resources"])
    for name in ("One", "Two"):
        (folder / f"{name}.json").write_text(json.dumps(STAGED))
    ran = run("check", "cdk.out", "--parameter", "One:Stage=dev", "--parameter", "Two:Stage=prod")
    assert ran.code == 0, ran
    assert "2 resources opted in" in ran.out
    ran = run("check", "cdk.out", "--parameter", "Stage=prod")
    assert (ran.code, "same preferred name uploads-prod" in ran.out) == (2, True), ran
