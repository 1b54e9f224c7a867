"""Removes what an engine left in the account, where its migration is given up."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.core.engines.card import ENGINE, EngineCard
from dataware.core.engines.choice import EngineTable
from dataware.core.engines.port import WORK, CopyJob, Record, TargetCreator
from dataware.core.engines.unfinished_work import find_unfinished_work
from dataware.core.errors import LookupFailedError, ServiceError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Marker
from dataware.kinds import kinds
from dataware.ops.context import Context
from dataware.ops.map_engine.leftovers import explain_workers, remove_workers

PAUSE_SECONDS = 1.0
LOOKS = 120
"""How often a job is looked at that is being ended, before what it needs is left to a person."""


def explain_leftovers(slug: str, target: str, marker: Marker, context: Context) -> str:
    """What becomes of the work of an engine once its record is gone; empty without any."""
    if workers := explain_workers(context, marker):
        return workers
    card, record = _find_work(slug, marker)
    if card is None:
        return ""
    if card.copy_job is not None:
        parts = " and ".join(card.copy_job(context.aws, "").list_parts(record))
        return f"removing {parts}, which the engine {card.name} has left"
    if card.creator is not None and (names := card.creator(context.aws).list_parts(record)):
        parts, words = " and ".join(names), card.creator(context.aws).words
        return (
            f"removing {parts}, which the engine {card.name} has left; if the {words.noun} into "
            f"{target} has begun, it goes on in AWS {words.stays}: {target} stays"
        )
    return f"the engine {card.name} goes on making {target}, which cannot be cancelled: it stays"


def remove_leftovers(slug: str, marker: Marker, context: Context) -> None:
    """End and remove what the engine of an unfinished migration left; name what stays."""
    remove_workers(context, marker)
    card, record = _find_work(slug, marker)
    if card is not None and card.creator is not None:
        _remove_parts(context, card.creator(context.aws), record)
    if card is None or card.copy_job is None:
        return
    copy_job = card.copy_job(context.aws, "")
    parts = " and ".join(copy_job.list_parts(record))
    try:
        ended = _end_work(context, copy_job, record)
        copy_job.clean(record)
    except (LookupFailedError, ServiceError) as error:
        context.emit(event("warning", text=f"cannot remove {parts} ({error}); remove them by hand"))
        return
    if ended:
        context.emit(event("note", text=f"Removed {parts}"))
    else:
        text = f"check that {parts} are gone, because the job does not end"
        context.emit(event("warning", text=text))


def _remove_parts(context: Context, creator: TargetCreator, record: Record) -> None:
    """Remove what a creator needed on the way; what it makes goes on, and stays."""
    parts = " and ".join(creator.list_parts(record))
    if not parts:
        return
    try:
        creator.clean(record)
        context.emit(event("note", text=f"Removed {parts}"))
    except ServiceError as error:
        context.emit(event("warning", text=f"cannot remove {parts} ({error}); remove them by hand"))


def _end_work(context: Context, copy_job: CopyJob, record: Record) -> bool:
    """End what goes on, and wait for it; whether it has ended."""
    copy_job.cancel(record)
    for _ in range(LOOKS):
        if "job" not in record or copy_job.look(record).ended:
            return True
        context.aws.pause(PAUSE_SECONDS)
    return False


def describe_pause_of_work(slug: str, marker: Marker) -> str:
    """What a pause does to the work of an engine, in a clause; empty where none is under way."""
    record = find_unfinished_work(marker).get(ENGINE)
    kind = next((one for one in kinds() if one.names.slug == slug and one.copying), None)
    is_under_way = bool(marker.detail.get(WORK)) or not marker.alive
    if kind is None or not isinstance(record, Mapping) or not is_under_way:
        return ""
    card = EngineTable(kind.require_copying().engines()).find(str(record.get("name")))
    if card is not None and card.copy_job is not None and not marker.alive:
        return "no run is alive to end its job, which goes on; the next run ends it, and waits"
    return card.pause if card is not None else ""


def _find_work(slug: str, marker: Marker) -> tuple[EngineCard | None, Record]:
    """The engine that an unfinished record names, with what the record keeps of its work."""
    record = find_unfinished_work(marker).get(ENGINE)
    kind = next((one for one in kinds() if one.names.slug == slug), None)
    if not isinstance(record, Mapping) or kind is None or kind.copying is None:
        return None, {}
    return _card_of(kind, record), record


def _card_of(kind: Kind, record: Record) -> EngineCard | None:
    card = EngineTable(kind.require_copying().engines()).find(str(record.get("name")))
    return card if card is not None and (card.copy_job or card.creator) else None
