"""What goes wrong is one sentence and an exit code, never a traceback."""

import json
import os
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import click
import pytest

from dataware import __version__
from dataware.cli import commands, main
from dataware.cli.errors import explain_error
from dataware.cli.help import MAY_BE_EMPTY
from dataware.cli.run_command import format_of_arguments
from dataware.cli.values import account, share, size
from dataware.core.errors import IncompleteError, InputError, RefusedError, SidesDifferError
from dataware.report import Format
from support.cli import ALL_COMMANDS

NOWHERE = ["--endpoint-url", "http://127.0.0.1:9", "--region", "eu-west-1"]


@pytest.fixture(autouse=True)
def an_empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without an app, and an environment without AWS."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "loop").symlink_to("loop")


CASES: list[tuple[list[str], str]] = [
    (["plan"], "there is no cdk.json and no dataware.toml"),
    (["plan", "nope.toml"], "nope.toml does not exist"),
    (["apply", "nope.json"], "nope.json does not exist"),
    (["iam-policy", "nope.json"], "nope.json does not exist"),
    (["plan", "--formt", "json"], "No such option '--formt'"),
    (["pln"], "No such command 'pln'"),
    (["migrate", "s3://aaa"], "Missing argument 'TARGET'; try `dataware migrate --help`"),
    (["migrate", "s3://aaa", "s3://aaa"], "are the same place"),
    (["verify", "s3://aaa", "dynamodb://aaa"], "of the same kind"),
    (["verify", "s3://aaa", "s3:/bbb"], "s3:/bbb needs a scheme"),
    (["migrate", "s3://aaa", "s3://bbb", "--max-share", "0%"], "0% is not a percentage"),
    (["migrate", "s3://aaa", "s3://bbb", "--part-size", "big"], "big is not a size"),
    (["migrate", "s3://aaa", "s3://bbb", "--source-owner", "me"], "me is not an AWS account"),
    (
        ["plan", "--batch-role", "copy"],
        "copy is not the ARN of a role",
    ),
    (["migrate", "s3://aaa", "s3://bbb", "--on-conflict", "x"], "'x' is not one of"),
    (["migrate", "s3://aaa", "s3://bbb", "--max-rate", "0"], "'0' is not a number above 0"),
    (["migrate", "s3://aaa", "s3://bbb", "--max-rate", "x"], "'x' is not a number above 0"),
    (["migrate", "s3://aaa", "s3://bbb", "--max-rate", "nan"], "'nan' is not a number above 0"),
    (["migrate", "s3://aaa", "s3://bbb", "--max-rate", "inf"], "'inf' is not a number above 0"),
    (
        ["migrate", "s3://aaa", "s3://bbb", "--processes", "1.5"],
        "'1.5' is not a whole number of at least 1",
    ),
    (["demo", "--port", "70000"], "'70000' is not a whole number from 1 to 65535"),
    (["plan", "--fallback", "nope"], "nope is not a pattern"),
    (["plan", "--stack", "A", "--stack=B"], "--stack takes one stack: leave it out for all"),
    (["deploy", "--stack=A", "--stack", "B"], "--stack takes one stack: leave it out for all"),
    (["show", "nope.json"], "❌ nope.json does not exist: check the path"),
    (["show", "dataware.toml"], "is not a saved plan: save one by `dataware plan dataware.toml"),
    (["deploy"], "there is no cdk.json in"),
    (["plan", "a" * 5_000], "cannot be opened: File name too long"),
    (["plan", "loop"], "loop cannot be opened: Too many levels of symbolic links"),
    (["plan", "nope.toml", "--out", "a" * 5_000], "cannot be opened: File name too long"),
    (["report", "--out", "b" * 5_000], "cannot be opened: File name too long"),
    (["plan", "--out", "-"], "- is not a file"),
    (["status"], "no AWS region is set"),
    (["status", "--profile", "nobody"], "nobody"),
    (["status", "--region", "eu-west-1"], "no usable AWS credentials"),
]


