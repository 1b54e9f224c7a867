"""The command line, as people and scripts meet it: arguments in, lines and an exit code out."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dataware.cli import main
from dataware.cli.commands import COMMANDS, dataware
from dataware.cli.exit_codes import EXIT_CODES_OF
from support.command_process import CommandProcess

SECONDS = 120

ALL_COMMANDS = {
    name: command
    for name in COMMANDS
    if (command := dataware.get_command(click.Context(dataware), name)) is not None
}
"""Every command by its name."""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str = ""

    @property
    def lines(self) -> list[str]:
        """What stands on standard output."""
        return self.out.splitlines()

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output of `--format json`; raises unless every line is one JSON object."""
        found = [json.loads(line) for line in self.lines]
        assert all(isinstance(each, dict) for each in found)
        return found


def run(*arguments: object) -> Ran:
    """Run a command in this process, which saves the start of another one."""
    out, err = io.StringIO(), io.StringIO()
    words = [str(each) for each in arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    # A command of a group has codes of its own.
    names = (" ".join(words[:count]) for count in (2, 1))
    if name := next((one for one in names if one in EXIT_CODES_OF), None):
        assert code in EXIT_CODES_OF[name], f"the help of {words} does not name exit code {code}"
    return Ran(code, out.getvalue(), err.getvalue())


def launch(*arguments: object) -> CommandProcess:
    """Run a command as a process of its own, to be signalled or waited for; its start is short."""
    return CommandProcess([str(each) for each in arguments])


def launch_python(*arguments: object, **variables: str) -> subprocess.Popen[str]:
    """Start `python -m dataware.cli` as people do, to read along or to set Python up."""
    return subprocess.Popen(
        [sys.executable, "-m", "dataware.cli", *(str(each) for each in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **variables},
    )


def ended(process: CommandProcess | subprocess.Popen[str]) -> Ran:
    """Wait for a launched command."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ran(process.returncode, out, err)


def interrupted(
    process: CommandProcess | subprocess.Popen[str],
    number: signal.Signals,
    met: Callable[[], bool],
    within: float,
) -> Ran:
    """How a command ends on one signal once something is `met`: in time, and to be continued."""
    while not met():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    asked = time.monotonic()
    ran = ended(process)
    assert time.monotonic() - asked < within
    assert ran.code == 4, ran
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err
    return ran


def write_toml(path: Path, *resources: str) -> Path:
    """A `dataware.toml` of the resources."""
    path.write_text("\n".join(resources), encoding="utf-8")
    return path


def toml_resource(
    of_type: str, preferred: str, *fallbacks: str, properties: str = "", **more: str
) -> str:
    """One [[resource]] of a `dataware.toml`; `properties` are lines of TOML."""
    lines = [
        "[[resource]]",
        f'type = "{of_type}"',
        f'preferred = "{preferred}"',
        f"fallback = {json.dumps(fallbacks)}",
        *(f'{key} = "{value}"' for key, value in more.items()),
        *(["[resource.properties]", properties] if properties else []),
    ]
    return "\n".join(lines) + "\n"


TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"

KEYED_BY_PK = """BillingMode = "PAY_PER_REQUEST"
AttributeDefinitions = [{ AttributeName = "pk", AttributeType = "S" }]
KeySchema = [{ AttributeName = "pk", KeyType = "HASH" }]"""


def table_app(path: Path, preferred: str, *fallbacks: str, **more: str) -> Path:
    """A `dataware.toml` with one table whose key is `pk`."""
    text = toml_resource(TABLE, preferred, *fallbacks, properties=KEYED_BY_PK, **more)
    return write_toml(path, text)


def bucket_app(path: Path, preferred: str, *fallbacks: str, **more: str) -> Path:
    """A `dataware.toml` with one bucket."""
    return write_toml(path, toml_resource(BUCKET, preferred, *fallbacks, **more))


def saved(path: Path) -> Mapping[str, Any]:
    """A JSON file that a command wrote."""
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
