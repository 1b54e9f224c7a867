"""Removes the workers of a migration that is given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.unfinished_work import find_unfinished_work
from dataware.core.errors import IncompleteError, LookupFailedError, ServiceError
from dataware.core.events import event
from dataware.core.model import Marker
from dataware.ops.context import Context
from dataware.ops.map_engine.execution import MapExecution
from dataware.ops.map_engine.stack import WorkersStack
from dataware.ops.map_engine.template import WorkersLocation

KEPT = "the record is kept; allow that, or remove it by hand, and run the same command again"
"""What is said beside something that cannot be removed."""


def place_of_workers(context: Context, run: str) -> WorkersLocation:
    """Where the workers of a migration are: in the region of its target."""
    aws = context.aws
    return WorkersLocation(aws.account, aws.region, aws.partition, run)


def find_workers(marker: Marker) -> Mapping[str, Any] | None:
    """What an unfinished record keeps of its workers; None where it has none."""
    engine = find_unfinished_work(marker).get(ENGINE)
    is_map = isinstance(engine, Mapping) and engine.get("name") == EngineName.MAP
    return engine if isinstance(engine, Mapping) and is_map and marker.run else None


def explain_workers(context: Context, marker: Marker) -> str:
    """What becomes of the workers once their record is gone; empty without any."""
    if find_workers(marker) is None:
        return ""
    place = place_of_workers(context, str(marker.run))
    return f"stopping the workers {place.stack}, and removing them with the bucket {place.bucket}"


def remove_workers(context: Context, marker: Marker) -> None:
    """Stop and remove the workers that an unfinished record reports.

    Raises IncompleteError where they stay, because nothing but the record knows of them.
    """
    engine = find_workers(marker)
    if engine is None:
        return
    place = place_of_workers(context, str(marker.run))
    try:
        if execution := engine.get("execution"):
            MapExecution(context.aws, place, str(execution)).stop()
        WorkersStack(context.aws, place).remove()
    except (IncompleteError, LookupFailedError, ServiceError) as error:
        parts = f"the stack {place.stack} and the bucket {place.bucket}"
        raise IncompleteError(f"cannot remove {parts} ({error}); {KEPT}") from error
    context.emit(event("note", text=f"Removed the workers {place.stack}"))
