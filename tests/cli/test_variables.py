"""Settings from the environment: every option has a variable, and the command line wins."""

from __future__ import annotations

import io
import re
from pathlib import Path

import click
import pytest

from dataware.cli.help import OWN_VARIABLES, variable_name
from dataware.cli.run_command import format_of_arguments, has_flag
from dataware.report import Format, appearance
from support.cli import ALL_COMMANDS, run

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")]
READ = {name for text in SOURCES for name in re.findall(r'"(DATAWARE_[A-Z_]+)"', text)}
OPTIONS = [
    (command, option)
    for command in ALL_COMMANDS.values()
    for option in command.params
    if isinstance(option, click.Option) and option.name != "help"
]


def test_every_option_has_a_variable_of_its_own() -> None:
    """Its name follows from the option, and is none that means something else already."""
    for _, option in OPTIONS:
        name = next(one for one in option.opts if one.startswith("--"))
        if name in OWN_VARIABLES:
            assert variable_name(name) in READ
        else:
            assert option.envvar == variable_name(name)
            assert option.envvar not in READ


@pytest.mark.parametrize(
    ("variable", "value", "arguments", "name", "wanted"),
    [
        ("DATAWARE_MAX_RATE", "500", [], "max_rate", 500.0),
        ("DATAWARE_MAX_RATE", "500", ["--max-rate", "7"], "max_rate", 7.0),
        ("DATAWARE_MAX_RATE", "", [], "max_rate", None),
        ("DATAWARE_STRICT", "1", [], "strict", True),
        ("DATAWARE_STRICT", "no", [], "strict", False),
        ("DATAWARE_IMPORT", "reference", [], "import_mode", "reference"),
        ("DATAWARE_CONTEXT", "a=1 b=2", [], "context", ("a=1", "b=2")),
        ("DATAWARE_REGION", "eu-west-1", [], "region", "eu-west-1"),
    ],
)
def test_an_option_is_taken_from_its_variable(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    arguments: list[str],
    name: str,
    wanted: object,
) -> None:
    """As if it had been typed, unless it is typed."""
    monkeypatch.setenv(variable, value)
    with ALL_COMMANDS["apply"].make_context("apply", list(arguments)) as context:
        assert context.params[name] == wanted


def test_a_wrong_variable_is_told_by_its_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that the option does not take ends the command with 1."""
    monkeypatch.setenv("DATAWARE_MAX_RATE", "fast")
    ran = run("apply")
    assert ran.code == 1
    assert "--max-rate" in ran.err
    assert "fast" in ran.err


def test_how_a_failure_is_shown_follows_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of a failed command has the format that is asked for in either way."""
    monkeypatch.setenv("DATAWARE_FORMAT", "json")
    monkeypatch.setenv("DATAWARE_PLAIN", "1")
    assert format_of_arguments(["plan"]) is Format.JSON
    assert format_of_arguments(["plan", "--format", "text"]) is Format.TEXT
    assert has_flag("--plain", ["plan"])
    (failure,) = run("explain", "nonsense").events
    assert failure["code"] == "failure"


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE"])
@pytest.mark.parametrize(("value", "forced"), [("1", True), ("0", False), ("", False)])
def test_either_variable_forces_colour(name: str, value: str, forced: bool) -> None:
    """A pipe is coloured if one of them says so, and NO_COLOR wins over both."""
    pipe = io.StringIO()
    assert appearance(pipe, {name: value})["force_color"] is forced
    assert appearance(pipe, {name: value, "NO_COLOR": "1"})["force_color"] is False
