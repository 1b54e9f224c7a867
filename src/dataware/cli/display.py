"""What a command shows its events with; nothing heavy is imported before there is an event."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from dataware.cli.settings import AwsOptions
from dataware.report import Format, Renderer, appearance, make_renderer


def display(options: AwsOptions) -> Renderer:
    """The renderer that suits the options, the variables and standard output."""
    stream = sys.stdout
    return make_renderer(
        options.format,
        stream,
        plain=options.plain,
        is_tty=is_watched(stream, os.environ),
        full=options.full,
        **appearance(stream, os.environ),
    )


def is_live(options: AwsOptions) -> bool:
    """Whether standard output is a terminal with colours and live bars."""
    return (
        options.format is Format.TEXT and not options.plain and is_watched(sys.stdout, os.environ)
    )


def is_read(options: AwsOptions) -> bool:
    """Whether a person reads standard output on a terminal, and did not ask for every line."""
    return options.format is Format.TEXT and sys.stdout.isatty() and not options.full


def can_ask(options: AwsOptions) -> bool:
    """Whether a person sits at a terminal, reads what is shown and can answer."""
    watched = (is_watched(stream, os.environ) for stream in (sys.stdin, sys.stdout))
    return options.format is Format.TEXT and all(watched)


def is_watched(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether somebody sees lines move: a terminal that can, and no CI that only pretends."""
    return stream.isatty() and environ.get("TERM") != "dumb" and not environ.get("CI")
