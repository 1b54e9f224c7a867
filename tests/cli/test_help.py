"""The help of every command: sections, examples, exit codes, and what may have been meant."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from dataware.cli.commands import dataware
from dataware.cli.errors import explain_error
from dataware.cli.exit_codes import EXIT_CODES_OF, exit_code_line
from dataware.cli.help import SECTIONS
from dataware.core.guide import EXIT_CODES
from support.cli import ALL_COMMANDS, run, toml_resource, write_toml

ROOT = Path(__file__).resolve().parents[2]
EVERY_COMMAND = pytest.mark.parametrize("name", sorted(ALL_COMMANDS))


@EVERY_COMMAND
def test_the_help_has_examples_that_parse(name: str) -> None:
    """What stands under "Examples:" can be typed, and is about this very command."""
    text = ALL_COMMANDS[name].help or ""
    _, found, below = text.partition("Examples:\n")
    assert found
    examples = [line.strip() for line in below.splitlines() if line.strip()]
    assert examples
    for example in examples:
        words = shlex.split(example.partition(" >")[0])
        assert words[:2] == ["dataware", name]
        with click.Context(dataware, info_name="dataware") as context:
            ALL_COMMANDS[name].make_context(name, words[2:], parent=context)


@EVERY_COMMAND
def test_the_help_fits_into_eighty_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than the usual terminal, not even an example."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = run(name, "--help").lines
    assert [line for line in lines if len(line) > 80] == []


@EVERY_COMMAND
def test_every_option_is_shown_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections leave no option out, and the hidden ones stay hidden."""
    monkeypatch.setenv("COLUMNS", "100")
    shown = [line.split()[0].rstrip(",") for line in run(name, "--help").lines if " -" in line[:4]]
    options = [one for one in ALL_COMMANDS[name].params if isinstance(one, click.Option)]
    visible = [one.opts[0] for one in options if not one.hidden]
    assert sorted(one for one in shown if one not in {"-h", "--help"}) == sorted(visible)
    assert len(shown) == len(visible) + 1


def test_options_that_belong_together_stand_together() -> None:
    """The copy options of `apply` have a section of their own."""
    lines = run("apply", "--help").lines
    heads = [line.rstrip(":") for line in lines if line.endswith(":") and line[0].isalpha()]
    assert heads == [*SECTIONS]
    at = {head: lines.index(f"{head}:") for head in heads}
    position = next(n for n, line in enumerate(lines) if line.startswith("  --max-rate"))
    assert at["Copying and verifying"] < position < at["AWS"]


def test_every_section_names_options_that_exist() -> None:
    """A renamed option does not silently leave its section."""
    known = {one.name for command in ALL_COMMANDS.values() for one in command.params}
    named = {option for options in SECTIONS.values() for option in options}
    assert named - known == {"help"}


def test_the_exit_codes_stand_in_the_help_of_the_whole() -> None:
    """Each code, where everybody looks first."""
    text = run("--help").out
    assert all(f"{code} " in text for code in EXIT_CODES)


@EVERY_COMMAND
def test_placeholders_are_words_for_people(name: str) -> None:
    """No type of a programming language stands where a value has to be typed."""
    options = [line for line in run(name, "--help").lines if line.startswith("  -")]
    assert not [line for line in options if re.search(r"\b(INTEGER|FLOAT|RANGE|BOOLEAN)\b", line)]


@pytest.mark.parametrize(
    ("command", "option", "default"),
    [
        ("plan", "--on-error", "default: safe"),
        ("apply", "--on-error", "default: safe"),
        ("apply", "--on-fallback-data", "(the default)"),
        ("apply", "--on-conflict", "default: neither, the key is skipped"),
        ("migrate", "--versions", "default: current"),
        ("apply", "--max-parallel", "default: 8"),
        ("iam-policy", "--for", "all is what"),
    ],
)
def test_the_help_says_what_holds_without_an_option(
    command: str, option: str, default: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a word decides about data, the one that holds by itself is told."""
    monkeypatch.setenv("COLUMNS", "100")
    _, _, behind = run(command, "--help").out.partition(f"  {option}")
    told = re.split(r"\n  -|\n\n", behind)[0]
    assert default in " ".join(told.split())


@EVERY_COMMAND
def test_the_exit_codes_of_a_command_stand_at_the_end_of_its_help(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The codes that it can end with and no other, in at most two lines."""
    monkeypatch.setenv("COLUMNS", "80")
    _, found, told = run(name, "--help").out.partition("\nExit codes: ")
    assert found
    assert told.count("\n") <= 2
    shown = {int(part.split()[0]) for part in " ".join(told.split()).split("; ")}
    assert shown == EXIT_CODES_OF[name].keys()


def test_the_table_of_exit_codes_is_that_of_the_decision_record() -> None:
    """Every code of docs/adr/0009 is some command's, none is another, and 2 is told of few."""
    record = (ROOT / "docs/adr/0009-exit-codes.md").read_text(encoding="utf-8")
    decision = record.partition("## Decision\n")[2].partition("## ")[0]
    codes = {int(code) for code in re.findall(r"(?:^|; )(\d) ", decision, re.MULTILINE)}
    assert codes == EXIT_CODES.keys() == {code for one in EXIT_CODES_OF.values() for code in one}
    differing = {name for name, one in EXIT_CODES_OF.items() if 2 in one}
    said = decision.partition("Difference (2) is answered by ")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", said)) == differing
    assert "--detailed-exitcode" in EXIT_CODES_OF["plan"][2]


def test_the_page_of_the_command_line_has_the_same_table() -> None:
    """docs/cli.md has a row for each command, with its codes."""
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("## Exit codes")[2]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page.partition("\n## ")[0], re.MULTILINE))
    assert rows == {name: exit_code_line(name) for name in sorted(ALL_COMMANDS)}


