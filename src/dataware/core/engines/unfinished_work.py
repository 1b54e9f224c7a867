"""What the record of a migration says of the engine that began it, and of what that has left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataware.calc.words import list_words
from dataware.core.engines.card import ENGINE, LEFTOVERS, PARTS, EngineName
from dataware.core.errors import RefusedError
from dataware.core.model import Content, Facts, Marker, MarkerState

COMPARISON, COMPARED = "comparison", "compared"
"""The kind under which a comparison by workers is on record, and where that names its target."""


def find_unfinished_work(marker: Marker) -> Mapping[str, object]:
    """The part of an unfinished record that names a service's work; empty without one."""
    engine = marker.detail.get(ENGINE) if marker.state is MarkerState.RUNNING else None
    return {ENGINE: engine} if engine else {}


def find_work(marker: Marker) -> Mapping[str, object]:
    """The parts of a record with which the next run goes on: a service's work, and what is left."""
    left = list_leftovers(marker.detail)
    return {**find_unfinished_work(marker), **({LEFTOVERS: left} if left else {})}


def list_leftovers(detail: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What could not be removed of a service's work: its record each time, with its `PARTS`."""
    left = detail.get(LEFTOVERS)
    return [one for one in left if isinstance(one, Mapping)] if isinstance(left, list) else []


def name_parts(left: Sequence[Mapping[str, Any]]) -> str:
    """What stands in the account because of that, in words; empty without anything."""
    parts = [str(part) for one in left for part in one.get(PARTS, ())]
    return list_words(parts) if parts else ""


def describe_change(before: Marker, now: Marker) -> str:
    """How a record differs from what it was before, in a clause; empty where the work is the same.

    What an engine has begun counts as well: who goes on by an older record begins it twice.
    """
    if now.state is not before.state:
        return f"it was {before.state} and is {now.state}"
    is_same = now.run == before.run and now.detail.get(ENGINE) == before.detail.get(ENGINE)
    return "" if is_same else "another run has gone on with it"


def is_made_by_service(marker: Marker) -> bool:
    """Whether an unfinished record names a service that makes its target, or fills one of its own.

    Workers fill any target, as this machine does, so they are none.
    """
    engine = find_unfinished_work(marker).get(ENGINE)
    return bool(engine) and _name_of(engine) != EngineName.MAP


def without_service_work(preferred: Facts) -> Facts:
    """The facts of a target as its migration will have made it, while a service still makes it.

    It cannot be read before it is whole, which is no doubt about what it holds.
    """
    if not is_made_by_service(preferred.marker) or preferred.content is not Content.UNKNOWN:
        return preferred
    problems = tuple(one for one in preferred.problems if one.permission is not None)
    return replace(preferred, content=Content.EMPTY, problems=problems)


def refuse_service_work(
    marker: Marker, source: str, target: str, engine: EngineName | None = None
) -> None:
    """Raise RefusedError where a service carries a migration, which only its own steps end.

    A copy beside it would leave undone what those do besides, such as setting tags again. The
    `engine` that is asked for may go on.
    """
    begun = find_unfinished_work(marker).get(ENGINE)
    if not begun or (engine is not None and _name_of(begun) == engine):
        return
    name = _name_of(begun)
    by_hand = f", or with --engine {name}" if name == EngineName.MAP else ""
    raise RefusedError(
        f"nothing was changed, because the engine {name} already migrates {source} into {target}: "
        f"finish that with `dataware apply`{by_hand}"
    )


def _name_of(begun: object) -> object:
    return begun.get("name") if isinstance(begun, Mapping) else begun
