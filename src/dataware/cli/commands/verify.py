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
    versions_option,
)
from dataware.cli.settings import AwsOptions, PairOptions, pick
from dataware.cli.source_profile import source_profile_option
from dataware.cli.values import word_option
from dataware.core.engines.card import EngineName
from dataware.core.errors import SidesDifferError

COMPARING = (EngineName.LOCAL, EngineName.MAP)
"""The engines that compare two sides."""


@click.command(cls=SectionedCommand, short_help="Compare two resources.")
@pair_options
@versions_option
@deep_option
@word_option(
    "--engine",
    EngineName,
    but=[one for one in EngineName if one not in COMPARING],
    help="Who reads both sides: this machine (local, the default), or workers in the account "
    "(map).",
)
@request_payer_option
@source_profile_option
@outside_options
def verify(**arguments: Any) -> int:
    """Compare SOURCE and TARGET, independently of any copy; exit 2 if they differ.

    \b
    Examples:
      dataware verify dynamodb://Waitlist dynamodb://Waitlist-prod
      dataware verify s3://uploads s3://uploads-prod --versions all --deep
      dataware verify dynamodb://Orders dynamodb://Orders-prod --engine map
    """
    words = {name: arguments[name] for name in ("versions", "deep", "engine")}
    return run_verify(pick(AwsOptions, arguments), pick(PairOptions, arguments), **words)


def run_verify(
    out: AwsOptions,
    pair: PairOptions,
    *,
    versions: str,
    deep: bool,
    engine: EngineName | None = None,
) -> int:
    """Compare two places."""
    from dataware.cli.context import outside
    from dataware.cli.pair import addresses_of, locations_of
    from dataware.ops.map_engine.pair_comparison import compare_by_workers
    from dataware.ops.verify import verify as verify_pair

    profile = out.source_profile
    one, other = addresses_of(pair, profile)
    # Workers in the account have to be stopped, and what stays has to be named.
    with outside(out, copies=engine is EngineName.MAP) as context:
        source, target = locations_of(context, one, other, profile)
        verdict = verify_pair(
            context,
            one.kind.cfn_type,
            source,
            target,
            all_versions=versions == "all",
            deep=deep,
            compare_pair=compare_by_workers if engine is EngineName.MAP else None,
        )
    return SidesDifferError.exit_code if verdict.differs else 0
