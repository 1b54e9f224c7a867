"""The sentence and the exit code of whatever a command raises."""

from __future__ import annotations

from pathlib import Path

import click

from dataware.cli.help import complaint
from dataware.core.errors import DatawareError, IncompleteError
from dataware.http.endpoint import without_credentials

INTERRUPTED = "Interrupted: nothing is lost; run the same command again to continue"


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
        return "the current folder no longer exists: change to another one", 1
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"Unexpected error, {without_credentials(what)}: run again with --debug", 1


def _folder_is_gone() -> bool:
    """Whether the folder in which the command was started has been removed."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False