@pytest.mark.parametrize(("arguments", "sentence"), CASES)
def test_bad_input_is_one_sentence_and_exit_1(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence names the input, standard output stays empty, and 2 is kept for differences."""
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.startswith("❌ ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def takes_text(parameter: click.Parameter) -> bool:
    """Whether a parameter takes a word, and an empty one says nothing."""
    is_flag = isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count)
    return not is_flag and parameter.name not in MAY_BE_EMPTY


def leaves(command: click.Command, *words: str) -> dict[tuple[str, ...], click.Command]:
    """The commands below one, by the words that name them."""
    if not isinstance(command, click.Group):
        return {words: command}
    context = click.Context(command)
    found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    below = (leaves(inner, *words, name) for name, inner in found if inner is not None)
    return dict(chain.from_iterable(one.items() for one in below))


LEAVES = dict(chain.from_iterable(leaves(*one[::-1]).items() for one in ALL_COMMANDS.items()))
"""Every command that is no group, by the words that name it."""


@pytest.mark.parametrize(
    ("words", "parameter"),
    [
        pytest.param(words, parameter, id=f"{' '.join(words)} {parameter.opts[0]}")
        for words, command in LEAVES.items()
        for parameter in command.params
        if takes_text(parameter)
    ],
)
def test_an_empty_word_is_refused(
    words: tuple[str, ...], parameter: click.Parameter, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--stack "$STACK"` of a variable that is not set never means every stack."""
    before = LEAVES[words].params[: LEAVES[words].params.index(parameter)]
    given = [""]
    if isinstance(parameter, click.Option):
        given = [parameter.opts[0], ""]
    else:
        given = ["x" for one in before if isinstance(one, click.Argument)] + given
    assert main([*words, *given]) == 1
    told = capsys.readouterr().err
    assert " is empty: give a value" in told, told
    assert f"; try `dataware {' '.join(words)} --help`" in told


@pytest.mark.parametrize("command", ["plan", "deploy", "doctor"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "cdk.json is not valid JSON"),
        ("[]", "cdk.json is not a JSON object"),
        ('{"context": {}}', "cdk.json names no app"),
    ],
)
def test_what_is_wrong_in_a_cdk_json_is_told(
    command: str, content: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A project is not called missing because its file has a mistake."""
    Path("cdk.json").write_text(content)
    assert main([command, *NOWHERE]) == 1
    told = capsys.readouterr()
    assert sentence in told.err + told.out


def test_a_folder_of_a_dataware_toml_is_sent_to_apply(capsys: pytest.CaptureFixture[str]) -> None:
    """Who types `deploy` there learns which command is meant."""
    Path("dataware.toml").write_text("")
    assert main(["deploy"]) == 1
    assert "or run `dataware apply` for its dataware.toml" in capsys.readouterr().err


def test_a_script_gets_the_failure_as_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """With --format json the sentence is an event on standard output, also for usage errors."""
    for arguments in (["plan", "nope.toml", "--format", "json"], ["pln", "--format=json"]):
        assert main(arguments) == 1
        said = capsys.readouterr()
        assert said.err == ""
        failure = json.loads(said.out)
        assert (failure["code"], failure["data"]["exit_code"]) == ("failure", 1)


def test_plain_says_it_without_a_sign(capsys: pytest.CaptureFixture[str]) -> None:
    """--plain reaches the error line."""
    assert main(["plan", "nope.toml", "--plain"]) == 1
    assert capsys.readouterr().err.startswith("failed: nope.toml")


def test_only_debug_shows_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback comes when it is asked for, before the sentence."""
    assert main(["plan", "nope.toml", "--debug"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("❌ nope.toml")


def test_an_unreachable_endpoint_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong --endpoint-url ends quickly, with a sentence."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["verify", "s3://aaa", "s3://bbb", *NOWHERE]) == 1
    said = capsys.readouterr()
    assert "http://127.0.0.1:9" in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), 1),
        (SidesDifferError("x"), 2),
        (RefusedError("x"), 3),
        (IncompleteError("x"), 4),
        (KeyboardInterrupt(), 4),
        (click.Abort(), 4),
        (ValueError("x"), 1),
        (click.UsageError("x"), 1),
    ],
)
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    """The codes are the same for every command."""
    assert explain_error(error)[1] == code