SLIPS = [
    (["plann"], "No such command 'plann', did you mean plan? Try `dataware --help`"),
    (["zzz"], "No such command 'zzz'; try `dataware --help`"),
    (["plan", "--fromat", "json"], "No such option '--fromat', did you mean --format? Try"),
    (["plan", "--zzz"], "No such option '--zzz'; try `dataware plan --help`"),
    (
        ["status", "--format", "jsn"],
        "'jsn' is not one of 'text', 'json', 'github', did you mean json? Try",
    ),
    (["plan", "--on-error", "qq"], "'qq' is not one of 'safe', 'no-data', 'stop'; try"),
    (["apply", "--versions", "al"], "did you mean all?"),
]


@pytest.mark.parametrize(("arguments", "said"), SLIPS)
def test_a_slip_is_told_with_what_may_have_been_meant(arguments: list[str], said: str) -> None:
    """Commands, options and words, all in one phrase."""
    ran = run(*arguments)
    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_profile_that_is_not_there_is_told_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the option and from the variable alike."""
    config = tmp_path / "config"
    config.write_text("[profile production]\nregion = eu-west-1\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert "did you mean production?" in run("status", "--profile", "prodcution").err
    monkeypatch.setenv("AWS_PROFILE", "prodution")
    assert "did you mean production?" in run("status").err
    assert "aws configure list-profiles" in run("status", "--profile", "zzz").err


def test_a_stack_and_a_type_that_are_not_there_are_told_with_the_nearest(tmp_path: Path) -> None:
    """Names in an app, too."""
    one = toml_resource("AWS::S3::Bucket", "b-1", stack="Spaceport-prod", logical_id="B")
    app = write_toml(tmp_path / "dataware.toml", one)
    assert "did you mean Spaceport-prod?" in run("plan", app, "--stack", "Spaceport-prd").err
    other = write_toml(tmp_path / "other.toml", toml_resource("AWS::DynamoDB::Tabel", "t-1"))
    assert "did you mean AWS::DynamoDB::Table?" in run("plan", other).err


@pytest.mark.parametrize("key", ["DataWare", "dataware", "Datawere", "Data-Aware"])
def test_a_resource_that_nearly_opts_in_is_told(key: str, tmp_path: Path) -> None:
    """A misspelt key would leave the resource out without a word."""
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  B:\n    Type: AWS::S3::Bucket\n"
        f"    Metadata: {{{key}: {{Fallback: [b-0]}}}}\n    Properties: {{BucketName: b-1}}\n",
        encoding="utf-8",
    )
    assert f"unknown field {key}, did you mean Dataware?" in run("plan", template).err


@pytest.mark.parametrize("key", ["Database", "Datadog", "aws:cdk:path", "cfn_nag"])
def test_the_metadata_of_other_tools_is_left_alone(key: str, tmp_path: Path) -> None:
    """Only what is nearly the key is taken for a slip."""
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  B:\n    Type: AWS::S3::Bucket\n"
        f"    Metadata: {{'{key}': x, Dataware: {{}}}}\n    Properties: {{BucketName: b-1}}\n",
        encoding="utf-8",
    )
    assert "unknown field" not in run("plan", template, "--region", "eu-west-1").err


def test_a_complaint_without_a_command_is_one_of_the_whole() -> None:
    """An error that knows no command points at the help of the whole."""
    assert explain_error(click.UsageError("wrong"))[0] == "wrong; try `dataware --help`"
