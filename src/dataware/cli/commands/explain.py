"""`dataware explain`: a rule, an exit code or an event, in words."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from click.shell_completion import CompletionItem

from dataware.cli.display import display
from dataware.cli.help import SectionedCommand
from dataware.cli.options import format_option, plain_options
from dataware.cli.settings import AwsOptions, pick
from dataware.core.events import event
from dataware.report import Format

WIDEST = 96


def complete_topic(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """What `dataware explain` can explain."""
    from dataware.cli.explanation import topics

    return [
        CompletionItem(word, help=text)
        for word, text in topics().items()
        if word.startswith(incomplete)
    ]


@click.command(cls=SectionedCommand, short_help="Explain a rule, an exit code, an event or a word.")
@click.argument("topic", nargs=-1, shell_complete=complete_topic)
@format_option
@plain_options
def explain(**arguments: Any) -> int:
    """Explain each TOPIC: a rule by number or name, an exit code, or an event by its code.

    Without a topic, lists the rules and the exit codes.

    \b
    Examples:
      dataware explain
      dataware explain 9
      dataware explain rule 9
      dataware explain exit 4
      dataware explain slowed
    """
    return run_explain(pick(AwsOptions, arguments), arguments["topic"])


def run_explain(options: AwsOptions, topics: Sequence[str]) -> int:
    """Explain each topic, or list what there is."""
    from dataware.cli.explanation import contents, explain_topic, join_topics, lines

    pages = [explain_topic(topic) for topic in join_topics(topics)] if topics else [contents()]
    if options.format is Format.JSON:
        with display(options) as emit:
            for one in pages:
                emit(event("done", text=one.title, explanation=asdict(one)))
        return 0
    width = min(shutil.get_terminal_size().columns, WIDEST)
    print("\n\n".join("\n".join(lines(one, width)) for one in pages))
    return 0
