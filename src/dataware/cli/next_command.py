"""What goes on after a command, as it can be typed: the next command, and who adopts."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Set
from pathlib import Path

import click

from dataware.cli.run_log import HIDDEN, typed_arguments
from dataware.cli.settings import AppOptions
from dataware.ops.run_summary import AdoptionMethod

WHERE = frozenset({"profile", "region", "endpoint_url", "batch_role"})
HOW = frozenset({"follow", "enable_stream", "export_to", "deep"})
"""What a saved plan does not say, and a new command has to."""

APPEARANCE = frozenset({"format", "plain", "debug", "full"})


def apply_command(apply: click.Command, saved: Path | None) -> str:
    """`dataware apply` for what the running command has planned, from `saved` if that is a file."""
    words = _quote_typed(WHERE | HOW if saved else _names_of(apply))
    return " ".join(["dataware apply", *([shlex.quote(str(saved))] if saved else []), *words])


def deploy_command(deploy: click.Command, apply: click.Command, stacks: Collection[str]) -> str:
    """`dataware deploy` for what the running command has planned of a CDK project.

    It is `dataware apply` where something was typed that only that takes, such as `--only`. CDK
    deploys several stacks only if they are asked for, be it that `--stack` names one of them;
    `stacks` are the paths of what was planned, and those in a stage have more than one part.
    """
    if _quote_typed(_names_of(apply) - _names_of(deploy)):
        return apply_command(apply, None)
    words = ["dataware deploy", *_quote_typed(_names_of(deploy))]
    staged = any("/" in stack for stack in stacks)
    if not _quote_typed({"stack"}) and (staged or len(stacks) > 1):
        words += ["--", "'**'" if staged else "--all"]
    return " ".join(words)


def adoption_method(app: AppOptions, *, in_project: bool) -> AdoptionMethod:
    """How a stack adopts what was made for an app; `in_project` if it is that of a CDK project."""
    if in_project or (app.app is not None and app.app.is_dir()):
        return AdoptionMethod.DEPLOY
    if app.app is None or app.app.suffix in {".toml", ".json"}:
        # A saved plan does not say whose app it was made of, and JSON may be such a plan.
        return AdoptionMethod.EITHER
    return AdoptionMethod.CHANGE_SET


def _names_of(command: click.Command) -> set[str]:
    return {parameter.name or "" for parameter in command.params} - APPEARANCE


def _quote_typed(names: Set[str]) -> list[str]:
    context = click.get_current_context(silent=True)
    words = typed_arguments(context, names) if context else []
    return [word if word == HIDDEN else shlex.quote(word) for word in words]
