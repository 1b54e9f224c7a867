"""What people type first: no command, help in every spelling, options before the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware import __version__
from dataware.cli.help import move_shared_options
from dataware.cli.run_command import format_of_arguments
from dataware.report import Format
from support.cli import run, toml_resource, write_toml


def test_no_arguments_shows_the_help() -> None:
    """The program alone explains itself, on standard output, and that is no error."""
    alone = run()
    assert (alone.code, alone.err) == (0, "")
    assert alone.lines == run("--help").lines
    assert len(alone.lines) > 10


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_has_two_spellings(option: str) -> None:
    """The version is one line."""
    assert run(option).lines == [f"dataware {__version__}"]


def test_help_as_a_command_shows_what_the_option_shows() -> None:
    """`dataware help plan` is `dataware plan --help`."""
    assert run("help", "plan").lines == run("plan", "--help").lines
    assert run("help").lines == run("--help").lines
    assert run("help", "fleet", "apply").lines == run("fleet", "apply", "--help").lines


def test_help_of_an_unknown_command_suggests_one() -> None:
    """A slip is told with the command that may have been meant."""
    ended = run("help", "pln")
    assert ended.code == 1
    assert "did you mean plan?" in ended.err
    assert "did you mean apply?" in run("help", "fleet", "aply").err
    assert "plan has no commands of its own; try `dataware plan --help`" in (
        run("help", "plan", "apply").err
    )


def test_the_package_runs_as_a_module() -> None:
    """`python -m dataware` is the command line."""
    ended = subprocess.run(
        [sys.executable, "-m", "dataware", "-V"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == f"dataware {__version__}"


def test_shared_options_before_the_command_mean_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--region x plan app` is `plan --region x app`, as in the AWS CLI."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    app = tmp_path / "dataware.toml"
    write_toml(app, toml_resource("AWS::S3::Bucket", "new-uploads", "old-uploads"))
    where = ("--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:9", "--plain")
    assert "No such option '--region'" in run(*where, "explain", "9").err
    assert run("--plain", "explain", "9").lines == run("explain", "9", "--plain").lines
    assert run(*where, "plan", app).err == run("plan", app, *where).err


@given(
    st.lists(st.sampled_from(["--plain", "--debug", "--region=x", "--profile=y"])),
    st.lists(st.sampled_from(["--yes", "app.yaml", "--out", "x"])),
)
def test_moved_options_lose_and_add_nothing(before: list[str], behind: list[str]) -> None:
    """Every argument is there once, the command is the first, and the order is kept."""
    assert move_shared_options([*before, "plan", *behind]) == ["plan", *before, *behind]


def test_an_option_without_its_value_names_the_help_of_its_command() -> None:
    """The help to read is the command's, which lists the option."""
    ended = run("plan", "--region")
    assert "try `dataware plan --help`" in ended.err


def test_an_unknown_shell_is_told_by_the_name_of_the_argument() -> None:
    """The sentence names SHELL and what it can be, rather than a list in braces."""
    ended = run("completion", "powershell")
    assert "Invalid value for 'SHELL'" in ended.err
    assert "'bash', 'zsh', 'fish'" in ended.err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], False),
        (["plan", "--format", "json"], True),
        (["plan", "--format=json"], True),
        (["plan", "--format", "text", "json"], False),
        (["--format"], False),
    ],
)
def test_json_is_recognised_in_arguments_that_cannot_be_parsed(
    arguments: list[str], wanted: bool
) -> None:
    """A failure before the options are parsed is told in the format that was asked for."""
    assert (format_of_arguments(arguments) is Format.JSON) is wanted


def test_a_plan_that_cannot_be_saved_is_refused_before_aws_is_asked(tmp_path: Path) -> None:
    """A folder that does not exist is told at once, and nothing is looked at."""
    app = tmp_path / "dataware.toml"
    write_toml(app, toml_resource("AWS::S3::Bucket", "new-uploads", "old-uploads"))
    nowhere = ("--endpoint-url", "http://127.0.0.1:9", "--region", "us-east-1")
    ended = run("plan", app, "--out", tmp_path / "none" / "plan.json", *nowhere)
    assert ended.code == 1
    assert f"there is no folder {tmp_path / 'none'}" in " ".join(ended.err.split())
