"""Which credentials read a source: those of the run, or those of a profile of its own.

A plan that was made with a profile says so, and is carried out with that profile alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dataware.core.engines.card import takes_profile
from dataware.core.errors import InputError, RefusedError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Location, Wanted
from dataware.core.names import is_arn, is_regional, place_of
from dataware.core.source_profile import SourceProfile, is_read_by_profile
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings

if TYPE_CHECKING:
    from dataware.core.plan import Plan


def describe_profile(context: Context) -> SourceProfile | None:
    """The profile that reads the sources of a run, if there is one. Raises DatawareError."""
    if not context.source_profile:
        return None
    reader = context.open_profile(context.source_profile)
    # A profile without a region reads in that of each stack.
    region = context.source_region or context.aws.region
    return SourceProfile(context.source_profile, reader.account, region)


def report_profile(context: Context) -> None:
    """Say who reads the sources, if that is not who carries the plan out."""
    profile = describe_profile(context)
    if profile is not None:
        text = (
            f"Reading sources with the profile {profile.profile} (account {profile.account}, "
            f"{profile.region})"
        )
        context.emit(event("note", text=text))


def find_source(context: Context, kind: Kind, name: str) -> Location:
    """The place that the name of a source means, with the profile that reads it.

    The name is as plans and records have it: a plain one is of the run's own account and region,
    but for a type whose names say neither, where it is the profile's.
    """
    account, region = context.aws.account, context.aws.region
    place = place_of(kind, name, account, region)
    if not context.source_profile or not is_read_by_profile(kind):
        return place
    reader = context.open_profile(context.source_profile)
    if not is_regional(kind):
        place = place_of(kind, name, reader.account, reader.region)
    elif place.owner == account and reader.account != account:
        return place
    else:
        place = place_of(kind, name, reader.account, region)
    return replace(place, profile=context.source_profile)


def enter_source(context: Context, kind: Kind, name: str) -> Context:
    """The context of who reads a source, in the region that its name means."""
    place = find_source(context, kind, name)
    if not place.profile:
        return context
    return context.move(replace(context, aws=context.open_profile(place.profile)), place.region)


def take_profile(context: Context, plan: Plan) -> Context:
    """The context in which a plan is carried out: its sources are read as when it was made.

    Raises RefusedError where the command names another profile, or the profile is of another
    account or region by now.
    """
    profile, made = context.source_profile, plan.source_profile
    if profile and (made is None or made.profile != profile):
        how = f"with --source-profile {made.profile}" if made else "without --source-profile"
        raise RefusedError(
            f"nothing was changed, because the plan was made {how}: carry it out so, or make "
            f"another with `dataware plan --source-profile {profile}`"
        )
    if made is None:
        return context
    there = replace(context, source_profile=made.profile)
    now = describe_profile(there)
    if now is not None and now != made:
        raise RefusedError(
            f"nothing was changed, because the profile {made.profile} is now of account "
            f"{now.account}, {now.region}, and the plan is of {made.account}, {made.region}: make "
            "a new plan and review it"
        )
    return there


def check_relay(plan: Plan, settings: CopySettings) -> None:
    """Raise InputError for what cannot pass through this machine; nothing is asked."""
    if plan.source_profile is None:
        return
    engine = settings.engine
    options = {"--follow": settings.follow, f"--engine {engine}": not takes_profile(engine)}
    for option, is_given in options.items():
        if is_given:
            raise InputError(
                f"the plan was made with --source-profile {plan.source_profile.profile}, which "
                f"copies through this machine, so it takes no {option}"
            )


def refuse_rehearsal(plan: Plan) -> None:
    """Raise InputError for a plan whose sources no scratch resource is filled from."""
    if plan.source_profile is not None:
        raise InputError(
            f"the plan was made with --source-profile {plan.source_profile.profile}, which copies "
            "through this machine, so it takes no --rehearse"
        )


def name_fallbacks(context: Context, wanted: Sequence[Wanted]) -> list[Wanted]:
    """The resources with their fallbacks named as in the account and region where each goes.

    That is the environment of the run where a resource leaves it open.
    """
    if not context.source_profile:
        return list(wanted)
    account, home = context.aws.account, context.aws.region
    named = []
    for one in wanted:
        region = one.region or home
        there = replace(context, source_region=context.source_region or region)
        if (profile := describe_profile(there)) is not None:
            named.append(
                profile.name_fallbacks(load(one.type), one, one.account or account, region)
            )
    return named


def check_regions(context: Context, wanted: Sequence[Wanted]) -> None:
    """Raise InputError where a plain name would mean one region for the stacks of several.

    Each of them may have a resource of that name, with other data.
    """
    if not context.source_profile or not context.source_region:
        return
    regions = {one.region or context.aws.region for one in wanted if _names_region_by_profile(one)}
    if len(regions) > 1:
        raise InputError(
            f"the profile {context.source_profile} names {context.source_region}, but the "
            f"resources go to {' and '.join(sorted(regions))}: plan each region with --stack, use "
            "a profile without a region, or give fallbacks by ARN"
        )


def _names_region_by_profile(wanted: Wanted) -> bool:
    """Whether the profile alone says in which region a fallback is."""
    kind = load(wanted.type)
    plain = any(not is_arn(name) for name in wanted.fallbacks)
    return plain and is_regional(kind) and is_read_by_profile(kind)


def warn_of_own_fallbacks(context: Context, wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """Which fallbacks a profile does not read, because their data cannot pass through here."""
    if not context.source_profile:
        return ()
    own = [one for one in wanted if one.fallbacks and not _is_read(one)]
    if not own:
        return ()
    types = " and no ".join(sorted({load(one.type).short for one in own}))
    names = ", ".join(one.preferred for one in own)
    return (
        f"--source-profile reads no {types}, so the fallbacks of {names} were looked for in "
        f"account {context.aws.account}",
    )


def _is_read(wanted: Wanted) -> bool:
    return is_read_by_profile(load(wanted.type))
