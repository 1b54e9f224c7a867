"""`dataware completion`: the script by which a shell completes commands, options and words."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import get_completion_class

from dataware.cli.help import SectionedCommand, WordChoice
from dataware.cli.options import plain_options

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_DATAWARE_COMPLETE"
"""By this variable the script asks `dataware` itself what fits."""


@click.command(cls=SectionedCommand, short_help="Print the completion script of a shell.")
@click.argument("shell", type=WordChoice(SHELLS), metavar="SHELL")
@plain_options
@click.pass_context
def completion(context: click.Context, /, **given: Any) -> int:
    """Print the script that lets SHELL complete commands, options, words and files.

    \b
    Examples:
      dataware completion bash > ~/.local/share/bash-completion/completions/dataware
      dataware completion zsh > ~/.zfunc/_dataware
      dataware completion fish > ~/.config/fish/completions/dataware.fish
    """
    click.echo(make_script(context.find_root().command, given["shell"]))
    return 0


def make_script(program: click.Command, shell: str) -> str:
    """The script for one of `SHELLS`."""
    found = get_completion_class(shell)
    if found is None:
        raise ValueError(shell)
    return found(program, {}, "dataware", VARIABLE).source()
