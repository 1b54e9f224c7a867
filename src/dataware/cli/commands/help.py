"""`dataware help`: the help of a command."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import plain_options


@click.command("help", cls=SectionedCommand, short_help="Show the help of a command.")
@click.argument("command", required=False)
@plain_options
@click.pass_context
def help(context: click.Context, /, **arguments: Any) -> int:
    """Show the help of COMMAND, or of dataware itself.

    \b
    Examples:
      dataware help
      dataware help plan
    """
    root, name = context.find_root(), arguments["command"]
    if name is None or not isinstance(root.command, click.Group):
        click.echo(root.get_help())
        return 0
    _, command, _ = root.command.resolve_command(root, [name])
    if command is not None:
        with click.Context(command, info_name=name, parent=root) as inner:
            click.echo(command.get_help(inner))
    return 0
