"""A command does its work whatever becomes of what it writes, and says what of that is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# One process imports the command line once and forks for each case; a child's descriptors are
# closed, full, or without a reader, as a shell would leave them to the interpreter.
DRIVER = """
import json, os, sys
from dataware.cli import main
from dataware.cli import commands, run_command
from dataware.cli.commands import explain, migrate, plan, report
from dataware.cli import app, context, pair
from dataware.core.errors import SidesDifferError, IncompleteError, RefusedError

ENDS = {"1": ValueError("odd"), "2": SidesDifferError("both differ"), "3": RefusedError("not safe"),
        "4": IncompleteError("not done"), "130": KeyboardInterrupt()}
real = run_command.dataware.main

def command(arguments, **how):
    if arguments[0] != "ends":
        return real(arguments, **how)
    for number in range(2000):
        print("line", number)
    print("said", file=sys.stderr)
    if arguments[1] in ENDS:
        raise ENDS[arguments[1]]

def spoil(number, how):
    name = {1: "stdout", 2: "stderr"}[number]
    if how == "closed":
        os.close(number)
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)
        return
    if how == "full":
        opened = os.open("/dev/full", os.O_WRONLY)
    elif how == "gone":
        reader, opened = os.pipe()
        os.close(reader)
    else:
        opened = os.open(sys.argv[2] + name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(opened, number)
    os.close(opened)

run_command.dataware.main = command
for arguments, out, err in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        code = 99
        try:
            spoil(1, out)
            spoil(2, err)
            code = main(arguments)
            sys.stdout and sys.stdout.flush()
            sys.stderr and sys.stderr.flush()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    kept = [os.path.exists(sys.argv[2] + name) and open(sys.argv[2] + name).read() or ""
            for name in ("stdout", "stderr")]
    print(json.dumps([os.waitstatus_to_exitcode(status), *kept]), flush=True)
"""

COMMANDS = {
    ("--version",): 0,
    ("explain", "7"): 0,
    ("report",): 1,
    ("plan", "nowhere.toml"): 1,
    ("plan", "nowhere.toml", "--format", "json"): 1,
    ("migrate", "s3://a"): 1,
    **{("ends", code): int(code) for code in "01234"},
    ("ends", "130"): 4,
    ("ends", "4", "--format", "json"): 4,
    ("ends", "1", "--debug"): 1,
}
SPOILT = ("fine", "closed", "full", "gone")


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_the_exit_code_is_that_of_the_run_unless_output_is_lost(tmp_path: Path) -> None:
    """For every command and format, standard output and error closed, full or without a reader.

    What a full disk does not hold makes an error of 0, with one sentence, and leaves other codes.
    """
    cases = [
        (list(arguments), out, err, code or int(out == "full"))
        for arguments, code in COMMANDS.items()
        for out in SPOILT
        for err in SPOILT
        if arguments[0] == "ends" or "fine" in (out, err) or out == err
    ]
    found = run_spoilt(tmp_path, [case[:3] for case in cases])
    for (arguments, out, err, code), (seen, stdout, stderr) in zip(cases, found, strict=True):
        assert seen == code, (arguments, out, err)
        if "--debug" not in arguments:
            assert "Traceback" not in stdout + stderr, (arguments, out, err)
        assert out == "full" or "write error" not in stderr, (arguments, out)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_told_in_one_sentence_and_hides_no_other_one(tmp_path: Path) -> None:
    """As JSON the reason of a failure would be lost with the rest, so standard error has it."""
    lines = [
        ["ends", "0"],
        ["ends", "0", "--format", "json"],
        ["ends", "3"],
        ["ends", "3", "--format", "json"],
    ]
    said = [
        stderr for _, _, stderr in run_spoilt(tmp_path, [(one, "full", "fine") for one in lines])
    ]
    why = "❌ write error: No space left on device; "
    done = f"said\n{why}the command did its work, but part of its output is lost\n"
    refused = f"said\n❌ not safe\n{why}part of the output is lost\n"
    assert said == [done, done, refused, refused]


def run_spoilt(tmp_path: Path, cases: list[Any]) -> list[Any]:
    """The exit code, the output and the errors of each command, by how its streams are spoilt."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_REGION": "eu-central-1"}
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    told = json.dumps(cases)
    run = subprocess.run(
        [sys.executable, "-c", DRIVER, told, f"{tmp_path}/"],
        capture_output=True,
        text=True,
        env={**environ, **keys, "AWS_MAX_ATTEMPTS": "1", "DATAWARE_STATE": str(tmp_path / "s")},
        timeout=300,
        check=False,
    )
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(found) == len(cases), run.stderr
    return found


def test_no_file_of_a_run_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """What is printed would be written into it."""
    code = (
        "import os\nfrom dataware.cli.process.streams import forgiving_streams\n"
        "with forgiving_streams():\n"
        f"    opened = os.open({str(tmp_path / 'f')!r}, os.O_WRONLY | os.O_CREAT)\n"
        "    print('printed')\n    assert opened > 2\n    os.write(opened, b'kept')\n"
    )
    command = f'exec "{sys.executable}" -c "$0" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command, code], check=False).returncode == 0
    assert (tmp_path / "f").read_text() == "kept"


def test_closed_standard_input_is_empty_and_no_terminal() -> None:
    """A question that nobody can answer is asked of a stream that is there."""
    code = (
        "import sys\nfrom dataware.cli.process.streams import forgiving_streams\n"
        "assert sys.stdin is None\n"
        "with forgiving_streams():\n"
        "    assert not sys.stdin.isatty()\n    assert sys.stdin.read() == ''\n"
        "assert sys.stdin is None\n"
    )
    command = f'exec "{sys.executable}" -c "$0" <&-'
    run = subprocess.run(["sh", "-c", command, code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
