"""The command that goes on after a plan is one that can be typed."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from dataware.cli.commands.apply import apply
from dataware.cli.commands.plan import plan
from dataware.cli.way_on import apply_command


def next_command(*arguments: str, saved: str | None = None) -> str:
    """What follows on `dataware plan` with those arguments."""
    with click.Context(plan, info_name="plan") as context:
        plan.parse_args(context, list(arguments))
        return apply_command(apply, Path(saved) if saved else None)


@pytest.mark.parametrize(
    ("arguments", "saved", "command"),
    [
        ((), None, "dataware apply"),
        (("my app.toml",), None, "dataware apply 'my app.toml'"),
        (("app.toml", "--detailed-exitcode", "-v", "--plain"), None, "dataware apply app.toml"),
        (
            ("app.toml", "--region", "eu-west-3", "--on-error", "no-data"),
            None,
            "dataware apply app.toml --on-error no-data --region eu-west-3",
        ),
        (
            ("app.toml", "--profile", "p", "--strict", "--out", "a plan.json"),
            "a plan.json",
            "dataware apply 'a plan.json' --profile p",
        ),
        (("-c", "token=hush"), None, "dataware apply -c …"),
    ],
)
def test_the_next_command_has_what_was_typed(
    arguments: tuple[str, ...], saved: str | None, command: str
) -> None:
    """A saved plan knows all but the place; without one every choice is repeated, no secret is."""
    assert next_command(*arguments, saved=saved) == command
