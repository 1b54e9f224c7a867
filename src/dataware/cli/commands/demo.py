"""`dataware demo`: the whole job on an embedded AWS; what it shows is in `cli/demo`."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.numbers import WholeNumber
from dataware.cli.options import plain_options


@click.command(
    cls=SectionedCommand, short_help="Try everything on a local AWS emulator, no account needed."
)
@click.option(
    "--items",
    metavar="N",
    type=WholeNumber(1),
    default=100_000,
    show_default=True,
    help="Items of the large table.",
)
@click.option(
    "--objects",
    metavar="N",
    type=WholeNumber(1),
    default=5_000,
    show_default=True,
    help="Objects of the bucket.",
)
@click.option("--serve", is_flag=True, help="Only run the emulator, for use from another shell.")
@click.option(
    "--port",
    metavar="N",
    type=WholeNumber(1, 65535),
    help="Port of --serve; any free one if not given.",
)
@plain_options
def demo(**arguments: Any) -> int:
    """Show the whole job on a local AWS emulator; no account needed.

    The first run installs the emulator into a cache folder. The demo imports, migrates and
    creates, kills a running copy and resumes it, and ends with what to type for a real account.

    With --serve it shows nothing: it runs the embedded AWS until Ctrl-C, and prints the lines that
    point a shell at it.

    \b
    Examples:
      dataware demo
      dataware demo --items 5000 --objects 200
      dataware demo --serve > aws.sh
    """
    if arguments["serve"]:
        from dataware.cli.demo.serve import serve

        return serve(arguments["port"], plain=arguments["plain"])
    if arguments["port"] is not None:
        raise click.UsageError(
            "--port says where --serve listens: give both", click.get_current_context()
        )
    from dataware.cli.demo import Sizes, run_demo

    return run_demo(Sizes(arguments["items"], arguments["objects"]), plain=arguments["plain"])
