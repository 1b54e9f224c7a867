"""`dataware schema`: the JSON Schema of a file or of the events, for editors and scripts."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.help import SectionedCommand, WordChoice
from dataware.cli.options import plain_options

DOCUMENTS = ("toml", "fleet", "plan", "lock", "events")


@click.command(cls=SectionedCommand, short_help="Print the JSON Schema of a file or of events.")
@click.argument("document", type=WordChoice(DOCUMENTS), metavar="DOCUMENT")
@plain_options
def schema(**arguments: Any) -> int:
    """Print the JSON Schema of DOCUMENT: toml, fleet, plan, lock or events.

    \b
    Examples:
      dataware schema toml > dataware.schema.json
      dataware schema events
    """
    from dataware.ops.schemas import schema_text

    click.echo(schema_text(arguments["document"]), nl=False)
    return 0
