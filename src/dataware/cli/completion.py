"""`dataware completion`: the script by which a shell completes commands, options and words."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_DATAWARE_COMPLETE"
"""By this variable the script asks `dataware` itself what fits."""


def script(program: click.Command, shell: str) -> str:
    """The script for one of `SHELLS`."""
    found = get_completion_class(shell)
    if found is None:
        raise ValueError(shell)
    return found(program, {}, "dataware", VARIABLE).source()


def complete_topic(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """What `dataware explain` can explain."""
    from dataware.cli.explain import topics  # noqa: PLC0415 - keeps --help quick

    return [
        CompletionItem(word, help=text)
        for word, text in topics().items()
        if word.startswith(incomplete)
    ]


def complete_profile(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The profiles of the AWS configuration."""
    from dataware.cli.profiles import profiles  # noqa: PLC0415 - keeps --help quick

    return [CompletionItem(name) for name in profiles() if name.startswith(incomplete)]
