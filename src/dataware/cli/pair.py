"""The two resources that `migrate` and `verify` are given."""

from __future__ import annotations

from dataware.cli.settings import PairOptions
from dataware.core.kind import Kind
from dataware.core.model import Location
from dataware.kinds import kinds_by_type
from dataware.ops.context import Context
from dataware.ops.inputs import ResourceAddress, parse_pair
from dataware.ops.inputs.addresses import check_distinct


def addresses_of(pair: PairOptions) -> tuple[ResourceAddress, ResourceAddress]:
    """Both addresses, with the owners that were named. Raises InputError."""
    one, other = parse_pair(pair.source, pair.target, kinds_by_type())
    return one.owned_by(pair.source_owner), other.owned_by(pair.target_owner)


def locations_of(
    context: Context, one: ResourceAddress, other: ResourceAddress
) -> tuple[Location, Location]:
    """Both locations, seen from this account. Raises InputError for two that overlap."""
    account, region = context.aws.account, context.aws.region
    check_distinct(one, other, account, region)
    return one.place(account, region), other.place(account, region)


def places_on_record(
    context: Context, kind: Kind, source: str, target: str, address: str | None
) -> tuple[Location, Location]:
    """Both locations of a migration on record; `address` is the source's if that is elsewhere."""
    scheme = kind.require_copying().scheme
    pair = PairOptions(address or f"{scheme}://{source}", f"{scheme}://{target}", None, None)
    return locations_of(context, *addresses_of(pair))
