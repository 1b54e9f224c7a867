"""The commands: one file each, and one name each in `COMMANDS`.

A file holds the options, the help and the run of its command, and is loaded when the command is
named. What is heavy (the SDK, YAML, rich) is imported inside of the functions that run, so that
`--help` and a completion answer at once.
"""

from __future__ import annotations

import click

from dataware import __version__
from dataware.cli.help import CommandGroup

COMMANDS = (
    "apply",
    "check",
    "close",
    "completion",
    "cutover",
    "demo",
    "deploy",
    "doctor",
    "explain",
    "fleet",
    "follow",
    "forget",
    "help",
    "iam-policy",
    "init",
    "migrate",
    "pause",
    "plan",
    "report",
    "resume",
    "schema",
    "show",
    "status",
    "throttle",
    "undo",
    "verify",
    "watch",
)


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    cls=CommandGroup,
    package=__name__,
    names=COMMANDS,
    context_settings=SETTINGS,
    invoke_without_command=True,
)
@click.version_option(__version__, "-V", "--version", message="dataware %(version)s")
@click.pass_context
def dataware(context: click.Context, /) -> None:
    """Move and adopt stateful AWS resources without losing data.

    \b
    Exit codes: 0 done, 1 error, 2 difference, 3 stopped or refused,
    4 incomplete (the same command continues it).
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
