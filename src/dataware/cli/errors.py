"""How a command ends: one sentence for a person, one exit code for a script.

0  done, or nothing to do          3  a stop rule or a refusal
1  error, bad usage included       4  incomplete, but the same command continues it
2  there is a difference
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from dataware.cli.commands import dataware
from dataware.cli.current_run import slot
from dataware.cli.help import complaint
from dataware.core.errors import AppError, DatawareError, IncompleteError
from dataware.core.events import event
from dataware.http.endpoint import without_credentials
from dataware.report import Format, appearance, make_renderer

APP_LINES = 30
"""How much of what a failed app has written is shown; its error stands at the end."""

INTERRUPTED = "Interrupted: nothing is lost; run the same command again to continue"


def run_command(arguments: Sequence[str]) -> int:
    """Run the command; whatever it raises becomes a sentence and an exit code."""
    with slot() as current:
        code, reason = _run_to_exit_code(arguments)
    if current.record is not None:
        current.record.end(code, reason)
        if current.record.hint and not wants_json(arguments):
            _report_hint(current.record.hint, arguments)
    return code


def _report_hint(text: str, arguments: Sequence[str]) -> None:
    """Tell a person how to make the report; a script need not be told."""
    from dataware.cli.context import is_watched  # noqa: PLC0415 - a run with a record has it

    if is_watched(sys.stdout, os.environ):
        look = appearance(sys.stdout, os.environ)
        plain = "--plain" in arguments
        with make_renderer(Format.TEXT, sys.stdout, plain=plain, is_tty=False, **look) as render:
            render(event("note", text=text))


def _run_to_exit_code(arguments: Sequence[str]) -> tuple[int, str | None]:
    """The exit code of the command, and the sentence that says why it failed."""
    try:
        code = dataware.main(list(arguments), prog_name="dataware", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code, None
    except (Exception, KeyboardInterrupt) as error:
        return _fail(arguments, error), explain_error(error)[0]
    return code if isinstance(code, int) else 0, None


def explain_error(error: BaseException) -> tuple[str, int]:
    """The sentence and the exit code of an error."""
    if isinstance(error, DatawareError):
        return without_credentials(str(error)), error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED, IncompleteError.exit_code
    if isinstance(error, click.UsageError):
        return complaint(error), 1
    if isinstance(error, click.ClickException):
        return error.format_message(), 1
    if isinstance(error, FileNotFoundError) and _folder_is_gone():
        return "the current folder does not exist any more: change to another one", 1
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"Unexpected error, {without_credentials(what)}: run again with --debug", 1


def _folder_is_gone() -> bool:
    """Whether the folder in which the command was started has been removed."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _fail(arguments: Sequence[str], error: BaseException) -> int:
    """Say why the command failed: to a person on standard error, to a script as an event."""
    text, code = explain_error(error)
    if "--debug" in arguments and not isinstance(error, click.ClickException | KeyboardInterrupt):
        sys.stderr.write(without_credentials("".join(traceback.format_exception(error))))
    as_json = wants_json(arguments)
    stream = sys.stdout if as_json else sys.stderr
    if isinstance(error, AppError):
        sys.stderr.writelines(f"{line}\n" for line in error.said.splitlines()[-APP_LINES:])
    with make_renderer(
        Format.JSON if as_json else Format.TEXT,
        stream,
        plain="--plain" in arguments,
        is_tty=False,
        **appearance(stream, os.environ),
    ) as render:
        render(event("failure", text=" ".join(text.split()), exit_code=code))
    return code


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for JSON, also when they cannot be parsed as a whole."""
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)
