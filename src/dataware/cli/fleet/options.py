"""The options that the commands of a fleet share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dataware.cli.file_path import FilePath
from dataware.cli.options import endpoint_option, plain_options, profile_option
from dataware.core.errors import InputError
from dataware.core.fleet.selection import TargetSelection

FLEET = Path("fleet.toml")


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """Which targets are meant, and where they are written down."""

    file: Path
    selection: TargetSelection

    @property
    def names_all(self) -> bool:
        """Whether every target of the file is meant."""
        return self.selection == TargetSelection((), (), (), ())

    @staticmethod
    def of(arguments: dict[str, Any]) -> FleetOptions:
        """The options out of all that a command was given."""
        for word in arguments["tag"]:
            if not word.partition("=")[0]:
                raise InputError(f"--tag {word} names no tag: write it as KEY=VALUE, or as KEY")
        selection = TargetSelection(
            arguments["target"], arguments["tag"], arguments["in_region"], arguments["exclude"]
        )
        return FleetOptions(arguments.get("fleet") or FLEET, selection)


fleet_option = click.option(
    "--fleet",
    metavar="FILE",
    type=FilePath(path_type=Path),
    help="File of the targets (default: fleet.toml).",
)


def selection_options(command: Any) -> Any:
    """Which targets: by name, tag and region."""
    for option in reversed(_SELECTION):
        command = option(command)
    return command


def fleet_where_options(command: Any) -> Any:
    """Credentials and address; each target has a region of its own."""
    return profile_option(endpoint_option(command))


def target_list_options(command: Any) -> Any:
    """Everything that a command takes which only looks at the file of the targets."""
    return fleet_option(selection_options(fleet_where_options(plain_options(command))))


_SELECTION = (
    click.option(
        "--target",
        metavar="NAME",
        multiple=True,
        help="Only this target: a name, a pattern such as 'prod-*', or an account (repeatable).",
    ),
    click.option(
        "--tag",
        metavar="KEY=VALUE",
        multiple=True,
        help="Only targets with this tag; those of different keys hold together (repeatable).",
    ),
    click.option(
        "--in-region",
        metavar="NAME",
        multiple=True,
        help="Only targets of this region (repeatable).",
    ),
    click.option(
        "--exclude", metavar="NAME", multiple=True, help="Leave this target out (repeatable)."
    ),
)
