"""`--source-profile`: the option, what does not go with it, and that of a saved plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dataware.cli.profiles import complete_profile
from dataware.cli.settings import AwsOptions
from dataware.core.engines.card import EngineName, takes_profile

if TYPE_CHECKING:
    from dataware.core.plan import Plan


source_profile_option = click.option(
    "--source-profile",
    metavar="NAME",
    shell_complete=complete_profile,
    help="Profile that reads the source, whose data then passes through this machine.",
)


def check_source_profile(out: AwsOptions, options: Mapping[str, object]) -> None:
    """Raise UsageError for `options` that cannot go with a profile of the source."""
    if out.source_profile is None:
        return
    if unusable := [option for option, value in options.items() if value]:
        raise click.UsageError(
            f"--source-profile copies through this machine, so it takes no {unusable[0]}"
        )


def engine_option(engine: EngineName | None) -> Mapping[str, bool]:
    """The engine that a person asks for, as an option that may not go with the profile."""
    return {f"--engine {engine}": not takes_profile(engine)}


def with_plan_profile(out: AwsOptions, plans: Sequence[Plan]) -> AwsOptions:
    """The options with the profile that saved plans read their sources with, unless one is given.

    Whether a given one is that of the plans is found out where they are looked at again.
    """
    saved = (one.source_profile.profile for one in plans if one.source_profile)
    profile = out.source_profile or next(saved, None)
    return replace(out, source_profile=profile)
