"""`dataware help`: the help of a command."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import plain_options


@click.command("help", cls=SectionedCommand, short_help="Show the help of a command.")
@click.argument("command", nargs=-1)
@plain_options
@click.pass_context
def help(context: click.Context, /, **arguments: Any) -> int:
    """Show the help of COMMAND, or of dataware itself.

    \b
    Examples:
      dataware help
      dataware help plan
      dataware help fleet apply
    """
    shown = context.find_root()
    for name in arguments["command"]:
        if not isinstance(shown.command, click.Group):
            raise click.UsageError(f"{shown.info_name} has no commands of its own", shown)
        _, command, _ = shown.command.resolve_command(shown, [name])
        if command is not None:
            shown = click.Context(command, info_name=name, parent=shown)
    click.echo(shown.get_help())
    return 0
