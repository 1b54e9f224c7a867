"""`dataware verify`: compare two resources."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    deep_option,
    outside_options,
    pair_options,
    request_payer_option,
    source_profile_option,
    versions_option,
)
from dataware.cli.settings import AwsOptions, PairOptions, pick
from dataware.core.errors import SidesDifferError


@click.command(cls=SectionedCommand, short_help="Compare two resources.")
@pair_options
@versions_option
@deep_option
@request_payer_option
@source_profile_option
@outside_options
def verify(**given: Any) -> int:
    """Compare SOURCE and TARGET, independently of any copy; exit 2 if they differ.

    \b
    Examples:
      dataware verify dynamodb://Waitlist dynamodb://Waitlist-prod
      dataware verify s3://uploads s3://uploads-prod --versions all --deep
    """
    versions, deep = given["versions"], given["deep"]
    return run_verify(
        pick(AwsOptions, given), pick(PairOptions, given), versions=versions, deep=deep
    )


def run_verify(out: AwsOptions, pair: PairOptions, *, versions: str, deep: bool) -> int:
    """Compare two places."""
    from dataware.cli.context import outside
    from dataware.cli.pair import addresses_of, locations_of
    from dataware.ops.verify import verify as verify_pair

    profile = out.source_profile
    one, other = addresses_of(pair, profile)
    with outside(out) as context:
        source, target = locations_of(context, one, other, profile)
        all_versions = versions == "all"
        verdict = verify_pair(
            context, one.kind.cfn_type, source, target, all_versions=all_versions, deep=deep
        )
    return SidesDifferError.exit_code if verdict.differs else 0
