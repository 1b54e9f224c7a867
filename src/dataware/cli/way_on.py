"""The command that goes on after another, as it can be typed."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from dataware.cli.run_log import HIDDEN, typed_arguments

WHERE = frozenset({"profile", "region", "endpoint_url"})
"""What a saved plan does not say, and a new command has to."""

APPEARANCE = frozenset({"format", "plain", "debug", "full"})


def apply_command(apply: click.Command, saved: Path | None) -> str:
    """`dataware apply` for what the running command has planned, from `saved` if that is a file."""
    context = click.get_current_context(silent=True)
    names = {parameter.name or "" for parameter in apply.params} - APPEARANCE
    words = typed_arguments(context, WHERE if saved else names) if context else []
    shown = [word if word == HIDDEN else shlex.quote(word) for word in words]
    return " ".join(["dataware apply", *([shlex.quote(str(saved))] if saved else []), *shown])
