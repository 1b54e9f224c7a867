"""How a command ends: one sentence for a person, one exit code for a script.

0  done, or nothing to do          3  a stop rule or a refusal
1  error, bad usage included       4  incomplete, but the same command continues it
2  there is a difference
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from itertools import pairwise

import click

from dataware.cli.commands import dataware
from dataware.cli.current_run import slot
from dataware.cli.display import is_watched
from dataware.cli.errors import explain_error
from dataware.cli.help import variable_name
from dataware.cli.process.streams import find_lost_output
from dataware.core.errors import AppError, DatawareError
from dataware.core.events import event
from dataware.http.endpoint import without_credentials
from dataware.report import Format, appearance, make_renderer

APP_LINES = 30
"""How much of what a failed app has written is shown; its error stands at the end."""


def run_command(arguments: Sequence[str], settle: Callable[[], None]) -> int:
    """Run the command; whatever it raises becomes a sentence and an exit code.

    `settle` is called as soon as that code is known.
    """
    with slot() as current:
        code, reason = _run_to_exit_code(arguments, settle)
    if current.record is not None:
        current.record.end(code, reason)
        if current.record.hint and format_of_arguments(arguments) is Format.TEXT:
            _report_hint(current.record.hint, arguments)
    return _report_lost_output(arguments, code, reason)


def _report_lost_output(arguments: Sequence[str], code: int, reason: str | None) -> int:
    """Say on standard error what standard output could not hold; the exit code after that."""
    error = find_lost_output(sys.stdout)
    if error is None:
        return code
    lost = f"write error: {error.strerror or error}"
    if code:
        if reason and format_of_arguments(arguments) is Format.JSON:
            _show_failure(arguments, Format.TEXT, reason, code)
        _show_failure(arguments, Format.TEXT, f"{lost}; part of the output is lost", code)
        return code
    text = f"{lost}; the command did its work, but part of its output is lost"
    _show_failure(arguments, Format.TEXT, text, DatawareError.exit_code)
    return DatawareError.exit_code


def _report_hint(text: str, arguments: Sequence[str]) -> None:
    """Tell a person how to make the report; a script need not be told."""
    if is_watched(sys.stdout, os.environ):
        look = appearance(sys.stdout, os.environ)
        plain = has_flag("--plain", arguments)
        with make_renderer(Format.TEXT, sys.stdout, plain=plain, is_tty=False, **look) as render:
            render(event("note", text=text))


def _run_to_exit_code(
    arguments: Sequence[str], settle: Callable[[], None]
) -> tuple[int, str | None]:
    """The exit code of the command, and the sentence that says why it failed."""
    try:
        code = dataware.main(list(arguments), prog_name="dataware", standalone_mode=False)
        settle()
    except click.exceptions.Exit as ended:
        settle()
        return ended.exit_code, None
    except (Exception, KeyboardInterrupt) as error:
        settle()
        return report_failure(arguments, error), explain_error(error)[0]
    return code if isinstance(code, int) else 0, None


def report_failure(arguments: Sequence[str], error: BaseException) -> int:
    """Say why the command failed: to a person on standard error, to a script as an event."""
    text, code = explain_error(error)
    if has_flag("--debug", arguments) and not isinstance(
        error, click.ClickException | KeyboardInterrupt
    ):
        sys.stderr.write(without_credentials("".join(traceback.format_exception(error))))
    if isinstance(error, AppError):
        sys.stderr.writelines(f"{line}\n" for line in error.output.splitlines()[-APP_LINES:])
    _show_failure(arguments, format_of_arguments(arguments), text, code)
    return code


def _show_failure(arguments: Sequence[str], format: Format, text: str, code: int) -> None:
    """Show the last sentence of a command: on standard output as JSON, else on standard error."""
    stream = sys.stdout if format is Format.JSON else sys.stderr
    with make_renderer(
        format,
        stream,
        plain=has_flag("--plain", arguments),
        is_tty=False,
        **appearance(stream, os.environ),
    ) as render:
        render(event("failure", text=" ".join(text.split()), exit_code=code))


def format_of_arguments(arguments: Sequence[str]) -> Format:
    """The format of lines that is asked for, also by arguments that cannot be parsed as a whole."""
    formats = [word.partition("=")[2] for word in arguments if word.startswith("--format=")]
    formats += [value for name, value in pairwise(arguments) if name == "--format"]
    word = formats[-1] if formats else os.environ.get(variable_name("--format"), "")
    return Format(word) if word in {Format.JSON, Format.GITHUB} else Format.TEXT


def has_flag(name: str, arguments: Sequence[str]) -> bool:
    """Whether a flag is set, by the arguments or by its variable."""
    value = os.environ.get(variable_name(name), "").strip().lower()
    return name in arguments or value in {"1", "true", "t", "yes", "y", "on"}
