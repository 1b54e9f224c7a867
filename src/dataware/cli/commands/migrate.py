"""`dataware migrate`: copy one resource into another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    copy_options,
    engine_option,
    follow_options,
    outside_options,
    pair_options,
    partial_option,
    rehearse_option,
)
from dataware.cli.settings import (
    AwsOptions,
    CopyOptions,
    PairOptions,
    check_follow_options,
    pick,
)
from dataware.cli.source_profile import check_source_profile, source_profile_option

if TYPE_CHECKING:
    from dataware.core.kind import Kind
    from dataware.core.model import Location
    from dataware.ops.context import Context, CopySettings


@click.command(cls=SectionedCommand, short_help="Copy one resource into another.")
@pair_options
@copy_options
@engine_option
@follow_options
@rehearse_option
@partial_option
@source_profile_option
@outside_options
def migrate(**arguments: Any) -> int:
    """Copy SOURCE into TARGET, which exists, and verify; a secret or parameter is created.

    SOURCE is only read. What TARGET holds of its own is never replaced, unless --on-conflict
    says so. Killed at any moment, the same command continues. With --follow, TARGET has to be
    empty at first; changes and deletes of SOURCE are carried into it until Ctrl-C. With --rehearse,
    TARGET is only looked at.

    \b
    Examples:
      dataware migrate dynamodb://Waitlist dynamodb://Waitlist-prod
      dataware migrate s3://uploads/2024/ s3://uploads-prod/2024/ --versions all
      dataware migrate arn:aws:s3:::uploads s3://uploads-prod
      dataware migrate dynamodb://Orders dynamodb://Orders-prod --rehearse
      dataware migrate dynamodb://Orders dynamodb://Orders-prod --follow
      dataware migrate ecr://app/web ecr://app/web-prod
      dataware migrate secret://app/key secret://app/key-prod
      dataware migrate ssm:///app/key ssm:///app/key-prod
      dataware migrate cognito://users cognito://users-prod --allow-partial
    """
    return run_migrate(
        pick(AwsOptions, arguments), pick(PairOptions, arguments), pick(CopyOptions, arguments)
    )


def run_migrate(out: AwsOptions, pair: PairOptions, copy: CopyOptions) -> int:
    """Copy one place into another, and verify."""
    from dataware.cli.context import outside, settings_of
    from dataware.cli.notify import notifying
    from dataware.cli.pair import addresses_of, locations_of
    from dataware.ops.engine_choice import check_pair
    from dataware.ops.object_headers import check_object_headers
    from dataware.ops.verify import with_real_region

    check_follow_options(copy)
    if copy.rehearse and (copy.follow or copy.engine is not None):
        raise click.UsageError(
            "--rehearse copies once, by this machine; leave out --follow and --engine"
        )
    settings, profile = settings_of(copy), out.source_profile
    one, other = addresses_of(pair, profile)
    if profile:
        _check_relay(out, copy, one.kind)
    check_object_headers(settings, [one.kind])
    with (
        notifying("migrate", out, copy.notify) as listener,
        outside(out, copies=True, listener=listener) as context,
    ):
        listener.at(context.aws)
        source, target = locations_of(context, one, other, profile)
        # A bucket's record lies in the region of the bucket, which its name does not tell.
        target = with_real_region(context, one.kind, target)
        at_target = context.in_region(target.region)
        check_pair(at_target, one.kind, source, target, settings)
        if copy.rehearse:
            _rehearse(at_target, out, one.kind.cfn_type, (source, target), settings)
            return 0
        _carry_out(at_target, one.kind.cfn_type, (source, target), settings)
    return 0


def _carry_out(
    context: Context, type_name: str, places: tuple[Location, Location], settings: CopySettings
) -> None:
    """Copy, and follow what changes if that is asked for."""
    if settings.follow:
        from dataware.ops.follow.follow import follow

        follow(context, type_name, *places, settings)
    else:
        from dataware.ops.migrate_by_hand import migrate as migrate_pair

        migrate_pair(context, type_name, *places, settings)


def _rehearse(
    context: Context,
    out: AwsOptions,
    type_name: str,
    places: tuple[Location, Location],
    settings: CopySettings,
) -> None:
    """Rehearse; what it has made is removed also after Ctrl-C."""
    from dataware.cli.context import go_on_after_stop
    from dataware.ops.inputs.prices import read_prices
    from dataware.ops.rehearse import rehearse
    from dataware.state import ParameterMarkers

    # The region is that of the target, which the options need not name.
    there = go_on_after_stop(context, replace(out, region=context.aws.region))
    markers = ParameterMarkers(there.aws, there.clock)

    def forget(kind: str, name: str) -> None:
        markers.remove(kind, name, markers.get(kind, name), lambda _parameter: None)

    rehearse(there, type_name, places, settings, read_prices(None), forget)


def _check_relay(out: AwsOptions, copy: CopyOptions, kind: Kind) -> None:
    """Raise UsageError for what cannot pass through this machine."""

    options = {"--follow": copy.follow, "--engine": copy.engine, "--rehearse": copy.rehearse}
    check_source_profile(out, options)
    if not kind.require_copying().relays:
        raise click.UsageError(f"--source-profile is for tables and buckets, not for a {kind.noun}")
