"""`dataware completion`: the script by which a shell completes commands, options and words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from dataware.cli.help import SectionedCommand, WordChoice
from dataware.cli.options import plain_options

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_DATAWARE_COMPLETE"
"""By this variable the script asks `dataware` itself what fits."""


@click.command(cls=SectionedCommand, short_help="Print the completion script of a shell.")
@click.argument("shell", type=WordChoice(SHELLS), metavar="SHELL")
@plain_options
@click.pass_context
def completion(context: click.Context, /, **arguments: Any) -> int:
    """Print the script that lets SHELL complete commands, options, words and files.

    \b
    Examples:
      dataware completion bash >> ~/.bash_completion
      dataware completion zsh > ~/.zfunc/_dataware
      dataware completion fish > ~/.config/fish/completions/dataware.fish
    """
    click.echo(make_script(context.find_root().command, arguments["shell"]))
    return 0


def make_script(program: click.Command, shell: str) -> str:
    """The script for one of `SHELLS`."""
    completer = get_completion_class(shell)
    if completer is None:
        raise ValueError(shell)
    return completer(program, {}, "dataware", VARIABLE).source()


def complete_run(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The ids of runs and migrations, sources and targets that begin with what was typed.

    As far as the records on this machine know them; AWS is not asked.
    """
    from dataware.state.run_names import names_on_record

    return _complete_of(names_on_record, incomplete)


def complete_migration(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The same of migrations alone: what was only looked at has no record in the account."""
    from dataware.state.run_names import names_of_migrations

    return _complete_of(names_of_migrations, incomplete)


def _complete_of(read: Callable[[Path], list[str]], incomplete: str) -> list[CompletionItem]:
    from dataware.core.errors import DatawareError
    from dataware.state.runs import runs_folder

    try:
        names = read(runs_folder())
    except (OSError, DatawareError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
