"""What does not go with `--source-profile`, and the profile that a saved plan was made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import click

from dataware.cli.settings import AwsOptions
from dataware.core.plan import Plan


def check_source_profile(out: AwsOptions, options: Mapping[str, object]) -> None:
    """Raise UsageError for `options` that cannot go with a profile of the source."""
    if out.source_profile is None:
        return
    if given := [option for option, value in options.items() if value]:
        raise click.UsageError(
            f"--source-profile copies through this machine, so it takes no {given[0]}"
        )


def with_plan_profile(out: AwsOptions, plans: Sequence[Plan]) -> AwsOptions:
    """The options with the profile that saved plans read their sources with, unless one is given.

    Whether a given one is that of the plans is found out where they are looked at again.
    """
    saved = (one.source_profile.profile for one in plans if one.source_profile)
    profile = out.source_profile or next(saved, None)
    return replace(out, source_profile=profile)
