"""The two resources that `migrate` and `verify` are given."""

from __future__ import annotations

from dataclasses import replace

from dataware.cli.settings import PairOptions
from dataware.core.kind import Kind
from dataware.core.model import Location
from dataware.kinds import kinds_by_type
from dataware.ops.context import Context, aws_of
from dataware.ops.inputs.addresses import ResourceAddress, check_distinct, parse_pair, parse_sides


def addresses_of(
    pair: PairOptions, profile: str | None = None
) -> tuple[ResourceAddress, ResourceAddress]:
    """Both addresses, with the owners that were named; a `profile` reads the source.

    Raises InputError.
    """
    kinds = kinds_by_type()
    if profile:
        # The same name is another resource in another account.
        one, other = parse_sides(pair.source, pair.target, kinds)
    else:
        one, other = parse_pair(pair.source, pair.target, kinds)
    return one.owned_by(pair.source_owner), other.owned_by(pair.target_owner)


def locations_of(
    context: Context,
    one: ResourceAddress,
    other: ResourceAddress,
    profile: str | None = None,
) -> tuple[Location, Location]:
    """Both locations, the source as its profile sees it. Raises InputError for two that overlap."""
    account, region = context.aws.account, context.aws.region
    if profile is None:
        check_distinct(one, other, account, region)
        source = one.place(account, region)
        return _resolve(context, one, source), _resolve(
            context, other, other.place(account, region)
        )
    reader = context.open_profile(profile)
    source = replace(one.place(reader.account, reader.region), profile=profile)
    target = other.place(account, region)
    if (source.owner, source.region) == (account, region):
        check_distinct(one, other, account, region)
    return _resolve(context, one, source), _resolve(context, other, target)


def _resolve(context: Context, address: ResourceAddress, place: Location) -> Location:
    """The place itself where it was named by another way to it."""
    indirect = address.kind.indirect
    return indirect.resolve(aws_of(context, place), place) if indirect else place


def places_on_record(
    context: Context, kind: Kind, source: str, target: str, address: str | None
) -> tuple[Location, Location]:
    """Both locations of a migration on record; `address` is the source's if that is elsewhere."""
    scheme = kind.require_copying().scheme
    pair = PairOptions(address or f"{scheme}://{source}", f"{scheme}://{target}", None, None)
    return locations_of(context, *addresses_of(pair))
