"""`dataware fleet`: one app in many accounts and regions."""

from __future__ import annotations

import click

from dataware.cli.help import CommandGroup

PACKAGE = "dataware.cli.fleet"

COMMANDS = ("apply", "plan", "status", "targets")


@click.group(
    cls=CommandGroup,
    package=PACKAGE,
    names=COMMANDS,
    invoke_without_command=True,
    short_help="Plan and apply one app in many accounts and regions.",
)
@click.pass_context
def fleet(context: click.Context, /) -> None:
    """Plan and apply one app in many accounts and regions, in waves.

    The targets stand in a fleet.toml, or are the accounts of an organization that it names.

    \b
    Examples:
      dataware fleet targets
      dataware fleet plan template.yaml --out fleet.json
      dataware fleet apply fleet.json
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
