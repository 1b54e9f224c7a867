"""Brings in the steps of the engine that carries a migration, and of no other one.

An engine is one module with a `make_run`, and one line in `STEPS`. Whatever chooses among engines
reads their cards and imports none of these modules, so a run loads only what it carries out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dataware.core.engines.card import EngineCard, EngineName
from dataware.core.kind import Kind
from dataware.core.plan import Planned
from dataware.ops.context import Context, CopySettings
from dataware.ops.engine_choice import table_of
from dataware.ops.source_profile import find_source

if TYPE_CHECKING:
    from dataware.core.engines.port import TargetCreator
    from dataware.ops.run_migration import MakeRun

STEPS: Mapping[EngineName, str] = MappingProxyType(
    {
        EngineName.MAP: "map_engine.run",
        EngineName.RESTORE: "creator_run",
        EngineName.EXPORT_IMPORT: "creator_run",
        EngineName.BULK: "bulk_load_run",
        EngineName.BATCH: "copy_job_run",
    }
)
"""The module of each engine; this machine takes the usual steps, which every engine extends."""

FOLLOWED_STEPS: Mapping[EngineName, str] = MappingProxyType(
    {EngineName.RESTORE: "creator_follow_run", EngineName.EXPORT_IMPORT: "creator_follow_run"}
)
"""The module of each engine whose target can be followed."""


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """What an engine is to carry: a resource of a plan, by its card, and how."""

    context: Context
    kind: Kind
    planned: Planned
    settings: CopySettings
    card: EngineCard

    def open_creator(self) -> TargetCreator:
        """What makes the target, also where another profile reads the source."""
        context, card = self.context, self.card
        if context.source_profile and card.relayed_creator is not None:
            source = find_source(context, self.kind, self.planned.decision.source or "")
            if source.profile:
                return card.relayed_creator(context.aws, context.open_profile(source.profile))
        if card.creator is None:
            raise ValueError(f"{card.name} makes no target")
        return card.creator(context.aws)


def make_steps(
    context: Context, kind: Kind, planned: Planned, settings: CopySettings
) -> MakeRun | None:
    """How a migration, followed or not, is carried out by the engine of its plan.

    None stands for the usual steps. Raises RefusedError where the service lacks the role that it
    has to assume.
    """
    card = table_of(kind).find(planned.engine) if planned.engine else None
    if card is None or card.name not in STEPS:
        return None
    modules = {**STEPS, **FOLLOWED_STEPS} if settings.follow else STEPS
    order = EngineOrder(context, kind, planned, settings, card)
    steps: MakeRun = _load(modules[card.name]).make_run(order)
    return steps


def make_pair_steps(settings: CopySettings) -> MakeRun | None:
    """How a copy by hand is carried out that workers carry; None for the usual steps."""
    if settings.engine is not EngineName.MAP:
        return None
    steps: MakeRun = _load(STEPS[EngineName.MAP]).make_map_run
    return steps


def _load(module: str) -> Any:
    return import_module(f"{__package__}.{module}")
