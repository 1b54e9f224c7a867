"""What the record of a migration says of the engine that began it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dataware.core.engines.card import ENGINE
from dataware.core.errors import RefusedError
from dataware.core.model import Content, Facts, Marker, MarkerState


def find_begun_work(marker: Marker) -> Mapping[str, object]:
    """The part of an unfinished record that names a service's work; empty without one."""
    engine = marker.detail.get(ENGINE) if marker.state is MarkerState.RUNNING else None
    return {ENGINE: engine} if engine else {}


def without_service_work(preferred: Facts) -> Facts:
    """The facts of a target as its migration will have made it, while a service still makes it.

    It cannot be read before it is whole, which is no doubt about what it holds.
    """
    if not find_begun_work(preferred.marker) or preferred.content is not Content.UNKNOWN:
        return preferred
    problems = tuple(one for one in preferred.problems if one.permission is not None)
    return replace(preferred, content=Content.EMPTY, problems=problems)


def refuse_service_work(marker: Marker, source: str, target: str) -> None:
    """Raise RefusedError where a service carries a migration, which only its own steps end.

    A copy beside it would leave undone what those do besides, such as setting tags again.
    """
    engine = find_begun_work(marker).get(ENGINE)
    if not engine:
        return
    name = engine.get("name") if isinstance(engine, Mapping) else engine
    raise RefusedError(
        f"the migration from {source} into {target} was begun with the engine {name}, which goes "
        "on; nothing was changed: finish it with `dataware apply`"
    )