def test_an_unexpected_error_asks_for_debug() -> None:
    """A fault of dataware itself says what happened and how to see more."""
    text, _ = explain_error(ZeroDivisionError("division by zero"))
    assert text == "Unexpected error, ZeroDivisionError: division by zero: run again with --debug"


def test_json_is_recognised_in_any_position() -> None:
    """Arguments that cannot be parsed still tell the format."""
    assert format_of_arguments(["plan", "--format", "json"]) is Format.JSON
    assert format_of_arguments(["--format=json"]) is Format.JSON
    assert format_of_arguments(["plan", "json", "--format"]) is not Format.JSON


def test_sizes_shares_and_accounts() -> None:
    """People write 5GB and 50%."""
    assert [size(text) for text in ("5GB", "512MiB", "1.5 k", "7")] == [5 * 10**9, 2**29, 1500, 7]
    assert [share(text) for text in ("50%", "1", "0.25")] == [0.5, 1.0, 0.25]
    assert account("111122223333") == "111122223333"


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself, with an example."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"dataware {__version__}\n"
    for command in ("plan", "apply", "migrate", "verify", "status", "iam-policy"):
        assert main([command, "--help"]) == 0
        assert f"dataware {command}" in capsys.readouterr().out


def test_no_help_imports_anything_heavy() -> None:
    """Every command explains itself at once: no SDK, no terminal library, no YAML."""
    script = (
        "import sys\nfrom dataware.cli import main\nfrom dataware.cli.commands import COMMANDS\n"
        "for name in COMMANDS: main([name, '--help'])\n"
        "heavy = {'boto3', 'botocore', 'rich', 'yaml', 'pycurl', 'asyncio', 'msgspec', 'jinja2'}\n"
        "print(heavy & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr == b"set()\n"


def test_every_file_of_a_command_is_in_the_list() -> None:
    """A new command is one file and one name."""
    files = {path.stem.replace("_", "-") for path in Path(commands.__file__).parent.glob("*.py")}
    assert files - {"--init--"} == set(commands.COMMANDS)


STOPPING = """
import time
from dataware.cli.process.signals import StopSignal
with StopSignal(graceful={graceful}) as stop:
    try:
        print("ready", flush=True)
        while not stop():
            time.sleep(0.01)
        print("asked", flush=True)
        time.sleep(30)
    except KeyboardInterrupt:
        print("now", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("graceful", "words"), [(True, ["asked", "now"]), (False, ["now"])])
def test_the_first_signal_asks_and_the_second_stops(
    number: int, graceful: bool, words: list[str]
) -> None:
    """A copy may finish what is in flight; a look ends at once."""
    program = subprocess.Popen(
        [sys.executable, "-c", STOPPING.format(graceful=graceful)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    assert program.stdout.readline() == "ready\n"
    for word in words:
        program.send_signal(number)
        assert program.stdout.readline() == f"{word}\n"
    _, noted = program.communicate(timeout=60)
    assert ("Stopping after" in noted) is graceful
    assert program.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="only POSIX removes a folder that is in use")
@pytest.mark.parametrize("command", ["plan", "apply", "deploy", "doctor", "iam-policy"])
def test_a_folder_that_is_gone_is_named(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another process has removed it, such as a clean-up in CI."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    code = main([command])
    said = "".join(capsys.readouterr())
    assert code == 1
    assert "Unexpected" not in said
    assert command == "doctor" or "the current folder no longer exists" in said
