"""Chooses the engine of every migration, from what was seen and what a person asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dataware.core.engines.card import ENGINE, REFUSED, EngineName
from dataware.core.engines.choice import EngineTable, estimate_engine, find_obstacle, name_engines
from dataware.core.engines.situation import EngineSituation
from dataware.core.errors import InputError
from dataware.core.estimate import Estimate, Prices, estimate
from dataware.core.kind import Kind
from dataware.core.model import Existence, Facts, Location, Marker, MarkerState
from dataware.core.names import partition_of, place_of
from dataware.core.plan import COPYING, Planned
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings, aws_of
from dataware.ops.object_headers import record_headers
from dataware.ops.probe import look
from dataware.ops.source_profile import find_source

RECOVERY = "point_in_time_recovery"
"""What the probe of a type calls the setting from which a restore is made."""


@dataclass(frozen=True, slots=True)
class EngineDemand:
    """The engines that a person asks for: `asked` for all it can carry, `saved` by resource.

    `followed` says that changes are carried afterwards, `has_role` that a role is named which a
    service may assume, `has_headers` that objects get headers of their own, and `exported` that
    changes are exported into a bucket.
    """

    engine: EngineName | None = None
    followed: bool = False
    has_role: bool = False
    has_headers: bool = False
    saved: Mapping[str, EngineName] = field(default_factory=dict)
    exported: bool = False

    @staticmethod
    def of(settings: CopySettings, saved: Mapping[str, EngineName] | None = None) -> EngineDemand:
        """What the settings of a run ask for."""
        return EngineDemand(
            settings.engine,
            settings.follow,
            has_role=settings.service_role is not None,
            has_headers=bool(record_headers(settings)),
            saved=saved or {},
            exported=bool(settings.export_to),
        )

    def find(self, planned: Planned, table: EngineTable) -> EngineName | None:
        """The engine that is asked for one resource."""
        if self.engine is not None and table.find(self.engine):
            return self.engine
        return self.saved.get(planned.wanted.id)


def choose_engines(
    context: Context,
    planned: Sequence[Planned],
    demand: EngineDemand,
    prices: Prices | None,
    *,
    all_versions: bool,
) -> tuple[Planned, ...]:
    """The same resources, each copy with its engine, and with a line for every other one.

    Raises RefusedError where an engine that is asked for does not fit, and InputError where it
    carries none of the kinds that are copied.
    """
    chosen = tuple(
        _choose(context, one, demand, prices, all_versions=all_versions) for one in planned
    )
    copied = [load(one.wanted.type) for one in chosen if one.engine is not None]
    if demand.engine and copied and not any(table_of(kind).find(demand.engine) for kind in copied):
        raise _carries_none_error(demand.engine, copied[0])
    return chosen


def table_of(kind: Kind) -> EngineTable:
    """The engines that there are for a kind."""
    return EngineTable(kind.require_copying().engines())


def _carries_none_error(engine: EngineName, kind: Kind) -> InputError:
    names = name_engines(table_of(kind).cards)
    return InputError(
        f"the engine {engine} does not carry a {kind.short}; choose from {names}, or leave out "
        "--engine"
    )


def _choose(
    context: Context,
    planned: Planned,
    demand: EngineDemand,
    prices: Prices | None,
    *,
    all_versions: bool,
) -> Planned:
    kind, source = load(planned.wanted.type), planned.source
    if planned.decision.action not in COPYING or kind.copying is None or source is None:
        return planned
    situation = _read_situation(context, kind, planned, source, all_versions=all_versions)
    situation = replace(
        situation,
        followed=demand.followed,
        has_role=demand.has_role,
        has_headers=demand.has_headers,
        exported=demand.exported,
    )
    table = table_of(kind)
    wanted = demand.find(planned, table)
    situation = replace(situation, problems=_find_problems(context, planned, situation, wanted))
    engine = table.choose(situation, wanted)
    if prices is None:
        return replace(planned, engine=engine)
    lines = table.list_lines(situation, engine, prices)
    costs = _estimate(table, situation, engine, prices)
    return replace(planned, engine=engine, engines=tuple(lines), estimate=costs)


def _read_situation(
    context: Context, kind: Kind, planned: Planned, source: Facts, *, all_versions: bool
) -> EngineSituation:
    preferred, copying = planned.preferred, kind.require_copying()
    account, region = context.aws.account, context.aws.region
    here = find_source(context, kind, source.name)
    recovery, marker = source.settings.get(RECOVERY), preferred.marker
    is_new = preferred.existence is Existence.ABSENT
    begun = find_unfinished_engine(marker, is_new=is_new)
    return EngineSituation(
        source=source.name,
        target=preferred.name,
        size=source.size,
        is_new=is_new,
        is_own=is_new or (marker.created and (begun is not None or REFUSED in marker.detail)),
        same_account=here.owner == account,
        relayed=bool(here.profile),
        same_region=(source.region or here.region) == (preferred.region or region),
        same_partition=partition_of(here.region) == partition_of(region),
        recovery=None if recovery is None else bool(recovery.rank),
        all_versions=all_versions,
        begun=begun,
        charges=copying.charges(source.size) if source.size else {},
        verify_charges=copying.verify_charges(source.size) if source.size else {},
        speed=copying.speed,
    )


def find_unfinished_engine(marker: Marker, *, is_new: bool) -> EngineName | None:
    """The engine with which a migration that did not end has begun; None without one.

    Where the target `is_new`, or another engine was refused, this machine has copied nothing.
    """
    if marker.state is not MarkerState.RUNNING:
        return None
    recorded = marker.detail.get(ENGINE)
    name = recorded.get("name") if isinstance(recorded, Mapping) else None
    if isinstance(name, str) and name in set(EngineName):
        return EngineName(name)
    return None if is_new or REFUSED in marker.detail else EngineName.LOCAL


def _find_problems(
    context: Context, planned: Planned, situation: EngineSituation, wanted: EngineName | None
) -> Mapping[str, str]:
    """What stands against engines that would be picked otherwise, as their services tell it."""
    kind, problems = load(planned.wanted.type), {}
    if situation.begun is not None:
        return {}
    for card in table_of(kind).own:
        is_picked = card.name is wanted or (wanted is None and card.is_better(situation))
        if card.creator is None or not is_picked or find_obstacle(card, situation):
            continue
        place = place_of(kind, situation.source, context.aws.account, context.aws.region)
        problem = card.creator(context.aws).find_problem(place, planned.wanted.properties)
        if problem:
            problems[card.name.value] = problem
    return problems


def _estimate(
    table: EngineTable, situation: EngineSituation, engine: EngineName, prices: Prices
) -> Estimate | None:
    """What the engine takes; without a promise of AWS the seconds are 0."""
    if (size := situation.size) is None:
        return None
    local = estimate(size, situation.charges, situation.speed, prices)
    card = table.find(engine)
    cost = estimate_engine(card, situation, prices) if card else None
    if engine is EngineName.LOCAL or cost is None:
        return local
    return replace(local, seconds=cost.seconds or 0, usd=cost.usd)


def check_pair(
    context: Context, kind: Kind, source: Location, target: Location, settings: CopySettings
) -> None:
    """Raise RefusedError where the engine asked for cannot copy one existing place into another."""
    engine = settings.engine
    if engine is None:
        return
    table = table_of(kind)
    if table.find(engine) is None:
        raise _carries_none_error(engine, kind)
    facts = look(replace(context, aws=aws_of(context, source)), kind, source.name)
    recovery = facts.settings.get(RECOVERY)
    situation = EngineSituation(
        source=source.name,
        target=target.name,
        size=facts.size,
        is_new=False,
        is_own=False,
        same_account=source.owner == target.owner,
        same_region=source.region == target.region,
        recovery=None if recovery is None else bool(recovery.rank),
        followed=settings.follow,
        has_headers=bool(record_headers(settings)),
    )
    table.choose(situation, engine)
