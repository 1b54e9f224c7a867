"""Fallbacks whose data has moved before: to another name than the one that is preferred now.

A migration is on record under its target, so the records of all targets are read to find those
that came from one source. No decision rests on them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dataware.core.errors import LookupFailedError
from dataware.core.events import event
from dataware.core.model import Action, Marker, MarkerState
from dataware.core.plan import Planned
from dataware.kinds import load
from dataware.ops.context import Context

Targets = Mapping[tuple[str, str], Sequence[str]]
"""Names into which a source was migrated to the end, the latest first, by the name of its kind and
its own."""

NAMED = 3
"""More names than that make no sentence."""


def warn_of_earlier_migrations(context: Context, planned: Sequence[Planned]) -> tuple[Planned, ...]:
    """The decisions, with a warning where a source was already migrated to another name."""
    if not any(_takes_source(one) for one in planned):
        return tuple(planned)
    try:
        targets = _completed_targets(context)
    except LookupFailedError as error:
        text = f"Whether a fallback was migrated to another name is not known: {error}"
        context.emit(event("note", text=text))
        return tuple(planned)
    return tuple(_warn_of_earlier_copy(one, targets) for one in planned)


def _takes_source(planned: Planned) -> bool:
    """Whether a fallback's data is about to be used; a begun migration has been decided on."""
    decision = planned.decision
    return decision.source is not None and decision.action in {Action.MIGRATE, Action.IMPORT}


def _completed_targets(context: Context) -> Targets:
    targets: dict[tuple[str, str], list[str]] = defaultdict(list)
    records = sorted(context.markers.all(), key=lambda one: (_age_of(one[2]), one[1]))
    for kind, target, marker in records:
        if marker.state is MarkerState.COMPLETE and marker.source is not None:
            targets[kind, marker.source].append(target)
    return targets


def _age_of(marker: Marker) -> float:
    """The seconds since a record was written, as a complete one was when its migration ended."""
    return math.inf if marker.heartbeat_age is None else marker.heartbeat_age


def _warn_of_earlier_copy(planned: Planned, targets: Targets) -> Planned:
    decision, preferred = planned.decision, planned.wanted.preferred
    if not _takes_source(planned):
        return planned
    key = load(planned.wanted.type).names.slug, str(decision.source)
    others = [name for name in targets.get(key, ()) if name != preferred]
    if not others:
        return planned
    more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
    text = (
        f"{decision.source} was already migrated to {', '.join(others[:NAMED])}{more}, so it may "
        f"be out of date: to fill {preferred} from there, name {others[0]} as its fallback"
    )
    return replace(planned, decision=replace(decision, warnings=(*decision.warnings, text)))
