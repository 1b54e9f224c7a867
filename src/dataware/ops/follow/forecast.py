"""What a plan says of following it: where changes would come from, and what would go unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dataware.core.errors import DatawareError
from dataware.core.events import event
from dataware.core.follow.forecast import FeedOptions, FollowForecast
from dataware.core.names import place_of
from dataware.core.plan import COPYING, Plan, Planned
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings, aws_of
from dataware.ops.follow.follow_checks import check_follow, check_settings, require_following


def forecast_follows(context: Context, plan: Plan, settings: CopySettings, *, report: bool) -> Plan:
    """The plan with a forecast for each copy, and with a warning where following is refused."""
    planned = tuple(
        _forecast_follow(context, one, settings, report=report) for one in plan.resources
    )
    try:
        check_follow(plan, settings)
    except DatawareError as error:
        text = f"`dataware apply --follow` would refuse this plan: {error}"
        plan = replace(plan, warnings=(*plan.warnings, text))
    return replace(plan, resources=planned)


def _forecast_follow(
    context: Context, planned: Planned, settings: CopySettings, *, report: bool
) -> Planned:
    if planned.decision.action not in COPYING or planned.decision.source is None:
        return planned
    forecast = forecast_follow(context, planned, settings)
    texts = (*forecast.list_texts(), *_warn_of_making(context, planned, forecast))
    name = planned.wanted.preferred
    for text in texts if report else ():
        context.emit(event("note", text=f"{name}: {text}", name=name))
    preferred = replace(planned.preferred, notes=(*planned.preferred.notes, *texts))
    return replace(planned, preferred=preferred, follow=forecast)


def _warn_of_making(context: Context, planned: Planned, forecast: FollowForecast) -> Iterator[str]:
    """What a feed's retention means while the planned engine makes the target."""
    for line in planned.engines:
        if line.card.name is planned.engine and line.card.creator is not None:
            seconds = line.cost.seconds if line.cost else None
            text = forecast.describe_making(line.card.creator(context.aws).words.noun, seconds)
            if text:
                yield text


def forecast_follow(context: Context, planned: Planned, settings: CopySettings) -> FollowForecast:
    """How a follow would hear of what changes in the source of one copy; changes nothing."""
    kind, source = load(planned.wanted.type), str(planned.decision.source)
    place = place_of(kind, source, context.aws.account, context.aws.region)
    options = FeedOptions(settings.enable_feed, settings.export_to or "", settings.deep)
    try:
        check_settings(kind, settings)
        return require_following(kind).forecast(aws_of(context, place), place.name, options)
    except DatawareError as error:
        return FollowForecast(source, problem=str(error))
