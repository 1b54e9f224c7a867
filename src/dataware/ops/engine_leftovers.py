"""Removes what an engine left in the account, where its migration is given up."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.calc.words import list_words
from dataware.core.engines.card import ENGINE, LEFTOVERS, EngineCard
from dataware.core.engines.choice import EngineTable
from dataware.core.engines.port import WORK, CopyJob, Record, TargetCreator
from dataware.core.engines.unfinished_work import (
    find_unfinished_work,
    list_leftovers,
    name_parts,
)
from dataware.core.errors import DatawareError, IncompleteError, ServiceError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Marker, MarkerState
from dataware.kinds import kinds
from dataware.ops.context import Context
from dataware.ops.map_engine.leftovers import KEPT, explain_workers, remove_workers

PAUSE_SECONDS = 1.0
LOOKS = 120
"""How often a job is looked at that is being ended, before what it needs is left to a person."""


def explain_leftovers(slug: str, target: str, marker: Marker, context: Context) -> str:
    """What becomes of what an engine has made once its record is gone; empty without anything."""
    left = list_leftovers(marker.detail)
    again = f"removing {name_parts(left)}, which could not be removed before" if left else ""
    work = _explain_work(slug, target, marker, context)
    return "; ".join(filter(None, (work, again)))


def _explain_work(slug: str, target: str, marker: Marker, context: Context) -> str:
    if workers := explain_workers(context, marker):
        return workers
    card, record = _find_work(slug, marker)
    if card is None:
        return ""
    if card.copy_job is not None:
        parts = " and ".join(card.copy_job(context.aws, "").list_parts(record))
        return f"removing {parts}, which the engine {card.name} has left"
    if card.creator is None:
        return ""
    creator = card.creator(context.aws)
    names, words = creator.list_parts(record), creator.words
    removal = f"removing {' and '.join(names)} of the engine {card.name}; " if names else ""
    begins = f"{removal}if the {words.noun} into {target} has begun"
    if words.ends_early:
        return f"{begins}, it is ended, and what it has put stays"
    return f"{begins}, it goes on in AWS {words.stays}, and {target} stays"


def remove_leftovers(slug: str, marker: Marker, context: Context) -> None:
    """End and remove what the engine of a migration left, and what it could not remove before.

    Raises IncompleteError where something stays, because nothing but the record knows of it.
    """
    remove_workers(context, marker)
    card, record = _find_work(slug, marker)
    if card is not None:
        _remove_parts(context, card, record)
    for left in list_leftovers(marker.detail):
        if (made_by := _card_of(slug, left)) is not None:
            _remove_parts(context, made_by, left)


def sweep_leftovers(context: Context, kind: Kind, target: str, marker: Marker) -> None:
    """Remove what the engine of a complete migration could not, and take it off the record.

    What stays is told, and stays on record.
    """
    left = list_leftovers(marker.detail)
    if not left or marker.state is not MarkerState.COMPLETE:
        return
    slug = kind.names.slug
    try:
        remove_leftovers(slug, marker, context)
        detail = {name: part for name, part in marker.detail.items() if name != LEFTOVERS}
        context.markers.amend(slug, target, marker.run, detail)
    except DatawareError as error:
        context.emit(event("warning", text=str(error), name=target))


def _remove_parts(context: Context, card: EngineCard, record: Record) -> None:
    """Remove what the work of an engine needed. Raises IncompleteError for what stays.

    What can be ended is ended first; else what a creator makes goes on, and stays.
    """
    work = _open_work(card, context)
    names = list(work.list_parts(record)) if work else []
    if work is None or not names:
        return
    parts = list_words(names)
    try:
        if not _end_work(context, work, record):
            raise IncompleteError(
                f"cannot remove {parts} yet, because the job does not end; {KEPT}"
            )
        work.clean(record)
    except ServiceError as error:
        raise IncompleteError(f"cannot remove {parts} ({error}); {KEPT}") from error
    context.emit(event("note", text=f"Removed {parts}"))


def _open_work(card: EngineCard, context: Context) -> CopyJob | TargetCreator | None:
    """What ends and removes the work of an engine."""
    if card.copy_job is not None:
        return card.copy_job(context.aws, "")
    return card.creator(context.aws) if card.creator else None


def _end_work(context: Context, work: CopyJob | TargetCreator, record: Record) -> bool:
    """End what goes on, and wait for it; whether it has ended."""
    for _ in range(LOOKS):
        if work.cancel(record):
            return True
        context.aws.pause(PAUSE_SECONDS)
    return False


def describe_pause_of_work(slug: str, marker: Marker) -> str:
    """What a pause does to the work of an engine, in a clause; empty where none is under way."""
    record = find_unfinished_work(marker).get(ENGINE)
    is_under_way = bool(marker.detail.get(WORK)) or not marker.alive
    if not isinstance(record, Mapping) or not is_under_way:
        return ""
    card = _find_card(slug, record)
    if card is not None and card.copy_job is not None and not marker.alive:
        return "no run is alive to end its job, which goes on; the next run ends it, and waits"
    return card.pause if card is not None else ""


def _find_work(slug: str, marker: Marker) -> tuple[EngineCard | None, Record]:
    """The engine that an unfinished record names, with what the record keeps of its work."""
    record = find_unfinished_work(marker).get(ENGINE)
    if not isinstance(record, Mapping):
        return None, {}
    return _card_of(slug, record), record


def _card_of(slug: str, record: Record) -> EngineCard | None:
    """The engine of a record that has left something; None where that is none of the kind."""
    card = _find_card(slug, record)
    return card if card is not None and (card.copy_job or card.creator) else None


def _find_card(slug: str, record: Record) -> EngineCard | None:
    """The engine that a record names; None where the kind has none of that name."""
    kind = next((one for one in kinds() if one.names.slug == slug and one.copying), None)
    if kind is None:
        return None
    return EngineTable(kind.require_copying().engines()).find(str(record.get("name")))
